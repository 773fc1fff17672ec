/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "random_problem.h"

#include "base/arena.h"
#include "base/bitset.h"

static bool chance(struct rng *rng, uint32_t percent)
{
    return rng_below(rng, 100) < percent;
}

static uint64_t *random_set(struct rng *rng, struct arena *arena, uint32_t n, uint32_t percent)
{
    uint64_t *set = ARENA_ARRAY(arena, uint64_t, bits_words(n) + 1);
    for (uint32_t i = 0; i < n; i++) {
        if (chance(rng, percent)) {
            bits_set(set, i);
        }
    }
    return set;
}

static void add_classes(struct rng *rng, struct arena *arena, const struct random_shape *shape,
                        struct bp_problem *p)
{
    p->n_classes = 1 + rng_below(rng, shape->max_classes);
    struct bp_class *classes = ARENA_ARRAY(arena, struct bp_class, p->n_classes);
    int64_t *size = ARENA_ARRAY(arena, int64_t, p->n_classes * p->n_dims);
    size_t words = bits_words(p->n_domains);
    uint64_t *mask = ARENA_ARRAY(arena, uint64_t, p->n_classes * words);
    bool many_priorities = chance(rng, shape->rules_percent / 3);
    uint32_t left = shape->max_units;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        uint32_t most = left / (p->n_classes - i);
        classes[i].demand = 1 + rng_below(rng, most > 1 ? most : 1);
        left -= classes[i].demand < left ? classes[i].demand : left;
        classes[i].weight = chance(rng, 10) ? 2 : 1;
        classes[i].max_per_node =
            chance(rng, shape->rules_percent / 2) ? 1 + rng_below(rng, 2) : BP_UNLIMITED;
        classes[i].priority = many_priorities ? (int32_t)rng_below(rng, 3) - 1 : 0;
        for (uint32_t d = 0; d < p->n_dims; d++) {
            size[i * p->n_dims + d] = rng_below(rng, 7);
        }
        bool open = chance(rng, 60);
        for (uint32_t g = 0; g < p->n_domains; g++) {
            if (open || chance(rng, 60)) {
                bits_set(mask + i * words, g);
            }
        }
    }
    p->classes = classes;
    p->size = size;
    p->mask = mask;
}

static void add_offerings(struct rng *rng, struct arena *arena, const struct random_shape *shape,
                          struct bp_problem *p)
{
    p->n_offerings = 1 + rng_below(rng, shape->max_offerings);
    struct bp_offering *offerings = ARENA_ARRAY(arena, struct bp_offering, p->n_offerings);
    int64_t *capacity = ARENA_ARRAY(arena, int64_t, p->n_offerings * p->n_dims);
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        struct bp_offering *o = &offerings[k];
        o->domain = rng_below(rng, p->n_domains);
        o->price = (usd_t)(1 + rng_below(rng, 12)) * 7000003;
        o->stock = chance(rng, shape->rules_percent / 2) ? rng_below(rng, 3) : BP_UNLIMITED;
        if (chance(rng, shape->rules_percent / 2)) {
            o->price = 0;
            o->stock = 1;
            o->running = true;
        } else if (chance(rng, 5)) {
            o->price = 0;
        }
        for (uint32_t d = 0; d < p->n_dims; d++) {
            capacity[k * p->n_dims + d] = 1 + rng_below(rng, 14);
        }
    }
    p->offerings = offerings;
    p->capacity = capacity;
}

static void add_caps(struct rng *rng, struct arena *arena, struct bp_problem *p)
{
    p->n_caps = 1 + rng_below(rng, 2);
    struct bp_cap *caps = ARENA_ARRAY(arena, struct bp_cap, p->n_caps);
    for (uint32_t c = 0; c < p->n_caps; c++) {
        caps[c].max = 1 + rng_below(rng, 2);
        caps[c].necessary = chance(rng, 60);
        caps[c].members = random_set(rng, arena, p->n_classes, 70);
        if (chance(rng, 30)) {
            uint32_t *max_at = ARENA_ARRAY(arena, uint32_t, p->n_offerings);
            for (uint32_t k = 0; k < p->n_offerings; k++) {
                max_at[k] = rng_below(rng, 3);
            }
            caps[c].max_at = max_at;
        }
    }
    p->caps = caps;
}

static void add_exclusions(struct rng *rng, struct arena *arena, struct bp_problem *p)
{
    p->n_exclusions = 1 + rng_below(rng, 2);
    struct bp_exclusion *exclusions = ARENA_ARRAY(arena, struct bp_exclusion, p->n_exclusions);
    for (uint32_t e = 0; e < p->n_exclusions; e++) {
        exclusions[e].a = random_set(rng, arena, p->n_classes, 40);
        exclusions[e].b = random_set(rng, arena, p->n_classes, 40);
    }
    p->exclusions = exclusions;
}

static void add_limits(struct rng *rng, struct arena *arena, struct bp_problem *p)
{
    p->n_limits = 1 + rng_below(rng, 2);
    struct bp_limit *limits = ARENA_ARRAY(arena, struct bp_limit, p->n_limits);
    for (uint32_t r = 0; r < p->n_limits; r++) {
        int64_t *use = ARENA_ARRAY(arena, int64_t, p->n_offerings);
        for (uint32_t k = 0; k < p->n_offerings; k++) {
            use[k] = chance(rng, 70) ? 1 + rng_below(rng, 4) : 0;
        }
        limits[r].use = use;
        limits[r].max = rng_below(rng, 9);
    }
    p->limits = limits;
}

static void add_varieties(struct rng *rng, struct arena *arena, struct bp_problem *p)
{
    p->n_varieties = 1;
    struct bp_variety *variety = ARENA_NEW(arena, struct bp_variety);
    uint32_t *value = ARENA_ARRAY(arena, uint32_t, p->n_offerings);
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        value[k] = chance(rng, 80) ? rng_below(rng, 3) : BP_NO_VALUE;
    }
    variety->value = value;
    variety->min_values = 1 + rng_below(rng, 2);
    p->varieties = variety;
}

void random_problem(struct rng *rng, struct arena *arena, const struct random_shape *shape,
                    struct bp_problem *ret_problem)
{
    struct bp_problem *p = ret_problem;
    *p = (struct bp_problem){.n_dims = 1 + rng_below(rng, shape->max_dims),
                             .n_domains = 1 + rng_below(rng, shape->max_domains)};
    add_classes(rng, arena, shape, p);
    add_offerings(rng, arena, shape, p);
    if (chance(rng, shape->rules_percent)) {
        add_caps(rng, arena, p);
    }
    if (chance(rng, shape->rules_percent)) {
        add_exclusions(rng, arena, p);
    }
    if (chance(rng, shape->rules_percent)) {
        add_limits(rng, arena, p);
    }
    if (chance(rng, shape->rules_percent / 2)) {
        add_varieties(rng, arena, p);
    }
}

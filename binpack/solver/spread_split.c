/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/spread_split.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/solver/verify_groups.h"

#include <string.h>

/* ------------------------------------------------------------------ there */

struct build {
    const struct bp_spread *s;
    struct bp_split_problem *out;
    struct arena *arena;
};

/* A set of classes, over the classes of the split problem. */
static const uint64_t *split_set(const struct build *b, const uint64_t *set)
{
    uint32_t n = b->out->problem.n_classes;
    uint64_t *split = ARENA_ARRAY(b->arena, uint64_t, bits_words(n));
    for (uint32_t i = 0; i < n && set != NULL; i++) {
        if (bits_get(set, b->out->class_of[i])) {
            bits_set(split, i);
        }
    }
    return split;
}

static void add_class(const struct build *b, uint32_t class_i, uint32_t tuple_i, uint32_t units)
{
    uint32_t n = b->out->problem.n_classes++;
    b->out->class_of[n] = class_i;
    b->out->tuple_of[n] = tuple_i;
    ((struct bp_class *)b->out->problem.classes)[n] = b->s->problem->classes[class_i];
    ((struct bp_class *)b->out->problem.classes)[n].demand = units;
}

static void fill_classes(const struct build *b)
{
    const struct bp_problem *p = b->s->problem;
    struct bp_problem *q = &b->out->problem;
    size_t n_words = bits_words(p->n_domains);
    int64_t *size = ARENA_ARRAY(b->arena, int64_t, (size_t)q->n_classes * p->n_dims);
    uint64_t *mask = ARENA_ARRAY(b->arena, uint64_t, q->n_classes * n_words);
    uint64_t *of_tuple = ARENA_ARRAY(b->arena, uint64_t, b->s->n_tuples * n_words);
    for (uint32_t d = 0; d < p->n_domains; d++) {
        bits_set(&of_tuple[b->s->tuple_of_domain[d] * n_words], d);
    }
    for (uint32_t i = 0; i < q->n_classes; i++) {
        memcpy(&size[(size_t)i * p->n_dims], &p->size[(size_t)b->out->class_of[i] * p->n_dims],
               p->n_dims * sizeof *size);
        memcpy(&mask[i * n_words], &p->mask[b->out->class_of[i] * n_words], n_words * sizeof *mask);
        if (b->out->tuple_of[i] != UINT32_MAX) {
            bits_and(&mask[i * n_words], &of_tuple[b->out->tuple_of[i] * n_words], n_words);
        }
    }
    q->size = size;
    q->mask = mask;
}

static void fill_rules(const struct build *b)
{
    const struct bp_problem *p = b->s->problem;
    struct bp_problem *q = &b->out->problem;
    struct bp_cap *caps = ARENA_ARRAY(b->arena, struct bp_cap, p->n_caps);
    for (uint32_t x = 0; x < p->n_caps; x++) {
        caps[x] = p->caps[x];
        caps[x].members = split_set(b, p->caps[x].members);
    }
    struct bp_exclusion *exclusions = ARENA_ARRAY(b->arena, struct bp_exclusion, p->n_exclusions);
    for (uint32_t x = 0; x < p->n_exclusions; x++) {
        exclusions[x] = (struct bp_exclusion){.a = split_set(b, p->exclusions[x].a),
                                              .b = split_set(b, p->exclusions[x].b)};
    }
    q->caps = caps;
    q->exclusions = exclusions;
}

void bp_split_problem_build(const struct bp_spread *spread, const struct bp_split *split,
                            struct bp_split_problem *ret_split_problem, struct arena *arena)
{
    const struct bp_problem *p = spread->problem;
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        n += !spread->tied[i];
        for (uint32_t t = 0; t < spread->n_tuples; t++) {
            n += split->units[(size_t)i * spread->n_tuples + t] > 0;
        }
    }
    struct build b = {.s = spread, .out = ret_split_problem, .arena = arena};
    *ret_split_problem = (struct bp_split_problem){.problem = *p,
                                                   .class_of = ARENA_ARRAY(arena, uint32_t, n),
                                                   .tuple_of = ARENA_ARRAY(arena, uint32_t, n)};
    struct bp_problem *q = &ret_split_problem->problem;
    q->classes = ARENA_ARRAY(arena, struct bp_class, n);
    q->n_classes = 0;
    q->n_groups = 0;
    q->groups = NULL;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (!spread->tied[i]) {
            add_class(&b, i, UINT32_MAX, p->classes[i].demand);
        }
        for (uint32_t t = 0; t < spread->n_tuples; t++) {
            uint32_t units = split->units[(size_t)i * spread->n_tuples + t];
            if (units > 0) {
                add_class(&b, i, t, units);
            }
        }
    }
    fill_classes(&b);
    fill_rules(&b);
}

/* ------------------------------------------------------------------ and back */

/* Units of a class to take off nodes of a domain. */
struct surplus {
    uint32_t class_i, domain_i, units;
};

/* Takes units off, last node first, in a copy of the nodes. */
static void take_off(const struct bp_problem *p, struct bp_solution *solution, uint32_t n_surplus,
                     struct surplus *surplus, struct arena *arena)
{
    struct bp_node *nodes = ARENA_ARRAY(arena, struct bp_node, solution->n_nodes);
    uint32_t *unplaced = ARENA_ARRAY(arena, uint32_t, p->n_classes);
    memcpy(unplaced, solution->unplaced, p->n_classes * sizeof *unplaced);
    for (uint32_t x = solution->n_nodes; x-- > 0;) {
        nodes[x] = solution->nodes[x];
        struct bp_item *items = ARENA_ARRAY(arena, struct bp_item, nodes[x].n_items);
        uint32_t n_items = 0;
        for (uint32_t y = 0; y < nodes[x].n_items; y++) {
            struct bp_item item = nodes[x].items[y];
            for (uint32_t z = 0; z < n_surplus; z++) {
                if (surplus[z].class_i == item.class_i &&
                    surplus[z].domain_i == p->offerings[nodes[x].offering_i].domain) {
                    uint32_t units = item.count < surplus[z].units ? item.count : surplus[z].units;
                    surplus[z].units -= units;
                    item.count -= units;
                    unplaced[item.class_i] += units;
                }
            }
            if (item.count > 0) {
                items[n_items++] = item;
            }
        }
        nodes[x].items = items;
        nodes[x].n_items = n_items;
    }
    uint32_t n = 0;
    usd_t cost = 0;
    for (uint32_t x = 0; x < solution->n_nodes; x++) {
        if (nodes[x].n_items > 0) {
            nodes[n++] = nodes[x];
            cost += p->offerings[nodes[x].offering_i].price;
        }
    }
    solution->nodes = nodes;
    solution->n_nodes = n;
    solution->unplaced = unplaced;
    solution->cost = cost;
}

/* Units of each class in each domain; n_classes * n_domains may be large, so only what occurs is
 * listed. */
static uint32_t list_placings(const struct bp_problem *p, const struct bp_solution *solution,
                              struct bp_placing **ret_placings, struct arena *arena)
{
    size_t n = 0;
    for (uint32_t x = 0; x < solution->n_nodes; x++) {
        n += solution->nodes[x].n_items;
    }
    struct bp_placing *placings = ARENA_ARRAY(arena, struct bp_placing, n);
    uint32_t *latest =
        ARENA_ARRAY(arena, uint32_t, p->n_classes); /* 1 + entry of the class in the last domain */
    n = 0;
    for (uint32_t x = 0; x < solution->n_nodes; x++) {
        const struct bp_node *node = &solution->nodes[x];
        uint32_t domain_i = p->offerings[node->offering_i].domain;
        for (uint32_t y = 0; y < node->n_items; y++) {
            uint32_t i = node->items[y].class_i;
            if (latest[i] == 0 || placings[latest[i] - 1].domain_i != domain_i) {
                placings[n++] = (struct bp_placing){.class_i = i, .domain_i = domain_i};
                latest[i] = (uint32_t)n;
            }
            placings[latest[i] - 1].units += node->items[y].count;
        }
    }
    *ret_placings = placings;
    return (uint32_t)n;
}

bool bp_split_repair(const struct bp_problem *problem, struct bp_solution *solution,
                     struct arena *arena, struct arena *scratch)
{
    bool repaired = false;
    for (;;) { /* every round takes at least one unit off, so it ends */
        struct arena_mark mark = arena_mark(scratch);
        struct bp_placing *placings;
        uint32_t n = list_placings(problem, solution, &placings, scratch);
        uint32_t *stuck = ARENA_ARRAY(scratch, uint32_t, n);
        struct err err;
        if (bp_verify_groups(problem, n, placings, stuck, scratch, &err)) {
            arena_rewind(scratch, mark);
            return repaired;
        }
        struct surplus *surplus = ARENA_ARRAY(scratch, struct surplus, n);
        uint32_t n_surplus = 0;
        for (uint32_t x = 0; x < n; x++) {
            uint32_t weight = problem->classes[placings[x].class_i].weight;
            if (stuck[x] > 0) {
                surplus[n_surplus++] = (struct surplus){.class_i = placings[x].class_i,
                                                        .domain_i = placings[x].domain_i,
                                                        .units = (stuck[x] + weight - 1) / weight};
            }
        }
        take_off(problem, solution, n_surplus, surplus, arena);
        arena_rewind(scratch, mark);
        repaired = true;
    }
}

void bp_split_restore(const struct bp_spread *spread, const struct bp_split *split,
                      const struct bp_split_problem *split_problem,
                      const struct bp_solution *packed, struct bp_solution *ret_solution,
                      struct arena *arena, struct arena *scratch)
{
    const struct bp_problem *p = spread->problem;
    struct bp_node *nodes = ARENA_ARRAY(arena, struct bp_node, packed->n_nodes);
    uint32_t *unplaced = ARENA_ARRAY(arena, uint32_t, p->n_classes);
    memcpy(unplaced, split->left, p->n_classes * sizeof *unplaced);
    for (uint32_t x = 0; x < packed->n_nodes; x++) {
        nodes[x] = packed->nodes[x];
        struct bp_item *items = ARENA_ARRAY(arena, struct bp_item, nodes[x].n_items);
        for (uint32_t y = 0; y < nodes[x].n_items; y++) {
            items[y] = packed->nodes[x].items[y];
            items[y].class_i = split_problem->class_of[items[y].class_i];
        }
        nodes[x].items = items;
    }
    for (uint32_t i = 0; i < split_problem->problem.n_classes; i++) {
        unplaced[split_problem->class_of[i]] += packed->unplaced[i];
    }
    *ret_solution = *packed;
    ret_solution->nodes = nodes;
    ret_solution->unplaced = unplaced;
    bp_split_repair(p, ret_solution, arena, scratch);
}

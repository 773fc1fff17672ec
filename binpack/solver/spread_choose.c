/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/spread_choose.h"

#include "base/arena.h"
#include "base/rng.h"

#include <string.h>

enum {
    MAX_COMBINATIONS = 64,    /* of chosen values */
    COMBINATION_PODS = 100000 /* fewer combinations when their product with the units is above */
};

bool bp_split_equal(const struct bp_spread *spread, const struct bp_split *a,
                    const struct bp_split *b)
{
    size_t n = (size_t)spread->problem->n_classes * spread->n_tuples;
    return memcmp(a->units, b->units, n * sizeof *a->units) == 0;
}

/* A decision that works in any order may cost a little more than one that needs the right order. */
static usd_t careful_price(const struct bp_split *split)
{
    return split->n_careless == 0 ? split->price : split->price + split->price / 32;
}

/* Keeps the best few, best first. */
static void add_candidate(struct bp_candidates *c, const struct bp_spread *s,
                          const struct bp_split *split)
{
    uint32_t at = 0;
    for (; at < c->n; at++) {
        int left = bp_spread_compare_left(s->problem, split->left, c->v[at].left);
        if (bp_split_equal(s, split, &c->v[at])) {
            return;
        }
        if (left < 0 || (left == 0 && careful_price(split) < careful_price(&c->v[at]))) {
            break;
        }
    }
    if (at == BP_CANDIDATES_MAX) {
        return;
    }
    uint32_t n_moved = c->n - at - (c->n == BP_CANDIDATES_MAX);
    memmove(&c->v[at + 1], &c->v[at], n_moved * sizeof c->v[0]);
    c->v[at] = *split;
    c->n += c->n < BP_CANDIDATES_MAX;
}

/* Groups that choose a value, one of each set of linked ones. */
static uint32_t list_choosers(const struct bp_spread *s, uint32_t *choosers, bool *ret_any_apart)
{
    uint32_t n = 0;
    for (uint32_t g = 0; g < s->problem->n_groups; g++) {
        enum bp_group_kind kind = s->problem->groups[g].kind;
        *ret_any_apart |= kind == BP_GROUP_APART;
        if (s->chooses[g] && s->link[g] == g) {
            choosers[n++] = g;
        }
    }
    return n;
}

/* All combinations of values where they are few, else the cheapest values and single deviations
 * from them. */
void bp_candidates_find(struct bp_candidates *candidates, const struct bp_spread *s,
                        struct arena *arena)
{
    const struct bp_problem *p = s->problem;
    auto_arena scratch = ARENA_INIT;
    auto_arena placing = ARENA_INIT;
    uint32_t *choosers = ARENA_ARRAY(&scratch, uint32_t, p->n_groups);
    uint32_t *rank = ARENA_ARRAY(&scratch, uint32_t, p->n_groups);
    uint32_t *value = ARENA_ARRAY(&scratch, uint32_t, p->n_groups);
    bool any_apart = false;
    uint32_t n_choosers = list_choosers(s, choosers, &any_apart);
    uint64_t n_all = 1, n_pods = 1;
    for (uint32_t x = 0; x < n_choosers && n_all <= MAX_COMBINATIONS; x++) {
        n_all *= p->n_axis_values[p->groups[choosers[x]].axis];
    }
    for (uint32_t i = 0; i < p->n_classes; i++) {
        n_pods += p->classes[i].demand;
    }
    uint64_t room = COMBINATION_PODS / n_pods + 1;
    bool all = n_all <= MAX_COMBINATIONS && n_all <= room;
    uint64_t n_tried = all ? n_all : n_choosers + 1 < room ? n_choosers + 1 : room;
    n_tried = n_tried > MAX_COMBINATIONS ? MAX_COMBINATIONS : n_tried;
    for (uint64_t c = 0; c < n_tried; c++) {
        uint64_t rest = c;
        for (uint32_t x = 0; x < n_choosers; x++) {
            uint32_t n_values = p->n_axis_values[p->groups[choosers[x]].axis];
            rank[choosers[x]] = all ? (uint32_t)(rest % n_values) : (c == x + 1);
            rest /= n_values;
        }
        for (uint32_t g = 0; g < p->n_groups; g++) {
            uint32_t chooser = s->link[g];
            value[g] =
                !s->chooses[g] ? BP_NO_VALUE : bp_spread_cheapest_value(s, chooser, rank[chooser]);
        }
        for (uint32_t first = 0; first < (any_apart ? 2U : 1U); first++) {
            struct bp_spread_choice choice = {.value = value, .targets_first = first == 1};
            struct bp_split split;
            bp_spread_place(s, &choice, &split, arena, &placing);
            add_candidate(candidates, s, &split);
        }
    }
}

void bp_choice_shake(struct bp_spread_choice *ret_choice, const struct bp_spread *s,
                     struct rng *rng, struct arena *arena)
{
    const struct bp_problem *p = s->problem;
    size_t n_pairs = (size_t)s->n_kinds * s->n_tuples;
    uint32_t *scale = ARENA_ARRAY(arena, uint32_t, n_pairs);
    uint32_t *tuple = ARENA_ARRAY(arena, uint32_t, s->n_tuples);
    uint32_t *value = ARENA_ARRAY(arena, uint32_t, p->n_groups);
    for (uint32_t t = 0; t < s->n_tuples; t++) {
        tuple[t] = 700 + rng_below(rng, 600);
    }
    for (size_t x = 0; x < n_pairs; x++) {
        scale[x] = tuple[x % s->n_tuples] * (900 + rng_below(rng, 200)) / 1000;
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        uint32_t rank = rng_below(rng, 2) * rng_below(rng, p->n_axis_values[p->groups[g].axis]);
        value[g] = !s->chooses[g]   ? BP_NO_VALUE
                   : s->link[g] < g ? value[s->link[g]]
                                    : bp_spread_cheapest_value(s, g, rank);
    }
    *ret_choice = (struct bp_spread_choice){
        .value = value, .scale = scale, .targets_first = rng_below(rng, 2) == 1};
}

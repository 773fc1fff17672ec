/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/solution.h"

#include "base/arena.h"
#include "binpack/solver/count_proof.h"
#include "binpack/solver/spread.h"
#include "binpack/solver/verify_cover.h"

static uint32_t n_priced(const struct bp_problem *p, const struct bp_solution *s)
{
    uint32_t n = 0;
    for (uint32_t x = 0; x < s->n_nodes; x++) {
        n += !p->offerings[s->nodes[x].offering_i].running;
    }
    return n;
}

bool bp_solution_is_better(const struct bp_problem *p, const struct bp_solution *a,
                           const struct bp_solution *b)
{
    int left = bp_spread_compare_left(p, a->unplaced, b->unplaced);
    if (left != 0) {
        return left < 0;
    }
    return a->cost != b->cost ? a->cost < b->cost : n_priced(p, a) < n_priced(p, b);
}

void bp_solution_copy_plan(const struct bp_problem *p, const struct bp_solution *from,
                           struct arena *arena, struct bp_solution *to)
{
    *to = *from;
    struct bp_node *nodes = ARENA_ARRAY(arena, struct bp_node, from->n_nodes);
    for (uint32_t x = 0; x < from->n_nodes; x++) {
        nodes[x] = from->nodes[x];
        nodes[x].items = (const struct bp_item *)(const void *)arena_copy(
            arena, from->nodes[x].items, from->nodes[x].n_items * sizeof(struct bp_item));
    }
    to->nodes = nodes;
    to->unplaced = (const uint32_t *)(const void *)arena_copy(
        arena, from->unplaced, p->n_classes * sizeof *from->unplaced);
}

usd_t bp_certificate_bound(const struct bp_problem *p, const struct bp_certificate *cert,
                           const uint32_t *unplaced)
{
    __int128 sum = 0;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        sum += (__int128)cert->dual[i] * (p->classes[i].demand - unplaced[i]);
    }
    for (uint32_t r = 0; r < p->n_limits; r++) {
        sum -= (__int128)cert->limit_dual[r] * p->limits[r].max;
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        __int128 gain = cert->best_value[k] - ((__int128)p->offerings[k].price << BP_DUAL_BITS);
        for (uint32_t r = 0; r < p->n_limits; r++) {
            gain -= (__int128)cert->limit_dual[r] * p->limits[r].use[k];
        }
        if (gain > 0) {
            sum -= gain * p->offerings[k].stock;
        }
    }
    /* Costs are whole nano-dollars, so it rounds up. */
    usd_t bound =
        sum > 0 ? (usd_t)((sum + (((__int128)1 << BP_DUAL_BITS) - 1)) >> BP_DUAL_BITS) : 0;
    auto_arena scratch = ARENA_INIT;
    uint32_t *placed = ARENA_ARRAY(&scratch, uint32_t, p->n_classes + 1);
    for (uint32_t i = 0; i < p->n_classes; i++) {
        placed[i] = p->classes[i].demand - unplaced[i];
    }
    usd_t whole = bp_cover_bound(p, cert, placed, &scratch);
    bound = whole > bound ? whole : bound;
    if (cert->counts != NULL) {
        usd_t counts = bp_count_proof_bound(p, cert->counts, placed, &scratch);
        bound = counts > bound ? counts : bound;
    }
    return bound;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/solution.h"

#include "base/arena.h"
#include "binpack/solver/spread.h"

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

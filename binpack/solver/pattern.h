/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Patterns: what one node of a kind holds, and the pool of all patterns found so far. A pattern is
 * added once and never changes; columns of the LP and entries of plans are indexes into the pool.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "binpack/solver/reduce.h"

struct bp_pattern {
    uint32_t kind;
    uint32_t n_items;
    size_t at; /* of its items in the pool, ascending by class */
};

struct bp_pool {
    const struct bp_red *red;
    struct arena *arena;
    VEC(struct bp_pattern) patterns;
    VEC(struct bp_item) items;
    uint32_t *table; /* open addressing; pattern + 1 */
    uint32_t table_size;
};

void bp_pool_init(struct bp_pool *pool, struct arena *arena, const struct bp_red *red);

/* Index of the pattern, new or known. The items must be ascending, non-empty and fit. */
uint32_t bp_pool_add(struct bp_pool *pool, uint32_t kind, const struct bp_item *items, uint32_t n,
                     bool *ret_new);

/* Adds a pattern of each class alone for the kind where a unit of it is cheapest, if any holds one:
 * the LP has a start for every class. */
void bp_pool_add_singles(struct bp_pool *pool);

static inline const struct bp_item *bp_pool_items(const struct bp_pool *pool, uint32_t pattern)
{
    return pool->items.v + pool->patterns.v[pattern].at;
}

/* Capacity, masks, max_per_node, caps and exclusions of one node of a kind. */
bool bp_pattern_fits(const struct bp_red *red, uint32_t kind, const struct bp_item *items,
                     uint32_t n);

/* Varieties: enough distinct values among the offerings that could hold it. Walks all offerings. */
bool bp_pattern_is_varied(const struct bp_red *red, uint32_t kind, const struct bp_item *items,
                          uint32_t n);

/* Takes units away, largest class first, until the pattern is varied; returns the number of items
 * left, maybe 0. */
uint32_t bp_pattern_shrink(const struct bp_red *red, uint32_t kind, struct bp_item *items,
                           uint32_t n);

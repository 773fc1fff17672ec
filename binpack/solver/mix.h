/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan in the making: how many nodes of which pattern, and what is left to place. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/pattern.h"

/* What remains of demand, stock and limits. */
struct bp_rest {
    double *demand; /* [n_classes] units */
    double *stock;  /* [n_kinds] nodes */
    double *limit;  /* [n_limits] */
};

void bp_rest_init(struct bp_rest *rest, struct arena *arena, const struct bp_red *red);
void bp_rest_reset(struct bp_rest *rest, const struct bp_red *red); /* everything is left */
void bp_rest_copy(struct bp_rest *to, const struct bp_rest *from, const struct bp_red *red);
double bp_rest_units(const struct bp_rest *rest, const struct bp_red *red);

/* How many more nodes of a kind stock and limits allow. */
double bp_rest_room(const struct bp_rest *rest, const struct bp_red *red, uint32_t kind);

/* Takes (count > 0) or gives back (count < 0) nodes that hold the items. */
void bp_rest_take(struct bp_rest *rest, const struct bp_red *red, uint32_t kind,
                  const struct bp_item *items, uint32_t n, double count);

struct bp_mix_entry {
    uint32_t pattern, count;
};

struct bp_mix {
    uint32_t n, room;
    struct bp_mix_entry *entries;
    double *unplaced;  /* [n_classes], set by bp_mix_close */
    usd_t cost;        /* set by bp_mix_close */
    uint64_t n_priced; /* nodes with a price */
    bool closed;
};

void bp_mix_init(struct bp_mix *mix, struct arena *arena, const struct bp_red *red);
void bp_mix_clear(struct bp_mix *mix);
void bp_mix_add(struct bp_mix *mix, struct arena *arena, uint32_t pattern, uint32_t count);
void bp_mix_copy(struct bp_mix *to, const struct bp_mix *from, struct arena *arena,
                 const struct bp_red *red);

/* Merges equal entries and computes cost and unplaced units. */
void bp_mix_close(struct bp_mix *mix, const struct bp_pool *pool);

/* Below 0 when x is the better plan: pods placed by priority, then cost, then number of nodes with
 * a price. */
int bp_mix_compare(const struct bp_mix *x, const struct bp_mix *y, const struct bp_red *red);

/* Adds units that are left to nodes that have room for them, higher priority first, so that no more
 * of them fits anywhere. The mix must be closed or hold each pattern once at most; it is not closed
 * afterwards. */
void bp_mix_top_up(struct bp_mix *mix, struct bp_rest *rest, struct bp_pool *pool,
                   struct arena *arena);

/* The cheapest kind that holds the items, has room left and is cheaper than `below`; BP_NO_KIND
 * when there is none. */
uint32_t bp_mix_cheapest(const struct bp_red *red, const struct bp_rest *rest, usd_t below,
                         const struct bp_item *items, uint32_t n);

/* Adds `count` nodes that hold the items (cut to what is left of the demand beforehand), each on
 * the cheapest kind that has room; of equal price the given one. Returns nodes added. */
uint32_t bp_mix_place(struct bp_mix *mix, struct bp_rest *rest, struct bp_pool *pool,
                      struct arena *arena, uint32_t kind, const struct bp_item *items, uint32_t n,
                      uint32_t count);

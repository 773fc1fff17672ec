/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A start for large problems that nearly fall apart.
 *
 * Classes that may use the same kinds form a part. With many classes the LP over all of them is
 * slow to come near its optimum, but each part alone is quick, and most patterns of a good plan
 * hold classes of one part only. So the parts are solved one after the other, each on an LP of its
 * own and on the kinds that no other kind beats for its classes, and rounded; their plans together
 * are the first good plan, their patterns and prices are what the whole starts from. Prices of an
 * earlier part steer the later ones: classes of one size are worth about the same. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/colgen.h"
#include "binpack/solver/round.h"

struct bp_parts {
    const struct bp_red *red;
    struct arena *arena;
    struct bp_pool *pool;
    struct bp_pricer *pricer;
    const double *penalty;
    uint32_t n, at;    /* parts; 0: not worth it */
    uint32_t *part_of; /* [n_classes] */
    bool running;
    struct arena scratch; /* of the part that runs */
    struct bp_master master;
    struct bp_cg cg;
    struct bp_dive dive;
    bool rounding;
    struct bp_rest rest; /* what the parts done have left of everything */
    struct bp_rest part_rest;
    struct bp_mix mix; /* the plans of the parts done */
    double *demand;    /* [n_classes] */
    bool *skip;        /* [n_kinds] */
    double *pi;        /* [n_classes] prices of the parts done */
    bool *priced;      /* [n_classes] */
    uint32_t *columns; /* patterns of the parts' solutions */
    uint32_t n_columns, columns_room;
};

void bp_parts_init(struct bp_parts *parts, struct arena *arena, struct bp_pool *pool,
                   struct bp_pricer *pricer, const double *penalty);

/* True while there is more to do. A part whose LP fails is left out. */
bool bp_parts_step(struct bp_parts *parts, uint64_t work, uint64_t *spent);
void bp_parts_done(struct bp_parts *parts);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the solver's plans (kinds, merged classes) and the problem's own (offerings, classes). */
#pragma once

#include "binpack/solver/bound.h"
#include "binpack/solver/mix.h"

/* Nodes and unplaced units of a closed mix, in the order that problem.h promises. */
void bp_expand_nodes(const struct bp_mix *mix, const struct bp_pool *pool, struct arena *arena,
                     struct bp_solution *solution);

/* Takes over what still fits of a plan made earlier: cut to the demand, checked, moved to the kind
 * that beats its offering. */
void bp_expand_start(const struct bp_node *nodes, uint32_t n, struct bp_pool *pool,
                     struct arena *arena, struct bp_rest *rest, struct bp_mix *mix);

/* The certificate of a bound, its arrays in `arena`. */
void bp_expand_bound(const struct bp_bound *bound, const struct bp_red *red, struct arena *arena,
                     struct bp_certificate *certificate);

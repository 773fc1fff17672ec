/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lower bounds.
 *
 * Any prices pi >= 0 of classes and mu >= 0 of limits, with any proven upper bounds v_k of the
 * value of a pattern of kind k, give
 *
 *   bound(theta) = (pi.placed - mu.max) / theta - sum over finite kinds stock_k max(0, (v_k -
 * mu.use_k) / theta - cost_k) theta >= (v_k - mu.use_k) / cost_k  for every kind of unlimited stock
 *
 * bp_bound_estimate computes it in doubles, to steer the search. bp_bound_exact turns it into
 * integers (see struct bp_certificate) and into a number of nano-dollars that 128-bit arithmetic
 * proves: duals are rounded down, limit prices and values up. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/reduce.h"

struct arena;

struct bp_bound {
    usd_t bound;         /* for the placed units it was last evaluated for */
    int64_t *dual;       /* [n_classes] */
    int64_t *limit_dual; /* [n_limits] */
    int64_t *value;      /* [n_kinds] */
};

void bp_bound_init(struct bp_bound *bound, struct arena *arena, const struct bp_red *red);

/* theta is written when ret_theta is not NULL. */
double bp_bound_estimate(const struct bp_red *red, const double *pi, const double *mu,
                         const double *value, const double *placed, double *ret_theta);

/* Integer duals and values for the same numbers; evaluated for `placed`. Falls back to the bound 0.
 */
void bp_bound_exact(struct bp_bound *bound, const struct bp_red *red, const double *pi,
                    const double *mu, const double *value, const double *placed);

/* The bound of the same duals for other placed units; >= 0. */
usd_t bp_bound_evaluate(const struct bp_bound *bound, const struct bp_red *red,
                        const double *placed);

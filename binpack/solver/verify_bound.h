/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checker's proof of the lower bound, in integers.
 *
 * The bound stands on one number per offering: best_value[k], which no pattern of offering k may
 * exceed. It is proven again from scratch. Offerings that admit the same classes form a *set*; in a
 * set, equal classes are merged into items, capacities are lowered to the largest sum of sizes that
 * can occur, and offerings that are then equal are proven once. A proof is a branch and bound over
 * the counts of items with the Lagrangian bound f(L) = sum_r L_r C_r + sum_i max over lo_i <= x <=
 * hi_i of x (pi_i - sum_r L_r w_ir), which holds for whatever multipliers L >= 0. They are improved
 * by line searches along axes and along the edges where items change their mind; how good they are
 * decides only how long the proof takes. All decisions are made in 128-bit integers. */
#pragma once

#include "base/err.h"
#include "binpack/solver/problem.h"

struct arena;

enum {
    VERIFY_BOUND_NODES =
        20000, /* branches per proof, above that the value counts as not confirmed */
    VERIFY_BOUND_TABLE_BITS = 1 << 22, /* reachable sums: larger tables are left out */
};

/* placed[i] is the number of units of class i in the plan. False with ERR_INTERNAL naming the dual,
 * offering or sum that disagrees. `scratch` is rewound. */
MUST_CHECK bool bp_verify_bound(const struct bp_problem *problem,
                                const struct bp_certificate *certificate, const uint32_t *placed,
                                struct arena *scratch, struct err *err);

/* The same, but a value that cannot be confirmed within its branches is replaced by the one that
 * can, duals are scaled down until every offering without end pays for itself again, and the bound
 * that then follows is at most the one claimed. *ret_certificate is what has been proven, its
 * arrays in `arena`. A claim that is wrong, rather than hard to confirm, is still an error. *steps
 * are those that may be spent on it (verify_knapsack.h), NULL: without end; with none left what is
 * easy to confirm remains. */
MUST_CHECK bool bp_prove_bound(const struct bp_problem *problem,
                               const struct bp_certificate *certificate, const uint32_t *placed,
                               uint64_t *steps, struct arena *scratch, struct arena *arena,
                               struct bp_certificate *ret_certificate, struct err *err);

/* Duals and values that are proven: as the certificate has them, or scaled by
 * up / down where a value was hard to confirm. */
struct bp_proof {
    int64_t *dual;       /* [n_classes] */
    int64_t *best_value; /* [n_offerings] */
    __int128 up, down;
    __int128 rest; /* what limits and offerings with an end take off the bound, <= 0, scaled */
};

enum bp_prove {
    BP_PROVE_CLAIMS,  /* every value must be confirmed as it stands */
    BP_PROVE_CHARGES, /* as in bp_prove_bound; values of offerings without end are only shown to be
                         no more than their charge where less is claimed: the duals prove the same
                         */
    BP_PROVE_LOWER    /* the same, and then less where that is easy */
};

/* The part of a proof that is about nodes: no node holds more than most[i] units of class i, and
 * none is worth more than it costs. The bound is the worth of what is placed, at these duals, plus
 * `rest`. Arrays in `arena`; errors as above. */
MUST_CHECK bool bp_prove_duals(const struct bp_problem *problem,
                               const struct bp_certificate *certificate, const uint32_t *most,
                               enum bp_prove prove, uint64_t *steps, struct arena *scratch,
                               struct arena *arena, struct bp_proof *ret_proof, struct err *err);

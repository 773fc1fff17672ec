/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checker's proof of a bound that knows the rules of groups: a tree of branches (see struct
 * bp_certificate).
 *
 * From the box of all plans (verify_cells.h) every branch cuts one cell in two, so that each plan
 * is in the box of one leaf. A leaf without duals must be shown to hold no plan. For any other the
 * problem of its box is made, in which no node holds more of a cell than the box leaves, its duals
 * are proven there as in verify_bound.h, and the least worth of the placed units in the box is
 * added up. All in integers, without GLPK. */
#pragma once

#include "base/err.h"
#include "binpack/solver/problem.h"

struct arena;

enum {
    BP_BRANCHES_MAX = 4096, /* leaves and branches of a tree */
    BP_BRANCH_CELLS = 4000  /* cells that a tree may speak of */
};

/* placed[i] units of class i are in the plan. False with ERR_INTERNAL: the tree does not prove the
 * certificate's bound. `lower`: values that are merely hard to confirm are replaced by what can be
 * proven, as bp_prove_bound does; *ret_certificate (its arrays in `arena`) then has the bound that
 * follows. Without it ret_certificate may be NULL. `scratch` is rewound. */
MUST_CHECK bool bp_prove_branches(const struct bp_problem *problem,
                                  const struct bp_certificate *certificate, const uint32_t *placed,
                                  bool lower, uint64_t *steps, struct arena *scratch,
                                  struct arena *arena, struct bp_certificate *ret_certificate,
                                  struct err *err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lower bound that knows the rules of groups, by branch and bound over where units go.
 *
 * Model. A *box* (verify_cells.h) says how many units of each class may be under each tuple of axis
 * values. Its bound is a linear program: patterns of nodes must cover the units of each cell, units
 * of a class are shared out among its cells within the box, and the linear rules of groups bind the
 * shares. Column generation solves it; its prices, in integers, prove the bound of the box. What is
 * not linear (a value is chosen or not, a node holds no more of a cell than there is) tightens as
 * boxes get smaller: the box with the least bound is cut in two where its solution is least
 * settled, until the least bound reaches the cost of the plan or the work is used up.
 *
 * The boxes that are left are the leaves of a tree that bp_verify proves again (verify_branches.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/problem.h"

struct arena;
struct bp_branching; /* opaque */

/* Is the problem small enough for this? */
bool bp_branching_is_worth(const struct bp_problem *problem);

/* For plans that place placed[i] units of class i; `cost` is that of the plan at hand: a bound that
 * reaches it ends the search. `budget`: units of work (solve.h). All memory is the branching's. */
struct bp_branching *bp_branching_new(const struct bp_problem *problem, const uint32_t *placed,
                                      usd_t cost, uint64_t budget);

/* Solves boxes for about `work` units. True while more would help. */
bool bp_branching_step(struct bp_branching *branching, uint64_t work);

usd_t bp_branching_bound(const struct bp_branching *branching); /* so far; never falls */
uint64_t bp_branching_work(const struct bp_branching *branching);
uint64_t bp_branching_arena_bytes(const struct bp_branching *branching);

/* Sets bound, n_branches and branches of a certificate; arrays in `arena`. */
void bp_branching_certify(const struct bp_branching *branching, struct arena *arena,
                          struct bp_certificate *certificate);

void bp_branching_free(struct bp_branching *branching); /* NULL is fine */

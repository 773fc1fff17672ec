/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bound that a proof by whole numbers of nodes adds up to (struct bp_count_proof). */
#pragma once

#include "binpack/solver/problem.h"

struct arena;

/* Nano-dollars for a plan that places placed[i] units of class i, given that the cuts' values are
 * what they claim; 0 when the proof proves nothing. */
usd_t bp_count_proof_bound(const struct bp_problem *problem, const struct bp_count_proof *proof,
                           const uint32_t *placed, struct arena *scratch);

/* The proof and all it points to, in `arena`; NULL of NULL. */
const struct bp_count_proof *bp_count_proof_copy(const struct bp_problem *problem,
                                                 const struct bp_count_proof *proof,
                                                 struct arena *arena);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The member "counts" of a certificate file: the proof by whole numbers of nodes (docs/plan.md,
 * struct bp_count_proof). Values of a cut are written once for each family, the largest one. */
#pragma once

#include "base/json.h"
#include "base/jsonw.h"
#include "binpack/solver/problem.h"

struct arena;

/* Writes the member, or nothing when there is no proof. */
void certificate_counts_write(const struct bp_problem *problem, const struct bp_count_proof *proof,
                              struct jsonw *w, struct arena *scratch);

/* Reads it from the file's root; *ret_proof is NULL when it is absent. ERR_INVALID names the
 * member. Ranges and the shape of the tree are for bp_verify. */
MUST_CHECK bool certificate_counts_read(const struct bp_problem *problem,
                                        const struct json_at *root, struct arena *arena,
                                        const struct bp_count_proof **ret_proof, struct err *err);

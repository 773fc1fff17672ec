/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The certificate: a file that proves a plan's lower bound again without the solver. Format and
 * proof: docs/plan.md.
 *
 * Writing takes the numbers of plan->problem and plan->solution. Checking takes the same problem,
 * built anew from the cluster, and believes nothing of the file but the duals: bp_verify bounds the
 * best pattern of every offering from scratch. */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/jsonw.h"
#include "binpack/plan/plan.h"

struct arena;

/* Writes one document. The plan must carry problem, solution, classes, offerings and dims (not one
 * that was read back). */
void certificate_write(const struct plan *plan, struct jsonw *w, struct arena *scratch);

/* Checks a plan that was read back against the problem of `made`, a plan made anew from the same
 * input (how good does not matter), and the bound that the file proves. The nodes of `plan` are
 * translated into a solution of that problem and verified with the file's certificate; for a plan
 * of pods placed one by one the solution of `made` stands in, which places no pod more. *ret_bound
 * is the bound so proven. Errors: ERR_INVALID (the file is no certificate), ERR_CONFLICT (file,
 * plan and input do not belong together: names class or offering), ERR_INTERNAL (from bp_verify:
 * what does not hold). */
MUST_CHECK bool certificate_check(const json_t *document, const struct plan *plan,
                                  const struct plan *made, struct arena *arena, usd_t *ret_bound,
                                  struct err *err);

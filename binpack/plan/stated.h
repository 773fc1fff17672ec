/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a plan document states besides its nodes, held against the input and against itself: the
 * `inputs`, the totals of what runs and of the same nodes on demand, the method and the status.
 *
 * For `binpack verify`. What a document leaves out is not missed. How many patterns were generated
 * and the seed are the planner's word: nothing in plan and input shows them. */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "binpack/plan/plan.h"

/* `read`: the plan of `document` (read_plan.h); `made`: any plan for the same input and mode.
 * ERR_CONFLICT and the field, what it says and what is right; ERR_INVALID for a field of another
 * type. */
MUST_CHECK bool stated_check(const json_t *document, const struct plan *read,
                             const struct plan *made, struct err *err);

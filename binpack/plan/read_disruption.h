/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The `disruption` of a plan document, read back. Part of read_plan.h. */
#pragma once

#include "base/json.h"
#include "binpack/plan/plan.h"

struct arena;

/* Fills plan->disruption, NULL when the document has none; plan->nodes and plan->cluster must be
 * set. What stays (`keep`) is not read. Errors as those of read_plan. */
MUST_CHECK bool read_disruption(const struct json_at *root, struct plan *plan, struct arena *arena,
                                struct err *err);

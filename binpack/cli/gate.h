/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --fail-if: a condition on the totals of a plan, such as 'usd_per_month > 900'.
 *
 * A quantity of the plan, one of > >= < <= == !=, and a number; a number of a gap may be a
 * percentage. Quantities have the names of the plan's totals (docs/plan.md), in snake_case or
 * camelCase. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "binpack/plan/plan.h"

struct arena;

struct gate {
    int quantity; /* index into the table of gate.c */
    enum gate_op { GATE_GT, GATE_GE, GATE_LT, GATE_LE, GATE_EQ, GATE_NE } op;
    int64_t value; /* times 10^9: nano-dollars, parts per billion, billionths of a node or pod */
};

/* ERR_INVALID says what is wrong and lists what is allowed. */
MUST_CHECK bool gate_parse(struct str text, struct gate *ret_gate, struct err *err);

/* Does the condition hold? `*ret_value` is what the plan has, as text in `arena`. */
bool gate_holds(const struct gate *gate, const struct plan *plan, struct arena *arena,
                struct str *ret_value);

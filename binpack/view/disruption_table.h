/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A round of disruption for a person at a terminal: what is deleted and replaced, what that saves
 * and what could be saved at most, and why every other node stays. */
#pragma once

#include "binpack/plan/plan.h"
#include "binpack/view/summary.h"
#include "binpack/view/table.h"

/* What goes, and what stays. */
extern const struct table_shape view_commands_shape, view_kept_shape;

/* Nothing when the plan disrupts nothing and its mode is another. `all`: every node by name. */
void view_disruption(const struct plan *plan, const struct text_look *look, bool all,
                     struct strbuf *b);

/* ---- the same in parts, for the other forms of a plan; texts live in `arena` ---- */

enum { DISRUPTION_LINES_MAX = 6 };

/* What the round saves, buys for pods that wait, and could save at most; returns how many lines.
 * `plan->disruption` is not NULL. */
uint32_t disruption_lines(const struct plan *plan, struct summary_line *ret_lines,
                          struct arena *arena);

struct str disruption_action(const struct plan_command *command); /* "delete" or "replace" */

/* Names of the nodes that go and of those that come ("-" for none); not `all`: "a, b and 7 more".
 */
struct str disruption_nodes(const struct plan *plan, const struct plan_command *command, bool all,
                            struct arena *arena);
struct str disruption_with(const struct plan *plan, const struct plan_command *command, bool all,
                           struct arena *arena);

/* An amount that may be negative. */
struct str disruption_saves(usd_t saves, unsigned decimals, struct arena *arena);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A round of disruption for a person at a terminal: what is deleted and replaced, what that saves
 * and what could be saved at most, and why every other node stays. */
#pragma once

#include "binpack/plan/plan.h"
#include "binpack/view/text.h"

/* Nothing when the plan disrupts nothing and its mode is another. `all`: every node by name. */
void view_disruption(const struct plan *plan, const struct text_look *look, bool all,
                     struct strbuf *b);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --by: the cost of a plan by NodePool, zone, namespace or label, for a person. */
#pragma once

#include "binpack/plan/breakdown.h"
#include "binpack/view/table.h"

/* Its first title is what is shared out; in `arena`. */
const struct table_shape *view_breakdown_shape(enum breakdown_by by, struct str label,
                                               struct arena *arena);

/* A row a name and the total, then what the plan's table has below its mix of nodes. `all`: as
 * view_disruption. */
void view_breakdown(const struct breakdown *breakdown, const struct plan *plan,
                    const struct text_look *look, bool all, struct strbuf *b);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan as comma-separated values (RFC 4180), one row per node, so that sums over columns are
 * those of the plan. Kinds of rows: `new` (a node to buy), `running` (a node that takes pods; price
 * empty, it is paid for already) and `unplaced` (one pod without a place, with its first reason).
 * Every pod that needs a place is in the column `pods` of exactly one row; names are separated by
 * blanks. */
#pragma once

#include "binpack/plan/plan.h"

void view_csv(const struct plan *plan, struct strbuf *b);

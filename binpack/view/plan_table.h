/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan for a person at a terminal (-o table, -o wide). */
#pragma once

#include "binpack/plan/plan.h"
#include "binpack/view/table.h"

/* The mix of nodes and, of -o wide, the nodes. */
extern const struct table_shape view_mix_shape, view_nodes_shape;

/* The mix of nodes, what they cost, the bound in a sentence, unplaced pods by reason. Fits 80
 * columns: when it would not, months lose their cents, zones their region, and at last long names
 * their ends. */
void view_table(const struct plan *plan, const struct text_look *look, struct strbuf *b);

/* The same, with every node on a line of its own, its pods under it, and all reasons. */
void view_wide(const struct plan *plan, const struct text_look *look, struct strbuf *b);

/* The sentences below the table alone: pods, bound, what runs today, what has no place. */
void view_table_lines(const struct plan *plan, const struct text_look *look, struct strbuf *b);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack explain`: where pods go and why, what becomes of nodes, for a person and for programs.
 */
#pragma once

#include "base/jsonw.h"
#include "binpack/plan/plan.h"
#include "binpack/view/text.h"

/* A block for each of plan->explanations: its place, what it asks for, the instance types left
 * after each rule per NodePool, the cheapest of those. Then one for each of plan->node_answers. */
void view_explanations(const struct plan *plan, const struct text_look *look, struct strbuf *b);

/* {"apiVersion": "binpack/v1", "kind": "Explain", "pods": [...], "nodes": [...]}; docs/plan.md. */
void explain_json(const struct plan *plan, struct jsonw *w, struct arena *scratch);

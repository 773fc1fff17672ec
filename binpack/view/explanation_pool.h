/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack explain nodepool/P`: what a NodePool may buy and what the plan buys of it, for a person
 * and for programs. */
#pragma once

#include "base/jsonw.h"
#include "binpack/plan/plan.h"
#include "binpack/view/text.h"

/* A block for each of plan->pool_explanations. */
void view_pool_explanations(const struct plan *plan, const struct text_look *look,
                            struct strbuf *b);

/* The elements of the list `nodePools` of kind Explain. */
void pool_explanations_json(const struct plan *plan, struct jsonw *w);

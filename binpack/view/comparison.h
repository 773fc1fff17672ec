/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack compare`: the matrix of scenarios and the prices of rules, for a person, for a comment
 * on a pull request and for programs. */
#pragma once

#include "base/jsonw.h"
#include "binpack/plan/compare.h"
#include "binpack/view/table.h"

extern const struct table_shape view_scenarios_shape, view_prices_shape;

void view_comparison(const struct comparison *comparison, const struct text_look *look,
                     struct strbuf *b);
void view_comparison_markdown(const struct comparison *comparison, struct strbuf *b);

/* kind Compare of binpack/v1 (docs/schema/compare.v1.json). */
void comparison_json(const struct comparison *comparison, struct jsonw *w);

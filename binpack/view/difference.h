/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack diff`: what differs between two plans, in the manner of a terraform plan, and for
 * programs. */
#pragma once

#include "base/jsonw.h"
#include "binpack/plan/diff.h"
#include "binpack/view/table.h"

extern const struct table_shape view_difference_shape;

void view_difference(const struct diff *diff, const struct text_look *look, struct strbuf *b);

/* For a comment on a pull request: the change of cost in a sentence, then the same text between
 * fences of a `diff` block, so that it is coloured. Bounded well below the 65,536 characters that
 * such a comment may have: what is beyond is counted. */
void view_difference_markdown(const struct diff *diff, struct strbuf *b);

/* kind Diff of binpack/v1 (docs/schema/diff.v1.json). */
void difference_json(const struct diff *diff, struct jsonw *w);

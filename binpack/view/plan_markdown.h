/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan as GitHub-flavoured Markdown, made for a comment on a pull request: the same content as
 * the table. Bounded well below the 65,536 characters that such a comment may have: rows and
 * reasons beyond a limit are counted. */
#pragma once

#include "binpack/plan/plan.h"

void view_markdown(const struct plan *plan, struct strbuf *b);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table for terminals: cells added row by row, columns as wide as their widest cell, two blanks
 * between them.
 *
 * Widths are those of the display (utf8.h). When the table would be wider than the look allows, the
 * columns marked `shrink` give way, the widest first, down to eight columns; what is cut ends in an
 * ellipsis. Cells are escaped when added. */
#pragma once

#include "binpack/view/text.h"

struct table_column {
    const char *title;
    bool right;  /* numbers */
    bool shrink; /* may be cut */
};

struct table; /* opaque, lives in its arena */

struct table *table_new(struct arena *arena, const struct table_column *columns,
                        uint32_t n_columns);
void table_add(struct table *table, struct str cell);

/* Blanks between columns, instead of two. */
void table_set_gap(struct table *table, unsigned gap);

/* The style of the row that the next cell starts; to be called at a row's beginning. */
void table_row_style(struct table *table, enum text_style style);

/* Columns the table takes when nothing is cut, headings included. */
unsigned table_width(const struct table *table);

void table_render(const struct table *table, struct strbuf *b, const struct text_look *look,
                  bool with_head);

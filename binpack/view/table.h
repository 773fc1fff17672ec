/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table for terminals: cells added row by row, columns as wide as their widest cell, two blanks
 * between them.
 *
 * Widths are those of the display (utf8.h). When the table would be wider than the look allows, the
 * columns that may shrink give way, the widest first: those that wrap as far as their longest word
 * allows, those that are cut down to eight columns. What is cut ends in an ellipsis; what is
 * wrapped goes on in further lines of the row. Cells are escaped when added. */
#pragma once

#include "binpack/view/text.h"

enum table_shrink { SHRINK_NO, SHRINK_CUT, SHRINK_WRAP };

struct table_column {
    const char *title;
    bool right; /* numbers */
    enum table_shrink shrink;
};

struct table_shape {
    const struct table_column *columns; /* [n] */
    uint32_t n;
};

/* The column of that title, whatever the case and blanks before it; `n` when there is none. */
uint32_t table_column_named(const struct table_shape *shape, struct str title);

/* What a user wants of tables. Columns go by their titles, whatever the case. Rows that are sums or
 * what others are held against (styles HEAD and FAINT) keep their places. */
struct table_choice {
    uint32_t n_columns;
    const struct str *columns; /* [n_columns] in the order to be shown; none: all */
    struct str sort_by; /* numbers largest first, texts in order; "-TITLE" the other way round */
    bool no_head;
    /* What came of it. */
    uint32_t n_tables; /* shown */
    uint64_t found;    /* bit per column that some table had; bit 63: the one of sort_by */
    struct str titles; /* of the first table shown, comma-separated; lives in `arena` */
    struct arena *arena;
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

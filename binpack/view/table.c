/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/table.h"

#include <assert.h>

#include "base/arena.h"
#include "base/vec.h"
#include "binpack/view/display.h"

enum { TABLE_SHRUNK = 8, TABLE_COLUMNS = 24 };

struct cell {
    struct str text;
    unsigned width;
};

struct table {
    struct arena *arena;
    const struct table_column *columns;
    uint32_t n_columns;
    unsigned gap; /* blanks between columns */
    VEC(struct cell) cells;
    VEC(enum text_style) styles; /* one a row */
    unsigned widths[TABLE_COLUMNS];
};

static void widen(struct table *table, uint32_t column, unsigned width)
{
    if (table->widths[column] < width) {
        table->widths[column] = width;
    }
}

struct table *table_new(struct arena *arena, const struct table_column *columns, uint32_t n_columns)
{
    assert(n_columns > 0 && n_columns <= TABLE_COLUMNS);
    struct table *table = ARENA_NEW(arena, struct table);
    table->arena = arena;
    table->columns = columns;
    table->n_columns = n_columns;
    table->gap = 2;
    for (uint32_t i = 0; i < n_columns; i++) {
        widen(table, i, (unsigned)display_width(str_of(columns[i].title)));
    }
    return table;
}

void table_set_gap(struct table *table, unsigned gap)
{
    table->gap = gap;
}

void table_row_style(struct table *table, enum text_style style)
{
    assert(table->cells.n % table->n_columns == 0);
    VEC_PUSH(table->arena, &table->styles, style);
}

void table_add(struct table *table, struct str cell)
{
    uint32_t column = (uint32_t)(table->cells.n % table->n_columns);
    size_t row = table->cells.n / table->n_columns;
    if (table->styles.n == row) {
        VEC_PUSH(table->arena, &table->styles, TEXT_PLAIN);
    }
    struct str safe = display_safe(table->arena, cell);
    unsigned width = (unsigned)display_width(safe);
    VEC_PUSH(table->arena, &table->cells, ((struct cell){.text = safe, .width = width}));
    widen(table, column, width);
}

static unsigned sum_widths(const struct table *table, const unsigned *widths)
{
    unsigned sum = (table->n_columns - 1) * table->gap;
    for (uint32_t i = 0; i < table->n_columns; i++) {
        sum += widths[i];
    }
    return sum;
}

unsigned table_width(const struct table *table)
{
    return sum_widths(table, table->widths);
}

/* Takes a column off the widest that may give way, until the table fits or nothing is left to give.
 */
static void fit(const struct table *table, unsigned *widths, unsigned limit)
{
    while (limit > 0 && sum_widths(table, widths) > limit) {
        uint32_t widest = table->n_columns;
        for (uint32_t i = 0; i < table->n_columns; i++) {
            bool may = table->columns[i].shrink && widths[i] > TABLE_SHRUNK;
            if (may && (widest == table->n_columns || widths[i] > widths[widest])) {
                widest = i;
            }
        }
        if (widest == table->n_columns) {
            return;
        }
        widths[widest]--;
    }
}

static void render_cell(const struct table *table, struct strbuf *line, struct cell cell,
                        uint32_t column, unsigned width)
{
    bool cut = cell.width > width;
    struct str text = cut ? str_sub(cell.text, 0, display_prefix(cell.text, width - 1)) : cell.text;
    unsigned shown = cut ? (unsigned)display_width(text) + 1 : cell.width;
    bool is_last = column + 1 == table->n_columns;
    if (column > 0) {
        strbuf_pad(line, ' ', table->gap);
    }
    if (table->columns[column].right) {
        strbuf_pad(line, ' ', width - shown);
    }
    strbuf_add(line, text);
    if (cut) {
        strbuf_add(line, STR("…"));
    }
    if (!table->columns[column].right && !is_last) {
        strbuf_pad(line, ' ', width - shown);
    }
}

static void render_line(struct strbuf *b, const struct text_look *look, enum text_style style,
                        struct strbuf *line)
{
    struct str s = strbuf_str(line);
    while (s.n > 0 && s.p[s.n - 1] == ' ') {
        s.n--;
    }
    text_add(b, look, style, s);
    strbuf_addc(b, '\n');
    line->n = 0;
}

void table_render(const struct table *table, struct strbuf *b, const struct text_look *look,
                  bool with_head)
{
    unsigned widths[TABLE_COLUMNS];
    for (uint32_t i = 0; i < table->n_columns; i++) {
        widths[i] = table->widths[i];
    }
    fit(table, widths, look->width);
    struct strbuf line = strbuf_new(table->arena, 65536);
    if (with_head) {
        for (uint32_t i = 0; i < table->n_columns; i++) {
            struct str title = str_of(table->columns[i].title);
            render_cell(table, &line,
                        (struct cell){.text = title, .width = (unsigned)display_width(title)}, i,
                        widths[i]);
        }
        render_line(b, look, TEXT_HEAD, &line);
    }
    assert(table->n_columns > 0 && table->cells.n % table->n_columns == 0);
    for (size_t i = 0; i < table->cells.n; i++) {
        uint32_t column = (uint32_t)(i % table->n_columns);
        render_cell(table, &line, table->cells.v[i], column, widths[column]);
        if (column + 1 == table->n_columns) {
            render_line(b, look, table->styles.v[i / table->n_columns], &line);
        }
    }
}

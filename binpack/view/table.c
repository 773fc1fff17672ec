/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/qty.h"
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
    unsigned words[TABLE_COLUMNS]; /* the widest word, of columns that wrap */
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

/* The line of a wrapped cell that begins at `at`: as many words as fit, at least one. *at moves to
 * the next line, or to the end. */
static struct str next_line(struct str text, size_t *at, size_t width)
{
    size_t begin = *at;
    while (begin < text.n && text.p[begin] == ' ') {
        begin++;
    }
    size_t end = begin; /* of the last word that fits */
    for (size_t i = begin; i < text.n;) {
        size_t word_end = i + str_find(str_sub(text, i, text.n), ' ');
        if (end > begin && display_width(str_sub(text, begin, word_end - begin)) > width) {
            break;
        }
        end = word_end;
        i = word_end + 1;
    }
    *at = end;
    while (*at < text.n && text.p[*at] == ' ') {
        (*at)++;
    }
    return str_sub(text, begin, end - begin);
}

static unsigned widest_word(struct str text)
{
    unsigned widest = 0;
    for (size_t at = 0; at < text.n;) {
        unsigned width = (unsigned)display_width(next_line(text, &at, 0));
        widest = width > widest ? width : widest;
    }
    return widest;
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
    if (table->columns[column].shrink == SHRINK_WRAP) {
        unsigned word = widest_word(safe);
        table->words[column] = word > table->words[column] ? word : table->words[column];
    }
}

/* ---- what is shown of it ---- */

struct shown {
    const struct table *table;
    uint32_t n_columns;
    uint32_t columns[TABLE_COLUMNS]; /* [n_columns] of the table */
    unsigned widths[TABLE_COLUMNS];  /* [n_columns] */
    uint32_t n_rows;
    uint32_t *rows; /* [n_rows] of the table */
};

static bool same_title(struct str a, const char *title)
{
    struct str b = str_trim(str_of(title));
    bool same = a.n == b.n;
    for (size_t i = 0; i < a.n && same; i++) {
        char x = a.p[i], y = b.p[i];
        x = x >= 'a' && x <= 'z' ? (char)(x - 32) : x;
        same = x == y;
    }
    return same;
}

uint32_t table_column_named(const struct table_shape *shape, struct str title)
{
    uint32_t i = 0;
    while (i < shape->n && !same_title(title, shape->columns[i].title)) {
        i++;
    }
    return i;
}

static uint32_t column_named(const struct table *table, struct str name)
{
    const struct table_shape shape = {.columns = table->columns, .n = table->n_columns};
    return table_column_named(&shape, name);
}

static void note_titles(const struct table *table, struct table_choice *choice)
{
    struct strbuf titles = strbuf_new(choice->arena, 1000);
    if (choice->n_tables++ == 0) {
        for (uint32_t i = 0; i < table->n_columns; i++) {
            strbuf_addf(&titles, "%s%s", titles.n > 0 ? ", " : "", table->columns[i].title);
        }
        choice->titles = strbuf_str(&titles);
    }
}

/* A cell as a number: "1,234.50", "97%", "+0.03", quantities such as "7910m" and "14Gi"; false for
 * anything else. */
static bool cell_number(struct str cell, double *ret_number)
{
    char digits[64];
    size_t n = 0;
    for (size_t i = 0; i < cell.n && n + 1 < sizeof digits; i++) {
        if (cell.p[i] != ',' && cell.p[i] != '%' && cell.p[i] != '+') {
            digits[n++] = cell.p[i];
        }
    }
    digits[n] = '\0';
    char *end = digits;
    *ret_number = strtod(digits, &end);
    if (n > 0 && *end == '\0') {
        return true;
    }
    int64_t thousandths = 0;
    bool quantity = qty_parse(cell, QTY_MILLI, QTY_DOWN, &thousandths, NULL);
    *ret_number = (double)thousandths / 1000;
    return quantity;
}

struct sort_key {
    bool has_number, backwards;
    double number;
    struct str text;
    uint32_t row; /* equal rows keep their order */
};

static int key_cmp(const void *a, const void *b)
{
    const struct sort_key *x = a, *y = b;
    int order = str_cmp(x->text, y->text);
    if (x->has_number && y->has_number) {
        order = x->number > y->number ? -1 : x->number < y->number;
    } else if (x->has_number != y->has_number) {
        order = x->has_number ? -1 : 1;
    }
    order = x->backwards ? -order : order;
    return order != 0 ? order : x->row < y->row ? -1 : 1;
}

/* Rows that stay put are jumped over. */
static void sort_rows(struct shown *shown, uint32_t column, bool backwards)
{
    const struct table *table = shown->table;
    uint32_t *places = ARENA_ARRAY(table->arena, uint32_t, shown->n_rows + 1);
    struct sort_key *keys = ARENA_ARRAY(table->arena, struct sort_key, shown->n_rows + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < shown->n_rows; i++) {
        enum text_style style = table->styles.v[i];
        if (style == TEXT_HEAD || style == TEXT_FAINT) {
            continue;
        }
        struct str text = table->cells.v[(size_t)i * table->n_columns + column].text;
        keys[n] = (struct sort_key){.backwards = backwards, .text = text, .row = i};
        keys[n].has_number = cell_number(text, &keys[n].number);
        places[n++] = i;
    }
    if (n > 0) {
        qsort(keys, n, sizeof *keys, key_cmp);
    }
    for (uint32_t i = 0; i < n; i++) {
        shown->rows[places[i]] = keys[i].row;
    }
}

static void choose_columns(struct shown *shown, struct table_choice *choice)
{
    const struct table *table = shown->table;
    for (uint32_t i = 0; i < choice->n_columns && shown->n_columns < TABLE_COLUMNS; i++) {
        uint32_t column = column_named(table, choice->columns[i]);
        if (column < table->n_columns) {
            choice->found |= UINT64_C(1) << i;
            shown->columns[shown->n_columns++] = column;
        }
    }
}

static void choose_order(struct shown *shown, struct table_choice *choice)
{
    bool backwards = str_starts(choice->sort_by, STR("-"));
    struct str name = str_sub(choice->sort_by, backwards ? 1 : 0, choice->sort_by.n);
    uint32_t column = column_named(shown->table, name);
    if (column < shown->table->n_columns) {
        choice->found |= UINT64_C(1) << 63;
        sort_rows(shown, column, backwards);
    }
}

static struct shown what_is_shown(const struct table *table, struct table_choice *choice)
{
    struct shown shown = {.table = table, .n_rows = (uint32_t)(table->cells.n / table->n_columns)};
    shown.rows = ARENA_ARRAY(table->arena, uint32_t, shown.n_rows + 1);
    for (uint32_t i = 0; i < shown.n_rows; i++) {
        shown.rows[i] = i;
    }
    if (choice != NULL) {
        note_titles(table, choice);
        choose_columns(&shown, choice);
    }
    if (choice != NULL && choice->sort_by.n > 0) {
        choose_order(&shown, choice);
    }
    if (shown.n_columns == 0) { /* none asked for, or none of them in this table */
        shown.n_columns = table->n_columns;
        for (uint32_t i = 0; i < table->n_columns; i++) {
            shown.columns[i] = i;
        }
    }
    for (uint32_t i = 0; i < shown.n_columns; i++) {
        shown.widths[i] = table->widths[shown.columns[i]];
    }
    return shown;
}

static unsigned sum_widths(const struct table *table, uint32_t n_columns, const unsigned *widths)
{
    unsigned sum = (n_columns - 1) * table->gap;
    for (uint32_t i = 0; i < n_columns; i++) {
        sum += widths[i];
    }
    return sum;
}

unsigned table_width(const struct table *table)
{
    return sum_widths(table, table->n_columns, table->widths);
}

/* How narrow a column may become; 0: it keeps its width. */
static unsigned least_width(const struct table *table, uint32_t column, bool cut_words)
{
    unsigned word = table->words[column];
    switch (table->columns[column].shrink) {
    case SHRINK_CUT:
        return TABLE_SHRUNK;
    case SHRINK_WRAP:
        return cut_words || word < TABLE_SHRUNK ? TABLE_SHRUNK : word;
    case SHRINK_NO:
        break;
    }
    return 0;
}

/* Takes a column off the widest that may give way, until the table fits or nothing is left to give.
 */
static void fit(struct shown *shown, unsigned limit, bool cut_words)
{
    const struct table *table = shown->table;
    unsigned *widths = shown->widths;
    while (limit > 0 && sum_widths(table, shown->n_columns, widths) > limit) {
        uint32_t widest = shown->n_columns;
        for (uint32_t i = 0; i < shown->n_columns; i++) {
            unsigned least = least_width(table, shown->columns[i], cut_words);
            bool may = least > 0 && widths[i] > least;
            if (may && (widest == shown->n_columns || widths[i] > widths[widest])) {
                widest = i;
            }
        }
        if (widest == shown->n_columns) {
            return;
        }
        widths[widest]--;
    }
}

/* The cell in the i-th column that is shown, or a line of it. */
static void render_cell(const struct shown *shown, struct strbuf *line, struct cell cell,
                        uint32_t i)
{
    const struct table *table = shown->table;
    const unsigned width = shown->widths[i];
    bool cut = cell.width > width;
    struct str text = cut ? str_sub(cell.text, 0, display_prefix(cell.text, width - 1)) : cell.text;
    unsigned written = cut ? (unsigned)display_width(text) + 1 : cell.width;
    bool is_last = i + 1 == shown->n_columns;
    bool right = table->columns[shown->columns[i]].right;
    if (i > 0) {
        strbuf_pad(line, ' ', table->gap);
    }
    if (right) {
        strbuf_pad(line, ' ', width - written);
    }
    strbuf_add(line, text);
    if (cut) {
        strbuf_add(line, STR("…"));
    }
    if (!right && !is_last) {
        strbuf_pad(line, ' ', width - written);
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

static void render_head(const struct shown *shown, struct strbuf *b, const struct text_look *look,
                        struct strbuf *line)
{
    for (uint32_t i = 0; i < shown->n_columns; i++) {
        struct str title = str_of(shown->table->columns[shown->columns[i]].title);
        struct cell cell = {.text = title, .width = (unsigned)display_width(title)};
        render_cell(shown, line, cell, i);
    }
    render_line(b, look, TEXT_HEAD, line);
}

/* One row: a line, or as many as its longest wrapped cell takes. */
static void render_row(const struct shown *shown, struct strbuf *b, const struct text_look *look,
                       struct strbuf *line, uint32_t row)
{
    const struct table *table = shown->table;
    size_t at[TABLE_COLUMNS] = {0};
    bool first = true, more = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < shown->n_columns; i++) {
            size_t cell_i = (size_t)row * table->n_columns + shown->columns[i];
            struct cell cell = table->cells.v[cell_i];
            if (table->columns[shown->columns[i]].shrink == SHRINK_WRAP) {
                struct str rest = cell.text;
                cell.text = next_line(rest, &at[i], shown->widths[i]);
                cell.width = (unsigned)display_width(cell.text);
                more = more || at[i] < rest.n;
            } else if (!first) {
                cell = (struct cell){.width = 0};
            }
            render_cell(shown, line, cell, i);
        }
        render_line(b, look, table->styles.v[row], line);
        first = false;
    }
}

void table_render(const struct table *table, struct strbuf *b, const struct text_look *look,
                  bool with_head)
{
    assert(table->n_columns > 0 && table->cells.n % table->n_columns == 0);
    struct shown shown = what_is_shown(table, look->tables);
    struct strbuf line = strbuf_new(table->arena, 65536);
    fit(&shown, look->width, /* cut_words= */ false);
    fit(&shown, look->width, /* cut_words= */ true);
    if (with_head && (look->tables == NULL || !look->tables->no_head)) {
        render_head(&shown, b, look, &line);
    }
    for (uint32_t r = 0; r < shown.n_rows; r++) {
        render_row(&shown, b, look, &line, shown.rows[r]);
    }
}

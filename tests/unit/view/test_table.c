/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/table.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct table_column columns[] = {
    {"NAME", false, SHRINK_CUT}, {"N", true, SHRINK_NO}, {"NOTE", false, SHRINK_NO}};

static void assert_text(struct strbuf *b, const char *expected)
{
    if (!str_eq(strbuf_str(b), str_of(expected))) {
        fail_msg("expected:\n%s\ngot:\n" STR_FMT, expected, STR_ARG(strbuf_str(b)));
    }
}

static void add(struct table *table, const char *a, const char *b, const char *c)
{
    table_add(table, str_of(a));
    table_add(table, str_of(b));
    table_add(table, str_of(c));
}

static void test_aligned(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct table *table = table_new(&arena, columns, 3);
    struct strbuf b = strbuf_new(&arena, 4096);
    add(table, "a", "1", "x");
    add(table, "\xe6\x97\xa5\xe6\x9c\xac", "1,000", "");
    table_render(table, &b, &(struct text_look){.width = 0}, true);
    assert_text(&b, "NAME      N  NOTE\n"
                    "a         1  x\n"
                    "\xe6\x97\xa5\xe6\x9c\xac  1,000\n");
    assert_int_equal(table_width(table), 17);
}

static void test_cut(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct table *table = table_new(&arena, columns, 3);
    struct strbuf b = strbuf_new(&arena, 4096);
    add(table, "a-name-far-too-long", "1", "x");
    table_render(table, &b, &(struct text_look){.width = 20}, false);
    assert_text(&b, "a-name-far\xe2\x80\xa6  1  x\n"); /* the heads take 4 and 1, the gaps 4 */
    b.n = 0;
    table_render(table, &b, &(struct text_look){.width = 5},
                 false); /* cannot be met: eight columns stay */
    assert_text(&b, "a-name-\xe2\x80\xa6  1  x\n");
}

static void test_wrapped(void **state)
{
    (void)state;
    static const struct table_column wrapping[] = {
        {"N", true, SHRINK_NO}, {"NAMES", false, SHRINK_WRAP}, {"WHY", false, SHRINK_WRAP}};
    auto_arena arena = ARENA_INIT;
    struct table *table = table_new(&arena, wrapping, 3);
    struct strbuf b = strbuf_new(&arena, 4096);
    add(table, "2", "node-number-a, node-number-b", "a reason in more words than one line takes");
    add(table, "1", "c", "");
    table_render(table, &b, &(struct text_look){.width = 0}, true);
    assert_text(&b, "N  NAMES                         WHY\n"
                    "2  node-number-a, node-number-b  a reason in more words than one line takes\n"
                    "1  c\n");
    b.n = 0;
    table_render(table, &b, &(struct text_look){.width = 40}, true);
    assert_text(&b, "N  NAMES              WHY\n"
                    "2  node-number-a,     a reason in more\n"
                    "   node-number-b      words than one\n"
                    "                      line takes\n"
                    "1  c\n");
    b.n = 0;
    table_render(table, &b, &(struct text_look){.width = 22}, false);
    assert_text(&b, "2  node-num\xe2\x80\xa6  a reason\n" /* the longest word does not fit */
                    "   node-num\xe2\x80\xa6  in more\n"
                    "              words\n"
                    "              than one\n"
                    "              line\n"
                    "              takes\n"
                    "1  c\n");
}

static void test_hostile_cell(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct table *table = table_new(&arena, columns, 3);
    struct strbuf b = strbuf_new(&arena, 4096);
    add(table, "\033[2J\n", "1", "x");
    table_render(table, &b, &(struct text_look){.width = 0}, false);
    assert_text(&b, "\\x1b[2J\\x0a  1  x\n");
}

static void test_styles(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct table *table = table_new(&arena, columns, 3);
    struct strbuf b = strbuf_new(&arena, 4096);
    add(table, "a", "1", "x");
    table_row_style(table, TEXT_HEAD);
    add(table, "b", "2", "");
    table_render(table, &b, &(struct text_look){.width = 0, .color = true}, true);
    assert_text(&b, "\033[1mNAME  N  NOTE\033[0m\n"
                    "a     1  x\n"
                    "\033[1mb     2\033[0m\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aligned), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_wrapped), cmocka_unit_test(test_hostile_cell),
        cmocka_unit_test(test_styles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

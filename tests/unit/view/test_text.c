/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/text.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_str(struct str got, const char *expected, size_t row)
{
    if (!str_eq(got, str_of(expected))) {
        fail_msg("row %zu: expected %s, got " STR_FMT, row, expected, STR_ARG(got));
    }
}

static void test_usd(void **state)
{
    static const struct {
        usd_t price;
        unsigned decimals;
        const char *text;
    } rows[] = {
        {0, 4, "0.0000"},
        {221000000, 4, "0.2210"},
        {96049999, 4, "0.0960"},
        {96050000, 4, "0.0961"}, /* half away from zero */
        {INT64_C(1234567890123), 2, "1,234.57"},
        {INT64_C(999999999), 0, "1"},
        {INT64_C(999999999999999), 0, "1,000,000"},
        {-1, 4, "0.0000"},
        {-50000, 4, "-0.0001"},
        {123456789, 9, "0.123456789"},
        {INT64_MAX, 0, "9,223,372,037"},
        {INT64_MIN, 0, "-9,223,372,037"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena arena = ARENA_INIT;
        assert_str(text_usd(&arena, rows[i].price, rows[i].decimals), rows[i].text, i);
    }
    auto_arena arena = ARENA_INIT;
    assert_str(text_per_hour_and_month(&arena, 1135200000), "$1.1352/h ($828.70/mo)", 100);
}

static void test_percent(void **state)
{
    static const struct {
        int64_t part, whole;
        const char *text;
    } rows[] = {
        {0, 0, "-"},          {0, 10, "0%"},    {10, 10, "100%"},
        {9999, 10000, "99%"}, {1, 10000, "1%"}, {1, 3, "33%"},
        {2, 3, "67%"},        {15, 1000, "2%"}, {INT64_MAX, INT64_MAX, "100%"},
        {5, 4, "125%"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena arena = ARENA_INIT;
        assert_str(text_percent(&arena, rows[i].part, rows[i].whole), rows[i].text, i);
    }
}

static void test_gap(void **state)
{
    static const struct {
        int64_t ppb;
        const char *text;
    } rows[] = {
        {0, "0.00%"},          {7400000, "0.74%"}, {7400001, "0.75%"}, /* never praised too much */
        {123456789, "12.35%"}, {31000, "0.0031%"}, {1, "0.0000001%"},  {1000000000, "100.00%"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena arena = ARENA_INIT;
        assert_str(text_gap(&arena, rows[i].ppb), rows[i].text, i);
    }
}

static void test_things(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    assert_str(text_things(&arena, 1, "pod"), "1 pod", 0);
    assert_str(text_things(&arena, 0, "pod"), "0 pods", 1);
    assert_str(text_things(&arena, 1234567, "pod"), "1,234,567 pods", 2);
}

static void test_paragraph(void **state)
{
    static const struct {
        unsigned width, indent;
        const char *label, *text, *expected;
    } rows[] = {
        {20, 6, "Pods", "one two three four five", "Pods  one two three\n      four five\n"},
        {0, 6, "Pods", "one two three four five", "Pods  one two three four five\n"},
        {20, 4, "A long label", "x y", "A long label\n    x y\n"},
        {10, 2, "", "unbreakably-long-word z", "  unbreakably-long-word\n  z\n"},
        {20, 2, "", "", "\n"},
        {20, 0, "", "a\033b", "a\\x1bb\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena arena = ARENA_INIT;
        struct strbuf b = strbuf_new(&arena, 4096);
        text_paragraph(&b, &(struct text_look){.width = rows[i].width}, rows[i].indent, TEXT_PLAIN,
                       str_of(rows[i].label), str_of(rows[i].text));
        assert_str(strbuf_str(&b), rows[i].expected, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usd),    cmocka_unit_test(test_percent),   cmocka_unit_test(test_gap),
        cmocka_unit_test(test_things), cmocka_unit_test(test_paragraph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

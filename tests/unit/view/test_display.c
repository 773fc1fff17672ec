/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/display.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_width(void **state)
{
    static const struct {
        const char *text;
        size_t width;
    } rows[] = {
        {"", 0},
        {"abc", 3},
        {"caf\xc3\xa9", 4},
        {"cafe\xcc\x81", 4},
        {"\xe6\x97\xa5\xe6\x9c\xac", 4},
        {"\xf0\x9f\x9a\x80", 2},
        {"\xff\xfe", 2},
        {"\xe2\x82\xac", 1},
        {"\xe2\x80\xa6", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (display_width(str_of(rows[i].text)) != rows[i].width) {
            fail_msg("row %zu: %zu", i, display_width(str_of(rows[i].text)));
        }
    }
}

static void test_prefix(void **state)
{
    (void)state;
    struct str wide = str_of("a\xe6\x97\xa5z");
    assert_int_equal(display_prefix(wide, 0), 0);
    assert_int_equal(display_prefix(wide, 1), 1);
    assert_int_equal(display_prefix(wide, 2), 1); /* half a wide character is none */
    assert_int_equal(display_prefix(wide, 3), 4);
    assert_int_equal(display_prefix(wide, 99), 5);
}

static void test_safe(void **state)
{
    static const struct {
        const char *text, *safe;
    } rows[] = {
        {"plain", "plain"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"\033[31mred\007", "\\x1b[31mred\\x07"},
        {"a\nb\tc", "a\\x0ab\\x09c"},
        {"\xc2\x9b"
         "31m",
         "\\x9b31m"},                    /* C1: the same as ESC [ */
        {"x\xe2\x80\xaey", "x\\u202ey"}, /* right-to-left override */
        {"\xff", "\xef\xbf\xbd"},
        {"del\x7f", "del\\x7f"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena arena = ARENA_INIT;
        struct str got = display_safe(&arena, str_of(rows[i].text));
        if (!str_eq(got, str_of(rows[i].safe))) {
            fail_msg("row %zu: expected %s, got " STR_FMT, i, rows[i].safe, STR_ARG(got));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

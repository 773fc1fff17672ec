/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strtab.h"
#include "base/utf8.h"

static void views_compare_and_cut(void **state)
{
    (void)state;
    assert_true(str_eq(STR("a"), STR("a")));
    assert_false(str_eq(STR("a"), STR("ab")));
    assert_true(str_eq(STR_EMPTY, STR("")));
    assert_int_equal(str_cmp(STR("a"), STR("b")), -1);
    assert_int_equal(str_cmp(STR("ab"), STR("a")), 1);
    assert_int_equal(str_cmp(STR("\xff"), STR("a")), 1);
    assert_true(str_eq(str_sub(STR("hello"), 1, 3), STR("ell")));
    assert_true(str_eq(str_sub(STR("hello"), 4, 100), STR("o")));
    assert_int_equal(str_sub(STR("hello"), 9, 1).n, 0);
    assert_true(str_eq(str_trim(STR(" \t a b \n")), STR("a b")));
    assert_int_equal(str_trim(STR("  ")).n, 0);
    assert_int_equal(str_find(STR("abc"), 'c'), 2);
    assert_int_equal(str_find(STR("abc"), 'x'), 3);
    assert_true(str_has(STR("abc"), STR("bc")) && str_has(STR("abc"), STR("abc")) &&
                str_has(STR("aab"), STR("ab")));
    assert_true(str_has(STR("abc"), STR_EMPTY) && str_has(STR_EMPTY, STR_EMPTY));
    assert_false(str_has(STR("abc"), STR("ac")) || str_has(STR("ab"), STR("abc")) ||
                 str_has(STR_EMPTY, STR("a")));
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")));
    assert_false(str_ends(STR("c"), STR("bc")));
    assert_int_equal(str_of(NULL).n, 0);
}

static void integers_are_read_with_their_limits(void **state)
{
    (void)state;
    int64_t i = 0;
    uint64_t u = 0;
    assert_true(str_to_i64(STR("-9223372036854775808"), &i));
    assert_int_equal(i, INT64_MIN);
    assert_true(str_to_i64(STR("+9223372036854775807"), &i));
    assert_int_equal(i, INT64_MAX);
    assert_false(str_to_i64(STR("9223372036854775808"), &i));
    assert_false(str_to_i64(STR("-9223372036854775809"), &i));
    assert_false(str_to_i64(STR(""), &i));
    assert_false(str_to_i64(STR("-"), &i));
    assert_false(str_to_i64(STR("--1"), &i));
    assert_false(str_to_i64(STR("1 "), &i));
    assert_true(str_to_u64(STR("18446744073709551615"), &u));
    assert_true(u == UINT64_MAX);
    assert_false(str_to_u64(STR("18446744073709551616"), &u));
    assert_false(str_to_u64(STR("-1"), &u));
}

static void distances(void **state)
{
    (void)state;
    char long_text[65];
    memset(long_text, 'a', sizeof long_text);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting")), 3);
    assert_int_equal(str_distance(STR(""), STR("abc")), 3);
    assert_int_equal(str_distance(STR("same"), STR("same")), 0);
    assert_true(str_distance((struct str){.p = long_text, .n = sizeof long_text}, STR("a")) ==
                SIZE_MAX);
}

static void builders_stop_at_their_maximum(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct strbuf small = strbuf_new(&arena, 5);
    strbuf_add(&small, STR("abc"));
    strbuf_addf(&small, "%d", 12);
    assert_false(small.overflow);
    strbuf_addc(&small, 'x');
    assert_true(small.overflow);
    assert_true(str_eq(strbuf_str(&small), STR("abc12")));
    struct strbuf large = strbuf_new(&arena, 1 << 20);
    for (int i = 0; i < 1000; i++) {
        strbuf_addf(&large, "%0300d", i);
        strbuf_pad(&large, ' ', 3);
    }
    assert_int_equal(large.n, 303000);
    assert_false(large.overflow);
    assert_memory_equal(large.p + 303 * 999 + 297, "999   ", 6);
}

static void strings_are_interned_once(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct strtab *tab = strtab_new(&arena);
    assert_int_equal(strtab_add(tab, STR_EMPTY), STRID_EMPTY);
    strid ids[5000];
    char name[32];
    for (int i = 0; i < 5000; i++) {
        int n = snprintf(name, sizeof name, "key-%d", i);
        ids[i] = strtab_add(tab, (struct str){.p = name, .n = (size_t)n});
    }
    for (int i = 0; i < 5000; i++) {
        int n = snprintf(name, sizeof name, "key-%d", i);
        struct str text = {.p = name, .n = (size_t)n};
        assert_int_equal(strtab_add(tab, text), ids[i]);
        assert_int_equal(strtab_find(tab, text), ids[i]);
        assert_true(str_eq(strtab_str(tab, ids[i]), text));
    }
    assert_int_equal(strtab_find(tab, STR("absent")), STRID_NONE);
    assert_int_equal(strtab_str(tab, STRID_NONE).n, 0);
    assert_int_equal(strtab_count(tab), 5001);
    assert_int_equal(strtab_cmp(tab, ids[1], ids[2]), -1);
}

static void errors_show_no_control_characters_and_are_cut(void **state)
{
    (void)state;
    struct err err;
    char long_text[3000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    assert_false(err_set(&err, ERR_INVALID, "a\x1b[31mb\nc"));
    assert_string_equal(err.text, "a?[31mb?c");
    struct err other;
    assert_false(err_set(&other, ERR_INVALID,
                         "\xc2\x9b"
                         "31m caf\xc3\xa9 \xe2\x80\xae \xff|\xe2\x82"));
    assert_string_equal(other.text, "?31m caf\xc3\xa9 ? ?|??");
    assert_false(err_wrap(&err, "Pod %s", "x/y"));
    assert_string_equal(err.text, "Pod x/y: a?[31mb?c");
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(err_set(&err, ERR_LIMIT, "%s", long_text));
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_string_equal(err.text + ERR_TEXT_MAX - 4, "...");
    assert_false(err_wrap(&err, "context"));
    assert_string_equal(err.text + ERR_TEXT_MAX - 4, "...");
    assert_false(err_set(NULL, ERR_LIMIT, "nobody listens"));
}

static void utf8_is_strict(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        uint32_t code;
    } rows[] = {
        {"a", 1, 'a'},
        {"\xc3\xa9", 2, 0xe9},
        {"\xe2\x82\xac", 3, 0x20ac},
        {"\xf0\x9f\x98\x80", 4, 0x1f600},
        {"\xef\xbf\xbf", 3, 0xffff},
        {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
        {"\x80", 0, 0},
        {"\xc0\x80", 0, 0},
        {"\xc1\xbf", 0, 0},
        {"\xe0\x80\x80", 0, 0},
        {"\xed\xa0\x80", 0, 0},
        {"\xf0\x80\x80\x80", 0, 0},
        {"\xf4\x90\x80\x80", 0, 0},
        {"\xf5\x80\x80\x80", 0, 0},
        {"\xff", 0, 0},
        {"\xe2\x82", 0, 0},
        {"\xc3(", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t code = 0;
        size_t size = utf8_decode(rows[i].bytes, strlen(rows[i].bytes), &code);
        assert_int_equal(size, rows[i].size);
        assert_int_equal(code, rows[i].code);
    }
    for (uint32_t code = 1; code <= 0x10ffff; code++) {
        char bytes[UTF8_MAX_BYTES];
        uint32_t again = 0;
        size_t size = utf8_encode(code, bytes);
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        assert_int_equal(utf8_decode(bytes, size, &again), size);
        assert_int_equal(again, surrogate ? (uint32_t)UTF8_REPLACEMENT : code);
    }
    assert_int_equal(utf8_valid_prefix(STR("plain ascii text \xc3\xa9 \xff x")), 20);
    assert_true(utf8_is_unsafe(0x1b));
    assert_true(utf8_is_unsafe(0x9b));
    assert_true(utf8_is_unsafe(0x202e));
    assert_false(utf8_is_unsafe(0xe9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare_and_cut),
        cmocka_unit_test(integers_are_read_with_their_limits),
        cmocka_unit_test(distances),
        cmocka_unit_test(builders_stop_at_their_maximum),
        cmocka_unit_test(strings_are_interned_once),
        cmocka_unit_test(errors_show_no_control_characters_and_are_cut),
        cmocka_unit_test(utf8_is_strict),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "base/limits.h"

static const struct str drop_any[] = {STR("managedFields"), STR_EMPTY};
static const struct str drop_containers[] = {STR("env"), STR_EMPTY};
static const struct json_drop drop = {.any = drop_any, .containers = drop_containers};

static void values_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected; /* as jansson prints it, compact; NULL: refused */
    } rows[] = {
        {"{}", "{}"},
        {" [ 1 , 2 ] ", "[1,2]"},
        {"{\"a\":{\"b\":[true,false,null]}}", "{\"a\":{\"b\":[true,false,null]}}"},
        {"[0,-0,-1,9223372036854775807,-9223372036854775808]",
         "[0,0,-1,9223372036854775807,-9223372036854775808]"},
        {"[1.5,-2.5e3,1E-2]", "[1.5,-2500.0,0.01]"},
        {"[9223372036854775808]", "[9.2233720368547758e18]"},
        {"[1e999,-1e999]", "[\"1e999\",\"-1e999\"]"},
        {"[NaN,Infinity,-Infinity]", "[\"NaN\",\"Infinity\",\"-Infinity\"]"},
        {"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\"\\\\/\\b\\f\\n\\r\\t\"]"},
        {"[\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"]",
         "[\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]"},
        {"[\"\\ud83d\",\"\\ude00x\",\"\\ud83d\\u0041\"]",
         "[\"\xef\xbf\xbd\",\"\xef\xbf\xbdx\",\"\xef\xbf\xbd"
         "A\"]"},
        {"[\"a longer text that goes on past sixteen bytes \xc3\xa9 and ends\"]",
         "[\"a longer text that goes on past sixteen bytes \xc3\xa9 and ends\"]"},
        {"{\"k\\u0065y\":1}", "{\"key\":1}"},
        {"{\"\":1}", "{\"\":1}"},
        {"{\"managedFields\":[{\"x\":1}],\"env\":\"label\",\"b\":{\"env\":[1,{\"env\":2}]},\"c\":[{"
         "\"managedFields\":1}]}",
         "{\"env\":\"label\",\"b\":{},\"c\":[{}]}"},
        {"", NULL},
        {"{", NULL},
        {"[", NULL},
        {"[1", NULL},
        {"[1,", NULL},
        {"[1,]", NULL},
        {"{\"a\"", NULL},
        {"{\"a\":", NULL},
        {"{\"a\":1", NULL},
        {"{\"a\":1,", NULL},
        {"{\"a\":1,}", NULL},
        {"{a:1}", NULL},
        {"{'a':1}", NULL},
        {"[01]", NULL},
        {"[1.]", NULL},
        {"[.5]", NULL},
        {"[+1]", NULL},
        {"[1e]", NULL},
        {"[1e+]", NULL},
        {"[-]", NULL},
        {"[- 1]", NULL},
        {"[1 2]", NULL},
        {"[1;2]", NULL},
        {"[tru]", NULL},
        {"[True]", NULL},
        {"[nul]", NULL},
        {"[nan]", NULL},
        {"[\"abc]", NULL},
        {"[\"\\x\"]", NULL},
        {"[\"\\u12g4\"]", NULL},
        {"[\"\\u12\"]", NULL},
        {"[\"\\u0000\"]", NULL},
        {"[\"a\nb\"]", NULL},
        {"[\"a\tb\"]", NULL},
        {"[\"\xff\"]", NULL},
        {"[\"\xc3\"]", NULL},
        {"[\"\xed\xa0\x80\"]", NULL},
        {"{\"a\":1,\"a\":2}", NULL},
        {"[1]]", NULL},
        {"[] []", NULL},
        {"// c\n[]", NULL},
        {"[1,/*c*/2]", NULL},
        {"{1:2}", NULL},
        {"{\"managedFields\":[bad]}", NULL},
        {"{\"env\":[1}", NULL},
        {"[1--1]", NULL},
        {"[1.2.3]", NULL},
        {"[0x10]", NULL},
    };
    auto_arena arena = ARENA_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {.code = ERR_NONE};
        struct str text = str_of(rows[i].text);
        json_t *value = NULL;
        size_t used = 0;
        enum json_status status = json_decode(text, true, &drop, &arena, &value, &used, &err);
        bool rest = used + json_blanks(text.p + used, text.p + text.n) < text.n;
        assert_int_not_equal(status, JSON_MORE);
        if ((status == JSON_DONE && !rest) != (rows[i].expected != NULL)) {
            fail_msg("%s: %d %s", rows[i].text, status, err.text);
        }
        assert_true(status == JSON_DONE || err.code == ERR_PARSE);
        if (rows[i].expected != NULL) {
            char *printed = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
            assert_string_equal(printed, rows[i].expected);
            free(printed);
        }
        if (status == JSON_DONE) {
            json_decref(value);
        }
    }
}

/* Every beginning of a good text asks for more, and gives the same value in the end. */
static void beginnings_ask_for_more(void **state)
{
    (void)state;
    static const char text[] = "{\"name\":\"p\\u00e9\xc3\xa9\",\"n\":[-12.5e+3,true,null,{}],"
                               "\"env\":[{\"a\":\"\\n\"}],\"b\":false}";
    auto_arena arena = ARENA_INIT;
    json_t *value = NULL;
    size_t used = 0;
    struct err err = {.code = ERR_NONE};
    for (size_t n = 0; n < sizeof text - 1; n++) {
        if (json_decode((struct str){.p = text, .n = n}, false, &drop, &arena, &value, &used,
                        &err) != JSON_MORE) {
            fail_msg("%zu bytes: %s", n, err.text);
        }
        assert_int_equal(
            json_decode((struct str){.p = text, .n = n}, true, &drop, &arena, &value, &used, &err),
            JSON_BAD);
    }
    assert_int_equal(json_decode(str_of(text), false, &drop, &arena, &value, &used, &err),
                     JSON_DONE);
    assert_int_equal(used, sizeof text - 1);
    json_decref(value);
}

static void errors_say_what_and_where(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"{\n\"a\": tru\n}", "line 2: expected a value, got 'tru'"},
        {"[1\n\n x]", "line 3: expected ',' or ']' after an element, got 'x]'"},
        {"{\"a\" 1}", "line 1: expected ':' after a member's name, got '1}'"},
        {"{\"a\":1,\n\"a\":2}", "line 2: the member \"a\" is there twice"},
        {"[\"a\n", "line 1: control character 0x0a in a string (an unclosed quote?)"},
        {"[\"\\q\"]", "line 1: invalid escape '\\q' in a string"},
        {"[\x01]", "line 1: expected a value, got the control character 0x01"},
        {"[1", "line 1: the input ends in the middle of a value (is it truncated?)"},
        {"[1] x", "line 1: expected the end of the text, got 'x'"},
    };
    auto_arena arena = ARENA_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {.code = ERR_NONE};
        json_t *value = NULL;
        assert_false(json_decode_text(str_of(rows[i].text), &arena, &value, &err));
        assert_null(value);
        assert_string_equal(err.text, rows[i].error);
    }
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    for (int levels = LIMIT_NESTING; levels <= LIMIT_NESTING + 1; levels++) {
        struct strbuf text = strbuf_new(&arena, 1 << 20);
        struct err err = {.code = ERR_NONE};
        json_t *value = NULL;
        strbuf_pad(&text, '[', (size_t)levels);
        strbuf_pad(&text, ']', (size_t)levels);
        bool good = json_decode_text(strbuf_str(&text), &arena, &value, &err);
        assert_int_equal(good, levels <= LIMIT_NESTING);
        assert_true(good || err.code == ERR_LIMIT);
        json_decref(value);
    }
}

static void keys_and_long_strings_survive(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct strbuf text = strbuf_new(&arena, 8 << 20);
    struct err err = {.code = ERR_NONE};
    json_t *value = NULL;
    strbuf_add(&text, STR("{\""));
    strbuf_pad(&text, 'k', 1 << 20);
    strbuf_add(&text, STR("\":\"\\n"));
    strbuf_pad(&text, 'v', 1 << 20);
    strbuf_add(&text, STR("\"}"));
    assert_true(json_decode_text(strbuf_str(&text), &arena, &value, &err));
    void *at = json_object_iter(value);
    assert_int_equal(strlen(json_object_iter_key(at)), 1 << 20);
    assert_int_equal(json_string_length(json_object_iter_value(at)), (1 << 20) + 1);
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(beginnings_ask_for_more),
        cmocka_unit_test(errors_say_what_and_where),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(keys_and_long_strings_survive),
    };
    return cmocka_run_group_tests_name("json_decode", tests, NULL, NULL);
}

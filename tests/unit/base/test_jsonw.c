/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/docs.h"
#include "base/json.h"
#include "base/jsonw.h"

/* A value with every turn of the layout, written by hand through the calls. */
static void write_sample(struct jsonw *w)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "name", STR("web"));
    jsonw_key_i64(w, "n", -3);
    jsonw_key_bool(w, "on", true);
    jsonw_key(w, STR("none"));
    jsonw_null(w);
    jsonw_key_usd(w, "usdPerHour", 96000000);
    jsonw_key_array(w, "empty");
    jsonw_array_end(w);
    jsonw_key_object(w, "hollow");
    jsonw_object_end(w);
    jsonw_key_array(w, "list");
    jsonw_str(w, STR("a"));
    jsonw_object_begin(w);
    jsonw_key_str(w, "x", STR("1"));
    jsonw_key_array(w, "y");
    jsonw_i64(w, 1);
    jsonw_i64(w, 2);
    jsonw_array_end(w);
    jsonw_object_end(w);
    jsonw_array_begin(w);
    jsonw_str(w, STR("in"));
    jsonw_array_begin(w);
    jsonw_array_end(w);
    jsonw_array_end(w);
    jsonw_object_begin(w);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_key_object(w, "deep");
    jsonw_key_object(w, "er");
    jsonw_key_str(w, "k", STR("v: w"));
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void the_three_styles(void **state)
{
    (void)state;
    static const char *const expected[] = {
        [JSONW_COMPACT] = "{\"name\":\"web\",\"n\":-3,\"on\":true,\"none\":null,\"usdPerHour\":0."
                          "096,\"empty\":[],\"hollow\":{},"
                          "\"list\":[\"a\",{\"x\":\"1\",\"y\":[1,2]},[\"in\",[]],{}],\"deep\":{"
                          "\"er\":{\"k\":\"v: w\"}}}\n",
        [JSONW_PRETTY] =
            "{\n  \"name\": \"web\",\n  \"n\": -3,\n  \"on\": true,\n  \"none\": null,\n  "
            "\"usdPerHour\": 0.096,\n"
            "  \"empty\": [],\n  \"hollow\": {},\n  \"list\": [\n    \"a\",\n    {\n      \"x\": "
            "\"1\",\n"
            "      \"y\": [\n        1,\n        2\n      ]\n    },\n    [\n      \"in\",\n      "
            "[]\n    ],\n"
            "    {}\n  ],\n  \"deep\": {\n    \"er\": {\n      \"k\": \"v: w\"\n    }\n  }\n}\n",
        [JSONW_YAML] = "name: web\n\"n\": -3\n\"on\": true\nnone: null\nusdPerHour: 0.096\nempty: "
                       "[]\nhollow: {}\nlist:\n- a\n"
                       "- x: \"1\"\n  \"y\":\n  - 1\n  - 2\n- - in\n  - []\n- {}\ndeep:\n  er:\n   "
                       " k: \"v: w\"\n",
    };
    for (int style = JSONW_COMPACT; style <= JSONW_YAML; style++) {
        auto_arena arena = ARENA_INIT;
        struct strbuf out = strbuf_new(&arena, 1 << 20);
        struct jsonw w = jsonw_new(&out, (enum jsonw_style)style);
        write_sample(&w);
        strbuf_addc(&out, '\0');
        assert_string_equal(out.p, expected[style]);
        struct err err = {.code = ERR_NONE};
        json_t *read = NULL, *same = NULL;
        if (!docs_read_one((struct str){.p = out.p, .n = out.n - 1}, &read, &err)) {
            fail_msg("style %d does not read back: %s", style, err.text);
        }
        assert_true(docs_read_one(str_of(expected[JSONW_COMPACT]), &same, &err));
        assert_true(json_equal(read, same));
        json_decref(read);
        json_decref(same);
    }
}

static void several_values_are_separated(void **state)
{
    (void)state;
    static const char *const expected[] = {"1\n{}\n[]\n", "1\n{}\n[]\n", "1\n---\n{}\n---\n[]\n"};
    for (int style = JSONW_COMPACT; style <= JSONW_YAML; style++) {
        auto_arena arena = ARENA_INIT;
        struct strbuf out = strbuf_new(&arena, 1000);
        struct jsonw w = jsonw_new(&out, (enum jsonw_style)style);
        jsonw_i64(&w, 1);
        jsonw_object_begin(&w);
        jsonw_object_end(&w);
        jsonw_array_begin(&w);
        jsonw_array_end(&w);
        strbuf_addc(&out, '\0');
        assert_string_equal(out.p, expected[style]);
    }
}

static void nothing_unsafe_comes_out(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *json, *yaml;
    } rows[] = {
        {STR("plain"), "\"plain\"", "plain"},
        {STR("a b"), "\"a b\"", "a b"},
        {STR("caf\xc3\xa9"), "\"caf\xc3\xa9\"", "caf\xc3\xa9"},
        {STR("\x1b[31m"), "\"\\u001b[31m\"", "\"\\u001b[31m\""},
        {STR("\x7f"), "\"\\u007f\"", "\"\\u007f\""},
        {STR("\xc2\x9b"
             "31m"),
         "\"\\u009b31m\"", "\"\\u009b31m\""},
        {STR("\xe2\x80\xae"), "\"\\u202e\"", "\"\\u202e\""},
        {STR("\xe2\x80\xa8"), "\"\\u2028\"", "\"\\u2028\""},
        {STR("\xef\xbf\xbf"), "\"\\uffff\"", "\"\\uffff\""},
        {STR("bad \xff\xc3"), "\"bad \\ufffd\\ufffd\"", "\"bad \\ufffd\\ufffd\""},
        {STR("nul \0 in"), "\"nul \\u0000 in\"", "\"nul \\u0000 in\""},
        {STR("q\"b\\"), "\"q\\\"b\\\\\"", "q\"b\\"},
        {STR("l1\nl2\ttab\r"), "\"l1\\nl2\\ttab\\r\"", "\"l1\\nl2\\ttab\\r\""},
        {STR(""), "\"\"", "\"\""},
        {STR("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\x80\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_arena arena = ARENA_INIT;
        struct strbuf json = strbuf_new(&arena, 1000), yaml = strbuf_new(&arena, 1000);
        struct jsonw w = jsonw_new(&json, JSONW_COMPACT), y = jsonw_new(&yaml, JSONW_YAML);
        jsonw_str(&w, rows[i].text);
        jsonw_str(&y, rows[i].text);
        assert_memory_equal(json.p, rows[i].json, strlen(rows[i].json));
        assert_memory_equal(yaml.p, rows[i].yaml, strlen(rows[i].yaml));
        assert_int_equal(json.n, strlen(rows[i].json) + 1);
        assert_int_equal(yaml.n, strlen(rows[i].yaml) + 1);
    }
}

static void trees_are_sorted(void **state)
{
    (void)state;
    auto_json *value = json_loads(
        "{\"b\":[1,{\"z\":0.1,\"a\":null}],\"a\":{\"y\":\"no\",\"x\":true},\"B\":1e3}", 0, NULL);
    auto_arena arena = ARENA_INIT;
    struct strbuf out = strbuf_new(&arena, 1000);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    jsonw_json(&w, value);
    strbuf_addc(&out, '\0');
    assert_string_equal(
        out.p, "{\"B\":1000,\"a\":{\"x\":true,\"y\":\"no\"},\"b\":[1,{\"a\":null,\"z\":0.1}]}\n");
}

static void too_much_output_shows(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct strbuf out = strbuf_new(&arena, 10);
    struct jsonw w = jsonw_new(&out, JSONW_PRETTY);
    write_sample(&w);
    assert_true(out.overflow);
    assert_true(out.n <= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_styles),         cmocka_unit_test(several_values_are_separated),
        cmocka_unit_test(nothing_unsafe_comes_out), cmocka_unit_test(trees_are_sorted),
        cmocka_unit_test(too_much_output_shows),
    };
    return cmocka_run_group_tests_name("jsonw", tests, NULL, NULL);
}

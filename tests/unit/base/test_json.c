/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"

static json_t *load(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

static void paths_name_the_place(void **state)
{
    (void)state;
    auto_json *object =
        load("{\"spec\":{\"template\":{\"spec\":{\"requirements\":[{},{\"operator\":5}]}}},"
             "\"metadata\":{\"labels\":{\"a.b/c\":1}}}");
    struct json_at
        root = json_at_root(object),
        spec = json_at_member(&root, "spec"), template = json_at_member(&spec, "template"),
        inner = json_at_member(&template, "spec"), list = json_at_member(&inner, "requirements"),
        second = json_at_element(&list, 1), operator= json_at_member(&second, "operator"),
        metadata = json_at_member(&root, "metadata"), labels = json_at_member(&metadata, "labels"),
        label = json_at_member(&labels, "a.b/c");
    struct err err;
    struct str text;
    bool has = false;
    assert_int_equal(json_at_count(&list), 2);
    assert_int_equal(json_at_count(&labels), 1);
    assert_int_equal(json_at_count(&operator), 0);
    assert_false(json_read_str(&operator, & has, &text, &err));
    assert_string_equal(
        err.text, "spec.template.spec.requirements[1].operator: expected a string, got an integer");
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(json_fail(&err, ERR_LIMIT, &label, "too %s", "long"));
    assert_string_equal(err.text, "metadata.labels[a.b/c]: too long");
    assert_false(json_fail(&err, ERR_INVALID, &root, "bad"));
    assert_string_equal(err.text, ".: bad");
}

static void long_paths_lose_their_beginning(void **state)
{
    (void)state;
    struct json_at chain[100] = {json_at_root(NULL)};
    char buffer[40];
    for (int i = 1; i < 100; i++) {
        chain[i] = json_at_named(&chain[i - 1], STR("member"), NULL);
    }
    struct str path = json_at_path(&chain[99], buffer, sizeof buffer);
    assert_true(str_starts(path, STR("...")));
    assert_true(str_ends(path, STR(".member.member")));
}

static void absent_is_not_zero(void **state)
{
    (void)state;
    auto_json *object = load("{\"n\":null,\"i\":0}");
    struct json_at root = json_at_root(object), null = json_at_member(&root, "n"),
                   absent = json_at_member(&root, "x"), zero = json_at_member(&root, "i"),
                   below = json_at_member(&absent, "y"), none = json_at_element(&absent, 3);
    const struct json_at *places[] = {&null, &absent, &below, &none};
    struct err err = {.code = ERR_NONE};
    bool has = true, flag = true;
    int64_t number = 5;
    struct str text;
    for (size_t i = 0; i < 4; i++) {
        has = true;
        assert_true(json_read_i64(places[i], 0, 10, &has, &number, &err));
        assert_false(has);
        assert_int_equal(number, 0);
        assert_true(json_read_str(places[i], &has, &text, &err));
        assert_true(json_read_bool(places[i], &has, &flag, &err));
        assert_true(json_want_object(places[i], &err));
        assert_true(json_want_array(places[i], &err));
        assert_false(json_read_i64(places[i], 0, 10, NULL, &number, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
    assert_true(json_read_i64(&zero, 0, 10, &has, &number, &err));
    assert_true(has);
}

static void values_have_types_and_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        char type; /* s, i, b, o, a */
        bool good;
    } rows[] = {
        {"\"x\"", 's', true}, {"1", 's', false},     {"true", 's', false},     {"1", 'i', true},
        {"10", 'i', true},    {"11", 'i', false},    {"-1", 'i', false},       {"3.0", 'i', true},
        {"3.5", 'i', false},  {"1e300", 'i', false}, {"\"3\"", 'i', false},    {"true", 'b', true},
        {"false", 'b', true}, {"0", 'b', false},     {"\"true\"", 'b', false}, {"{}", 'o', true},
        {"[]", 'o', false},   {"[]", 'a', true},     {"{}", 'a', false},       {"\"\"", 'a', false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_json *value = load(rows[i].json);
        struct json_at at = json_at_root(value);
        struct err err = {.code = ERR_NONE};
        struct str text;
        int64_t number = 0;
        bool flag = false, good = false;
        switch (rows[i].type) {
        case 's':
            good = json_read_str(&at, NULL, &text, &err);
            break;
        case 'i':
            good = json_read_i64(&at, 0, 10, NULL, &number, &err);
            break;
        case 'b':
            good = json_read_bool(&at, NULL, &flag, &err);
            break;
        case 'o':
            good = json_want_object(&at, &err);
            break;
        default:
            good = json_want_array(&at, &err);
        }
        if (good != rows[i].good) {
            fail_msg("%s as %c: %d %s", rows[i].json, rows[i].type, good, err.text);
        }
    }
}

static void long_strings_are_refused(void **state)
{
    (void)state;
    char *bytes = malloc(LIMIT_VALUE_BYTES + 1);
    memset(bytes, 'x', LIMIT_VALUE_BYTES + 1);
    auto_json *fits = json_stringn(bytes, LIMIT_VALUE_BYTES),
              *longer = json_stringn(bytes, LIMIT_VALUE_BYTES + 1);
    free(bytes);
    struct json_at at = json_at_root(fits), too_long = json_at_root(longer);
    struct err err;
    struct str text;
    assert_true(json_read_str(&at, NULL, &text, &err));
    assert_false(json_read_str(&too_long, NULL, &text, &err));
    assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_name_the_place),
        cmocka_unit_test(long_paths_lose_their_beginning),
        cmocka_unit_test(absent_is_not_zero),
        cmocka_unit_test(values_have_types_and_ranges),
        cmocka_unit_test(long_strings_are_refused),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

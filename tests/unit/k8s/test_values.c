/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lookups, tolerations, selectors, name syntax and decimals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "k8s/decimal.h"
#include "k8s/selector.h"
#include "k8s/syntax.h"

static struct arena arena;
static struct strtab *tab;

static int set_up(void **state UNUSED)
{
    arena = ARENA_INIT;
    tab = strtab_new(&arena);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    arena_done(&arena);
    return 0;
}

static strid word(const char *text)
{
    return strtab_add(tab, str_of(text));
}

static void test_tolerations(void **state UNUSED)
{
    static const struct {
        const char *name;
        const char *key, *value;
        enum k8s_operator op;
        enum k8s_effect effect;
        bool expected; /* of the taint team=7:NoSchedule */
    } rows[] = {
        {"equal", "team", "7", K8S_IN, K8S_NO_SCHEDULE, true},
        {"equal, any effect", "team", "7", K8S_IN, K8S_EFFECT_ANY, true},
        {"other effect", "team", "7", K8S_IN, K8S_NO_EXECUTE, false},
        {"other value", "team", "8", K8S_IN, K8S_NO_SCHEDULE, false},
        {"empty value", "team", "", K8S_IN, K8S_NO_SCHEDULE, false},
        {"other key", "group", "7", K8S_IN, K8S_NO_SCHEDULE, false},
        {"exists", "team", "", K8S_EXISTS, K8S_NO_SCHEDULE, true},
        {"exists with another effect", "team", "", K8S_EXISTS, K8S_PREFER_NO_SCHEDULE, false},
        {"everything", "", "", K8S_EXISTS, K8S_EFFECT_ANY, true},
        {"everything of an effect", "", "", K8S_EXISTS, K8S_NO_SCHEDULE, true},
        {"everything of another effect", "", "", K8S_EXISTS, K8S_NO_EXECUTE, false},
        {"empty key without Exists", "", "7", K8S_IN, K8S_EFFECT_ANY, false},
        /* TaintTolerationComparisonOperators is off. */
        {"greater", "team", "6", K8S_GT, K8S_EFFECT_ANY, false},
        {"less", "team", "8", K8S_LT, K8S_EFFECT_ANY, false},
        {"the same number", "team", "7", K8S_GT, K8S_EFFECT_ANY, false},
    };
    struct k8s_taint taint = {.key = word("team"), .value = word("7"), .effect = K8S_NO_SCHEDULE};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct k8s_toleration t = {.key = word(rows[i].key),
                                   .value = word(rows[i].value),
                                   .op = rows[i].op,
                                   .effect = rows[i].effect};
        if (k8s_tolerates(&t, 1, &taint) != rows[i].expected) {
            fail_msg("%s: expected %d", rows[i].name, rows[i].expected);
        }
    }
    assert_false(k8s_tolerates(NULL, 0, &taint));
}

static void test_requirements(void **state UNUSED)
{
    static const struct {
        enum k8s_operator op;
        const char *values[3];
        const char *label; /* NULL: absent */
        bool expected;
    } rows[] = {
        {K8S_IN, {"a", "b"}, "b", true},
        {K8S_IN, {"a", "b"}, "c", false},
        {K8S_IN, {"a"}, NULL, false},
        {K8S_IN, {""}, "", true},
        {K8S_NOT_IN, {"a"}, "b", true},
        {K8S_NOT_IN, {"a"}, "a", false},
        {K8S_NOT_IN, {"a"}, NULL, true},
        {K8S_EXISTS, {NULL}, "", true},
        {K8S_EXISTS, {NULL}, NULL, false},
        {K8S_DOES_NOT_EXIST, {NULL}, NULL, true},
        {K8S_DOES_NOT_EXIST, {NULL}, "", false},
        {K8S_GT, {"4"}, "5", true},
        {K8S_GT, {"4"}, "4", false},
        {K8S_GT, {"4"}, "10", true},
        {K8S_GT, {"4"}, "x", false},
        {K8S_GT, {"x"}, "5", false},
        {K8S_GT, {"4"}, NULL, false},
        {K8S_GT, {"4", "5"}, "9", false},
        {K8S_GT, {"-5"}, "-4", true},
        {K8S_LT, {"4"}, "3", true},
        {K8S_LT, {"4"}, "4", false},
        {K8S_GTE, {"4"}, "4", true},
        {K8S_GTE, {"4"}, "3", false},
        {K8S_LTE, {"4"}, "4", true},
        {K8S_LTE, {"4"}, "5", false},
        {K8S_GT, {"4"}, "99999999999999999999", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        strid values[3];
        uint32_t n = 0;
        for (; n < 3 && rows[i].values[n] != NULL; n++) {
            values[n] = word(rows[i].values[n]);
        }
        struct k8s_requirement r = {
            .key = word("k"), .op = rows[i].op, .values = {.n = n, .v = values}};
        struct k8s_pair pair = {.key = word("k"), .value = STRID_EMPTY};
        struct k8s_pairs labels = {.n = rows[i].label == NULL ? 0 : 1, .v = &pair};
        if (rows[i].label != NULL) {
            pair.value = word(rows[i].label);
        }
        if (k8s_requirement_matches(tab, &r, &labels) != rows[i].expected) {
            fail_msg("row %zu: expected %d", i, rows[i].expected);
        }
    }
}

static void test_selectors(void **state UNUSED)
{
    strid a = word("a"), b = word("b");
    struct k8s_pair both[] = {{.key = a, .value = a}, {.key = b, .value = b}};
    struct k8s_pairs labels = {.n = 2, .v = both}, one = {.n = 1, .v = both}, none = {.n = 0};
    struct k8s_requirement no_b = {.key = b, .op = K8S_DOES_NOT_EXIST};
    struct k8s_selector nil = {.present = false};
    struct k8s_selector empty = {.present = true};
    struct k8s_selector s = {.present = true, .match_labels = one};
    assert_false(k8s_selector_matches(&nil, &labels));
    assert_true(k8s_selector_matches(&empty, &labels));
    assert_true(k8s_selector_matches(&empty, &none));
    assert_true(k8s_selector_matches(&s, &labels));
    assert_false(k8s_selector_matches(&s, &none));
    s.n_expressions = 1;
    s.expressions = &no_b;
    assert_false(k8s_selector_matches(&s, &labels));
    assert_true(k8s_selector_matches(&s, &one));
    assert_true(k8s_pairs_within(&one, &labels));
    assert_false(k8s_pairs_within(&labels, &one));
    assert_true(k8s_pairs_within(&none, &none));
}

static void test_node_terms(void **state UNUSED)
{
    strid a = word("a"), name = word("node-1");
    struct k8s_pair pair = {.key = a, .value = a};
    struct k8s_pairs labels = {.n = 1, .v = &pair};
    struct k8s_requirement has = {.key = a, .op = K8S_EXISTS};
    struct k8s_requirement not = {.key = a, .op = K8S_DOES_NOT_EXIST};
    struct k8s_requirement field = {
        .key = word("metadata.name"), .op = K8S_IN, .values = {.n = 1, .v = &name}};
    struct k8s_requirement strange = {
        .key = word("spec.name"), .op = K8S_IN, .values = {.n = 1, .v = &name}};
    struct k8s_node_term empty = {.n_expressions = 0};
    struct k8s_node_term wants = {.n_expressions = 1, .expressions = &has};
    struct k8s_node_term by_name = {
        .n_expressions = 1, .expressions = &has, .n_fields = 1, .fields = &field};
    struct k8s_node_term terms[] = {{.n_expressions = 1, .expressions = &not }, by_name};
    assert_false(k8s_node_term_matches(tab, &empty, &labels, STR("node-1")));
    assert_true(k8s_node_term_matches(tab, &wants, &labels, STR("node-2")));
    assert_true(k8s_node_term_matches(tab, &by_name, &labels, STR("node-1")));
    assert_false(k8s_node_term_matches(tab, &by_name, &labels, STR("node-2")));
    field.op = K8S_NOT_IN;
    assert_false(k8s_node_term_matches(tab, &by_name, &labels, STR("node-1")));
    assert_true(k8s_node_term_matches(tab, &by_name, &labels, STR("node-2")));
    by_name.fields = &strange;
    assert_false(k8s_node_term_matches(tab, &by_name, &labels, STR("node-1")));
    field.op = K8S_IN;
    assert_true(k8s_node_terms_match(tab, terms, 2, &labels, STR("node-1")));
    assert_false(k8s_node_terms_match(tab, terms, 1, &labels, STR("node-1")));
    assert_false(k8s_node_terms_match(tab, terms, 0, &labels, STR("node-1")));
}

static void test_lookups(void **state UNUSED)
{
    struct k8s_pair pairs[] = {{2, 20}, {4, 40}, {9, 90}};
    struct k8s_pairs map = {.n = 3, .v = pairs};
    struct k8s_quantity amounts[] = {{1, 10}, {5, 0}};
    struct k8s_resources resources = {.n = 2, .v = amounts};
    static const strid keys[] = {0, 2, 3, 4, 9, 10};
    static const strid found[] = {STRID_NONE, 20, STRID_NONE, 40, 90, STRID_NONE};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(k8s_pairs_get(&map, keys[i]), found[i]);
    }
    assert_int_equal(k8s_resources_get(&resources, 1), 10);
    assert_true(k8s_resources_has(&resources, 5));
    assert_false(k8s_resources_has(&resources, 2));
    assert_int_equal(k8s_resources_get(&resources, 2), 0);
}

static void test_syntax(void **state UNUSED)
{
    static char long_name[300];
    memset(long_name, 'a', sizeof long_name);
    assert_null(k8s_name_fault(str_sub((struct str){long_name, 300}, 0, 253)));
    assert_non_null(k8s_name_fault(str_sub((struct str){long_name, 300}, 0, 254)));
    assert_null(k8s_label_value_fault(str_sub((struct str){long_name, 300}, 0, 63)));
    assert_non_null(k8s_label_value_fault(str_sub((struct str){long_name, 300}, 0, 64)));
    static const char *const good_names[] = {"a", "web-0", "ip-10-0-1-1.ec2.internal", "0.a"};
    static const char *const bad_names[] = {"",   "A",   "-a",  "a-",       "a..b",    ".a",
                                            "a.", "a_b", "a b", "\x1b[31m", "\xc3\xa4"};
    static const char *const good_keys[] = {"a", "A.b_c-d", "example.com/Name", "1"};
    static const char *const bad_keys[] = {"", "/a", "a/", "a/b/c", "-a", "a b", "Example.com/a"};
    for (size_t i = 0; i < sizeof good_names / sizeof good_names[0]; i++) {
        assert_null(k8s_name_fault(str_of(good_names[i])));
    }
    for (size_t i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++) {
        if (k8s_name_fault(str_of(bad_names[i])) == NULL) {
            fail_msg("the name '%s' was taken", bad_names[i]);
        }
    }
    for (size_t i = 0; i < sizeof good_keys / sizeof good_keys[0]; i++) {
        assert_null(k8s_label_key_fault(str_of(good_keys[i])));
    }
    for (size_t i = 0; i < sizeof bad_keys / sizeof bad_keys[0]; i++) {
        if (k8s_label_key_fault(str_of(bad_keys[i])) == NULL) {
            fail_msg("the key '%s' was taken", bad_keys[i]);
        }
    }
    assert_null(k8s_label_value_fault(STR_EMPTY));
    assert_non_null(k8s_label_value_fault(STR("a/b")));
    assert_non_null(k8s_label_value_fault(STR("_a")));
    assert_non_null(k8s_dns_label_fault(STR("a.b")));
    assert_null(k8s_dns_label_fault(STR("a-b")));
}

static void test_decimals(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value; /* of nine digits */
        const char *back;
    } rows[] = {
        {"0", true, 0, "0"},
        {"1", true, 1000000000, "1"},
        {"0.25", true, 250000000, "0.25"},
        {"-0.5", true, -500000000, "-0.5"},
        {"+10", true, 10000000000, "10"},
        {".5", true, 500000000, "0.5"},
        {"1.", true, 1000000000, "1"},
        {"0.0000000014", true, 1, "0.000000001"},
        {"0.0000000015", true, 2, "0.000000002"},
        {"9223372036.854775807", true, INT64_MAX, "9223372036.854775807"},
        {"9223372036.854775808", false, 0, NULL},
        {"99999999999", false, 0, NULL},
        {"", false, 0, NULL},
        {".", false, 0, NULL},
        {"-", false, 0, NULL},
        {"1.2.3", false, 0, NULL},
        {"1e3", false, 0, NULL},
        {"0x1", false, 0, NULL},
        {" 1", false, 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = 0;
        char room[DECIMAL_TEXT_MAX];
        bool ok = decimal_parse(str_of(rows[i].text), 9, &value);
        if (ok != rows[i].ok || (ok && value != rows[i].value)) {
            fail_msg("'%s': got %d, %lld", rows[i].text, ok, (long long)value);
        }
        if (ok && !str_eq(decimal_format(value, 9, room), str_of(rows[i].back))) {
            fail_msg("'%s' is not written as %s", rows[i].text, rows[i].back);
        }
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tolerations), TEST(test_requirements), TEST(test_selectors),
        TEST(test_node_terms),  TEST(test_lookups),      TEST(test_syntax),
        TEST(test_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

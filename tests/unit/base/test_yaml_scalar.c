/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml_scalar.h"

static void plain_scalars_mean_what_kubectl_takes_them_for(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum yaml_kind kind;
        int64_t integer; /* of BOOL too */
        double real;
    } rows[] = {
        {"", YAML_NULL, 0, 0},
        {"~", YAML_NULL, 0, 0},
        {"null", YAML_NULL, 0, 0},
        {"Null", YAML_NULL, 0, 0},
        {"NULL", YAML_NULL, 0, 0},
        {"nULL", YAML_STR, 0, 0},
        {"nil", YAML_STR, 0, 0},
        {"none", YAML_STR, 0, 0},
        {"true", YAML_BOOL, 1, 0},
        {"True", YAML_BOOL, 1, 0},
        {"TRUE", YAML_BOOL, 1, 0},
        {"tRUE", YAML_STR, 0, 0},
        {"yes", YAML_BOOL, 1, 0},
        {"Yes", YAML_BOOL, 1, 0},
        {"YES", YAML_BOOL, 1, 0},
        {"y", YAML_STR, 0, 0},
        {"Y", YAML_STR, 0, 0},
        {"on", YAML_BOOL, 1, 0},
        {"On", YAML_BOOL, 1, 0},
        {"ON", YAML_BOOL, 1, 0},
        {"false", YAML_BOOL, 0, 0},
        {"no", YAML_BOOL, 0, 0},
        {"n", YAML_STR, 0, 0},
        {"off", YAML_BOOL, 0, 0},
        {"Off", YAML_BOOL, 0, 0},
        {"yesss", YAML_STR, 0, 0},
        {"node", YAML_STR, 0, 0},
        {"one", YAML_STR, 0, 0},
        {"0", YAML_INT, 0, 0},
        {"-0", YAML_INT, 0, 0},
        {"+12", YAML_INT, 12, 0},
        {"-12", YAML_INT, -12, 0},
        {"010", YAML_INT, 8, 0},
        {"0o10", YAML_INT, 8, 0},
        {"0x1F", YAML_INT, 31, 0},
        {"0b101", YAML_INT, 5, 0},
        {"-0x10", YAML_INT, -16, 0},
        {"1_000", YAML_INT, 1000, 0},
        {"08", YAML_INT, 8, 0},
        {"0x", YAML_STR, 0, 0},
        {"0xg", YAML_STR, 0, 0},
        {"1.0", YAML_INT, 1, 0},
        {"1.", YAML_INT, 1, 0},
        {"1e3", YAML_INT, 1000, 0},
        {"1.5", YAML_REAL, 0, 1.5},
        {".5", YAML_REAL, 0, 0.5},
        {"-.5", YAML_REAL, 0, -0.5},
        {"1e-1", YAML_REAL, 0, 0.1},
        {"9223372036854775807", YAML_INT, INT64_MAX, 0},
        {"9223372036854775808", YAML_REAL, 0, 9223372036854775808.0},
        {"1e20", YAML_REAL, 0, 1e20},
        {"1e999", YAML_STR, 0, 0},
        {".inf", YAML_STR, 0, 0},
        {"-.INF", YAML_STR, 0, 0},
        {".nan", YAML_STR, 0, 0},
        {".", YAML_STR, 0, 0},
        {"-", YAML_STR, 0, 0},
        {"...", YAML_STR, 0, 0},
        {"1.2.3", YAML_STR, 0, 0},
        {"10.0.0.1", YAML_STR, 0, 0},
        {"1e", YAML_STR, 0, 0},
        {"500m", YAML_STR, 0, 0},
        {"1Gi", YAML_STR, 0, 0},
        {"12:30:45", YAML_STR, 0, 0},
        {"2026-08-20", YAML_STR, 0, 0},
        {"v1", YAML_STR, 0, 0},
        {"2026-08-20T09:30:00Z", YAML_STR, 0, 0},
        {"<<", YAML_STR, 0, 0},
        {"=", YAML_STR, 0, 0},
        {"+", YAML_STR, 0, 0},
        {"_1", YAML_STR, 0, 0},
        {"1_", YAML_INT, 1, 0},
        {"._5", YAML_STR, 0, 0},
        {"0_7", YAML_INT, 7, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct yaml_value value = yaml_resolve(str_of(rows[i].text));
        int64_t integer = value.kind == YAML_BOOL ? value.boolean : value.integer;
        if (value.kind != rows[i].kind || integer != rows[i].integer ||
            value.real != rows[i].real) {
            fail_msg("%s: got kind %d, %lld, %g", rows[i].text, value.kind, (long long)integer,
                     value.real);
        }
    }
}

static void only_safe_text_is_written_plain(void **state)
{
    (void)state;
    static const char *const safe[] = {"web",
                                       "a b",
                                       "web-0",
                                       "kube-system/coredns-abc",
                                       "10.0.0.1",
                                       "500m",
                                       "6903Mi",
                                       "2Ti",
                                       "m5.large",
                                       "us-east-1a",
                                       "karpenter.sh/nodepool",
                                       "a:b",
                                       "a#b",
                                       "https://x.y/z",
                                       "x=1",
                                       "caf\xc3\xa9",
                                       "Never",
                                       "v1",
                                       "_x",
                                       "/",
                                       "a, b",
                                       "a]"};
    static const char *const quoted[] = {"",
                                         " a",
                                         "a ",
                                         "a:",
                                         "a: b",
                                         "a #b",
                                         "#a",
                                         "- a",
                                         "-a",
                                         "?",
                                         ":a",
                                         "{a",
                                         "[a",
                                         "*a",
                                         "&a",
                                         "!a",
                                         "|",
                                         ">",
                                         "'a",
                                         "\"a",
                                         "%a",
                                         "@a",
                                         "`a",
                                         ",a",
                                         "true",
                                         "no",
                                         "y",
                                         "null",
                                         "~",
                                         "12",
                                         "1.5",
                                         "1e3",
                                         "0x1F",
                                         "010",
                                         "1_000",
                                         ".5",
                                         "+1",
                                         ".inf",
                                         ".nan",
                                         "12:30:45",
                                         "2026-08-20",
                                         "2026-08-20T09:30:00Z",
                                         "<<",
                                         "=",
                                         "a\nb",
                                         "a\tb",
                                         "\x1b",
                                         "\xff",
                                         "\xc2\x85",
                                         "\xe2\x80\xae",
                                         "\xf0\x9f\x98\x80",
                                         "..."};
    for (size_t i = 0; i < sizeof safe / sizeof safe[0]; i++) {
        if (!yaml_plain_is_safe(str_of(safe[i]))) {
            fail_msg("'%s' needs no quotes", safe[i]);
        }
    }
    for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++) {
        if (yaml_plain_is_safe(str_of(quoted[i]))) {
            fail_msg("'%s' needs quotes", quoted[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_scalars_mean_what_kubectl_takes_them_for),
        cmocka_unit_test(only_safe_text_is_written_plain),
    };
    return cmocka_run_group_tests_name("yaml_scalar", tests, NULL, NULL);
}

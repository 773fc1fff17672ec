/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"
#include "base/rng.h"

static void decimals_are_printed_without_floats(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        int n_decimals;
        const char *text;
    } rows[] = {{0, 0, "0"},
                {0, 9, "0"},
                {96000000, 9, "0.096"},
                {1135200000, 9, "1.1352"},
                {1000000000, 9, "1"},
                {1, 9, "0.000000001"},
                {-5, 0, "-5"},
                {-50, 2, "-0.5"},
                {100, 0, "100"},
                {12345, 2, "123.45"},
                {INT64_MAX, 9, "9223372036.854775807"},
                {INT64_MIN, 0, "-9223372036854775808"},
                {INT64_MIN, 18, "-9.223372036854775808"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buffer[NUMBER_TEXT_MAX];
        struct str text = number_format_decimal(rows[i].value, rows[i].n_decimals, buffer);
        if (!str_eq(text, str_of(rows[i].text))) {
            fail_msg("expected %s, got %.*s", rows[i].text, (int)text.n, text.p);
        }
    }
}

static void decimals_are_read_without_floats(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int n_decimals;
        bool good;
        int64_t value;
    } rows[] = {
        {"0.096", 9, true, 96000000},
        {"1", 9, true, 1000000000},
        {"-1.5", 1, true, -15},
        {"1e-3", 9, true, 1000000},
        {"1.5e3", 0, true, 1500},
        {"0.05", 1, true, 1},
        {"0.04", 1, true, 0},
        {"0.0000000005", 9, true, 1},
        {"0.00000000049", 9, true, 0},
        {".5", 1, true, 5},
        {"5.", 0, true, 5},
        {"0", 9, true, 0},
        {"1e-400", 9, true, 0},
        {"9223372036.854775807", 9, true, INT64_MAX},
        {"0e999999", 9, true, 0},
        {"9223372036.854775808", 9, false, 0},
        {"1e30", 9, false, 0},
        {"", 9, false, 0},
        {".", 9, false, 0},
        {"-", 9, false, 0},
        {"1e", 9, false, 0},
        {"x", 9, false, 0},
        {"1.2.3", 9, false, 0},
        {"0.09x", 9, false, 0},
        {"1e+", 9, false, 0},
        {"NaN", 9, false, 0},
        {"$1", 9, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = 0;
        bool good = number_parse_decimal(str_of(rows[i].text), rows[i].n_decimals, &value);
        if (good != rows[i].good || (good && value != rows[i].value)) {
            fail_msg("\"%s\": expected %d %lld, got %d %lld", rows[i].text, rows[i].good,
                     (long long)rows[i].value, good, (long long)value);
        }
    }
}

static void what_is_printed_reads_back(void **state)
{
    (void)state;
    struct rng rng = {.state = 7};
    for (int i = 0; i < 20000; i++) {
        char buffer[NUMBER_TEXT_MAX];
        int64_t again = 0;
        int n_decimals = (int)rng_below(&rng, 19);
        int64_t value = (int64_t)(rng_next(&rng) >> 1) >> rng_below(&rng, 60);
        value = rng_below(&rng, 2) == 0 ? value : -value;
        struct str text = number_format_decimal(value, n_decimals, buffer);
        if (!number_parse_decimal(text, n_decimals, &again) || again != value) {
            fail_msg("seed 7, round %d: %lld with %d decimals", i, (long long)value, n_decimals);
        }
    }
}

static void doubles_are_printed_short(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0.1, "0.1"},
                {0.3, "0.3"},
                {1e300, "1e+300"},
                {2.0 / 3.0, "0.6666666666666666"},
                {5e-324, "4.94065645841247e-324"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buffer[NUMBER_TEXT_MAX];
        struct str text = number_format_double(rows[i].value, buffer);
        if (!str_eq(text, str_of(rows[i].text))) {
            fail_msg("expected %s, got %.*s", rows[i].text, (int)text.n, text.p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_printed_without_floats),
        cmocka_unit_test(decimals_are_read_without_floats),
        cmocka_unit_test(what_is_printed_reads_back),
        cmocka_unit_test(doubles_are_printed_short),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}

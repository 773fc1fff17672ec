/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/qty.h"
#include "base/rng.h"

struct row {
    const char *text;
    int64_t base_down, base_up, milli_down, milli_up;
};

static const struct row good[] = {
    {"0", 0, 0, 0, 0},
    {"1", 1, 1, 1000, 1000},
    {"+1", 1, 1, 1000, 1000},
    {"-1", -1, -1, -1000, -1000},
    {"007", 7, 7, 7000, 7000},
    {"0.5", 0, 1, 500, 500},
    {".5", 0, 1, 500, 500},
    {"1.", 1, 1, 1000, 1000},
    {"1.5", 1, 2, 1500, 1500},
    {"500m", 0, 1, 500, 500},
    {"1930m", 1, 2, 1930, 1930},
    {"0.1", 0, 1, 100, 100},
    {"0.0001", 0, 1, 0, 1},
    {"100u", 0, 1, 0, 1},
    {"1500000u", 1, 2, 1500, 1500},
    {"1n", 0, 1, 0, 1},
    {"1000000000n", 1, 1, 1000, 1000},
    {"0n", 0, 0, 0, 0},
    {"2k", 2000, 2000, 2000000, 2000000},
    {"3M", 3000000, 3000000, 3000000000, 3000000000},
    {"1G", 1000000000, 1000000000, 1000000000000, 1000000000000},
    {"1T", 1000000000000, 1000000000000, 1000000000000000, 1000000000000000},
    {"1P", 1000000000000000, 1000000000000000, 1000000000000000000, 1000000000000000000},
    {"1Ki", 1024, 1024, 1024000, 1024000},
    {"1.5Gi", 1610612736, 1610612736, 1610612736000, 1610612736000},
    {"0.1Ki", 102, 103, 102400, 102400},
    {"6903Mi", 7238320128, 7238320128, 7238320128000, 7238320128000},
    {"2Ti", 2199023255552, 2199023255552, 2199023255552000, 2199023255552000},
    {"1Pi", 1125899906842624, 1125899906842624, 1125899906842624000, 1125899906842624000},
    {"1e3", 1000, 1000, 1000000, 1000000},
    {"1E3", 1000, 1000, 1000000, 1000000},
    {"12e-1", 1, 2, 1200, 1200},
    {"1e+2", 100, 100, 100000, 100000},
    {"1e-300", 0, 1, 0, 1},
    {"0e300", 0, 0, 0, 0},
    {"0E", 0, 0, 0, 0},
    {"-1500m", -1, -2, -1500, -1500},
    {"0.00000000000000000001Ei", 0, 1, 11, 12},
    {"0.000000000000000000000000001Ei", 0, 1, 0, 1},
    {"1.0000000000000000000000000000000000000000001", 1, 2, 1000, 1001},
};

static void quantities_are_read_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const struct row *row = &good[i];
        const int64_t expected[] = {row->base_down, row->base_up, row->milli_down, row->milli_up};
        for (int k = 0; k < 4; k++) {
            struct err err = {.code = ERR_NONE};
            int64_t value = -77;
            bool ok = qty_parse(str_of(row->text), k < 2 ? QTY_BASE : QTY_MILLI,
                                k % 2 == 0 ? QTY_DOWN : QTY_UP, &value, &err);
            if (!ok || value != expected[k]) {
                fail_msg("%s (%d): expected %lld, got %lld %s", row->text, k,
                         (long long)expected[k], (long long)value, err.text);
            }
        }
    }
}

static void wrong_quantities_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err_code code;
    } rows[] = {
        {"", ERR_INVALID},
        {"-", ERR_INVALID},
        {"+", ERR_INVALID},
        {".", ERR_INVALID},
        {" 1", ERR_INVALID},
        {"1 ", ERR_INVALID},
        {"1 Gi", ERR_INVALID},
        {"Gi", ERR_INVALID},
        {"1gi", ERR_INVALID},
        {"1Kib", ERR_INVALID},
        {"1ki", ERR_INVALID},
        {"1mi", ERR_INVALID},
        {"1K", ERR_INVALID},
        {"1e", ERR_INVALID},
        {"1e+", ERR_INVALID},
        {"1e1.5", ERR_INVALID},
        {"1e3k", ERR_INVALID},
        {"1.2.3", ERR_INVALID},
        {"--1", ERR_INVALID},
        {"0x10", ERR_INVALID},
        {"1,5", ERR_INVALID},
        {"NaN", ERR_INVALID},
        {"Inf", ERR_INVALID},
        {"five", ERR_INVALID},
        {"1i", ERR_INVALID},
        {"1EiB", ERR_INVALID},
        {"1mm", ERR_INVALID},
        {"1\xc2\xb5", ERR_INVALID},
        {"1e300", ERR_LIMIT},
        {"1e9999999999999999999", ERR_LIMIT},
        {"8Ei", ERR_LIMIT},
        {"9223372036854775808", ERR_LIMIT},
        {"10E", ERR_LIMIT},
        {"-9223372036854775808", ERR_LIMIT},
        {"99999999999999999999999999999999999999999999", ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {.code = ERR_NONE};
        int64_t value = -77;
        if (qty_parse(str_of(rows[i].text), QTY_BASE, QTY_UP, &value, &err) ||
            err.code != rows[i].code || value != -77) {
            fail_msg("\"%s\": expected %s, got %s, %lld", rows[i].text, err_code_name(rows[i].code),
                     err_code_name(err.code), (long long)value);
        }
    }
}

static void the_largest_values_fit(void **state)
{
    (void)state;
    int64_t value = 0;
    struct err err;
    assert_true(qty_parse(STR("9223372036854775807"), QTY_BASE, QTY_UP, &value, &err));
    assert_int_equal(value, INT64_MAX);
    assert_true(qty_parse(STR("-9223372036854775807"), QTY_BASE, QTY_UP, &value, &err));
    assert_int_equal(value, -INT64_MAX);
    assert_true(qty_parse(STR("7.9999999999999999999Ei"), QTY_BASE, QTY_DOWN, &value, &err));
    assert_int_equal(value, INT64_MAX);
    assert_false(qty_parse(STR("7.9999999999999999999Ei"), QTY_BASE, QTY_UP, &value, &err));
    assert_false(qty_parse(STR("9223372036854776"), QTY_MILLI, QTY_UP, &value, &err));
    assert_string_equal(err.text,
                        "quantity \"9223372036854776\" is too large (the maximum is 2^63-1 "
                        "thousandths, about 9.2P)");
    assert_true(qty_parse(STR("9.2P"), QTY_MILLI, QTY_UP, &value, &err));
    assert_false(qty_parse(STR("9.3E"), QTY_BASE, QTY_UP, &value, &err));
    assert_string_equal(err.text,
                        "quantity \"9.3E\" is too large (the maximum is 2^63-1, about 9.2E)");
}

static void json_values_are_taken_by_their_text(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int64_t milli; /* -1: refused */
    } rows[] = {{"\"500m\"", 500}, {"2", 2000},  {"0.5", 500},  {"0.1", 100},   {"0.3", 300},
                {"1e3", 1000000},  {"true", -1}, {"null", -1},  {"[1]", -1},    {"{}", -1},
                {"1e300", -1},     {"\"\"", -1}, {"0.0005", 1}, {"2.675", 2675}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err;
        int64_t value = 0;
        json_t *json = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
        assert_non_null(json);
        bool ok = qty_parse_json(json, QTY_MILLI, QTY_UP, &value, &err);
        json_decref(json);
        if (ok != (rows[i].milli >= 0) || (ok && value != rows[i].milli)) {
            fail_msg("%s: expected %lld, got %d, %lld", rows[i].json, (long long)rows[i].milli, ok,
                     (long long)value);
        }
    }
    struct err err;
    int64_t value = 0;
    assert_false(qty_parse_json(NULL, QTY_BASE, QTY_UP, &value, &err));
}

static void values_are_printed_as_kubernetes_does(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        enum qty_unit unit;
        enum qty_style style;
        const char *text;
    } rows[] = {
        {0, QTY_BASE, QTY_DECIMAL, "0"},
        {0, QTY_MILLI, QTY_BINARY, "0"},
        {1930, QTY_MILLI, QTY_DECIMAL, "1930m"},
        {2000, QTY_MILLI, QTY_DECIMAL, "2"},
        {29, QTY_BASE, QTY_DECIMAL, "29"},
        {5000, QTY_BASE, QTY_DECIMAL, "5k"},
        {1, QTY_MILLI, QTY_DECIMAL, "1m"},
        {5000000, QTY_MILLI, QTY_DECIMAL, "5k"},
        {INT64_C(6903) << 20, QTY_BASE, QTY_BINARY, "6903Mi"},
        {INT64_C(17) << 30, QTY_BASE, QTY_BINARY, "17Gi"},
        {1000, QTY_BASE, QTY_BINARY, "1000"},
        {1025, QTY_BASE, QTY_BINARY, "1025"},
        {1500, QTY_MILLI, QTY_BINARY, "1500m"},
        {2048000, QTY_MILLI, QTY_BINARY, "2Ki"},
        {-500, QTY_MILLI, QTY_DECIMAL, "-500m"},
        {INT64_C(1) << 60, QTY_BASE, QTY_BINARY, "1Ei"},
        {INT64_C(1000000000000000000), QTY_BASE, QTY_DECIMAL, "1E"},
        {INT64_MAX, QTY_BASE, QTY_BINARY, "9223372036854775807"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buffer[QTY_TEXT_MAX];
        struct str text = qty_format(rows[i].value, rows[i].unit, rows[i].style, buffer);
        if (!str_eq(text, str_of(rows[i].text))) {
            fail_msg("expected %s, got %.*s", rows[i].text, (int)text.n, text.p);
        }
    }
}

static void what_is_printed_reads_back(void **state)
{
    (void)state;
    struct rng rng = {.state = 1};
    for (int i = 0; i < 20000; i++) {
        char buffer[QTY_TEXT_MAX];
        struct err err;
        int64_t again = 0;
        enum qty_unit unit = rng_below(&rng, 2) == 0 ? QTY_BASE : QTY_MILLI;
        enum qty_style style = rng_below(&rng, 2) == 0 ? QTY_DECIMAL : QTY_BINARY;
        int64_t value =
            (int64_t)((rng_next(&rng) >> rng_below(&rng, 62) << rng_below(&rng, 20)) >> 1);
        struct str text = qty_format(value, unit, style, buffer);
        if (!qty_parse(text, unit, QTY_DOWN, &again, &err) || again != value) {
            fail_msg("seed 1, round %d: %lld printed as %.*s reads as %lld", i, (long long)value,
                     (int)text.n, text.p, (long long)again);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantities_are_read_exactly),
        cmocka_unit_test(wrong_quantities_are_refused),
        cmocka_unit_test(the_largest_values_fit),
        cmocka_unit_test(json_values_are_taken_by_their_text),
        cmocka_unit_test(values_are_printed_as_kubernetes_does),
        cmocka_unit_test(what_is_printed_reads_back),
    };
    return cmocka_run_group_tests_name("qty", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/duration.h"

static void durations_are_read_as_go_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"0", 0},
        {"0s", 0},
        {"5s", 5000},
        {"30s", 30000},
        {"1478s", 1478000},
        {"-5s", -5000},
        {"+5s", 5000},
        {"-0", 0},
        {"5.0s", 5000},
        {"5.6s", 5600},
        {"5.s", 5000},
        {".5s", 500},
        {"1.0s", 1000},
        {"1.004s", 1004},
        {"100.00100s", 100001},
        {"10ns", 0},
        {"1500us", 1},
        {"12\xc2\xb5s", 0},
        {"12\xce\xbcs", 0},
        {"13ms", 13},
        {"14s", 14000},
        {"15m", 900000},
        {"16h", 57600000},
        {"3h30m", 12600000},
        {"10.5s4m", 250500},
        {"-2m3.4s", -123400},
        {"720h", 2592000000},
        {"39h9m14.425s", 140954425},
        {"2562047h47m16.854775807s", 9223372036854},
        {"0.3333333333333333333h", 1200000 - 1},
        {"9007199254.740993ms", 9007199254},
        {"1h0m0s", 3600000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {.code = ERR_NONE};
        int64_t ms = -77;
        if (!duration_parse(str_of(rows[i].text), &ms, &err) || ms != rows[i].ms) {
            fail_msg("%s: expected %lld, got %lld %s", rows[i].text, (long long)rows[i].ms,
                     (long long)ms, err.text);
        }
    }
}

static void wrong_durations_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err_code code;
    } rows[] = {
        {"", ERR_INVALID},
        {"3", ERR_INVALID},
        {"-", ERR_INVALID},
        {"s", ERR_INVALID},
        {".", ERR_INVALID},
        {"-.", ERR_INVALID},
        {".s", ERR_INVALID},
        {"+.s", ERR_INVALID},
        {"1d", ERR_INVALID},
        {"1 h", ERR_INVALID},
        {"never", ERR_INVALID},
        {"1h ", ERR_INVALID},
        {"1h-5m", ERR_INVALID},
        {"\x85\x85", ERR_INVALID},
        {"1H", ERR_INVALID},
        {"9999999h", ERR_LIMIT},
        {"99999999999999999999999999999999h", ERR_LIMIT},
        {"2562047h47m16.854775808s", ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {.code = ERR_NONE};
        int64_t ms = -77;
        if (duration_parse(str_of(rows[i].text), &ms, &err) || err.code != rows[i].code) {
            fail_msg("\"%s\": expected %s, got %s", rows[i].text, err_code_name(rows[i].code),
                     err_code_name(err.code));
        }
    }
}

static void never_is_allowed_where_asked_for(void **state)
{
    (void)state;
    struct duration duration;
    struct err err;
    int64_t ms = 0;
    assert_true(duration_parse_never(STR("Never"), &duration, &err));
    assert_true(duration.never);
    assert_true(duration_parse_never(STR("1m"), &duration, &err));
    assert_false(duration.never);
    assert_int_equal(duration.ms, 60000);
    assert_false(duration_parse_never(STR("NEVER"), &duration, &err));
    assert_false(duration_parse(STR("Never"), &ms, &err));
}

static void durations_are_printed_as_go_prints_them(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{0, "0s"},           {1, "1ms"},           {20, "20ms"},
                {1100, "1.1s"},      {2200, "2.2s"},       {1050, "1.05s"},
                {1005, "1.005s"},    {60000, "1m0s"},      {90000, "1m30s"},
                {3600000, "1h0m0s"}, {5400000, "1h30m0s"}, {2592000000, "720h0m0s"},
                {-5000, "-5s"},      {245001, "4m5.001s"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buffer[DURATION_TEXT_MAX];
        struct str text = duration_format(rows[i].ms, buffer);
        if (!str_eq(text, str_of(rows[i].text))) {
            fail_msg("expected %s, got %.*s", rows[i].text, (int)text.n, text.p);
        }
    }
    char buffer[DURATION_TEXT_MAX];
    assert_true(duration_format(INT64_MIN, buffer).n < DURATION_TEXT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_as_go_reads_them),
        cmocka_unit_test(wrong_durations_are_refused),
        cmocka_unit_test(never_is_allowed_where_asked_for),
        cmocka_unit_test(durations_are_printed_as_go_prints_them),
    };
    return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}

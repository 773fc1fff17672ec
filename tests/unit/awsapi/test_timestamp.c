/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Times as AWS writes them, and the clock correction that is learned from one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "awsapi/skew.h"
#include "awsapi/timestamp.h"

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        wall_t want;
    } rows[] = {
        {"2014-04-29T18:30:38Z", INT64_C(1398796238000)},
        {"2019-12-16T22:48:18-01:00", INT64_C(1576540098000)},
        {"2000-01-02T20:34:56.123Z", INT64_C(946845296123)},
        {"Tue, 29 Apr 2014 18:30:38 GMT", INT64_C(1398796238000)},
        {"Sun, 02 Jan 2000 20:34:56.456 GMT", INT64_C(946845296456)},
        {" 1398796238 ", INT64_C(1398796238000)},
        {"1398796238.25", INT64_C(1398796238250)},
        {"1.398796238E9", INT64_C(1398796238000)},
        {"-1", -1000},
    };
    static const char *const bad[] = {"",
                                      "now",
                                      "2014-04-29",
                                      "2014-13-29T18:30:38Z",
                                      "Tue, 29 Abc 2014 18:30:38 GMT",
                                      "Tue, 29 Apr 2014 18:30:38",
                                      "Tue, 29 Apr 2014 18:30:38 CET",
                                      "Tue, 9 Apr 2014 18:30:38 GMT",
                                      "Tue, 29 Apr 2014 99:30:38 GMT",
                                      ",",
                                      "1e400"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wall_t have = 0;
        struct err err = {.code = ERR_NONE};
        if (!aws_time_parse(str_of(rows[i].text), &have, &err) || have != rows[i].want) {
            fail_msg("%s: have %lld, want %lld", rows[i].text, (long long)have,
                     (long long)rows[i].want);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        wall_t have = 0;
        struct err err = {.code = ERR_NONE};
        if (aws_time_parse(str_of(bad[i]), &have, &err) || err.code != ERR_INVALID) {
            fail_msg("%s: taken for %lld", bad[i], (long long)have);
        }
    }
}

static void test_format(void **state)
{
    static const struct {
        wall_t time;
        enum aws_time_format format;
        const char *want;
    } rows[] = {
        {INT64_C(1398796238000), AWS_TIME_ISO8601, "2014-04-29T18:30:38Z"},
        {INT64_C(1398796238000), AWS_TIME_HTTP, "Tue, 29 Apr 2014 18:30:38 GMT"},
        {INT64_C(1398796238000), AWS_TIME_EPOCH, "1398796238"},
        {INT64_C(1398796238250), AWS_TIME_EPOCH, "1398796238.25"},
        {0, AWS_TIME_HTTP, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1000, AWS_TIME_HTTP, "Wed, 31 Dec 1969 23:59:59 GMT"},
        {INT64_C(1709164800000), AWS_TIME_HTTP, "Thu, 29 Feb 2024 00:00:00 GMT"},
    };
    char room[AWS_TIME_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str have = aws_time_format(rows[i].time, rows[i].format, room);
        wall_t back = 0;
        struct err err = {.code = ERR_NONE};
        if (!str_eq(have, str_of(rows[i].want))) {
            fail_msg("have " STR_FMT ", want %s", STR_ARG(have), rows[i].want);
        }
        assert_true(aws_time_parse(have, &back, &err));
        assert_int_equal(back, rows[i].time);
    }
    assert_true(str_eq(aws_time_basic(INT64_C(1440938160999), room), STR("20150830T123600Z")));
}

static void test_skew(void **state)
{
    struct aws_skew skew = {0};
    wall_t local = INT64_C(1398796238000);
    (void)state;
    assert_int_equal(aws_skew_now(&skew, local), local);
    /* Agreement within four minutes explains no refusal. */
    assert_false(aws_skew_learn(&skew, local, STR("Tue, 29 Apr 2014 18:33:38 GMT")));
    assert_false(aws_skew_learn(&skew, local, STR("Tue, 29 Apr 2014 18:27:38 GMT")));
    assert_false(aws_skew_learn(&skew, local, STR("yesterday")));
    assert_int_equal(skew.ahead_ms, 0);
    assert_true(aws_skew_learn(&skew, local, STR("Tue, 29 Apr 2014 18:50:38 GMT")));
    assert_int_equal(skew.ahead_ms, 20 * 60 * 1000);
    assert_int_equal(aws_skew_now(&skew, local), local + 20 * 60 * 1000);
    /* The same refusal again is not about the clock. */
    assert_false(aws_skew_learn(&skew, local, STR("Tue, 29 Apr 2014 18:50:39 GMT")));
    /* Our clock is mended: the correction is learned back. */
    assert_true(aws_skew_learn(&skew, local, STR("Tue, 29 Apr 2014 18:30:38 GMT")));
    assert_int_equal(skew.ahead_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_skew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

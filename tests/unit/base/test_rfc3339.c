/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rfc3339.h"
#include "base/rng.h"

static void times_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        wall_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2026-08-20T09:30:00Z", INT64_C(1787218200000)},
        {"2026-08-20T09:30:00.25Z", INT64_C(1787218200250)},
        {"2026-08-20T09:30:00.123456Z", INT64_C(1787218200123)},
        {"2026-08-20T11:30:00+02:00", INT64_C(1787218200000)},
        {"2026-08-20T04:00:00-05:30", INT64_C(1787218200000)},
        {"2026-08-20t09:30:00z", INT64_C(1787218200000)},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000)},
        {"0000-01-01T00:00:00Z", INT64_C(-62167219200000)},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800000)},
        {"9999-12-31T23:59:59Z", INT64_C(253402300799000)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {.code = ERR_NONE};
        wall_t ms = -77;
        if (!rfc3339_parse(str_of(rows[i].text), &ms, &err) || ms != rows[i].ms) {
            fail_msg("%s: expected %lld, got %lld %s", rows[i].text, (long long)rows[i].ms,
                     (long long)ms, err.text);
        }
    }
}

static void wrong_times_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "2026",
        "2026-08-20",
        "2026-08-20T09:30:00",
        "2026-08-20 09:30:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-08-00T00:00:00Z",
        "2026-08-20T24:00:00Z",
        "2026-08-20T23:60:00Z",
        "2026-08-20T23:59:60Z",
        "2026-08-20T09:30:00.Z",
        "2026-08-20T09:30:00+2:00",
        "2026-08-20T09:30:00+24:00",
        "2026-08-20T09:30:00+02:60",
        "2026-08-20T09:30:00ZZ",
        "26-08-20T09:30:00Z",
        "2026-8-20T09:30:00Z",
        "+026-08-20T09:30:00Z",
        "2026-08-20T09:30Z",
        " 2026-08-20T09:30:00Z",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {.code = ERR_NONE};
        wall_t ms = 0;
        if (rfc3339_parse(str_of(rows[i]), &ms, &err) || err.code != ERR_INVALID) {
            fail_msg("\"%s\" was accepted", rows[i]);
        }
    }
}

static void times_are_printed(void **state)
{
    (void)state;
    static const struct {
        wall_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},         {INT64_C(1787218200250), "2026-08-20T09:30:00.250Z"},
        {-1, "1969-12-31T23:59:59.999Z"},    {INT64_C(951782400000), "2000-02-29T00:00:00Z"},
        {INT64_MIN, "0000-01-01T00:00:00Z"}, {INT64_MAX, "9999-12-31T23:59:59.999Z"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buffer[RFC3339_TEXT_MAX];
        struct str text = rfc3339_format(rows[i].ms, buffer);
        if (!str_eq(text, str_of(rows[i].text))) {
            fail_msg("expected %s, got %.*s", rows[i].text, (int)text.n, text.p);
        }
    }
}

static void every_third_day_reads_back(void **state)
{
    (void)state;
    char buffer[RFC3339_TEXT_MAX];
    struct err err;
    wall_t again = 0;
    for (wall_t day = -719528; day < 2932897; day += 3) {
        wall_t time = day * 86400000 + 12345678;
        if (!rfc3339_parse(rfc3339_format(time, buffer), &again, &err) || again != time) {
            fail_msg("day %lld reads back as %lld", (long long)time, (long long)again);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(wrong_times_are_refused),
        cmocka_unit_test(times_are_printed),
        cmocka_unit_test(every_third_day_reads_back),
    };
    return cmocka_run_group_tests_name("rfc3339", tests, NULL, NULL);
}

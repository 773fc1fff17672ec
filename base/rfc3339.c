/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/rfc3339.h"

#include <stdint.h>
#include <stdio.h>

enum { DAY_MS = 24 * 60 * 60 * 1000, DAYS_TO_1970 = 719528 /* from 0000-01-01 */ };

static bool leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && leap(year) ? 1 : 0);
}

/* Days from 0000-01-01 to January 1st of the year, year >= 0. */
static int64_t days_before_year(int64_t year)
{
    return year == 0 ? 0 : year * 365 + (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 + 1;
}

static bool take_number(struct str *s, size_t n_digits, int min, int max, int *ret_value)
{
    uint64_t value = 0;
    if (s->n < n_digits || !str_to_u64(str_sub(*s, 0, n_digits), &value) || value < (uint64_t)min ||
        value > (uint64_t)max) {
        return false;
    }
    *s = str_sub(*s, n_digits, s->n);
    *ret_value = (int)value;
    return true;
}

static bool take_char(struct str *s, char a, char b)
{
    if (s->n == 0 || (s->p[0] != a && s->p[0] != b)) {
        return false;
    }
    *s = str_sub(*s, 1, s->n);
    return true;
}

/* ".25" as milliseconds; absent is 0. */
static bool take_fraction(struct str *s, int *ret_ms)
{
    int ms = 0, weight = 100;
    size_t n = 0;
    if (!take_char(s, '.', ',')) {
        *ret_ms = 0;
        return true;
    }
    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++) {
        ms += (s->p[n] - '0') * weight;
        weight /= 10;
    }
    *s = str_sub(*s, n, s->n);
    *ret_ms = ms;
    return n > 0;
}

static bool take_offset(struct str *s, int64_t *ret_ms)
{
    int hours = 0, minutes = 0;
    if (take_char(s, 'Z', 'z')) {
        *ret_ms = 0;
        return true;
    }
    bool west = s->n > 0 && s->p[0] == '-';
    if (!take_char(s, '+', '-') || !take_number(s, 2, 0, 23, &hours) || !take_char(s, ':', ':') ||
        !take_number(s, 2, 0, 59, &minutes)) {
        return false;
    }
    int64_t ms = (int64_t)(hours * 60 + minutes) * 60000;
    *ret_ms = west ? -ms : ms;
    return true;
}

static bool parse(struct str s, wall_t *ret_time)
{
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0;
    int64_t offset_ms = 0;
    if (!take_number(&s, 4, 0, 9999, &year) || !take_char(&s, '-', '-') ||
        !take_number(&s, 2, 1, 12, &month) || !take_char(&s, '-', '-') ||
        !take_number(&s, 2, 1, days_in_month(year, month), &day) || !take_char(&s, 'T', 't') ||
        !take_number(&s, 2, 0, 23, &hour) || !take_char(&s, ':', ':') ||
        !take_number(&s, 2, 0, 59, &minute) || !take_char(&s, ':', ':') ||
        !take_number(&s, 2, 0, 59, &second) || !take_fraction(&s, &ms) ||
        !take_offset(&s, &offset_ms) || s.n > 0) {
        return false;
    }
    int64_t days = days_before_year(year) + day - 1;
    for (int m = 1; m < month; m++) {
        days += days_in_month(year, m);
    }
    int64_t in_day = ((int64_t)hour * 60 + minute) * 60000 + (int64_t)second * 1000 + ms;
    *ret_time = (days - DAYS_TO_1970) * DAY_MS + in_day - offset_ms;
    return true;
}

bool rfc3339_parse(struct str text, wall_t *ret_time, struct err *err)
{
    if (!parse(text, ret_time)) {
        return err_set(err, ERR_INVALID,
                       "\"" STR_FMT "\" is not a time (RFC 3339, such as 2026-08-20T09:30:00Z)",
                       (int)(text.n > 64 ? 64 : text.n), text.p == NULL ? "" : text.p);
    }
    return true;
}

struct str rfc3339_format(wall_t time, char *buffer)
{
    const wall_t first = -(wall_t)DAYS_TO_1970 * DAY_MS,
                 end = (days_before_year(10000) - DAYS_TO_1970) * DAY_MS;
    time = time < first ? first : time >= end ? end - 1 : time;
    int64_t days = (time - first) / DAY_MS, in_day = (time - first) % DAY_MS;
    int64_t year = days * 400 / 146097; /* exact or one too large */
    year -= days_before_year(year) > days ? 1 : 0;
    year += days_before_year(year + 1) <= days ? 1 : 0;
    int month = 1;
    int64_t day = days - days_before_year(year);
    for (; day >= days_in_month(year, month); month++) {
        day -= days_in_month(year, month);
    }
    int second = (int)(in_day / 1000), ms = (int)(in_day % 1000);
    int n = snprintf(buffer, RFC3339_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year % 10000,
                     month, (int)day + 1, second / 3600, second / 60 % 60, second % 60);
    n += ms == 0 ? snprintf(buffer + n, (size_t)(RFC3339_TEXT_MAX - n), "Z")
                 : snprintf(buffer + n, (size_t)(RFC3339_TEXT_MAX - n), ".%03dZ", ms);
    return (struct str){.p = buffer, .n = (size_t)n};
}

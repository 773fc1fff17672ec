/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/duration.h"

#include <stdio.h>

struct unit {
    struct str name;
    int64_t ns;
};

static const struct unit units[] = {
    {STR("ns"), INT64_C(1)},           {STR("us"), INT64_C(1000)},
    {STR("\xc2\xb5s"), INT64_C(1000)}, /* micro sign */
    {STR("\xce\xbcs"), INT64_C(1000)}, /* Greek mu */
    {STR("ms"), INT64_C(1000000)},     {STR("s"), INT64_C(1000000000)},
    {STR("m"), INT64_C(60000000000)},  {STR("h"), INT64_C(3600000000000)},
};

static bool malformed(struct str text, struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "\"" STR_FMT "\" is not a duration (such as 30s, 1h30m or 720h)",
                   (int)(text.n > 64 ? 64 : text.n), text.p == NULL ? "" : text.p);
}

static bool too_long(struct str text, struct err *err)
{
    return err_set(err, ERR_LIMIT,
                   "duration \"" STR_FMT "\" is too long (the maximum is 292 years)",
                   (int)(text.n > 64 ? 64 : text.n), text.p == NULL ? "" : text.p);
}

static bool is_digit(struct str s)
{
    return s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9';
}

static const struct unit *take_unit(struct str *s)
{
    size_t n = 0;
    while (n < s->n && s->p[n] != '.' && (s->p[n] < '0' || s->p[n] > '9')) {
        n++;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (str_eq(str_sub(*s, 0, n), units[i].name)) {
            *s = str_sub(*s, n, s->n);
            return &units[i];
        }
    }
    return NULL;
}

/* The fraction of one unit in nanoseconds; digits beyond what can matter are read and dropped. */
static __int128 fraction_ns(__int128 fraction, int n_digits, int64_t unit_ns)
{
    __int128 ns = fraction * unit_ns;
    for (int i = 0; i < n_digits; i++) {
        ns /= 10;
    }
    return ns;
}

/* One number with its unit, added to *ns (which saturates far above the maximum). */
static bool take_part(struct str *s, __int128 *ns)
{
    const __int128 enough = (__int128)1 << 70;
    __int128 whole = 0, fraction = 0;
    int n_digits = 0;
    bool any = false;
    for (; is_digit(*s); *s = str_sub(*s, 1, s->n)) {
        any = true;
        whole = whole < enough ? whole * 10 + (s->p[0] - '0') : whole;
    }
    if (s->n > 0 && s->p[0] == '.') {
        for (*s = str_sub(*s, 1, s->n); is_digit(*s); *s = str_sub(*s, 1, s->n)) {
            any = true;
            if (n_digits < 18) {
                fraction = fraction * 10 + (s->p[0] - '0');
                n_digits++;
            }
        }
    }
    const struct unit *unit = any ? take_unit(s) : NULL;
    if (unit == NULL) {
        return false;
    }
    *ns += whole * unit->ns + fraction_ns(fraction, n_digits, unit->ns);
    *ns = *ns > enough * 2 ? enough * 2 : *ns;
    return true;
}

bool duration_parse(struct str text, int64_t *ret_ms, struct err *err)
{
    __int128 ns = 0;
    struct str rest = text;
    bool negative = text.n > 0 && text.p[0] == '-';
    if (text.n > 0 && (text.p[0] == '-' || text.p[0] == '+')) {
        rest = str_sub(text, 1, text.n);
    }
    if (str_eq(rest, STR("0"))) {
        *ret_ms = 0;
        return true;
    }
    if (rest.n == 0) {
        return malformed(text, err);
    }
    while (rest.n > 0) {
        if (!take_part(&rest, &ns)) {
            return malformed(text, err);
        }
    }
    if (ns > INT64_MAX) {
        return too_long(text, err);
    }
    int64_t ms = (int64_t)(ns / 1000000);
    *ret_ms = negative ? -ms : ms;
    return true;
}

bool duration_parse_never(struct str text, struct duration *ret_duration, struct err *err)
{
    if (str_eq(text, STR("Never"))) {
        *ret_duration = (struct duration){.never = true, .ms = 0};
        return true;
    }
    int64_t ms = 0;
    if (!duration_parse(text, &ms, err)) {
        return false;
    }
    *ret_duration = (struct duration){.never = false, .ms = ms};
    return true;
}

struct str duration_format(int64_t ms, char *buffer)
{
    uint64_t rest = ms < 0 ? UINT64_C(0) - (uint64_t)ms : (uint64_t)ms;
    uint64_t hours = rest / 3600000, minutes = rest / 60000 % 60, seconds = rest / 1000 % 60,
             millis = rest % 1000;
    char tail[16];
    int n = 0;
    if (rest > 0 && rest < 1000) {
        (void)snprintf(tail, sizeof tail, "%ums", (unsigned)millis);
    } else if (millis == 0) {
        (void)snprintf(tail, sizeof tail, "%us", (unsigned)seconds);
    } else {
        int digits = millis % 100 == 0 ? 1 : millis % 10 == 0 ? 2 : 3;
        unsigned shown = (unsigned)(digits == 1   ? millis / 100
                                    : digits == 2 ? millis / 10
                                                  : millis);
        (void)snprintf(tail, sizeof tail, "%u.%0*us", (unsigned)seconds, digits, shown);
    }
    const char *sign = ms < 0 ? "-" : "";
    if (hours > 0) {
        n = snprintf(buffer, DURATION_TEXT_MAX, "%s%lluh%um%s", sign, (unsigned long long)hours,
                     (unsigned)minutes, tail);
    } else if (minutes > 0) {
        n = snprintf(buffer, DURATION_TEXT_MAX, "%s%um%s", sign, (unsigned)minutes, tail);
    } else {
        n = snprintf(buffer, DURATION_TEXT_MAX, "%s%s", sign, tail);
    }
    return (struct str){.p = buffer, .n = (size_t)n};
}

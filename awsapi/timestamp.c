/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/timestamp.h"

#include <assert.h>
#include <stdio.h>

#include "base/number.h"
#include "base/rfc3339.h"

enum { MS_PER_DAY = 24 * 60 * 60 * 1000, SHOWN_BYTES = 80, MS_DECIMALS = 3 };

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char weekdays[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};

struct str aws_time_basic(wall_t time, char *buffer)
{
    char iso[RFC3339_TEXT_MAX];
    size_t n = 0;
    struct str text = rfc3339_format(time - (time % 1000 + 1000) % 1000, iso);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '-' && text.p[i] != ':') {
            buffer[n++] = text.p[i];
        }
    }
    return (struct str){.p = buffer, .n = n};
}

static struct str format_http(wall_t time, char *buffer)
{
    char iso[RFC3339_TEXT_MAX];
    int64_t ms = (time % 1000 + 1000) % 1000;
    int64_t day = (time - ms) / MS_PER_DAY - ((time - ms) % MS_PER_DAY < 0 ? 1 : 0);
    struct str text = rfc3339_format(time, iso);
    size_t month = (size_t)(text.p[5] - '0') * 10 + (size_t)(text.p[6] - '0') - 1;
    struct str fraction =
        ms == 0 ? STR_EMPTY : str_sub(text, 19, text.n - 20); /* ".250", before the Z */
    assert(month < 12);
    int n = snprintf(buffer, AWS_TIME_TEXT_MAX, "%s, %.2s %s %.4s %.8s%.*s GMT",
                     weekdays[(day % 7 + 7) % 7], text.p + 8, months[month], text.p, text.p + 11,
                     (int)fraction.n, fraction.p == NULL ? "" : fraction.p);
    return (struct str){.p = buffer, .n = (size_t)n};
}

struct str aws_time_format(wall_t time, enum aws_time_format format, char *buffer)
{
    if (format == AWS_TIME_HTTP) {
        return format_http(time, buffer);
    }
    if (format == AWS_TIME_ISO8601) {
        return rfc3339_format(time, buffer);
    }
    return number_format_decimal(time, MS_DECIMALS, buffer);
}

static bool fault(struct str text, struct err *err)
{
    struct str shown = str_sub(text, 0, SHOWN_BYTES);
    return err_set(err, ERR_INVALID, "\"" STR_FMT "\" is no time that AWS writes", STR_ARG(shown));
}

/* "Thu, 20 Aug 2026 09:30:00.25 GMT": put together again as RFC 3339. */
static bool parse_http(struct str text, wall_t *ret_time, struct err *err)
{
    char iso[64];
    struct str rest = str_trim(str_sub(text, str_find(text, ',') + 1, text.n));
    size_t month = 0;
    if (rest.n < 24 || rest.n > 40 || rest.p[2] != ' ' || rest.p[6] != ' ' || rest.p[11] != ' ' ||
        !str_ends(rest, STR(" GMT"))) {
        return fault(text, err);
    }
    while (month < 12 && !str_eq(str_sub(rest, 3, 3), str_of(months[month]))) {
        month++;
    }
    if (month == 12) {
        return fault(text, err);
    }
    struct str clock = str_sub(rest, 12, rest.n - 12 - 4);
    int n = snprintf(iso, sizeof iso, "%.4s-%02zu-%.2sT%.*sZ", rest.p + 7, month + 1, rest.p,
                     (int)clock.n, clock.p);
    struct err inner = {.code = ERR_NONE};
    return rfc3339_parse((struct str){.p = iso, .n = (size_t)n}, ret_time, &inner) ||
           fault(text, err);
}

bool aws_time_parse(struct str text, wall_t *ret_time, struct err *err)
{
    struct str trimmed = str_trim(text);
    struct err inner = {.code = ERR_NONE};
    if (str_find(trimmed, ',') < trimmed.n) {
        return parse_http(trimmed, ret_time, err);
    }
    if (str_find(trimmed, 'T') < trimmed.n || str_find(trimmed, ':') < trimmed.n) {
        return rfc3339_parse(trimmed, ret_time, &inner) || fault(text, err);
    }
    return number_parse_decimal(trimmed, MS_DECIMALS, ret_time) || fault(text, err);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "binpack/view/display.h"

static const char *style_code(enum text_style style)
{
    switch (style) {
    case TEXT_HEAD:
        return "\033[1m";
    case TEXT_GOOD:
        return "\033[32m";
    case TEXT_BAD:
        return "\033[1;31m";
    case TEXT_FAINT:
        return "\033[2m";
    case TEXT_PLAIN:
        break;
    }
    return "";
}

void text_add(struct strbuf *b, const struct text_look *look, enum text_style style, struct str s)
{
    bool styled = look->color && style != TEXT_PLAIN && s.n > 0;
    if (styled) {
        strbuf_add(b, str_of(style_code(style)));
    }
    strbuf_add(b, display_safe(b->arena, s));
    if (styled) {
        strbuf_add(b, STR("\033[0m"));
    }
}

struct str text_format(struct arena *arena, const char *format, ...)
{
    assert(format != NULL);
    char small[1];
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    size_t size = n < 0 ? 1 : (size_t)n + 1;
    char *text = arena_alloc(arena, size);
    (void)vsnprintf(text, size, format, again);
    va_end(again);
    return (struct str){.p = text, .n = size - 1};
}

/* Digits in groups of three. */
static void grouped(struct strbuf *b, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            strbuf_addc(b, ',');
        }
        strbuf_addc(b, digits[i]);
    }
}

struct str text_usd(struct arena *arena, usd_t price, unsigned decimals)
{
    uint64_t unit = 1;
    uint64_t scale = 1;
    for (unsigned i = 0; i < 9; i++) {
        *(i < decimals ? &scale : &unit) *= 10;
    }
    uint64_t magnitude = price < 0 ? UINT64_C(0) - (uint64_t)price : (uint64_t)price;
    uint64_t rounded = magnitude / unit + (magnitude % unit * 2 >= unit && unit > 1 ? 1 : 0);
    struct strbuf b = strbuf_new(arena, 64);
    if (price < 0 && rounded > 0) {
        strbuf_addc(&b, '-');
    }
    grouped(&b, rounded / scale);
    if (decimals > 0) {
        strbuf_addf(&b, ".%0*" PRIu64, (int)decimals, rounded % scale);
    }
    return strbuf_str(&b);
}

struct str text_per_hour_and_month(struct arena *arena, usd_t price)
{
    struct str hour = text_usd(arena, price, 4);
    struct str month = text_usd(arena, sat_mul(price, HOURS_PER_MONTH), 2);
    return text_format(arena, "$" STR_FMT "/h ($" STR_FMT "/mo)", STR_ARG(hour), STR_ARG(month));
}

struct str text_count(struct arena *arena, uint64_t n)
{
    struct strbuf b = strbuf_new(arena, 32);
    grouped(&b, n);
    return strbuf_str(&b);
}

struct str text_things(struct arena *arena, uint64_t n, const char *thing)
{
    struct strbuf b = strbuf_new(arena, 128);
    grouped(&b, n);
    strbuf_addf(&b, " %s%s", thing, n == 1 ? "" : "s");
    return strbuf_str(&b);
}

struct str text_percent(struct arena *arena, int64_t part, int64_t whole)
{
    if (whole <= 0) {
        return STR("-");
    }
    int64_t percent = (muldiv_floor(part, 200, whole) + 1) / 2;
    if (percent >= 100 && part < whole) {
        percent = 99;
    }
    if (percent <= 0 && part > 0) {
        percent = 1;
    }
    return text_format(arena, "%" PRId64 "%%", percent);
}

struct str text_change(struct arena *arena, int64_t change, int64_t before)
{
    if (before <= 0 && change != 0) {
        return STR("-");
    }
    bool down = change < 0;
    int64_t size = down ? sat_sub(0, change) : change;
    int64_t tenths = before <= 0 ? 0 : (muldiv_floor(size, 2000, before) + 1) / 2;
    const char *sign = tenths == 0 ? "" : down ? "-" : "+";
    return text_format(arena, "%s%" PRId64 ".%" PRId64 "%%", sign, tenths / 10, tenths % 10);
}

struct str text_signed_usd(struct arena *arena, usd_t change, unsigned decimals)
{
    struct str text = text_usd(arena, change, decimals);
    bool some = false;
    for (size_t i = 0; i < text.n; i++) {
        some = some || (text.p[i] >= '1' && text.p[i] <= '9');
    }
    return change > 0 && some ? text_format(arena, "+" STR_FMT, STR_ARG(text)) : text;
}

struct str text_gap(struct arena *arena, int64_t ppb)
{
    /* One percent is 10^7 ppb. Two digits that count, rounded up: a proof may not be praised too
     * much. */
    int64_t unit = 100000;
    int digits = 2;
    while (digits < 7 && ppb > 0 && ppb < unit * 10) {
        unit /= 10;
        digits++;
    }
    int64_t rounded = (ppb + unit - 1) / unit;
    int64_t scale = 10000000 / unit;
    return text_format(arena, "%" PRId64 ".%0*" PRId64 "%%", rounded / scale, digits,
                       rounded % scale);
}

void text_paragraph(struct strbuf *b, const struct text_look *look, unsigned indent,
                    enum text_style label_style, struct str label, struct str s)
{
    size_t column = display_width(label);
    text_add(b, look, label_style, label);
    bool line_has_words = false;
    size_t at = 0;
    while (at < s.n) {
        size_t end = at;
        while (end < s.n && s.p[end] != ' ') {
            end++;
        }
        struct str word = display_safe(b->arena, str_sub(s, at, end - at));
        at = end + 1;
        if (word.n == 0) {
            continue;
        }
        size_t width = display_width(word);
        if (line_has_words && look->width > 0 && column + 1 + width > look->width) {
            strbuf_addc(b, '\n');
            column = 0;
            line_has_words = false;
        }
        if (!line_has_words) {
            if (column > 0 &&
                column >= indent) { /* a label too long for its column has a line of its own */
                strbuf_addc(b, '\n');
                column = 0;
            }
            strbuf_pad(b, ' ', indent - column);
            column = indent;
        } else {
            strbuf_addc(b, ' ');
            column++;
        }
        strbuf_add(b, word);
        column += width;
        line_has_words = true;
    }
    strbuf_addc(b, '\n');
}

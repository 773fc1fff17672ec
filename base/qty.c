/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/qty.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"

enum {
    TEXT_MAX = 256,     /* longer texts are not quantities */
    EXPONENT_MAX = 9999 /* beyond this the value is zero or too large whatever the digits say */
};

/* A number taken apart: digits d[0..n) without leading zeros, the decimal point after d[point-1],
 * times 2^bits. */
struct number {
    char d[TEXT_MAX];
    int n, point, bits;
    bool negative;
};

static bool malformed(struct str text, struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "\"" STR_FMT "\"%s is not a quantity (such as 2, 0.5, 500m, 1.5Gi or 1e3)",
                   (int)(text.n > 64 ? 64 : text.n), text.p == NULL ? "" : text.p,
                   text.n > 64 ? "..." : "");
}

static bool too_large(struct str text, enum qty_unit unit, struct err *err)
{
    return err_set(err, ERR_LIMIT, "quantity \"" STR_FMT "\"%s is too large (the maximum is %s)",
                   (int)(text.n > 64 ? 64 : text.n), text.p == NULL ? "" : text.p,
                   text.n > 64 ? "..." : "",
                   unit == QTY_MILLI ? "2^63-1 thousandths, about 9.2P" : "2^63-1, about 9.2E");
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* [+-] digits [. digits]: fills digits and point, and leaves the suffix in *text. */
static bool take_digits(struct str *text, struct number *number)
{
    size_t i = 0;
    bool any = false, seen_point = false;
    if (text->n > 0 && (text->p[0] == '-' || text->p[0] == '+')) {
        number->negative = text->p[0] == '-';
        i = 1;
    }
    for (; i < text->n; i++) {
        char c = text->p[i];
        if (c == '.' && !seen_point) {
            seen_point = true;
            continue;
        }
        if (!is_digit(c)) {
            break;
        }
        any = true;
        if (number->n > 0 || c != '0') {
            number->d[number->n++] = (char)(c - '0');
            number->point += seen_point ? 0 : 1;
        } else if (seen_point) {
            number->point--;
        }
    }
    *text = str_sub(*text, i, text->n);
    return any;
}

/* "e3", "E-2": false when it is not an exponent. */
static bool exponent(struct str suffix, int *ret_exponent)
{
    int64_t value = 0;
    if (suffix.n < 2 || (suffix.p[0] != 'e' && suffix.p[0] != 'E')) {
        return false;
    }
    struct str digits = str_sub(suffix, 1, suffix.n);
    bool sign = digits.p[0] == '-' || digits.p[0] == '+';
    for (size_t i = sign ? 1 : 0; i < digits.n; i++) {
        if (!is_digit(digits.p[i])) {
            return false;
        }
    }
    if (sign && digits.n == 1) {
        return false;
    }
    if (!str_to_i64(digits, &value) || value > EXPONENT_MAX || value < -EXPONENT_MAX) {
        value = digits.p[0] == '-' ? -EXPONENT_MAX : EXPONENT_MAX;
    }
    *ret_exponent = (int)value;
    return true;
}

static bool take_suffix(struct str suffix, struct number *number)
{
    static const char decimal[] =
        "num kMGTPE"; /* 10^-9 upwards in steps of 10^3; the blank stands for none */
    static const char binary[] = "KMGTPE";
    int power = 0;
    if (suffix.n == 0) {
        return true;
    }
    const char *hit = suffix.n == 1 && suffix.p[0] != ' '
                          ? memchr(decimal, suffix.p[0], sizeof decimal - 1)
                          : NULL;
    if (hit != NULL) {
        number->point += 3 * ((int)(hit - decimal) - 3);
        return true;
    }
    hit =
        suffix.n == 2 && suffix.p[1] == 'i' ? memchr(binary, suffix.p[0], sizeof binary - 1) : NULL;
    if (hit != NULL) {
        number->bits = 10 * ((int)(hit - binary) + 1);
        return true;
    }
    if (exponent(suffix, &power)) {
        number->point += power;
        return true;
    }
    return false;
}

/* The digits after the point, doubled once: returns what is carried over the point. */
static int double_fraction(char *digits, int n)
{
    int carry = 0;
    for (int i = n - 1; i >= 0; i--) {
        int twice = digits[i] * 2 + carry;
        carry = twice >= 10 ? 1 : 0;
        digits[i] = (char)(twice - 10 * carry);
    }
    return carry;
}

/* The magnitude, rounded; false when it does not fit into 63 bits. */
static bool magnitude(struct number *number, enum qty_round round, int64_t *ret_value)
{
    int64_t value = 0;
    if (number->n == 0) {
        *ret_value = 0;
        return true;
    }
    if (number->point > 19) {
        return false;
    }
    for (int i = 0; i < number->point; i++) {
        int64_t digit = i < number->n ? number->d[i] : 0;
        if (__builtin_mul_overflow(value, INT64_C(10), &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    /* With a point left of the first digit there are zeros between; they matter only for what the
     * shift brings up. */
    char fraction[TEXT_MAX + 24] = {0};
    int zeros = number->point < 0 ? -number->point : 0;
    int from = number->point > 0 ? number->point : 0;
    int n = zeros > 20 ? 0 : zeros + (from < number->n ? number->n - from : 0);
    for (int i = zeros; i < n; i++) {
        fraction[i] = number->d[from + i - zeros];
    }
    bool rest = zeros > 20; /* 10^-20 * 2^60 is below one: all of it is a rest */
    for (int bit = 0; bit < number->bits; bit++) {
        if (__builtin_mul_overflow(value, INT64_C(2), &value) ||
            __builtin_add_overflow(value, (int64_t)double_fraction(fraction, n), &value)) {
            return false;
        }
    }
    for (int i = 0; i < n; i++) {
        rest = rest || fraction[i] != 0;
    }
    return rest && round == QTY_UP ? !__builtin_add_overflow(value, INT64_C(1), ret_value)
                                   : (*ret_value = value, true);
}

bool qty_parse(struct str text, enum qty_unit unit, enum qty_round round, int64_t *ret_value,
               struct err *err)
{
    struct number number = {.n = 0, .point = 0, .bits = 0, .negative = false};
    struct str rest = text;
    if (text.n > TEXT_MAX || !take_digits(&rest, &number) || !take_suffix(rest, &number)) {
        return malformed(text, err);
    }
    int64_t value = 0;
    number.point += unit == QTY_MILLI ? 3 : 0;
    if (!magnitude(&number, round, &value)) {
        return too_large(text, unit, err);
    }
    *ret_value = number.negative ? -value : value;
    return true;
}

bool qty_parse_json(const json_t *value, enum qty_unit unit, enum qty_round round,
                    int64_t *ret_value, struct err *err)
{
    char buffer[NUMBER_TEXT_MAX];
    if (json_is_string(value)) {
        struct str text = {.p = json_string_value(value), .n = json_string_length(value)};
        return qty_parse(text, unit, round, ret_value, err);
    }
    if (json_is_integer(value)) {
        struct str text = number_format_decimal(json_integer_value(value), 0, buffer);
        return qty_parse(text, unit, round, ret_value, err);
    }
    if (json_is_real(value)) {
        struct str text = number_format_double(json_real_value(value), buffer);
        return qty_parse(text, unit, round, ret_value, err);
    }
    return err_set(err, ERR_INVALID, "expected a quantity (a string such as \"500m\" or a number)");
}

struct str qty_format(int64_t value, enum qty_unit unit, enum qty_style style, char *buffer)
{
    static const char *const decimal[] = {"m", "", "k", "M", "G", "T", "P", "E"};
    static const char *const binary[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    int step = unit == QTY_MILLI ? 0 : 1;
    const char *suffix = "";
    if (unit == QTY_MILLI && style == QTY_BINARY && value % 1000 == 0) {
        value /= 1000;
        unit = QTY_BASE;
    }
    if (value == 0) {
        suffix = "";
    } else if (style == QTY_BINARY && unit == QTY_BASE) {
        int power = 0;
        /* Kubernetes prints sizes below 1024 as plain decimals. */
        while (value % 1024 == 0 && power < 6) {
            value /= 1024;
            power++;
        }
        suffix = binary[power];
    } else {
        while (value % 1000 == 0 && step < 7) {
            value /= 1000;
            step++;
        }
        suffix = decimal[step];
    }
    int n = snprintf(buffer, QTY_TEXT_MAX, "%lld%s", (long long)value, suffix);
    return (struct str){.p = buffer, .n = (size_t)n};
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/number.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct str number_format_decimal(int64_t value, int n_decimals, char *buffer)
{
    uint64_t rest = value < 0 ? UINT64_C(0) - (uint64_t)value : (uint64_t)value;
    while (n_decimals > 0 && rest % 10 == 0) {
        rest /= 10;
        n_decimals--;
    }
    size_t at = NUMBER_TEXT_MAX;
    int n = 0;
    do {
        if (n > 0 && n == n_decimals) {
            buffer[--at] = '.';
        }
        buffer[--at] = (char)('0' + rest % 10);
        rest /= 10;
        n++;
    } while (rest > 0 || n <= n_decimals);
    if (value < 0) {
        buffer[--at] = '-';
    }
    return (struct str){.p = buffer + at, .n = NUMBER_TEXT_MAX - at};
}

struct str number_format_double(double value, char *buffer)
{
    int n = 0;
    for (int precision = 15; precision <= 17; precision++) {
        n = snprintf(buffer, NUMBER_TEXT_MAX, "%.*g", precision, value);
        if (strtod(buffer, NULL) == value) {
            break;
        }
    }
    return (struct str){.p = buffer, .n = (size_t)n};
}

/* The exponent behind 'e', clamped to what can matter. */
static bool take_exponent(struct str text, int *ret_exponent)
{
    int64_t value = 0;
    bool negative = text.n > 0 && text.p[0] == '-';
    bool sign = negative || (text.n > 0 && text.p[0] == '+');
    struct str digits = str_sub(text, sign ? 1 : 0, text.n);
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9') {
            return false;
        }
        value = value > 100000 ? value : value * 10 + (digits.p[i] - '0');
    }
    *ret_exponent = (int)(negative ? -value : value);
    return digits.n > 0;
}

/* Digits and the power of ten of the last of them. */
static bool take_apart(struct str text, char *digits, int *ret_n, int *ret_power)
{
    int n = 0, power = 0, exponent = 0;
    bool any = false, point = false;
    size_t i = 0;
    for (; i < text.n && text.p[i] != 'e' && text.p[i] != 'E'; i++) {
        char c = text.p[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') {
            return false;
        }
        any = true;
        power -= point ? 1 : 0;
        if (n > 0 || c != '0') {
            digits[n++] = (char)(c - '0');
        }
    }
    if (i < text.n && !take_exponent(str_sub(text, i + 1, text.n), &exponent)) {
        return false;
    }
    *ret_n = n;
    *ret_power = power + exponent;
    return any;
}

bool number_parse_decimal(struct str text, int n_decimals, int64_t *ret_value)
{
    char digits[NUMBER_PARSE_MAX];
    int n = 0, power = 0;
    bool negative = text.n > 0 && text.p[0] == '-';
    struct str rest = str_sub(text, text.n > 0 && (negative || text.p[0] == '+') ? 1 : 0, text.n);
    if (rest.n > NUMBER_PARSE_MAX || !take_apart(rest, digits, &n, &power)) {
        return false;
    }
    int n_whole = n + power + n_decimals; /* digits left of the rounding place */
    int64_t value = 0;
    if (n > 0 && n_whole > 19) {
        return false;
    }
    for (int i = 0; i < n_whole; i++) {
        int64_t digit = i < n ? digits[i] : 0;
        if (__builtin_mul_overflow(value, INT64_C(10), &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    bool up = n_whole >= 0 && n_whole < n && digits[n_whole] >= 5;
    if (up && __builtin_add_overflow(value, INT64_C(1), &value)) {
        return false;
    }
    *ret_value = negative ? -value : value;
    return true;
}

double number_parse_double(struct str text)
{
    char buffer[NUMBER_PARSE_MAX + 1];
    assert(text.n > 0 && text.n <= NUMBER_PARSE_MAX);
    memcpy(buffer, text.p, text.n);
    buffer[text.n] = '\0';
    return strtod(buffer, NULL);
}

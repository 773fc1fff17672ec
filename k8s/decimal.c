/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/decimal.h"

#include <stdio.h>

bool decimal_parse(struct str text, int digits, int64_t *ret_value)
{
    bool negative = str_starts(text, STR("-")), seen = false, point = false;
    size_t i = negative || str_starts(text, STR("+")) ? 1 : 0;
    int left = digits;
    int64_t value = 0;
    for (; i < text.n; i++) {
        char c = text.p[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') {
            return false;
        }
        seen = true;
        if (point && left == 0) {
            value += c >= '5' && value < INT64_MAX ? 1 : 0;
            left = -1;
        }
        if (point && left < 0) {
            continue;
        }
        left -= point ? 1 : 0;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, c - '0', &value)) {
            return false;
        }
    }
    for (; left > 0; left--) {
        if (__builtin_mul_overflow(value, 10, &value)) {
            return false;
        }
    }
    *ret_value = negative ? -value : value;
    return seen;
}

struct str decimal_format(int64_t value, int digits, char *buffer)
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t unit = 1;
    for (int i = 0; i < digits; i++) {
        unit *= 10;
    }
    int n = snprintf(buffer, DECIMAL_TEXT_MAX, "%s%llu.%0*llu", value < 0 ? "-" : "",
                     (unsigned long long)(rest / unit), digits, (unsigned long long)(rest % unit));
    while (n > 0 && buffer[n - 1] == '0') {
        n--;
    }
    n -= n > 0 && buffer[n - 1] == '.' ? 1 : 0;
    return (struct str){.p = buffer, .n = (size_t)n};
}

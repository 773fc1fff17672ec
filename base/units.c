/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/units.h"

#include <assert.h>

int64_t sat_add(int64_t a, int64_t b)
{
    int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) {
        return a < 0 ? INT64_MIN : INT64_MAX;
    }
    return sum;
}

int64_t sat_sub(int64_t a, int64_t b)
{
    int64_t difference = 0;
    if (__builtin_sub_overflow(a, b, &difference)) {
        return a < 0 ? INT64_MIN : INT64_MAX;
    }
    return difference;
}

int64_t sat_mul(int64_t a, int64_t b)
{
    int64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product)) {
        return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
    }
    return product;
}

static int64_t clamp(__int128 value)
{
    if (value > INT64_MAX) {
        return INT64_MAX;
    }
    return value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

int64_t muldiv_floor(int64_t a, int64_t b, int64_t c)
{
    assert(c > 0);
    __int128 product = (__int128)a * b;
    __int128 quotient = product / c;
    return clamp(product % c < 0 ? quotient - 1 : quotient);
}

int64_t muldiv_ceil(int64_t a, int64_t b, int64_t c)
{
    assert(c > 0);
    __int128 product = (__int128)a * b;
    __int128 quotient = product / c;
    return clamp(product % c > 0 ? quotient + 1 : quotient);
}

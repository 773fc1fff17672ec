/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Units. Money, time and resources are integers; doubles live inside the LP only.
 *
 * CPU is in millicores, memory and disk in bytes, extended resources in counts, all int64_t with
 * the unit in the name. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef int64_t usd_t;  /* nano-dollars per hour; 1 USD/h = 1,000,000,000 */
typedef int64_t wall_t; /* milliseconds since 1970-01-01T00:00:00Z */
typedef int64_t mono_t; /* milliseconds of a clock that never goes back */

#define USD_PER_HOUR    INT64_C(1000000000)
#define HOURS_PER_MONTH 730

/* Absent is not zero. */
struct opt_i64 {
    bool has;
    int64_t v;
};
struct opt_i32 {
    bool has;
    int32_t v;
};
struct opt_bool {
    bool has, v;
};
struct opt_wall {
    bool has;
    wall_t v;
};
struct opt_usd {
    bool has;
    usd_t v;
};

/* Saturating at the ends of int64_t: sums of sizes from outside stay ordered instead of wrapping.
 */
int64_t sat_add(int64_t a, int64_t b);
int64_t sat_sub(int64_t a, int64_t b);
int64_t sat_mul(int64_t a, int64_t b);

/* a * b / c rounded down or up, exact in 128 bits, saturating; c > 0. */
int64_t muldiv_floor(int64_t a, int64_t b, int64_t c);
int64_t muldiv_ceil(int64_t a, int64_t b, int64_t c);

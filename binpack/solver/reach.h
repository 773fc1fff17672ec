/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sums that a multiset of sizes can reach, as a bit table.
 *
 * A node of 15,890 millicores that only takes pods of 250 and 500 never holds more than 15,750:
 * replacing a capacity by the largest reachable sum at or below it changes no plan and makes the
 * linear relaxation tighter. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct arena;

struct bp_reach {
    struct arena *scratch;
    uint64_t *bits; /* bit s: the sum s can be reached; NULL: every sum counts as reachable */
    uint64_t n_bits;
    uint64_t room_words;
};

/* Whether n_tables tables of n_sizes sizes up to `most` cost little enough (a few milliseconds). */
bool bp_reach_affordable(uint32_t n_tables, uint32_t n_sizes, double most);

/* Table for sums of `sizes` (integers >= 0), each used any number of times, up to `most`. */
void bp_reach_build(struct bp_reach *reach, const double *sizes, uint32_t n, double most);

/* The largest reachable sum <= cap (cap itself when the table does not know). */
double bp_reach_below(const struct bp_reach *reach, double cap);

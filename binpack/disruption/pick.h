/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The most valuable set of nodes from which at most so many pods move: a knapsack, solved exactly
 * by dynamic programming over moves where the table is of reasonable size, else by value per move.
 */
#pragma once

#include <stdint.h>

struct arena;

enum { PICK_CELLS_MAX = 200000000 }; /* of the table; one bit each */

/* `value` and `moves` are [n]; what is worth nothing is not picked. `max` >= 0. `ret_picked` is
 * [bits_words(n)], overwritten. */
void pick_best(uint32_t n, const int64_t *value, const uint32_t *moves, int64_t max,
               struct arena *scratch, uint64_t *ret_picked);

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/disruption/pick.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

struct item {
    int64_t value;
    uint32_t moves, at;
};

/* By value per move, best first; what moves nothing before all. */
static int item_cmp(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    const __int128 left = (__int128)x->value * y->moves, right = (__int128)y->value * x->moves;
    if (left != right) {
        return left > right ? -1 : 1;
    }
    return (x->at > y->at) - (x->at < y->at);
}

static void pick_exactly(const struct item *items, uint32_t n, size_t max, struct arena *scratch,
                         uint64_t *picked)
{
    int64_t *best = ARENA_ARRAY(scratch, int64_t, max + 1); /* with at most so many moves */
    const size_t words = bits_words(max + 1);
    uint64_t *taken = ARENA_ARRAY(scratch, uint64_t, n * words);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t *row = taken + i * words;
        for (size_t m = max + 1; m-- > items[i].moves;) {
            const int64_t with = sat_add(best[m - items[i].moves], items[i].value);
            if (with > best[m]) {
                best[m] = with;
                bits_set(row, m);
            }
        }
    }
    size_t left = max;
    for (uint32_t i = n; i-- > 0;) {
        if (bits_get(taken + i * words, left)) {
            bits_set(picked, items[i].at);
            left -= items[i].moves;
        }
    }
}

void pick_best(uint32_t n, const int64_t *value, const uint32_t *moves, int64_t max,
               struct arena *scratch, uint64_t *ret_picked)
{
    struct item *items = ARENA_ARRAY(scratch, struct item, n);
    uint32_t n_items = 0;
    int64_t all = 0;
    memset(ret_picked, 0, bits_words(n) * sizeof *ret_picked);
    for (uint32_t i = 0; i < n; i++) {
        if (value[i] > 0 && moves[i] <= max) {
            items[n_items++] = (struct item){.value = value[i], .moves = moves[i], .at = i};
            all += moves[i];
        }
    }
    if (n_items == 0) {
        return;
    }
    const size_t room = (size_t)(all < max ? all : max);
    qsort(items, n_items, sizeof *items, item_cmp);
    if (n_items * (room + 1) <= PICK_CELLS_MAX) {
        pick_exactly(items, n_items, room, scratch, ret_picked);
        return;
    }
    int64_t left = (int64_t)room;
    for (uint32_t i = 0; i < n_items; i++) {
        if (items[i].moves <= left) {
            bits_set(ret_picked, items[i].at);
            left -= items[i].moves;
        }
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/reach.h"

#include <string.h>

#include "base/arena.h"

#define TABLE_BITS_MAX (UINT64_C(1) << 22)
#define WORD_STEPS_MAX 6e6 /* word operations for all tables of one dimension */

bool bp_reach_affordable(uint32_t n_tables, uint32_t n_sizes, double most)
{
    double words = (most < (double)TABLE_BITS_MAX ? most : 0.0) / 64 + 1;
    return (double)n_tables * n_sizes * words <= WORD_STEPS_MAX;
}

/* Adds every multiple of `size` to the sums, lowest word first so that new sums are used again. */
static void add_size(uint64_t *bits, uint64_t n_words, uint64_t size)
{
    uint64_t skip = size / 64;
    unsigned shift = (unsigned)(size % 64);
    for (uint64_t w = skip; w < n_words; w++) {
        uint64_t from = bits[w - skip] << shift;
        if (shift > 0 && w > skip) {
            from |= bits[w - skip - 1] >> (64 - shift);
        }
        bits[w] |= from;
        if (skip == 0) {
            /* The shift stays inside the word: repeat until nothing new appears. */
            for (unsigned s = shift; s < 64; s *= 2) {
                bits[w] |= bits[w] << s;
            }
        }
    }
}

void bp_reach_build(struct bp_reach *reach, const double *sizes, uint32_t n, double most)
{
    reach->bits = NULL;
    if (!(most < (double)TABLE_BITS_MAX)) {
        return;
    }
    uint64_t n_words = (uint64_t)most / 64 + 1;
    for (uint32_t i = 0; i < n; i++) {
        if (sizes[i] == 1) {
            return; /* every sum */
        }
    }
    reach->bits = ARENA_ARRAY(reach->scratch, uint64_t, n_words);
    reach->n_bits = (uint64_t)most + 1;
    reach->bits[0] = 1;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t size = sizes[i] <= most ? (uint64_t)sizes[i] : 0;
        /* A multiple of a size already in is in the table itself; adding it again changes nothing.
         */
        if (size > 0 && ((reach->bits[size / 64] >> (size % 64)) & 1U) == 0) {
            add_size(reach->bits, n_words, size);
        }
    }
}

double bp_reach_below(const struct bp_reach *reach, double cap)
{
    if (reach->bits == NULL || cap >= (double)reach->n_bits) {
        return cap;
    }
    uint64_t at = (uint64_t)cap, w = at / 64;
    uint64_t word = reach->bits[w] << (63 - at % 64);
    if (word != 0) {
        return (double)(at - (uint64_t)__builtin_clzll(word));
    }
    while (reach->bits[--w] == 0) {
    }
    return (double)(w * 64 + 63 - (uint64_t)__builtin_clzll(reach->bits[w]));
}

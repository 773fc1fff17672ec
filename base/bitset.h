/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fixed-size bit sets as plain arrays of 64-bit words; the caller knows the number of words. Bits
 * beyond the set's size are 0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline size_t bits_words(size_t n_bits)
{
    return (n_bits + 63) / 64;
}
static inline bool bits_get(const uint64_t *set, size_t i)
{
    return (set[i / 64] >> (i % 64)) & 1U;
}
static inline void bits_set(uint64_t *set, size_t i)
{
    set[i / 64] |= UINT64_C(1) << (i % 64);
}
static inline void bits_clear(uint64_t *set, size_t i)
{
    set[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

void bits_fill(uint64_t *set, size_t n_bits); /* sets bits 0..n_bits-1 */
bool bits_any(const uint64_t *set, size_t n_words);
size_t bits_count(const uint64_t *set, size_t n_words);
bool bits_equal(const uint64_t *a, const uint64_t *b, size_t n_words);
bool bits_subset(const uint64_t *a, const uint64_t *b, size_t n_words); /* a within b */
bool bits_intersects(const uint64_t *a, const uint64_t *b, size_t n_words);
void bits_and(uint64_t *a, const uint64_t *b, size_t n_words); /* a &= b */
void bits_or(uint64_t *a, const uint64_t *b, size_t n_words);  /* a |= b */
size_t bits_next(const uint64_t *set, size_t n_bits,
                 size_t from); /* first set bit >= from, or n_bits */

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/bitset.h"

void bits_fill(uint64_t *set, size_t n_bits)
{
    size_t whole = n_bits / 64;
    for (size_t i = 0; i < whole; i++) {
        set[i] = UINT64_MAX;
    }
    if (n_bits % 64 != 0) {
        set[whole] |= (UINT64_C(1) << (n_bits % 64)) - 1;
    }
}

bool bits_any(const uint64_t *set, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        if (set[i] != 0) {
            return true;
        }
    }
    return false;
}

size_t bits_count(const uint64_t *set, size_t n_words)
{
    size_t n = 0;
    for (size_t i = 0; i < n_words; i++) {
        n += (size_t)__builtin_popcountll(set[i]);
    }
    return n;
}

bool bits_equal(const uint64_t *a, const uint64_t *b, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

bool bits_subset(const uint64_t *a, const uint64_t *b, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        if ((a[i] & ~b[i]) != 0) {
            return false;
        }
    }
    return true;
}

bool bits_intersects(const uint64_t *a, const uint64_t *b, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        if ((a[i] & b[i]) != 0) {
            return true;
        }
    }
    return false;
}

void bits_and(uint64_t *a, const uint64_t *b, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        a[i] &= b[i];
    }
}

void bits_or(uint64_t *a, const uint64_t *b, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        a[i] |= b[i];
    }
}

size_t bits_next(const uint64_t *set, size_t n_bits, size_t from)
{
    for (size_t word = from / 64; from < n_bits; word++, from = word * 64) {
        uint64_t rest = set[word] >> (from % 64);
        if (rest != 0) {
            size_t hit = from + (size_t)__builtin_ctzll(rest);
            return hit < n_bits ? hit : n_bits;
        }
    }
    return n_bits;
}

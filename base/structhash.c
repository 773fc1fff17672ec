/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/structhash.h"

#define FNV_BASIS UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++) {
        h = (h * FNV_PRIME) ^ p[i];
    }
    return h;
}

/* A number as `n` bytes, the least significant first. */
static uint64_t hash_word(uint64_t h, uint64_t word, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(word >> (8 * i));
    }
    return hash_bytes(h, bytes, n);
}

uint64_t structhash_text(struct str text)
{
    return hash_bytes(FNV_BASIS, text.p, text.n);
}

uint64_t structhash_i64(int64_t value)
{
    return hash_word(FNV_BASIS, (uint64_t)value, 8);
}

uint64_t structhash_i32(int32_t value)
{
    return hash_word(FNV_BASIS, (uint32_t)value, 4);
}

uint64_t structhash_bool(bool value)
{
    return hash_word(FNV_BASIS, value ? 1 : 0, 1);
}

uint64_t structhash_pair(uint64_t key, uint64_t value)
{
    return hash_word(hash_word(FNV_BASIS, key, 8), value, 8);
}

uint64_t structhash_map(uint64_t sum_of_pairs)
{
    return hash_word(FNV_BASIS, sum_of_pairs, 8);
}

void structhash_field(uint64_t *hash, struct str name, uint64_t value)
{
    *hash = structhash_map(*hash ^ structhash_pair(structhash_text(name), value));
}

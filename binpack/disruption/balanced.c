/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/disruption/balanced.h"

/* The threshold is 1 / BALANCED_K. */
enum { BALANCED_K = 2 };

bool balanced_refuses(const struct balanced_pool *pool, usd_t saves, usd_t paid)
{
    if (pool->moves == 0) {
        return false;
    }
    const usd_t part = paid > 0 ? muldiv_floor(saves, pool->own, paid) : 0;
    const __int128 left = (__int128)part * pool->all_moves * BALANCED_K,
                   right = (__int128)pool->moves * pool->cost;
    return part <= 0 || pool->cost <= 0 || left < right;
}

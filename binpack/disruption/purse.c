/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/disruption/purse.h"

#include "base/arena.h"

#include <string.h>

struct disrupt_purse disrupt_purse_full(int64_t (*allowed)[DISRUPT_N_REASONS], uint32_t n_pools,
                                        struct opt_i64 max_disruptions, struct opt_i64 max_moves,
                                        struct arena *arena)
{
    struct disrupt_purse purse = {
        .n_pools = n_pools,
        .left = ARENA_ARRAY(arena, int64_t, (size_t)n_pools * DISRUPT_N_REASONS),
        .disruptions = max_disruptions.has ? max_disruptions.v : INT64_MAX,
        .moves = max_moves.has ? max_moves.v : INT64_MAX};
    for (uint32_t p = 0; p < n_pools; p++) {
        for (int r = 0; r < DISRUPT_N_REASONS; r++) {
            purse.left[p * DISRUPT_N_REASONS + (uint32_t)r] = allowed[p][r];
        }
    }
    return purse;
}

struct disrupt_purse disrupt_purse_copy(const struct disrupt_purse *purse, struct arena *arena)
{
    struct disrupt_purse copy = *purse;
    const size_t n = (size_t)purse->n_pools * DISRUPT_N_REASONS;
    copy.left = ARENA_ARRAY(arena, int64_t, n);
    memcpy(copy.left, purse->left, n * sizeof *copy.left);
    return copy;
}

bool disrupt_purse_pay(struct disrupt_purse *purse, uint32_t pool_i, uint32_t n_moves,
                       enum disrupt_reason reason)
{
    if (reason == DISRUPT_EXPIRED) {
        return true;
    }
    int64_t *left = purse->left + (size_t)pool_i * DISRUPT_N_REASONS;
    if (left[reason] <= 0 || purse->disruptions <= 0 || purse->moves < n_moves) {
        return false;
    }
    for (int r = 0; r < DISRUPT_N_REASONS; r++) {
        left[r] -= left[r] > 0 && left[r] != BUDGET_UNLIMITED;
    }
    purse->disruptions -= purse->disruptions != INT64_MAX;
    purse->moves -= purse->moves == INT64_MAX ? 0 : n_moves;
    return true;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one round of disruption may spend: the budgets of NodePools, nodes and moved pods.
 *
 * A node that goes counts against every reason of its pool, because Karpenter computes a budget
 * from all nodes that are on their way. Expired nodes cost nothing: they go whatever protects them.
 */
#pragma once

#include "base/units.h"
#include "binpack/disruption/budgets.h"

struct arena;

struct disrupt_purse {
    uint32_t n_pools;
    int64_t *left; /* [n_pools][DISRUPT_N_REASONS], one after the other; BUDGET_UNLIMITED */
    int64_t disruptions, moves; /* INT64_MAX: no limit */
};

/* `allowed` as disrupt_allowances gives it, [n_pools]. */
struct disrupt_purse disrupt_purse_full(int64_t (*allowed)[DISRUPT_N_REASONS], uint32_t n_pools,
                                        struct opt_i64 max_disruptions, struct opt_i64 max_moves,
                                        struct arena *arena);

struct disrupt_purse disrupt_purse_copy(const struct disrupt_purse *purse, struct arena *arena);

/* Pays for one node of the pool from which `n_moves` pods move. False, and nothing is paid, when it
 * cannot. */
bool disrupt_purse_pay(struct disrupt_purse *purse, uint32_t pool_i, uint32_t n_moves,
                       enum disrupt_reason reason);

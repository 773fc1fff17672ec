/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy Balanced: what a command saves against what it disturbs, both as shares of the
 * NodePool's (karp: balanced.go).
 *
 *   score = (savings / cost of the pool) / (move cost of the nodes / move cost of the pool)
 *
 * A command needs a score of at least 1/2 in every Balanced pool that it takes nodes from; pools
 * with other policies are not scored. Savings over several pools are split by the prices of their
 * nodes. Integers throughout. */
#pragma once

#include "base/units.h"

struct balanced_pool {        /* one Balanced pool that the command takes nodes from */
    usd_t own, cost;          /* prices of the command's nodes in it, and of all its nodes */
    int64_t moves, all_moves; /* their move costs, parts per million (candidates.h) */
};

/* `saves` and `paid`: of the whole command; prices of its nodes less those of what replaces them,
 * and prices of its nodes. */
bool balanced_refuses(const struct balanced_pool *pool, usd_t saves, usd_t paid);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disruption budgets of NodePools: how many more nodes may go now, by reason.
 *
 * Of the nodes of a pool (managed, initialized, not terminating) a budget allows a number or a
 * percentage, rounded up; the strictest active budget that names the reason, or no reason, counts;
 * nodes that are not ready or already on their way use it up. A budget with a schedule is active
 * for its duration after each time the schedule fires, in UTC. A schedule that cannot be read
 * closes the pool for every reason. (karp: nodepool.go MustGetAllowedDisruptions.) */
#pragma once

#include "base/err.h"
#include "binpack/disruption/reasons.h"
#include "k8s/cluster.h"

#define BUDGET_UNLIMITED INT64_MAX

/* The first budget of the pool whose schedule cannot be read; false: there is none. `err` says what
 * is wrong with it. */
bool budgets_broken(const struct karp_nodepool *pool, uint32_t *ret_budget_i, struct err *err);

/* `n_nodes` and `n_going` as above; the answer is >= 0, BUDGET_UNLIMITED when no budget is active.
 */
int64_t budgets_allowed(const struct karp_nodepool *pool, const struct strtab *tab, wall_t now,
                        int64_t n_nodes, int64_t n_going, enum disrupt_reason reason);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cluster as it would be without what keeps a node from being disrupted: an annotation, the
 * PodDisruptionBudgets over its pods, a consolidateAfter, a policy, the budgets of its NodePool.
 * Nothing of the given cluster is written to; what changes is copied. */
#pragma once

#include "binpack/disruption/reasons.h"
#include "k8s/cluster.h"

struct arena;

/* `node_i`: into cluster->nodes. NULL: the blocker is nothing that could be removed from a cluster.
 * The copy lives in `arena` and points into the given cluster. */
const struct k8s_cluster *unblock(const struct k8s_cluster *cluster, uint32_t node_i,
                                  enum disrupt_blocker blocker, struct arena *arena);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pods of nodes that go away: which of them will need a new place now.
 *
 * A pod that an annotation or a PodDisruptionBudget protects for good stays where it is until
 * somebody gives it up, so no room is bought for it (karp: IsCurrentlyReschedulable). Only a budget
 * that never allows an eviction counts here (maxUnavailable 0 or 0%, minAvailable 100%), and two
 * budgets over one pod, which the eviction API refuses. */
#pragma once

#include "k8s/cluster.h"

struct sched_vocab;

/* karpenter.sh/do-not-disrupt: "true", or a duration since the pod's start that is still running.
 */
bool sched_pod_do_not_disrupt(const struct k8s_cluster *cluster, const struct k8s_pod *pod,
                              wall_t now);

/* Is the pod kept by its budgets for ever? */
bool sched_pod_budget_blocks(const struct k8s_cluster *cluster, const struct k8s_pod *pod,
                             wall_t now);

/* Does the drain of the pod's node wait for it for ever, unless the NodeClaim has a
 * terminationGracePeriod? (karp: awaitDrain) */
bool sched_pod_holds_drain(const struct k8s_cluster *cluster, const struct k8s_pod *pod,
                           wall_t now);

/* Does the pod of a node that goes away need a new place now? */
bool sched_pod_moves(const struct k8s_cluster *cluster, const struct sched_vocab *vocab,
                     const struct k8s_pod *pod, wall_t now);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taints: which ones keep a pod away, and which ones will be gone.
 *
 * Startup taints of a NodePool and the ephemeral taints of a node that is still coming up
 * (not-ready, unreachable, uninitialized, unregistered, network-unavailable, anything under
 * readiness.k8s.io/) do not count until the node is initialized; afterwards they do. */
#pragma once

#include "binpack/scheduling/vocab.h"

struct arena;

/* The first taint that the tolerations do not cover, or NULL. NoSchedule and NoExecute always
 * count; PreferNoSchedule only when `prefer_counts` (karp: hard until the last rung of the ladder
 * is dropped). */
const struct k8s_taint *sched_untolerated(uint32_t n_tolerations,
                                          const struct k8s_toleration *tolerations,
                                          uint32_t n_taints, const struct k8s_taint *taints,
                                          bool prefer_counts);

bool sched_taint_ephemeral(const struct sched_vocab *vocab, const struct k8s_taint *taint);

/* Taints that count on a running node: those of the Node (plus node.kubernetes.io/unschedulable
 * when it is cordoned); for a managed node that is not registered yet, those of its claim; without
 * startup and ephemeral taints while it is not initialized. `node` NULL: an in-flight claim.
 * `claim` NULL: an unmanaged node, which counts as initialized. */
void sched_node_taints(const struct sched_vocab *vocab, struct arena *arena,
                       const struct k8s_node *node, const struct karp_nodeclaim *claim,
                       bool registered, bool initialized, const struct k8s_taint **ret_taints,
                       uint32_t *ret_n);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether rules between pods prove that no plan places more pods than one at hand.
 *
 * A spread constraint with fewer eligible domains than minDomains has a global minimum of 0, so a
 * domain takes at most maxSkew of the pods that carry the constraint and match it; a pod with
 * anti-affinity to its own kind has a domain to itself. Source:
 * https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/ and
 * https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
 */
#pragma once

#include "binpack/scheduling/problem_build.h"

/* `start` is what every pod starts with; `placed` is [n_pods of the cluster]. True when every pod
 * of `start` that is left out is so because of such a rule that leaves out as many of the same
 * priority in any plan, also when none is left out; false when that is not known. */
bool least_out_is_proven(const struct sched_base *base, const struct sched_descent *start,
                         const bool *placed, struct arena *scratch);

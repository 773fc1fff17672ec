/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the Cluster Autoscaler would buy: an imitation of its scale-up, to compare with.
 *
 * Behaviour of kubernetes/autoscaler (core/scaleup/orchestrator, estimator/binpacking_estimator,
 * expander/waste, processors/nodegroupset): a loop first drops the pods that fit running or
 * upcoming nodes, by priority. Then it asks for every *node group* how many of its nodes the
 * remaining pods would need: pods that are alike stay together, the largest share of CPU and memory
 * of one node first, each on the first of the new nodes that takes it, else on another, at most
 * 1,000. Of all groups the expander takes the one that wastes the least CPU and memory
 * (least-waste; AWS has no price model that `price` could use), and its nodes are dealt out over
 * the similar groups of other zones, the smallest first. One group a loop; loops until nothing
 * helps. Preferences play no part: it runs the scheduler's filters, not its scores.
 *
 * No Kubernetes object holds node groups, so they are taken from the NodePools: one per NodePool,
 * instance type, zone and capacity type (spot or on demand) that it admits; similar ones differ in
 * the zone only. Groups start from what runs already and grow as far as the limits of the NodePool.
 *
 * What it leaves to chance or to whoever sets the groups up goes in its favour: of equal waste the
 * cheapest group is taken; bare metal and accelerators serve only pods that nothing else helps;
 * every launch succeeds at once. Weights, minValues and capacity reservations are unknown to it:
 * minValues must be best effort in `base`. Pure; nothing is random. */
#pragma once

#include "binpack/emulate/karpenter.h"

/* As emu_karpenter; of the settings options_max, grow and the like mean nothing here. */
MUST_CHECK bool emu_autoscaler(const struct sched_base *base, const struct emu_settings *settings,
                               struct arena *arena, struct emu_plan *ret_plan, struct err *err);

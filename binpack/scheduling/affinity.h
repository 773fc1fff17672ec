/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From rules between pods to a problem: required and preferred pod affinity and anti-affinity.
 *
 * Anti-affinity over hosts becomes max_per_node, exclusions and blocked running nodes; over another
 * key a BP_GROUP_APART plus the values that running carriers forbid. It binds both directions, as
 * in kube-scheduler: what runs there keeps newcomers away too. Affinity over another key than the
 * host becomes a BP_GROUP_TOGETHER. Affinity over hosts either leads to running nodes that hold a
 * target, or its carriers travel with a target: sched_affinity_bundles forms units of several pods
 * before the classes are final. */
#pragma once

#include "binpack/scheduling/topology.h"

struct sched_part {
    uint32_t class_i, count;
};

/* n_units units, each of parts that must share a node. The parts' classes lose n_units * count
 * units of demand each. */
struct sched_bundle {
    uint32_t n_parts, n_units;
    const struct sched_part *parts; /* ascending by class */
    uint32_t membership; /* of a unit: affinity over hosts that holds within the unit is gone */
};
struct sched_bundles {
    uint32_t n;
    const struct sched_bundle *v;
};

/* Which classes must travel together. The caller appends one class per bundle (sizes and ports
 * added up, masks intersected, weight = pods of a unit) before sched_topology_build and
 * sched_affinity_build. `fits(ctx, n_parts, parts)`: could one node hold such a unit? Used to
 * choose how much goes into a unit; NULL: yes. */
struct sched_bundles sched_affinity_bundles(const struct sched_topo_view *view, struct arena *arena,
                                            bool (*fits)(void *ctx, uint32_t n_parts,
                                                         const struct sched_part *parts),
                                            void *ctx);

/* Adds what the affinity and anti-affinity rules in force ask for. Errors as sched_topology_build.
 */
MUST_CHECK bool sched_affinity_build(const struct sched_topo_view *view, struct arena *arena,
                                     struct sched_pieces *pieces, struct err *err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running and in-flight nodes as the planner sees them: which Node and NodeClaim belong together,
 * effective labels and taints, and what room is left. Part of snapshot.h; nobody else needs it. */
#pragma once

#include "binpack/scheduling/snapshot.h"

/* One machine of the input: a Node, a NodeClaim, or both. */
struct sched_machine {
    struct str name;
    const struct k8s_node *node;
    const struct karp_nodeclaim *claim;
    bool goes;     /* deleting or leaving: its pods need a new place */
    uint8_t leave; /* of enum sched_leave; SCHED_STAYS also for a node that is deleting anyway */
};

/* All machines, sorted by name. `leave` as in sched_snapshot_new. */
void sched_machines(const struct k8s_cluster *cluster, const uint8_t *leave, struct arena *arena,
                    struct sched_machine **ret_machines, uint32_t *ret_n);

/* Labels, taints, type and allocatable of a machine that stays; no pods yet. */
void sched_node_describe(const struct sched_snapshot *snapshot, const struct sched_machine *machine,
                         struct arena *arena, struct sched_node *ret_node);

/* Free room, ports and attachments, once node->pods is set. `attach`: some pending pod attaches
 * volumes. */
void sched_node_fill(const struct sched_snapshot *snapshot, struct arena *arena, bool attach,
                     struct sched_node *node);

/* What the node counts as against the limits of its pool. */
struct k8s_resources sched_node_capacity(const struct sched_node *node, struct arena *arena);

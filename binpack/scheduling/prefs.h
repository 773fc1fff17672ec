/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Preferences: the ladder by which soft terms of a pod are given up (karp: preferences.go).
 *
 * Every soft term is hard until it is dropped, one per step and in this order: preferred pod
 * affinity, heaviest first; preferred pod anti-affinity, heaviest first; preferred node affinity,
 * heaviest first, of which only the heaviest left is in force; ScheduleAnyway spread constraints,
 * the first one each time while the last takes its place; at last PreferNoSchedule taints, if a
 * NodePool has any. Required OR terms are no preference here: all of them count at once, as in
 * kube-scheduler. */
#pragma once

#include "k8s/cluster.h"

struct arena;

enum sched_soft {
    SCHED_SOFT_AFFINITY,
    SCHED_SOFT_ANTI_AFFINITY,
    SCHED_SOFT_NODE,
    SCHED_SOFT_SPREAD,
    SCHED_SOFT_TAINT
};

struct sched_rung {
    enum sched_soft kind;
    uint32_t term_i; /* into preferred_affinity, preferred_anti_affinity, preferred_node_terms or
                        spread of the shape; 0 for TAINT */
};

/* The rungs of a shape in the order of dropping. After `dropped` steps rungs[dropped..n-1] are in
 * force. */
struct sched_ladder {
    uint32_t n;
    const struct sched_rung *rungs;
};

/* `prefer_taints`: some NodePool has a PreferNoSchedule taint. `ignore`: preference policy Ignore,
 * which leaves the TAINT rung only, dropped at once by the caller if it likes. */
struct sched_ladder sched_ladder_of(struct arena *arena, const struct k8s_pod_shape *shape,
                                    bool prefer_taints, bool ignore);

/* The preferred node term in force after `dropped` steps: the heaviest left, or NULL. */
const struct k8s_node_term *sched_ladder_node_term(const struct sched_ladder *ladder,
                                                   const struct k8s_pod_shape *shape,
                                                   uint32_t dropped);
/* Do PreferNoSchedule taints keep the pod away after `dropped` steps? */
bool sched_ladder_taints_count(const struct sched_ladder *ladder, uint32_t dropped);

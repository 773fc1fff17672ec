/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Karpenter's disruption would do: an imitation of its methods, to compare with.
 *
 * Behaviour of Karpenter v1.14 (controller.go, emptiness.go, drift.go, multinodeconsolidation.go,
 * singlenodeconsolidation.go, consolidation.go): a pass goes through the methods in order and ends
 * with the first that finds something to do. Empty nodes go at once. Drifted ones go one by one,
 * the longest drifted first, whatever takes their pods. Consolidation sorts its candidates by price
 * per cost of moving their pods, searches the longest prefix (2 to 100 nodes) that can go, in
 * halves, and then tries nodes singly, NodePools taking turns. Nodes can go when all their pods
 * have places on other nodes and on at most one new one, which must be cheaper (replacement.h);
 * what takes the pods is decided by the imitated scheduler (karpenter.h).
 *
 * What Karpenter does command by command over hours happens here at once, and in its favour: every
 * search may take as long as it needs, every command is carried out before the next is looked for,
 * new nodes are there at once and may be consolidated again, and no pod comes or goes meanwhile.
 * Passes go on until one finds nothing. What is spent (budgets, moved pods) counts over the whole
 * round. Pods that wait are placed first. Pure; nothing is random: ties go by name. */
#pragma once

#include "binpack/disruption/candidates.h"
#include "binpack/disruption/purse.h"
#include "binpack/emulate/karpenter.h"

struct emu_disrupt_input {
    const struct sched_base *base; /* of a snapshot in which the nodes that may go are opened
                                      (SCHED_OPENS), and expired ones leave */
    const struct disrupt_nodes *nodes;
    const uint32_t *home;        /* [pods of the given cluster] into nodes->v, SCHED_NONE: none */
    struct disrupt_purse *purse; /* what the round may spend; is spent */
    bool spot_to_spot;
    uint32_t options_max; /* as in struct emu_settings */
};

struct emu_fresh { /* a node that would be launched and stays */
    struct sched_offer offer;
    uint32_t pool_i;         /* into snapshot->pools */
    struct k8s_pairs choice; /* of its variant */
    uint32_t n_options;
    const uint32_t *options; /* [n_options] catalog->types, cheapest first */
};

struct emu_place {        /* of a pod that waits or moves */
    uint32_t node, fresh; /* at most one is set, into nodes->v and into fresh; SCHED_NONE */
    uint16_t rung, tier;  /* as in struct sched_descent */
};

struct emu_round {
    uint8_t *reason; /* [nodes->n] enum disrupt_reason; DISRUPT_NONE: stays, or has expired */
    uint32_t *group; /* [nodes->n + n_fresh] equal for what was replaced together, directly or not;
                            an index into this array */
    uint32_t n_fresh;
    const struct emu_fresh *fresh;
    const struct emu_place *place;    /* [pods of the snapshot's cluster] */
    uint32_t n_commands, n_evictions; /* a pod that moves twice is evicted twice */
};

/* The round lives in `arena`. Errors: as sched_needs_new. */
MUST_CHECK bool emu_disrupt(const struct emu_disrupt_input *input, struct arena *arena,
                            struct emu_round *ret_round, struct err *err);

/* The round as a plan for another snapshot of the same cluster, in which the nodes that go leave.
 * ERR_INTERNAL when that snapshot offers something else. The plan lives in `arena`. */
MUST_CHECK bool emu_plan_of_round(const struct sched_base *base, const struct disrupt_nodes *nodes,
                                  const struct emu_round *round, struct arena *arena,
                                  struct emu_plan *ret_plan, struct err *err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Candidates: for every node whether it may be disrupted now, for which reason, and if not, what
 * blocks it, in the words of Karpenter's events DisruptionBlocked and Unconsolidatable.
 *
 * Rules (karp: NewCandidate, statenode.ValidateNodeDisruptable, ShouldDisrupt of each method):
 * - A node must be managed (have a NodeClaim), be initialized, not be deleting, not be nominated
 * for a pod, not be annotated do-not-disrupt (by its Node, else by its NodeClaim), and belong to
 * a NodePool that exists, whose node class exists, and that is not static.
 * - No pod on it may be protected: do-not-disrupt "true" or a duration that is still running, a
 *   PodDisruptionBudget without allowed disruptions, more than one budget over one pod. A pod that
 *   is terminating or tolerates the disruption taint is not evicted, so no budget protects it; one
 *   whose budget always lets unhealthy pods go is free while it is not ready. Protected pods do not
 *   hold up drift when the claim has a terminationGracePeriod.
 * - Empty and Underutilized need consolidateAfter to have passed; Empty needs that no pod would
 * come back elsewhere; Underutilized needs a policy that allows it, a known price, and pods to
 * move.
 * - Drifted needs the NodeClaim's condition, or drift that was detected (drift.h) where asked for.
 * - Expired needs an expireAfter that has passed; nothing blocks it, but without a
 *   terminationGracePeriod the node waits for its protected pods and costs until they are gone.
 * What a whole round allows (budgets, savings) is not decided here. */
#pragma once

#include "binpack/disruption/budgets.h"
#include "binpack/scheduling/offers.h"

struct disrupt_settings {
    wall_t now;
    bool detect_drift; /* drift that hashes, requirements and status show counts like the condition
                        */
    bool respect_safe_to_evict; /* cluster-autoscaler.kubernetes.io/safe-to-evict: "false" protects
                                   a pod like do-not-disrupt */
    uint32_t reasons;           /* bit per enum disrupt_reason that may be used */
};

struct disrupt_verdict {
    bool may;
    const char *event; /* "DisruptionBlocked", "Unconsolidatable", or "" when the reason simply does
                          not apply; static */
    struct str message;           /* why not, a sentence without a full stop; "" when it may go */
    enum disrupt_blocker blocker; /* when it may not go */
};

struct disrupt_node {
    struct str name;      /* of the Node, or of a NodeClaim that has none yet */
    uint32_t node_i;      /* into cluster->nodes; SCHED_NONE: in flight */
    uint32_t pool_i;      /* into cluster->nodepools; SCHED_NONE: unmanaged, or its pool is gone */
    uint32_t in_snapshot; /* into snapshot->nodes; SCHED_NONE: deleting */
    struct disrupt_verdict verdict[DISRUPT_N_REASONS];
    bool counts, going; /* towards the total and the use of its pool's budgets */
    bool spot;
    struct opt_usd price;
    struct opt_wall drifted_at; /* when the condition turned true */
    const char *shows;          /* drift that the objects show and that does not count; or NULL */
    uint32_t n_moving;          /* pods that need a new place if it goes */
    bool waits;        /* for protected pods, for ever, once it is told to go: its NodeClaim has no
                          terminationGracePeriod */
    int64_t move_cost; /* parts per million: 1 + the eviction costs of those pods above 0
                          (karp: RescheduleDisruptionCost) */
};

struct disrupt_nodes {
    uint32_t n;
    const struct disrupt_node *v; /* sorted by name */
};

/* What a running node costs by its type, zone and capacity type, NodeOverlays included; a node
 * whose labels do not name a capacity type (it is no NodePool's) is taken to be on demand. */
struct opt_usd disrupt_price(const struct sched_offers *offers, const struct sched_snapshot *s,
                             const struct sched_node *node);

/* `offers` are those of a snapshot in which every node stays. Everything lives in `arena`. */
void disrupt_nodes_new(const struct sched_offers *offers, const struct disrupt_settings *settings,
                       struct arena *arena, struct disrupt_nodes *ret_nodes);

/* What is told of a node that may not go, whatever a round allows; NULL: it may, as Empty, Drifted
 * or Underutilized. */
const struct disrupt_verdict *disrupt_verdict_of(const struct disrupt_node *node);

/* What moving a pod costs beside its room, in parts per million: clamp(1 + deletion cost / 2^27 +
 * priority / 2^25, -10, 10) (karp: EvictionCost). */
int64_t disrupt_eviction_cost(const struct k8s_cluster *cluster, const struct k8s_pod *pod);

/* How many more nodes of a pool may go for each reason, `ret_allowed` is [n_nodepools]
 * [DISRUPT_N_REASONS], BUDGET_UNLIMITED: as many as there are. */
void disrupt_allowances(const struct k8s_cluster *cluster, const struct disrupt_nodes *nodes,
                        wall_t now, int64_t (*ret_allowed)[DISRUPT_N_REASONS]);

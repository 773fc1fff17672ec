/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Karpenter's scheduler would buy: an imitation of its greedy, to compare with.
 *
 * Behaviour of Karpenter v1.14 (scheduler.go, nodeclaim.go, topology.go, preferences.go): pods by
 * CPU, then memory, largest first; each goes to the first running node that takes it, else to the
 * claim with the fewest pods that takes it, else to a new claim of the heaviest NodePool. A claim
 * is a set of instance types that shrinks as pods join; prices play no part until it is launched.
 * Then the cheapest offering of what is left is taken: reserved before spot before on-demand.
 * Topology spread narrows a claim to the one emptiest domain. A pod that fits nowhere gives up one
 * preference at a time; one that still fits nowhere waits for the end of the queue.
 *
 * What Karpenter leaves to a later pass happens here in further passes: claims are launched, limits
 * and reservations are counted anew, and the pods that are left try again.
 *
 * Where it differs, on purpose: all rules are those of binpack/scheduling, which also hold where
 * Karpenter's own are known to slip (attachable volumes and the node count of a NodePool are
 * limits here); ties that Karpenter leaves to chance go by text. Pure; nothing is random. */
#pragma once

#include "binpack/scheduling/problem_build.h"

struct emu_settings {
    uint32_t options_max; /* instance types a launch may name, cheapest first; Karpenter: 60 */
    bool grow; /* in the end, launch larger types where that gives pods a place; Karpenter: no */
    bool launch_at_once; /* a claim is launched with its first pod and grows with the others, so
                            that every pod is counted exactly where it will be; Karpenter: no */
    uint64_t draw; /* with launch_at_once: 0: pods by size, what is cheapest is launched; else the
                      order of pods and what is launched are drawn from this seed, to find
                      places where size and price lead nowhere */
    const bool *held; /* [n_pending] pods that are not looked at; NULL: none */
};

struct emu_node {     /* a node that would be launched */
    uint32_t offer_i; /* offers->v: what it is paid as */
    uint32_t n_pods, n_options;
    const uint32_t *pods; /* [n_pods] into snapshot->pending */
    const uint32_t
        *options; /* [n_options] catalog->types, cheapest first, the offer's among them */
};

struct emu_plan {
    uint32_t n_nodes;
    const struct emu_node *nodes;
    uint32_t *running_of;         /* [n_pending] running node that takes the pod, or SCHED_NONE */
    struct sched_descent descent; /* the rung and tier each pod was placed at; SCHED_RUNG_OUT: not
                                     placed */
};

/* `base` must outlive the plan, which lives in `arena`. Errors: as sched_needs_new. */
MUST_CHECK bool emu_karpenter(const struct sched_base *base, const struct emu_settings *settings,
                              struct arena *arena, struct emu_plan *ret_plan, struct err *err);

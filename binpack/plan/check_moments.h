/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A round of disruption, one eviction at a time: pods that have not moved yet are where they run,
 * nodes that are drained are gone, and a pod that is evicted must be allowed at its new place at
 * that moment, by the rules between pods. (Room, ports and volumes only get freer on nodes that go,
 * and on the others the end of the plan is the fullest moment.) Part of the placement checker. */
#pragma once

#include "binpack/plan/check_topology.h"

struct moments_step {
    uint32_t node; /* into cluster->nodes */
    uint32_t tag;  /* of the caller */
    uint32_t n_pods;
    uint32_t *pods; /* [n_pods] into cluster->pods */
    bool forced;    /* goes whether its pods have places or not */
};

/* Puts steps, and the pods of each, into an order in which every pod has its place at its moment,
 * close to the order given; those for which there is no moment come last, and of their pods those
 * that are in the way are set in `ret_stuck` [n_pods]. Pods of `target` [n_pods] that no step moves
 * wait and take their places as soon as they can. False: some step has no moment. */
bool moments_order(struct check_world *world, const uint32_t *target, struct moments_step *steps,
                   uint32_t n_steps, bool *ret_stuck);

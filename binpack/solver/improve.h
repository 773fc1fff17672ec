/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Local search: takes some nodes of the plan apart and packs their pods again by a dive.
 *
 * At the LP's prices pi every node costs price - pi.a more than its pods are worth; these
 * differences add up to the distance between plan and LP. So nodes are picked by their difference,
 * and plans near the LP are improved where it is lost. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/round.h"

struct bp_improve {
    const struct bp_red *red;
    struct arena *arena;
    struct bp_dive *dive;
    struct rng rng;
    struct bp_mix plan, trial;
    double *pi, *mu;
    struct bp_rest rest;
    bool running; /* a dive is under way */
    bool has_new, failed;
    uint32_t n_tries, n_failures; /* failures since the last success */
    uint32_t size;                /* nodes to take apart */
    uint32_t *taken;              /* [plan.n] nodes of each entry in the dive */
    uint32_t taken_room;
    usd_t taken_cost;
    double *loss;
};

void bp_improve_init(struct bp_improve *improve, struct arena *arena, struct bp_dive *dive,
                     uint64_t seed);
void bp_improve_begin(struct bp_improve *improve, const struct bp_mix *plan, const double *pi,
                      const double *mu);
/* Picks about `n` nodes of the plan, those that waste more more likely: improve->taken says how
 * many of each entry. Not while a step is under way. */
void bp_improve_pick(struct bp_improve *improve, uint32_t n);
bool bp_improve_step(struct bp_improve *improve, uint64_t work, uint64_t *spent);
bool bp_improve_has_new(struct bp_improve *improve); /* asks once */
const struct bp_mix *bp_improve_plan(const struct bp_improve *improve);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a snapshot to the numbers of the solver, and back from numbers to pods and nodes.
 *
 * `sched_base` is what does not change while preferences are dropped: offers, dimensions, kinds of
 * running nodes. `sched_problem` is one bp_problem for one state of the descent. Its classes are
 * those of classes.h, plus one for each bundle (pods that must share a node). Its offerings are the
 * running nodes some class may use, by name, then the new ones, by pool, variant, type, zone and
 * capacity type. */
#pragma once

#include "binpack/scheduling/masks.h"
#include "binpack/scheduling/rows.h"
#include "binpack/solver/problem.h"

struct sched_base {
    const struct sched_snapshot *snapshot;
    struct sched_offers *offers;
    struct sched_dims dims;
    struct sched_node_kinds kinds;
};

MUST_CHECK bool sched_base_new(const struct sched_snapshot *snapshot, struct arena *arena,
                               struct sched_base **ret_base, struct err *err);

/* One unit of a class of the problem: `n` classes with a count each. */
struct sched_unit {
    uint32_t n;
    const struct sched_bundle_item *items;
};

struct sched_problem_offering {
    uint32_t node_i;  /* a running node, or SCHED_NONE */
    uint32_t offer_i; /* else: offers->v */
};

struct sched_problem {
    struct bp_problem bp;
    const struct sched_base *base;
    struct sched_needs needs;
    struct sched_rules rules;
    struct sched_masks masks;
    struct sched_classes classes;
    const struct sched_unit *units;                 /* [bp.n_classes] */
    const struct sched_problem_offering *offerings; /* [bp.n_offerings] */
    const bool *tied; /* [bp.n_classes] pods tied to others by affinity over hosts: how they travel,
                         and where the rest of them may go, is this planner's choice, so a bound on
                         every plan may not count on it */
    bool
        any_units; /* affinity over hosts makes units: weights of groups, and who may start one, are
                      this planner's choice then, so no bound may count on the rules of groups */
    /* For the bound, where they differ from bp.size and bp.capacity because pods share claims (see
     * dims.h); else NULL. */
    const int64_t *bound_size, *bound_capacity;
    const bool *shares_claims; /* [bp.n_classes] with bound_size: units with pods that share one */
    bool claims_keep_off; /* and some are kept off a running node that other plans may give them */
    bool order_matters;   /* in_some_order would make a difference */
};

/* The descent that every pending pod starts with: no preference dropped that does not have to be.
 * Preferences that leave a pod no place at all even when it is alone are dropped here; pods that
 * then still have none are given up (SCHED_RUNG_OUT). */
MUST_CHECK bool sched_descent_start(const struct sched_base *base, struct arena *arena,
                                    struct sched_descent *ret_descent, struct err *err);

/* One step down for a pending pod that found no place: away from pods that follow it, else the next
 * tier of pools, else the next rung,
 * else given up (false). */
MUST_CHECK bool sched_descent_step(const struct sched_base *base,
                                   const struct sched_problem *problem, uint32_t pending_i,
                                   struct arena *scratch, struct sched_descent *descent);

MUST_CHECK bool sched_problem_new(const struct sched_base *base,
                                  const struct sched_descent *descent, struct arena *arena,
                                  struct sched_problem **ret_problem, struct err *err);

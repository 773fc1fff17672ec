/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One round of disruption as a plan: which nodes go, what is bought for their pods, how much that
 * saves, and how much could be saved at most.
 *
 * Methods in Karpenter's order: expired nodes go whatever protects them; empty ones, drifted ones
 * and then underutilized ones as far as the budgets of their NodePools allow. What is underutilized
 * is one decision about all candidates: any number of nodes may be replaced by any number of
 * others. The choice starts from the Lagrangian of the whole problem (disruption/select.h) and is
 * tried out with the planner itself (make.h), rules between pods and all; a choice that leaves a
 * displaced pod without a place, does not save, breaks a rule of its NodePool or mixes reasons on
 * one new node is given up node by node until the rest holds. On few candidates every choice is
 * tried.
 *
 * A pod that moves costs something: `move_cost` is paid once and must be earned back within
 * `payback_ms`. So a plan that saves less than its moves are worth is not made, and what has been
 * carried out gives no reason for the next round to undo it. */
#pragma once

#include "binpack/disruption/candidates.h"
#include "binpack/plan/make.h"

struct disrupt_options {
    uint32_t reasons; /* bit per enum disrupt_reason (disruption/reasons.h) that may be used */
    struct opt_i64 max_disruptions, max_moved_pods;
    usd_t move_cost; /* nano-dollars per moved pod, once */
    int64_t payback_ms;
    bool detect_drift, respect_safe_to_evict;
};

enum { DISRUPT_ALL_REASONS = 15 };

#define DISRUPT_OPTIONS_DEFAULT                                                                    \
    ((struct disrupt_options){                                                                     \
        .reasons = DISRUPT_ALL_REASONS, .move_cost = 1000000, .payback_ms = 24 * 3600 * 1000})

/* What candidates are judged by under these options. */
struct disrupt_settings disrupt_rules(const struct make_settings *settings,
                                      const struct disrupt_options *options);

/* How the caller takes part. */
struct disrupt_port {
    void *ctx;
    /* Runs a make to its end, with progress and interrupts; false: stop at what there is. */
    bool (*work)(void *ctx, struct make *make);
    /* A phase is over: "bound", "plan", or "emulate". May be NULL. */
    void (*phase)(void *ctx, const char *name);
};

/* `settings->mode` is PLAN_DISRUPT. Errors as those of make.h. The plan lives in *ret_arena, which
 * is the caller's to give back. */
MUST_CHECK bool disrupt_plan(const struct k8s_cluster *cluster, const struct catalog *catalog,
                             const struct make_settings *settings,
                             const struct disrupt_options *options, const struct disrupt_port *port,
                             struct arena *ret_arena, struct plan **ret_plan, struct err *err);

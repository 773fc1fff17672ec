/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The placement checker: replays a plan pod by pod with the filters of kube-scheduler.
 *
 * Written from the Kubernetes documentation and knows nothing of how the plan came about: it
 * includes no header of scheduling/ or solver/ internals and shares no code with them. It answers
 * one question: if these nodes existed with these labels, taints and room, could kube-scheduler put
 * these pods exactly there, in some order, and would the NodePool, NodeClass and catalogue allow
 * these nodes at these prices? What it checks is listed in docs/checker.md. */
#pragma once

#include "base/err.h"
#include "binpack/plan/plan.h"

struct arena;

struct check_settings {
    bool ignore_overlays;
    bool respect_strict_min_values; /* false: BestEffort */
    bool drift_is_detected;         /* a node may count as drifted without the condition Drifted */
    bool spot_to_spot;              /* spot nodes may be replaced by spot nodes */
    bool complete; /* every pod that needs a place must be in the plan; false when some were left
                      out on purpose */
    struct cat_settings catalog;
    struct plan_spot_rules spot;
};

/* Only the spread of new spot nodes. False with ERR_INTERNAL and the numbers that disagree. */
MUST_CHECK bool check_spot(const struct plan *plan, const struct plan_spot_rules *rules,
                           struct arena *scratch, struct err *err);

/* ERR_INTERNAL and a text naming pod, node and rule for the first violation; true when every
 * placement stands. */
MUST_CHECK bool check_plan(const struct plan *plan, const struct check_settings *settings,
                           struct arena *scratch, struct err *err);

/* The same; where it is false for what pods ask, those that cannot be where the plan has them are
 * set in `ret_stuck` [cluster->n_pods], on top of what is set already. Without them the next
 * violation shows, or the plan stands. */
MUST_CHECK bool check_plan_stuck(const struct plan *plan, const struct check_settings *settings,
                                 struct arena *scratch, bool *ret_stuck, struct err *err);

/* Whether names, systems and amounts of the plan's new nodes are right: what people read and
 * nothing hangs on. ERR_CONFLICT and what is stated and what is right; otherwise as check_plan. */
MUST_CHECK bool check_plan_figures(const struct plan *plan, const struct check_settings *settings,
                                   struct arena *scratch, struct err *err);

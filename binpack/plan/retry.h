/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attempts: a plan that the placement checker refuses is never shown, but made again, more
 * carefully each time.
 *
 * Rules that each have an order of placement may have none together, which the solver does not see.
 * So a refused plan is made again without repair, then so that it holds in any order, then pod by
 * pod with all rules exact; and at last without the pods that the checker has found no order for,
 * which are reported with that reason, until what is left holds. A plan that imitates another
 * planner is only made again without such pods.
 *
 * A plan that holds but leaves pods out which have a place when they are alone is held against the
 * one made pod by pod, and the one that places more stays. Pure but for `once`. */
#pragma once

#include "binpack/plan/check.h"
#include "binpack/plan/make.h"

enum {
    RETRY_WAYS = 4,       /* settings of retry_way */
    RETRY_HELD = 8,       /* attempts with pods held back, in each of which more of them may be */
    RETRY_PODS_MAX = 5000 /* where more pods wait, a plan that holds is not looked at again */
};

/* Makes one plan; false as make_new or make_finish. */
typedef bool (*retry_fn)(void *ctx, const struct make_settings *settings, struct plan **ret_plan,
                         struct err *err);

struct retry {
    retry_fn once;
    bool (*stopped)(void *ctx,
                    bool needed); /* somebody wants no further attempt, needed because no
                                     plan holds yet, or only to place more; NULL: nobody */
    void *ctx;
    const struct make_settings *settings;
    const struct check_settings *checks;
    struct arena *scratch;
};

/* The settings of the way'th attempt of RETRY_WAYS, the first of which is as asked. */
struct make_settings retry_way(const struct make_settings *asked, uint32_t way);

/* Whether the plan leaves out pods that have a place when they are alone, and nothing proves that
 * no plan places more. */
bool retry_may_place_more(const struct plan *plan);

/* `ret_attempts` (may be NULL): how many were made. Errors: of `once`; ERR_INTERNAL, the checker's
 * word on the first plan, when no attempt holds. */
MUST_CHECK bool retry_plan(const struct retry *retry, struct plan **ret_plan,
                           uint32_t *ret_attempts, struct err *err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/retry.h"

#include "base/arena.h"
#include "binpack/scheduling/classes.h"

#include <stdlib.h>
#include <string.h>

struct make_settings retry_way(const struct make_settings *asked, uint32_t way)
{
    struct make_settings settings = *asked;
    settings.no_repair = way == 1 || way == 2;
    settings.any_order = way == 2;
    settings.one_by_one = way == 3;
    return settings;
}

/* One attempt; the pods that the checker finds no order for are added to `stuck`, which is made as
 * long as the plan's cluster when it is NULL. */
static bool attempt(const struct retry *r, const struct make_settings *settings, bool **stuck,
                    uint32_t *n_pods, struct plan **ret_plan, struct err *err)
{
    if (!r->once(r->ctx, settings, ret_plan, err)) {
        return false;
    }
    const struct plan *plan = *ret_plan;
    if (*stuck == NULL) {
        *n_pods = plan->cluster->n_pods;
        *stuck = ARENA_ARRAY(r->scratch, bool, *n_pods);
    }
    return check_plan_stuck(plan, r->checks, r->scratch, *stuck, err) ||
           err_wrap(err, settings->emulates != PLAN_OWN
                             ? "the emulated plan breaks a rule, so it is not shown"
                             : "the plan does not hold, so it is not shown");
}

static bool is_over(const struct retry *r, bool good, const struct err *err)
{
    return good || err->code != ERR_INTERNAL ||
           (r->stopped != NULL && r->stopped(r->ctx, /* needed= */ true));
}

static uint32_t count_of(const bool *v, uint32_t n)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n && v != NULL; i++) {
        count += v[i];
    }
    return count;
}

/* Leaves out who was stuck; pods of one attempt may stand in the way of others in the next. */
static bool hold_back(const struct retry *r, bool *stuck, uint32_t n_pods, struct plan **ret_plan,
                      uint32_t *n_tries, struct err *err)
{
    struct make_settings settings = *r->settings;
    bool good = false;
    for (uint32_t tries = 0; tries < RETRY_HELD && !is_over(r, good, err); tries++) {
        const uint32_t before = count_of(stuck, n_pods);
        bool *held = ARENA_ARRAY(r->scratch, bool, n_pods);
        if (before == 0) {
            return false; /* It is not about pods. */
        }
        memcpy(held, stuck, n_pods * sizeof *held);
        settings.held = held;
        /* The last attempts are the careful ones. */
        settings.one_by_one = settings.emulates == PLAN_OWN && tries >= RETRY_HELD / 2;
        good = attempt(r, &settings, &stuck, &n_pods, ret_plan, err);
        (*n_tries)++;
    }
    return good;
}

/* ---- which of two plans places more */

static int reverse_priority(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

static int32_t *priorities_left_out(const struct plan *plan, struct arena *arena)
{
    int32_t *v = ARENA_ARRAY(arena, int32_t, plan->n_unplaced);
    for (uint32_t i = 0; i < plan->n_unplaced; i++) {
        v[i] = sched_priority_of(plan->cluster, plan->cluster->pods[plan->unplaced[i].pod].shape);
    }
    if (plan->n_unplaced > 0) {
        qsort(v, plan->n_unplaced, sizeof *v, reverse_priority);
    }
    return v;
}

/* Does `a` leave out fewer of the highest priority in which the two differ? */
static bool places_more(const struct plan *a, const struct plan *b, struct arena *scratch)
{
    const int32_t *x = priorities_left_out(a, scratch), *y = priorities_left_out(b, scratch);
    uint32_t i = 0;
    while (i < a->n_unplaced && i < b->n_unplaced && x[i] == y[i]) {
        i++;
    }
    if (i == a->n_unplaced || i == b->n_unplaced) {
        return a->n_unplaced < b->n_unplaced;
    }
    return x[i] < y[i];
}

bool retry_may_place_more(const struct plan *plan)
{
    static const char *const codes[] = {"POD_RULES", "NO_PLACE_FOUND", "NO_ORDER_FOUND"};
    bool any = false;
    for (uint32_t i = 0; i < plan->n_unplaced && !any && !plan->least_out; i++) {
        const struct plan_unplaced *unplaced = &plan->unplaced[i];
        for (size_t k = 0; k < sizeof codes / sizeof codes[0] && unplaced->n_reasons > 0; k++) {
            any = any || str_eq(unplaced->reasons[0].code, str_of(codes[k]));
        }
    }
    return any;
}

/* Does the accepted plan want another attempt? */
static bool is_poor(const struct retry *r, const struct plan *plan)
{
    return r->settings->mode != PLAN_DISRUPT && r->settings->emulates == PLAN_OWN &&
           plan->n_pending <= RETRY_PODS_MAX && retry_may_place_more(plan) &&
           (r->stopped == NULL || !r->stopped(r->ctx, /* needed= */ false));
}

/* The ways after the first. Of those that hold the one that places most stays in `*best`. */
static void try_ways(const struct retry *r, bool **stuck, uint32_t *n_pods, struct plan **best,
                     uint32_t *n_tries, struct err *err)
{
    for (uint32_t way = 1; way < RETRY_WAYS; way++) {
        const struct make_settings settings = retry_way(r->settings, way);
        struct plan *plan = NULL;
        bool *ignored = ARENA_ARRAY(r->scratch, bool, *n_pods);
        const bool done = *best != NULL ? !is_poor(r, *best) : is_over(r, /* good= */ false, err);
        if (done || (settings.one_by_one && settings.mode == PLAN_DISRUPT)) {
            return; /* A round of disruption has makes of its own. */
        }
        if (*best != NULL && !settings.one_by_one) {
            continue; /* These place no more. */
        }
        bool good = attempt(r, &settings, *stuck == NULL ? stuck : &ignored, n_pods, &plan, err);
        (*n_tries)++;
        if (good && (*best == NULL || places_more(plan, *best, r->scratch))) {
            *best = plan;
        }
    }
}

bool retry_plan(const struct retry *r, struct plan **ret_plan, uint32_t *ret_attempts,
                struct err *err)
{
    bool *stuck = NULL;
    uint32_t n_pods = 0, n_tries = 1;
    struct plan *best = NULL, *plan = NULL;
    if (attempt(r, r->settings, &stuck, &n_pods, &plan, err)) {
        best = plan;
    }
    const struct err first = *err;
    if (r->settings->emulates == PLAN_OWN) {
        try_ways(r, &stuck, &n_pods, &best, &n_tries, err);
    }
    if (best == NULL && !is_over(r, false, err) && r->settings->mode != PLAN_DISRUPT &&
        hold_back(r, stuck, n_pods, &plan, &n_tries, err)) {
        best = plan;
    }
    if (best == NULL && err->code == ERR_INTERNAL) {
        *err = first;
    }
    *ret_plan = best;
    if (ret_attempts != NULL) {
        *ret_attempts = n_tries;
    }
    return best != NULL;
}

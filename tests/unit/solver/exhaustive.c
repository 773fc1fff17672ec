/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "exhaustive.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/bitset.h"

enum { CLASSES_MAX = 8, PATTERNS_MAX = 4096, DEPTH_MAX = 16, LIMITS_MAX = 4 };

struct pattern {
    uint32_t offering;
    uint32_t units[CLASSES_MAX];
};

struct search {
    const struct bp_problem *p;
    const uint32_t *placed;
    struct pattern patterns[PATTERNS_MAX];
    uint32_t n_patterns;
    uint32_t left[CLASSES_MAX], best_left[CLASSES_MAX];
    int64_t limit_left[LIMITS_MAX];
    uint32_t *stock_left;
    usd_t cost, best_cost, placed_cost;
    bool any, overflow;
    uint64_t n_plans, max_plans;
};

static uint32_t cap_at(const struct bp_cap *cap, uint32_t k)
{
    return cap->max_at != NULL ? cap->max_at[k] : cap->max;
}

static bool holds(const struct bp_problem *p, uint32_t k, const uint32_t *units)
{
    size_t words = bits_words(p->n_domains);
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (units[i] > 0 && !bits_get(p->mask + i * words, p->offerings[k].domain)) {
            return false;
        }
    }
    for (uint32_t d = 0; d < p->n_dims; d++) {
        int64_t used = 0;
        for (uint32_t i = 0; i < p->n_classes; i++) {
            used += p->size[i * p->n_dims + d] * units[i];
        }
        if (used > p->capacity[k * p->n_dims + d]) {
            return false;
        }
    }
    for (uint32_t c = 0; c < p->n_caps; c++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < p->n_classes; i++) {
            n += bits_get(p->caps[c].members, i) ? units[i] : 0;
        }
        if (n > cap_at(&p->caps[c], k)) {
            return false;
        }
    }
    return true;
}

static bool variety_ok(const struct bp_problem *p, const struct bp_variety *v, uint32_t k,
                       const uint32_t *units)
{
    if (v->value[k] == BP_NO_VALUE) {
        return true;
    }
    uint64_t seen = 0;
    for (uint32_t o = 0; o < p->n_offerings; o++) {
        if (v->value[o] != BP_NO_VALUE && holds(p, o, units)) {
            seen |= UINT64_C(1) << v->value[o];
        }
    }
    return (uint32_t)__builtin_popcountll(seen) >= v->min_values;
}

static bool feasible(const struct bp_problem *p, uint32_t k, const uint32_t *units)
{
    if (!holds(p, k, units)) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (units[i] > p->classes[i].max_per_node) {
            return false;
        }
    }
    for (uint32_t e = 0; e < p->n_exclusions; e++) {
        for (uint32_t i = 0; i < p->n_classes; i++) {
            for (uint32_t j = 0; j < p->n_classes; j++) {
                if (i != j && units[i] > 0 && units[j] > 0 && bits_get(p->exclusions[e].a, i) &&
                    bits_get(p->exclusions[e].b, j)) {
                    return false;
                }
            }
        }
    }
    for (uint32_t v = 0; v < p->n_varieties; v++) {
        if (!variety_ok(p, &p->varieties[v], k, units)) {
            return false;
        }
    }
    return true;
}

static bool list_patterns(struct search *s)
{
    const struct bp_problem *p = s->p;
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        uint32_t units[CLASSES_MAX] = {0};
        for (;;) {
            uint32_t i = 0;
            while (i < p->n_classes && units[i] == p->classes[i].demand) {
                units[i++] = 0;
            }
            if (i == p->n_classes) {
                break;
            }
            units[i]++;
            if (feasible(p, k, units)) {
                if (s->n_patterns == PATTERNS_MAX) {
                    return false;
                }
                struct pattern *out = &s->patterns[s->n_patterns++];
                out->offering = k;
                memcpy(out->units, units, sizeof units);
            }
        }
    }
    return true;
}

/* Below 0: the units left in a are the smaller loss. */
static int compare_left(const struct bp_problem *p, const uint32_t *a, const uint32_t *b)
{
    for (int64_t under = INT64_MAX;;) {
        bool any = false;
        int64_t at = 0;
        for (uint32_t i = 0; i < p->n_classes; i++) {
            if (p->classes[i].priority < under && (!any || p->classes[i].priority > at)) {
                at = p->classes[i].priority;
                any = true;
            }
        }
        if (!any) {
            return 0;
        }
        int64_t more = 0;
        for (uint32_t i = 0; i < p->n_classes; i++) {
            if (p->classes[i].priority == at) {
                more += ((int64_t)a[i] - (int64_t)b[i]) * p->classes[i].weight;
            }
        }
        if (more != 0) {
            return more < 0 ? -1 : 1;
        }
        under = at;
    }
}

static void judge(struct search *s)
{
    const struct bp_problem *p = s->p;
    int order = s->any ? compare_left(p, s->left, s->best_left) : -1;
    if (order < 0 || (order == 0 && s->cost < s->best_cost)) {
        memcpy(s->best_left, s->left, sizeof s->left);
        s->best_cost = s->cost;
        s->any = true;
    }
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (p->classes[i].demand - s->left[i] != s->placed[i]) {
            return;
        }
    }
    if (s->placed_cost < 0 || s->cost < s->placed_cost) {
        s->placed_cost = s->cost;
    }
}

static bool may_use(const struct search *s, const struct pattern *pattern)
{
    const struct bp_problem *p = s->p;
    if (s->stock_left[pattern->offering] == 0) {
        return false;
    }
    for (uint32_t r = 0; r < p->n_limits; r++) {
        if (p->limits[r].use[pattern->offering] > s->limit_left[r]) {
            return false;
        }
    }
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (pattern->units[i] > s->left[i]) {
            return false;
        }
    }
    return true;
}

static void use(struct search *s, const struct pattern *pattern, bool back)
{
    const struct bp_problem *p = s->p;
    uint32_t k = pattern->offering;
    if (p->offerings[k].stock != BP_UNLIMITED) {
        s->stock_left[k] += back ? 1U : UINT32_MAX;
    }
    s->cost += back ? -p->offerings[k].price : p->offerings[k].price;
    for (uint32_t r = 0; r < p->n_limits; r++) {
        s->limit_left[r] += back ? p->limits[r].use[k] : -p->limits[r].use[k];
    }
    for (uint32_t i = 0; i < p->n_classes; i++) {
        s->left[i] = back ? s->left[i] + pattern->units[i] : s->left[i] - pattern->units[i];
    }
}

/* Patterns in ascending order, so that each plan is met once. */
static void search(struct search *s, uint32_t from)
{
    if (++s->n_plans > s->max_plans) {
        s->overflow = true;
        return;
    }
    judge(s);
    for (uint32_t j = from; j < s->n_patterns && !s->overflow; j++) {
        if (may_use(s, &s->patterns[j])) {
            use(s, &s->patterns[j], /* back= */ false);
            search(s, j);
            use(s, &s->patterns[j], /* back= */ true);
        }
    }
}

bool exhaustive_solve(const struct bp_problem *problem, const uint32_t *placed, uint64_t max_plans,
                      struct arena *arena, struct exhaustive *ret)
{
    struct search *s = ARENA_NEW(arena, struct search);
    s->p = problem;
    s->placed = placed;
    s->max_plans = max_plans;
    s->placed_cost = -1;
    s->stock_left = ARENA_ARRAY(arena, uint32_t, problem->n_offerings + 1);
    if (problem->n_classes > CLASSES_MAX || problem->n_limits > LIMITS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < problem->n_classes; i++) {
        s->left[i] = problem->classes[i].demand;
    }
    for (uint32_t r = 0; r < problem->n_limits; r++) {
        s->limit_left[r] = problem->limits[r].max;
    }
    for (uint32_t k = 0; k < problem->n_offerings; k++) {
        s->stock_left[k] = problem->offerings[k].stock;
    }
    if (!list_patterns(s)) {
        return false;
    }
    search(s, 0);
    uint32_t *unplaced = ARENA_ARRAY(arena, uint32_t, problem->n_classes + 1);
    memcpy(unplaced, s->best_left, problem->n_classes * sizeof *unplaced);
    *ret = (struct exhaustive){.cost = s->best_cost,
                               .unplaced = unplaced,
                               .cost_of_placed = s->placed_cost,
                               .n_plans = s->n_plans};
    return !s->overflow;
}

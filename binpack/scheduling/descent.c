/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/scheduling/prefs.h"
#include "binpack/scheduling/problem_build.h"

/* How one need stands when it is alone. */
struct stand {
    uint32_t tier;
    bool running;
};

static uint32_t n_rungs(const struct sched_snapshot *s, const struct k8s_pod_shape *shape,
                        struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    struct sched_ladder ladder =
        sched_ladder_of(scratch, shape, s->any_prefer_no_schedule, s->settings.ignore_preferences);
    arena_rewind(scratch, mark);
    return ladder.n;
}

/* Puts every pod of the descent one rung down whose need has no place alone; true when one did. */
static bool settle(const struct sched_base *base, const struct sched_needs *needs,
                   const struct stand *stands, struct sched_descent *descent)
{
    bool again = false;
    for (uint32_t i = 0; i < base->snapshot->n_pending; i++) {
        if (needs->of_pod[i] == SCHED_NONE) {
            continue;
        }
        const struct sched_need *need = &needs->v[needs->of_pod[i]];
        const struct stand *stand = &stands[needs->of_pod[i]];
        descent->tier[i] = (uint16_t)stand->tier;
        if (stand->tier == SCHED_TIER_NONE && !stand->running) {
            descent->rung[i] = need->last_rung ? SCHED_RUNG_OUT : (uint16_t)(descent->rung[i] + 1);
            descent->tier[i] = 0;
            again = again || !need->last_rung;
        }
    }
    return again;
}

bool sched_descent_start(const struct sched_base *base, struct arena *arena,
                         struct sched_descent *ret_descent, struct err *err)
{
    const struct sched_snapshot *s = base->snapshot;
    *ret_descent = (struct sched_descent){.rung = ARENA_ARRAY(arena, uint16_t, s->n_pending),
                                          .tier = ARENA_ARRAY(arena, uint16_t, s->n_pending),
                                          .loose = ARENA_ARRAY(arena, bool, s->n_pending)};
    bool again = true;
    while (again) {
        struct arena scratch = ARENA_INIT;
        struct sched_needs needs;
        struct sched_masks masks;
        if (!sched_needs_new(s, ret_descent, &scratch, &needs, err)) {
            arena_done(&scratch);
            return false;
        }
        sched_masks_new(base->offers, &base->kinds, &needs, &scratch, &masks);
        struct stand *stands = ARENA_ARRAY(&scratch, struct stand, needs.n);
        for (uint32_t i = 0; i < needs.n; i++) {
            sched_mask_alone(&masks, &base->dims, &needs, i, 0, &scratch, &stands[i].tier,
                             &stands[i].running);
        }
        again = settle(base, &needs, stands, ret_descent);
        arena_done(&scratch);
    }
    return true;
}

/* Does the need travel in bundles although it follows nobody? Then it may have a place alone. */
static bool only_leads(const struct sched_problem *p, uint32_t need_i)
{
    bool bundled = false;
    for (uint32_t u = 0; u < p->bp.n_classes && !bundled; u++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < p->units[u].n; k++) {
            n += p->units[u].items[k].count;
            bundled = bundled || p->units[u].items[k].class_i == p->classes.of_need[need_i];
        }
        bundled = bundled && n > 1;
    }
    for (uint32_t r = 0; r < p->rules.n && bundled; r++) {
        const struct sched_rule *rule = &p->rules.v[r];
        bundled = rule->kind != SCHED_TOGETHER || rule->key != p->base->snapshot->words->hostname ||
                  !bits_get(rule->carriers, need_i);
    }
    return bundled;
}

/* Do preferences of other pods keep the need away? They bind those who have them only. */
static bool is_avoided(const struct sched_problem *p, uint32_t need_i)
{
    for (uint32_t r = 0; r < p->rules.n; r++) {
        const struct sched_rule *rule = &p->rules.v[r];
        if (!rule->required && rule->kind != SCHED_TOGETHER && bits_get(rule->targets, need_i) &&
            !bits_get(rule->carriers, need_i)) {
            return true;
        }
    }
    return false;
}

bool sched_descent_step(const struct sched_base *base, const struct sched_problem *problem,
                        uint32_t pending_i, struct arena *scratch, struct sched_descent *descent)
{
    const struct sched_snapshot *s = base->snapshot;
    uint32_t need_i = problem->needs.of_pod[pending_i];
    if (need_i == SCHED_NONE) {
        return false;
    }
    const struct sched_need *need = &problem->needs.v[need_i];
    if (!need->loose && only_leads(problem, need_i)) {
        descent->loose[pending_i] = true;
        return true;
    }
    uint32_t tier = SCHED_TIER_NONE;
    bool running = false;
    if (need->tier != SCHED_TIER_NONE) {
        sched_mask_alone(&problem->masks, &base->dims, &problem->needs, need_i, need->tier + 1,
                         scratch, &tier, &running);
    }
    if (tier != SCHED_TIER_NONE) {
        descent->tier[pending_i] = (uint16_t)tier;
        return true;
    }
    if (descent->rung[pending_i] >= n_rungs(s, need->shape, scratch)) {
        bool moved = !need->loose && is_avoided(problem, need_i);
        descent->loose[pending_i] = descent->loose[pending_i] || moved;
        return moved;
    }
    descent->rung[pending_i]++;
    descent->tier[pending_i] = 0;
    return true;
}

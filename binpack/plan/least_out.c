/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/least_out.h"

#include "base/arena.h"
#include "base/bitset.h"

/* The most pods of the rule that its domains take, or UINT64_MAX. */
static uint64_t most_of(const struct bp_problem *bp, const struct bp_group *group)
{
    const uint32_t n_values = bp->n_axis_values[group->axis];
    uint64_t most = 0;
    if (group->kind == BP_GROUP_APART) {
        for (uint32_t v = 0; v < n_values; v++) {
            most += group->base == NULL || group->base[v] == 0;
        }
        return most;
    }
    const size_t n_eligible = bits_count(group->eligible, bits_words(n_values));
    if (group->kind != BP_GROUP_SPREAD || n_eligible == 0 || n_eligible >= group->min_domains) {
        return UINT64_MAX;
    }
    for (size_t v = bits_next(group->eligible, n_values, 0); v < n_values;
         v = bits_next(group->eligible, n_values, v + 1)) {
        const uint32_t base = group->base == NULL ? 0 : group->base[v];
        most += group->max_skew > base ? group->max_skew - base : 0;
    }
    return most;
}

struct tally {
    uint64_t n, n_out;
    int32_t priority;
    bool usable; /* one priority, no preference that could be given up, nobody counted already */
};

static void count_class(const struct sched_problem *p, uint32_t class_i, const bool *placed,
                        const bool *explained, struct tally *tally)
{
    const struct sched_class *class = &p->classes.v[class_i];
    for (uint32_t k = 0; k < class->n_needs; k++) {
        const struct sched_need *need = &p->needs.v[class->needs[k]];
        tally->usable = tally->usable && need->last_rung &&
                        (tally->n == 0 || need->priority == tally->priority);
        tally->priority = need->priority;
    }
    for (uint32_t k = 0; k < class->n_pods; k++) {
        tally->n++;
        tally->n_out += !placed[class->pods[k]];
        tally->usable = tally->usable && !explained[class->pods[k]];
    }
}

static bool is_in(const struct bp_group *group, uint32_t class_i)
{
    return bits_get(group->carriers, class_i) && bits_get(group->targets, class_i);
}

/* Marks the pods of the rule where it leaves out as many in any plan. */
static void explain_group(const struct sched_problem *p, const struct bp_group *group,
                          const bool *placed, bool *explained)
{
    const uint64_t most = most_of(&p->bp, group);
    struct tally tally = {.usable = most != UINT64_MAX};
    for (uint32_t i = 0; i < p->bp.n_classes && tally.usable; i++) {
        if (is_in(group, i)) {
            count_class(p, i, placed, explained, &tally);
        }
    }
    if (!tally.usable || tally.n <= most || tally.n_out > tally.n - most) {
        return;
    }
    for (uint32_t i = 0; i < p->bp.n_classes; i++) {
        const struct sched_class *class = &p->classes.v[i];
        for (uint32_t k = 0; k < class->n_pods && is_in(group, i); k++) {
            explained[class->pods[k]] = true;
        }
    }
}

/* Is a pod left out that has a place when it is alone? */
static bool leaves_out(const struct sched_snapshot *s, const struct sched_descent *start,
                       const bool *placed)
{
    for (uint32_t i = 0; i < s->n_pending; i++) {
        if (!placed[s->pending[i]] && start->rung[i] != SCHED_RUNG_OUT) {
            return true;
        }
    }
    return false;
}

bool least_out_is_proven(const struct sched_base *base, const struct sched_descent *start,
                         const bool *placed, struct arena *scratch)
{
    struct sched_problem *p = NULL;
    struct err ignored; /* Then it is not known. */
    if (!leaves_out(base->snapshot, start, placed)) {
        return true;
    }
    if (!sched_problem_new(base, start, scratch, &p, &ignored) || p->any_units ||
        p->bp.n_classes != p->classes.n) {
        return false;
    }
    bool *explained = ARENA_ARRAY(scratch, bool, p->base->snapshot->cluster->n_pods);
    for (uint32_t g = 0; g < p->bp.n_groups; g++) {
        explain_group(p, &p->bp.groups[g], placed, explained);
    }
    for (uint32_t i = 0; i < p->classes.n; i++) {
        const struct sched_class *class = &p->classes.v[i];
        for (uint32_t k = 0; k < class->n_pods; k++) {
            if (!placed[class->pods[k]] && !explained[class->pods[k]]) {
                return false;
            }
        }
    }
    return true;
}

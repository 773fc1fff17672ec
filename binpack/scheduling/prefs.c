/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/prefs.h"

#include "base/arena.h"

/* Appends n terms heaviest first; equal weights keep the order of the pod. `weight` gives the
 * weight of term i. */
static void push_by_weight(struct sched_rung *rungs, uint32_t *n_rungs, enum sched_soft kind,
                           uint32_t n,
                           int32_t (*weight)(const struct k8s_pod_shape *shape, uint32_t i),
                           const struct k8s_pod_shape *shape)
{
    struct sched_rung *first = rungs + *n_rungs;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = i;
        for (; at > 0 && weight(shape, first[at - 1].term_i) < weight(shape, i); at--) {
            first[at] = first[at - 1];
        }
        first[at] = (struct sched_rung){.kind = kind, .term_i = i};
    }
    *n_rungs += n;
}

static int32_t affinity_weight(const struct k8s_pod_shape *shape, uint32_t i)
{
    return shape->preferred_affinity[i].weight;
}
static int32_t anti_affinity_weight(const struct k8s_pod_shape *shape, uint32_t i)
{
    return shape->preferred_anti_affinity[i].weight;
}
static int32_t node_weight(const struct k8s_pod_shape *shape, uint32_t i)
{
    return shape->preferred_node_terms[i].weight;
}

/* The first soft constraint goes each time, and the last constraint of the list, hard or soft,
 * takes its place. */
static void push_spread(struct arena *arena, struct sched_rung *rungs, uint32_t *n_rungs,
                        const struct k8s_pod_shape *shape)
{
    uint32_t *left = ARENA_ARRAY(arena, uint32_t, shape->n_spread);
    uint32_t n_left = shape->n_spread;
    for (uint32_t i = 0; i < n_left; i++) {
        left[i] = i;
    }
    for (uint32_t i = 0; i < n_left;) {
        if (!shape->spread[left[i]].schedule_anyway) {
            i++;
            continue;
        }
        rungs[(*n_rungs)++] = (struct sched_rung){.kind = SCHED_SOFT_SPREAD, .term_i = left[i]};
        left[i] = left[--n_left];
    }
}

struct sched_ladder sched_ladder_of(struct arena *arena, const struct k8s_pod_shape *shape,
                                    bool prefer_taints, bool ignore)
{
    const uint32_t max = shape->n_preferred_affinity + shape->n_preferred_anti_affinity +
                         shape->n_preferred_node_terms + shape->n_spread + 1;
    struct sched_rung *rungs = ARENA_ARRAY(arena, struct sched_rung, max);
    uint32_t n = 0;
    if (!ignore) {
        push_by_weight(rungs, &n, SCHED_SOFT_AFFINITY, shape->n_preferred_affinity, affinity_weight,
                       shape);
        push_by_weight(rungs, &n, SCHED_SOFT_ANTI_AFFINITY, shape->n_preferred_anti_affinity,
                       anti_affinity_weight, shape);
        push_by_weight(rungs, &n, SCHED_SOFT_NODE, shape->n_preferred_node_terms, node_weight,
                       shape);
        push_spread(arena, rungs, &n, shape);
    }
    if (prefer_taints) {
        rungs[n++] = (struct sched_rung){.kind = SCHED_SOFT_TAINT, .term_i = 0};
    }
    return (struct sched_ladder){.n = n, .rungs = rungs};
}

const struct k8s_node_term *sched_ladder_node_term(const struct sched_ladder *ladder,
                                                   const struct k8s_pod_shape *shape,
                                                   uint32_t dropped)
{
    for (uint32_t i = dropped; i < ladder->n; i++) {
        if (ladder->rungs[i].kind == SCHED_SOFT_NODE) {
            return &shape->preferred_node_terms[ladder->rungs[i].term_i].term;
        }
    }
    return NULL;
}

bool sched_ladder_taints_count(const struct sched_ladder *ladder, uint32_t dropped)
{
    return dropped < ladder->n && ladder->rungs[ladder->n - 1].kind == SCHED_SOFT_TAINT;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/greedy.h"

#include "base/arena.h"

#include <stdlib.h>

usd_t greedy_cost(const struct sched_base *base, const struct emu_plan *greedy)
{
    usd_t cost = 0;
    for (uint32_t i = 0; i < greedy->n_nodes; i++) {
        cost = sat_add(cost, base->offers->v[greedy->nodes[i].offer_i].price);
    }
    return cost;
}

struct standing { /* a pod that one of two plans places */
    int32_t priority;
    int gain;
};

static int standing_cmp(const void *a, const void *b)
{
    const struct standing *x = a, *y = b;
    return (x->priority < y->priority) - (x->priority > y->priority);
}

int greedy_gain(const struct sched_base *base, const struct emu_plan *greedy, const bool *placed)
{
    const struct sched_snapshot *s = base->snapshot;
    struct arena scratch = ARENA_INIT;
    struct standing *v = ARENA_ARRAY(&scratch, struct standing, s->n_pending);
    uint32_t n = 0;
    int gain = 0;
    for (uint32_t i = 0; i < s->n_pending; i++) {
        const bool has = greedy->descent.rung[i] != SCHED_RUNG_OUT;
        if (has != placed[s->pending[i]]) {
            const struct k8s_pod *pod = &s->cluster->pods[s->pending[i]];
            v[n++] = (struct standing){.priority = sched_priority_of(s->cluster, pod->shape),
                                       .gain = has ? 1 : -1};
        }
    }
    if (n > 0) {
        qsort(v, n, sizeof *v, standing_cmp);
    }
    for (uint32_t i = 0; i < n && (gain == 0 || v[i].priority == v[i - 1].priority); i++) {
        gain += v[i].gain;
    }
    arena_done(&scratch);
    return gain;
}

bool greedy_keeps(const struct sched_base *base, const struct emu_plan *greedy,
                  const struct sched_descent *than)
{
    for (uint32_t i = 0; i < base->snapshot->n_pending; i++) {
        if (greedy->descent.rung[i] > than->rung[i] ||
            (greedy->descent.rung[i] != SCHED_RUNG_OUT && greedy->running_of[i] == SCHED_NONE &&
             greedy->descent.tier[i] > than->tier[i])) {
            return false;
        }
    }
    return true;
}

static bool is_better(const struct sched_base *base, const struct emu_plan *a,
                      const struct emu_plan *b)
{
    const struct sched_snapshot *s = base->snapshot;
    struct arena scratch = ARENA_INIT;
    bool *placed = ARENA_ARRAY(&scratch, bool, s->cluster->n_pods);
    for (uint32_t i = 0; i < s->n_pending; i++) {
        placed[s->pending[i]] = b->descent.rung[i] != SCHED_RUNG_OUT;
    }
    const int gain = greedy_gain(base, a, placed);
    arena_done(&scratch);
    return gain > 0 || (gain == 0 && greedy_cost(base, a) < greedy_cost(base, b));
}

static uint32_t n_orders(const struct sched_base *base)
{
    enum { STEPS = 4000000, LEAST = 16 }; /* half a second */
    const uint32_t n_pods = base->snapshot->n_pending;
    const uint32_t orders = n_pods <= 16     ? 1024
                            : n_pods <= 32   ? 256
                            : n_pods <= 64   ? 64
                            : n_pods <= 512  ? 16
                            : n_pods <= 2048 ? 4
                                             : 1;
    const uint64_t each = (uint64_t)base->offers->n * n_pods;
    const uint64_t most = each == 0 ? orders : STEPS / each;
    return most >= orders   ? orders
           : orders < LEAST ? orders
           : most < LEAST   ? LEAST
                            : (uint32_t)most;
}

uint32_t greedy_orders_to_save(const struct sched_base *base)
{
    enum { STEPS = 500000, MOST = 256 };
    const uint64_t each = (uint64_t)base->offers->n * base->snapshot->n_pending;
    return each == 0 ? 0 : STEPS / each < MOST ? (uint32_t)(STEPS / each) : MOST;
}

/* Replaces the plan by better ones of those made pod by pod; `any`: there is one already. */
static bool take_better(const struct sched_base *base, const struct emu_settings *settings,
                        uint32_t orders, bool any, struct arena *arena, struct emu_plan *plan,
                        struct err *err)
{
    struct emu_settings exact = *settings;
    exact.grow = true;
    exact.launch_at_once = true;
    for (uint32_t i = 0; i < n_orders(base) && i < orders; i++) {
        struct emu_plan greedy;
        exact.draw = i;
        if (!emu_karpenter(base, &exact, arena, &greedy, err)) {
            return false;
        }
        if (!any || is_better(base, &greedy, plan)) {
            *plan = greedy;
        }
        any = true;
    }
    return true;
}

bool greedy_one_by_one(const struct sched_base *base, const struct emu_settings *settings,
                       struct arena *arena, struct emu_plan *ret_plan, struct err *err)
{
    return take_better(base, settings, UINT32_MAX, /* any= */ false, arena, ret_plan, err);
}

bool greedy_best(const struct sched_base *base, const struct emu_settings *settings,
                 uint32_t orders, struct arena *arena, struct emu_plan *ret_plan, struct err *err)
{
    struct emu_settings grown = *settings;
    grown.grow = true;
    return emu_karpenter(base, &grown, arena, ret_plan, err) &&
           (base->snapshot->n_pending > GREEDY_BOTH_MAX ||
            take_better(base, settings, orders, /* any= */ true, arena, ret_plan, err));
}

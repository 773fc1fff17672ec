/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/emulate/run.h"

#include "base/arena.h"
#include "base/bitset.h"

#include <stdlib.h>

/* ---- order */

struct queued {
    uint32_t pending_i;
    int64_t cpu, memory;
    wall_t created;
    struct str uid, name;
};

static int queued_cmp(const void *a, const void *b)
{
    const struct queued *x = a, *y = b;
    if (x->cpu != y->cpu) {
        return x->cpu > y->cpu ? -1 : 1;
    }
    if (x->memory != y->memory) {
        return x->memory > y->memory ? -1 : 1;
    }
    if (x->created != y->created) {
        return x->created < y->created ? -1 : 1;
    }
    int order = str_cmp(x->uid, y->uid);
    order = order != 0 ? order : str_cmp(x->name, y->name);
    return order != 0 ? order : (x->pending_i > y->pending_i) - (x->pending_i < y->pending_i);
}

void emu_run_queue(struct emu_run *r, const uint32_t *pods, uint32_t n)
{
    const struct sched_snapshot *s = r->base->snapshot;
    struct queued *list = ARENA_ARRAY(r->scratch, struct queued, n);
    for (uint32_t i = 0; i < r->asks.needs.n; i++) {
        r->failed_at[i] = EMU_NEVER;
    }
    r->n_queued = n;
    r->head = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct k8s_pod *pod = &s->cluster->pods[s->pending[pods[i]]];
        const int64_t *size = r->asks.size + (size_t)r->asks.need[0][pods[i]] * r->base->dims.n;
        list[i] = (struct queued){.pending_i = pods[i],
                                  .cpu = size[0],
                                  .memory = size[1],
                                  .created = pod->created.has ? pod->created.v : 0,
                                  .uid = pod->uid,
                                  .name = pod->name};
    }
    if (n > 0) {
        qsort(list, n, sizeof *list, queued_cmp);
    }
    for (uint32_t i = n; r->settings->draw != 0 && i > 1; i--) {
        const uint32_t k = rng_below(&r->rng, i);
        const struct queued drawn = list[k];
        list[k] = list[i - 1];
        list[i - 1] = drawn;
    }
    for (uint32_t i = 0; i < n; i++) {
        r->queue[i] = list[i].pending_i;
        r->length_at[list[i].pending_i] = EMU_NEVER;
    }
}

/* Heaviest first; among equals the last name first (karp: OrderByWeight). Pools come by weight,
 * then by name. */
static void order_pools(struct emu_run *r)
{
    const struct sched_snapshot *s = r->base->snapshot;
    r->pool_order = ARENA_ARRAY(r->scratch, uint32_t, s->n_pools);
    uint32_t n = 0;
    for (uint32_t from = 0, to; from < s->n_pools; from = to) {
        for (to = from; to < s->n_pools && s->pools[to].tier == s->pools[from].tier; to++) {
        }
        for (uint32_t p = to; p > from; p--) {
            r->pool_order[n++] = p - 1;
        }
    }
}

/* Keeps the open claims by number of pods after claim `at` got one more. */
static void resort(struct emu_run *r, size_t at)
{
    struct emu_claim **v = r->open.v;
    for (; at + 1 < r->open.n && v[at + 1]->pods.n < v[at]->pods.n; at++) {
        struct emu_claim *moved = v[at];
        v[at] = v[at + 1];
        v[at + 1] = moved;
    }
}

/* ---- one pod */

struct attempt {
    uint32_t pending_i, need_i, first, n; /* asks first .. first + n - 1: one required term */
};

static enum emu_answer try_claim(struct emu_run *r, const struct attempt *t,
                                 struct emu_claim *claim)
{
    enum emu_answer answer = EMU_NO;
    for (uint32_t k = 0; k < t->n && answer != EMU_YES; k++) {
        enum emu_answer one =
            emu_claim_join(&r->claims, claim, t->pending_i, t->need_i, t->first + k);
        answer = one == EMU_NO ? answer : one;
    }
    return answer;
}

/* The claim of the list that takes the pod, the one at `from` being looked at first; NULL: none. */
static struct emu_claim *try_list(struct emu_run *r, const struct attempt *t,
                                  const emu_claim_list *list, size_t from, size_t *ret_at)
{
    for (size_t k = 0; k < list->n; k++) {
        const size_t i = (from + k) % list->n;
        if (try_claim(r, t, list->v[i]) == EMU_YES) {
            *ret_at = i;
            return list->v[i];
        }
    }
    return NULL;
}

static void take_up(struct emu_run *r, struct emu_claim *claim)
{
    if (r->settings->launch_at_once) {
        emu_claim_launch_at_once(&r->claims, claim, r->settings->options_max,
                                 r->settings->draw == 0 ? NULL : &r->rng);
        VEC_PUSH(r->scratch, &r->launched, claim);
        return;
    }
    emu_claim_charge(&r->claims, claim);
    VEC_PUSH(r->scratch, &r->in_order, claim);
    VEC_PUSH(r->scratch, &r->open, claim);
    for (size_t i = r->open.n - 1; i > 0 && r->open.v[i - 1]->pods.n > 1; i--) {
        r->open.v[i] = r->open.v[i - 1];
        r->open.v[i - 1] = claim;
    }
}

static enum emu_answer try_new(struct emu_run *r, const struct attempt *t,
                               struct emu_claim **ret_claim)
{
    if (r->in_order.n >= r->claims_max) {
        r->overflow = true;
        return EMU_NO;
    }
    for (uint32_t p = 0; p < r->base->snapshot->n_pools; p++) {
        struct arena_mark mark = arena_mark(r->scratch);
        struct emu_claim *claim = emu_claim_new(&r->claims, r->pool_order[p]);
        enum emu_answer answer = claim == NULL ? EMU_NO : try_claim(r, t, claim);
        if (answer == EMU_YES) {
            take_up(r, claim);
            *ret_claim = claim;
            return EMU_YES;
        }
        arena_rewind(r->scratch, mark);
        if (answer == EMU_RESERVED) {
            return EMU_RESERVED; /* It waits rather than go to a lighter pool. */
        }
    }
    return EMU_NO;
}

/* A launched claim that takes the pod once it is a larger machine; NULL: none. */
static struct emu_claim *try_grown(struct emu_run *r, const struct attempt *t)
{
    for (size_t i = 0; i < r->launched.n; i++) {
        for (uint32_t k = 0; k < t->n; k++) {
            if (emu_claim_grow(&r->claims, r->launched.v[i], t->pending_i, t->need_i, t->first + k,
                               r->settings->options_max) == EMU_YES) {
                return r->launched.v[i];
            }
        }
    }
    return NULL;
}

/* Where a list is begun: in drawn orders of every other kind anywhere. */
static size_t draw_from(struct emu_run *r, const emu_claim_list *list)
{
    const bool drawn = (r->settings->draw & 2U) != 0 && list->n > 1;
    return drawn ? rng_below(&r->rng, (uint32_t)list->n) : 0;
}

/* A machine that is there, or is to be launched already; NULL: none takes the pod. */
static struct emu_claim *try_known(struct emu_run *r, const struct attempt *t)
{
    size_t at = 0;
    struct emu_claim *claim = try_list(r, t, &r->running, draw_from(r, &r->running), &at);
    claim = claim != NULL ? claim : try_list(r, t, &r->launched, draw_from(r, &r->launched), &at);
    if (claim == NULL) {
        claim = try_list(r, t, &r->open, 0, &at);
        if (claim != NULL) {
            resort(r, at);
        }
    }
    if (claim == NULL && r->settings->launch_at_once && r->settings->draw % 2 == 0) {
        claim = try_grown(r, t);
    }
    return claim;
}

static enum emu_answer try_everywhere(struct emu_run *r, const struct attempt *t)
{
    /* Room that is taken now may be what a later pod must have: now and then a machine more. */
    struct emu_claim *claim = NULL;
    const bool apart = (r->settings->draw & 4U) != 0 && rng_below(&r->rng, 3) == 0;
    enum emu_answer answer = apart ? try_new(r, t, &claim) : EMU_NO;
    if (answer != EMU_YES) {
        claim = try_known(r, t);
        answer = claim != NULL ? EMU_YES : try_new(r, t, &claim);
    }
    if (answer == EMU_NO && r->growing) {
        claim = try_grown(r, t);
        answer = claim != NULL ? EMU_YES : EMU_NO;
    }
    if (answer == EMU_YES) {
        if (claim->node_i != SCHED_NONE) {
            r->running_of[t->pending_i] = claim->node_i;
        } else {
            r->descent.tier[t->pending_i] = (uint16_t)r->base->snapshot->pools[claim->pool_i].tier;
        }
    }
    return answer;
}

/* Goes down the steps of the pod: one required term after the other, then one preference after the
 * other. */
static bool place(struct emu_run *r, uint32_t pending_i)
{
    const struct emu_asks *a = &r->asks;
    for (uint32_t rung = 0; rung < a->n_rungs && a->need[rung][pending_i] != SCHED_NONE; rung++) {
        const uint32_t need_i = a->need[rung][pending_i], n_terms = a->n_terms[need_i];
        const uint32_t n = (a->first[need_i + 1] - a->first[need_i]) / n_terms;
        for (uint32_t term = rung == 0 ? 0 : n_terms - 1; term < n_terms; term++) {
            const struct attempt t = {.pending_i = pending_i,
                                      .need_i = need_i,
                                      .first = a->first[need_i] + term * n,
                                      .n = n};
            enum emu_answer answer = try_everywhere(r, &t);
            if (answer == EMU_YES) {
                r->descent.rung[pending_i] = (uint16_t)rung;
                return true;
            }
            if (answer == EMU_RESERVED) {
                return false;
            }
        }
    }
    return false;
}

void emu_run_drain(struct emu_run *r)
{
    const uint32_t n_all = r->base->snapshot->n_pending;
    while (r->n_queued > 0 && !r->overflow) {
        const uint32_t pending_i = r->queue[r->head], need_i = r->asks.need[0][pending_i];
        if (r->length_at[pending_i] == r->n_queued) {
            return;
        }
        r->head = (r->head + 1) % n_all;
        if (r->failed_at[need_i] != r->n_placed && place(r, pending_i)) {
            r->n_queued--;
            r->n_placed++;
            continue;
        }
        r->failed_at[need_i] = r->n_placed;
        r->queue[(r->head + r->n_queued - 1) % n_all] = pending_i;
        r->length_at[pending_i] = r->n_queued;
    }
}

/* ---- set up */

bool emu_run_new(const struct sched_base *base, const struct emu_settings *settings,
                 struct arena *scratch, struct arena *arena, struct emu_run *ret_run,
                 struct err *err)
{
    const uint32_t n = base->snapshot->n_pending;
    struct emu_run *r = ret_run;
    *r = (struct emu_run){.base = base,
                          .settings = settings,
                          .rng = {.state = settings->draw},
                          .scratch = scratch,
                          .claims_max = UINT32_MAX,
                          .running_of = ARENA_ARRAY(arena, uint32_t, n)};
    if (!emu_asks_new(base, scratch, &r->asks, err)) {
        return false;
    }
    r->descent = (struct sched_descent){.rung = ARENA_ARRAY(arena, uint16_t, n),
                                        .tier = ARENA_ARRAY(arena, uint16_t, n),
                                        .loose = ARENA_ARRAY(arena, bool, n),
                                        .in_some_order = true};
    for (uint32_t i = 0; i < n; i++) {
        r->running_of[i] = SCHED_NONE;
        r->descent.rung[i] = SCHED_RUNG_OUT;
    }
    r->queue = ARENA_ARRAY(scratch, uint32_t, n);
    r->length_at = ARENA_ARRAY(scratch, uint32_t, n);
    r->failed_at = ARENA_ARRAY(scratch, uint32_t, r->asks.needs.n);
    emu_claims_new(&r->asks, emu_domains_new(&r->asks, settings->draw != 0, scratch), scratch,
                   &r->claims);
    r->claims.exact_claims = settings->launch_at_once && base->dims.any_shared;
    order_pools(r);
    return true;
}

void emu_run_list_running(struct emu_run *r)
{
    const struct sched_snapshot *s = r->base->snapshot;
    for (int initialized = 1; initialized >= 0; initialized--) {
        for (uint32_t n = 0; n < s->n_nodes; n++) {
            if (s->nodes[n].usable && s->nodes[n].initialized == (initialized == 1)) {
                VEC_PUSH(r->scratch, &r->running, emu_claim_of_node(&r->claims, n));
            }
        }
    }
}

void emu_run_copy_out(const struct emu_run *r, struct arena *arena, struct emu_plan *ret_plan)
{
    struct emu_node *nodes = ARENA_ARRAY(arena, struct emu_node, r->launched.n);
    for (size_t i = 0; i < r->launched.n; i++) {
        const struct emu_claim *claim = r->launched.v[i];
        uint32_t *pods = ARENA_ARRAY(arena, uint32_t, claim->pods.n);
        uint32_t *options = ARENA_ARRAY(arena, uint32_t, claim->n_options);
        for (size_t k = 0; k < claim->pods.n; k++) {
            pods[k] = claim->pods.v[k];
        }
        for (uint32_t k = 0; k < claim->n_options; k++) {
            options[k] = claim->options[k];
        }
        nodes[i] = (struct emu_node){.offer_i = claim->offer_i,
                                     .n_pods = (uint32_t)claim->pods.n,
                                     .pods = pods,
                                     .n_options = claim->n_options,
                                     .options = options};
    }
    *ret_plan = (struct emu_plan){.n_nodes = (uint32_t)r->launched.n,
                                  .nodes = nodes,
                                  .running_of = r->running_of,
                                  .descent = r->descent};
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/emulate/asks.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"
#include "binpack/scheduling/terms.h"

struct builder {
    const struct sched_base *base;
    struct arena *arena;
    struct emu_asks *asks;
    VEC(struct sched_need) needs;
    VEC(uint32_t *) rungs;
};

/* Adds the needs of the pods that have this many rungs; *ret_more: some have further ones. */
static bool add_rung(struct builder *b, struct sched_descent *descent, bool *ret_more,
                     struct err *err)
{
    const struct sched_snapshot *s = b->base->snapshot;
    struct sched_needs needs;
    if (!sched_needs_new(s, descent, b->arena, &needs, err)) {
        return false;
    }
    uint32_t *of_pod = ARENA_ARRAY(b->arena, uint32_t, s->n_pending);
    const uint32_t before = (uint32_t)b->needs.n;
    for (uint32_t i = 0; i < needs.n; i++) {
        VEC_PUSH(b->arena, &b->needs, needs.v[i]);
    }
    *ret_more = false;
    for (uint32_t i = 0; i < s->n_pending; i++) {
        of_pod[i] = SCHED_NONE;
        if (needs.of_pod[i] == SCHED_NONE) {
            continue;
        }
        of_pod[i] = before + needs.of_pod[i];
        bool last = needs.v[needs.of_pod[i]].last_rung;
        descent->rung[i] = last ? SCHED_RUNG_OUT : (uint16_t)(descent->rung[i] + 1);
        *ret_more = *ret_more || !last;
    }
    VEC_PUSH(b->arena, &b->rungs, of_pod);
    return true;
}

static bool add_rungs(struct builder *b, struct err *err)
{
    const uint32_t n = b->base->snapshot->n_pending;
    struct sched_descent descent = {.rung = ARENA_ARRAY(b->arena, uint16_t, n),
                                    .tier = ARENA_ARRAY(b->arena, uint16_t, n)};
    bool more = true;
    while (more) {
        if (!add_rung(b, &descent, &more, err)) {
            return false;
        }
    }
    b->asks->n_rungs = (uint32_t)b->rungs.n;
    b->asks->need = (const uint32_t *const *)b->rungs.v;
    b->asks->needs = (struct sched_needs){.n = (uint32_t)b->needs.n, .v = b->needs.v};
    return true;
}

/* One need per alternative, for the masks. */
static void split(struct builder *b)
{
    struct emu_asks *a = b->asks;
    uint32_t *first = ARENA_ARRAY(b->arena, uint32_t, a->needs.n + 1);
    uint32_t *n_terms = ARENA_ARRAY(b->arena, uint32_t, a->needs.n);
    VEC(struct sched_need) single = {0};
    for (uint32_t i = 0; i < a->needs.n; i++) {
        const struct sched_need *need = &a->needs.v[i];
        first[i] = (uint32_t)single.n;
        n_terms[i] = need->n_topology_alternatives > 0 ? need->n_topology_alternatives : 1;
        for (uint32_t k = 0; k < need->n_alternatives; k++) {
            struct sched_need one = *need;
            one.n_alternatives = 1;
            one.alternatives = &need->alternatives[k];
            VEC_PUSH(b->arena, &single, one);
        }
    }
    first[a->needs.n] = (uint32_t)single.n;
    a->first = first;
    a->n_terms = n_terms;
    const struct sched_needs asked = {.n = (uint32_t)single.n, .v = single.v};
    sched_masks_new(b->base->offers, &b->base->kinds, &asked, b->arena, &a->masks);
}

/* Karpenter counts every pod that a selector finds, whatever it has given up, so the rules are
 * collected as if nothing had been. */
static void collect_rules(struct builder *b)
{
    struct emu_asks *a = b->asks;
    struct sched_need *flat = ARENA_ARRAY(b->arena, struct sched_need, a->needs.n);
    for (uint32_t i = 0; i < a->needs.n; i++) {
        flat[i] = a->needs.v[i];
        flat[i].rung = 0;
    }
    const struct sched_needs all = {.n = a->needs.n, .v = flat};
    sched_rules_new(b->base->snapshot, &all, b->arena, &a->rules);
    uint32_t *first_use = ARENA_ARRAY(b->arena, uint32_t, a->needs.n + 1);
    VEC(struct emu_rule_use) uses = {0};
    for (uint32_t i = 0; i < a->needs.n; i++) {
        first_use[i] = (uint32_t)uses.n;
        for (uint32_t r = 0; r < a->rules.n; r++) {
            struct emu_rule_use use = {.rule_i = r,
                                       .carries = bits_get(a->rules.v[r].carriers, i),
                                       .counted = bits_get(a->rules.v[r].targets, i)};
            if (use.carries || use.counted) {
                VEC_PUSH(b->arena, &uses, use);
            }
        }
    }
    first_use[a->needs.n] = (uint32_t)uses.n;
    a->first_use = first_use;
    a->uses = uses.v;
}

bool emu_asks_new(const struct sched_base *base, struct arena *arena, struct emu_asks *ret_asks,
                  struct err *err)
{
    struct builder b = {.base = base, .arena = arena, .asks = ret_asks};
    *ret_asks = (struct emu_asks){.base = base};
    if (!add_rungs(&b, err)) {
        return false;
    }
    split(&b);
    collect_rules(&b);
    const uint32_t n_dims = base->dims.n;
    int64_t *size = ARENA_ARRAY(arena, int64_t, (size_t)ret_asks->needs.n * n_dims);
    for (uint32_t i = 0; i < ret_asks->needs.n; i++) {
        sched_dims_size(&base->dims, &ret_asks->needs.v[i], size + (size_t)i * n_dims);
    }
    ret_asks->size = size;
    return true;
}

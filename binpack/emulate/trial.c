/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trials: a simulation is played on the state itself, and taken back from a journal. */
#include "binpack/emulate/claims.h"

#include "base/arena.h"
#include "base/bitset.h"

#include <assert.h>
#include <string.h>

struct before { /* a claim as it was */
    struct emu_claim *claim, was;
    int64_t *used;
    struct emu_host_count *host;
};

struct emu_trial {
    VEC(struct before) befores;
    struct k8s_resources *left; /* [n_pools] */
    int64_t *reserved_left;
    uint64_t *reservations_open;
    struct emu_domains_counts *counts;
};

static uint32_t n_reservations(const struct emu_claims *c)
{
    return (uint32_t)strtab_count(c->reservations) - 1; /* It knows the empty text, too. */
}

void emu_trial_begin(struct emu_claims *c, struct emu_trial **ret_trial)
{
    const uint32_t n_pools = c->asks->base->snapshot->n_pools, n = n_reservations(c);
    struct emu_trial *t = ARENA_NEW(c->arena, struct emu_trial);
    assert(c->trial == NULL);
    *t = (struct emu_trial){.left = ARENA_ARRAY(c->arena, struct k8s_resources, n_pools),
                            .reserved_left = ARENA_ARRAY(c->arena, int64_t, n),
                            .reservations_open = ARENA_ARRAY(c->arena, uint64_t, bits_words(n) + 1),
                            .counts = emu_domains_save(c->domains, c->arena)};
    for (uint32_t p = 0; p < n_pools; p++) {
        t->left[p] = c->pools[p].left;
    }
    memcpy(t->reserved_left, c->reserved_left, n * sizeof *t->reserved_left);
    memcpy(t->reservations_open, c->reservations_open,
           (bits_words(n) + 1) * sizeof *t->reservations_open);
    c->trial = t;
    c->epoch++;
    *ret_trial = t;
}

void emu_trial_note(struct emu_claims *c, struct emu_claim *claim)
{
    const uint32_t n_dims = c->asks->base->dims.n, n_hosts = emu_domains_n_hosts(c->domains);
    if (c->trial == NULL) {
        return;
    }
    struct before b = {.claim = claim,
                       .was = *claim,
                       .used = ARENA_ARRAY(c->arena, int64_t, n_dims),
                       .host = ARENA_ARRAY(c->arena, struct emu_host_count, n_hosts)};
    memcpy(b.used, claim->used, n_dims * sizeof *b.used);
    memcpy(b.host, claim->host, n_hosts * sizeof *b.host);
    VEC_PUSH(c->arena, &c->trial->befores, b);
}

void emu_trial_remove(struct emu_claims *c, struct emu_claim *claim,
                      const struct k8s_resources *capacity)
{
    const struct sched_snapshot *s = c->asks->base->snapshot;
    emu_trial_note(c, claim);
    claim->out = true;
    for (size_t i = 0; i < claim->needs.n; i++) {
        emu_domains_take_back(c->domains, claim->node_i, claim->cells, claim->host,
                              claim->needs.v[i]);
    }
    if (claim->pool_i == SCHED_NONE || c->pools[claim->pool_i].left.n == 0) {
        return;
    }
    struct emu_pool *pool = &c->pools[claim->pool_i];
    struct k8s_quantity *left = ARENA_ARRAY(c->arena, struct k8s_quantity, pool->left.n);
    for (uint32_t r = 0; r < pool->left.n; r++) {
        left[r] = pool->left.v[r];
        left[r].value = sat_add(left[r].value, left[r].resource == s->words->nodes
                                                   ? 1
                                                   : k8s_resources_get(capacity, left[r].resource));
    }
    pool->left.v = left;
}

void emu_trial_undo(struct emu_claims *c, struct emu_trial *t)
{
    const uint32_t n_dims = c->asks->base->dims.n, n_hosts = emu_domains_n_hosts(c->domains);
    const uint32_t n = n_reservations(c);
    assert(c->trial == t);
    c->trial = NULL;
    for (size_t i = t->befores.n; i > 0; i--) {
        const struct before *b = &t->befores.v[i - 1];
        *b->claim = b->was;
        memcpy(b->claim->used, b->used, n_dims * sizeof *b->used);
        memcpy(b->claim->host, b->host, n_hosts * sizeof *b->host);
    }
    for (uint32_t p = 0; p < c->asks->base->snapshot->n_pools; p++) {
        c->pools[p].left = t->left[p];
    }
    memcpy(c->reserved_left, t->reserved_left, n * sizeof *t->reserved_left);
    memcpy(c->reservations_open, t->reservations_open,
           (bits_words(n) + 1) * sizeof *t->reservations_open);
    emu_domains_restore(c->domains, t->counts);
}

void emu_trial_keep(struct emu_claims *c)
{
    c->trial = NULL;
    c->epoch++;
}

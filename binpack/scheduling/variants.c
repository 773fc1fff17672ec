/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/variants.h"

#include "base/arena.h"
#include "base/vec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { VALUES_MAX = 64, VARIANTS_MAX = 256 /* of one pool */, OPEN_KEYS_MAX = 32 };

typedef VEC(struct k8s_pair) pair_list;
typedef VEC(struct sched_req) req_list;

/* A custom label that the requirements leave open, with the values worth telling apart. */
struct open_key {
    strid key;
    uint32_t n_values;
    strid values[VALUES_MAX];
};

struct maker {
    const struct sched_snapshot *s;
    const struct sched_probes *probes;
    struct k8s_strids topology_keys;
    struct arena *arena;
    VEC(struct sched_variant) variants;
};

static strid class_os(const struct sched_snapshot *s, const struct aws_nodeclass *class)
{
    return cat_class_os(class, s->tab) == CAT_WINDOWS ? s->words->os_windows : s->words->os_linux;
}

static strid pair_get(const pair_list *pairs, strid key)
{
    for (size_t i = 0; i < pairs->n; i++) {
        if (pairs->v[i].key == key) {
            return pairs->v[i].value;
        }
    }
    return STRID_NONE;
}

/* The labels that every node of the pool has; template labels of other parts become filters. */
static void base_labels(const struct maker *m, const struct sched_pool *pool, pair_list *labels,
                        req_list *filters)
{
    const struct sched_snapshot *s = m->s;
    const struct k8s_words *w = s->words;
    strid yes = strtab_add(s->tab, STR("true"));
    VEC_PUSH(m->arena, labels,
             (struct k8s_pair){w->nodepool, strtab_add(s->tab, pool->pool->meta.name)});
    VEC_PUSH(m->arena, labels, (struct k8s_pair){w->os, class_os(s, pool->node_class)});
    VEC_PUSH(m->arena, labels, (struct k8s_pair){w->initialized, yes});
    VEC_PUSH(m->arena, labels, (struct k8s_pair){w->registered, yes});
    /* No pod can name a host that does not exist yet; every node has a name, though. */
    VEC_PUSH(m->arena, labels,
             (struct k8s_pair){w->hostname, strtab_add(s->tab, STR("(new node)"))});
    VEC_PUSH(m->arena, labels,
             (struct k8s_pair){s->vocab->name_field, strtab_add(s->tab, STR("(new node)"))});
    if (pool->pool->class_ref.name.n > 0) {
        VEC_PUSH(
            m->arena, labels,
            (struct k8s_pair){s->vocab->nodeclass, strtab_add(s->tab, pool->pool->class_ref.name)});
    }
    struct str build = cat_class_windows_build(pool->node_class, s->tab);
    if (build.n > 0) {
        VEC_PUSH(m->arena, labels,
                 (struct k8s_pair){s->vocab->windows_build, strtab_add(s->tab, build)});
    }
    for (uint32_t i = 0; i < pool->pool->template_labels.n; i++) {
        const struct k8s_pair *pair = &pool->pool->template_labels.v[i];
        strid key = sched_key(s->vocab, pair->key);
        if (sched_part_of(s, key) != SCHED_PART_VARIANT) {
            VEC_PUSH(m->arena, filters, sched_req_is(s->vocab, m->arena, key, pair->value));
        } else if (pair_get(labels, key) == STRID_NONE) {
            VEC_PUSH(m->arena, labels, (struct k8s_pair){key, pair->value});
        }
    }
}

static bool all_hold(const struct maker *m, const req_list *reqs, strid key, strid value)
{
    for (size_t i = 0; i < reqs->n; i++) {
        if (reqs->v[i].key == key && !sched_req_holds(m->s->vocab, &reqs->v[i], value)) {
            return false;
        }
    }
    return true;
}

static void add_value(const struct maker *m, const req_list *reqs, struct open_key *open,
                      strid value)
{
    for (uint32_t i = 0; i < open->n_values; i++) {
        if (open->values[i] == value) {
            return;
        }
    }
    if (open->n_values < VALUES_MAX && all_hold(m, reqs, open->key, value)) {
        open->values[open->n_values++] = value;
    }
}

static strid number(const struct maker *m, int64_t value)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRId64, value);
    return strtab_add(m->s->tab, (struct str){.p = text, .n = (size_t)n});
}

/* Some value that the requirements allow and that nobody names: a number, as Karpenter does. */
static void add_any_value(const struct maker *m, const req_list *reqs, struct open_key *open)
{
    int64_t from = 1;
    for (size_t i = 0; i < reqs->n; i++) {
        if (reqs->v[i].key == open->key && reqs->v[i].gte.has && reqs->v[i].gte.v > from) {
            from = reqs->v[i].gte.v;
        }
        if (reqs->v[i].key == open->key && !reqs->v[i].gte.has && reqs->v[i].lte.has &&
            reqs->v[i].lte.v < from) {
            from = reqs->v[i].lte.v;
        }
    }
    uint32_t before = open->n_values;
    for (int64_t d = 0; d < VALUES_MAX && open->n_values == before; d++) {
        add_value(m, reqs, open, number(m, sat_add(from, d)));
        if (open->n_values == before) {
            add_value(m, reqs, open, number(m, sat_sub(from, d)));
        }
    }
}

static bool is_listed(const struct k8s_strids *list, strid value)
{
    for (uint32_t i = 0; i < list->n; i++) {
        if (list->v[i] == value) {
            return true;
        }
    }
    return false;
}

/* The values of an open key: the finite list of the pool, or what probes name and one more. */
static void candidates(const struct maker *m, const req_list *reqs, struct open_key *open)
{
    bool finite = false;
    for (size_t i = 0; i < reqs->n && !finite; i++) {
        const struct sched_req *req = &reqs->v[i];
        if (req->key == open->key && !req->complement) {
            finite = true;
            for (uint32_t k = 0; k < req->values.n; k++) {
                add_value(m, reqs, open, req->values.v[k]);
            }
        }
    }
    if (finite) {
        return;
    }
    for (uint32_t i = 0; i < m->probes->n; i++) {
        const struct sched_req *req = &m->probes->v[i].req;
        if (req->key != open->key) {
            continue;
        }
        for (uint32_t k = 0; k < req->values.n; k++) {
            add_value(m, reqs, open, req->values.v[k]);
        }
        if (req->gte.has) {
            add_value(m, reqs, open, number(m, req->gte.v));
            add_value(m, reqs, open, number(m, sat_sub(req->gte.v, 1)));
        }
        if (req->lte.has) {
            add_value(m, reqs, open, number(m, req->lte.v));
            add_value(m, reqs, open, number(m, sat_add(req->lte.v, 1)));
        }
    }
    add_any_value(m, reqs, open);
}

static bool same_answers(const struct maker *m, strid key, strid a, strid b)
{
    for (uint32_t i = 0; i < m->probes->n; i++) {
        const struct sched_req *req = &m->probes->v[i].req;
        if (req->key == key &&
            sched_req_has(m->s->vocab, req, a) != sched_req_has(m->s->vocab, req, b)) {
            return false;
        }
    }
    return true;
}

static void sort_by_text(const struct strtab *tab, strid *values, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        strid value = values[i];
        uint32_t k = i;
        for (; k > 0 && strtab_cmp(tab, values[k - 1], value) > 0; k--) {
            values[k] = values[k - 1];
        }
        values[k] = value;
    }
}

/* Leaves one value of each kind that somebody can tell apart. */
static void merge_values(const struct maker *m, struct open_key *open)
{
    sort_by_text(m->s->tab, open->values, open->n_values);
    if (is_listed(&m->topology_keys, open->key)) {
        return;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < open->n_values; i++) {
        uint32_t k = 0;
        while (k < n && !same_answers(m, open->key, open->values[k], open->values[i])) {
            k++;
        }
        if (k == n) {
            open->values[n++] = open->values[i];
        }
    }
    open->n_values = n;
}

static int pair_cmp(const void *a, const void *b)
{
    const struct k8s_pair *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* One variant for each combination of values. */
static void multiply(struct maker *m, uint32_t pool_i, const pair_list *labels,
                     const req_list *filters, const struct open_key *open, uint32_t n_open)
{
    uint32_t at[OPEN_KEYS_MAX] = {0};
    for (;;) {
        struct k8s_pair *all = ARENA_ARRAY(m->arena, struct k8s_pair, labels->n + n_open);
        struct k8s_pair *choice = ARENA_ARRAY(m->arena, struct k8s_pair, n_open);
        for (size_t i = 0; i < labels->n; i++) {
            all[i] = labels->v[i];
        }
        for (uint32_t i = 0; i < n_open; i++) {
            choice[i] = (struct k8s_pair){open[i].key, open[i].values[at[i]]};
            all[labels->n + i] = choice[i];
        }
        uint32_t n_all = (uint32_t)labels->n + n_open;
        qsort(all, n_all, sizeof *all, pair_cmp);
        VEC_PUSH(m->arena, &m->variants,
                 (struct sched_variant){.pool_i = pool_i,
                                        .labels = {.n = n_all, .v = all},
                                        .choice = {.n = n_open, .v = choice},
                                        .os = pair_get(labels, m->s->words->os),
                                        .n_filters = (uint32_t)filters->n,
                                        .filters = filters->v});
        uint32_t i = n_open;
        while (i > 0 && ++at[i - 1] == open[i - 1].n_values) {
            at[--i] = 0;
        }
        if (i == 0) {
            return;
        }
    }
}

/* Does the pool say that its nodes do not have the label? */
static bool is_absent(const req_list *custom, strid key)
{
    for (size_t i = 0; i < custom->n; i++) {
        if (custom->v[i].key == key && sched_req_operator(&custom->v[i]) == K8S_DOES_NOT_EXIST) {
            return true;
        }
    }
    return false;
}

static bool open_keys(struct maker *m, const struct sched_pool *pool, const req_list *custom,
                      struct open_key *open, uint32_t *n_open, struct err *err)
{
    for (size_t i = 0; i < custom->n; i++) {
        strid key = custom->v[i].key;
        bool known = is_absent(custom, key);
        for (uint32_t k = 0; k < *n_open; k++) {
            known = known || open[k].key == key;
        }
        if (known) {
            continue;
        }
        if (*n_open == OPEN_KEYS_MAX) {
            return err_set(err, ERR_LIMIT,
                           "NodePool " STR_FMT ": more than %d custom labels are open",
                           STR_ARG(pool->pool->meta.name), OPEN_KEYS_MAX);
        }
        struct open_key *next = &open[(*n_open)++];
        next->key = key;
        candidates(m, custom, next);
        merge_values(m, next);
    }
    return true;
}

static bool split_pool(struct maker *m, uint32_t pool_i, struct err *err)
{
    const struct sched_snapshot *s = m->s;
    const struct sched_pool *pool = &s->pools[pool_i];
    pair_list labels = {0};
    req_list filters = {0}, custom = {0};
    base_labels(m, pool, &labels, &filters);
    struct open_key *open = ARENA_ARRAY(m->arena, struct open_key, OPEN_KEYS_MAX);
    uint32_t n_open = 0;
    for (uint32_t i = 0; i < pool->pool->n_requirements; i++) {
        struct sched_req req = sched_req_of(s->vocab, m->arena, &pool->pool->requirements[i]);
        if (sched_part_of(s, req.key) != SCHED_PART_VARIANT) {
            VEC_PUSH(m->arena, &filters, req);
            continue;
        }
        strid fixed = pair_get(&labels, req.key);
        if (fixed != STRID_NONE) {
            if (!sched_req_holds(s->vocab, &req, fixed)) {
                return true; /* The template contradicts itself: the pool offers nothing. */
            }
            continue;
        }
        VEC_PUSH(m->arena, &custom, req);
    }
    if (!open_keys(m, pool, &custom, open, &n_open, err)) {
        return false;
    }
    for (uint32_t i = 0; i < n_open; i++) {
        if (open[i].n_values == 0) {
            return true; /* No value satisfies the requirements. */
        }
    }
    uint64_t n = 1;
    for (uint32_t i = 0; i < n_open && n <= VARIANTS_MAX; i++) {
        n *= open[i].n_values;
    }
    if (n > VARIANTS_MAX) {
        return err_set(err, ERR_LIMIT,
                       "NodePool " STR_FMT
                       ": its custom labels have more than %d combinations that pods look at",
                       STR_ARG(pool->pool->meta.name), VARIANTS_MAX);
    }
    multiply(m, pool_i, &labels, &filters, open, n_open);
    return true;
}

bool sched_variants_new(const struct sched_snapshot *snapshot, const struct sched_probes *probes,
                        struct k8s_strids topology_keys, struct arena *arena,
                        struct sched_variants *ret_variants, struct err *err)
{
    struct maker m = {
        .s = snapshot, .probes = probes, .topology_keys = topology_keys, .arena = arena};
    for (uint32_t p = 0; p < snapshot->n_pools; p++) {
        if (snapshot->pools[p].code == NULL && !split_pool(&m, p, err)) {
            return false;
        }
    }
    *ret_variants = (struct sched_variants){.n = (uint32_t)m.variants.n, .v = m.variants.v};
    return true;
}

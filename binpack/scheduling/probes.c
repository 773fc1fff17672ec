/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/probes.h"

#include "base/arena.h"

enum { KEY_BYTES_MAX = 1024 * 1024 };

struct sched_probes *sched_probes_new(const struct sched_snapshot *snapshot, struct arena *arena)
{
    struct sched_probes *probes = ARENA_NEW(arena, struct sched_probes);
    *probes = (struct sched_probes){.snapshot = snapshot,
                                    .arena = arena,
                                    .ids = strtab_new(arena),
                                    .columns = strtab_new(arena)};
    return probes;
}

enum sched_part sched_key_part(const struct sched_vocab *vocab, strid key)
{
    const struct k8s_words *w = vocab->words;
    if (key == w->zone || key == w->zone_id) {
        return SCHED_PART_ZONE;
    }
    if (key == w->capacity_type) {
        return SCHED_PART_CAPACITY;
    }
    if (key == w->reservation_id) {
        return SCHED_PART_RESERVATION;
    }
    if (key == w->os || key == w->nodepool || key == w->hostname || key == w->initialized ||
        key == w->registered || key == vocab->windows_build || key == vocab->nodeclass) {
        return SCHED_PART_VARIANT;
    }
    return sched_key_well_known(vocab, key) ? SCHED_PART_TYPE : SCHED_PART_VARIANT;
}

enum sched_part sched_part_of(const struct sched_snapshot *snapshot, strid key)
{
    return sched_key_part(snapshot->vocab, key);
}

bool sched_req_holds(const struct sched_vocab *vocab, const struct sched_req *req, strid value)
{
    if (value == STRID_NONE) {
        enum k8s_operator op = sched_req_operator(req);
        return op == K8S_NOT_IN || op == K8S_DOES_NOT_EXIST;
    }
    return sched_req_has(vocab, req, value);
}

static struct str probe_key(const struct sched_req *req, struct strbuf *out)
{
    int64_t bounds[5] = {req->complement, req->gte.has, req->gte.v, req->lte.has, req->lte.v};
    strbuf_add(out, (struct str){.p = (const char *)&req->key, .n = sizeof req->key});
    strbuf_add(out, (struct str){.p = (const char *)bounds, .n = sizeof bounds});
    if (req->values.n > 0) {
        strbuf_add(out, (struct str){.p = (const char *)req->values.v,
                                     .n = req->values.n * sizeof(strid)});
    }
    return strbuf_str(out);
}

uint32_t sched_probe_find(const struct sched_probes *probes, const struct sched_req *req)
{
    struct arena_mark mark = arena_mark(probes->arena);
    struct strbuf text = strbuf_new(probes->arena, KEY_BYTES_MAX);
    strid id = strtab_find(probes->ids, probe_key(req, &text));
    arena_rewind(probes->arena, mark);
    return id == STRID_NONE ? SCHED_NONE : id - 1;
}

static void note_key(struct sched_probes *probes, strid key)
{
    for (uint32_t i = 0; i < probes->n_keys; i++) {
        if (probes->key_list[i] == key) {
            return;
        }
    }
    if (probes->n_keys == probes->cap_keys) {
        uint32_t cap = probes->cap_keys == 0 ? 32 : 2 * probes->cap_keys;
        probes->key_list = arena_grow(probes->arena, probes->key_list,
                                      probes->cap_keys * sizeof(strid), cap * sizeof(strid));
        probes->cap_keys = cap;
    }
    probes->key_list[probes->n_keys++] = key;
    probes->keys = (struct k8s_strids){.n = probes->n_keys, .v = probes->key_list};
}

uint32_t sched_probe_id(struct sched_probes *probes, const struct sched_req *req)
{
    uint32_t known = sched_probe_find(probes, req);
    if (known != SCHED_NONE) {
        return known;
    }
    struct strbuf text = strbuf_new(probes->arena, KEY_BYTES_MAX);
    uint32_t id = strtab_add(probes->ids, probe_key(req, &text)) - 1;
    if (probes->n == probes->cap) {
        uint32_t cap = probes->cap == 0 ? 64 : 2 * probes->cap;
        probes->v = arena_grow(probes->arena, probes->v, probes->cap * sizeof *probes->v,
                               cap * sizeof *probes->v);
        probes->cap = cap;
    }
    probes->v[probes->n++] =
        (struct sched_probe){.req = *req, .part = sched_part_of(probes->snapshot, req->key)};
    note_key(probes, req->key);
    return id;
}

static void add_term(struct sched_probes *probes, const struct k8s_node_term *term)
{
    for (uint32_t i = 0; i < term->n_expressions; i++) {
        struct sched_req req =
            sched_req_of(probes->snapshot->vocab, probes->arena, &term->expressions[i]);
        (void)sched_probe_id(probes, &req);
    }
    for (uint32_t i = 0; i < term->n_fields; i++) {
        struct sched_req req =
            sched_req_of_field(probes->snapshot->vocab, probes->arena, &term->fields[i]);
        (void)sched_probe_id(probes, &req);
    }
}

void sched_probes_add_shape(struct sched_probes *probes, const struct k8s_pod_shape *shape)
{
    for (uint32_t i = 0; i < shape->node_selector.n; i++) {
        const struct k8s_pair *pair = &shape->node_selector.v[i];
        struct sched_req req =
            sched_req_is(probes->snapshot->vocab, probes->arena, pair->key, pair->value);
        (void)sched_probe_id(probes, &req);
    }
    for (uint32_t i = 0; i < shape->n_node_terms; i++) {
        add_term(probes, &shape->node_terms[i]);
    }
    for (uint32_t i = 0; i < shape->n_preferred_node_terms; i++) {
        add_term(probes, &shape->preferred_node_terms[i].term);
    }
}

const struct sched_column *sched_column_of(struct sched_probes *probes, strid key)
{
    struct str bytes = {.p = (const char *)&key, .n = sizeof key};
    strid known = strtab_find(probes->columns, bytes);
    if (known != STRID_NONE) {
        return &probes->column_list[known - 1];
    }
    const struct sched_snapshot *s = probes->snapshot;
    struct arena *arena = probes->arena;
    uint32_t n_types = s->catalog->n_types;
    struct sched_column column = {.key = key, .n_values = 1};
    column.values = ARENA_ARRAY(arena, strid, n_types + 1);
    column.of_type = ARENA_ARRAY(arena, uint32_t, n_types);
    column.values[0] = STRID_NONE;
    struct strtab *distinct = strtab_new(arena);
    for (uint32_t t = 0; t < n_types; t++) {
        strid value = sched_label(s->vocab, &s->catalog->types[t].labels, key);
        if (value != STRID_NONE) {
            strid id =
                strtab_add(distinct, (struct str){.p = (const char *)&value, .n = sizeof value});
            column.of_type[t] = id;
            if (id == column.n_values) {
                column.values[column.n_values++] = value;
            }
        }
    }
    uint32_t i = strtab_add(probes->columns, bytes) - 1;
    if (i >= probes->cap_columns) {
        uint32_t cap = probes->cap_columns == 0 ? 32 : 2 * probes->cap_columns;
        probes->column_list = arena_grow(arena, probes->column_list,
                                         probes->cap_columns * sizeof column, cap * sizeof column);
        probes->cap_columns = cap;
    }
    probes->column_list[i] = column;
    return &probes->column_list[i];
}

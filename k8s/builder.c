/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "k8s/builder_impl.h"
#include "k8s/decode.h"

enum {
    FIRST_OBJECTS = 64,
    GROWTH = 16, /* untouched pages of a large block cost nothing, copies do */
    MANY_OBJECTS = 200 * 1000,
    GROWTH_OF_MANY = 4, /* but even address space has an end */
    FIRST_SLOTS = 256,
    MAX_OTHER_KINDS = 10000,
    SHOWN_BYTES = 100,
    SHOWN_MESSAGE = 200
};

struct k8s_builder *k8s_builder_new(struct arena *arena, struct strtab *tab)
{
    struct k8s_builder *b = ARENA_NEW(arena, struct k8s_builder);
    b->arena = arena;
    b->scratch = ARENA_INIT;
    b->tab = tab;
    b->names = strtab_new(arena);
    b->other_kinds = strtab_new(arena);
    b->shapes = k8s_shapes_new(arena);
    b->known = ARENA_ARRAY(arena, struct k8s_kind_count, k8s_n_kinds);
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        b->known[i].kind = str_of(k8s_kinds[i].name);
        b->known[i].known = true;
    }
    k8s_words_init(&b->words, tab);
    return b;
}

void k8s_builder_done(struct k8s_builder *builder)
{
    if (builder != NULL) {
        arena_done(&builder->scratch);
    }
}

/* ---- objects by name ---- */

void *k8s_objects_at(const struct k8s_builder *b, enum k8s_store store, uint32_t i)
{
    return b->objects[store].v + (size_t)i * k8s_stores[store].size;
}

uint32_t k8s_objects_find(const struct k8s_builder *b, enum k8s_store store,
                          const struct k8s_key *key)
{
    const struct k8s_objects *o = &b->objects[store];
    if (o->n_slots == 0) {
        return UINT32_MAX;
    }
    for (size_t at = k8s_key_hash(key) & (o->n_slots - 1); o->slots[at] != 0;
         at = (at + 1) & (o->n_slots - 1)) {
        uint32_t i = o->slots[at] - 1;
        struct k8s_key other = k8s_key_of(store, k8s_objects_at(b, store, i));
        if (k8s_key_eq(&other, key)) {
            return i;
        }
    }
    return UINT32_MAX;
}

static void put_slot(struct k8s_objects *o, const struct k8s_key *key, uint32_t i)
{
    size_t at = k8s_key_hash(key) & (o->n_slots - 1);
    while (o->slots[at] != 0) {
        at = (at + 1) & (o->n_slots - 1);
    }
    o->slots[at] = i + 1;
}

static void grow_objects(struct k8s_builder *b, enum k8s_store store)
{
    struct k8s_objects *o = &b->objects[store];
    size_t size = k8s_stores[store].size;
    if (o->n == o->cap) {
        uint32_t growth = o->cap > MANY_OBJECTS ? GROWTH_OF_MANY : GROWTH;
        uint32_t cap = o->cap == 0 ? (uint32_t)FIRST_OBJECTS : o->cap * growth;
        char *v = arena_calloc(b->arena, cap, size);
        bool *dead = ARENA_ARRAY(b->arena, bool, cap);
        if (o->n > 0) {
            memcpy(v, o->v, o->n * size);
            memcpy(dead, o->dead, o->n);
        }
        o->v = v;
        o->dead = dead;
        o->cap = cap;
    }
    if (((size_t)o->n + 1) * 2 > o->n_slots) {
        o->n_slots = o->n_slots == 0 ? (size_t)FIRST_SLOTS : o->n_slots * 2;
        o->slots = ARENA_ARRAY(b->arena, uint32_t, o->n_slots);
        for (uint32_t i = 0; i < o->n; i++) {
            struct k8s_key key = k8s_key_of(store, k8s_objects_at(b, store, i));
            put_slot(o, &key, i);
        }
    }
}

uint32_t k8s_objects_push(struct k8s_builder *b, enum k8s_store store, const struct k8s_key *key,
                          const void *value)
{
    struct k8s_objects *o = &b->objects[store];
    grow_objects(b, store);
    uint32_t i = o->n++;
    memcpy(k8s_objects_at(b, store, i), value, k8s_stores[store].size);
    put_slot(o, key, i);
    return i;
}

/* ---- counting ---- */

static struct k8s_kind_count *other_count(struct k8s_builder *b, struct str kind,
                                          struct str api_version)
{
    const struct k8s_kind *clash = NULL;
    struct str name = kind;
    if (k8s_kind_find(kind, STR_EMPTY, &clash) != K8S_MATCH_NO) {
        /* Ours by name only: `Service.serving.knative.dev`, as kubectl writes it. */
        struct strbuf full = strbuf_new(&b->scratch, LIMIT_NAME_BYTES * 2);
        strbuf_add(&full, kind);
        strbuf_addc(&full, '.');
        strbuf_add(&full, str_sub(api_version, 0, str_find(api_version, '/')));
        name = strbuf_str(&full);
    }
    strid id = strtab_find(b->other_kinds, name);
    if (id == STRID_NONE) {
        bool full = b->others.n >= MAX_OTHER_KINDS;
        id = strtab_add(b->other_kinds, full ? STR("(others)") : name);
    }
    while (b->others.n <= id) {
        strid next = (strid)b->others.n;
        VEC_PUSH(b->arena, &b->others,
                 ((struct k8s_kind_count){.kind = strtab_str(b->other_kinds, next)}));
    }
    return &b->others.v[id];
}

static int by_kind(const void *a, const void *b)
{
    return str_cmp(((const struct k8s_kind_count *)a)->kind,
                   ((const struct k8s_kind_count *)b)->kind);
}

void k8s_builder_counts(const struct k8s_builder *b, const struct k8s_kind_count **ret_counts,
                        uint32_t *ret_n)
{
    uint32_t n = 0;
    struct k8s_kind_count *all =
        ARENA_ARRAY(b->arena, struct k8s_kind_count, k8s_n_kinds + b->others.n);
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        if (b->known[i].n > 0) {
            all[n++] = b->known[i];
        }
    }
    for (size_t i = 0; i < b->others.n; i++) {
        if (b->others.v[i].n > 0) {
            all[n++] = b->others.v[i];
        }
    }
    qsort(all, n, sizeof *all, by_kind);
    *ret_counts = all;
    *ret_n = n;
}

/* ---- adding ---- */

struct incoming {
    struct json_at at;
    struct str kind, api_version;
    const struct k8s_kind *type;
    uint32_t source_i;
    struct opt_wall newest;
    bool closed; /* a broken budget of which the selector is kept */
    struct err *err;
};

/* "Pod shop/web-0" in front of the text. */
static bool name_the_object(const struct incoming *in)
{
    struct json_at meta = json_at_member(&in->at, "metadata");
    struct json_at name_at = json_at_member(&meta, "name");
    struct json_at ns_at = json_at_member(&meta, "namespace");
    struct str name = STR_EMPTY, ns = in->type->namespaced ? STR("default") : STR_EMPTY, given;
    struct err ignored;
    bool has = false;
    if (json_read_str(&name_at, &has, &given, &ignored) && has) {
        name = str_sub(given, 0, SHOWN_BYTES);
    }
    if (in->type->namespaced && json_read_str(&ns_at, &has, &given, &ignored) && has) {
        ns = str_sub(given, 0, SHOWN_BYTES);
    }
    if (name.n == 0) {
        name = STR("(no name)");
    }
    return err_wrap(in->err, "%s " STR_FMT "%s" STR_FMT, in->type->name, STR_ARG(ns),
                    ns.n == 0 ? "" : "/", STR_ARG(name));
}

static bool decode(struct k8s_builder *b, struct incoming *in, char *object)
{
    const struct k8s_decoder decoder = {.arena = b->arena,
                                        .scratch = &b->scratch,
                                        .tab = b->tab,
                                        .names = b->names,
                                        .words = &b->words,
                                        .shapes = b->shapes,
                                        .newest = &in->newest,
                                        .source_i = in->source_i};
    return k8s_decode(&decoder, in->type, in->api_version, &in->at, object, &in->closed, in->err);
}

static bool check_caps(const struct k8s_builder *b, const struct incoming *in)
{
    const struct k8s_objects *pods = &b->objects[STORE_PODS];
    if (b->n_added > LIMIT_OBJECTS) {
        return err_set(in->err, ERR_LIMIT, "more than %d objects (LIMIT_OBJECTS)",
                       (int)LIMIT_OBJECTS);
    }
    if (strtab_count(b->tab) > LIMIT_VOCABULARY) {
        return err_set(in->err, ERR_LIMIT, "more than %d distinct words (LIMIT_VOCABULARY)",
                       (int)LIMIT_VOCABULARY);
    }
    if (in->type->store == STORE_PODS && pods->n - pods->n_dead >= LIMIT_PODS) {
        return err_set(in->err, ERR_LIMIT, "more than %d pods (LIMIT_PODS)", (int)LIMIT_PODS);
    }
    return true;
}

static bool remove_object(struct k8s_builder *b, struct incoming *in)
{
    struct json_at meta = json_at_member(&in->at, "metadata");
    struct json_at name_at = json_at_member(&meta, "name");
    struct json_at ns_at = json_at_member(&meta, "namespace");
    struct str name, ns;
    bool has = false;
    if (!json_read_str(&name_at, NULL, &name, in->err) ||
        !json_read_str(&ns_at, &has, &ns, in->err)) {
        return false;
    }
    strid ns_id = ns.n == 0 ? STRID_EMPTY : strtab_find(b->tab, ns);
    struct k8s_key key = {.ns = k8s_right_namespace(b->tab, in->type, ns_id),
                          .name = name,
                          .workload = in->type->workload};
    struct k8s_objects *objects = &b->objects[in->type->store];
    uint32_t i = k8s_objects_find(b, in->type->store, &key);
    if (i != UINT32_MAX && !objects->dead[i]) {
        objects->dead[i] = true;
        objects->n_dead++;
    }
    return true;
}

static bool take_object(struct k8s_builder *b, struct incoming *in, bool removed,
                        bool *ret_replaced)
{
    enum k8s_store store = in->type->store;
    if (!check_caps(b, in)) {
        return false;
    }
    if (removed) {
        return remove_object(b, in);
    }
    char *object = arena_alloc(&b->scratch, k8s_stores[store].size);
    bool good = decode(b, in, object);
    if (!good && !in->closed) {
        return false;
    }
    struct k8s_key key = k8s_key_of(store, object);
    struct k8s_objects *objects = &b->objects[store];
    uint32_t i = k8s_objects_find(b, store, &key);
    if (i == UINT32_MAX) {
        (void)k8s_objects_push(b, store, &key, object);
    } else {
        *ret_replaced = !objects->dead[i];
        objects->n_dead -= objects->dead[i] ? 1 : 0;
        objects->dead[i] = false;
        memcpy(k8s_objects_at(b, store, i), object, k8s_stores[store].size);
    }
    if (in->newest.has && (!b->newest.has || b->newest.v < in->newest.v)) {
        b->newest = in->newest;
    }
    return good;
}

/* Kind and version as text; wrong types and absurd lengths are refused. */
static bool read_kind(struct incoming *in, struct str list_kind)
{
    static const struct {
        const char *key;
    } fields[] = {{"kind"}, {"apiVersion"}};
    struct str *texts[] = {&in->kind, &in->api_version};
    if (!json_is_object(in->at.v)) {
        return err_set(in->err, ERR_INVALID, "expected a Kubernetes object, got %s",
                       json_type_text(in->at.v));
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct json_at member = json_at_member(&in->at, fields[i].key);
        bool has = false;
        if (!json_read_str(&member, &has, texts[i], in->err)) {
            return false;
        }
        if (texts[i]->n > LIMIT_NAME_BYTES) {
            *texts[i] = STR_EMPTY;
            return json_fail(in->err, ERR_LIMIT, &member, "longer than %d bytes (LIMIT_NAME_BYTES)",
                             (int)LIMIT_NAME_BYTES);
        }
    }
    if (in->kind.n == 0) {
        in->kind = list_kind;
    }
    return true;
}

static bool reject_other(struct k8s_builder *b, const struct incoming *in)
{
    struct k8s_kind_count *none = other_count(b, in->kind, in->api_version);
    none->n++;
    none->n_rejected++;
    return false;
}

/* What the API server answers instead of an object: the list it stands for is missing. */
static bool refuse_status(struct k8s_builder *b, struct incoming *in)
{
    struct json_at at = json_at_member(&in->at, "message");
    struct str message = STR_EMPTY;
    struct err ignored;
    bool has = false;
    if (!json_read_str(&at, &has, &message, &ignored) || !has) {
        message = STR("no message");
    }
    (void)err_set(in->err, ERR_INVALID, "an error of the API server instead of objects: " STR_FMT,
                  STR_ARG(str_sub(message, 0, SHOWN_MESSAGE)));
    return reject_other(b, in);
}

/* Kinds that nobody knows are ignored, but for those that are meant to be one of ours. */
static bool take_other(struct k8s_builder *b, struct incoming *in)
{
    if (in->kind.n == 0) {
        (void)err_set(in->err, ERR_INVALID, "kind: required; this is no Kubernetes object");
        return reject_other(b, in);
    }
    if (str_eq(in->kind, STR("Status")) && str_eq(in->api_version, STR("v1"))) {
        return refuse_status(b, in);
    }
    const char *meant = k8s_kind_meant(in->kind, in->api_version);
    if (meant != NULL) {
        (void)err_set(in->err, ERR_INVALID, "kind: \"" STR_FMT "\" is not known; use %s",
                      STR_ARG(in->kind), meant);
        return reject_other(b, in);
    }
    other_count(b, in->kind, in->api_version)->n++;
    return true;
}

bool k8s_builder_add(struct k8s_builder *b, json_t *object, struct str list_kind, uint32_t source_i,
                     bool removed, bool *ret_replaced, struct err *err)
{
    struct err ignored = {.code = ERR_NONE};
    struct incoming in = {
        .at = json_at_root(object), .source_i = source_i, .err = err == NULL ? &ignored : err};
    bool replaced = false;
    arena_reset(&b->scratch);
    b->n_added++;
    if (!read_kind(&in, list_kind)) {
        in.kind = in.api_version = STR_EMPTY;
        return reject_other(b, &in);
    }
    enum k8s_match match = k8s_kind_find(in.kind, in.api_version, &in.type);
    if (match == K8S_MATCH_NO) {
        if (ret_replaced != NULL) {
            *ret_replaced = false;
        }
        return take_other(b, &in);
    }
    struct k8s_kind_count *count = &b->known[in.type - k8s_kinds];
    bool ok = match == K8S_MATCH_YES ||
              err_set(in.err, ERR_UNSUPPORTED,
                      "apiVersion " STR_FMT " is not supported; convert the object to %s%s%s",
                      STR_ARG(in.api_version), in.type->group, in.type->group[0] == '\0' ? "" : "/",
                      in.type->version);
    ok = ok && take_object(b, &in, removed, &replaced);
    count->n++;
    count->n_rejected += ok ? 0 : 1;
    count->n_replaced += replaced ? 1 : 0;
    if (!ok) {
        return name_the_object(&in);
    }
    if (ret_replaced != NULL) {
        *ret_replaced = replaced;
    }
    return true;
}

/* ---- the end ---- */

static void drop_dead(struct k8s_builder *b, enum k8s_store store)
{
    struct k8s_objects *o = &b->objects[store];
    size_t size = k8s_stores[store].size;
    uint32_t n = 0;
    for (uint32_t i = 0; o->n_dead > 0 && i < o->n; i++) {
        if (o->dead[i]) {
            continue;
        }
        if (n != i) {
            memcpy(o->v + n * size, o->v + i * size, size);
        }
        n++;
    }
    o->n = o->n_dead > 0 ? n : o->n;
    o->n_dead = 0;
    o->n_slots = 0; /* the index is over */
}

/* Numbers the shapes that are used, in the order of first use. */
struct numbering {
    const struct k8s_pod_shape **list;
    bool *seen;
    uint32_t n;
};

static void number_shape(const struct k8s_builder *b, struct numbering *numbering,
                         const struct k8s_pod_shape *shape)
{
    if (!numbering->seen[shape->id]) {
        numbering->seen[shape->id] = true;
        numbering->list[numbering->n++] = k8s_shapes_at(b->shapes, shape->id);
    }
}

static void number_shapes(struct k8s_builder *b, struct k8s_cluster *cluster)
{
    uint32_t n = k8s_shapes_count(b->shapes);
    struct numbering numbering = {.list = ARENA_ARRAY(b->arena, const struct k8s_pod_shape *, n),
                                  .seen = ARENA_ARRAY(&b->scratch, bool, n)};
    for (uint32_t i = 0; i < cluster->n_pods; i++) {
        number_shape(b, &numbering, cluster->pods[i].shape);
    }
    for (uint32_t i = 0; i < cluster->n_workloads; i++) {
        number_shape(b, &numbering, cluster->workloads[i].template_shape);
    }
    for (uint32_t i = 0; i < cluster->n_pod_templates; i++) {
        number_shape(b, &numbering, cluster->pod_templates[i].shape);
    }
    for (uint32_t i = 0; i < numbering.n; i++) {
        ((struct k8s_pod_shape *)(uintptr_t)numbering.list[i])->id = i;
    }
    cluster->shapes = numbering.list;
    cluster->n_shapes = numbering.n;
}

static int by_instance_id(const void *a, const void *b)
{
    return str_cmp(((const struct aws_instance *)a)->id, ((const struct aws_instance *)b)->id);
}

void k8s_builder_instances(struct k8s_builder *b, const struct aws_instance *instances, uint32_t n)
{
    for (uint32_t i = 0; n > 0 && i < b->objects[STORE_NODECLAIMS].n; i++) {
        struct karp_nodeclaim *claim = k8s_objects_at(b, STORE_NODECLAIMS, i);
        const struct aws_instance wanted = {
            .id = str_after_last(claim->provider_id, '/')}; /* "aws:///us-east-1a/i-0123" */
        claim->instance = bsearch(&wanted, instances, n, sizeof *instances, by_instance_id);
    }
}

const struct k8s_cluster *k8s_builder_finish(struct k8s_builder *b)
{
    struct k8s_cluster *cluster = ARENA_NEW(b->arena, struct k8s_cluster);
    arena_reset(&b->scratch);
    for (int store = 0; store < N_STORES; store++) {
        drop_dead(b, (enum k8s_store)store);
    }
    k8s_admit(b);
    cluster->tab = b->tab;
    cluster->words = b->words;
    cluster->newest = b->newest;
    for (int store = 0; store < N_STORES; store++) {
        const struct k8s_store_type *type = &k8s_stores[store];
        const void *v = b->objects[store].v;
        memcpy((char *)cluster + type->array_offset, &v, sizeof v);
        memcpy((char *)cluster + type->n_offset, &b->objects[store].n, sizeof(uint32_t));
    }
    number_shapes(b, cluster);
    k8s_builder_done(b);
    return cluster;
}

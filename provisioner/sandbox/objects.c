/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The API server: versions, preconditions, patches, finalizers, owners, budgets. */
#include <stdio.h>
#include <string.h>

#include "base/json_decode.h"
#include "base/rfc3339.h"
#include "k8s/selector.h"
#include "provisioner/sandbox/world.h"

enum { POINTER_MAX = 512 };

struct text text_of(struct str s)
{
    struct text t = {.n = (uint16_t)(s.n < NAME_MAX_BYTES ? s.n : NAME_MAX_BYTES)};
    if (t.n > 0) {
        memcpy(t.p, s.p, t.n);
    }
    return t;
}

struct str text_str(const struct text *t)
{
    return (struct str){.p = t->p, .n = t->n};
}

static struct str member(const json_t *object, const char *key)
{
    return str_of(json_string_value(json_object_get(object, key)));
}

/* ---- where objects are ---- */

static uint32_t *place_of(struct world *world, const struct k8s_kind *kind, struct str ns,
                          struct str name)
{
    char key[2 * NAME_MAX_BYTES + 16];
    const int n = snprintf(key, sizeof key, "%d/" STR_FMT "/" STR_FMT, (int)(kind - k8s_kinds),
                           STR_ARG(ns), STR_ARG(name));
    const strid id = strtab_add(world->names, (struct str){.p = key, .n = (size_t)n});
    while (world->places.n <= id) {
        VEC_PUSH(&world->arena, &world->places, 0);
    }
    return &world->places.v[id];
}

struct object *objects_find(struct world *world, const struct k8s_kind *kind, struct str ns,
                            struct str name)
{
    const uint32_t place = *place_of(world, kind, ns, name);
    return place == 0 ? NULL : &world->objects.v[place - 1];
}

/* Of the first, which is the only one in this world: Nodes and pods have one, all others none. */
static uint64_t owner_of(const json_t *value)
{
    const json_t *owners = json_object_get(json_object_get(value, "metadata"), "ownerReferences");
    const struct str uid = member(json_array_get(owners, 0), "uid");
    return uid.n == 0 ? 0 : str_hash(uid);
}

/* ---- changes ---- */

/* Who should look again. */
static void note_moved(struct world *world, enum k8s_store store)
{
    const bool machine = store == STORE_PODS || store == STORE_NODES;
    const bool volume = store == STORE_PVCS || store == STORE_PVS || store == STORE_CSI_NODES ||
                        store == STORE_STORAGE_CLASSES;
    world->places_moved = world->places_moved || machine || volume;
    world->work_moved = world->work_moved || machine || store == STORE_WORKLOADS;
    world->promises_moved =
        world->promises_moved || store == STORE_NODECLAIMS || store == STORE_NODEPOOLS;
}

/* To the engine later, to the truth at once. */
static void show(struct world *world, const struct object *object, enum k8s_change change)
{
    struct err err;
    const struct k8s_identity id = {.ns = text_str(&object->ns), .name = text_str(&object->name)};
    if (change == K8S_DELETED) {
        world->version++;
        k8s_state_remove(world->truth, object->kind, &id);
    } else if (!k8s_state_put(world->truth, object->kind, &id, object->value, &err)) {
        world->report.broken = true;
        world->report.breach = err;
    }
    watch_show(world, object, change == K8S_DELETED);
    note_moved(world, object->kind->store);
}

static void set_text(json_t *object, const char *key, struct str value)
{
    (void)json_object_set_new(object, key, json_stringn(value.p, value.n));
}

static json_t *metadata_of(json_t *value)
{
    json_t *metadata = json_object_get(value, "metadata");
    if (metadata == NULL) {
        metadata = json_object();
        (void)json_object_set_new(value, "metadata", metadata);
    }
    return metadata;
}

static void stamp(struct world *world, struct object *object)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)++world->version);
    object->version = world->version;
    set_text(metadata_of(object->value), "resourceVersion", str_of(text));
}

void objects_create(struct world *world, const struct k8s_kind *kind, json_t *value)
{
    json_t *metadata = metadata_of(value);
    char uid[64], time[RFC3339_TEXT_MAX];
    (void)snprintf(uid, sizeof uid, "%08llx-0000-4000-8000-000000000000",
                   (unsigned long long)++world->n_uids);
    set_text(metadata, "uid", str_of(uid));
    set_text(metadata, "creationTimestamp",
             rfc3339_format(world_moment(world).wall / SECOND * SECOND, time));
    (void)json_object_set_new(metadata, "generation", json_integer(1));
    VEC_PUSH(&world->arena, &world->objects,
             ((struct object){
                 .kind = kind,
                 .ns = text_of(kind->namespaced ? member(metadata, "namespace") : STR_EMPTY),
                 .name = text_of(member(metadata, "name")),
                 .uid = text_of(str_of(uid)),
                 .owner = owner_of(value),
                 .value = value}));
    struct object *object = &world->objects.v[world->objects.n - 1];
    *place_of(world, kind, text_str(&object->ns), text_str(&object->name)) =
        (uint32_t)world->objects.n;
    if (kind->store == STORE_WORKLOADS) {
        VEC_PUSH(&world->arena, &world->owners,
                 ((struct owner){.kind = kind, .ns = object->ns, .name = object->name}));
    }
    stamp(world, object);
    show(world, object, K8S_ADDED);
}

static bool is_held(const struct object *object)
{
    return json_array_size(
               json_object_get(json_object_get(object->value, "metadata"), "finalizers")) > 0;
}

static bool is_going(const struct object *object)
{
    return json_object_get(json_object_get(object->value, "metadata"), "deletionTimestamp") != NULL;
}

/* Those that belong to what has gone go, too. */
static void collect(struct world *world, struct str uid)
{
    const uint64_t owner = str_hash(uid);
    for (size_t i = 0; i < world->objects.n; i++) {
        if (world->objects.v[i].owner != owner) {
            continue;
        }
        const json_t *owners = json_object_get(
            json_object_get(world->objects.v[i].value, "metadata"), "ownerReferences");
        for (size_t k = 0; k < json_array_size(owners); k++) {
            if (str_eq(member(json_array_get(owners, k), "uid"), uid) &&
                !is_going(&world->objects.v[i])) {
                const struct object owned = world->objects.v[i];
                objects_remove(world, owned.kind, text_str(&owned.ns), text_str(&owned.name));
                i = (size_t)-1; /* from the beginning: what was removed has moved the others */
                break;
            }
        }
    }
}

static void take_away(struct world *world, struct object *object)
{
    const struct object gone = *object;
    const struct object *last = &world->objects.v[world->objects.n - 1];
    *place_of(world, last->kind, text_str(&last->ns), text_str(&last->name)) =
        (uint32_t)(object - world->objects.v) + 1;
    *object = *last;
    world->objects.n--;
    *place_of(world, gone.kind, text_str(&gone.ns), text_str(&gone.name)) = 0;
    show(world, &gone, K8S_DELETED);
    json_decref(gone.value);
    collect(world, text_str(&gone.uid));
}

void objects_put(struct world *world, struct object *object, json_t *value)
{
    json_decref(object->value);
    object->value = value;
    object->owner = owner_of(value);
    stamp(world, object);
    if (is_going(object) && !is_held(object)) {
        take_away(world, object);
    } else {
        show(world, object, K8S_MODIFIED);
    }
}

void objects_remove(struct world *world, const struct k8s_kind *kind, struct str ns,
                    struct str name)
{
    struct object *object = objects_find(world, kind, ns, name);
    char time[RFC3339_TEXT_MAX];
    if (object == NULL || (is_going(object) && is_held(object))) {
        return;
    }
    if (!is_held(object)) {
        take_away(world, object);
        return;
    }
    json_t *value = json_deep_copy(object->value);
    set_text(metadata_of(value), "deletionTimestamp",
             rfc3339_format(world_moment(world).wall / SECOND * SECOND, time));
    objects_put(world, object, value);
}

void objects_remove_by_force(struct world *world, const struct k8s_kind *kind, struct str ns,
                             struct str name)
{
    struct object *object = objects_find(world, kind, ns, name);
    if (object != NULL) {
        take_away(world, object);
    }
}

/* ---- patches ---- */

static void merge(json_t *into, const json_t *patch)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)patch, key, value)
    {
        json_t *has = json_object_get(into, key);
        if (json_is_null(value)) {
            (void)json_object_del(into, key);
        } else if (json_is_object(value) && json_is_object(has)) {
            merge(has, value);
        } else {
            (void)json_object_set_new(into, key, json_deep_copy(value));
        }
    }
}

/* What is no number is the end: no element is there. */
static size_t index_of(const char *text)
{
    uint64_t i = 0;
    return str_to_u64(str_of(text), &i) ? (size_t)i : SIZE_MAX;
}

/* The container that a pointer names, and its last part in `last`. */
static json_t *walk(json_t *at, const char *pointer, char *last, size_t size)
{
    const char *p = pointer;
    while (*p == '/' && at != NULL) {
        size_t n = 0;
        for (p++; *p != '\0' && *p != '/' && n + 1 < size; p++) {
            const bool escaped = *p == '~' && (p[1] == '0' || p[1] == '1');
            last[n++] = !escaped ? *p : p[1] == '1' ? '/' : '~';
            p += escaped;
        }
        last[n] = '\0';
        if (*p == '/') {
            at = json_is_array(at) ? json_array_get(at, index_of(last)) : json_object_get(at, last);
        }
    }
    return at;
}

static bool apply_op(json_t *value, const json_t *op)
{
    char last[POINTER_MAX];
    const struct str what = member(op, "op");
    const char *path = json_string_value(json_object_get(op, "path"));
    json_t *at = path == NULL ? NULL : walk(value, path, last, sizeof last);
    json_t *new = json_object_get(op, "value");
    if (at == NULL) {
        return false;
    }
    const size_t i = index_of(last);
    if (str_eq(what, STR("remove"))) {
        return json_is_array(at) ? json_array_remove(at, i) == 0 : json_object_del(at, last) == 0;
    }
    if (json_is_array(at)) {
        return str_eq(what, STR("add")) && str_eq(str_of(last), STR("-")) &&
               json_array_append_new(at, json_deep_copy(new)) == 0;
    }
    return json_object_set_new(at, last, json_deep_copy(new)) == 0;
}

static bool apply_ops(json_t *value, const json_t *ops)
{
    for (size_t i = 0; i < json_array_size(ops); i++) {
        if (!apply_op(value, json_array_get(ops, i))) {
            return false;
        }
    }
    return true;
}

/* A patch of the status leaves the rest alone, and the other way round. */
static json_t *patched(const struct object *object, const struct k8s_write *write,
                       const json_t *patch)
{
    json_t *value = json_deep_copy(object->value);
    if (write->verb == K8S_WRITE_JSON_PATCH) {
        if (!apply_ops(value, patch)) {
            json_decref(value);
            return NULL;
        }
        return value;
    }
    auto_json *part = json_object();
    const char *key = NULL;
    json_t *member_value = NULL;
    json_object_foreach((json_t *)(uintptr_t)patch, key, member_value)
    {
        if ((strcmp(key, "status") == 0) == (write->subresource.n > 0)) {
            (void)json_object_set(part, key, member_value);
        }
    }
    merge(value, part);
    return value;
}

/* ---- budgets ---- */

static bool is_covered(const struct world *world, const struct k8s_pdb *pdb,
                       const struct k8s_pod *pod)
{
    (void)world;
    return pdb->meta.ns == pod->ns && k8s_selector_matches(&pdb->selector, &pod->shape->labels);
}

static bool budget_allows(const struct world *world, const struct k8s_pdb *pdb)
{
    int64_t n = 0, healthy = 0;
    for (uint32_t i = 0; i < k8s_state_count(world->truth, STORE_PODS); i++) {
        const struct k8s_pod *pod = k8s_state_at(world->truth, STORE_PODS, i);
        if (is_covered(world, pdb, pod)) {
            n++;
            healthy += pod->ready && !pod->deleted.has;
        }
    }
    const struct k8s_int_or_percent *min = &pdb->min_available, *max = &pdb->max_unavailable;
    const int64_t least =
        min->present   ? (min->is_percent ? muldiv_ceil(n, min->value, 100) : min->value)
        : max->present ? n - (max->is_percent ? muldiv_ceil(n, max->value, 100) : max->value)
                       : 0;
    return healthy - 1 >= least;
}

static bool may_evict(const struct world *world, struct str ns, struct str name)
{
    const struct k8s_identity id = {.ns = ns, .name = name};
    const struct k8s_pod *pod = k8s_state_find(world->truth, world_kind_of(STORE_PODS), &id);
    for (uint32_t i = 0; pod != NULL && i < k8s_state_count(world->truth, STORE_PDBS); i++) {
        const struct k8s_pdb *pdb = k8s_state_at(world->truth, STORE_PDBS, i);
        if (is_covered(world, pdb, pod) && !budget_allows(world, pdb)) {
            return false;
        }
    }
    return true;
}

/* ---- writes ---- */

static struct k8s_written done(struct world *world, const struct object *object)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)object->version);
    return (struct k8s_written){.outcome = K8S_WRITE_DONE,
                                .name = str_copy(&world->step, text_str(&object->name)),
                                .uid = str_copy(&world->step, text_str(&object->uid)),
                                .version = str_copy(&world->step, str_of(text))};
}

static struct k8s_written create(struct world *world, const struct k8s_write *write, json_t *value)
{
    const json_t *metadata = json_object_get(value, "metadata");
    const struct str name = member(metadata, "name");
    if (objects_find(world, write->kind, member(metadata, "namespace"), name) != NULL) {
        return (struct k8s_written){.outcome = K8S_WRITE_ALREADY_EXISTS};
    }
    objects_create(world, write->kind, json_incref(value));
    struct object *object = &world->objects.v[world->objects.n - 1];
    object->epoch = world->epoch;
    invariants_created(world, object);
    return done(world, object);
}

static struct k8s_written change(struct world *world, const struct k8s_write *write,
                                 struct object *object, const json_t *patch)
{
    char version[32];
    (void)snprintf(version, sizeof version, "%llu", (unsigned long long)object->version);
    if (write->version.n > 0 && !str_eq(write->version, str_of(version))) {
        return (struct k8s_written){.outcome = K8S_WRITE_CONFLICT};
    }
    json_t *value = patched(object, write, patch);
    if (value == NULL) {
        return (struct k8s_written){.outcome = K8S_WRITE_INVALID};
    }
    struct k8s_written written = done(world, object);
    objects_put(world, object, value);
    return written;
}

struct k8s_written objects_write(struct world *world, const struct k8s_write *write)
{
    auto_arena scratch = ARENA_INIT;
    auto_json *body = NULL;
    struct err err;
    if (write->body.n > 0 && !json_decode_text(write->body, &scratch, &body, &err)) {
        return (struct k8s_written){.outcome = K8S_WRITE_INVALID};
    }
    if (str_eq(str_of(write->kind->name), STR("Event"))) {
        return (struct k8s_written){.outcome = K8S_WRITE_DONE}; /* nobody here reads them */
    }
    if (write->verb == K8S_WRITE_CREATE) {
        return create(world, write, body);
    }
    struct object *object = objects_find(world, write->kind, write->ns, write->name);
    if (object == NULL) {
        return (struct k8s_written){.outcome = K8S_WRITE_NOT_FOUND};
    }
    if (write->verb == K8S_WRITE_MERGE_PATCH || write->verb == K8S_WRITE_JSON_PATCH) {
        return change(world, write, object, body);
    }
    if (write->uid.n > 0 && !str_eq(write->uid, text_str(&object->uid))) {
        return (struct k8s_written){.outcome = K8S_WRITE_CONFLICT};
    }
    if (write->verb == K8S_WRITE_EVICT && !may_evict(world, write->ns, write->name)) {
        return (struct k8s_written){.outcome = K8S_WRITE_BLOCKED};
    }
    const struct k8s_written written = done(world, object);
    objects_remove(world, write->kind, write->ns, write->name);
    return written;
}

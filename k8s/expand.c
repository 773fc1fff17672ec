/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pods of workloads that have none in the input: see k8s_builder_expand. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "k8s/builder_impl.h"
#include "k8s/claims.h"

enum { NAME_MAX_BYTES = 600, HASH_CHARS = 10 };

/* What is known of one workload. */
struct state {
    bool has_pods;     /* itself or what it owns */
    bool has_children; /* ReplicaSets of a Deployment, Jobs of a CronJob */
    bool is_child;     /* of a workload in the input */
};

struct expansion {
    struct k8s_builder *builder;
    struct state *states; /* [n workloads] */
    uint32_t n_made;
    struct err *err;
};

static struct k8s_workload *workload_at(const struct k8s_builder *b, uint32_t i)
{
    return k8s_objects_at(b, STORE_WORKLOADS, i);
}

/* The live workload of that kind and name, or UINT32_MAX. */
static uint32_t find_workload(const struct k8s_builder *b, enum k8s_workload_kind kind, strid ns,
                              struct str name)
{
    struct k8s_key key = {.ns = ns, .name = name, .workload = (int)kind};
    uint32_t i = k8s_objects_find(b, STORE_WORKLOADS, &key);
    return i == UINT32_MAX || b->objects[STORE_WORKLOADS].dead[i] ? UINT32_MAX : i;
}

static bool kind_of_owner(const struct k8s_builder *b, strid kind, enum k8s_workload_kind *ret_kind)
{
    struct str name = strtab_str(b->tab, kind);
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        if (k8s_kinds[i].workload >= 0 && str_eq(str_of(k8s_kinds[i].name), name)) {
            *ret_kind = (enum k8s_workload_kind)k8s_kinds[i].workload;
            return true;
        }
    }
    return false;
}

/* The owner of a workload among the workloads, or UINT32_MAX. */
static uint32_t parent_of(const struct k8s_builder *b, uint32_t i)
{
    const struct k8s_workload *workload = workload_at(b, i);
    const struct k8s_owner *owner = k8s_meta_controller(&workload->meta);
    enum k8s_workload_kind kind;
    if (owner == NULL && workload->meta.n_owners > 0) {
        owner = &workload->meta.owners[0];
    }
    if (owner == NULL || !kind_of_owner(b, owner->kind, &kind)) {
        return UINT32_MAX;
    }
    return find_workload(b, kind, workload->meta.ns, owner->name);
}

/* A ReplicaSet that is not in the input is known by its name, `<deployment>-<hash>`, as is a Job of
 * a CronJob, `<cronjob>-<time>`. */
static uint32_t missing_parent(const struct k8s_builder *b, const struct k8s_pod *pod,
                               enum k8s_workload_kind kind)
{
    size_t cut = pod->owner_name.n;
    while (cut > 0 && pod->owner_name.p[cut - 1] != '-') {
        cut--;
    }
    if (cut < 2 || (kind != K8S_REPLICASET && kind != K8S_JOB)) {
        return UINT32_MAX;
    }
    return find_workload(b, kind == K8S_REPLICASET ? K8S_DEPLOYMENT : K8S_CRONJOB, pod->ns,
                         str_sub(pod->owner_name, 0, cut - 1));
}

static void mark_pods(struct expansion *x)
{
    const struct k8s_builder *b = x->builder;
    const struct k8s_pod_shape *last_shape = NULL;
    struct str last_owner = STR_EMPTY;
    strid last_ns = STRID_NONE;
    for (uint32_t i = 0; i < b->objects[STORE_PODS].n; i++) {
        const struct k8s_pod *pod = k8s_objects_at(b, STORE_PODS, i);
        enum k8s_workload_kind kind;
        if (b->objects[STORE_PODS].dead[i] ||
            (pod->shape == last_shape && pod->owner_name.p == last_owner.p && pod->ns == last_ns) ||
            !kind_of_owner(b, pod->shape->owner_kind, &kind)) {
            continue;
        }
        last_shape = pod->shape;
        last_owner = pod->owner_name;
        last_ns = pod->ns;
        uint32_t owner = find_workload(b, kind, pod->ns, pod->owner_name);
        owner = owner == UINT32_MAX ? missing_parent(b, pod, kind) : owner;
        if (owner != UINT32_MAX) {
            x->states[owner].has_pods = true;
        }
    }
}

static void mark_families(struct expansion *x)
{
    const struct k8s_builder *b = x->builder;
    uint32_t n = b->objects[STORE_WORKLOADS].n;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t parent = parent_of(b, i);
        if (b->objects[STORE_WORKLOADS].dead[i] || parent == UINT32_MAX) {
            continue;
        }
        x->states[i].is_child = true;
        x->states[parent].has_children = true;
        x->states[parent].has_pods = x->states[parent].has_pods || x->states[i].has_pods;
    }
}

/* A Deployment stands for its ReplicaSets; a Job stands for itself, and then its CronJob waits. */
static bool wants_pods(const struct k8s_workload *workload, const struct state *state)
{
    if (state->has_pods || workload->replicas == 0 || workload->suspended ||
        workload->meta.deleted.has) {
        return false;
    }
    switch (workload->kind) {
    case K8S_DAEMONSET:
        return false;
    case K8S_CRONJOB:
        return !state->has_children;
    case K8S_JOB:
        return true;
    case K8S_DEPLOYMENT:
    case K8S_STATEFULSET:
    case K8S_REPLICASET:
    case K8S_REPLICATIONCONTROLLER:
        break;
    }
    return !state->is_child;
}

/* ---- making pods ---- */

/* Ten characters of the alphabet of Kubernetes' own hashes, from the Deployment's name. */
static struct str template_hash(const struct k8s_builder *b, const struct k8s_workload *workload,
                                char *room)
{
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
    uint64_t hash =
        str_hash(workload->meta.name) * 31 + str_hash(strtab_str(b->tab, workload->meta.ns));
    for (int i = 0; i < HASH_CHARS; i++) {
        hash ^= hash >> 31;
        hash *= UINT64_C(0x9e3779b97f4a7c15);
        room[i] = alphabet[(hash >> 40) % (sizeof alphabet - 1)];
    }
    return (struct str){.p = room, .n = HASH_CHARS};
}

static struct str numbered(struct k8s_builder *b, struct str name, int64_t number)
{
    struct strbuf text = strbuf_new(&b->scratch, NAME_MAX_BYTES);
    strbuf_add(&text, name);
    strbuf_addf(&text, "-%lld", (long long)number);
    return strbuf_str(&text);
}

static int by_key(const void *a, const void *b)
{
    strid x = ((const struct k8s_pair *)a)->key;
    strid y = ((const struct k8s_pair *)b)->key;
    return x < y ? -1 : x > y;
}

static void add_label(struct k8s_builder *b, struct k8s_pod_shape *shape, const char *key,
                      struct str value)
{
    strid id = strtab_add(b->tab, str_of(key));
    if (k8s_pairs_get(&shape->labels, id) != STRID_NONE) {
        return;
    }
    uint32_t n = shape->labels.n;
    struct k8s_pair *pairs = ARENA_ARRAY(b->arena, struct k8s_pair, n + 1);
    if (n > 0) {
        memcpy(pairs, shape->labels.v, n * sizeof *pairs);
    }
    pairs[n] = (struct k8s_pair){.key = id, .value = strtab_add(b->tab, value)};
    qsort(pairs, n + 1, sizeof *pairs, by_key);
    shape->labels = (struct k8s_pairs){.n = n + 1, .v = pairs};
}

/* The shape of the pods as their controller makes them, and the name of that controller. */
static struct k8s_pod_shape pod_shape(struct k8s_builder *b, const struct k8s_workload *workload,
                                      struct str *ret_owner)
{
    char room[HASH_CHARS];
    struct k8s_pod_shape shape = *workload->template_shape;
    *ret_owner = workload->meta.name;
    if (workload->kind == K8S_DEPLOYMENT) {
        struct str hash = template_hash(b, workload, room);
        struct strbuf name = strbuf_new(&b->scratch, NAME_MAX_BYTES);
        strbuf_add(&name, workload->meta.name);
        strbuf_addc(&name, '-');
        strbuf_add(&name, hash);
        *ret_owner = str_copy(b->arena, strbuf_str(&name));
        shape.owner_kind = strtab_add(b->tab, STR("ReplicaSet"));
        add_label(b, &shape, "pod-template-hash", hash);
    } else if (workload->kind == K8S_JOB || workload->kind == K8S_CRONJOB) {
        shape.owner_kind = strtab_add(b->tab, STR("Job"));
        if (workload->kind == K8S_CRONJOB) {
            *ret_owner = str_copy(b->arena, numbered(b, workload->meta.name, /* number= */ 0));
        }
        if (ret_owner->n <= LIMIT_LABEL_VALUE_BYTES) {
            add_label(b, &shape, "job-name", *ret_owner);
            add_label(b, &shape, "batch.kubernetes.io/job-name", *ret_owner);
        }
    }
    return shape;
}

/* The claims of a StatefulSet's pod: volumes of its shape, and claims that are not there yet. */
static void add_claims(struct k8s_builder *b, const struct k8s_workload *workload,
                       struct str pod_name, struct k8s_pod_shape *shape)
{
    struct k8s_pvc *claims = ARENA_ARRAY(&b->scratch, struct k8s_pvc, workload->n_claim_templates);
    k8s_claims_of_pod(workload, pod_name, strtab_add(b->tab, STR("Pending")), b->arena, shape,
                      claims);
    for (uint32_t t = 0; t < workload->n_claim_templates; t++) {
        const struct k8s_key key = k8s_key_of(STORE_PVCS, &claims[t]);
        uint32_t at = k8s_objects_find(b, STORE_PVCS, &key);
        if (at == UINT32_MAX) {
            (void)k8s_objects_push(b, STORE_PVCS, &key, &claims[t]);
        } else if (b->objects[STORE_PVCS].dead[at]) {
            memcpy(k8s_objects_at(b, STORE_PVCS, at), &claims[t], sizeof claims[t]);
            b->objects[STORE_PVCS].dead[at] = false;
            b->objects[STORE_PVCS].n_dead--;
        }
    }
}

/* False when a pod of that name is there already. */
static bool make_pod(struct k8s_builder *b, const struct k8s_workload *workload, int64_t number,
                     const struct k8s_pod_shape *shape, struct str owner)
{
    struct k8s_pod pod = {.ns = workload->meta.ns, .owner_name = owner};
    struct str name = numbered(b, workload->meta.name, number);
    struct k8s_key key = {.ns = pod.ns, .name = name, .workload = -1};
    uint32_t at = k8s_objects_find(b, STORE_PODS, &key);
    if (at != UINT32_MAX && !b->objects[STORE_PODS].dead[at]) {
        return false;
    }
    pod.name = key.name = str_copy(b->arena, name);
    pod.source_i = workload->source_i;
    pod.shape = shape;
    if (workload->n_claim_templates > 0) {
        struct k8s_pod_shape own = *shape;
        add_claims(b, workload, pod.name, &own);
        pod.shape = k8s_shapes_intern(b->shapes, &own, K8S_BARE);
    }
    if (at == UINT32_MAX) {
        (void)k8s_objects_push(b, STORE_PODS, &key, &pod);
    } else {
        memcpy(k8s_objects_at(b, STORE_PODS, at), &pod, sizeof pod);
        b->objects[STORE_PODS].dead[at] = false;
        b->objects[STORE_PODS].n_dead--;
    }
    return true;
}

static bool expand_one(struct expansion *x, uint32_t workload_i)
{
    struct k8s_builder *b = x->builder;
    const struct k8s_workload workload = *workload_at(b, workload_i);
    const struct k8s_objects *pods = &b->objects[STORE_PODS];
    const char *kind = k8s_kind_of_workload(workload.kind)->name;
    struct str ns = strtab_str(b->tab, workload.meta.ns), owner;
    if (workload.replicas > LIMIT_REPLICAS) {
        return err_set(x->err, ERR_LIMIT,
                       "%s " STR_FMT "/" STR_FMT
                       ": %lld replicas are too many (LIMIT_REPLICAS is %d)",
                       kind, STR_ARG(ns), STR_ARG(workload.meta.name), (long long)workload.replicas,
                       (int)LIMIT_REPLICAS);
    }
    if (pods->n - pods->n_dead + workload.replicas > LIMIT_PODS) {
        return err_set(x->err, ERR_LIMIT,
                       "%s " STR_FMT "/" STR_FMT ": with its %lld replicas there are more than %d "
                       "pods (LIMIT_PODS)",
                       kind, STR_ARG(ns), STR_ARG(workload.meta.name), (long long)workload.replicas,
                       (int)LIMIT_PODS);
    }
    struct k8s_pod_shape shape = pod_shape(b, &workload, &owner);
    if (workload.n_claim_templates > 0) {
        int64_t each = (int64_t)workload.n_claim_templates + shape.n_volumes;
        if (each * workload.replicas > LIMIT_OBJECTS) {
            return err_set(x->err, ERR_LIMIT,
                           "%s " STR_FMT "/" STR_FMT ": %lld replicas with %lld volumes each are "
                           "too many (LIMIT_OBJECTS is %d)",
                           kind, STR_ARG(ns), STR_ARG(workload.meta.name),
                           (long long)workload.replicas, (long long)each, (int)LIMIT_OBJECTS);
        }
    }
    const struct k8s_pod_shape *kept =
        workload.n_claim_templates > 0 ? &shape : k8s_shapes_intern(b->shapes, &shape, K8S_BARE);
    int64_t number = workload.first_ordinal;
    for (int64_t made = 0; made < workload.replicas; number++) {
        made += make_pod(b, &workload, number, kept, owner) ? 1 : 0;
        arena_reset(&b->scratch);
    }
    x->n_made += (uint32_t)workload.replicas;
    return true;
}

/* By namespace, name and kind, so that the order of input does not decide who gets which name when
 * two workloads are called the same. StatefulSets come first: theirs are the names that matter. */
struct turn {
    struct str ns, name;
    enum k8s_workload_kind kind;
    uint32_t workload_i;
};

static int by_name(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;
    int order = str_cmp(x->ns, y->ns);
    order = order != 0 ? order : str_cmp(x->name, y->name);
    int mine = x->kind == K8S_STATEFULSET ? -1 : (int)x->kind;
    int theirs = y->kind == K8S_STATEFULSET ? -1 : (int)y->kind;
    return order != 0 ? order : mine - theirs;
}

static struct turn *turns(struct expansion *x, uint32_t *ret_n)
{
    struct k8s_builder *b = x->builder;
    uint32_t n = b->objects[STORE_WORKLOADS].n, n_turns = 0;
    struct turn *list = ARENA_ARRAY(b->arena, struct turn, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct k8s_workload *workload = workload_at(b, i);
        if (!b->objects[STORE_WORKLOADS].dead[i] && wants_pods(workload, &x->states[i])) {
            list[n_turns++] = (struct turn){.ns = strtab_str(b->tab, workload->meta.ns),
                                            .name = workload->meta.name,
                                            .kind = workload->kind,
                                            .workload_i = i};
        }
    }
    qsort(list, n_turns, sizeof *list, by_name);
    *ret_n = n_turns;
    return list;
}

bool k8s_builder_expand(struct k8s_builder *b, enum k8s_expand mode, uint32_t *ret_n_pods,
                        struct err *err)
{
    uint32_t n = b->objects[STORE_WORKLOADS].n;
    struct expansion x = {.builder = b, .err = err};
    *ret_n_pods = 0;
    if (mode == K8S_EXPAND_NEVER) {
        return true;
    }
    x.states = ARENA_ARRAY(b->arena, struct state, n);
    mark_pods(&x);
    mark_families(&x);
    const struct turn *list = turns(&x, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (!expand_one(&x, list[i].workload_i)) {
            return false;
        }
    }
    *ret_n_pods = x.n_made;
    return true;
}

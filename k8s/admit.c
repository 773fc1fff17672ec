/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What admission in an API server would have added: see k8s_builder_finish. */
#include <stdlib.h>
#include <string.h>

#include "k8s/builder_impl.h"
#include "k8s/pod_resources.h"

/* ---- LimitRanges ---- */

/* The LimitRange defaults of one namespace, all its LimitRanges together. */
struct ns_defaults {
    strid ns;
    struct k8s_resources requests, limits;
};

/* For each shape the namespace it was last asked for, and what became of it. */
struct memo {
    strid ns;
    const struct k8s_pod_shape *result;
};

struct limiting {
    struct k8s_builder *builder;
    struct ns_defaults *list;
    uint32_t n;
    struct memo *memo; /* [n_shapes] of the shapes there were at the beginning */
    uint32_t n_memo;
};

static int by_name(const void *a, const void *b)
{
    const struct k8s_limit_range *x = *(const struct k8s_limit_range *const *)a;
    const struct k8s_limit_range *y = *(const struct k8s_limit_range *const *)b;
    return x->meta.ns != y->meta.ns ? (x->meta.ns < y->meta.ns ? -1 : 1)
                                    : str_cmp(x->meta.name, y->meta.name);
}

/* Where several name one resource the first by name wins. */
static void collect_limits(struct limiting *limiting)
{
    struct k8s_builder *b = limiting->builder;
    uint32_t n = b->objects[STORE_LIMIT_RANGES].n;
    const struct k8s_limit_range **order =
        ARENA_ARRAY(&b->scratch, const struct k8s_limit_range *, n);
    limiting->list = ARENA_ARRAY(&b->scratch, struct ns_defaults, n);
    for (uint32_t i = 0; i < n; i++) {
        order[i] = k8s_objects_at(b, STORE_LIMIT_RANGES, i);
    }
    qsort(order, n, sizeof *order, by_name);
    for (uint32_t i = 0; i < n; i++) {
        if (limiting->n == 0 || limiting->list[limiting->n - 1].ns != order[i]->meta.ns) {
            limiting->list[limiting->n++].ns = order[i]->meta.ns;
        }
        struct ns_defaults *ns = &limiting->list[limiting->n - 1];
        k8s_resources_default(b->arena, &ns->requests, &order[i]->default_requests);
        k8s_resources_default(b->arena, &ns->limits, &order[i]->default_limits);
    }
}

static const struct k8s_container *limit_containers(struct arena *arena,
                                                    const struct k8s_container *containers,
                                                    uint32_t n, const struct ns_defaults *ns)
{
    struct k8s_container *list = ARENA_ARRAY(arena, struct k8s_container, n);
    for (uint32_t i = 0; i < n; i++) {
        list[i] = containers[i];
        k8s_resources_default(arena, &list[i].requests, &ns->requests);
        k8s_resources_default(arena, &list[i].limits, &ns->limits);
    }
    return n == 0 ? NULL : list;
}

static const struct ns_defaults *defaults_of(const struct limiting *limiting, strid ns)
{
    for (uint32_t i = 0; i < limiting->n; i++) {
        if (limiting->list[i].ns == ns) {
            return &limiting->list[i];
        }
    }
    return NULL;
}

static void limit(struct limiting *limiting, strid ns, const struct k8s_pod_shape **shape)
{
    struct k8s_builder *b = limiting->builder;
    if ((*shape)->id >= limiting->n_memo ||
        k8s_shapes_origin(b->shapes, (*shape)->id) != K8S_BARE) {
        return;
    }
    struct memo *memo = &limiting->memo[(*shape)->id];
    if (memo->result == NULL || memo->ns != ns) {
        const struct ns_defaults *defaults = defaults_of(limiting, ns);
        memo->ns = ns;
        memo->result = *shape;
        if (defaults != NULL) {
            struct k8s_pod_shape limited = **shape;
            limited.containers =
                limit_containers(b->arena, limited.containers, limited.n_containers, defaults);
            limited.init_containers = limit_containers(b->arena, limited.init_containers,
                                                       limited.n_init_containers, defaults);
            memo->result = k8s_shapes_intern(b->shapes, &limited, K8S_BARE);
        }
    }
    *shape = memo->result;
}

static void limit_all(struct k8s_builder *b)
{
    struct limiting limiting = {.builder = b, .n_memo = k8s_shapes_count(b->shapes)};
    if (b->objects[STORE_LIMIT_RANGES].n == 0) {
        return;
    }
    limiting.memo = ARENA_ARRAY(&b->scratch, struct memo, limiting.n_memo);
    collect_limits(&limiting);
    for (uint32_t i = 0; i < b->objects[STORE_PODS].n; i++) {
        struct k8s_pod *pod = k8s_objects_at(b, STORE_PODS, i);
        limit(&limiting, pod->ns, &pod->shape);
    }
    for (uint32_t i = 0; i < b->objects[STORE_WORKLOADS].n; i++) {
        struct k8s_workload *workload = k8s_objects_at(b, STORE_WORKLOADS, i);
        limit(&limiting, workload->meta.ns, &workload->template_shape);
    }
    for (uint32_t i = 0; i < b->objects[STORE_POD_TEMPLATES].n; i++) {
        struct k8s_pod_template *template = k8s_objects_at(b, STORE_POD_TEMPLATES, i);
        limit(&limiting, template->meta.ns, &template->shape);
    }
}

/* ---- priority ---- */

static const struct {
    const char *name;
    int32_t value;
} system_classes[] = {{"system-cluster-critical", 2000000000},
                      {"system-node-critical", 2000001000}};

/* The class that stands in when a pod names none: of several the lowest, as admission picks it. */
static const struct k8s_priority_class *global_default(const struct k8s_builder *b)
{
    const struct k8s_priority_class *best = NULL;
    for (uint32_t i = 0; i < b->objects[STORE_PRIORITY_CLASSES].n; i++) {
        const struct k8s_priority_class *class = k8s_objects_at(b, STORE_PRIORITY_CLASSES, i);
        if (class->global_default && (best == NULL || class->value < best->value)) {
            best = class;
        }
    }
    return best;
}

static const struct k8s_priority_class *priority_class(const struct k8s_builder *b, struct str name)
{
    for (uint32_t i = 0; i < b->objects[STORE_PRIORITY_CLASSES].n; i++) {
        const struct k8s_priority_class *class = k8s_objects_at(b, STORE_PRIORITY_CLASSES, i);
        if (str_eq(class->meta.name, name)) {
            return class;
        }
    }
    return NULL;
}

static void set_priority(const struct k8s_builder *b, const struct k8s_priority_class *fallback,
                         struct k8s_pod_shape *shape)
{
    struct str name = strtab_str(b->tab, shape->priority_class);
    const struct k8s_priority_class *class = name.n == 0 ? fallback : priority_class(b, name);
    if (shape->priority.has) {
        return;
    }
    shape->priority = (struct opt_i32){.has = true, .v = class == NULL ? 0 : class->value};
    if (class != NULL && class->never_preempts) {
        shape->preemption = K8S_PREEMPT_NEVER;
    }
    for (size_t i = 0; class == NULL && i < sizeof system_classes / sizeof system_classes[0]; i++) {
        if (str_eq(str_of(system_classes[i].name), name)) {
            shape->priority.v = system_classes[i].value;
        }
    }
}

/* ---- RuntimeClass ---- */

static int by_key(const void *a, const void *b)
{
    strid x = ((const struct k8s_pair *)a)->key;
    strid y = ((const struct k8s_pair *)b)->key;
    return x < y ? -1 : x > y;
}

static void merge_node_selector(struct arena *arena, struct k8s_pairs *pairs,
                                const struct k8s_pairs *more)
{
    struct k8s_pair *all = ARENA_ARRAY(arena, struct k8s_pair, pairs->n + more->n);
    uint32_t n = pairs->n;
    if (n > 0) {
        memcpy(all, pairs->v, n * sizeof *all);
    }
    for (uint32_t i = 0; i < more->n; i++) {
        if (k8s_pairs_get(pairs, more->v[i].key) == STRID_NONE) {
            all[n++] = more->v[i];
        }
    }
    qsort(all, n, sizeof *all, by_key);
    *pairs = (struct k8s_pairs){.n = n, .v = all};
}

static bool same_toleration(const struct k8s_toleration *a, const struct k8s_toleration *b)
{
    return a->key == b->key && a->value == b->value && a->op == b->op && a->effect == b->effect &&
           a->seconds.has == b->seconds.has && a->seconds.v == b->seconds.v;
}

static void merge_tolerations(struct arena *arena, struct k8s_pod_shape *shape,
                              const struct k8s_runtime_class *class)
{
    uint32_t n = shape->n_tolerations;
    struct k8s_toleration *all =
        ARENA_ARRAY(arena, struct k8s_toleration, n + class->n_tolerations);
    if (n > 0) {
        memcpy(all, shape->tolerations, n * sizeof *all);
    }
    for (uint32_t i = 0; i < class->n_tolerations; i++) {
        bool known = false;
        for (uint32_t t = 0; t < n; t++) {
            known = known || same_toleration(&all[t], &class->tolerations[i]);
        }
        if (!known) {
            all[n++] = class->tolerations[i];
        }
    }
    shape->tolerations = all;
    shape->n_tolerations = n;
}

static void apply_runtime_class(struct k8s_builder *b, struct k8s_pod_shape *shape)
{
    struct str name = strtab_str(b->tab, shape->runtime_class);
    for (uint32_t i = 0; name.n > 0 && i < b->objects[STORE_RUNTIME_CLASSES].n; i++) {
        const struct k8s_runtime_class *class = k8s_objects_at(b, STORE_RUNTIME_CLASSES, i);
        if (!str_eq(class->meta.name, name)) {
            continue;
        }
        if (shape->overhead.n == 0) {
            shape->overhead = class->overhead;
        }
        merge_node_selector(b->arena, &shape->node_selector, &class->node_selector);
        merge_tolerations(b->arena, shape, class);
    }
}

/* ---- storage ---- */

static strid default_storage_class(const struct k8s_builder *b)
{
    const struct k8s_storage_class *best = NULL;
    for (uint32_t i = 0; i < b->objects[STORE_STORAGE_CLASSES].n; i++) {
        const struct k8s_storage_class *class = k8s_objects_at(b, STORE_STORAGE_CLASSES, i);
        if (!class->is_default) {
            continue;
        }
        wall_t mine = class->meta.created.has ? class->meta.created.v : 0;
        wall_t theirs = best != NULL && best->meta.created.has ? best->meta.created.v : 0;
        if (best == NULL || mine > theirs ||
            (mine == theirs && str_cmp(class->meta.name, best->meta.name) < 0)) {
            best = class;
        }
    }
    return best == NULL ? STRID_NONE : strtab_add(b->tab, best->meta.name);
}

static void default_volumes(struct k8s_pod_shape *shape, strid class)
{
    for (uint32_t i = 0; i < shape->n_volumes; i++) {
        struct k8s_volume *volume = (struct k8s_volume *)(uintptr_t)&shape->volumes[i];
        if (volume->kind == K8S_VOLUME_EPHEMERAL && volume->storage_class == STRID_NONE) {
            volume->storage_class = class;
        }
    }
}

static void default_claims(struct k8s_builder *b, strid class)
{
    for (uint32_t i = 0; i < b->objects[STORE_PVCS].n; i++) {
        struct k8s_pvc *pvc = k8s_objects_at(b, STORE_PVCS, i);
        if (pvc->storage_class == STRID_NONE && pvc->volume_name.n == 0) {
            pvc->storage_class = class;
        }
    }
    for (uint32_t i = 0; i < b->objects[STORE_WORKLOADS].n; i++) {
        const struct k8s_workload *workload = k8s_objects_at(b, STORE_WORKLOADS, i);
        for (uint32_t c = 0; c < workload->n_claim_templates; c++) {
            struct k8s_claim_template *claim =
                (struct k8s_claim_template *)(uintptr_t)&workload->claim_templates[c];
            if (claim->storage_class == STRID_NONE) {
                claim->storage_class = class;
            }
        }
    }
}

void k8s_admit(struct k8s_builder *b)
{
    const struct k8s_priority_class *fallback = global_default(b);
    strid class = default_storage_class(b);
    limit_all(b);
    if (class != STRID_NONE) {
        default_claims(b, class);
    }
    for (uint32_t i = 0; i < k8s_shapes_count(b->shapes); i++) {
        struct k8s_pod_shape *shape = k8s_shapes_at(b->shapes, i);
        set_priority(b, fallback, shape);
        if (k8s_shapes_origin(b->shapes, i) == K8S_BARE) {
            apply_runtime_class(b, shape);
        }
        if (class != STRID_NONE) {
            default_volumes(shape, class);
        }
    }
}

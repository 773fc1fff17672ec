/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/resources.h"

#include "base/arena.h"

typedef int64_t (*combine_fn)(int64_t a, int64_t b);

/* Joins two lists by resource; a resource of one list only is combined with 0. */
static struct k8s_resources join(struct arena *arena, struct k8s_resources a,
                                 struct k8s_resources b, combine_fn combine)
{
    struct k8s_quantity *joined = ARENA_ARRAY(arena, struct k8s_quantity, a.n + b.n);
    uint32_t n = 0;
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < a.n || j < b.n) {
        const bool has_a = i < a.n && (j >= b.n || a.v[i].resource <= b.v[j].resource);
        const bool has_b = j < b.n && (i >= a.n || b.v[j].resource <= a.v[i].resource);
        joined[n++] = (struct k8s_quantity){
            .resource = has_a ? a.v[i].resource : b.v[j].resource,
            .value = combine(has_a ? a.v[i].value : 0, has_b ? b.v[j].value : 0)};
        i += has_a;
        j += has_b;
    }
    return (struct k8s_resources){.n = n, .v = joined};
}

static int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t less_of(int64_t a, int64_t b)
{
    const int64_t rest = sat_sub(a, b);
    return rest > 0 ? rest : 0;
}

struct k8s_resources sched_resources_sum(struct arena *arena, struct k8s_resources a,
                                         struct k8s_resources b)
{
    return join(arena, a, b, sat_add);
}

struct k8s_resources sched_resources_max(struct arena *arena, struct k8s_resources a,
                                         struct k8s_resources b)
{
    return join(arena, a, b, max_of);
}

struct k8s_resources sched_resources_less(struct arena *arena, struct k8s_resources a,
                                          struct k8s_resources b)
{
    return join(arena, a, b, less_of);
}

bool sched_resources_equal(struct k8s_resources a, struct k8s_resources b)
{
    if (a.n != b.n) {
        return false;
    }
    for (uint32_t i = 0; i < a.n; i++) {
        if (a.v[i].resource != b.v[i].resource || a.v[i].value != b.v[i].value) {
            return false;
        }
    }
    return true;
}

bool sched_resources_fit(struct k8s_resources requests, struct k8s_resources room, strid *ret_short)
{
    uint32_t j = 0;
    for (uint32_t i = 0; i < requests.n; i++) {
        while (j < room.n && room.v[j].resource < requests.v[i].resource) {
            j++;
        }
        const bool has = j < room.n && room.v[j].resource == requests.v[i].resource;
        if (requests.v[i].value > (has ? room.v[j].value : 0) && requests.v[i].value > 0) {
            if (ret_short != NULL) {
                *ret_short = requests.v[i].resource;
            }
            return false;
        }
    }
    return true;
}

/* `first` with what only `second` names: requests completed by limits, or by defaults. */
static struct k8s_resources complete(struct arena *arena, struct k8s_resources first,
                                     struct k8s_resources second)
{
    struct k8s_quantity *merged = ARENA_ARRAY(arena, struct k8s_quantity, first.n + second.n);
    uint32_t n = 0;
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < first.n || j < second.n) {
        const bool has_first =
            i < first.n && (j >= second.n || first.v[i].resource <= second.v[j].resource);
        const bool has_second =
            j < second.n && (i >= first.n || second.v[j].resource <= first.v[i].resource);
        merged[n++] = has_first ? first.v[i] : second.v[j];
        i += has_first;
        j += has_second;
    }
    return (struct k8s_resources){.n = n, .v = merged};
}

/* What the LimitRanges of a namespace give to containers that do not say. */
struct defaults {
    struct k8s_resources requests, limits;
};

static struct k8s_resources container_requests(struct arena *arena,
                                               const struct k8s_container *container,
                                               const struct defaults *defaults)
{
    /* LimitRanger: a container's own limit stands in for a missing request before the defaults do.
     */
    struct k8s_resources requests = complete(arena, container->requests, container->limits);
    requests = complete(arena, requests, defaults->requests);
    return complete(arena, requests, defaults->limits);
}

/* Pod-level resources replace what the containers sum up to, for the resources they may name. */
static bool pod_level_allowed(const struct k8s_words *words, const struct strtab *tab,
                              strid resource)
{
    return resource == words->cpu || resource == words->memory ||
           str_starts(strtab_str(tab, resource), STR("hugepages-"));
}

static struct k8s_resources replace_by_pod_level(const struct k8s_words *words,
                                                 const struct strtab *tab, struct arena *arena,
                                                 struct k8s_resources total,
                                                 const struct k8s_pod_shape *shape)
{
    const struct k8s_resources level = complete(arena, shape->pod_requests, shape->pod_limits);
    struct k8s_quantity *named = ARENA_ARRAY(arena, struct k8s_quantity, level.n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < level.n; i++) {
        if (pod_level_allowed(words, tab, level.v[i].resource)) {
            named[n++] = level.v[i];
        }
    }
    return complete(arena, (struct k8s_resources){.n = n, .v = named}, total);
}

static struct k8s_resources effective(const struct k8s_words *words, const struct strtab *tab,
                                      struct arena *arena, const struct k8s_pod_shape *shape,
                                      const struct defaults *defaults)
{
    struct k8s_resources total = {0};
    for (uint32_t i = 0; i < shape->n_containers; i++) {
        total = sched_resources_sum(arena, total,
                                    container_requests(arena, &shape->containers[i], defaults));
    }
    /* Init containers run one after the other beside the sidecars that were started before them. */
    struct k8s_resources sidecars = {0};
    struct k8s_resources init_peak = {0};
    for (uint32_t i = 0; i < shape->n_init_containers; i++) {
        const struct k8s_container *container = &shape->init_containers[i];
        const struct k8s_resources own = container_requests(arena, container, defaults);
        const struct k8s_resources with_sidecars = sched_resources_sum(arena, own, sidecars);
        if (container->restart_always) {
            total = sched_resources_sum(arena, total, own);
            sidecars = with_sidecars;
        }
        init_peak = sched_resources_max(arena, init_peak, with_sidecars);
    }
    total = sched_resources_max(arena, total, init_peak);
    if (shape->has_pod_resources) {
        total = replace_by_pod_level(words, tab, arena, total, shape);
    }
    return total;
}

static struct k8s_resources with_overhead_and_slot(const struct k8s_words *words,
                                                   struct arena *arena, struct k8s_resources total,
                                                   struct k8s_resources overhead)
{
    const struct k8s_quantity slot = {.resource = words->pods, .value = 1};
    total = sched_resources_sum(arena, total, overhead);
    /* `pods` counts pods; a container cannot ask for it. */
    struct k8s_quantity *one = ARENA_NEW(arena, struct k8s_quantity);
    *one = slot;
    return complete(arena, (struct k8s_resources){.n = 1, .v = one}, total);
}

struct k8s_resources sched_shape_requests(const struct k8s_cluster *cluster, struct arena *arena,
                                          const struct k8s_pod_shape *shape)
{
    const struct defaults none = {0};
    const struct k8s_resources total =
        effective(&cluster->words, cluster->tab, arena, shape, &none);
    return with_overhead_and_slot(&cluster->words, arena, total, shape->overhead);
}

/* Defaults of all LimitRanges of the namespace; of several that name one resource the last by name
 * wins, so that the answer does not depend on input order (the API server leaves it open). */
static struct defaults defaults_of(const struct k8s_cluster *cluster, struct arena *arena, strid ns)
{
    struct defaults defaults = {0};
    struct str last = STR_EMPTY;
    for (;;) {
        const struct k8s_limit_range *next = NULL;
        for (uint32_t i = 0; i < cluster->n_limit_ranges; i++) {
            const struct k8s_limit_range *range = &cluster->limit_ranges[i];
            if (range->meta.ns == ns && str_cmp(range->meta.name, last) > 0 &&
                (next == NULL || str_cmp(range->meta.name, next->meta.name) < 0)) {
                next = range;
            }
        }
        if (next == NULL) {
            return defaults;
        }
        last = next->meta.name;
        defaults.requests = complete(arena, next->default_requests, defaults.requests);
        defaults.limits = complete(arena, next->default_limits, defaults.limits);
    }
}

struct k8s_resources sched_template_requests(const struct k8s_cluster *cluster, struct arena *arena,
                                             const struct k8s_pod_shape *shape, strid ns)
{
    const struct defaults defaults = defaults_of(cluster, arena, ns);
    const struct k8s_resources total =
        effective(&cluster->words, cluster->tab, arena, shape, &defaults);
    struct k8s_resources overhead = shape->overhead;
    if (overhead.n == 0 && shape->runtime_class != STRID_EMPTY &&
        shape->runtime_class != STRID_NONE) {
        const struct str name = strtab_str(cluster->tab, shape->runtime_class);
        for (uint32_t i = 0; i < cluster->n_runtime_classes; i++) {
            if (str_eq(cluster->runtime_classes[i].meta.name, name)) {
                overhead = cluster->runtime_classes[i].overhead;
            }
        }
    }
    return with_overhead_and_slot(&cluster->words, arena, total, overhead);
}

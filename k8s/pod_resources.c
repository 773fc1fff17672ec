/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/pod_resources.h"

#include "base/arena.h"

enum merge { MERGE_KEEP, MERGE_MAX, MERGE_SUM };

static int64_t merged(enum merge how, int64_t a, int64_t b)
{
    switch (how) {
    case MERGE_KEEP:
        return a;
    case MERGE_MAX:
        return a > b ? a : b;
    case MERGE_SUM:
        break;
    }
    return sat_add(a, b);
}

/* Whether merging would change anything. */
static bool changes(const struct k8s_resources *list, const struct k8s_resources *more,
                    enum merge how)
{
    for (uint32_t i = 0; i < more->n; i++) {
        strid id = more->v[i].resource;
        int64_t have = k8s_resources_get(list, id);
        if (!k8s_resources_has(list, id) || merged(how, have, more->v[i].value) != have) {
            return true;
        }
    }
    return false;
}

static void merge(struct arena *arena, struct k8s_resources *list, const struct k8s_resources *more,
                  enum merge how)
{
    if (!changes(list, more, how)) {
        return;
    }
    struct k8s_quantity *all = ARENA_ARRAY(arena, struct k8s_quantity, list->n + more->n);
    uint32_t n = 0, a = 0, b = 0;
    while (a < list->n || b < more->n) {
        if (b == more->n || (a < list->n && list->v[a].resource < more->v[b].resource)) {
            all[n++] = list->v[a++];
        } else if (a == list->n || more->v[b].resource < list->v[a].resource) {
            all[n++] = more->v[b++];
        } else {
            all[n] = list->v[a];
            all[n++].value = merged(how, list->v[a++].value, more->v[b++].value);
        }
    }
    *list = (struct k8s_resources){.n = n, .v = all};
}

void k8s_resources_default(struct arena *arena, struct k8s_resources *list,
                           const struct k8s_resources *more)
{
    merge(arena, list, more, MERGE_KEEP);
}

void k8s_resources_raise(struct arena *arena, struct k8s_resources *list,
                         const struct k8s_resources *other)
{
    merge(arena, list, other, MERGE_MAX);
}

void k8s_resources_sum(struct arena *arena, struct k8s_resources *list,
                       const struct k8s_resources *other)
{
    merge(arena, list, other, MERGE_SUM);
}

struct k8s_resources k8s_containers_request(struct arena *arena, const struct k8s_pod_shape *shape)
{
    struct k8s_resources total = {.n = 0, .v = NULL};
    struct k8s_resources sidecars = {.n = 0, .v = NULL};
    struct k8s_resources init = {.n = 0, .v = NULL};
    for (uint32_t i = 0; i < shape->n_containers; i++) {
        k8s_resources_sum(arena, &total, &shape->containers[i].requests);
    }
    for (uint32_t i = 0; i < shape->n_init_containers; i++) {
        const struct k8s_container *c = &shape->init_containers[i];
        struct k8s_resources now = sidecars;
        k8s_resources_sum(arena, &now, &c->requests);
        if (c->restart_always) {
            k8s_resources_sum(arena, &total, &c->requests);
            sidecars = now;
        }
        k8s_resources_raise(arena, &init, &now);
    }
    k8s_resources_raise(arena, &total, &init);
    return total;
}

void k8s_pod_level_default(struct arena *arena, struct k8s_pod_shape *shape)
{
    if (shape->pod_limits.n == 0) {
        return;
    }
    struct k8s_resources all = k8s_containers_request(arena, shape);
    struct k8s_quantity *missing = ARENA_ARRAY(arena, struct k8s_quantity, shape->pod_limits.n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < shape->pod_limits.n; i++) {
        struct k8s_quantity q = shape->pod_limits.v[i];
        if (k8s_resources_has(&all, q.resource)) {
            q.value = k8s_resources_get(&all, q.resource);
        }
        missing[n++] = q;
    }
    struct k8s_resources more = {.n = n, .v = missing};
    k8s_resources_default(arena, &shape->pod_requests, &more);
}

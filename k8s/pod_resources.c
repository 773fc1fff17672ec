/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/pod_resources.h"

#include "base/arena.h"

enum merge { MERGE_KEEP, MERGE_MAX };

static int64_t merged(enum merge how, int64_t a, int64_t b)
{
    return how == MERGE_MAX && b > a ? b : a;
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

/* What the containers of a pod request together of one resource; false when none names it. */
static bool containers_request(const struct k8s_pod_shape *shape, strid resource,
                               int64_t *ret_amount)
{
    int64_t total = 0, sidecars = 0, init = 0;
    bool named = false;
    for (uint32_t i = 0; i < shape->n_containers; i++) {
        named = named || k8s_resources_has(&shape->containers[i].requests, resource);
        total = sat_add(total, k8s_resources_get(&shape->containers[i].requests, resource));
    }
    for (uint32_t i = 0; i < shape->n_init_containers; i++) {
        const struct k8s_container *c = &shape->init_containers[i];
        int64_t amount = k8s_resources_get(&c->requests, resource);
        named = named || k8s_resources_has(&c->requests, resource);
        int64_t now = sat_add(sidecars, amount);
        if (c->restart_always) {
            total = sat_add(total, amount);
            sidecars = now;
        }
        init = now > init ? now : init;
    }
    *ret_amount = init > total ? init : total;
    return named;
}

void k8s_pod_level_default(struct arena *arena, struct k8s_pod_shape *shape)
{
    uint32_t n = shape->pod_limits.n;
    struct k8s_quantity *missing = n == 0 ? NULL : ARENA_ARRAY(arena, struct k8s_quantity, n);
    for (uint32_t i = 0; i < n; i++) {
        int64_t together = 0;
        missing[i] = shape->pod_limits.v[i];
        if (containers_request(shape, missing[i].resource, &together)) {
            missing[i].value = together;
        }
    }
    struct k8s_resources more = {.n = n, .v = missing};
    k8s_resources_default(arena, &shape->pod_requests, &more);
}

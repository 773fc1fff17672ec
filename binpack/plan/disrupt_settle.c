/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pods that are alike change places until as many as can be stay in their zone: the plan says how
 * many go where, not which, and a pod that is spread finds room in its own zone when it is evicted,
 * but not always in another. */
#include "base/arena.h"
#include "binpack/plan/disrupt_world.h"

#include <stdlib.h>

struct mover {
    const struct k8s_pod_shape *shape;
    strid ns;
    uint8_t reason; /* enum disrupt_reason */
    bool spot;      /* its node is spot */
    uint32_t pod;   /* into cluster->pods */
    strid from, to; /* zones */
    uint32_t *slot; /* where the plan names it */
};

struct settling {
    const struct disrupt_world *w;
    const disrupt_choice *choice;
    struct mover *movers;
    uint32_t n;
};

/* Who is alike stands together; within, by pod. The order of shapes in memory decides nothing:
 * groups do not know of each other. */
static int mover_cmp(const void *a, const void *b)
{
    const struct mover *x = a, *y = b;
    if (x->shape != y->shape) {
        return (uintptr_t)x->shape < (uintptr_t)y->shape ? -1 : 1;
    }
    if (x->ns != y->ns) {
        return x->ns < y->ns ? -1 : 1;
    }
    if (x->reason != y->reason || x->spot != y->spot) {
        return x->reason * 2 + x->spot < y->reason * 2 + y->spot ? -1 : 1;
    }
    return (x->pod > y->pod) - (x->pod < y->pod);
}

static bool alike(const struct mover *x, const struct mover *y)
{
    return x->shape == y->shape && x->ns == y->ns && x->reason == y->reason && x->spot == y->spot;
}

static strid zone_of(const struct disrupt_world *w, uint32_t node_i)
{
    return k8s_pairs_get(&w->cluster->nodes[node_i].meta.labels, w->snapshot->words->zone);
}

static void note(struct settling *x, uint32_t *pods, uint32_t n, strid zone)
{
    const struct k8s_cluster *cluster = x->w->cluster;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t home = pods[i] < cluster->n_pods ? x->w->home[pods[i]] : NO_NODE;
        const struct k8s_pod *pod = home == NO_NODE ? NULL : &cluster->pods[pods[i]];
        if (pod == NULL || x->choice[home] == DISRUPT_NONE || pod->shape->n_volumes > 0 ||
            pod->deleted.has) {
            continue;
        }
        x->movers[x->n++] = (struct mover){.shape = pod->shape,
                                           .ns = pod->ns,
                                           .reason = x->choice[home],
                                           .spot = x->w->nodes.v[home].spot,
                                           .pod = pods[i],
                                           .from = zone_of(x->w, x->w->nodes.v[home].node_i),
                                           .to = zone,
                                           .slot = &pods[i]};
    }
}

/* Of a group alike: whoever leaves its zone changes with one that would come into it. */
static void settle_group(struct mover *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t best = n;
        for (uint32_t k = 0; k < n && v[i].from != v[i].to; k++) {
            /* The other one comes home by it, too, if there is such a one. */
            const bool useful = v[k].to == v[i].from && v[k].from != v[k].to;
            if (useful && (best == n || (v[k].from == v[i].to && v[best].from != v[i].to))) {
                best = k;
            }
        }
        if (best < n) {
            const strid zone = v[i].to;
            uint32_t *slot = v[i].slot;
            v[i].to = v[best].to;
            v[i].slot = v[best].slot;
            v[best].to = zone;
            v[best].slot = slot;
        }
    }
}

static uint32_t *copy_pods(const uint32_t *pods, uint32_t n, struct arena *arena)
{
    uint32_t *copy = ARENA_ARRAY(arena, uint32_t, n);
    for (uint32_t i = 0; i < n; i++) {
        copy[i] = pods[i];
    }
    return copy;
}

void disrupt_settle(const struct disrupt_world *w, const disrupt_choice *choice,
                    struct plan_node *fresh, struct plan *plan, struct arena *arena)
{
    struct arena scratch = ARENA_INIT;
    struct settling x = {.w = w, .choice = choice};
    struct plan_placement *existing = ARENA_ARRAY(arena, struct plan_placement, plan->n_existing);
    uint32_t **lists = ARENA_ARRAY(&scratch, uint32_t *, plan->n_nodes + plan->n_existing);
    x.movers = ARENA_ARRAY(&scratch, struct mover, w->cluster->n_pods);
    struct strtab *names = strtab_new(&scratch);
    uint32_t *of_name = ARENA_ARRAY(&scratch, uint32_t, w->cluster->n_nodes + 1);
    for (uint32_t i = 0; i < w->cluster->n_nodes; i++) {
        of_name[strtab_add(names, w->cluster->nodes[i].meta.name)] = i;
    }
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        lists[i] = copy_pods(fresh[i].pods, fresh[i].n_pods, arena);
        fresh[i].pods = lists[i];
        note(&x, lists[i], fresh[i].n_pods, w->catalog->zones[fresh[i].zone_i].name);
    }
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        const struct plan_placement *place = &plan->existing[i];
        const strid name = strtab_find(names, place->node);
        lists[plan->n_nodes + i] = copy_pods(place->pods, place->n_pods, arena);
        existing[i] = *place;
        existing[i].pods = lists[plan->n_nodes + i];
        if (name != STRID_NONE) {
            note(&x, lists[plan->n_nodes + i], place->n_pods, zone_of(w, of_name[name]));
        }
    }
    plan->existing = existing;
    if (x.n > 0) {
        qsort(x.movers, x.n, sizeof *x.movers, mover_cmp);
    }
    for (uint32_t first = 0, end = 0; first < x.n; first = end) {
        while (end < x.n && alike(&x.movers[first], &x.movers[end])) {
            end++;
        }
        settle_group(x.movers + first, end - first);
    }
    for (uint32_t i = 0; i < x.n; i++) {
        *x.movers[i].slot = x.movers[i].pod;
    }
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        sched_pods_sort(w->cluster, &scratch, lists[i], fresh[i].n_pods);
    }
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        sched_pods_sort(w->cluster, &scratch, lists[plan->n_nodes + i], existing[i].n_pods);
    }
    arena_done(&scratch);
}

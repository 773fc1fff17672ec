/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/unblock.h"

#include "base/arena.h"
#include "k8s/annotations.h"
#include "k8s/selector.h"

#include <string.h>

struct lifting {
    struct k8s_cluster *out;
    struct k8s_node *node;        /* of the copy */
    struct karp_nodeclaim *claim; /* of the copy; NULL: none */
    struct karp_nodepool *pool;   /* of the copy; NULL: none */
    struct arena *arena;
};

static void *copy_of(struct arena *arena, const void *from, size_t n, size_t size)
{
    void *to = arena_alloc(arena, n * size);
    if (n > 0) {
        memcpy(to, from, n * size);
    }
    return to;
}

static struct karp_nodeclaim *claim_of(struct lifting *l)
{
    struct karp_nodeclaim *claims =
        copy_of(l->arena, l->out->nodeclaims, l->out->n_nodeclaims, sizeof *claims);
    l->out->nodeclaims = claims;
    for (uint32_t i = 0; i < l->out->n_nodeclaims; i++) {
        if ((claims[i].provider_id.n > 0 && str_eq(claims[i].provider_id, l->node->provider_id)) ||
            str_eq(claims[i].node_name, l->node->meta.name)) {
            return &claims[i];
        }
    }
    return NULL;
}

static struct karp_nodepool *pool_of(struct lifting *l)
{
    struct karp_nodepool *pools =
        copy_of(l->arena, l->out->nodepools, l->out->n_nodepools, sizeof *pools);
    const strid name = k8s_pairs_get(&l->node->meta.labels, l->out->words.nodepool);
    l->out->nodepools = pools;
    for (uint32_t i = 0; i < l->out->n_nodepools && name != STRID_NONE; i++) {
        if (str_eq(pools[i].meta.name, strtab_str(l->out->tab, name))) {
            return &pools[i];
        }
    }
    return NULL;
}

static struct k8s_pairs without(const struct k8s_pairs *pairs, strid key, struct arena *arena)
{
    struct k8s_pair *left = ARENA_ARRAY(arena, struct k8s_pair, pairs->n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < pairs->n; i++) {
        if (pairs->v[i].key != key) {
            left[n++] = pairs->v[i];
        }
    }
    return (struct k8s_pairs){.n = n, .v = left};
}

static void lift_node_annotation(struct lifting *l)
{
    const strid key = l->out->words.do_not_disrupt;
    l->node->meta.annotations = without(&l->node->meta.annotations, key, l->arena);
    if (l->claim != NULL) {
        l->claim->meta.annotations = without(&l->claim->meta.annotations, key, l->arena);
    }
}

static void lift_pod_annotations(struct lifting *l)
{
    const strid safe = strtab_find(l->out->tab, STR(ANN_SAFE_TO_EVICT));
    struct k8s_pod *pods = copy_of(l->arena, l->out->pods, l->out->n_pods, sizeof *pods);
    l->out->pods = pods;
    for (uint32_t i = 0; i < l->out->n_pods; i++) {
        if (!str_eq(pods[i].node_name, l->node->meta.name)) {
            continue;
        }
        struct k8s_pod_shape *shape = ARENA_NEW(l->arena, struct k8s_pod_shape);
        *shape = *pods[i].shape;
        shape->annotations = without(&shape->annotations, l->out->words.do_not_disrupt, l->arena);
        shape->annotations = without(&shape->annotations, safe, l->arena);
        pods[i].shape = shape;
    }
}

static bool covers_pod_here(const struct lifting *l, const struct k8s_pdb *pdb)
{
    for (uint32_t i = 0; i < l->out->n_pods; i++) {
        const struct k8s_pod *pod = &l->out->pods[i];
        if (str_eq(pod->node_name, l->node->meta.name) && pod->ns == pdb->meta.ns &&
            k8s_selector_matches(&pdb->selector, &pod->shape->labels)) {
            return true;
        }
    }
    return false;
}

static void lift_pdbs(struct lifting *l)
{
    struct k8s_pdb *pdbs = ARENA_ARRAY(l->arena, struct k8s_pdb, l->out->n_pdbs);
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->out->n_pdbs; i++) {
        if (!covers_pod_here(l, &l->out->pdbs[i])) {
            pdbs[n++] = l->out->pdbs[i];
        }
    }
    l->out->pdbs = pdbs;
    l->out->n_pdbs = n;
}

/* The claim becomes Consolidatable. */
static bool lift_wait(struct lifting *l)
{
    if (l->claim == NULL) {
        return false;
    }
    const strid type = strtab_add(l->out->tab, STR("Consolidatable"));
    const struct k8s_conditions *from = &l->claim->conditions;
    struct k8s_condition *to = ARENA_ARRAY(l->arena, struct k8s_condition, from->n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < from->n; i++) {
        if (from->v[i].type != type) {
            to[n++] = from->v[i];
        }
    }
    to[n++] = (struct k8s_condition){.type = type, .status = l->out->words.s_true};
    l->claim->conditions = (struct k8s_conditions){.n = n, .v = to};
    return true;
}

static bool lift(struct lifting *l, enum disrupt_blocker blocker)
{
    switch (blocker) {
    case BLOCKER_NODE_ANNOTATION:
        lift_node_annotation(l);
        return true;
    case BLOCKER_POD_ANNOTATION:
        lift_pod_annotations(l);
        return true;
    case BLOCKER_PDB:
        lift_pdbs(l);
        return true;
    case BLOCKER_CONSOLIDATE_AFTER:
        return lift_wait(l);
    case BLOCKER_CONSOLIDATION_OFF:
        if (l->pool != NULL) {
            l->pool->consolidate_after = (struct karp_duration){.has = true};
        }
        return l->pool != NULL && lift_wait(l);
    case BLOCKER_POLICY:
        if (l->pool != NULL) {
            l->pool->consolidation = KARP_WHEN_EMPTY_OR_UNDERUTILIZED;
        }
        return l->pool != NULL;
    case BLOCKER_BUDGET:
        if (l->pool != NULL) {
            l->pool->n_budgets = 0;
        }
        return l->pool != NULL;
    case BLOCKER_ROUND_LIMIT:
    case BLOCKER_OTHER:
        break;
    }
    return false;
}

const struct k8s_cluster *unblock(const struct k8s_cluster *cluster, uint32_t node_i,
                                  enum disrupt_blocker blocker, struct arena *arena)
{
    struct k8s_cluster *out = ARENA_NEW(arena, struct k8s_cluster);
    *out = *cluster;
    struct k8s_node *nodes = copy_of(arena, cluster->nodes, cluster->n_nodes, sizeof *nodes);
    out->nodes = nodes;
    struct lifting l = {.out = out, .node = &nodes[node_i], .arena = arena};
    l.claim = claim_of(&l);
    l.pool = pool_of(&l);
    return lift(&l, blocker) ? out : NULL;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/running.h"

#include "base/vec.h"
#include "binpack/scheduling/daemons.h"
#include "binpack/scheduling/eligibility.h"
#include "binpack/scheduling/resources.h"
#include "binpack/scheduling/volumes.h"

#include <stdlib.h>

static bool claim_goes(const struct k8s_cluster *cluster, const struct karp_nodeclaim *claim)
{
    if (claim->meta.deleted.has) {
        return true;
    }
    strid type = strtab_find(cluster->tab, STR("InstanceTerminating"));
    const struct k8s_condition *c = k8s_conditions_find(&claim->conditions, type);
    return c != NULL && c->status == cluster->words.s_true;
}

static int machine_cmp(const void *a, const void *b)
{
    const struct sched_machine *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

/* Finds the claim of each node by provider id, else by the node name in its status. */
static void link_claims(const struct k8s_cluster *cluster, struct arena *arena, uint32_t *claim_of)
{
    struct strtab *index = strtab_new(arena);
    uint32_t *owner = ARENA_ARRAY(arena, uint32_t, 2 * (size_t)cluster->n_nodeclaims + 1);
    for (uint32_t i = 0; i < cluster->n_nodeclaims; i++) {
        const struct karp_nodeclaim *claim = &cluster->nodeclaims[i];
        struct str keys[2] = {claim->provider_id, claim->node_name};
        for (uint32_t k = 0; k < 2; k++) {
            if (keys[k].n > 0 && strtab_find(index, keys[k]) == STRID_NONE) {
                owner[strtab_add(index, keys[k])] = i;
            }
        }
    }
    for (uint32_t i = 0; i < cluster->n_nodes; i++) {
        const struct k8s_node *node = &cluster->nodes[i];
        strid id = node->provider_id.n > 0 ? strtab_find(index, node->provider_id) : STRID_NONE;
        if (id == STRID_NONE) {
            id = strtab_find(index, node->meta.name);
        }
        claim_of[i] = id == STRID_NONE ? SCHED_NONE : owner[id];
    }
}

void sched_machines(const struct k8s_cluster *cluster, const uint8_t *leave, struct arena *arena,
                    struct sched_machine **ret_machines, uint32_t *ret_n)
{
    VEC(struct sched_machine) list = {0};
    uint32_t *claim_of = ARENA_ARRAY(arena, uint32_t, cluster->n_nodes);
    bool *used = ARENA_ARRAY(arena, bool, cluster->n_nodeclaims);
    link_claims(cluster, arena, claim_of);
    for (uint32_t i = 0; i < cluster->n_nodes; i++) {
        const struct k8s_node *node = &cluster->nodes[i];
        const struct karp_nodeclaim *claim = NULL;
        if (claim_of[i] != SCHED_NONE) {
            claim = &cluster->nodeclaims[claim_of[i]];
            used[claim_of[i]] = true;
        }
        bool goes = node->meta.deleted.has || (claim != NULL && claim_goes(cluster, claim));
        uint8_t how = leave == NULL || goes ? SCHED_STAYS : leave[i];
        uint8_t kind = how & SCHED_LEAVE_MASK;
        VEC_PUSH(
            arena, &list,
            (struct sched_machine){.name = node->meta.name,
                                   .node = node,
                                   .claim = claim,
                                   .goes = goes || (kind != SCHED_STAYS && kind != SCHED_OPENS),
                                   .leave = how});
    }
    for (uint32_t i = 0; i < cluster->n_nodeclaims; i++) {
        const struct karp_nodeclaim *claim = &cluster->nodeclaims[i];
        if (!used[i]) {
            VEC_PUSH(arena, &list,
                     (struct sched_machine){.name = claim->meta.name,
                                            .claim = claim,
                                            .goes = claim_goes(cluster, claim)});
        }
    }
    if (list.n > 0) {
        qsort(list.v, list.n, sizeof *list.v, machine_cmp);
    }
    *ret_machines = list.v;
    *ret_n = (uint32_t)list.n;
}

/* What a claim promises before its instance has said what it has: what it was asked for. */
static const struct k8s_resources *promised(const struct karp_nodeclaim *claim)
{
    return claim->allocatable.n > 0 ? &claim->allocatable : &claim->requests;
}

/* A growing label set: the first value given for a key stays. */
struct label_set {
    struct arena *arena;
    VEC(struct k8s_pair) pairs;
};

static void label_put(struct label_set *set, strid key, strid value)
{
    for (size_t i = 0; i < set->pairs.n; i++) {
        if (set->pairs.v[i].key == key) {
            return;
        }
    }
    VEC_PUSH(set->arena, &set->pairs, (struct k8s_pair){.key = key, .value = value});
}

static void label_put_all(struct label_set *set, const struct k8s_pairs *pairs)
{
    for (uint32_t i = 0; i < pairs->n; i++) {
        label_put(set, pairs->v[i].key, pairs->v[i].value);
    }
}

static int pair_cmp(const void *a, const void *b)
{
    const struct k8s_pair *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static struct k8s_pairs label_finish(const struct sched_vocab *vocab, struct label_set *set)
{
    size_t n = set->pairs.n;
    for (size_t i = 0; i < n; i++) {
        label_put(set, sched_key(vocab, set->pairs.v[i].key), set->pairs.v[i].value);
    }
    if (set->pairs.n > 0) {
        qsort(set->pairs.v, set->pairs.n, sizeof *set->pairs.v, pair_cmp);
    }
    return (struct k8s_pairs){.n = (uint32_t)set->pairs.n, .v = set->pairs.v};
}

static struct k8s_pairs effective_labels(const struct sched_snapshot *snapshot,
                                         const struct sched_machine *m, bool registered,
                                         struct arena *arena)
{
    const struct k8s_words *w = snapshot->words;
    struct label_set set = {.arena = arena};
    if (m->claim != NULL && (m->node == NULL || !registered)) {
        label_put_all(&set, &m->claim->meta.labels);
    }
    if (m->node != NULL) {
        label_put_all(&set, &m->node->meta.labels);
    }
    if (m->claim != NULL && (m->node == NULL || !registered)) {
        /* What the claim was narrowed to is what the node will have. */
        for (uint32_t i = 0; i < m->claim->n_requirements; i++) {
            const struct k8s_requirement *r = &m->claim->requirements[i];
            if (r->op == K8S_IN && r->values.n == 1) {
                label_put(&set, r->key, r->values.v[0]);
            }
        }
    }
    label_put(&set, w->hostname, strtab_add(snapshot->tab, m->name));
    label_put(&set, snapshot->vocab->name_field, strtab_add(snapshot->tab, m->name));
    return label_finish(snapshot->vocab, &set);
}

/* The node's figures, with those of the claim where a node that is still coming up says nothing or
 * 0. */
static struct k8s_resources merged(const struct k8s_resources *node,
                                   const struct k8s_resources *claim, struct arena *arena)
{
    struct k8s_quantity *v = ARENA_ARRAY(arena, struct k8s_quantity, node->n + claim->n);
    uint32_t n = 0, a = 0, b = 0;
    while (a < node->n || b < claim->n) {
        if (b == claim->n || (a < node->n && node->v[a].resource < claim->v[b].resource)) {
            v[n++] = node->v[a++];
        } else if (a == node->n || claim->v[b].resource < node->v[a].resource) {
            v[n++] = claim->v[b++];
        } else {
            v[n++] = node->v[a].value != 0 ? node->v[a] : claim->v[b];
            a++;
            b++;
        }
    }
    return (struct k8s_resources){.n = n, .v = v};
}

static bool label_is_true(const struct sched_snapshot *snapshot, const struct k8s_node *node,
                          strid key)
{
    strid value = k8s_pairs_get(&node->meta.labels, key);
    return value != STRID_NONE && str_eq(strtab_str(snapshot->tab, value), STR("true"));
}

void sched_node_describe(const struct sched_snapshot *snapshot, const struct sched_machine *m,
                         struct arena *arena, struct sched_node *ret_node)
{
    const struct k8s_words *w = snapshot->words;
    bool registered =
        m->node != NULL && (m->claim == NULL || label_is_true(snapshot, m->node, w->registered));
    bool initialized =
        m->node != NULL && (m->claim == NULL || label_is_true(snapshot, m->node, w->initialized));
    static const struct k8s_resources nothing = {.n = 0};
    *ret_node = (struct sched_node){.name = m->name,
                                    .node = m->node,
                                    .claim = m->claim,
                                    .pool_i = SCHED_NONE,
                                    .initialized = initialized,
                                    .opens = (m->leave & SCHED_LEAVE_MASK) == SCHED_OPENS,
                                    .usable = true};
    struct sched_node *node = ret_node;
    node->labels = effective_labels(snapshot, m, registered, arena);
    sched_node_taints(snapshot->vocab, arena, m->node, m->claim, registered, initialized,
                      &node->taints, &node->n_taints);
    if (initialized) {
        node->allocatable = m->node->allocatable;
    } else {
        node->allocatable =
            merged(m->node == NULL ? &nothing : &m->node->allocatable, promised(m->claim), arena);
    }
    strid type = k8s_pairs_get(&node->labels, w->instance_type);
    node->type = type == STRID_NONE ? NULL : cat_find(snapshot->catalog, snapshot->tab, type);
}

struct k8s_resources sched_node_capacity(const struct sched_node *node, struct arena *arena)
{
    static const struct k8s_resources nothing = {.n = 0};
    const struct k8s_resources *of_node = node->node == NULL ? &nothing : &node->node->capacity;
    if (node->node != NULL && of_node->n == 0) {
        of_node = &node->node->allocatable;
    }
    if (node->initialized || node->claim == NULL) {
        return *of_node;
    }
    const struct k8s_resources *of_claim =
        node->claim->capacity.n > 0 ? &node->claim->capacity : promised(node->claim);
    return merged(of_node, of_claim, arena);
}

/* room -= used, by resource; may go below zero. */
static void take(struct k8s_quantity *room, uint32_t n, const struct k8s_resources *used)
{
    for (uint32_t a = 0, b = 0; a < n && b < used->n;) {
        if (room[a].resource < used->v[b].resource) {
            a++;
        } else if (room[a].resource > used->v[b].resource) {
            b++;
        } else {
            room[a].value = sat_sub(room[a].value, used->v[b].value);
            a++;
            b++;
        }
    }
}

static bool daemon_is_bound(const struct sched_daemon *daemon, const struct k8s_pod *const *pods,
                            uint32_t n, const struct k8s_words *words)
{
    for (uint32_t i = 0; i < n; i++) {
        if (k8s_pod_of_daemonset(words, pods[i]->shape) &&
            pods[i]->ns == daemon->workload->meta.ns &&
            str_eq(pods[i]->owner_name, daemon->workload->meta.name)) {
            return true;
        }
    }
    return false;
}

static void fill_ports(const struct sched_snapshot *snapshot, struct arena *arena,
                       const struct k8s_pod *const *pods, struct sched_node *node)
{
    VEC(struct k8s_host_port) ports = {0};
    for (uint32_t i = 0; i < node->n_pods; i++) {
        for (uint32_t k = 0; k < pods[i]->shape->n_host_ports; k++) {
            VEC_PUSH(arena, &ports, pods[i]->shape->host_ports[k]);
        }
    }
    /* On a node that is up, daemon pods that are not there yet wait for something else than us. */
    for (uint32_t d = 0; d < snapshot->daemons->n && !node->initialized; d++) {
        const struct sched_daemon *daemon = &snapshot->daemons->v[d];
        if (daemon->n_host_ports == 0 ||
            daemon_is_bound(daemon, pods, node->n_pods, snapshot->words) ||
            !sched_daemon_runs(snapshot->vocab, daemon, &node->labels, node->name, node->n_taints,
                               node->taints)) {
            continue;
        }
        for (uint32_t k = 0; k < daemon->n_host_ports; k++) {
            VEC_PUSH(arena, &ports, daemon->host_ports[k]);
        }
    }
    node->ports = ports.v;
    node->n_ports = (uint32_t)ports.n;
}

/* Limits of the CSINode; for a node whose drivers have not reported yet, those of its type. */
static void fill_attach(const struct sched_snapshot *snapshot, struct arena *arena,
                        const struct k8s_pod *const *pods, struct sched_node *node)
{
    VEC(struct cat_attach_limit) left = {0};
    const struct sched_attach_room *rooms = NULL;
    uint32_t n_rooms = 0;
    sched_attach_rooms(snapshot->volumes, arena, node->name, node->n_pods, pods, &rooms, &n_rooms);
    for (uint32_t i = 0; i < n_rooms; i++) {
        if (rooms[i].limit.has) {
            int64_t room = (int64_t)rooms[i].limit.v - rooms[i].used;
            VEC_PUSH(
                arena, &left,
                (struct cat_attach_limit){.driver = rooms[i].driver, .count = room > 0 ? room : 0});
        }
    }
    if (node->type != NULL && !node->initialized && left.n == 0) {
        for (uint32_t i = 0; i < node->type->n_attach_limits; i++) {
            struct cat_attach_limit limit = node->type->attach_limits[i];
            for (uint32_t k = 0; k < n_rooms; k++) {
                limit.count -= rooms[k].driver == limit.driver ? rooms[k].used : 0;
            }
            limit.count = limit.count > 0 ? limit.count : 0;
            VEC_PUSH(arena, &left, limit);
        }
    }
    node->attach = left.v;
    node->n_attach = (uint32_t)left.n;
}

void sched_node_fill(const struct sched_snapshot *snapshot, struct arena *arena, bool attach,
                     struct sched_node *node)
{
    uint32_t n = node->allocatable.n;
    struct k8s_quantity *room = ARENA_ARRAY(arena, struct k8s_quantity, n);
    const struct k8s_pod **pods = ARENA_ARRAY(arena, const struct k8s_pod *, node->n_pods);
    for (uint32_t i = 0; i < n; i++) {
        room[i] = node->allocatable.v[i];
    }
    for (uint32_t i = 0; i < node->n_pods; i++) {
        pods[i] = &snapshot->cluster->pods[node->pods[i]];
        struct k8s_resources used = sched_requests_of(snapshot, pods[i]->shape, arena);
        take(room, n, &used);
    }
    struct k8s_resources to_come = sched_daemons_to_come(
        snapshot->vocab, arena, snapshot->cluster, snapshot->daemons, &node->labels, node->name,
        node->n_taints, node->taints, node->n_pods, pods);
    take(room, n, &to_come);
    for (uint32_t i = 0; i < n; i++) {
        room[i].value = room[i].value > 0 ? room[i].value : 0;
    }
    node->free = (struct k8s_resources){.n = n, .v = room};
    fill_ports(snapshot, arena, pods, node);
    if (attach) {
        fill_attach(snapshot, arena, pods, node);
    }
}

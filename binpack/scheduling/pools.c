/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/pools.h"

#include "base/arena.h"
#include "binpack/catalog/from_ec2.h"
#include "binpack/scheduling/running.h"

#include <stdlib.h>

static const struct aws_nodeclass *class_named(const struct k8s_cluster *cluster, struct str name)
{
    for (uint32_t i = 0; i < cluster->n_nodeclasses; i++) {
        if (str_eq(cluster->nodeclasses[i].meta.name, name)) {
            return &cluster->nodeclasses[i];
        }
    }
    return NULL;
}

static bool not_ready(const struct sched_snapshot *s, const struct k8s_conditions *conditions)
{
    const struct k8s_condition *ready = k8s_conditions_find(conditions, s->words->ready);
    return ready != NULL && ready->status != s->words->s_true;
}

static void refuse(struct sched_pool *pool, const char *code, struct str message)
{
    pool->code = code;
    pool->message = message;
}

/* Sets code and message when the pool may not launch. */
static void judge(const struct sched_snapshot *s, struct arena *arena, struct sched_pool *pool)
{
    const struct karp_nodepool *np = pool->pool;
    struct strbuf text = strbuf_new(arena, 1024);
    if (np->meta.deleted.has) {
        refuse(pool, "POOL_DELETING", STR("the NodePool is being deleted"));
        return;
    }
    if (np->replicas.has) {
        refuse(
            pool, "POOL_STATIC",
            STR("the NodePool is static (spec.replicas): it launches no nodes for pending pods"));
        return;
    }
    if (not_ready(s, &np->conditions)) {
        refuse(pool, "POOL_NOT_READY", STR("the NodePool's condition Ready is not True"));
        return;
    }
    if (pool->node_class == NULL) {
        /* Bare NodePools without status and without any node class in the input mean the defaults.
         */
        if (np->conditions.n == 0 && s->cluster->n_nodeclasses == 0) {
            return;
        }
        strbuf_addf(&text, "its node class \"" STR_FMT "\" does not exist",
                    STR_ARG(np->class_ref.name));
        refuse(pool, "NODECLASS_MISSING", strbuf_str(&text));
        return;
    }
    if (pool->node_class->meta.deleted.has) {
        strbuf_addf(&text, "its node class \"" STR_FMT "\" is being deleted",
                    STR_ARG(np->class_ref.name));
        refuse(pool, "NODECLASS_DELETING", strbuf_str(&text));
        return;
    }
    if (not_ready(s, &pool->node_class->conditions)) {
        strbuf_addf(&text, "its node class \"" STR_FMT "\" is not Ready",
                    STR_ARG(np->class_ref.name));
        refuse(pool, "NODECLASS_NOT_READY", strbuf_str(&text));
    }
}

static int pool_cmp(const void *a, const void *b)
{
    const struct sched_pool *x = a, *y = b;
    if (x->pool->weight != y->pool->weight) {
        return x->pool->weight > y->pool->weight ? -1 : 1;
    }
    return str_cmp(x->pool->meta.name, y->pool->meta.name);
}

static void count_limits(struct sched_snapshot *s, struct arena *arena, struct sched_pool *pools)
{
    for (uint32_t p = 0; p < s->n_pools; p++) {
        const struct k8s_resources *limits = &pools[p].pool->limits;
        struct k8s_quantity *left = ARENA_ARRAY(arena, struct k8s_quantity, limits->n);
        for (uint32_t r = 0; r < limits->n; r++) {
            left[r] = limits->v[r];
        }
        pools[p].limits_left = (struct k8s_resources){.n = limits->n, .v = left};
        for (uint32_t i = 0; i < s->n_nodes && limits->n > 0; i++) {
            if (s->nodes[i].pool_i != p || s->nodes[i].opens) {
                continue;
            }
            struct k8s_resources capacity = sched_node_capacity(&s->nodes[i], arena);
            for (uint32_t r = 0; r < limits->n; r++) {
                int64_t used = left[r].resource == s->words->nodes
                                   ? 1
                                   : k8s_resources_get(&capacity, left[r].resource);
                left[r].value = sat_sub(left[r].value, used);
            }
        }
        for (uint32_t r = 0; r < limits->n; r++) {
            left[r].value = left[r].value > 0 ? left[r].value : 0;
            pools[p].exhausted = pools[p].exhausted || limits->v[r].value == 0;
        }
    }
}

/* Zone ids differ between accounts: what the status of a node class says of its subnets goes before
 * the catalogue; of several classes that of the first by name. */
static void take_zone_ids(struct sched_snapshot *s, struct arena *arena)
{
    strid *ids = ARENA_ARRAY(arena, strid, s->catalog->n_zones);
    for (uint32_t z = 0; z < s->catalog->n_zones; z++) {
        const struct cat_zone *zone = &s->catalog->zones[z];
        const struct aws_nodeclass *best = NULL;
        ids[z] = zone->id == STRID_EMPTY ? STRID_NONE : zone->id;
        for (uint32_t i = 0; i < s->cluster->n_nodeclasses; i++) {
            const struct aws_nodeclass *class = &s->cluster->nodeclasses[i];
            for (uint32_t k = 0; k < class->n_subnets; k++) {
                const struct aws_subnet_status *subnet = &class->subnets[k];
                const bool says = subnet->zone == zone->name && subnet->zone_id != STRID_EMPTY &&
                                  subnet->zone_id != STRID_NONE;
                if (says && (best == NULL || str_cmp(class->meta.name, best->meta.name) < 0)) {
                    best = class;
                    ids[z] = subnet->zone_id;
                }
            }
        }
    }
    s->zone_ids = ids;
}

/* Did a pod come to the node or leave it within the consolidateAfter of its pool? */
static bool waits(const struct sched_snapshot *s, const struct sched_node *node)
{
    if (node->claim == NULL || node->pool_i == SCHED_NONE) {
        return false;
    }
    const struct karp_duration *after = &s->pools[node->pool_i].pool->consolidate_after;
    strid type = strtab_find(s->tab, STR("Initialized"));
    const struct k8s_condition *up =
        type == STRID_NONE ? NULL : k8s_conditions_find(&node->claim->conditions, type);
    if (!after->has || after->never || up == NULL || up->status != s->words->s_true) {
        return false;
    }
    struct opt_wall last =
        node->claim->last_pod_event.has ? node->claim->last_pod_event : up->changed;
    return last.has && sat_sub(s->settings.now, last.v) < after->ms;
}

void sched_pools_take(struct sched_snapshot *s, struct arena *arena)
{
    const struct k8s_cluster *cluster = s->cluster;
    struct sched_pool *pools = ARENA_ARRAY(arena, struct sched_pool, cluster->n_nodepools);
    take_zone_ids(s, arena);
    for (uint32_t i = 0; i < cluster->n_nodepools; i++) {
        const struct karp_nodepool *np = &cluster->nodepools[i];
        pools[i] = (struct sched_pool){
            .pool = np, .pool_i = i, .node_class = class_named(cluster, np->class_ref.name)};
        judge(s, arena, &pools[i]);
        for (uint32_t t = 0; t < np->n_taints && pools[i].code == NULL; t++) {
            s->any_prefer_no_schedule =
                s->any_prefer_no_schedule || np->taints[t].effect == K8S_PREFER_NO_SCHEDULE;
        }
    }
    if (cluster->n_nodepools > 0) {
        qsort(pools, cluster->n_nodepools, sizeof *pools, pool_cmp);
    }
    s->n_pools = cluster->n_nodepools;
    s->pools = pools;
    struct strtab *names = strtab_new(arena);
    for (uint32_t p = 0; p < s->n_pools; p++) {
        (void)strtab_add(names, pools[p].pool->meta.name);
        if (p > 0) {
            pools[p].tier =
                pools[p - 1].tier + (pools[p].pool->weight != pools[p - 1].pool->weight);
        }
    }
    struct sched_node *nodes = (struct sched_node *)s->nodes;
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        strid name = k8s_pairs_get(&nodes[i].labels, s->words->nodepool);
        strid id = name == STRID_NONE ? STRID_NONE : strtab_find(names, strtab_str(s->tab, name));
        nodes[i].pool_i = id == STRID_NONE || id == STRID_EMPTY ? SCHED_NONE : id - 1;
        nodes[i].waits = waits(s, &nodes[i]);
    }
    count_limits(s, arena, pools);
}

bool sched_zone_known(const struct sched_snapshot *s, strid zone)
{
    for (uint32_t i = 0; i < s->catalog->n_zones; i++) {
        if (s->catalog->zones[i].name == zone) {
            return true;
        }
    }
    return false;
}

static bool unknown_zone(const struct sched_snapshot *s, const char *kind, struct str name,
                         strid zone, struct err *err)
{
    struct str text = strtab_str(s->tab, zone), region = strtab_str(s->tab, s->catalog->region);
    struct str wanted = ec2_zone_region(text);
    return err_set(err, ERR_NOT_FOUND,
                   "%s " STR_FMT ": zone \"" STR_FMT "\" is not in the catalogue " STR_FMT
                   " (region \"" STR_FMT "\"): give the catalogue of that region with --catalog; "
                   "binpack catalog refresh --region " STR_FMT " makes it",
                   kind, STR_ARG(name), STR_ARG(text), STR_ARG(s->catalog->name), STR_ARG(region),
                   STR_ARG(wanted.n > 0 ? wanted : STR("REGION")));
}

/* A zone of the catalogue's region: the catalogue may be of fewer zones. */
static bool is_in_region(const struct sched_snapshot *s, strid zone)
{
    struct str region = strtab_str(s->tab, s->catalog->region);
    return region.n > 0 && str_starts(strtab_str(s->tab, zone), region);
}

/* Nothing can be bought in a zone that the catalogue does not have, which is no mistake while the
 * class has others. */
static bool has_known_subnet(const struct sched_snapshot *s, const struct aws_nodeclass *class)
{
    bool any = false;
    for (uint32_t k = 0; k < class->n_subnets; k++) {
        any = any || sched_zone_known(s, class->subnets[k].zone);
    }
    return any;
}

bool sched_zones_known(const struct sched_snapshot *s, struct err *err)
{
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        strid zone = k8s_pairs_get(&s->nodes[i].labels, s->words->zone);
        if (zone != STRID_NONE && !sched_zone_known(s, zone)) {
            return unknown_zone(s, "Node", s->nodes[i].name, zone, err);
        }
    }
    for (uint32_t i = 0; i < s->cluster->n_nodeclasses; i++) {
        const struct aws_nodeclass *class = &s->cluster->nodeclasses[i];
        for (uint32_t k = 0; k < class->n_subnets; k++) {
            strid zone = class->subnets[k].zone;
            if (!sched_zone_known(s, zone) &&
                !(is_in_region(s, zone) && has_known_subnet(s, class))) {
                return unknown_zone(s, "EC2NodeClass", class->meta.name, zone, err);
            }
        }
    }
    return true;
}

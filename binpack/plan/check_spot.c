/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the new spot nodes of a plan are spread as asked: counted from the plan alone. */
#include "base/arena.h"
#include "binpack/plan/check.h"

#include <inttypes.h>

#define PPB INT64_C(1000000000)

struct spot_count {
    uint32_t n_nodes, n_pools, most; /* spot nodes, pools they use, nodes of the fullest pool */
    uint32_t fullest;                /* a node of it */
    int64_t vcpu, all_vcpu;          /* of spot, of all new nodes */
};

static bool same_pool(const struct plan_node *a, const struct plan_node *b)
{
    return a->type == b->type && a->zone_i == b->zone_i;
}

static struct spot_count count_spot(const struct plan *plan, struct arena *scratch)
{
    struct spot_count c = {.n_nodes = 0};
    uint32_t *first = ARENA_ARRAY(scratch, uint32_t, plan->n_nodes);
    uint32_t *size = ARENA_ARRAY(scratch, uint32_t, plan->n_nodes);
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        const struct plan_node *node = &plan->nodes[i];
        c.all_vcpu = sat_add(c.all_vcpu, node->type->vcpu);
        if (node->capacity_type != CAT_SPOT) {
            continue;
        }
        uint32_t p = 0;
        while (p < c.n_pools && !same_pool(&plan->nodes[first[p]], node)) {
            p++;
        }
        if (p == c.n_pools) {
            first[p] = i;
            c.n_pools++;
        }
        size[p]++;
        c.n_nodes++;
        c.vcpu = sat_add(c.vcpu, node->type->vcpu);
        if (size[p] > c.most) {
            c.most = size[p];
            c.fullest = first[p];
        }
    }
    return c;
}

static bool check_counts(const struct plan *plan, const struct plan_spot_rules *rules,
                         const struct spot_count *c, struct err *err)
{
    const uint32_t want = rules->min_pools < c->n_nodes ? rules->min_pools : c->n_nodes;
    if (c->n_pools < want) {
        return err_set(err, ERR_INTERNAL,
                       "%" PRIu32 " spot nodes use %" PRIu32 " pools, at least %" PRIu32
                       " are asked for",
                       c->n_nodes, c->n_pools, want);
    }
    if (rules->max_per_pool.has && c->most > 1 &&
        sat_mul(c->most, PPB) > sat_mul(rules->max_per_pool.v, c->n_nodes)) {
        const struct plan_node *node = &plan->nodes[c->fullest];
        return err_set(
            err, ERR_INTERNAL,
            "%" PRIu32 " of %" PRIu32 " spot nodes are " STR_FMT " in " STR_FMT
            ", more than the share allowed for one pool",
            c->most, c->n_nodes, STR_ARG(strtab_str(plan->cluster->tab, node->type->name)),
            STR_ARG(strtab_str(plan->cluster->tab, plan->catalog->zones[node->zone_i].name)));
    }
    if (rules->max_share.has && c->vcpu > muldiv_floor(c->all_vcpu, rules->max_share.v, PPB)) {
        return err_set(err, ERR_INTERNAL,
                       "%" PRId64 " of %" PRId64
                       " vCPU of new nodes are spot, more than the share allowed",
                       c->vcpu, c->all_vcpu);
    }
    return true;
}

bool check_spot(const struct plan *plan, const struct plan_spot_rules *rules, struct arena *scratch,
                struct err *err)
{
    if (rules->min_pools == 0 && !rules->max_per_pool.has && !rules->max_share.has) {
        return true;
    }
    struct arena_mark mark = arena_mark(scratch);
    struct spot_count c = count_spot(plan, scratch);
    arena_rewind(scratch, mark);
    return check_counts(plan, rules, &c, err);
}

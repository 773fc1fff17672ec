/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/diversify.h"

#include "base/arena.h"

#define PPB INT64_C(1000000000)

static bool is_tight(const struct sched_spot_caps *caps, struct sched_spot_pool pool)
{
    for (uint32_t i = 0; i < caps->n_tight; i++) {
        if (caps->tight[i].type_i == pool.type_i && caps->tight[i].zone_i == pool.zone_i) {
            return true;
        }
    }
    return false;
}

/* Pools that several NodePools use together beyond the cap. */
static bool add_tight(const struct plan *plan, struct arena *arena, struct sched_spot_caps *caps)
{
    struct sched_spot_pool *tight =
        ARENA_ARRAY(arena, struct sched_spot_pool, caps->n_tight + plan->n_nodes);
    uint32_t n = 0;
    for (; n < caps->n_tight; n++) {
        tight[n] = caps->tight[n];
    }
    const uint32_t before = n;
    caps->tight = tight;
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        const struct plan_node *node = &plan->nodes[i];
        struct sched_spot_pool pool = {.type_i = (uint32_t)(node->type - plan->catalog->types),
                                       .zone_i = node->zone_i};
        uint32_t n_alike = 0;
        for (uint32_t k = 0; k < plan->n_nodes; k++) {
            n_alike += plan->nodes[k].capacity_type == CAT_SPOT &&
                       plan->nodes[k].type == node->type && plan->nodes[k].zone_i == node->zone_i;
        }
        if (node->capacity_type == CAT_SPOT && n_alike > caps->per_pool && !is_tight(caps, pool)) {
            tight[n++] = pool;
            caps->n_tight = n;
        }
    }
    return n > before;
}

static bool tighten_pools(uint32_t n_spot, const struct plan *plan,
                          const struct plan_spot_rules *rules, struct arena *arena,
                          struct sched_spot_caps *caps)
{
    uint32_t cap = caps->per_pool == 0 ? UINT32_MAX : caps->per_pool;
    const uint32_t before = cap;
    if (rules->max_per_pool.has) {
        int64_t share = muldiv_floor(n_spot, rules->max_per_pool.v, PPB);
        cap = share < cap ? (uint32_t)(share < 1 ? 1 : share) : cap;
    }
    if (rules->min_pools > 1 && n_spot > 0) {
        uint32_t most = (n_spot - 1) / (rules->min_pools - 1);
        cap = most < cap ? (most < 1 ? 1 : most) : cap;
    }
    if (cap == before && caps->per_pool > 0 && add_tight(plan, arena, caps)) {
        return true;
    }
    if (cap == before) {
        if (cap <= 1 || cap == UINT32_MAX) {
            return false;
        }
        cap--;
    }
    caps->per_pool = cap;
    return true;
}

bool diversify_tighten(const struct plan *plan, const struct plan_spot_rules *rules,
                       struct arena *arena, struct sched_spot_caps *caps)
{
    uint32_t n_spot = 0;
    int64_t vcpu = 0, all = 0;
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        bool spot = plan->nodes[i].capacity_type == CAT_SPOT;
        n_spot += spot;
        all = sat_add(all, plan->nodes[i].type->vcpu);
        vcpu = sat_add(vcpu, spot ? plan->nodes[i].type->vcpu : 0);
    }
    if (rules->max_share.has && vcpu > muldiv_floor(all, rules->max_share.v, PPB)) {
        int64_t cap = muldiv_floor(all, rules->max_share.v, PPB);
        if (caps->vcpu.has && cap >= caps->vcpu.v) {
            cap = caps->vcpu.v - caps->vcpu.v / 10 - 1;
        }
        caps->vcpu = (struct opt_i64){.has = true, .v = cap < 0 ? 0 : cap};
        return true; /* First the share; the pools are looked at once it holds. */
    }
    return tighten_pools(n_spot, plan, rules, arena, caps);
}

void diversify_relax(struct arena *arena, struct plan *plan)
{
    const struct str name = STR("spot-diversification");
    struct str *names = ARENA_ARRAY(arena, struct str, plan->n_relaxed + 1);
    uint32_t n = 0;
    for (; n < plan->n_relaxed && str_cmp(plan->relaxed[n], name) < 0; n++) {
        names[n] = plan->relaxed[n];
    }
    names[n] = name;
    for (uint32_t i = n; i < plan->n_relaxed; i++) {
        names[i + 1] = plan->relaxed[i];
    }
    plan->relaxed = names;
    plan->n_relaxed++;
}

void diversify_adopt(const struct plan *free_plan, struct plan *plan)
{
    /* A plan that had to give up preferences for the caps may cost less than one that keeps them;
     * then the bound says nothing about it. */
    plan->bound = free_plan->bound <= plan->cost ? free_plan->bound : 0;
    plan->problem = free_plan->problem;
    plan->solution = free_plan->solution;
    plan->classes = free_plan->classes;
    plan->offerings = free_plan->offerings;
    plan->dims = free_plan->dims;
    plan->relaxed = free_plan->relaxed;
    plan->n_relaxed = free_plan->n_relaxed;
    plan->status = plan->bound == plan->cost ? STR("optimal") : STR("effort-done");
}

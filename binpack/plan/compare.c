/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/compare.h"

#include "base/arena.h"

#include <stdlib.h>

struct pool_use {
    const struct cat_type *type;
    uint32_t zone_i, n;
};

static void count_pools(const struct plan *plan, struct compare_scenario *scenario)
{
    auto_arena scratch = ARENA_INIT;
    struct pool_use *pools = ARENA_ARRAY(&scratch, struct pool_use, plan->n_nodes + 1);
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        const struct plan_node *node = &plan->nodes[i];
        uint32_t p = 0;
        if (node->capacity_type != CAT_SPOT) {
            continue;
        }
        while (p < scenario->n_pools &&
               (pools[p].type != node->type || pools[p].zone_i != node->zone_i)) {
            p++;
        }
        pools[p] =
            (struct pool_use){.type = node->type, .zone_i = node->zone_i, .n = pools[p].n + 1};
        scenario->n_pools += p == scenario->n_pools;
        scenario->n_worst = pools[p].n > scenario->n_worst ? pools[p].n : scenario->n_worst;
        scenario->n_spot++;
    }
}

void compare_measure(const struct plan *plan, struct compare_scenario *scenario)
{
    scenario->cost = plan->cost;
    scenario->bound = plan->bound;
    scenario->n_nodes = plan->n_nodes;
    scenario->n_unplaced = plan->n_unplaced;
    scenario->n_placed = plan->n_pending - plan->n_unplaced;
    scenario->n_spot = scenario->n_pools = scenario->n_worst = 0;
    count_pools(plan, scenario);
}

static usd_t least(usd_t a, usd_t b)
{
    return a < b ? a : b;
}

static usd_t most(usd_t a, usd_t b)
{
    return a > b ? a : b;
}

void compare_price(const struct compare_scenario *with, const struct compare_scenario *without,
                   struct compare_price *price)
{
    usd_t cost = least(without->cost, with->cost);
    price->low = most(sat_sub(with->bound, cost), 0);
    price->point = sat_sub(with->cost, cost);
    price->high = most(sat_sub(with->cost, without->bound), 0);
}

/* ---- families ---- */

struct family {
    struct str name;
    usd_t cost;
};

static int family_cmp(const void *a, const void *b)
{
    const struct family *x = a, *y = b;
    return x->cost != y->cost ? (x->cost > y->cost ? -1 : 1) : str_cmp(x->name, y->name);
}

struct str compare_families(const struct plan *plan, uint32_t n, struct arena *arena)
{
    const struct strtab *tab = plan->cluster->tab;
    const strid key = strtab_find(tab, STR("karpenter.k8s.aws/instance-family"));
    struct family *families = ARENA_ARRAY(arena, struct family, plan->n_nodes + 1);
    uint32_t n_families = 0;
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        struct str name = strtab_str(tab, k8s_pairs_get(&plan->nodes[i].type->labels, key));
        uint32_t f = 0;
        while (f < n_families && !str_eq(families[f].name, name)) {
            f++;
        }
        n_families += f == n_families;
        families[f] =
            (struct family){.name = name, .cost = sat_add(families[f].cost, plan->nodes[i].price)};
    }
    qsort(families, n_families, sizeof *families, family_cmp);
    struct strbuf text = strbuf_new(arena, 4096);
    for (uint32_t f = 0; f < n_families && f < n; f++) {
        strbuf_add(&text, f == 0 ? STR_EMPTY : STR(","));
        strbuf_add(&text, families[f].name);
    }
    return strbuf_str(&text);
}

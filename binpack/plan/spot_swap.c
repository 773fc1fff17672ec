/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/spot_swap.h"

#include "base/arena.h"
#include "base/vec.h"

#include <stdlib.h>

#define PPB INT64_C(1000000000)

/* Nodes of one offering with one pattern, and where they could go. */
struct stack {
    uint32_t offering_i, n; /* n: nodes still there */
    uint32_t first;         /* into solution->nodes */
    uint32_t n_ways, next;
    uint32_t *ways; /* offerings, cheapest first */
};

struct swapper {
    const struct sched_problem *p;
    const struct plan_spot_rules *rules;
    struct arena *arena;
    struct bp_solution *solution;
    struct bp_node *nodes;
    uint32_t *pool_of;          /* [n_offerings] SCHED_NONE: not spot */
    uint32_t *in_pool, *bought; /* [pools], [n_offerings] nodes */
    uint32_t n_spot, n_used;
    VEC(struct stack) stacks;
};

static const struct sched_offer *spot_offer(const struct sched_problem *p, uint32_t k)
{
    const struct sched_problem_offering *ref = &p->offerings[k];
    if (ref->node_i != SCHED_NONE) {
        return NULL;
    }
    const struct sched_offer *offer = &p->base->offers->v[ref->offer_i];
    return offer->capacity_type == CAT_SPOT ? offer : NULL;
}

static void find_pools(struct swapper *w)
{
    const struct bp_problem *bp = &w->p->bp;
    struct strtab *ids = strtab_new(w->arena);
    w->pool_of = ARENA_ARRAY(w->arena, uint32_t, bp->n_offerings);
    w->in_pool = ARENA_ARRAY(w->arena, uint32_t, bp->n_offerings + 1);
    w->bought = ARENA_ARRAY(w->arena, uint32_t, bp->n_offerings);
    for (uint32_t k = 0; k < bp->n_offerings; k++) {
        const struct sched_offer *offer = spot_offer(w->p, k);
        w->pool_of[k] = SCHED_NONE;
        if (offer != NULL) {
            uint32_t key[2] = {offer->type_i, offer->zone_i};
            w->pool_of[k] =
                strtab_add(ids, (struct str){.p = (const char *)key, .n = sizeof key}) - 1;
        }
    }
    for (uint32_t i = 0; i < w->solution->n_nodes; i++) {
        const uint32_t k = w->nodes[i].offering_i;
        w->bought[k]++;
        if (w->pool_of[k] != SCHED_NONE) {
            w->n_spot++;
            w->n_used += w->in_pool[w->pool_of[k]]++ == 0;
        }
    }
}

/* Could a node of offering `from` be one of `to`, as far as rows about offerings go? */
static bool may_replace(const struct swapper *w, uint32_t from, uint32_t to)
{
    const struct bp_problem *bp = &w->p->bp;
    if (to == from || w->pool_of[to] == SCHED_NONE ||
        bp->offerings[to].domain != bp->offerings[from].domain) {
        return false;
    }
    for (uint32_t r = 0; r < bp->n_limits; r++) {
        if (bp->limits[r].use[to] > bp->limits[r].use[from]) {
            return false;
        }
    }
    for (uint32_t v = 0; v < bp->n_varieties; v++) {
        if (bp->varieties[v].value[to] != BP_NO_VALUE ||
            bp->varieties[v].value[from] != BP_NO_VALUE) {
            return false; /* minValues look at all that could hold the node. */
        }
    }
    return true;
}

struct way {
    usd_t price;
    uint32_t offering_i;
};

static int way_cmp(const void *a, const void *b)
{
    const struct way *x = a, *y = b;
    if (x->price != y->price) {
        return x->price < y->price ? -1 : 1;
    }
    return (x->offering_i > y->offering_i) - (x->offering_i < y->offering_i);
}

static void find_ways(struct swapper *w, struct stack *stack)
{
    const struct bp_problem *bp = &w->p->bp;
    const struct bp_node *node = &w->nodes[stack->first];
    int64_t size[BP_MAX_DIMS] = {0};
    for (uint32_t i = 0; i < node->n_items; i++) {
        for (uint32_t d = 0; d < bp->n_dims; d++) {
            size[d] =
                sat_add(size[d], sat_mul(bp->size[(size_t)node->items[i].class_i * bp->n_dims + d],
                                         node->items[i].count));
        }
    }
    VEC(struct way) ways = {0};
    for (uint32_t k = 0; k < bp->n_offerings; k++) {
        if (may_replace(w, stack->offering_i, k) &&
            sched_dims_fit(&w->p->base->dims, size, bp->capacity + (size_t)k * bp->n_dims)) {
            VEC_PUSH(w->arena, &ways,
                     (struct way){.price = bp->offerings[k].price, .offering_i = k});
        }
    }
    if (ways.n > 0) {
        qsort(ways.v, ways.n, sizeof *ways.v, way_cmp);
    }
    stack->n_ways = (uint32_t)ways.n;
    stack->ways = ARENA_ARRAY(w->arena, uint32_t, ways.n);
    for (size_t i = 0; i < ways.n; i++) {
        stack->ways[i] = ways.v[i].offering_i;
    }
}

static bool same_pattern(const struct bp_node *a, const struct bp_node *b)
{
    bool same = a->offering_i == b->offering_i && a->n_items == b->n_items;
    for (uint32_t i = 0; i < a->n_items && same; i++) {
        same = a->items[i].class_i == b->items[i].class_i && a->items[i].count == b->items[i].count;
    }
    return same;
}

/* Equal nodes are neighbours in a solution. */
static void find_stacks(struct swapper *w)
{
    for (uint32_t i = 0; i < w->solution->n_nodes; i++) {
        struct stack *last = w->stacks.n > 0 ? &w->stacks.v[w->stacks.n - 1] : NULL;
        if (w->pool_of[w->nodes[i].offering_i] == SCHED_NONE) {
            continue;
        }
        if (last != NULL && last->first + last->n == i &&
            same_pattern(&w->nodes[last->first], &w->nodes[i])) {
            last->n++;
        } else {
            VEC_PUSH(w->arena, &w->stacks,
                     (struct stack){.offering_i = w->nodes[i].offering_i, .n = 1, .first = i});
        }
    }
    for (size_t s = 0; s < w->stacks.n; s++) {
        find_ways(w, &w->stacks.v[s]);
    }
}

/* The exchange that brings the plan closest for the least: out of pools with more than `above`
 * nodes into pools with fewer than `below`. */
static bool exchange(struct swapper *w, uint32_t above, uint32_t below)
{
    const struct bp_problem *bp = &w->p->bp;
    struct stack *best = NULL;
    uint32_t best_way = 0;
    usd_t least = 0;
    for (size_t s = 0; s < w->stacks.n; s++) {
        struct stack *stack = &w->stacks.v[s];
        if (stack->n == 0 || w->in_pool[w->pool_of[stack->offering_i]] <= above) {
            continue;
        }
        for (uint32_t i = 0; i < stack->n_ways; i++) {
            const uint32_t k = stack->ways[i];
            usd_t more = bp->offerings[k].price - bp->offerings[stack->offering_i].price;
            if (best != NULL && more >= least) {
                break;
            }
            if (w->in_pool[w->pool_of[k]] < below && w->bought[k] < bp->offerings[k].stock) {
                best = stack;
                best_way = k;
                least = more;
                break;
            }
        }
    }
    if (best == NULL) {
        return false;
    }
    best->n--;
    w->nodes[best->first + best->n].offering_i = best_way;
    w->in_pool[w->pool_of[best->offering_i]]--;
    w->in_pool[w->pool_of[best_way]]++;
    w->bought[best->offering_i]--;
    w->bought[best_way]++;
    w->solution->cost = sat_add(w->solution->cost, least);
    return true;
}

/* Nodes by offering, then by pattern, as in every solution. */
static int node_cmp(const void *a, const void *b)
{
    const struct bp_node *x = a, *y = b;
    if (x->offering_i != y->offering_i) {
        return x->offering_i < y->offering_i ? -1 : 1;
    }
    for (uint32_t i = 0; i < x->n_items && i < y->n_items; i++) {
        if (x->items[i].class_i != y->items[i].class_i) {
            return x->items[i].class_i < y->items[i].class_i ? -1 : 1;
        }
        if (x->items[i].count != y->items[i].count) {
            return x->items[i].count < y->items[i].count ? -1 : 1;
        }
    }
    return (x->n_items > y->n_items) - (x->n_items < y->n_items);
}

usd_t spot_swap(const struct sched_problem *problem, const struct plan_spot_rules *rules,
                struct arena *arena, struct bp_solution *solution)
{
    if ((rules->min_pools == 0 && !rules->max_per_pool.has) || solution->n_nodes == 0) {
        return 0;
    }
    struct swapper w = {.p = problem, .rules = rules, .arena = arena, .solution = solution};
    const usd_t before = solution->cost;
    w.nodes = ARENA_ARRAY(arena, struct bp_node, solution->n_nodes);
    for (uint32_t i = 0; i < solution->n_nodes; i++) {
        w.nodes[i] = solution->nodes[i];
    }
    find_pools(&w);
    find_stacks(&w);
    uint32_t cap = UINT32_MAX;
    if (rules->max_per_pool.has) {
        int64_t share = muldiv_floor(w.n_spot, rules->max_per_pool.v, PPB);
        cap = share < 1 ? 1 : (uint32_t)share;
        while (exchange(&w, cap, cap)) {
        }
        w.n_used = 0;
        for (uint32_t k = 0; k <= problem->bp.n_offerings; k++) {
            w.n_used += w.in_pool[k] > 0;
        }
    }
    const uint32_t want = rules->min_pools < w.n_spot ? rules->min_pools : w.n_spot;
    while (w.n_used < want && exchange(&w, 1, 1)) {
        w.n_used++;
    }
    qsort(w.nodes, solution->n_nodes, sizeof *w.nodes, node_cmp);
    solution->nodes = w.nodes;
    return sat_sub(solution->cost, before);
}

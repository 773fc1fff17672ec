/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The best plan by trying all: what each running node takes, then new nodes that cover the rest.
 *
 * A column is what one new node can hold, at the least price among nodes that no rule can tell
 * apart. Columns are taken in an order that gives every set of nodes once; a branch ends when it
 * costs as much as the best plan so far. */
#include <stdlib.h>
#include <string.h>

#include "tests/property/cluster_brute.h"

enum { MAX_COLUMNS = 20000, MAX_VECTORS = 256, MAX_LEAVES = 30000 };

struct column {
    struct assigned node;
    uint32_t price, sign, vector;
};

struct search {
    const struct instance *at;
    uint32_t n_columns;
    struct column *columns;           /* by first workload, then by price */
    uint32_t from[MAX_WORKLOADS + 1]; /* columns whose first workload it is */
    double share[MAX_WORKLOADS];      /* what a pod costs at least */
    uint32_t vectors[MAX_VECTORS][MAX_WORKLOADS];
    uint32_t n_vectors;
    uint32_t left[MAX_WORKLOADS];
    struct assigned nodes[MAX_ASSIGNED];
    struct assigned best_nodes[MAX_ASSIGNED];
    uint32_t n_nodes, n_best_nodes;
    uint64_t cost, best;
    uint32_t n_leaves;
};

static bool has_limits(const struct instance *at)
{
    for (uint32_t p = 0; p < at->n_pools; p++) {
        if (at->pools[p].limit_cpu > 0 || at->pools[p].limit_nodes > 0) {
            return true;
        }
    }
    return false;
}

/* What rules see of a node, as a number: equal numbers, equal treatment. */
static uint32_t sign_of(const struct instance *at, const struct assigned *node)
{
    struct node_view view = view_of(at, node);
    uint32_t sign = view.zone;
    bool by_cap = false;
    for (uint32_t w = 0; w < at->n_workloads; w++) {
        for (uint32_t r = 0; r < at->workloads[w].n_rules; r++) {
            const struct rule *rule = &at->workloads[w].rules[r];
            sign = sign * 2 + rule_counts_node(&at->workloads[w], rule, &view);
            by_cap = by_cap || rule->key == KEY_CAP;
        }
    }
    return by_cap ? sign * 2 + view.cap : sign;
}

static void all_vectors(struct search *s)
{
    uint32_t v[MAX_WORKLOADS] = {0};
    for (;;) {
        uint32_t w = 0;
        while (w < s->at->n_workloads && ++v[w] > s->at->workloads[w].n) {
            v[w++] = 0;
        }
        if (w == s->at->n_workloads) {
            return;
        }
        memcpy(s->vectors[s->n_vectors++], v, sizeof v);
    }
}

static uint32_t first_of(const uint32_t *n)
{
    uint32_t w = 0;
    while (w < MAX_WORKLOADS - 1 && n[w] == 0) {
        w++;
    }
    return w;
}

/* The heaviest weight among pools that hold one pod of the workload alone; UINT32_MAX: none. */
static uint32_t tier_of(const struct instance *at, uint32_t w)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t p = 0; p < at->n_pools; p++) {
        for (uint32_t t = 0; t < at->n_types; t++) {
            for (uint32_t d = 0; d < at->n_zones * MAX_CAPS; d++) {
                struct assigned node = {
                    .pool = p, .type = t, .zone = d / MAX_CAPS, .cap = d % MAX_CAPS};
                node.n[w] = 1;
                if (node_fault(at, &node) == NULL && limits_hold(at, 1, &node) &&
                    (best == UINT32_MAX || at->pools[p].weight > best)) {
                    best = at->pools[p].weight;
                }
            }
        }
    }
    return best;
}

static void add_column(struct search *s, const struct column *column, bool by_pool)
{
    for (uint32_t i = 0; i < s->n_columns && !by_pool; i++) {
        struct column *other = &s->columns[i];
        if (other->vector == column->vector && other->sign == column->sign) {
            if (column->price < other->price) {
                *other = *column;
            }
            return;
        }
    }
    if (s->n_columns < MAX_COLUMNS) {
        s->columns[s->n_columns++] = *column;
    }
}

static int column_cmp(const void *a, const void *b)
{
    const struct column *x = a, *y = b;
    uint32_t fx = first_of(x->node.n), fy = first_of(y->node.n);
    if (fx != fy) {
        return fx < fy ? -1 : 1;
    }
    return x->price != y->price ? (x->price < y->price ? -1 : 1) : 0;
}

static void all_columns(struct search *s, bool by_tier)
{
    const struct instance *at = s->at;
    uint32_t tiers[MAX_WORKLOADS];
    for (uint32_t w = 0; w < at->n_workloads; w++) {
        tiers[w] = tier_of(at, w);
    }
    uint32_t n_kinds = at->n_pools * at->n_types * at->n_zones * MAX_CAPS;
    for (uint32_t v = 0; v < s->n_vectors; v++) {
        for (uint32_t k = 0; k < n_kinds; k++) {
            struct column column = {.vector = v};
            column.node.cap = k % MAX_CAPS;
            column.node.zone = k / MAX_CAPS % at->n_zones;
            column.node.type = k / MAX_CAPS / at->n_zones % at->n_types;
            column.node.pool = k / MAX_CAPS / at->n_zones / at->n_types;
            memcpy(column.node.n, s->vectors[v], sizeof column.node.n);
            bool allowed = node_fault(at, &column.node) == NULL;
            for (uint32_t w = 0; w < at->n_workloads && by_tier; w++) {
                allowed = allowed &&
                          (column.node.n[w] == 0 || tiers[w] == at->pools[column.node.pool].weight);
            }
            if (allowed) {
                column.sign = sign_of(at, &column.node);
                column.price = at->types[column.node.type].price[column.node.zone][column.node.cap];
                add_column(s, &column, has_limits(at));
            }
        }
    }
    qsort(s->columns, s->n_columns, sizeof *s->columns, column_cmp);
    for (uint32_t w = 0; w < MAX_WORKLOADS; w++) {
        s->share[w] = 1e18;
    }
    for (uint32_t i = 0; i < s->n_columns; i++) {
        uint32_t total = 0, first = first_of(s->columns[i].node.n);
        for (uint32_t w = 0; w < at->n_workloads; w++) {
            total += s->columns[i].node.n[w];
        }
        for (uint32_t w = 0; w < at->n_workloads; w++) {
            double share = (double)s->columns[i].price / total;
            if (s->columns[i].node.n[w] > 0 && share < s->share[w]) {
                s->share[w] = share;
            }
        }
        s->from[first + 1] = i + 1;
    }
    for (uint32_t w = 0; w < MAX_WORKLOADS; w++) {
        s->from[w + 1] = s->from[w + 1] > s->from[w] ? s->from[w + 1] : s->from[w];
    }
}

static bool too_dear(const struct search *s)
{
    double least = (double)s->cost;
    for (uint32_t w = 0; w < s->at->n_workloads; w++) {
        least += s->left[w] > 0 ? s->share[w] * s->left[w] : 0;
    }
    return least > (double)s->best - 0.5;
}

static void cover(struct search *s, uint32_t last)
{
    uint32_t w = first_of(s->left);
    if (s->n_leaves >= MAX_LEAVES || too_dear(s)) {
        return;
    }
    if (s->left[w] == 0) {
        s->n_leaves++;
        if (limits_hold(s->at, s->n_nodes, s->nodes) && order_exists(s->at, s->n_nodes, s->nodes)) {
            s->best = s->cost;
            s->n_best_nodes = s->n_nodes;
            memcpy(s->best_nodes, s->nodes, sizeof s->nodes);
        }
        return;
    }
    for (uint32_t i = s->from[w] > last ? s->from[w] : last; i < s->from[w + 1]; i++) {
        const struct column *column = &s->columns[i];
        bool inside = true;
        for (uint32_t v = 0; v < s->at->n_workloads; v++) {
            inside = inside && column->node.n[v] <= s->left[v];
        }
        if (!inside) {
            continue;
        }
        for (uint32_t v = 0; v < s->at->n_workloads; v++) {
            s->left[v] -= column->node.n[v];
        }
        s->nodes[s->n_nodes++] = column->node;
        s->cost += column->price;
        if (limits_hold(s->at, s->n_nodes, s->nodes)) {
            cover(s, i);
        }
        s->cost -= column->price;
        s->n_nodes--;
        for (uint32_t v = 0; v < s->at->n_workloads; v++) {
            s->left[v] += column->node.n[v];
        }
    }
}

static void fill_running(struct search *s, uint32_t i)
{
    if (i == s->at->n_running) {
        cover(s, 0);
        return;
    }
    struct assigned *node = &s->nodes[s->n_nodes++];
    *node = (struct assigned){.is_running = true, .running_i = i};
    fill_running(s, i + 1);
    for (uint32_t v = 0; v < s->n_vectors; v++) {
        memcpy(node->n, s->vectors[v], sizeof node->n);
        bool inside = true;
        for (uint32_t w = 0; w < s->at->n_workloads; w++) {
            inside = inside && node->n[w] <= s->left[w];
        }
        if (!inside || node_fault(s->at, node) != NULL) {
            continue;
        }
        for (uint32_t w = 0; w < s->at->n_workloads; w++) {
            s->left[w] -= node->n[w];
        }
        fill_running(s, i + 1);
        for (uint32_t w = 0; w < s->at->n_workloads; w++) {
            s->left[w] += node->n[w];
        }
    }
    s->n_nodes--;
}

static void try_unplaced(struct search *s, const uint32_t *unplaced)
{
    for (uint32_t w = 0; w < s->at->n_workloads; w++) {
        s->left[w] = s->at->workloads[w].n - unplaced[w];
    }
    fill_running(s, 0);
}

void brute_best(const struct instance *at, bool by_tier, const uint32_t *unplaced,
                struct best *ret_best)
{
    static struct column columns[MAX_COLUMNS];
    static struct search search;
    static const uint32_t nobody[MAX_WORKLOADS];
    struct search *s = &search;
    *s = (struct search){.at = at, .columns = columns, .best = UINT64_MAX};
    all_vectors(s);
    all_columns(s, by_tier);
    *ret_best = (struct best){.cost = UINT64_MAX};
    if (unplaced != NULL) {
        try_unplaced(s, unplaced);
        *ret_best = (struct best){.cost = s->best, .gave_up = s->n_leaves >= MAX_LEAVES};
        return;
    }
    for (uint32_t out = 0; out <= at->n_pods && s->best == UINT64_MAX; out++) {
        if (out == 0) {
            try_unplaced(s, nobody);
        }
        for (uint32_t v = 0; v < s->n_vectors && out > 0; v++) {
            uint32_t n = 0;
            for (uint32_t w = 0; w < at->n_workloads; w++) {
                n += s->vectors[v][w];
            }
            if (n == out) {
                try_unplaced(s, s->vectors[v]);
            }
        }
        ret_best->n_placed = at->n_pods - out;
    }
    ret_best->cost = s->best;
    ret_best->n_nodes = s->n_best_nodes;
    memcpy(ret_best->nodes, s->best_nodes, sizeof s->best_nodes);
    ret_best->gave_up = s->n_leaves >= MAX_LEAVES || s->n_columns == MAX_COLUMNS;
}

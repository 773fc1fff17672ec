/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/pricing.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/solver/pricing_impl.h"

/* Covers the rounding errors of evaluating lambda.C + sum of n terms of `rows` products each, with
 * room to spare. */
static double with_slack(double bound, uint32_t n, uint32_t rows)
{
    return bound * (1 + 0x1p-50 * (n + 256.0) * (rows + 4.0));
}

enum { BETWEEN = 2 }; /* values between a threshold and the best bound that are tried */

struct bp_knap *bp_knap_new(struct arena *arena, const struct bp_red *red, uint32_t node_room)
{
    struct bp_knap *k = ARENA_NEW(arena, struct bp_knap);
    uint32_t m = red->n_classes + 1;
    k->red = red;
    bp_lp_init(&k->lp, arena, m);
    k->class_of = ARENA_ARRAY(arena, uint32_t, m);
    k->upper = ARENA_ARRAY(arena, double, m);
    k->order = ARENA_ARRAY(arena, uint32_t, m);
    k->density = ARENA_ARRAY(arena, double, m);
    k->count = ARENA_ARRAY(arena, double, m);
    k->support = ARENA_ARRAY(arena, uint64_t, red->n_words + 1);
    k->exclusions = ARENA_ARRAY(arena, uint32_t, red->n_exclusions + 1);
    k->node_room = node_room;
    k->nodes = ARENA_ARRAY(arena, struct node, node_room);
    k->heap = ARENA_ARRAY(arena, uint32_t, node_room);
    k->root_d = ARENA_ARRAY(arena, double, m);
    k->deep_lo = ARENA_ARRAY(arena, double, m);
    k->deep_up = ARENA_ARRAY(arena, double, m);
    k->deep_count = ARENA_ARRAY(arena, double, m);
    k->dp = bp_dp_new(arena, m);
    k->search = bp_search_new(arena, m);
    for (uint32_t f = 0; f < BP_KNAP_KEPT; f++) {
        k->found[f] = ARENA_ARRAY(arena, double, m);
    }
    return k;
}

/* ---- the open nodes, best bound first ---- */

static bool before(const struct bp_knap *k, uint32_t x, uint32_t y)
{
    double bx = k->nodes[x].bound, by = k->nodes[y].bound;
    return bx != by ? bx > by : x > y; /* of equals the deeper one */
}

static void heap_push(struct bp_knap *k, uint32_t node)
{
    uint32_t at = k->n_heap++;
    while (at > 0 && before(k, node, k->heap[(at - 1) / 2])) {
        k->heap[at] = k->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    k->heap[at] = node;
}

static uint32_t heap_pop(struct bp_knap *k)
{
    uint32_t top = k->heap[0], last = k->heap[--k->n_heap], at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= k->n_heap) {
            break;
        }
        if (child + 1 < k->n_heap && before(k, k->heap[child + 1], k->heap[child])) {
            child++;
        }
        if (!before(k, k->heap[child], last)) {
            break;
        }
        k->heap[at] = k->heap[child];
        at = child;
    }
    k->heap[at] = last;
    return top;
}

/* ---- candidates ---- */

/* Whether class i may join the classes of the candidate. */
static bool may_join(const struct bp_knap *k, uint32_t i)
{
    const struct bp_red *red = k->red;
    for (uint32_t x = 0; x < k->n_exclusions; x++) {
        const uint64_t *a = red->exclude_a + (size_t)k->exclusions[x] * red->n_words;
        const uint64_t *b = red->exclude_b + (size_t)k->exclusions[x] * red->n_words;
        for (uint32_t side = 0; side < 2; side++) {
            const uint64_t *mine = side == 0 ? a : b, *theirs = side == 0 ? b : a;
            if (!bits_get(mine, i)) {
                continue;
            }
            for (uint32_t w = 0; w < red->n_words; w++) {
                uint64_t both = theirs[w] & k->support[w];
                if (w == i / 64) {
                    both &= ~(UINT64_C(1) << (i % 64));
                }
                if (both != 0) {
                    return false;
                }
            }
        }
    }
    return true;
}

/* Adds up to `most` units of item t; `rest` is what the rows have left. */
static void add_units(struct bp_knap *k, uint32_t t, double most, double *rest)
{
    double fit = most;
    for (uint32_t r = 0; r < k->lp.n_rows; r++) {
        double w = k->lp.row[r][t];
        if (w * fit > rest[r]) {
            fit = floor(rest[r] / w);
        }
    }
    if (fit < 1 || (k->n_exclusions > 0 && !may_join(k, k->class_of[t]))) {
        return;
    }
    for (uint32_t r = 0; r < k->lp.n_rows; r++) {
        rest[r] -= k->lp.row[r][t] * fit;
    }
    k->count[t] += fit;
    if (k->n_exclusions > 0) {
        bits_set(k->support, k->class_of[t]);
    }
}

/* Caps that had no room as rows: take members away until they hold. */
static void obey_caps(struct bp_knap *k)
{
    const struct bp_red *red = k->red;
    for (uint32_t c = 0; c < red->n_caps; c++) {
        if (k->rules == BP_RULES_NECESSARY && !red->cap_necessary[c]) {
            continue;
        }
        const uint64_t *members = red->cap_members + (size_t)c * red->n_words;
        double room = bp_red_cap_max(red, c, k->kind);
        for (uint32_t t = 0; t < k->lp.n; t++) {
            if (bits_get(members, k->class_of[t])) {
                k->count[t] = fmin(k->count[t], room);
                room -= k->count[t];
            }
        }
    }
}

static void keep_candidate(struct bp_knap *k)
{
    double value = 0; /* as it is found; patterns that come later are worth more */
    for (uint32_t t = 0; t < k->lp.n; t++) {
        value += k->count[t] * k->lp.value[t];
    }
    if (k->n_found > 0 && value <= k->found_value[k->n_found - 1] * (1 + 1e-12)) {
        return;
    }
    if (k->n_found == BP_KNAP_KEPT) {
        double *oldest = k->found[0];
        memmove(k->found, k->found + 1, (BP_KNAP_KEPT - 1) * sizeof *k->found);
        memmove(k->found_value, k->found_value + 1, (BP_KNAP_KEPT - 1) * sizeof(double));
        k->found[BP_KNAP_KEPT - 1] = oldest;
        k->n_found--;
    }
    memcpy(k->found[k->n_found], k->count, k->lp.n * sizeof(double));
    k->found_value[k->n_found++] = value;
}

/* Rounds the relaxation down and fills the rest. */
static void try_rounding(struct bp_knap *k)
{
    const struct bp_lp *lp = &k->lp;
    double rest[BP_KNAP_ROWS];
    memcpy(rest, lp->cap, sizeof rest);
    memset(k->count, 0, lp->n * sizeof(double));
    if (k->n_exclusions > 0) {
        memset(k->support, 0, k->red->n_words * sizeof *k->support);
    }
    for (uint32_t t = 0; t < lp->n; t++) {
        double whole = floor(lp->x[t] + 1e-7);
        if (whole >= 1) {
            add_units(k, t, fmin(whole, k->upper[t]), rest);
        }
    }
    for (uint32_t s = 0; s < lp->n; s++) {
        uint32_t t = k->order[s];
        if (k->count[t] < k->upper[t]) {
            add_units(k, t, k->upper[t] - k->count[t], rest);
        }
    }
    if (k->red->n_caps > 0) {
        obey_caps(k);
    }
    k->ops += (uint64_t)lp->n * (lp->n_rows + 3);
    keep_candidate(k);
}

/* Order for filling: value per resource at the root's prices; sorted once. */
static void sort_items(struct bp_knap *k)
{
    const struct bp_lp *lp = &k->lp;
    for (uint32_t t = 0; t < lp->n; t++) {
        double paid = 1e-12 * lp->value[t];
        for (uint32_t r = 0; r < lp->n_rows; r++) {
            paid += lp->lambda[r] * lp->row[r][t];
        }
        k->density[t] = lp->value[t] / paid;
        k->order[t] = t;
    }
    /* Shell sort: short lists, no context needed, ties by index. */
    static const uint32_t gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};
    for (uint32_t g = 0; g < sizeof gaps / sizeof *gaps; g++) {
        for (uint32_t s = gaps[g]; s < lp->n; s++) {
            uint32_t item = k->order[s], at = s;
            while (at >= gaps[g]) {
                uint32_t other = k->order[at - gaps[g]];
                double a = k->density[item], b = k->density[other];
                if (!(a > b || (a == b && item < other))) {
                    break;
                }
                k->order[at] = other;
                at -= gaps[g];
            }
            k->order[at] = item;
        }
    }
    k->ops += (uint64_t)lp->n * 8;
}

/* ---- branch and bound ---- */

/* Upper bounds become 0 for one side of an exclusion, but for the class that stays. */
static void drop_side(struct bp_knap *k, const struct node *node)
{
    const struct bp_red *red = k->red;
    const uint64_t *side = (node->rule & 1U ? red->exclude_b : red->exclude_a) +
                           (size_t)(node->rule / 2) * red->n_words;
    for (uint32_t t = 0; t < k->lp.n; t++) {
        if (t != node->item && bits_get(side, k->class_of[t])) {
            k->lp.up[t] = 0;
        }
    }
}

static bool set_bounds(struct bp_knap *k, uint32_t node_i)
{
    struct bp_lp *lp = &k->lp;
    memset(lp->lo, 0, lp->n * sizeof(double));
    memcpy(lp->up, k->upper, lp->n * sizeof(double));
    for (int32_t n = (int32_t)node_i; n >= 0; n = k->nodes[n].parent) {
        const struct node *node = &k->nodes[n];
        if (node->kind == BRANCH_UP) {
            lp->lo[node->item] = fmax(lp->lo[node->item], node->limit);
        } else if (node->kind == BRANCH_DOWN) {
            lp->up[node->item] = fmin(lp->up[node->item], node->limit);
        } else if (node->kind == BRANCH_DROP) {
            lp->up[node->item] = 0;
        } else if (node->kind == BRANCH_DROP_SIDE) {
            drop_side(k, node);
        }
    }
    return bp_lp_clip(lp);
}

static void add_node(struct bp_knap *k, struct node node)
{
    k->nodes[k->n_nodes] = node;
    heap_push(k, k->n_nodes++);
}

/* Two present items that exclude each other: one goes, or the other side goes. */
static bool branch_exclusion(struct bp_knap *k, uint32_t node_i, double bound)
{
    const struct bp_lp *lp = &k->lp;
    const struct bp_red *red = k->red;
    for (uint32_t x = 0; x < k->n_exclusions; x++) {
        size_t at = (size_t)k->exclusions[x] * red->n_words;
        for (uint32_t t = 0; t < lp->n; t++) {
            if (lp->x[t] < 1e-6 || !bits_get(red->exclude_a + at, k->class_of[t])) {
                continue;
            }
            for (uint32_t s = 0; s < lp->n; s++) {
                if (s != t && lp->x[s] > 1e-6 && bits_get(red->exclude_b + at, k->class_of[s])) {
                    add_node(k, (struct node){.bound = bound,
                                              .parent = (int32_t)node_i,
                                              .item = t,
                                              .kind = BRANCH_DROP});
                    add_node(k, (struct node){.bound = bound,
                                              .parent = (int32_t)node_i,
                                              .item = t,
                                              .rule = k->exclusions[x] * 2 + 1,
                                              .kind = BRANCH_DROP_SIDE});
                    return true;
                }
            }
        }
    }
    return false;
}

/* Splits on the most fractional item; the upper half is searched next. False when the solution is
 * whole. */
static bool branch_item(struct bp_knap *k, uint32_t node_i, double bound, uint32_t *ret_next)
{
    const struct bp_lp *lp = &k->lp;
    uint32_t best = UINT32_MAX;
    double most = 1e-6;
    for (uint32_t q = 0; q < lp->n_rows; q++) {
        uint32_t t = lp->basis[q];
        if (t >= lp->n) {
            continue;
        }
        double part = lp->x[t] - floor(lp->x[t]);
        double far = fmin(part, 1 - part);
        if (far > most) {
            most = far;
            best = t;
        }
    }
    if (best == UINT32_MAX) {
        return false;
    }
    double whole = floor(lp->x[best]);
    add_node(k, (struct node){.bound = bound,
                              .limit = whole,
                              .parent = (int32_t)node_i,
                              .item = best,
                              .kind = BRANCH_DOWN});
    k->nodes[k->n_nodes] = (struct node){.bound = bound,
                                         .limit = whole + 1,
                                         .parent = (int32_t)node_i,
                                         .item = best,
                                         .kind = BRANCH_UP};
    *ret_next = k->n_nodes++;
    return true;
}

static double cut_off(const struct bp_knap *k, double threshold, double rel)
{
    double best = k->n_found > 0 ? k->found_value[k->n_found - 1] : 0;
    return fmax(threshold, best) * (1 + rel);
}

/* Works on one node; the next one to work on, or UINT32_MAX for the best open one. */
static uint32_t visit(struct bp_knap *k, uint32_t node_i, double threshold, double rel)
{
    if (!set_bounds(k, node_i)) {
        return UINT32_MAX; /* nothing is feasible here */
    }
    double bound = fmin(k->nodes[node_i].bound, bp_lp_solve(&k->lp));
    if (!k->started) {
        memcpy(k->root_lambda, k->lp.lambda, sizeof k->root_lambda);
        memcpy(k->root_d, k->lp.d, k->lp.n * sizeof(double));
        k->root_bound = bound;
        sort_items(k);
        k->started = true;
    }
    k->nodes[node_i].bound = bound;
    if (bound > cut_off(k, threshold, rel)) {
        try_rounding(k);
    }
    if (bound <= cut_off(k, threshold, rel)) {
        k->pruned = fmax(k->pruned, bound);
        return UINT32_MAX;
    }
    uint32_t next = UINT32_MAX;
    if (k->n_exclusions > 0 && branch_exclusion(k, node_i, bound)) {
        return UINT32_MAX;
    }
    if (!branch_item(k, node_i, bound, &next)) {
        /* A whole solution: its value is the bound, unless the simplex stopped early or a cap had
         * no room as a row. */
        k->pruned = fmax(k->pruned, bound);
    }
    return next;
}

bool bp_knap_run(struct bp_knap *k, double threshold, double rel, uint32_t nodes)
{
    uint32_t next = UINT32_MAX;
    for (uint32_t done = 0; done < nodes; done++) {
        if (next == UINT32_MAX) {
            if (k->n_heap == 0) {
                return true;
            }
            if (k->nodes[k->heap[0]].bound <= cut_off(k, threshold, rel)) {
                k->pruned = fmax(k->pruned, k->nodes[k->heap[0]].bound);
                k->n_heap = 0;
                return true;
            }
            if (k->n_nodes + 2 > k->node_room) {
                return false;
            }
            next = heap_pop(k);
        } else if (k->n_nodes + 2 > k->node_room) {
            break;
        }
        next = visit(k, next, threshold, rel);
    }
    if (next != UINT32_MAX) {
        heap_push(k, next);
    }
    return k->n_heap == 0;
}

/* Ranges outside which nothing is worth more than the cut-off, by the root's reduced values. */
static void fix_ranges(struct bp_knap *k, double cut)
{
    double room = k->root_bound - cut;
    for (uint32_t t = 0; t < k->lp.n; t++) {
        double d = k->root_d[t], range = k->upper[t];
        if (fabs(d) * range > room) {
            range = floor(room / fabs(d) * (1 + 1e-9) + 1e-9);
        }
        k->deep_lo[t] = d > 0 ? fmax(0, k->upper[t] - range) : 0;
        k->deep_up[t] = d > 0 ? k->upper[t] : range;
    }
    k->ops += k->lp.n * 4;
}

/* The selection of the table, if it obeys the rows and rules that the table left out. */
static void take_deep(struct bp_knap *k, const double *count)
{
    const struct bp_lp *lp = &k->lp;
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        double rest = lp->cap[r];
        for (uint32_t t = 0; t < lp->n; t++) {
            rest -= count[t] * lp->row[r][t];
        }
        if (rest < 0) {
            return;
        }
    }
    memset(k->support, 0, k->red->n_words * sizeof *k->support);
    for (uint32_t t = 0; t < lp->n && k->n_exclusions > 0; t++) {
        if (count[t] > 0 && !may_join(k, k->class_of[t])) {
            return;
        }
        if (count[t] > 0) {
            bits_set(k->support, k->class_of[t]);
        }
    }
    memcpy(k->count, count, lp->n * sizeof(double));
    if (k->red->n_caps > 0) {
        obey_caps(k);
    }
    keep_candidate(k);
}

static double search_found(void *ctx, double value, const double *count)
{
    struct bp_knap *k = ctx;
    take_deep(k, count);
    /* What rules forbid is not kept, but it counts for the bound. */
    return fmax(cut_off(k, k->deep_threshold, k->deep_rel), value);
}

/* Search where a table would be too large. What is not settled within its nodes may be settled for
 * a value in between. */
static double search(struct bp_knap *k, double cut, uint32_t nodes)
{
    struct bp_search_hooks hooks = {.found = search_found, .ctx = k};
    double bound = INFINITY, between = cut;
    for (uint32_t step = 0; step <= BETWEEN; step++) {
        double there;
        bool done = bp_search_run(k->search, &k->lp, k->root_lambda, k->deep_lo, k->deep_up,
                                  between, step == 0 ? nodes : nodes / 2, &hooks, &there);
        bound = fmin(bound, there);
        if (done) {
            break;
        }
        between = cut + (fmin(bound, bp_knap_bound(k)) - cut) * (step + 1) / (BETWEEN + 1);
    }
    k->ops += bp_search_take_ops(k->search);
    return bound;
}

bool bp_knap_deepen(struct bp_knap *k, double threshold, double rel, uint32_t states)
{
    double cut = cut_off(k, threshold, rel);
    if (!k->started || bp_knap_bound(k) <= cut) {
        return true;
    }
    fix_ranges(k, cut);
    bool found = false;
    double bound = bp_dp_run(k->dp, &k->lp, k->root_lambda, k->deep_lo, k->deep_up, cut, states,
                             k->deep_count, &found);
    if (found) {
        take_deep(k, k->deep_count);
    }
    k->ops += bp_dp_take_ops(k->dp);
    if (isinf(bound)) {
        k->deep_threshold = threshold;
        k->deep_rel = rel;
        bound = search(k, cut, states / 4);
    }
    k->deep_bound = fmin(k->deep_bound, fmax(bound, cut));
    return bp_knap_bound(k) <= cut_off(k, threshold, rel) * (1 + 1e-9);
}

double bp_knap_bound(const struct bp_knap *k)
{
    double bound = k->pruned;
    if (k->n_found > 0) {
        bound = fmax(bound, k->found_value[k->n_found - 1]);
    }
    if (k->n_heap > 0) {
        bound = fmax(bound, k->nodes[k->heap[0]].bound);
    }
    bound = fmin(bound, k->deep_bound);
    return with_slack(bound, k->lp.n, k->lp.n_rows);
}

uint32_t bp_knap_n_found(const struct bp_knap *k)
{
    return k->n_found;
}

double bp_knap_value(const struct bp_knap *k, uint32_t found_i)
{
    assert(found_i < k->n_found);
    return k->found_value[found_i];
}

uint32_t bp_knap_items(const struct bp_knap *k, uint32_t found_i, struct bp_item *items)
{
    assert(found_i < k->n_found);
    uint32_t n = 0;
    for (uint32_t t = 0; t < k->lp.n; t++) {
        if (k->found[found_i][t] > 0) {
            items[n++] = (struct bp_item){.class_i = k->class_of[t],
                                          .count = (uint32_t)k->found[found_i][t]};
        }
    }
    /* Items of one size are ordered by value; a pattern is ordered by class. */
    for (uint32_t s = 1; s < n; s++) {
        struct bp_item item = items[s];
        uint32_t at = s;
        for (; at > 0 && items[at - 1].class_i > item.class_i; at--) {
            items[at] = items[at - 1];
        }
        items[at] = item;
    }
    return n;
}

void bp_knap_lambda(const struct bp_knap *k, double *lambda)
{
    memset(lambda, 0, k->red->n_dims * sizeof *lambda);
    for (uint32_t r = 0; k->started && r < k->lp.n_rows; r++) {
        if (k->lp.row_id[r] < BP_MAX_DIMS) {
            lambda[k->lp.row_id[r]] = k->root_lambda[r] * k->lp.scale[r];
        }
    }
}

double bp_knap_quick_bound(const struct bp_red *red, uint32_t kind, const double *value,
                           const double *upper, const double *lambda)
{
    const double *cap = red->cap + (size_t)kind * red->n_dims;
    const uint64_t *accept = bp_red_accept(red, kind);
    double bound = 0;
    uint32_t priced[BP_MAX_DIMS], n_priced = 0; /* mostly one or two */
    for (uint32_t d = 0; d < red->n_dims; d++) {
        bound += lambda[d] * cap[d];
        if (lambda[d] != 0) {
            priced[n_priced++] = d;
        }
    }
    for (uint32_t w = 0; w < red->n_words; w++) {
        for (uint64_t bits = accept[w]; bits != 0; bits &= bits - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);
            const double *size = red->size_of + (size_t)i * red->n_dims;
            double left = value[i];
            for (uint32_t x = 0; x < n_priced; x++) {
                left -= lambda[priced[x]] * size[priced[x]];
            }
            if (left > 0) {
                bound += left * bp_red_most(red, kind, i, upper[i]);
            }
        }
    }
    return with_slack(bound, red->n_classes, red->n_dims);
}

uint64_t bp_knap_take_ops(struct bp_knap *k)
{
    uint64_t ops = k->ops + bp_lp_take_ops(&k->lp) + bp_dp_take_ops(k->dp);
    k->ops = 0;
    return ops;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/count_tree.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

enum {
    NODES_MAX = 2001,
    NODES_PLAIN = 1201, /* before leaves make cuts, when that is put off */
    PIVOTS = 2000,
    CUTS_MAX = BP_COUNT_CUTS_MAX,
    MATRIX_WORK = 300, /* entries that a pivot goes through in a unit of work */
    HOLDS_ROOT = 24,   /* cuts made for the root, and for every other leaf that is not whole */
    HOLDS = 4
};

#define CLOSED   (1 - 1e-7) /* of the cost: nothing worth looking for is left */
#define WHOLE    1e-6
#define DUAL_MAX ((double)(INT64_C(1) << 62))

static void take_cut(struct bp_tree *t, const struct bp_counts *c, uint32_t q)
{
    const struct bp_red *red = t->red;
    /* All cuts ask for the LP's bound, so that multipliers are about 1. */
    double scale = c->bound / c->cut_need[q];
    double *value = ARENA_ARRAY(t->arena, double, red->n_kinds + 1);
    double *proven = ARENA_ARRAY(t->arena, double, red->n_kinds + 1);
    double *pi = ARENA_ARRAY(t->arena, double, red->n_classes + 1);
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        proven[k] = c->cut_value[q][k] * scale;
        value[k] = fmin(1, proven[k] / c->bound);
    }
    for (uint32_t i = 0; i < red->n_classes; i++) {
        pi[i] = c->cut_pi[q][i] * scale;
    }
    t->value[t->n_cuts] = value;
    t->proven[t->n_cuts] = proven;
    t->pi[t->n_cuts] = pi;
    t->need[t->n_cuts++] = c->bound;
}

/* Rows: the cuts. Columns: the kinds, and one that satisfies every cut for more than any plan
 * costs, so that there always is a solution. */
static bool build(struct bp_tree *t)
{
    auto_arena scratch = ARENA_INIT;
    uint32_t n = t->red->n_kinds, at = 0;
    double *cost = ARENA_ARRAY(&scratch, double, n + 1);
    uint32_t *start = ARENA_ARRAY(&scratch, uint32_t, n + 2);
    uint32_t *row = ARENA_ARRAY(&scratch, uint32_t, (size_t)(n + 1) * t->n_cuts + 1);
    double *value = ARENA_ARRAY(&scratch, double, (size_t)(n + 1) * t->n_cuts + 1);
    double *ones = ARENA_ARRAY(&scratch, double, t->n_cuts + 1);
    for (uint32_t k = 0; k <= n; k++) {
        cost[k] = k < n ? t->red->cost[k] : 4 * t->cost;
        start[k] = at;
        for (uint32_t q = 0; q < t->n_cuts; q++) {
            double share = k < n ? t->value[q][k] : 1;
            if (share > 0) {
                row[at] = q;
                value[at++] = share;
            }
            ones[q] = 1;
        }
    }
    start[n + 1] = at;
    struct bp_glp_columns columns = {
        .n = n + 1, .cost = cost, .start = start, .row = row, .value = value};
    return bp_glp_new(t->arena, &t->glp, &t->err) &&
           bp_glp_add_rows(t->glp, t->n_cuts, BP_ROW_AT_LEAST, ones, &t->err) &&
           bp_glp_add_columns(t->glp, &columns, &t->err);
}

/* The ranges of a leaf. */
static void set_ranges(struct bp_tree *t, uint32_t node)
{
    for (uint32_t k = 0; k < t->red->n_kinds; k++) {
        t->lo[k] = 0;
        t->hi[k] = t->red->stock[k];
    }
    for (int32_t n = (int32_t)node; t->nodes[n].parent >= 0; n = t->nodes[n].parent) {
        const struct bp_tree_node *at = &t->nodes[n];
        if (at->above) {
            t->lo[at->kind] = fmax(t->lo[at->kind], at->split + 1.0);
        } else {
            t->hi[at->kind] = fmin(t->hi[at->kind], at->split);
        }
    }
}

/* Where the solution is least whole, by what is at stake. */
static void choose_split(struct bp_tree *t, struct bp_tree_node *node)
{
    double most = 0;
    for (uint32_t k = 0; k < t->red->n_kinds; k++) {
        double part = t->y[k] - floor(t->y[k] + WHOLE);
        double stake = fmin(part, 1 - part) * (t->red->cost[k] + 1e-3);
        if (part > WHOLE && stake > most) {
            most = stake;
            node->next_kind = k;
            node->next_split = (uint32_t)floor(t->y[k]);
        }
    }
    node->open = most > 0 && node->bound < t->cost * CLOSED;
}

/* Solves the relaxation of a leaf: its bound, multipliers, and where to split it. */
static bool solve(struct bp_tree *t, uint32_t node_i, uint64_t *spent)
{
    const struct bp_red *red = t->red;
    struct bp_tree_node *node = &t->nodes[node_i];
    double fixed = 0, cost = 0;
    set_ranges(t, node_i);
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        fixed += red->cost[k] * t->lo[k];
        if (!bp_glp_set_upper(t->glp, k, t->hi[k] - t->lo[k], &t->err)) {
            return false;
        }
    }
    for (uint32_t q = 0; q < t->n_cuts; q++) {
        double need = 1;
        for (uint32_t k = 0; k < red->n_kinds; k++) {
            need -= t->value[q][k] * t->lo[k];
        }
        if (!bp_glp_set_row(t->glp, q, BP_ROW_AT_LEAST, need, &t->err)) {
            return false;
        }
    }
    enum bp_glp_status status;
    uint32_t pivots;
    t->at = node_i;
    if (!bp_glp_simplex(t->glp, BP_DUAL, PIVOTS, &status, &pivots, &t->err)) {
        return false;
    }
    /* A pivot goes through the whole matrix: 5 us at 10 cuts of 56 kinds, 8 at 20 of 96, 400 at 512
     * of 193. */
    const uint64_t of_pivot = 3 + (uint64_t)t->n_cuts * red->n_kinds / MATRIX_WORK;
    *spent += 10 + t->n_cuts + red->n_kinds / 8 + pivots * of_pivot;
    node->n_solved = t->n_cuts;
    if (!node->leaf) {
        node->leaf = true;
        node->weight = ARENA_ARRAY(t->arena, double, CUTS_MAX);
        if (node->parent >= 0) {
            node->bound = t->nodes[node->parent].bound;
            memcpy(node->weight, t->nodes[node->parent].weight, CUTS_MAX * sizeof(double));
        }
    }
    if (status != BP_GLP_OPTIMAL) { /* the bound so far, and no split */
        node->open = false;
        node->held = true;
        return node->parent < 0 ? err_set(&t->err, ERR_SOLVER, "the LP of counts was not solved")
                                : true;
    }
    if (!bp_glp_read(t->glp, &cost, t->y, t->dual, NULL, NULL, &t->err)) {
        return false;
    }
    for (uint32_t q = 0; q < t->n_cuts; q++) {
        node->weight[q] = fmax(0, t->dual[q]) / t->need[q];
    }
    node->bound = cost + fixed;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        t->y[k] += t->lo[k];
    }
    choose_split(t, node);
    return true;
}

static uint32_t add_node(struct bp_tree *t, struct bp_tree_node node)
{
    t->nodes[t->n_nodes] = node;
    return t->n_nodes++;
}

void bp_tree_init(struct bp_tree *t, struct arena *arena, struct bp_counts *counts, double cost)
{
    const struct bp_red *red = counts->red;
    uint64_t spent = 0;
    *t = (struct bp_tree){.red = red, .arena = arena, .cost = cost, .room = NODES_MAX};
    t->counts = counts;
    t->need = ARENA_ARRAY(arena, double, CUTS_MAX);
    t->value = ARENA_ARRAY(arena, double *, CUTS_MAX);
    t->proven = ARENA_ARRAY(arena, double *, CUTS_MAX);
    t->pi = ARENA_ARRAY(arena, double *, CUTS_MAX);
    t->nodes = ARENA_ARRAY(arena, struct bp_tree_node, t->room);
    t->lo = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    t->hi = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    t->y = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    t->dual = ARENA_ARRAY(arena, double, CUTS_MAX);
    for (uint32_t q = 0; q < counts->n_cuts; q++) {
        if (counts->cut_need[q] > 0) {
            take_cut(t, counts, q);
        }
    }
    add_node(t, (struct bp_tree_node){.parent = -1});
    t->failed = !build(t) || !solve(t, 0, &spent);
}

void bp_tree_set_cost(struct bp_tree *t, double cost)
{
    t->cost = cost;
}

/* The leaf of the lowest bound; UINT32_MAX when the best plan is proven. */
static uint32_t lowest(const struct bp_tree *t)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t n = 0; n < t->n_nodes; n++) {
        const struct bp_tree_node *node = &t->nodes[n];
        if (node->leaf && node->bound < t->cost * CLOSED &&
            (best == UINT32_MAX || node->bound < t->nodes[best].bound)) {
            best = n;
        }
    }
    return best;
}

static void split(struct bp_tree *t, uint32_t n, uint64_t *spent)
{
    uint32_t kind = t->nodes[n].next_kind, at = t->nodes[n].next_split;
    for (uint32_t above = 0; above < 2 && !t->failed; above++) {
        uint32_t child =
            add_node(t, (struct bp_tree_node){
                            .parent = (int32_t)n, .kind = kind, .above = above == 1, .split = at});
        t->failed = !solve(t, child, spent);
    }
    if (!t->failed) {
        t->nodes[n].leaf = t->nodes[n].open = false;
        t->nodes[n].child = t->n_nodes - 2;
    }
}

/* The last cut of `counts` as a row. */
static bool take_new_cut(struct bp_tree *t)
{
    auto_arena scratch = ARENA_INIT;
    uint32_t n = 0, q = t->n_cuts, n_kinds = t->red->n_kinds;
    uint32_t *columns = ARENA_ARRAY(&scratch, uint32_t, n_kinds + 1);
    double *value = ARENA_ARRAY(&scratch, double, n_kinds + 1);
    take_cut(t, t->counts, t->counts->n_cuts - 1);
    for (uint32_t k = 0; k <= n_kinds; k++) {
        double share = k < n_kinds ? t->value[q][k] : 1;
        if (share > 0) {
            columns[n] = k;
            value[n++] = share;
        }
    }
    return bp_glp_add_row(t->glp, BP_ROW_AT_LEAST, 1, n, columns, value, &t->err);
}

static void end_hold(struct bp_tree *t, bool cut, uint64_t *spent)
{
    struct bp_tree_node *node = &t->nodes[t->at];
    t->state = BP_TREE_SPLIT;
    if (!cut) {
        node->held = true;
        if (!node->open) {
            bp_counts_pack_begin(t->counts);
            t->state = BP_TREE_PACK;
        }
        return;
    }
    uint32_t most = node->parent < 0 ? HOLDS_ROOT : HOLDS;
    node->n_holds++;
    t->failed = !take_new_cut(t) || !solve(t, t->at, spent);
    node->held = node->open && node->n_holds >= most;
}

/* The next thing to do with the leaf of the lowest bound; false when there is nothing. */
static bool go_on(struct bp_tree *t, uint64_t *spent)
{
    uint32_t n = lowest(t);
    if (n == UINT32_MAX) {
        return false;
    }
    *spent += t->n_nodes / 50;
    struct bp_tree_node *node = &t->nodes[n];
    bool hold = t->holds && !node->held;
    if (node->n_solved < t->n_cuts || (hold && t->at != n)) {
        t->failed = !solve(t, n, spent);
        return true;
    }
    if (hold && t->n_cuts < CUTS_MAX) {
        bp_counts_hold_begin(t->counts, t->y);
        t->state = BP_TREE_HOLD;
        return true;
    }
    if (!t->holds && (!node->open || t->n_nodes >= NODES_PLAIN)) {
        t->holds = true;
        return true;
    }
    if (!node->open || t->n_nodes + 2 > t->room) {
        return false;
    }
    split(t, n, spent);
    return true;
}

bool bp_tree_step(struct bp_tree *t, uint64_t work, uint64_t *spent, bool *ret_plan)
{
    uint64_t until = *spent + work;
    *ret_plan = false;
    while (!t->failed && *spent < until) {
        bool cut = false;
        switch (t->state) {
        case BP_TREE_SPLIT:
            if (!go_on(t, spent)) {
                return false;
            }
            break;
        case BP_TREE_HOLD:
            if (!bp_counts_hold_step(t->counts, until - *spent, spent, &cut)) {
                end_hold(t, cut, spent);
            }
            break;
        case BP_TREE_PACK:
            bp_counts_step(t->counts, until - *spent, spent, ret_plan);
            if (t->counts->state == BP_COUNTS_CHOOSE || t->counts->state == BP_COUNTS_DONE) {
                t->state = BP_TREE_SPLIT;
            }
            if (*ret_plan) {
                return true;
            }
            break;
        }
    }
    return !t->failed;
}

double bp_tree_bound(const struct bp_tree *t)
{
    double bound = INFINITY;
    for (uint32_t n = 0; n < t->n_nodes; n++) {
        bound = t->nodes[n].leaf ? fmin(bound, t->nodes[n].bound) : bound;
    }
    return t->failed ? 0 : bound;
}

/* ---- the proof ---- */

struct writing {
    const struct bp_tree *t;
    struct arena *arena;
    uint32_t *used; /* [n_used] cuts of the tree, in the order of the proof */
    uint32_t n_used;
    int64_t **value; /* [n_used][n_kinds] */
    int64_t *need;   /* [n_used] for the whole demand */
    struct bp_count_step *steps;
    uint32_t n_steps;
    uint32_t *lo, *hi; /* [n_kinds] of the way down; hi may be BP_UNLIMITED */
};

static bool write_cut(struct writing *w, uint32_t q, struct bp_count_cut *out)
{
    const struct bp_tree *t = w->t;
    const double *pi = t->pi[w->used[q]], *proven = t->proven[w->used[q]];
    const struct bp_red *red = t->red;
    const struct bp_problem *p = red->problem;
    double scale = red->unit * (double)(1 << BP_DUAL_BITS);
    int64_t *dual = ARENA_ARRAY(w->arena, int64_t, p->n_classes + 1);
    int64_t *best = ARENA_ARRAY(w->arena, int64_t, p->n_offerings + 1);
    __int128 need = 0;
    for (uint32_t i = 0; i < red->n_classes; i++) {
        double x = floor(pi[i] * scale * (1 - 1e-12));
        if (!(x < DUAL_MAX)) {
            return false;
        }
        for (uint32_t s = red->source_at[i]; s < red->source_at[i + 1]; s++) {
            dual[red->source[s]] = (int64_t)x;
        }
        need += (__int128)(int64_t)x * (int64_t)red->demand[i];
    }
    w->value[q] = ARENA_ARRAY(w->arena, int64_t, red->n_kinds + 1);
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        double x = ceil(proven[k] * scale);
        if (!(x < DUAL_MAX)) {
            return false;
        }
        w->value[q][k] = (int64_t)x;
    }
    w->need[q] = need < INT64_MAX ? (int64_t)need : INT64_MAX;
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        /* What there is none of may hold everything. */
        best[k] = red->kind_of[k] != BP_NO_KIND ? w->value[q][red->kind_of[k]]
                  : p->offerings[k].stock == 0  ? w->need[q]
                                                : 0;
    }
    *out = (struct bp_count_cut){.dual = dual, .best_value = best};
    return true;
}

/* Whether every kind that may come in any number costs at least what the multipliers make of it. */
static bool pays(const struct writing *w, const int64_t *weight)
{
    const struct bp_red *red = w->t->red;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        if (w->hi[k] != BP_UNLIMITED) {
            continue;
        }
        __int128 net = (__int128)red->price[k] << (BP_DUAL_BITS + BP_WEIGHT_BITS);
        for (uint32_t q = 0; q < w->n_used; q++) {
            int64_t value = w->value[q][k] < w->need[q] ? w->value[q][k] : w->need[q];
            net -= (__int128)weight[q] * value;
        }
        if (net < 0) {
            return false;
        }
    }
    return true;
}

static const int64_t *leaf_weights(struct writing *w, const struct bp_tree_node *node)
{
    uint32_t n = w->n_used;
    int64_t *weight = ARENA_ARRAY(w->arena, int64_t, n + 1);
    enum { TRIES = 7 }; /* the last takes 3 parts in 10,000 */
    double less = 1e-9;
    for (int i = 0; i < TRIES; i++, less *= 8) {
        for (uint32_t q = 0; q < n; q++) {
            double x = node->weight[w->used[q]] * (1 - less) * (double)(1 << BP_WEIGHT_BITS);
            weight[q] = (int64_t)fmin(floor(x), (double)BP_WEIGHT_MAX);
        }
        if (pays(w, weight)) {
            return weight;
        }
    }
    memset(weight, 0, n * sizeof *weight);
    return weight;
}

static void write_step(struct writing *w, uint32_t node_i)
{
    const struct bp_tree_node *node = &w->t->nodes[node_i];
    struct bp_count_step *step = &w->steps[w->n_steps++];
    if (node->leaf) {
        *step = (struct bp_count_step){.family = UINT32_MAX, .weight = leaf_weights(w, node)};
        return;
    }
    const struct bp_tree_node *child = &w->t->nodes[node->child];
    uint32_t k = child->kind, hi = w->hi[k];
    *step = (struct bp_count_step){.family = k, .split = child->split};
    w->hi[k] = hi < child->split ? hi : child->split;
    write_step(w, node->child);
    w->hi[k] = hi;
    step->above = w->n_steps;
    write_step(w, node->child + 1);
}

/* Cuts that no leaf uses need no proof of their values. */
static void list_used_cuts(struct writing *w)
{
    const struct bp_tree *t = w->t;
    w->used = ARENA_ARRAY(w->arena, uint32_t, t->n_cuts + 1);
    for (uint32_t q = 0; q < t->n_cuts; q++) {
        bool used = false;
        for (uint32_t x = 0; x < t->n_nodes && !used; x++) {
            used = t->nodes[x].leaf && t->nodes[x].weight[q] > 0;
        }
        if (used) {
            w->used[w->n_used++] = q;
        }
    }
}

const struct bp_count_proof *bp_tree_proof(const struct bp_tree *t, struct arena *arena)
{
    const struct bp_red *red = t->red;
    const struct bp_problem *p = red->problem;
    struct writing w = {.t = t, .arena = arena};
    if (t->failed) {
        return NULL;
    }
    list_used_cuts(&w);
    struct bp_count_cut *cuts = ARENA_ARRAY(arena, struct bp_count_cut, w.n_used + 1);
    w.value = ARENA_ARRAY(arena, int64_t *, w.n_used + 1);
    w.need = ARENA_ARRAY(arena, int64_t, w.n_used + 1);
    for (uint32_t q = 0; q < w.n_used; q++) {
        if (!write_cut(&w, q, &cuts[q])) {
            return NULL;
        }
    }
    w.hi = ARENA_ARRAY(arena, uint32_t, red->n_kinds + 1);
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        w.hi[k] = isinf(red->stock[k]) ? BP_UNLIMITED : (uint32_t)red->stock[k];
    }
    w.steps = ARENA_ARRAY(arena, struct bp_count_step, t->n_nodes);
    write_step(&w, 0);
    /* What holds nothing and what there is none of have families of their own. */
    uint32_t *family = ARENA_ARRAY(arena, uint32_t, p->n_offerings + 1);
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        family[k] = red->kind_of[k] != BP_NO_KIND ? red->kind_of[k]
                    : p->offerings[k].stock == 0  ? red->n_kinds + 1
                                                  : red->n_kinds;
    }
    struct bp_count_proof *proof = ARENA_NEW(arena, struct bp_count_proof);
    *proof = (struct bp_count_proof){.n_cuts = w.n_used,
                                     .n_families = red->n_kinds + 2,
                                     .n_steps = w.n_steps,
                                     .cuts = cuts,
                                     .family = family,
                                     .steps = w.steps};
    return proof;
}

void bp_tree_done(struct bp_tree *t)
{
    bp_glp_free(t->glp);
    t->glp = NULL;
}

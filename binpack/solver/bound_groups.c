/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/bound_groups.h"

#include "base/arena.h"
#include "base/vec.h"
#include "binpack/solver/bound.h"
#include "binpack/solver/glpk_box.h"
#include "binpack/solver/pattern.h"
#include "binpack/solver/pricer.h"
#include "binpack/solver/verify_branches.h"
#include "binpack/solver/verify_cells.h"

#include <math.h>
#include <string.h>

enum {
    MAX_CELLS = 400,
    MAX_ROUNDS = 150, /* of column generation for one box */
    PIVOTS = 2000,
    MAX_NODES = 600 /* boxes */
};

#define PAYS 2e-6 /* as in colgen.c */

/* A box and what is known of it. */
struct node {
    struct bp_box box;
    bool empty, split;
    usd_t bound;
    struct bp_branch_leaf leaf; /* proves it */
    uint32_t cell_i, units;     /* where to cut: BP_NO_VALUE: there is nothing to cut */
    uint32_t left, right;       /* when split */
};

struct bp_branching {
    struct arena arena, scratch;
    const struct bp_problem *problem;
    const uint32_t *placed;
    usd_t cost;
    uint64_t work, budget;
    struct bp_cells cells;
    VEC(struct node) nodes;
    usd_t bound;
    bool done;
};

/* The linear program of one box. */
struct relaxation {
    const struct bp_branching *b;
    const struct bp_box *box;
    struct arena *arena;
    struct bp_problem problem;
    struct bp_red red;
    struct bp_pool pool;
    struct bp_pricer pricer;
    struct bp_bound exact;
    struct bp_glp *glp;
    uint32_t *class_of_cell; /* [n_cells] of red, BP_NO_VALUE: nothing holds it */
    VEC(uint32_t) open;      /* cells whose units are to be decided: the first columns */
    VEC(struct bp_branch_row) rows;
    VEC(uint32_t) columns; /* patterns, after the artificial ones */
    uint32_t share_row, group_row, limit_row, n_rows;
    uint32_t *stock_row; /* [n_kinds] BP_NO_VALUE: no end */
    double *row_dual, *x;
    size_t x_room;
    double *pi, *mu, *value, *threshold;
    uint32_t *kinds;
    struct bp_branch_leaf best;
    bp_wide best_worth;
    bool has_best;
};

/* ------------------------------------------------------------------ rows and first columns */

static void list_rows(struct relaxation *r)
{
    const struct bp_problem *p = r->b->problem;
    for (uint32_t g = 0; g < p->n_groups; g++) {
        uint32_t n = p->n_axis_values[p->groups[g].axis];
        for (uint32_t x = 0; x < n * (n + 1); x++) {
            uint32_t v = x / (n + 1), u = x % (n + 1);
            int64_t most;
            u = u == n ? BP_NO_VALUE : u;
            if (!bp_cell_row(&r->b->cells, g, v, u, &most)) {
                continue;
            }
            bool any = false;
            for (uint32_t c = 0; c < r->b->cells.n_cells && !any; c++) {
                any = r->box->hi[c] > r->box->lo[c] &&
                      bp_cell_coefficient(&r->b->cells, g, v, u, c) > 0;
            }
            if (any) {
                struct bp_branch_row row = {.group_i = g, .value = v, .other = u};
                VEC_PUSH(r->arena, &r->rows, row);
            }
        }
    }
}

static void map_cells(struct relaxation *r)
{
    uint32_t n = r->b->cells.n_cells;
    r->class_of_cell = ARENA_ARRAY(r->arena, uint32_t, n);
    memset(r->class_of_cell, 0xff, n * sizeof(uint32_t));
    for (uint32_t i = 0; i < r->red.n_classes; i++) {
        for (uint32_t s = r->red.source_at[i]; s < r->red.source_at[i + 1]; s++) {
            r->class_of_cell[r->red.source[s]] = i;
        }
    }
    for (uint32_t c = 0; c < n; c++) {
        if (r->box->lo[c] < r->box->hi[c]) {
            VEC_PUSH(r->arena, &r->open, c);
        }
    }
}

static bool add_row(struct relaxation *r, enum bp_glp_row kind, double bound, struct err *err)
{
    return bp_glp_add_rows(r->glp, 1, kind, &bound, err);
}

/* Cover of each class, sharing of each class among its cells from both sides, rows of groups,
 * limits, stock. The units that a cell has at least are constants. */
static bool add_rows(struct relaxation *r, struct err *err)
{
    const struct bp_cells *cells = &r->b->cells;
    const struct bp_red *red = &r->red;
    double *cover = ARENA_ARRAY(r->arena, double, red->n_classes + 1);
    for (uint32_t c = 0; c < cells->n_cells; c++) {
        if (r->class_of_cell[c] != BP_NO_VALUE) {
            cover[r->class_of_cell[c]] += (double)r->box->lo[c];
        }
    }
    bool ok = bp_glp_add_rows(r->glp, red->n_classes, BP_ROW_AT_LEAST, cover, err);
    r->share_row = red->n_classes;
    for (uint32_t i = 0; i < r->b->problem->n_classes && ok; i++) {
        double left = r->b->placed[i];
        for (uint32_t c = cells->cell_at[i]; c < cells->cell_at[i + 1]; c++) {
            left -= (double)r->box->lo[c];
        }
        ok = add_row(r, BP_ROW_AT_LEAST, left, err) && add_row(r, BP_ROW_AT_MOST, left, err);
    }
    r->group_row = r->share_row + 2 * r->b->problem->n_classes;
    for (uint32_t x = 0; x < r->rows.n && ok; x++) {
        const struct bp_branch_row *row = &r->rows.v[x];
        int64_t most = 0;
        ok = bp_cell_row(cells, row->group_i, row->value, row->other, &most);
        for (uint32_t c = 0; c < cells->n_cells; c++) {
            most -=
                r->box->lo[c] * bp_cell_coefficient(cells, row->group_i, row->value, row->other, c);
        }
        ok = ok && add_row(r, BP_ROW_AT_MOST, (double)most, err);
    }
    r->limit_row = r->group_row + (uint32_t)r->rows.n;
    for (uint32_t l = 0; l < red->n_limits && ok; l++) {
        /* Scaled to about 1, as in master.c. */
        ok = add_row(r, BP_ROW_AT_MOST, red->limit_max[l] / fmax(1, red->limit_max[l]), err);
    }
    r->n_rows = r->limit_row + red->n_limits;
    r->stock_row = ARENA_ARRAY(r->arena, uint32_t, red->n_kinds + 1);
    for (uint32_t k = 0; k < red->n_kinds && ok; k++) {
        r->stock_row[k] = BP_NO_VALUE;
        if (!isinf(red->stock[k])) {
            r->stock_row[k] = r->n_rows++;
            ok = add_row(r, BP_ROW_AT_MOST, red->stock[k], err);
        }
    }
    return ok;
}

/* Units of open cells. */
static bool add_shares(struct relaxation *r, struct err *err)
{
    uint32_t n = (uint32_t)r->open.n, most = 2 + 2 + (uint32_t)r->rows.n;
    double *cost = ARENA_ARRAY(r->arena, double, n + 1);
    double *upper = ARENA_ARRAY(r->arena, double, n + 1);
    uint32_t *start = ARENA_ARRAY(r->arena, uint32_t, n + 1);
    uint32_t *row = ARENA_ARRAY(r->arena, uint32_t, (size_t)n * most + 1);
    double *value = ARENA_ARRAY(r->arena, double, (size_t)n *most + 1);
    uint32_t at = 0;
    for (uint32_t x = 0; x < n; x++) {
        uint32_t c = r->open.v[x], i = r->b->cells.class_of[c];
        start[x] = at;
        bool held = r->class_of_cell[c] != BP_NO_VALUE;
        upper[x] = held ? (double)(r->box->hi[c] - r->box->lo[c]) : 0;
        if (held) {
            row[at] = r->class_of_cell[c];
            value[at++] = -1;
        }
        for (uint32_t side = 0; side < 2; side++) {
            row[at] = r->share_row + 2 * i + side;
            value[at++] = 1;
        }
        for (uint32_t y = 0; y < r->rows.n; y++) {
            const struct bp_branch_row *rule = &r->rows.v[y];
            int64_t n_pods =
                bp_cell_coefficient(&r->b->cells, rule->group_i, rule->value, rule->other, c);
            if (n_pods != 0) {
                row[at] = r->group_row + y;
                value[at++] = (double)n_pods;
            }
        }
    }
    start[n] = at;
    struct bp_glp_columns columns = {
        .n = n, .cost = cost, .upper = upper, .start = start, .row = row, .value = value};
    return n == 0 || bp_glp_add_columns(r->glp, &columns, err);
}

/* Leaving a unit out, and breaking a share or a rule, at a price that no plan reaches: then a box
 * without a plan gets a bound above the cost. */
static bool add_artificials(struct relaxation *r, struct err *err)
{
    double dearest = (double)r->b->cost / r->red.unit + 1;
    for (uint32_t k = 0; k < r->red.n_kinds; k++) {
        dearest = fmax(dearest, r->red.cost[k]);
    }
    uint32_t n = r->limit_row;
    double *cost = ARENA_ARRAY(r->arena, double, n + 1);
    uint32_t *start = ARENA_ARRAY(r->arena, uint32_t, n + 1);
    uint32_t *row = ARENA_ARRAY(r->arena, uint32_t, n + 1);
    double *value = ARENA_ARRAY(r->arena, double, n + 1);
    for (uint32_t x = 0; x < n; x++) {
        bool at_least = x < r->share_row || (x < r->group_row && (x - r->share_row) % 2 == 0);
        cost[x] = 2 * dearest * (x < r->share_row ? r->red.pods[x] : 2);
        row[x] = start[x] = x;
        value[x] = at_least ? 1 : -1;
    }
    start[n] = n;
    struct bp_glp_columns columns = {
        .n = n, .cost = cost, .start = start, .row = row, .value = value};
    return bp_glp_add_columns(r->glp, &columns, err);
}

static bool add_pattern(struct relaxation *r, uint32_t kind, const struct bp_item *items,
                        uint32_t n_items, struct err *err)
{
    bool is_new = false;
    uint32_t pattern = bp_pool_add(&r->pool, kind, items, n_items, &is_new);
    if (!is_new) {
        return true;
    }
    VEC_PUSH(r->arena, &r->columns, pattern);
    uint32_t n = 0;
    uint32_t *row = ARENA_ARRAY(r->arena, uint32_t, n_items + r->red.n_limits + 1);
    double *value = ARENA_ARRAY(r->arena, double, n_items + r->red.n_limits + 1);
    for (uint32_t x = 0; x < n_items; x++) {
        row[n] = items[x].class_i;
        value[n++] = items[x].count;
    }
    for (uint32_t l = 0; l < r->red.n_limits; l++) {
        double use = r->red.limit_use[(size_t)l * r->red.n_kinds + kind];
        if (use > 0) {
            row[n] = r->limit_row + l;
            value[n++] = use / fmax(1, r->red.limit_max[l]);
        }
    }
    if (r->stock_row[kind] != BP_NO_VALUE) {
        row[n] = r->stock_row[kind];
        value[n++] = 1;
    }
    uint32_t start[2] = {0, n};
    struct bp_glp_columns columns = {
        .n = 1, .cost = &r->red.cost[kind], .start = start, .row = row, .value = value};
    return bp_glp_add_columns(r->glp, &columns, err);
}

/* ------------------------------------------------------------------ column generation */

static bool solve_lp(struct relaxation *r, uint64_t *work, struct err *err)
{
    enum bp_glp_status status = BP_GLP_MORE;
    size_t n = r->open.n + r->limit_row + r->columns.n;
    while (status == BP_GLP_MORE) {
        uint32_t pivots = 0;
        if (!bp_glp_simplex(r->glp, BP_PRIMAL, PIVOTS, &status, &pivots, err)) {
            return false;
        }
        *work += 2 + r->n_rows / 10 + (uint64_t)pivots * (1 + (r->n_rows + n) / 20);
    }
    if (status != BP_GLP_OPTIMAL) {
        return err_set(err, ERR_SOLVER, "the LP of a box was not solved");
    }
    if (n > r->x_room) {
        r->x_room = 2 * n;
        r->x = ARENA_ARRAY(r->arena, double, r->x_room);
    }
    double cost;
    if (!bp_glp_read(r->glp, &cost, r->x, r->row_dual, NULL, NULL, err)) {
        return false;
    }
    for (uint32_t i = 0; i < r->red.n_classes; i++) {
        r->pi[i] = fmax(0, r->row_dual[i]);
    }
    for (uint32_t l = 0; l < r->red.n_limits; l++) {
        r->mu[l] = fmax(0, -r->row_dual[r->limit_row + l]) / fmax(1, r->red.limit_max[l]);
    }
    return true;
}

/* Prices in integers for the box, kept when they prove more than those before. */
static void keep_prices(struct relaxation *r)
{
    const struct bp_problem *p = r->b->problem;
    const struct bp_cells *cells = &r->b->cells;
    double theta = 1;
    bp_bound_exact(&r->exact, &r->red, r->pi, r->mu, r->value, r->red.demand);
    (void)bp_bound_estimate(&r->red, r->pi, r->mu, r->value, r->red.demand, &theta);
    int64_t *dual = ARENA_ARRAY(r->arena, int64_t, cells->n_cells + 1);
    int64_t *limit_dual = ARENA_ARRAY(r->arena, int64_t, p->n_limits + 1);
    int64_t *best_value = ARENA_ARRAY(r->arena, int64_t, bp_n_finite(p) + 1);
    struct bp_branch_row *rows = ARENA_ARRAY(r->arena, struct bp_branch_row, r->rows.n + 1);
    for (uint32_t c = 0; c < cells->n_cells; c++) {
        dual[c] = r->class_of_cell[c] == BP_NO_VALUE ? 0 : r->exact.dual[r->class_of_cell[c]];
    }
    for (uint32_t l = 0; l < r->red.n_limits; l++) {
        limit_dual[r->red.limit_source[l]] = r->exact.limit_dual[l];
    }
    for (uint32_t k = 0, n = 0; k < p->n_offerings; k++) {
        uint32_t kind = r->red.kind_of[k];
        if (p->offerings[k].stock != BP_UNLIMITED) {
            best_value[n++] = kind == BP_NO_KIND ? 0 : r->exact.value[kind];
        }
    }
    struct bp_branch_leaf leaf = {
        .dual = dual, .limit_dual = limit_dual, .best_value = best_value, .rows = rows};
    double scale = r->red.unit * (double)(1 << BP_DUAL_BITS) / theta;
    for (uint32_t x = 0; x < r->rows.n; x++) {
        double lambda = fmax(0, -r->row_dual[r->group_row + x]) * scale;
        if (lambda >= 1 && lambda < 1e18) {
            rows[leaf.n_rows] = r->rows.v[x];
            rows[leaf.n_rows++].dual = (int64_t)lambda;
        }
    }
    /* What limits and finite offerings take off, as in bp_bound_evaluate with nothing placed. */
    bp_wide sum = bp_box_worth(cells, r->b->placed, r->box, &leaf, r->arena);
    for (uint32_t l = 0; l < p->n_limits; l++) {
        sum -= (bp_wide)limit_dual[l] * p->limits[l].max;
    }
    for (uint32_t k = 0, n = 0; k < p->n_offerings; k++) {
        if (p->offerings[k].stock == BP_UNLIMITED) {
            continue;
        }
        bp_wide gain = best_value[n++] - ((bp_wide)p->offerings[k].price << BP_DUAL_BITS);
        for (uint32_t l = 0; l < p->n_limits; l++) {
            gain -= (bp_wide)limit_dual[l] * p->limits[l].use[k];
        }
        sum -= gain > 0 ? gain * p->offerings[k].stock : 0;
    }
    if (!r->has_best || sum > r->best_worth) {
        r->has_best = true;
        r->best = leaf;
        r->best_worth = sum;
    }
}

/* Prices all kinds; *ret_found says whether anything pays. */
static bool price_all(struct relaxation *r, uint32_t round, uint64_t *work, bool *ret_found,
                      struct err *err)
{
    const struct bp_red *red = &r->red;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        double charge = red->cost[k];
        charge += r->stock_row[k] == BP_NO_VALUE ? 0 : fmax(0, -r->row_dual[r->stock_row[k]]);
        for (uint32_t l = 0; l < red->n_limits; l++) {
            charge += r->mu[l] * red->limit_use[(size_t)l * red->n_kinds + k];
        }
        r->threshold[k] = charge * (1 + 5e-6);
        r->kinds[k] = k;
    }
    struct bp_price_job job = {.value = r->pi,
                               .upper = red->demand,
                               .rules = BP_RULES_NECESSARY,
                               .n = red->n_kinds,
                               .kinds = r->kinds,
                               .threshold = r->threshold,
                               .nodes = round < 20 ? 20 : 400,
                               .deep_states = 4096,
                               .rel = 1e-6};
    *work += bp_pricer_run(&r->pricer, &job) / 1000 + 1;
    *ret_found = false;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        const struct bp_priced *priced = &r->pricer.priced[k];
        r->value[k] = priced->bound;
        for (uint32_t f = 0; f < priced->n_found && f < 2; f++) {
            if (priced->value[f] <= r->threshold[k] + PAYS * fmax(red->cost[k], 1e-3)) {
                break;
            }
            size_t before = r->columns.n;
            if (!add_pattern(r, k, priced->items[f], priced->n_items[f], err)) {
                return false;
            }
            *ret_found |= r->columns.n > before;
        }
    }
    return true;
}

static bool begin(struct relaxation *r, struct err *err)
{
    bp_box_problem(&r->b->cells, r->box, &r->problem, r->arena);
    bp_red_build(&r->red, &r->problem, r->arena);
    bp_pricer_init(&r->pricer, r->arena, &r->red, NULL);
    bp_pool_init(&r->pool, r->arena, &r->red);
    bp_bound_init(&r->exact, r->arena, &r->red);
    map_cells(r);
    list_rows(r);
    const struct bp_red *red = &r->red;
    r->pi = ARENA_ARRAY(r->arena, double, red->n_classes + 1);
    r->mu = ARENA_ARRAY(r->arena, double, red->n_limits + 1);
    r->value = ARENA_ARRAY(r->arena, double, red->n_kinds + 1);
    r->threshold = ARENA_ARRAY(r->arena, double, red->n_kinds + 1);
    r->kinds = ARENA_ARRAY(r->arena, uint32_t, red->n_kinds + 1);
    if (!bp_glp_new(r->arena, &r->glp, err) || !add_rows(r, err) || !add_shares(r, err) ||
        !add_artificials(r, err)) {
        return false;
    }
    r->row_dual = ARENA_ARRAY(r->arena, double, r->n_rows + 1);
    return true;
}

/* Where the solution is least settled: a cell with a fraction of a unit, else the one with most
 * room for a change. */
static void find_cut(const struct relaxation *r, struct node *node)
{
    double best = 0;
    node->cell_i = BP_NO_VALUE;
    for (uint32_t x = 0; x < r->open.n; x++) {
        uint32_t c = r->open.v[x];
        double units = (double)r->box->lo[c] + r->x[x];
        double part = units - floor(units + 1e-6);
        double room = (double)(r->box->hi[c] - r->box->lo[c]);
        double score = part > 1e-4 ? 2 + fmin(part, 1 - part) : room / (room + 1);
        if (score > best) {
            best = score;
            node->cell_i = c;
            int64_t at = (int64_t)floor(units + 1e-6);
            at = at < r->box->lo[c] ? r->box->lo[c] : at;
            node->units = (uint32_t)(at < r->box->hi[c] ? at : r->box->hi[c] - 1);
        }
    }
}

static void copy_leaf(const struct bp_branching *b, const struct bp_branch_leaf *from,
                      struct bp_branch_leaf *to, struct arena *arena)
{
    const struct bp_problem *p = b->problem;
    *to = *from;
    to->dual = (const int64_t *)(const void *)arena_copy(arena, from->dual,
                                                         b->cells.n_cells * sizeof(int64_t));
    to->limit_dual = (const int64_t *)(const void *)arena_copy(arena, from->limit_dual,
                                                               p->n_limits * sizeof(int64_t));
    to->best_value = (const int64_t *)(const void *)arena_copy(arena, from->best_value,
                                                               bp_n_finite(p) * sizeof(int64_t));
    to->rows = (const struct bp_branch_row *)(const void *)arena_copy(
        arena, from->rows, from->n_rows * sizeof *from->rows);
}

/* Solves the box of a node. False when the LP library failed: the node keeps what it had. */
static bool relax(struct bp_branching *b, struct node *node)
{
    struct relaxation r = {.b = b, .box = &node->box, .arena = &b->scratch};
    struct arena_mark mark = arena_mark(&b->scratch);
    struct err err;
    uint64_t work = 10;
    bool ok = begin(&r, &err), found = true;

    for (uint32_t round = 0; round < MAX_ROUNDS && ok && found; round++) {
        ok = b->work + work < b->budget && solve_lp(&r, &work, &err) &&
             price_all(&r, round, &work, &found, &err);
        if (ok && (!found || round % 8 == 7)) {
            keep_prices(&r);
        }
    }
    if (ok) {
        keep_prices(&r);
        find_cut(&r, node);
    }
    bp_pricer_done(&r.pricer);
    bp_glp_free(r.glp);
    if (r.has_best) {
        bp_wide worth = r.best_worth;
        usd_t bound =
            worth <= 0 ? 0 : (usd_t)((worth + ((bp_wide)1 << BP_DUAL_BITS) - 1) >> BP_DUAL_BITS);
        if (node->leaf.dual == NULL || bound > node->bound) {
            node->bound = bound;
            copy_leaf(b, &r.best, &node->leaf, &b->arena);
        }
    }
    b->work += work;
    arena_rewind(&b->scratch, mark);
    return ok;
}

/* ------------------------------------------------------------------ the tree */

static void copy_box(struct bp_branching *b, const struct bp_box *from, struct bp_box *to)
{
    size_t n = b->cells.n_cells * sizeof(int64_t);
    to->lo = (int64_t *)(void *)arena_copy(&b->arena, from->lo, n);
    to->hi = (int64_t *)(void *)arena_copy(&b->arena, from->hi, n);
}

bool bp_branching_is_worth(const struct bp_problem *problem)
{
    if (problem->n_groups == 0 || problem->n_classes > MAX_CELLS) {
        return false;
    }
    auto_arena arena = ARENA_INIT;
    struct bp_cells cells;
    bp_cells_build(&cells, problem, &arena);
    return cells.n_cells <= MAX_CELLS;
}

struct bp_branching *bp_branching_new(const struct bp_problem *problem, const uint32_t *placed,
                                      usd_t cost, uint64_t budget)
{
    struct arena arena = ARENA_INIT;
    struct bp_branching *b = ARENA_NEW(&arena, struct bp_branching);
    b->arena = arena;
    b->problem = problem;
    b->placed = (const uint32_t *)(const void *)arena_copy(&b->arena, placed,
                                                           problem->n_classes * sizeof *placed);
    b->cost = cost;
    b->budget = budget;
    bp_cells_build(&b->cells, problem, &b->arena);
    struct node root = {.cell_i = BP_NO_VALUE};
    bp_box_open(&b->cells, placed, &root.box, &b->arena);
    root.empty = !bp_box_tighten(&b->cells, placed, &root.box, &b->scratch);
    b->done = root.empty || !relax(b, &root) || root.leaf.dual == NULL;
    b->bound = root.bound;
    VEC_PUSH(&b->arena, &b->nodes, root);
    return b;
}

/* The open node with the least bound. */
static uint32_t least_node(const struct bp_branching *b)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t x = 0; x < b->nodes.n; x++) {
        const struct node *node = &b->nodes.v[x];
        if (!node->empty && !node->split &&
            (best == UINT32_MAX || node->bound < b->nodes.v[best].bound)) {
            best = x;
        }
    }
    return best;
}

/* A part of a node; the node's proof holds for it too, and in the smaller box it may prove more. */
static uint32_t add_part(struct bp_branching *b, uint32_t parent_i, bool above)
{
    struct node parent = b->nodes.v[parent_i];
    struct node part = {.bound = parent.bound, .leaf = parent.leaf, .cell_i = BP_NO_VALUE};
    copy_box(b, &parent.box, &part.box);
    if (above) {
        part.box.lo[parent.cell_i] = (int64_t)parent.units + 1;
    } else {
        part.box.hi[parent.cell_i] = parent.units;
    }
    part.empty = !bp_box_tighten(&b->cells, b->placed, &part.box, &b->scratch);
    if (!part.empty && !relax(b, &part)) {
        b->done = true;
    }
    VEC_PUSH(&b->arena, &b->nodes, part);
    return (uint32_t)b->nodes.n - 1;
}

bool bp_branching_step(struct bp_branching *b, uint64_t work)
{
    uint64_t until = b->work + work;
    while (!b->done && b->work < until) {
        uint32_t x = least_node(b);
        b->bound = x == UINT32_MAX ? b->bound : b->nodes.v[x].bound;
        if (x == UINT32_MAX || b->bound >= b->cost || b->nodes.v[x].cell_i == BP_NO_VALUE ||
            b->work >= b->budget || b->nodes.n + 2 > MAX_NODES) {
            b->done = true;
            break;
        }
        uint32_t left = add_part(b, x, /* above= */ false);
        uint32_t right = add_part(b, x, /* above= */ true);
        b->nodes.v[x].split = true;
        b->nodes.v[x].left = left;
        b->nodes.v[x].right = right;
    }
    uint32_t x = least_node(b);
    b->bound = x == UINT32_MAX ? b->bound : b->nodes.v[x].bound;
    return !b->done;
}

usd_t bp_branching_bound(const struct bp_branching *b)
{
    return b->bound < b->cost ? b->bound : b->cost;
}

uint64_t bp_branching_work(const struct bp_branching *b)
{
    return b->work;
}

uint64_t bp_branching_arena_bytes(const struct bp_branching *b)
{
    return b->arena.held_bytes + b->scratch.held_bytes;
}

void bp_branching_certify(const struct bp_branching *b, struct arena *arena,
                          struct bp_certificate *certificate)
{
    if (b->nodes.n == 0 || b->nodes.v[0].empty || b->nodes.v[0].leaf.dual == NULL) {
        return;
    }
    auto_arena scratch = ARENA_INIT;
    uint32_t n = (uint32_t)b->nodes.n, n_stack = 0, n_out = 0;
    struct bp_branch *out = ARENA_ARRAY(arena, struct bp_branch, n);
    uint32_t *stack = ARENA_ARRAY(&scratch, uint32_t, n + 1);
    stack[n_stack++] = 0;
    while (n_stack > 0) { /* preorder */
        const struct node *node = &b->nodes.v[stack[--n_stack]];
        struct bp_branch *at = &out[n_out++];
        at->cell_i = BP_NO_VALUE;
        if (node->split) {
            at->cell_i = node->cell_i;
            at->units = node->units;
            stack[n_stack++] = node->right;
            stack[n_stack++] = node->left;
        } else if (!node->empty) {
            struct bp_branch_leaf *leaf = ARENA_NEW(arena, struct bp_branch_leaf);
            copy_leaf(b, &node->leaf, leaf, arena);
            at->leaf = leaf;
        }
    }
    certificate->bound = bp_branching_bound(b);
    certificate->n_branches = n_out;
    certificate->branches = out;
}

void bp_branching_free(struct bp_branching *b)
{
    if (b == NULL) {
        return;
    }
    arena_done(&b->scratch);
    struct arena arena = b->arena;
    arena_done(&arena);
}

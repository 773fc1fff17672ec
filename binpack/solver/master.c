/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/master.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"

enum { REBUILDS_MAX = 3 };

void bp_master_init(struct bp_master *master, struct arena *arena, const struct bp_red *red,
                    struct bp_pool *pool, const double *penalty)
{
    *master = (struct bp_master){.red = red, .pool = pool, .arena = arena, .penalty = penalty};
    master->demand = ARENA_ARRAY(arena, double, red->n_classes + 1);
    master->stock = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    master->limit = ARENA_ARRAY(arena, double, red->n_limits + 1);
    master->stock_row = ARENA_ARRAY(arena, uint32_t, red->n_kinds + 1);
    master->left_out = ARENA_ARRAY(arena, double, red->n_classes + 1);
    master->pi = ARENA_ARRAY(arena, double, red->n_classes + 1);
    master->sigma = ARENA_ARRAY(arena, double, red->n_kinds + 1);
    master->mu = ARENA_ARRAY(arena, double, red->n_limits + 1);
    memcpy(master->demand, red->demand, red->n_classes * sizeof(double));
    memcpy(master->stock, red->stock, red->n_kinds * sizeof(double));
    memcpy(master->limit, red->limit_max, red->n_limits * sizeof(double));
}

void bp_master_done(struct bp_master *master)
{
    bp_glp_free(master->glp);
    master->glp = NULL;
}

bool bp_master_has(const struct bp_master *master, uint32_t pattern)
{
    return pattern < master->column_of.n && master->column_of.v[pattern] != 0;
}

/* Finite kinds among the patterns get their row before the columns that use it. */
static bool add_stock_rows(struct bp_master *master, uint32_t n, const uint32_t *patterns,
                           struct err *err)
{
    const struct bp_red *red = master->red;
    for (uint32_t j = 0; j < n; j++) {
        uint32_t k = master->pool->patterns.v[patterns[j]].kind;
        if (isinf(red->stock[k]) || master->stock_row[k] != UINT32_MAX) {
            continue;
        }
        if (!bp_glp_add_rows(master->glp, 1, BP_ROW_AT_MOST, &master->stock[k], err)) {
            return false;
        }
        master->stock_row[k] = master->n_rows++;
    }
    return true;
}

static bool add_columns(struct bp_master *master, uint32_t n, const uint32_t *patterns,
                        struct err *err)
{
    const struct bp_red *red = master->red;
    auto_arena scratch = ARENA_INIT;
    size_t n_entries = 0;
    for (uint32_t j = 0; j < n; j++) {
        n_entries += master->pool->patterns.v[patterns[j]].n_items + 1 + red->n_limits;
    }
    double *cost = ARENA_ARRAY(&scratch, double, n + 1);
    uint32_t *start = ARENA_ARRAY(&scratch, uint32_t, n + 1);
    uint32_t *row = ARENA_ARRAY(&scratch, uint32_t, n_entries + 1);
    double *value = ARENA_ARRAY(&scratch, double, n_entries + 1);
    uint32_t at = 0;
    for (uint32_t j = 0; j < n; j++) {
        const struct bp_pattern *p = &master->pool->patterns.v[patterns[j]];
        const struct bp_item *items = master->pool->items.v + p->at;
        cost[j] = red->cost[p->kind];
        start[j] = at;
        for (uint32_t i = 0; i < p->n_items; i++) {
            row[at] = items[i].class_i;
            value[at++] = items[i].count;
        }
        for (uint32_t r = 0; r < red->n_limits; r++) {
            double use = red->limit_use[(size_t)r * red->n_kinds + p->kind];
            if (use > 0) {
                row[at] = red->n_classes + r;
                /* Limits are scaled to a right-hand side of about 1: use may be in bytes. */
                value[at++] = use / fmax(1, red->limit_max[r]);
            }
        }
        if (master->stock_row[p->kind] != UINT32_MAX) {
            row[at] = master->stock_row[p->kind];
            value[at++] = 1;
        }
    }
    start[n] = at;
    struct bp_glp_columns columns = {
        .n = n, .cost = cost, .start = start, .row = row, .value = value};
    return bp_glp_add_columns(master->glp, &columns, err);
}

static bool add_artificials(struct bp_master *master, struct err *err)
{
    uint32_t m = master->red->n_classes;
    auto_arena scratch = ARENA_INIT;
    uint32_t *start = ARENA_ARRAY(&scratch, uint32_t, m + 1);
    uint32_t *row = ARENA_ARRAY(&scratch, uint32_t, m + 1);
    double *value = ARENA_ARRAY(&scratch, double, m + 1);
    for (uint32_t i = 0; i < m; i++) {
        row[i] = start[i] = i;
        value[i] = 1;
    }
    start[m] = m;
    struct bp_glp_columns columns = {
        .n = m, .cost = master->penalty, .start = start, .row = row, .value = value};
    return bp_glp_add_columns(master->glp, &columns, err);
}

static double scaled_limit(const struct bp_master *master, uint32_t r)
{
    return master->limit[r] / fmax(1, master->red->limit_max[r]);
}

static bool build(struct bp_master *master, struct err *err)
{
    const struct bp_red *red = master->red;
    if (master->n_rebuilt++ >= REBUILDS_MAX) {
        return err_set(err, ERR_SOLVER, "the LP was lost %u times", (unsigned)REBUILDS_MAX);
    }
    if (!bp_glp_new(master->arena, &master->glp, err) ||
        !bp_glp_add_rows(master->glp, red->n_classes, BP_ROW_AT_LEAST, master->demand, err)) {
        return false;
    }
    for (uint32_t r = 0; r < red->n_limits; r++) {
        double most = scaled_limit(master, r);
        if (!bp_glp_add_rows(master->glp, 1, BP_ROW_AT_MOST, &most, err)) {
            return false;
        }
    }
    master->n_rows = red->n_classes + red->n_limits;
    memset(master->stock_row, 0xff, red->n_kinds * sizeof(uint32_t));
    return add_artificials(master, err) &&
           add_stock_rows(master, (uint32_t)master->columns.n, master->columns.v, err) &&
           add_columns(master, (uint32_t)master->columns.n, master->columns.v, err);
}

static bool ready(struct bp_master *master, struct err *err)
{
    return bp_glp_is_alive(master->glp) || build(master, err);
}

bool bp_master_set_rest(struct bp_master *master, const double *demand, const double *stock,
                        const double *limit, struct err *err)
{
    const struct bp_red *red = master->red;
    if (!ready(master, err)) {
        return false;
    }
    for (uint32_t i = 0; i < red->n_classes; i++) {
        if (demand[i] != master->demand[i]) {
            master->demand[i] = demand[i];
            if (!bp_glp_set_row(master->glp, i, BP_ROW_AT_LEAST, demand[i], err)) {
                return false;
            }
        }
    }
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        double left = stock != NULL ? stock[k] : red->stock[k];
        if (left != master->stock[k]) {
            master->stock[k] = left;
            if (master->stock_row[k] != UINT32_MAX &&
                !bp_glp_set_row(master->glp, master->stock_row[k], BP_ROW_AT_MOST, left, err)) {
                return false;
            }
        }
    }
    master->n_active = master->n_rows - red->n_classes;
    for (uint32_t i = 0; i < red->n_classes; i++) {
        master->n_active += demand[i] > 0;
    }
    for (uint32_t r = 0; r < red->n_limits; r++) {
        master->limit[r] = limit != NULL ? limit[r] : red->limit_max[r];
        if (!bp_glp_set_row(master->glp, red->n_classes + r, BP_ROW_AT_MOST,
                            scaled_limit(master, r), err)) {
            return false;
        }
    }
    master->rhs_changed = true;
    return true;
}

bool bp_master_add(struct bp_master *master, uint32_t n, const uint32_t *patterns, struct err *err)
{
    if (!ready(master, err)) {
        return false;
    }
    uint32_t first = (uint32_t)master->columns.n;
    for (uint32_t j = 0; j < n; j++) {
        if (bp_master_has(master, patterns[j])) {
            continue;
        }
        VEC_PUSH(master->arena, &master->columns, patterns[j]);
        while (master->column_of.n <= patterns[j]) {
            VEC_PUSH(master->arena, &master->column_of, 0);
        }
        master->column_of.v[patterns[j]] = (uint32_t)master->columns.n;
    }
    uint32_t n_new = (uint32_t)master->columns.n - first;
    if (n_new == 0) {
        return true;
    }
    return add_stock_rows(master, n_new, master->columns.v + first, err) &&
           add_columns(master, n_new, master->columns.v + first, err);
}

static void make_room(struct bp_master *master)
{
    size_t n = master->red->n_classes + master->columns.n;
    if (n > master->x_room) {
        master->x_room = n + n / 2 + 64;
        master->all_x = ARENA_ARRAY(master->arena, double, master->x_room);
    }
    if (master->n_rows > master->row_room) {
        master->row_room = master->n_rows + master->n_rows / 2 + 64;
        master->row_dual = ARENA_ARRAY(master->arena, double, master->row_room);
    }
}

static bool read_solution(struct bp_master *master, struct err *err)
{
    const struct bp_red *red = master->red;
    make_room(master);
    if (!bp_glp_read(master->glp, &master->cost, master->all_x, master->row_dual, NULL, NULL,
                     err)) {
        return false;
    }
    master->x = master->all_x + red->n_classes;
    memcpy(master->left_out, master->all_x, red->n_classes * sizeof(double));
    for (uint32_t i = 0; i < red->n_classes; i++) {
        master->pi[i] = fmax(0, master->row_dual[i]);
    }
    for (uint32_t r = 0; r < red->n_limits; r++) {
        master->mu[r] = fmax(0, -master->row_dual[red->n_classes + r]) / fmax(1, red->limit_max[r]);
    }
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        uint32_t row = master->stock_row[k];
        master->sigma[k] = row != UINT32_MAX ? fmax(0, -master->row_dual[row]) : 0;
    }
    return true;
}

bool bp_master_solve(struct bp_master *master, uint32_t pivots, bool *ret_done, uint64_t *ret_work,
                     struct err *err)
{
    enum bp_glp_status status;
    uint32_t n_pivots = 0;
    if (!ready(master, err) ||
        !bp_glp_simplex(master->glp, master->rhs_changed ? BP_DUAL : BP_PRIMAL, pivots, &status,
                        &n_pivots, err)) {
        return false;
    }
    double rows = master->n_active, columns = (double)master->columns.n + master->red->n_classes;
    /* Beyond some hundred rows the basis is mostly slacks and stock. */
    double dense = fmin(rows, 500);
    *ret_work = (uint64_t)(10 + rows * 0.2 + columns * 0.05 +
                           n_pivots * (2 + rows * 0.07 + dense * dense * 0.0003 + columns * 0.012));
    *ret_done = status == BP_GLP_OPTIMAL;
    if (status == BP_GLP_INFEASIBLE || status == BP_GLP_FAILED) {
        return err_set(err, ERR_SOLVER, "the LP of %u rows was not solved", master->n_rows);
    }
    if (!*ret_done) {
        return true;
    }
    master->rhs_changed = false;
    return read_solution(master, err);
}

bool bp_master_purge(struct bp_master *master, double rel, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    uint32_t m = master->red->n_classes, n = (uint32_t)master->columns.n, n_out = 0, n_kept = 0;
    double *dual = ARENA_ARRAY(&scratch, double, m + n + 1);
    bool *basic = ARENA_ARRAY(&scratch, bool, m + n + 1);
    uint32_t *out = ARENA_ARRAY(&scratch, uint32_t, n + 1);
    if (!bp_glp_read(master->glp, NULL, NULL, NULL, dual, basic, err)) {
        return false;
    }
    for (uint32_t c = 0; c < n; c++) {
        uint32_t pattern = master->columns.v[c];
        double cost = master->red->cost[master->pool->patterns.v[pattern].kind];
        /* Patterns of one class stay: without them a new demand could only be left out. */
        bool single = master->pool->patterns.v[pattern].n_items == 1;
        if (!basic[m + c] && !single && dual[m + c] > rel * cost) {
            out[n_out++] = m + c;
            master->column_of.v[pattern] = 0;
        } else {
            master->columns.v[n_kept++] = pattern;
            master->column_of.v[pattern] = n_kept;
        }
    }
    master->columns.n = n_kept;
    return bp_glp_delete_columns(master->glp, n_out, out, err);
}

double bp_master_reduced(const struct bp_master *master, uint32_t kind, const struct bp_item *items,
                         uint32_t n)
{
    const struct bp_red *red = master->red;
    double reduced = red->cost[kind] + master->sigma[kind];
    for (uint32_t r = 0; r < red->n_limits; r++) {
        reduced += master->mu[r] * red->limit_use[(size_t)r * red->n_kinds + kind];
    }
    for (uint32_t j = 0; j < n; j++) {
        reduced -= master->pi[items[j].class_i] * items[j].count;
    }
    return reduced;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/glpk_box.h"

#include <glpk.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { MEMORY_MIB = 1024, TEXT_MAX = 200, PORTION_MAX = 1 << 16 /* pivots */ };

struct bp_glp {
    glp_prob *lp;
    struct arena *arena;
    const void *thread; /* address of the thread's box */
    uint32_t epoch;
    uint32_t n_failed;
    uint64_t n_unfinished; /* pivots of calls in a row that did not get to the end */
    struct glpk_scratch {
        int *index;
        double *value;
        size_t room;
    } scratch;
};

/* GLPK's environment is thread-local, so what guards it is too. */
static _Thread_local struct {
    jmp_buf jump;
    uint32_t epoch; /* counts thrown-away environments */
    uint32_t n_open;
    char text[TEXT_MAX];
} box;

static int swallow(void *info, const char *text)
{
    (void)info;
    size_t n = strnlen(text, TEXT_MAX - 1);
    while (n > 0 && text[n - 1] == '\n') {
        n--;
    }
    if (n > 0) {
        memcpy(box.text, text, n);
        box.text[n] = '\0';
    }
    return 1;
}

static void escape(void *info)
{
    (void)info;
    longjmp(box.jump, 1);
}

bool bp_glp_is_alive(const struct bp_glp *glp)
{
    return glp != NULL && glp->lp != NULL && glp->thread == &box && glp->epoch == box.epoch;
}

/* Runs `call` with abort() turned into a return. What it changes is behind `arg`, so no local is
 * lost by the jump. */
static bool guarded(struct bp_glp *glp, void (*call)(struct bp_glp *glp, void *arg), void *arg,
                    struct err *err)
{
    if (glp->lp != NULL && !bp_glp_is_alive(glp)) {
        return err_set(err, ERR_SOLVER, "the LP was lost with its GLPK environment");
    }
    glp_term_out(GLP_OFF);
    glp_term_hook(swallow, NULL);
    glp_error_hook(escape, NULL);
    glp_mem_limit(MEMORY_MIB);
    if (setjmp(box.jump) == 0) {
        call(glp, arg);
        glp_error_hook(NULL, NULL);
        return true;
    }
    glp_error_hook(NULL, NULL);
    glp_free_env();
    box.epoch++;
    box.n_open = 0;
    glp->lp = NULL;
    return err_set(err, ERR_SOLVER, "GLPK gave up: %s", box.text[0] != '\0' ? box.text : "no text");
}

static int *scratch_index(struct bp_glp *glp, size_t n)
{
    struct glpk_scratch *s = &glp->scratch;
    if (n + 1 > s->room) {
        s->room = 2 * (n + 1) + 64;
        s->index = ARENA_ARRAY(glp->arena, int, s->room);
        s->value = ARENA_ARRAY(glp->arena, double, s->room);
    }
    return s->index;
}

static void call_new(struct bp_glp *glp, void *arg)
{
    (void)arg;
    glp->lp = glp_create_prob();
    glp_set_obj_dir(glp->lp, GLP_MIN);
}

bool bp_glp_new(struct arena *arena, struct bp_glp **ret_glp, struct err *err)
{
    struct bp_glp *glp = ARENA_NEW(arena, struct bp_glp);
    glp->arena = arena;
    box.text[0] = '\0';
    if (!guarded(glp, call_new, NULL, err)) {
        return false;
    }
    glp->thread = &box;
    glp->epoch = box.epoch;
    box.n_open++;
    *ret_glp = glp;
    return true;
}

static void call_free(struct bp_glp *glp, void *arg)
{
    (void)arg;
    glp_delete_prob(glp->lp);
}

void bp_glp_free(struct bp_glp *glp)
{
    if (!bp_glp_is_alive(glp)) {
        return;
    }
    struct err err;
    if (guarded(glp, call_free, NULL, &err)) {
        glp->lp = NULL;
        if (--box.n_open == 0) {
            glp_free_env();
            box.epoch++;
        }
    }
}

struct rows_call {
    uint32_t first, n;
    bool add;
    enum bp_glp_row kind;
    const double *bound;
};

static void call_rows(struct bp_glp *glp, void *arg)
{
    const struct rows_call *c = arg;
    int first = c->add ? glp_add_rows(glp->lp, (int)c->n) : (int)c->first + 1;
    for (uint32_t r = 0; r < c->n; r++) {
        int type = c->kind == BP_ROW_AT_LEAST ? GLP_LO : GLP_UP;
        glp_set_row_bnds(glp->lp, first + (int)r, type, c->bound[r], c->bound[r]);
    }
}

bool bp_glp_add_rows(struct bp_glp *glp, uint32_t n, enum bp_glp_row kind, const double *bound,
                     struct err *err)
{
    struct rows_call call = {.n = n, .add = true, .kind = kind, .bound = bound};
    return n == 0 || guarded(glp, call_rows, &call, err);
}

bool bp_glp_set_row(struct bp_glp *glp, uint32_t row, enum bp_glp_row kind, double bound,
                    struct err *err)
{
    struct rows_call call = {.first = row, .n = 1, .kind = kind, .bound = &bound};
    return guarded(glp, call_rows, &call, err);
}

static void set_upper(glp_prob *lp, int column, double upper)
{
    if (isinf(upper)) {
        glp_set_col_bnds(lp, column, GLP_LO, 0, 0);
    } else if (upper <= 0) {
        glp_set_col_bnds(lp, column, GLP_FX, 0, 0);
    } else {
        glp_set_col_bnds(lp, column, GLP_DB, 0, upper);
    }
}

static void call_columns(struct bp_glp *glp, void *arg)
{
    const struct bp_glp_columns *c = arg;
    int first = glp_add_cols(glp->lp, (int)c->n);
    for (uint32_t j = 0; j < c->n; j++) {
        uint32_t n = c->start[j + 1] - c->start[j];
        int *index = scratch_index(glp, n);
        for (uint32_t e = 0; e < n; e++) {
            index[e + 1] = (int)c->row[c->start[j] + e] + 1;
            glp->scratch.value[e + 1] = c->value[c->start[j] + e];
        }
        glp_set_obj_coef(glp->lp, first + (int)j, c->cost[j]);
        set_upper(glp->lp, first + (int)j, c->upper != NULL ? c->upper[j] : INFINITY);
        glp_set_mat_col(glp->lp, first + (int)j, (int)n, index, glp->scratch.value);
    }
}

bool bp_glp_add_columns(struct bp_glp *glp, const struct bp_glp_columns *columns, struct err *err)
{
    struct bp_glp_columns call = *columns;
    return call.n == 0 || guarded(glp, call_columns, &call, err);
}

struct row_call {
    enum bp_glp_row kind;
    double bound;
    uint32_t n;
    const uint32_t *columns;
    const double *value;
};

static void call_row(struct bp_glp *glp, void *arg)
{
    const struct row_call *c = arg;
    int row = glp_add_rows(glp->lp, 1);
    int *index = scratch_index(glp, c->n);
    for (uint32_t e = 0; e < c->n; e++) {
        index[e + 1] = (int)c->columns[e] + 1;
        glp->scratch.value[e + 1] = c->value[e];
    }
    glp_set_row_bnds(glp->lp, row, c->kind == BP_ROW_AT_LEAST ? GLP_LO : GLP_UP, c->bound,
                     c->bound);
    glp_set_mat_row(glp->lp, row, (int)c->n, index, glp->scratch.value);
}

bool bp_glp_add_row(struct bp_glp *glp, enum bp_glp_row kind, double bound, uint32_t n,
                    const uint32_t *columns, const double *value, struct err *err)
{
    struct row_call call = {
        .kind = kind, .bound = bound, .n = n, .columns = columns, .value = value};
    return guarded(glp, call_row, &call, err);
}

struct list_call {
    uint32_t n;
    const uint32_t *columns;
};

static void call_delete(struct bp_glp *glp, void *arg)
{
    const struct list_call *c = arg;
    int *index = scratch_index(glp, c->n);
    for (uint32_t j = 0; j < c->n; j++) {
        index[j + 1] = (int)c->columns[j] + 1;
    }
    glp_del_cols(glp->lp, (int)c->n, index);
}

bool bp_glp_delete_columns(struct bp_glp *glp, uint32_t n, const uint32_t *columns, struct err *err)
{
    struct list_call call = {.n = n, .columns = columns};
    return n == 0 || guarded(glp, call_delete, &call, err);
}

struct column_call {
    uint32_t column;
    double value;
};

static void call_upper(struct bp_glp *glp, void *arg)
{
    const struct column_call *c = arg;
    set_upper(glp->lp, (int)c->column + 1, c->value);
}

bool bp_glp_set_upper(struct bp_glp *glp, uint32_t column, double upper, struct err *err)
{
    struct column_call call = {.column = column, .value = upper};
    return guarded(glp, call_upper, &call, err);
}

static void call_cost(struct bp_glp *glp, void *arg)
{
    const struct column_call *c = arg;
    glp_set_obj_coef(glp->lp, (int)c->column + 1, c->value);
}

bool bp_glp_set_cost(struct bp_glp *glp, uint32_t column, double cost, struct err *err)
{
    struct column_call call = {.column = column, .value = cost};
    return guarded(glp, call_cost, &call, err);
}

/* ---- simplex ---- */

struct simplex_call {
    enum bp_glp_method method;
    uint32_t pivots;
    enum bp_glp_status status;
    uint32_t done;
};

static int simplex(glp_prob *lp, const glp_smcp *parm)
{
    int rc = glp_simplex(lp, parm);
    if (rc == GLP_EBADB || rc == GLP_ESING || rc == GLP_ECOND) {
        glp_std_basis(lp);
        rc = glp_simplex(lp, parm);
    }
    return rc;
}

/* A degenerate LP stalls until GLPK perturbs it, and it forgets its perturbation with each call: in
 * small portions such an LP has no end. One that has had more pivots than its size explains gets
 * larger and larger portions. */
static int portion(const struct bp_glp *glp, uint32_t pivots)
{
    uint64_t usual = 1000 + 10 * (uint64_t)glp_get_num_rows(glp->lp), most = pivots;
    while (most < glp->n_unfinished && glp->n_unfinished > usual && most < PORTION_MAX) {
        most *= 2;
    }
    return (int)(most < INT_MAX ? most : INT_MAX);
}

static void call_simplex(struct bp_glp *glp, void *arg)
{
    struct simplex_call *c = arg;
    glp_smcp parm;
    glp_init_smcp(&parm);
    parm.msg_lev = GLP_MSG_OFF;
    parm.meth = c->method == BP_DUAL ? GLP_DUALP : GLP_PRIMAL;
    parm.it_lim = portion(glp, c->pivots);
    int before = glp_get_it_cnt(glp->lp);
    int rc = simplex(glp->lp, &parm);
    c->done = (uint32_t)(glp_get_it_cnt(glp->lp) - before);
    int status = glp_get_status(glp->lp);
    glp->n_unfinished = rc == GLP_EITLIM ? glp->n_unfinished + c->done : 0;
    if (rc == GLP_EITLIM) {
        c->status = BP_GLP_MORE;
    } else if (rc == 0 && status == GLP_OPT) {
        c->status = BP_GLP_OPTIMAL;
        glp->n_failed = 0;
    } else if (rc == 0 && status == GLP_NOFEAS) {
        c->status = BP_GLP_INFEASIBLE;
    } else {
        glp_std_basis(glp->lp);
        c->status = ++glp->n_failed < 2 ? BP_GLP_MORE : BP_GLP_FAILED;
    }
}

bool bp_glp_simplex(struct bp_glp *glp, enum bp_glp_method method, uint32_t pivots,
                    enum bp_glp_status *ret_status, uint32_t *ret_pivots, struct err *err)
{
    struct simplex_call call = {.method = method, .pivots = pivots > 0 ? pivots : 1};
    if (!guarded(glp, call_simplex, &call, err)) {
        return false;
    }
    *ret_status = call.status;
    *ret_pivots = call.done;
    return true;
}

struct read_call {
    double cost;
    double *x, *row_dual, *column_dual;
    bool *basic;
};

static void call_read(struct bp_glp *glp, void *arg)
{
    struct read_call *c = arg;
    int n_rows = glp_get_num_rows(glp->lp), n_columns = glp_get_num_cols(glp->lp);
    c->cost = glp_get_obj_val(glp->lp);
    for (int j = 1; j <= n_columns; j++) {
        if (c->x != NULL) {
            c->x[j - 1] = glp_get_col_prim(glp->lp, j);
        }
        if (c->column_dual != NULL) {
            c->column_dual[j - 1] = glp_get_col_dual(glp->lp, j);
        }
        if (c->basic != NULL) {
            c->basic[j - 1] = glp_get_col_stat(glp->lp, j) == GLP_BS;
        }
    }
    for (int r = 1; r <= n_rows && c->row_dual != NULL; r++) {
        c->row_dual[r - 1] = glp_get_row_dual(glp->lp, r);
    }
}

bool bp_glp_read(struct bp_glp *glp, double *ret_cost, double *x, double *row_dual,
                 double *column_dual, bool *basic, struct err *err)
{
    struct read_call call = {
        .x = x, .row_dual = row_dual, .column_dual = column_dual, .basic = basic};
    if (!guarded(glp, call_read, &call, err)) {
        return false;
    }
    if (ret_cost != NULL) {
        *ret_cost = call.cost;
    }
    return true;
}

/* ---- integer ---- */

struct integer_call {
    struct bp_glp_mip *mip;
    double *x;
    uint32_t n_calls;
    double bound;
};

/* The only brake that GLPK's branch and bound has besides a clock: its callback. */
static void watch_tree(glp_tree *tree, void *info)
{
    struct integer_call *c = info;
    int best = glp_ios_best_node(tree);
    if (best != 0) {
        c->bound = glp_ios_node_bound(tree, best);
    }
    if (glp_ios_reason(tree) == GLP_ISELECT) {
        c->n_calls++;
        if (c->n_calls > c->mip->nodes || c->bound >= c->mip->cut_off) {
            glp_ios_terminate(tree);
        }
    }
}

static void call_integer(struct bp_glp *glp, void *arg)
{
    struct integer_call *c = arg;
    struct bp_glp_mip *mip = c->mip;
    int n = glp_get_num_cols(glp->lp);
    for (int j = 1; j <= n; j++) {
        double upper = glp_get_col_ub(glp->lp, j);
        if (glp_get_col_type(glp->lp, j) == GLP_DB) {
            set_upper(glp->lp, j, floor(upper + 1e-9));
        }
        glp_set_col_kind(glp->lp, j, GLP_IV);
    }
    int before = glp_get_it_cnt(glp->lp);
    glp_smcp lp_parm;
    glp_init_smcp(&lp_parm);
    lp_parm.msg_lev = GLP_MSG_OFF;
    lp_parm.it_lim = 20000;
    glp_iocp parm;
    glp_init_iocp(&parm);
    parm.msg_lev = GLP_MSG_OFF;
    parm.br_tech = GLP_BR_DTH;
    parm.bt_tech = GLP_BT_BPH;
    parm.mip_gap = mip->rel_gap;
    parm.cb_func = watch_tree;
    parm.cb_info = c;
    if (simplex(glp->lp, &lp_parm) == 0 && glp_get_status(glp->lp) == GLP_OPT) {
        c->bound = glp_get_obj_val(glp->lp);
        int rc = glp_intopt(glp->lp, &parm);
        int status = glp_mip_status(glp->lp);
        mip->found = status == GLP_OPT || status == GLP_FEAS;
        mip->proven = rc == 0 || rc == GLP_EMIPGAP;
        mip->cost = mip->found ? glp_mip_obj_val(glp->lp) : INFINITY;
        for (int j = 1; j <= n && mip->found; j++) {
            c->x[j - 1] = round(glp_mip_col_val(glp->lp, j));
        }
        if (mip->proven) {
            c->bound = fmin(mip->cost, mip->cut_off);
        }
    }
    mip->bound = c->bound;
    mip->pivots = (uint64_t)(glp_get_it_cnt(glp->lp) - before);
    for (int j = 1; j <= n; j++) {
        glp_set_col_kind(glp->lp, j, GLP_CV);
    }
}

bool bp_glp_integer(struct bp_glp *glp, struct bp_glp_mip *mip, double *x, struct err *err)
{
    struct integer_call call = {.mip = mip, .x = x, .bound = -INFINITY};
    mip->found = mip->proven = false;
    return guarded(glp, call_integer, &call, err);
}

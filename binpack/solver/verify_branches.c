/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/verify_branches.h"

#include "base/arena.h"
#include "binpack/solver/verify_bound.h"
#include "binpack/solver/verify_cells.h"

#include <string.h>

struct walk {
    const struct bp_certificate *cert;
    const uint32_t *placed;
    struct bp_cells cells;
    struct arena *scratch, *arena;
    bool lower;
    uint64_t *steps;       /* left, see verify_knapsack.h */
    uint32_t at;           /* next branch */
    struct bp_branch *out; /* [n_branches] */
    bp_wide least;         /* of the leaves so far, scaled */
    bool any;
};

static void copy_box(const struct walk *w, const struct bp_box *from, struct bp_box *to)
{
    size_t n = w->cells.n_cells;
    to->lo = (int64_t *)(void *)arena_copy(w->scratch, from->lo, n * sizeof *from->lo);
    to->hi = (int64_t *)(void *)arena_copy(w->scratch, from->hi, n * sizeof *from->hi);
}

static bool check_rows(const struct walk *w, const struct bp_branch_leaf *leaf, struct err *err)
{
    for (uint32_t r = 0; r < leaf->n_rows; r++) {
        const struct bp_branch_row *row = &leaf->rows[r];
        int64_t most;
        if (row->dual < 0 || !bp_cell_row(&w->cells, row->group_i, row->value, row->other, &most)) {
            return err_set(err, ERR_INTERNAL,
                           "certificate: branch %u: group %u has no row for values %u and %u",
                           w->at, row->group_i, row->value, row->other);
        }
    }
    return true;
}

/* The leaf with everything scaled as the proof has it. */
static const struct bp_branch_leaf *
scaled_leaf(const struct walk *w, const struct bp_branch_leaf *leaf, const struct bp_proof *proof)
{
    struct bp_branch_leaf *out = ARENA_NEW(w->arena, struct bp_branch_leaf);
    struct bp_branch_row *rows = ARENA_ARRAY(w->arena, struct bp_branch_row, leaf->n_rows);
    for (uint32_t r = 0; r < leaf->n_rows; r++) {
        rows[r] = leaf->rows[r];
        rows[r].dual = (int64_t)((bp_wide)rows[r].dual * proof->up / proof->down);
    }
    const struct bp_problem *p = w->cells.problem;
    int64_t *best_value = ARENA_ARRAY(w->arena, int64_t, bp_n_finite(p));
    for (uint32_t k = 0, n = 0; k < p->n_offerings; k++) {
        if (p->offerings[k].stock != BP_UNLIMITED) {
            best_value[n++] = proof->best_value[k];
        }
    }
    *out = (struct bp_branch_leaf){.dual = proof->dual,
                                   .limit_dual = leaf->limit_dual,
                                   .best_value = best_value,
                                   .n_rows = leaf->n_rows,
                                   .rows = rows};
    return out;
}

/* Values of all offerings: what the leaf says, and the charge where there is no end. */
static const int64_t *values_of(const struct walk *w, const struct bp_branch_leaf *leaf)
{
    const struct bp_problem *p = w->cells.problem;
    int64_t *value = ARENA_ARRAY(w->scratch, int64_t, p->n_offerings);
    for (uint32_t k = 0, n = 0; k < p->n_offerings; k++) {
        if (p->offerings[k].stock != BP_UNLIMITED) {
            value[k] = leaf->best_value[n++];
            continue;
        }
        bp_wide charge = (bp_wide)p->offerings[k].price << BP_DUAL_BITS;
        for (uint32_t r = 0; r < p->n_limits; r++) {
            charge += (bp_wide)leaf->limit_dual[r] * p->limits[r].use[k];
        }
        value[k] = charge > INT64_MAX ? INT64_MAX : (int64_t)charge;
    }
    return value;
}

static bool prove_leaf(struct walk *w, const struct bp_branch_leaf *leaf, const struct bp_box *box,
                       const struct bp_branch_leaf **ret_leaf, struct err *err)
{
    struct bp_problem problem;
    struct bp_proof proof;
    if (!check_rows(w, leaf, err)) {
        return false;
    }
    bp_box_problem(&w->cells, box, &problem, w->scratch);
    uint32_t *most = ARENA_ARRAY(w->scratch, uint32_t, w->cells.n_cells);
    for (uint32_t c = 0; c < w->cells.n_cells; c++) {
        most[c] = (uint32_t)box->hi[c];
    }
    struct bp_certificate nodes = {
        .dual = leaf->dual, .limit_dual = leaf->limit_dual, .best_value = values_of(w, leaf)};
    if (!bp_prove_duals(&problem, &nodes, most, w->lower ? BP_PROVE_CHARGES : BP_PROVE_CLAIMS,
                        w->steps, w->scratch, w->arena, &proof, err)) {
        return false;
    }
    *ret_leaf = scaled_leaf(w, leaf, &proof);
    bp_wide sum = proof.rest + bp_box_worth(&w->cells, w->placed, box, *ret_leaf, w->scratch);
    w->least = w->any && w->least < sum ? w->least : sum;
    w->any = true;
    return true;
}

/* The branch at w->at and all below it. */
static bool walk_branch(struct walk *w, const struct bp_box *box, uint32_t depth, struct err *err)
{
    if (w->at >= w->cert->n_branches || depth > BP_BRANCHES_MAX) {
        return err_set(err, ERR_INTERNAL, "certificate: branch %u of %u is missing", w->at,
                       w->cert->n_branches);
    }
    struct arena_mark mark = arena_mark(w->scratch);
    const struct bp_branch *branch = &w->cert->branches[w->at];
    struct bp_branch *out = &w->out[w->at];
    struct bp_box mine;
    copy_box(w, box, &mine);
    bool some = bp_box_tighten(&w->cells, w->placed, &mine, w->scratch);
    bool ok = true;
    *out = *branch;
    if (branch->cell_i != BP_NO_VALUE) {
        if (branch->cell_i >= w->cells.n_cells) {
            return err_set(err, ERR_INTERNAL, "certificate: branch %u: cell %u of %u", w->at,
                           branch->cell_i, w->cells.n_cells);
        }
        struct bp_box part;
        w->at++;
        copy_box(w, &mine, &part);
        int64_t *hi = &part.hi[branch->cell_i], *lo = &part.lo[branch->cell_i];
        *hi = *hi < branch->units ? *hi : branch->units;
        ok = walk_branch(w, &part, depth + 1, err);
        *hi = mine.hi[branch->cell_i];
        *lo = *lo > branch->units ? *lo : (int64_t)branch->units + 1;
        ok = ok && walk_branch(w, &part, depth + 1, err);
    } else if (some && branch->leaf == NULL) {
        ok = err_set(err, ERR_INTERNAL, "certificate: branch %u is said to hold no plan, but may",
                     w->at);
    } else {
        ok = !some || prove_leaf(w, branch->leaf, &mine, &out->leaf, err);
        w->at++;
    }
    arena_rewind(w->scratch, mark);
    return ok;
}

bool bp_prove_branches(const struct bp_problem *problem, const struct bp_certificate *certificate,
                       const uint32_t *placed, bool lower, uint64_t *steps, struct arena *scratch,
                       struct arena *arena, struct bp_certificate *ret_certificate, struct err *err)
{
    if (certificate->n_branches > BP_BRANCHES_MAX || certificate->bound < 0) {
        return err_set(err, ERR_INTERNAL, "certificate: %u branches, bound %lld",
                       certificate->n_branches, (long long)certificate->bound);
    }
    struct arena_mark mark = arena_mark(scratch);
    struct walk w = {.cert = certificate,
                     .placed = placed,
                     .scratch = scratch,
                     .arena = arena,
                     .lower = lower,
                     .steps = steps,
                     .out = ARENA_ARRAY(arena, struct bp_branch, certificate->n_branches)};
    struct bp_box box;
    bp_cells_build(&w.cells, problem, scratch);
    bp_box_open(&w.cells, placed, &box, scratch);
    bool ok = walk_branch(&w, &box, 0, err);
    arena_rewind(scratch, mark);
    if (!ok) {
        return false;
    }
    if (w.at != certificate->n_branches || !w.any) {
        return err_set(err, ERR_INTERNAL, "certificate: %u branches, %u are reached",
                       certificate->n_branches, w.at);
    }
    /* Costs are whole nano-dollars, so the sum rounds up. */
    bp_wide bound = w.least <= 0 ? 0 : (w.least + ((bp_wide)1 << BP_DUAL_BITS) - 1) >> BP_DUAL_BITS;
    if (!lower && bound < certificate->bound) {
        return err_set(err, ERR_INTERNAL,
                       "certificate: bound is %lld, its branches prove %lld nano-dollars",
                       (long long)certificate->bound, (long long)bound);
    }
    if (ret_certificate != NULL) {
        *ret_certificate = *certificate;
        ret_certificate->branches = w.out;
        ret_certificate->bound = bound < certificate->bound ? (usd_t)bound : certificate->bound;
    }
    return true;
}

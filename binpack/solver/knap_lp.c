/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/knap_lp.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

enum { AT_LO, AT_UP, BASIC };
enum { PIVOTS_MAX = 200, PIVOTS_FRESH = 60 };

#define FEASIBLE 1e-7 /* in units of pods */
#define PIVOT    1e-9

void bp_lp_init(struct bp_lp *lp, struct arena *arena, uint32_t max_items)
{
    *lp = (struct bp_lp){.arena = arena, .room = max_items};
    lp->value = ARENA_ARRAY(arena, double, max_items);
    lp->lo = ARENA_ARRAY(arena, double, max_items);
    lp->up = ARENA_ARRAY(arena, double, max_items);
    lp->x = ARENA_ARRAY(arena, double, max_items);
    lp->d = ARENA_ARRAY(arena, double, max_items);
    lp->alpha = ARENA_ARRAY(arena, double, max_items + BP_LP_ROWS);
    lp->ratio = ARENA_ARRAY(arena, double, max_items + BP_LP_ROWS);
    lp->queue = ARENA_ARRAY(arena, uint32_t, max_items + BP_LP_ROWS);
    lp->state = ARENA_ARRAY(arena, unsigned char, max_items + BP_LP_ROWS);
}

void bp_lp_clear(struct bp_lp *lp)
{
    lp->n = lp->n_rows = 0;
}

double *bp_lp_add_row(struct bp_lp *lp, double cap, uint32_t row_id)
{
    uint32_t r = lp->n_rows++;
    if (lp->row[r] == NULL) {
        lp->row[r] = ARENA_ARRAY(lp->arena, double, lp->room);
    }
    lp->cap[r] = cap;
    lp->row_id[r] = row_id;
    return lp->row[r];
}

static void empty_basis(struct bp_lp *lp)
{
    memset(lp->state, AT_LO, lp->n + lp->n_rows);
    for (uint32_t q = 0; q < lp->n_rows; q++) {
        memset(lp->inverse[q], 0, lp->n_rows * sizeof(double));
        lp->inverse[q][q] = 1;
        lp->basis[q] = lp->n + q;
        lp->state[lp->n + q] = BASIC;
    }
    lp->n_pivots = 0;
}

void bp_lp_ready(struct bp_lp *lp)
{
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        int exponent = 0;
        frexp(lp->cap[r] > 0 ? lp->cap[r] : 1.0, &exponent);
        lp->scale[r] = ldexp(1.0, -exponent);
        lp->cap[r] *= lp->scale[r];
        for (uint32_t t = 0; t < lp->n; t++) {
            lp->row[r][t] *= lp->scale[r];
        }
    }
    empty_basis(lp);
}

static double dot(const double *a, const double *b, uint32_t n)
{
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    uint32_t t = 0;
    for (; t + 4 <= n; t += 4) {
        s0 += a[t] * b[t];
        s1 += a[t + 1] * b[t + 1];
        s2 += a[t + 2] * b[t + 2];
        s3 += a[t + 3] * b[t + 3];
    }
    for (; t < n; t++) {
        s0 += a[t] * b[t];
    }
    return (s0 + s1) + (s2 + s3);
}

bool bp_lp_clip(struct bp_lp *lp)
{
    double rest[BP_LP_ROWS];
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        rest[r] = lp->cap[r] - dot(lp->row[r], lp->lo, lp->n);
        if (rest[r] < 0) {
            return false;
        }
    }
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        const double *row = lp->row[r];
        for (uint32_t t = 0; t < lp->n; t++) {
            double room = lp->up[t] - lp->lo[t];
            if (row[t] * room > rest[r]) {
                lp->up[t] = lp->lo[t] + floor(rest[r] / row[t]);
            }
        }
    }
    lp->ops += (uint64_t)lp->n * lp->n_rows * 3;
    for (uint32_t t = 0; t < lp->n; t++) {
        if (lp->up[t] < lp->lo[t]) {
            return false;
        }
    }
    return true;
}

/* Row prices of the basis; false when one is negative: then the basis is no start for the dual
 * simplex. */
static bool price_rows(struct bp_lp *lp)
{
    bool ok = true;
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        double price = 0, size = 0;
        for (uint32_t q = 0; q < lp->n_rows; q++) {
            if (lp->basis[q] < lp->n) {
                double part = lp->value[lp->basis[q]] * lp->inverse[q][r];
                price += part;
                size += fabs(part);
            }
        }
        if (price < 0) {
            ok &= price > -1e-9 * size;
            price = 0;
        }
        lp->lambda[r] = lp->state[lp->n + r] == BASIC ? 0.0 : price;
    }
    return ok;
}

static void reduce_values(struct bp_lp *lp)
{
    memcpy(lp->d, lp->value, lp->n * sizeof(double));
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        double price = lp->lambda[r];
        if (price == 0) {
            continue;
        }
        const double *row = lp->row[r];
        double *d = lp->d;
        for (uint32_t t = 0; t < lp->n; t++) {
            d[t] -= price * row[t];
        }
    }
}

/* Puts every variable outside the basis on its bound and computes the basic ones. */
static void place(struct bp_lp *lp)
{
    for (uint32_t t = 0; t < lp->n; t++) {
        if (lp->state[t] == BASIC) {
            lp->x[t] = 0;
            continue;
        }
        double noise = 1e-11 * lp->value[t];
        if (lp->d[t] > noise) {
            lp->state[t] = AT_UP;
        } else if (lp->d[t] < -noise) {
            lp->state[t] = AT_LO;
        }
        lp->x[t] = lp->state[t] == AT_UP ? lp->up[t] : lp->lo[t];
    }
    double rest[BP_LP_ROWS];
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        rest[r] = lp->cap[r] - dot(lp->row[r], lp->x, lp->n);
    }
    for (uint32_t q = 0; q < lp->n_rows; q++) {
        lp->xb[q] = dot(lp->inverse[q], rest, lp->n_rows);
    }
    lp->ops += (uint64_t)lp->n * (lp->n_rows + 2);
}

/* The basic variable farthest outside its bounds; UINT32_MAX when none is. */
static uint32_t leaving(const struct bp_lp *lp, double *ret_excess)
{
    uint32_t best = UINT32_MAX;
    double most = FEASIBLE;
    for (uint32_t q = 0; q < lp->n_rows; q++) {
        uint32_t v = lp->basis[q];
        double lo = v < lp->n ? lp->lo[v] : 0, up = v < lp->n ? lp->up[v] : INFINITY;
        /* A slack is measured in units of its scaled row, an item in pods. */
        double below = lo - lp->xb[q], above = lp->xb[q] - up;
        double excess = fmax(below, above);
        if (excess > most) {
            most = excess;
            best = q;
            *ret_excess = above > below ? above : -below;
        }
    }
    return best;
}

static void sift_down(double *ratio, uint32_t *queue, uint32_t n, uint32_t at)
{
    double r = ratio[at];
    uint32_t v = queue[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= n) {
            break;
        }
        if (child + 1 < n &&
            (ratio[child + 1] < ratio[child] ||
             (ratio[child + 1] == ratio[child] && queue[child + 1] < queue[child]))) {
            child++;
        }
        if (!(ratio[child] < r || (ratio[child] == r && queue[child] < v))) {
            break;
        }
        ratio[at] = ratio[child];
        queue[at] = queue[child];
        at = child;
    }
    ratio[at] = r;
    queue[at] = v;
}

/* Variables that can move the leaving one back, by how much price change they allow. */
static uint32_t candidates(struct bp_lp *lp, uint32_t q, double excess)
{
    const double *inv = lp->inverse[q];
    double sign = excess > 0 ? 1 : -1; /* above: the basic variable must come down */
    memset(lp->alpha, 0, lp->n * sizeof(double));
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        double f = inv[r];
        if (f == 0) {
            continue;
        }
        const double *row = lp->row[r];
        for (uint32_t t = 0; t < lp->n; t++) {
            lp->alpha[t] += f * row[t];
        }
    }
    uint32_t n = 0;
    for (uint32_t t = 0; t < lp->n; t++) {
        double a = sign * lp->alpha[t];
        if (lp->state[t] == BASIC || (lp->state[t] == AT_LO ? a < PIVOT : a > -PIVOT)) {
            continue;
        }
        lp->ratio[n] = fabs(lp->d[t]) / fabs(a);
        lp->queue[n++] = t;
    }
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        lp->alpha[lp->n + r] = inv[r];
        if (lp->state[lp->n + r] != BASIC && sign * inv[r] >= PIVOT) {
            lp->ratio[n] = lp->lambda[r] / (sign * inv[r]);
            lp->queue[n++] = lp->n + r;
        }
    }
    lp->ops += (uint64_t)lp->n * (lp->n_rows + 2);
    return n;
}

/* Long-step ratio test: passes variables that only flip to their other bound. UINT32_MAX: the
 * bounds cannot be met. */
static uint32_t entering(struct bp_lp *lp, uint32_t q, double excess)
{
    uint32_t n = candidates(lp, q, excess);
    for (uint32_t i = n / 2; i-- > 0;) {
        sift_down(lp->ratio, lp->queue, n, i);
    }
    double slope = fabs(excess);
    while (n > 0) {
        uint32_t v = lp->queue[0];
        double range = v < lp->n ? lp->up[v] - lp->lo[v] : INFINITY;
        slope -= fabs(lp->alpha[v]) * range;
        if (slope <= 0) {
            return v;
        }
        n--;
        lp->ratio[0] = lp->ratio[n];
        lp->queue[0] = lp->queue[n];
        if (n > 0) {
            sift_down(lp->ratio, lp->queue, n, 0);
        }
        lp->ops += 8;
    }
    return UINT32_MAX;
}

static bool pivot(struct bp_lp *lp, uint32_t q, uint32_t v, bool above)
{
    double column[BP_LP_ROWS] = {0};
    for (uint32_t p = 0; p < lp->n_rows; p++) {
        double sum = 0;
        if (v >= lp->n) {
            sum = lp->inverse[p][v - lp->n];
        } else {
            for (uint32_t r = 0; r < lp->n_rows; r++) {
                sum += lp->inverse[p][r] * lp->row[r][v];
            }
        }
        column[p] = sum;
    }
    if (fabs(column[q]) < PIVOT) {
        return false;
    }
    double inverse_pivot = 1 / column[q];
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        lp->inverse[q][r] *= inverse_pivot;
    }
    for (uint32_t p = 0; p < lp->n_rows; p++) {
        if (p == q || column[p] == 0) {
            continue;
        }
        for (uint32_t r = 0; r < lp->n_rows; r++) {
            lp->inverse[p][r] -= column[p] * lp->inverse[q][r];
        }
    }
    lp->state[lp->basis[q]] = above ? AT_UP : AT_LO;
    lp->basis[q] = v;
    lp->state[v] = BASIC;
    lp->n_pivots++;
    lp->ops += (uint64_t)lp->n_rows * lp->n_rows * 2;
    return true;
}

/* lambda.cap plus what the best bounds add: an upper bound for any lambda >= 0. */
static double proven(struct bp_lp *lp)
{
    reduce_values(lp);
    double bound = dot(lp->lambda, lp->cap, lp->n_rows);
    for (uint32_t t = 0; t < lp->n; t++) {
        bound += lp->d[t] > 0 ? lp->d[t] * lp->up[t] : lp->d[t] * lp->lo[t];
    }
    lp->ops += (uint64_t)lp->n * (lp->n_rows + 2);
    return bound;
}

double bp_lp_solve(struct bp_lp *lp)
{
    bool infeasible = false;
    if (lp->n_pivots > PIVOTS_FRESH || !price_rows(lp)) {
        empty_basis(lp);
    }
    for (uint32_t step = 0; step < PIVOTS_MAX; step++) {
        if (!price_rows(lp)) {
            empty_basis(lp);
            price_rows(lp);
        }
        reduce_values(lp);
        place(lp);
        double excess = 0;
        uint32_t q = leaving(lp, &excess);
        if (q == UINT32_MAX) {
            break;
        }
        uint32_t v = entering(lp, q, excess);
        if (v == UINT32_MAX) {
            infeasible = true;
            break;
        }
        if (!pivot(lp, q, v, excess > 0)) {
            empty_basis(lp);
        }
    }
    double bound = proven(lp);
    if (infeasible) {
        /* The clipped bounds always leave x = lo feasible, so this is noise: keep the bound, show a
         * whole solution. */
        memcpy(lp->x, lp->lo, lp->n * sizeof(double));
        return bound;
    }
    for (uint32_t q = 0; q < lp->n_rows; q++) {
        uint32_t v = lp->basis[q];
        if (v < lp->n) {
            lp->x[v] = fmin(fmax(lp->xb[q], lp->lo[v]), lp->up[v]);
        }
    }
    return bound;
}

uint64_t bp_lp_take_ops(struct bp_lp *lp)
{
    uint64_t ops = lp->ops;
    lp->ops = 0;
    return ops;
}

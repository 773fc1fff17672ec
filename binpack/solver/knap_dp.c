/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/knap_dp.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

enum { ROWS = 3, COARSEST = 1 };

#define TAKEN_WORDS_MAX (UINT64_C(1) << 19) /* 4 MiB of decisions */

/* Some units of one item, taken or not. */
struct split {
    uint32_t item;
    double units, gain;
    uint32_t step[ROWS];
};

struct bp_dp {
    struct arena *arena;
    struct split *splits;
    uint32_t n_splits, splits_room;
    uint32_t n_rows;     /* of the table */
    uint32_t row[ROWS];  /* the last one is the longest: the inner loop */
    double grain[ROWS];  /* scaled size of a step */
    uint32_t size[ROWS]; /* states of the row; 1 for those that are not used */
    double *best;        /* [states] */
    size_t best_room;
    uint64_t *taken; /* [n_splits][words] */
    size_t taken_room, words;
    uint64_t ops;
};

struct bp_dp *bp_dp_new(struct arena *arena, uint32_t max_items)
{
    struct bp_dp *dp = ARENA_NEW(arena, struct bp_dp);
    dp->arena = arena;
    dp->splits_room = 8 * max_items + 8;
    return dp;
}

static double gcd_double(double a, double b)
{
    while (b >= 0.5) {
        double t = fmod(a, b);
        a = b;
        b = t;
    }
    return a;
}

/* Rows that can bind, those whose capacity is worth most; the others are left to their multipliers.
 */
static void choose_rows(struct bp_dp *dp, const struct bp_lp *lp, const double *lambda,
                        const double *lo, const double *up, const double *rest)
{
    dp->n_rows = 0;
    bool used[BP_LP_ROWS] = {false};
    while (dp->n_rows < ROWS) {
        uint32_t best = UINT32_MAX;
        for (uint32_t r = 0; r < lp->n_rows; r++) {
            double most = 0;
            for (uint32_t t = 0; t < lp->n; t++) {
                most += lp->row[r][t] * (up[t] - lo[t]);
            }
            if (!used[r] && most > rest[r] && lambda[r] > 0 &&
                (best == UINT32_MAX || lambda[r] * lp->cap[r] > lambda[best] * lp->cap[best])) {
                best = r;
            }
        }
        if (best == UINT32_MAX) {
            break;
        }
        used[best] = true;
        dp->row[dp->n_rows++] = best;
    }
    dp->ops += (uint64_t)lp->n * lp->n_rows * ROWS;
}

static double states_of(const struct bp_dp *dp, const double *steps)
{
    double product = 1;
    for (uint32_t j = 0; j < dp->n_rows; j++) {
        product *= steps[j] + 1;
    }
    return product;
}

/* Grains: the common divisor of the sizes, doubled a few times where the table would be too large.
 * False when that is not enough: a coarser table says less than branching does. */
static bool choose_grains(struct bp_dp *dp, const struct bp_lp *lp, const double *lo,
                          const double *up, const double *rest, double states)
{
    double steps[ROWS] = {0, 0, 0};
    for (uint32_t j = 0; j < dp->n_rows; j++) {
        uint32_t r = dp->row[j];
        double grain = 0;
        for (uint32_t t = 0; t < lp->n; t++) {
            /* Sizes are whole numbers once the power of two is taken back. */
            grain = up[t] > lo[t] ? gcd_double(lp->row[r][t] / lp->scale[r], grain) : grain;
        }
        dp->grain[j] = fmax(grain, 1) * lp->scale[r];
        steps[j] = floor(rest[r] / dp->grain[j]);
    }
    if (states_of(dp, steps) > COARSEST * states) {
        return false;
    }
    while (states_of(dp, steps) > states) {
        uint32_t longest = 0;
        for (uint32_t j = 1; j < dp->n_rows; j++) {
            longest = steps[j] > steps[longest] ? j : longest;
        }
        dp->grain[longest] *= 2;
        steps[longest] = floor(rest[dp->row[longest]] / dp->grain[longest]);
    }
    for (uint32_t j = 0; j < ROWS; j++) {
        dp->size[j] = j < dp->n_rows ? (uint32_t)steps[j] + 1 : 1;
    }
    /* The longest row goes last. */
    for (uint32_t j = 0; j + 1 < ROWS; j++) {
        if (dp->size[j] > dp->size[ROWS - 1]) {
            uint32_t size = dp->size[j], row = dp->row[j];
            double grain = dp->grain[j];
            dp->size[j] = dp->size[ROWS - 1];
            dp->row[j] = dp->row[ROWS - 1];
            dp->grain[j] = dp->grain[ROWS - 1];
            dp->size[ROWS - 1] = size;
            dp->row[ROWS - 1] = row;
            dp->grain[ROWS - 1] = grain;
        }
    }
    return true;
}

static bool in_table(const struct bp_dp *dp, uint32_t row)
{
    for (uint32_t j = 0; j < ROWS; j++) {
        if (dp->size[j] > 1 && dp->row[j] == row) {
            return true;
        }
    }
    return false;
}

static void add_split(struct bp_dp *dp, const struct bp_lp *lp, uint32_t t, double units,
                      double gain)
{
    struct split *s = &dp->splits[dp->n_splits];
    *s = (struct split){.item = t, .units = units, .gain = units * gain};
    for (uint32_t j = 0; j < ROWS; j++) {
        if (dp->size[j] > 1) {
            /* The size of one unit is rounded down, so that splitting does not change what fits. */
            double step = floor(lp->row[dp->row[j]][t] / dp->grain[j] * (1 + 1e-13)) * units;
            if (step >= dp->size[j]) {
                return;
            }
            s->step[j] = (uint32_t)step;
        }
    }
    dp->n_splits++;
}

static void split_items(struct bp_dp *dp, const struct bp_lp *lp, const double *lambda,
                        const double *lo, const double *up)
{
    if (dp->splits == NULL) {
        dp->splits = ARENA_ARRAY(dp->arena, struct split, dp->splits_room);
    }
    dp->n_splits = 0;
    for (uint32_t t = 0; t < lp->n; t++) {
        double gain = lp->value[t], left = up[t] - lo[t];
        for (uint32_t r = 0; r < lp->n_rows; r++) {
            gain -= in_table(dp, r) ? 0 : lambda[r] * lp->row[r][t];
        }
        for (double units = 1; gain > 0 && left >= 1 && dp->n_splits < dp->splits_room;
             units *= 2) {
            units = fmin(units, left);
            /* The last slot takes all that is left: fewer choices would not be a bound. */
            if (dp->n_splits + 1 == dp->splits_room) {
                units = left;
            }
            add_split(dp, lp, t, units, gain);
            left -= units;
        }
    }
}

static void make_room(struct bp_dp *dp, size_t states)
{
    if (states > dp->best_room) {
        dp->best_room = states;
        dp->best = ARENA_ARRAY(dp->arena, double, states);
    }
    dp->words = (states + 63) / 64;
    size_t need = dp->words * dp->n_splits;
    if (need <= TAKEN_WORDS_MAX && need > dp->taken_room) {
        dp->taken_room = need + need / 4;
        dp->taken = ARENA_ARRAY(dp->arena, uint64_t, dp->taken_room);
    }
}

/* One split on all states, highest first so that it is used once. */
static void pass(struct bp_dp *dp, const struct split *s, uint64_t *taken)
{
    uint32_t n2 = dp->size[2];
    for (uint32_t c0 = dp->size[0]; c0-- > s->step[0];) {
        for (uint32_t c1 = dp->size[1]; c1-- > s->step[1];) {
            size_t to = ((size_t)c0 * dp->size[1] + c1) * n2;
            size_t from = ((size_t)(c0 - s->step[0]) * dp->size[1] + (c1 - s->step[1])) * n2;
            double *best = dp->best + to;
            const double *source = dp->best + from;
            for (uint32_t c2 = n2; c2-- > s->step[2];) {
                double with = source[c2 - s->step[2]] + s->gain;
                if (with > best[c2]) {
                    best[c2] = with;
                    if (taken != NULL) {
                        taken[(to + c2) / 64] |= UINT64_C(1) << ((to + c2) % 64);
                    }
                }
            }
        }
    }
}

static void trace_back(const struct bp_dp *dp, const double *lo, uint32_t n, double *count)
{
    uint32_t at[ROWS] = {dp->size[0] - 1, dp->size[1] - 1, dp->size[2] - 1};
    memcpy(count, lo, n * sizeof(double));
    for (uint32_t s = dp->n_splits; s-- > 0;) {
        size_t state = ((size_t)at[0] * dp->size[1] + at[1]) * dp->size[2] + at[2];
        if ((dp->taken[s * dp->words + state / 64] >> (state % 64)) & 1U) {
            count[dp->splits[s].item] += dp->splits[s].units;
            for (uint32_t j = 0; j < ROWS; j++) {
                at[j] -= dp->splits[s].step[j];
            }
        }
    }
}

double bp_dp_run(struct bp_dp *dp, const struct bp_lp *lp, const double *lambda, const double *lo,
                 const double *up, double cut_off, uint32_t states, double *count, bool *ret_found)
{
    double rest[BP_LP_ROWS], value = 0;
    *ret_found = false;
    memcpy(rest, lp->cap, lp->n_rows * sizeof(double));
    for (uint32_t t = 0; t < lp->n; t++) {
        value += lo[t] * lp->value[t];
        for (uint32_t r = 0; r < lp->n_rows && lo[t] > 0; r++) {
            rest[r] -= lo[t] * lp->row[r][t];
        }
    }
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        if (rest[r] < 0) {
            return cut_off; /* the ranges leave nothing that is worth more */
        }
    }
    choose_rows(dp, lp, lambda, lo, up, rest);
    if (!choose_grains(dp, lp, lo, up, rest, states)) {
        return INFINITY;
    }
    split_items(dp, lp, lambda, lo, up);
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        value += in_table(dp, r) ? 0 : lambda[r] * rest[r];
    }
    size_t n_states = (size_t)dp->size[0] * dp->size[1] * dp->size[2];
    make_room(dp, n_states);
    memset(dp->best, 0, n_states * sizeof(double));
    bool trace = dp->words * dp->n_splits <= dp->taken_room;
    if (trace && dp->n_splits > 0) {
        memset(dp->taken, 0, dp->words * dp->n_splits * sizeof(uint64_t));
    }
    for (uint32_t s = 0; s < dp->n_splits; s++) {
        pass(dp, &dp->splits[s], trace ? dp->taken + s * dp->words : NULL);
    }
    dp->ops += n_states * (dp->n_splits + 1) * 2;
    double bound = value + dp->best[n_states - 1];
    if (bound > cut_off && trace) {
        trace_back(dp, lo, lp->n, count);
        *ret_found = true;
    }
    return bound;
}

uint64_t bp_dp_take_ops(struct bp_dp *dp)
{
    uint64_t ops = dp->ops;
    dp->ops = 0;
    return ops;
}

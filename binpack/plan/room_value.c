/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/room_value.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/solver/knap_lp.h"

typedef __int128 wide;

#define FRACTION_BITS 30 /* of multipliers, beyond those of the duals */

struct room_values {
    const struct bp_problem *p;
    const int64_t *dual;
    struct bp_lp lp;
    uint32_t *classes; /* [lp.n] */
    int64_t *most;     /* [lp.n] units that fit and exist */
};

struct room_values *room_values_new(const struct bp_problem *problem, const int64_t *dual,
                                    struct arena *arena)
{
    struct room_values *values = ARENA_NEW(arena, struct room_values);
    *values = (struct room_values){.p = problem,
                                   .dual = dual,
                                   .classes = ARENA_ARRAY(arena, uint32_t, problem->n_classes),
                                   .most = ARENA_ARRAY(arena, int64_t, problem->n_classes)};
    bp_lp_init(&values->lp, arena, problem->n_classes);
    return values;
}

/* How many units of a class fit when nothing else is there. */
static int64_t units_that_fit(const struct bp_problem *p, uint32_t i, const int64_t *capacity)
{
    const int64_t *size = p->size + (size_t)i * p->n_dims;
    int64_t most = p->classes[i].demand;
    if (p->classes[i].max_per_node < most) {
        most = p->classes[i].max_per_node;
    }
    for (uint32_t d = 0; d < p->n_dims; d++) {
        if (size[d] > 0 && capacity[d] / size[d] < most) {
            most = capacity[d] / size[d];
        }
    }
    return most;
}

static void load(struct room_values *values, uint32_t domain, const int64_t *capacity)
{
    const struct bp_problem *p = values->p;
    struct bp_lp *lp = &values->lp;
    uint32_t n = 0;
    bp_lp_clear(lp);
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (values->dual[i] <= 0 || !bits_get(p->mask + i * bits_words(p->n_domains), domain)) {
            continue;
        }
        int64_t most = units_that_fit(p, i, capacity);
        if (most > 0) {
            values->classes[n] = i;
            values->most[n] = most;
            lp->value[n] = (double)values->dual[i];
            lp->lo[n] = 0;
            lp->up[n] = (double)most;
            n++;
        }
    }
    lp->n = n;
}

/* The integer bound for multipliers of 2^FRACTION_BITS-ths. */
static wide prove(const struct room_values *values, const int64_t *capacity, const wide *multiplier)
{
    const struct bp_problem *p = values->p;
    wide sum = 0;
    for (uint32_t d = 0; d < p->n_dims; d++) {
        sum += multiplier[d] * capacity[d];
    }
    for (uint32_t k = 0; k < values->lp.n; k++) {
        const int64_t *size = p->size + (size_t)values->classes[k] * p->n_dims;
        wide gain = (wide)values->dual[values->classes[k]] << FRACTION_BITS;
        for (uint32_t d = 0; d < p->n_dims; d++) {
            gain -= multiplier[d] * size[d];
        }
        sum += gain > 0 ? gain * values->most[k] : 0;
    }
    return (sum + (((wide)1 << FRACTION_BITS) - 1)) >> FRACTION_BITS;
}

int64_t room_value(struct room_values *values, uint32_t domain, const int64_t *capacity)
{
    const struct bp_problem *p = values->p;
    struct bp_lp *lp = &values->lp;
    wide multiplier[BP_MAX_DIMS] = {0};
    load(values, domain, capacity);
    if (lp->n == 0) {
        return 0;
    }
    for (uint32_t d = 0; d < p->n_dims; d++) {
        double *row = bp_lp_add_row(lp, (double)capacity[d], d);
        for (uint32_t k = 0; k < lp->n; k++) {
            row[k] = (double)p->size[(size_t)values->classes[k] * p->n_dims + d];
        }
    }
    bp_lp_ready(lp);
    (void)bp_lp_solve(lp);
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        /* Value per unit of size: duals are below 2^63 and sizes at least 1, so this fits; what a
         * stray rounding makes of it only weakens the bound. */
        double per_unit = lp->lambda[r] * lp->scale[r] * (double)(INT64_C(1) << FRACTION_BITS);
        if (per_unit > 0 && per_unit < 1e27) {
            multiplier[lp->row_id[r]] = (wide)per_unit;
        }
    }
    wide value = prove(values, capacity, multiplier);
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

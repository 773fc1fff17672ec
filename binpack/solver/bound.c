/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/bound.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

typedef __int128 i128;

#define DUAL_MAX ((double)(INT64_C(1) << 62))

void bp_bound_init(struct bp_bound *bound, struct arena *arena, const struct bp_red *red)
{
    *bound = (struct bp_bound){.bound = 0};
    bound->dual = ARENA_ARRAY(arena, int64_t, red->n_classes + 1);
    bound->limit_dual = ARENA_ARRAY(arena, int64_t, red->n_limits + 1);
    bound->value = ARENA_ARRAY(arena, int64_t, red->n_kinds + 1);
}

static double limit_charge(const struct bp_red *red, const double *mu, uint32_t kind)
{
    double charge = 0;
    for (uint32_t r = 0; r < red->n_limits; r++) {
        charge += mu[r] * red->limit_use[(size_t)r * red->n_kinds + kind];
    }
    return charge;
}

/* INFINITY when a free kind of unlimited stock has a value: then only the bound 0 is known. */
static double theta_of(const struct bp_red *red, const double *mu, const double *value)
{
    double theta = 0;
    bool any = false;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        if (!isinf(red->stock[k])) {
            continue;
        }
        any = true;
        double net = value[k] - limit_charge(red, mu, k);
        if (net > 0) {
            theta = red->cost[k] > 0 ? fmax(theta, net / red->cost[k]) : INFINITY;
        }
    }
    return any && theta > 0 ? theta : 1;
}

double bp_bound_estimate(const struct bp_red *red, const double *pi, const double *mu,
                         const double *value, const double *placed, double *ret_theta)
{
    double theta = theta_of(red, mu, value), sum = 0;
    if (ret_theta != NULL) {
        *ret_theta = theta;
    }
    if (isinf(theta)) {
        return 0;
    }
    for (uint32_t i = 0; i < red->n_classes; i++) {
        sum += pi[i] * placed[i];
    }
    for (uint32_t r = 0; r < red->n_limits; r++) {
        sum -= mu[r] * red->limit_max[r];
    }
    sum /= theta;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        if (!isinf(red->stock[k])) {
            double over = (value[k] - limit_charge(red, mu, k)) / theta - red->cost[k];
            sum -= red->stock[k] * fmax(0, over);
        }
    }
    return fmax(sum, 0);
}

static int64_t use_of(const struct bp_red *red, uint32_t r, uint32_t kind)
{
    return red->problem->limits[red->limit_source[r]].use[red->offer[red->offer_at[kind]]];
}

/* v_k - price_k - mu.use_k, scaled. */
static i128 excess(const struct bp_bound *bound, const struct bp_red *red, uint32_t kind)
{
    i128 net = (i128)bound->value[kind] - ((i128)red->price[kind] << BP_DUAL_BITS);
    for (uint32_t r = 0; r < red->n_limits; r++) {
        net -= (i128)bound->limit_dual[r] * use_of(red, r, kind);
    }
    return net;
}

static int64_t scaled_up(double x)
{
    return (int64_t)fmin(ceil(x), DUAL_MAX);
}

static bool try_theta(struct bp_bound *bound, const struct bp_red *red, const double *pi,
                      const double *mu, const double *value, double theta)
{
    double scale = red->unit * (double)(1 << BP_DUAL_BITS) / theta;
    for (uint32_t i = 0; i < red->n_classes; i++) {
        bound->dual[i] = (int64_t)fmin(floor(pi[i] * scale * (1 - 1e-12)), DUAL_MAX);
    }
    for (uint32_t r = 0; r < red->n_limits; r++) {
        bound->limit_dual[r] = scaled_up(mu[r] * scale);
    }
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        if (value[k] * scale >= DUAL_MAX) {
            return false; /* cutting it off would not be an upper bound any more */
        }
        bound->value[k] = scaled_up(value[k] * scale);
    }
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        if (isinf(red->stock[k]) && excess(bound, red, k) > 0) {
            return false;
        }
    }
    return true;
}

usd_t bp_bound_evaluate(const struct bp_bound *bound, const struct bp_red *red,
                        const double *placed)
{
    i128 sum = 0;
    for (uint32_t i = 0; i < red->n_classes; i++) {
        sum += (i128)bound->dual[i] * (int64_t)placed[i];
    }
    for (uint32_t r = 0; r < red->n_limits; r++) {
        sum -= (i128)bound->limit_dual[r] * red->problem->limits[red->limit_source[r]].max;
    }
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        if (!isinf(red->stock[k])) {
            i128 over = excess(bound, red, k);
            sum -= over > 0 ? over * (int64_t)red->stock[k] : 0;
        }
    }
    /* Costs are whole nano-dollars, so what is proven rounds up. */
    return sum > 0 ? (usd_t)((sum + (1 << BP_DUAL_BITS) - 1) >> BP_DUAL_BITS) : 0;
}

void bp_bound_exact(struct bp_bound *bound, const struct bp_red *red, const double *pi,
                    const double *mu, const double *value, const double *placed)
{
    double theta = theta_of(red, mu, value);
    bool ok = false;
    for (double step = 1e-12; !isinf(theta) && !ok && step < 1e-3; step *= 4) {
        ok = try_theta(bound, red, pi, mu, value, theta * (1 + step));
    }
    if (!ok) {
        memset(bound->dual, 0, red->n_classes * sizeof(int64_t));
        memset(bound->limit_dual, 0, red->n_limits * sizeof(int64_t));
        memset(bound->value, 0, red->n_kinds * sizeof(int64_t));
    }
    bound->bound = bp_bound_evaluate(bound, red, placed);
}

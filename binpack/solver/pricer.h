/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prices many kinds at once, on as many lanes as the port offers. Each kind is searched on its own
 * and results are kept by kind, so the number of lanes changes nothing but the time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/pricing.h"
#include "binpack/solver/solve.h"

struct bp_priced {
    double bound;     /* proven upper bound of the kind's value */
    bool proven;      /* bound <= threshold * (1 + rel), or the best pattern is within rel of it */
    uint32_t n_found; /* patterns above the threshold, best first */
    double value[BP_KNAP_KEPT];
    uint32_t n_items[BP_KNAP_KEPT];
    struct bp_item *items[BP_KNAP_KEPT]; /* valid until the next run */
};

struct bp_price_job {
    const double *value; /* [n_classes] */
    const double *upper; /* [n_classes] */
    enum bp_knap_rules rules;
    uint32_t n;
    const uint32_t *kinds;   /* [n] */
    const double *threshold; /* [n_kinds], by kind */
    uint32_t nodes;          /* limit of branch and bound for each kind */
    uint32_t deep_states;    /* limit of the exact search for each kind, 0: none */
    double rel;
};

struct bp_pricer {
    const struct bp_red *red;
    const struct parallel *parallel;
    uint64_t
        last_ops; /* of the latest run: decides whether the next one is worth waking threads for */
    uint32_t n_lanes;
    struct bp_knap **knaps; /* [n_lanes] */
    struct arena *rooms;    /* [n_lanes] of the knaps: they take room while they run */
    struct arena *lanes;    /* [n_lanes] results */
    double *lambda;         /* [n_kinds][n_dims] multipliers of the last search */
    bool *has_lambda;
    struct bp_priced *priced; /* [n_kinds], by kind */
    const struct bp_price_job *job;
    uint64_t *ops; /* [n_kinds] */
};

void bp_pricer_init(struct bp_pricer *pricer, struct arena *arena, const struct bp_red *red,
                    const struct parallel *parallel);
void bp_pricer_done(struct bp_pricer *pricer);

/* Fills priced[kind] for each kind of the job; returns elementary steps made. */
uint64_t bp_pricer_run(struct bp_pricer *pricer, const struct bp_price_job *job);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The problem as the solver works on it: smaller, and equal to the given one.
 *
 * Dimensions nobody asks for are gone and sizes are divided by their common divisor. Classes that
 * no rule tells apart are merged, classes that nothing can hold are left out (their units stay
 * unplaced). Capacities are tightened to the largest sum of sizes that can be reached at or below
 * them, which no plan can notice. Offerings that another one beats in every respect are left out;
 * equal ones become one *kind*. All orders are by content first, so that the order of the input
 * rarely matters.
 *
 * Costs are doubles in units of `unit` nano-dollars, a power of two chosen so that the cheapest
 * price is about 1. Sizes, capacities and demands are exact integers in doubles (below 2^52). */
#pragma once

#include <stddef.h>

#include "binpack/solver/problem.h"

struct arena;

#define BP_NO_KIND UINT32_MAX

struct bp_red {
    const struct bp_problem *problem;
    uint32_t n_dims, n_classes, n_kinds, n_accepts, n_caps, n_exclusions, n_limits;
    uint32_t n_words; /* of a set of classes */
    double unit;      /* nano-dollars per unit of cost */

    double *size;      /* [n_dims][n_classes] */
    double *size_of;   /* [n_classes][n_dims], the same numbers */
    double *demand;    /* [n_classes] units */
    double *per_node;  /* [n_classes] most units on a node; at most the demand */
    double *pods;      /* [n_classes] pods per unit */
    int32_t *priority; /* [n_classes] */
    bool *plain;       /* [n_classes] in no cap and no exclusion, and max_per_node does not bind */
    uint32_t *source_at; /* [n_classes + 1] into source */
    uint32_t *source;    /* public class indexes */

    double *cap;        /* [n_kinds][n_dims], tightened */
    double *most;       /* [n_kinds][n_classes] bp_red_fit on an empty node without an upper bound;
                           NULL when that would be a large table */
    usd_t *price;       /* [n_kinds] nano-dollars */
    double *cost;       /* [n_kinds] price / unit */
    double *stock;      /* [n_kinds] nodes, INFINITY when unlimited */
    uint32_t *accept_i; /* [n_kinds] into accept */
    uint64_t *accept;   /* [n_accepts][n_words] classes that may use it */
    uint32_t *offer_at; /* [n_kinds + 1] into offer */
    uint32_t *offer;    /* offerings of a kind, ascending; all equal */
    uint32_t *kind_of;  /* [n_offerings of the problem] the kind that is it or beats it, BP_NO_KIND:
                           it holds nothing */
    double *limit_use;  /* [n_limits][n_kinds] */
    double *limit_max;  /* [n_limits] */
    uint32_t *limit_source; /* [n_limits] index in the problem: only those that can bind are kept */

    uint64_t *cap_members;           /* [n_caps][n_words] */
    uint32_t *cap_source;            /* [n_caps] index in the problem */
    bool *cap_necessary;             /* [n_caps] */
    uint64_t *exclude_a, *exclude_b; /* [n_exclusions][n_words] */

    bool scarce;  /* some class has no offering that is free of stock and limits: not all pods may
                     fit */
    bool relaxed; /* the bound ignores conditions that the plan obeys */
    bool relaxed_caps, relaxed_exclusions, relaxed_varieties;
};

/* The problem must have passed bp_problem_check and must outlive the result. */
void bp_red_build(struct bp_red *red, const struct bp_problem *problem, struct arena *arena);

static inline const uint64_t *bp_red_accept(const struct bp_red *red, uint32_t kind)
{
    return red->accept + (size_t)red->accept_i[kind] * red->n_words;
}

/* Units of class i, at most `upper`, that fit on a node of capacity cap[n_dims]; 0 when none does.
 */
double bp_red_fit(const struct bp_red *red, const double *cap, uint32_t i, double upper);

/* The same on an empty node of a kind. */
double bp_red_most(const struct bp_red *red, uint32_t kind, uint32_t i, double upper);

/* The same when nothing but capacity counts; INFINITY when the class has no size. */
double bp_red_fit_alone(const struct bp_red *red, const double *cap, uint32_t i);
bool bp_red_same_size(const struct bp_red *red, uint32_t i, uint32_t j);

/* Whether two classes may use the same kinds. */
bool bp_red_same_accepts(const struct bp_red *red, uint32_t i, uint32_t j);

/* Maximum of a cap on nodes of a kind. */
double bp_red_cap_max(const struct bp_red *red, uint32_t cap, uint32_t kind);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the reduction: what reduce.c (classes, capacities, rules) and reduce_kinds.c (offerings)
 * share. */
#pragma once

#include "base/bitset.h"
#include "binpack/solver/reduce.h"

/* What only the build needs. */
struct bp_red_build {
    struct bp_red *red;
    const struct bp_problem *p;
    struct arena *arena;
    struct arena *scratch;
    uint32_t dim_source[BP_MAX_DIMS];
    int64_t dim_gcd[BP_MAX_DIMS];
    uint32_t mask_words, set_words;
    uint32_t *order; /* public classes kept, sorted, equal ones adjacent */
    uint32_t n_order;
    uint32_t *accept_of; /* [n_domains] accept set or UINT32_MAX */
    double *offer_cap;   /* [n_offerings][n_dims] in reduced units */
};

static inline int bp_compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static inline uint32_t bp_cap_max_at(const struct bp_cap *cap, uint32_t offer)
{
    return cap->max_at != NULL ? cap->max_at[offer] : cap->max;
}

/* Offerings to kinds; needs everything of the build before it. */
void bp_red_build_kinds(struct bp_red_build *b);

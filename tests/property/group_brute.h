/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exhaustive answers about tiny problems with groups, written from the rules in problem.h alone. */
#pragma once

#include "binpack/solver/problem.h"

enum { BRUTE_MAX_PODS = 8, BRUTE_MAX_CLASSES = 4, BRUTE_MAX_OFFERINGS = 12, BRUTE_MAX_VALUES = 6 };

/* Is there an order that places count[i][d] pods of class i in domain d (weights of 1)? */
bool brute_order(const struct bp_problem *problem,
                 const uint32_t *count /* [n_classes][n_domains] */);

struct brute_answer {
    uint32_t n_placed; /* the most pods that any plan places */
    usd_t cost;        /* the least cost of a plan that places that many */
};

/* The best plan over all assignments of pods to nodes, for problems of weight 1, one priority, no
 * caps, exclusions, limits or varieties. */
void brute_solve(const struct bp_problem *problem, struct brute_answer *ret_answer);

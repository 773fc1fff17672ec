/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The solver: cheapest plan for a bp_problem, with a proven lower bound.
 *
 * A solve is resumable. Each step spends about `work` units (one unit is about a microsecond of a 3
 * GHz core, but it is counted in simplex pivots and pricing nodes, never in time), so the result
 * depends on the input, the options and the total work only. After bp_solve_new a feasible plan
 * always exists (possibly with unplaced pods), and each step keeps or improves plan and bound. All
 * memory comes from one arena owned by the solve and is freed by bp_solve_free; bp_solve_result
 * copies out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/parallel.h"
#include "binpack/solver/problem.h"

struct arena;
struct bp_solve; /* opaque */

enum bp_algorithm {
    BP_COLGEN, /* column generation: the product */
    BP_FFD /* first fit decreasing on the greedy's values only: the floor that colgen is measured
              against */
};

struct bp_options {
    enum bp_algorithm algorithm;
    uint32_t effort; /* 1..5, 3 is the default: scales the work budget; 5 is for proofs */
    double gap; /* stop when (cost - bound) / cost <= gap; 0 asks for all that the effort allows */
    usd_t known_bound; /* no plan costs less, as the caller knows: the search ends within the gap of
                          it, too. It is no part of the certificate. 0: nothing is known */
    bool bound_only;   /* the bound matters, the plan little */
    bool plan_only;    /* the other way round */
    uint64_t seed;     /* breaks ties in searches that are random */
    const struct parallel *parallel; /* or NULL */
    /* A plan to start from, such as last round's: nodes are checked and what no longer fits is
     * dropped. May be 0. */
    uint32_t n_start_nodes;
    const struct bp_node *start_nodes;
    /* Prices to start from: what last round's certificate says of each class, 0 where it knew none.
     * A bound is there at once, and patterns are sought near it. Any numbers >= 0 are safe. May be
     * NULL. */
    const int64_t *start_dual; /* [n_classes] scaled by 2^BP_DUAL_BITS */
};

#define BP_OPTIONS_DEFAULT ((struct bp_options){.algorithm = BP_COLGEN, .effort = 3, .gap = 0.0001})

/* A point of the curve of cost and bound over work. */
struct bp_progress {
    const char *phase; /* static: "greedy", "columns", "round", "prove", ... */
    usd_t cost, bound;
    uint64_t work;
    uint32_t n_unplaced; /* pods */
    usd_t coarse_cost;   /* what the plan cost before rules that hardly bind, all exclusions among
                            them, were imposed on it (spread_twins.h); 0: it was packed under all
                            rules */
};

/* Checks the problem (ranges, sizes, masks) and computes the first plan. The problem must outlive
 * the solve. Errors: ERR_INVALID names the field and index; ERR_LIMIT when a size is above its cap.
 * On error *ret_solve is not set. */
MUST_CHECK bool bp_solve_new(const struct bp_problem *problem, const struct bp_options *options,
                             struct bp_solve **ret_solve, struct err *err);

/* Works on for about `work` units. Returns true while more work would help, false when done. Never
 * fails: trouble inside the LP library ends the search early and shows in the status and in
 * bp_solve_warning. */
bool bp_solve_step(struct bp_solve *solve, uint64_t work);

/* The next step returns false; the result then says BP_STOPPED. May be set from a signal handler or
 * another thread. */
void bp_solve_cancel(struct bp_solve *solve);

void bp_solve_progress(const struct bp_solve *solve, struct bp_progress *ret_progress);
const char *bp_solve_warning(const struct bp_solve *solve); /* "" when nothing went wrong */
uint64_t bp_solve_arena_bytes(const struct bp_solve *solve);

/* Copies the best plan and the certificate into `arena`. */
void bp_solve_result(const struct bp_solve *solve, struct arena *arena,
                     struct bp_solution *ret_solution);

void bp_solve_free(struct bp_solve *solve); /* NULL is fine */

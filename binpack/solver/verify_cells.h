/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rules of groups say about every plan: where units can be, in numbers.
 *
 * Model. A *tuple* is a combination of values on the axes that groups use; a *cell* is a class
 * under one tuple (a class without a part in any group has one cell for all tuples). A *box* gives
 * each cell a range of units. Whatever the order of placement, the final counts of a plan keep
 * these conditions, in pods, with N the plan's own pods and B those that run already; c: carriers,
 * t: targets, ct: both: SPREAD, values v and eligible u:  Nct(v) <= max(0, skew + B(u) - B(v) +
 * Nt(u)), because the last of them was placed when v held B + Nct at least and u at most B + Nt;
 * with too few domains Nct(v) <= max(0, skew - B(v)). A carrier that is no target needs B(v) <=
 * skew + B(u) + Nt(u). TOGETHER: a value with carriers and without pods that run holds a target
 * that is no carrier; where carriers may start on their own, one value need not. APART: a value
 * with pods that run holds no carrier; one with a carrier that is a target holds no other target;
 * one with a carrier that is no target holds none at all. bp_box_tighten narrows a box to what they
 * leave. The linear ones among them are *rows* that a bound may price (bp_cell_row).
 *
 * Part of the checker, and used by the search for a bound (bound_groups.h) as well: a condition
 * that did not follow from the rules would show in tests/property, which compare bounds with the
 * best of all plans. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/problem.h"

struct arena;

typedef __int128 bp_wide;

struct bp_cells {
    const struct bp_problem *problem;
    uint32_t n_tuples;
    uint32_t *tuple_of_domain; /* [n_domains] */
    uint32_t *domain_of_tuple; /* [n_tuples] the first one */
    uint32_t n_cells;
    uint32_t *cell_at;  /* [n_classes + 1] cells of a class, tuples ascending */
    uint32_t *class_of; /* [n_cells] */
    uint32_t *tuple_of; /* [n_cells] BP_NO_VALUE: all tuples */
};

/* Units in each cell, lo <= hi. */
struct bp_box {
    int64_t *lo, *hi; /* [n_cells] */
};

/* Offerings with an end. */
uint32_t bp_n_finite(const struct bp_problem *problem);

/* Cells exist where some offering holds a unit of the class; everything lives in `arena`. */
void bp_cells_build(struct bp_cells *cells, const struct bp_problem *problem, struct arena *arena);

/* Everything that puts placed[i] units of class i somewhere. */
void bp_box_open(const struct bp_cells *cells, const uint32_t *placed, struct bp_box *ret_box,
                 struct arena *arena);

/* Narrows the box to what every plan in it that places placed[i] units keeps. False: there is none.
 * `scratch` is rewound. */
bool bp_box_tighten(const struct bp_cells *cells, const uint32_t *placed, struct bp_box *box,
                    struct arena *scratch);

/* Is there a linear row for these values: sum of coefficients times units <= *ret_most? `other` is
 * BP_NO_VALUE where the row speaks of one value only. */
bool bp_cell_row(const struct bp_cells *cells, uint32_t group_i, uint32_t value, uint32_t other,
                 int64_t *ret_most);
/* Of one cell in that row, in pods per unit. */
int64_t bp_cell_coefficient(const struct bp_cells *cells, uint32_t group_i, uint32_t value,
                            uint32_t other, uint32_t cell_i);

/* The least sum of dual[cell] times units over everything in the box that places placed[i] units of
 * class i, rows charged at their duals (>= 0): what the units are worth at least. */
bp_wide bp_box_worth(const struct bp_cells *cells, const uint32_t *placed, const struct bp_box *box,
                     const struct bp_branch_leaf *leaf, struct arena *scratch);

/* The problem of a box without groups: one class per cell, with hi units at most (0: it may go
 * nowhere), and only the caps that every plan keeps. Arrays in `arena`, or the given problem's. */
void bp_box_problem(const struct bp_cells *cells, const struct bp_box *box,
                    struct bp_problem *ret_problem, struct arena *arena);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the pods of groups go: how many units of each class under each tuple of axis values,
 * decided with prices in view.
 *
 * Once that is decided, groups are no longer needed: each class is split into one class per tuple
 * with a fixed demand and a narrower mask, and the engine packs the result (spread_split.h). Tiny
 * problems are decided exactly (spread_exact.h), all others here.
 *
 * Model. A *tuple* is a combination of values on the axes that groups use; every domain belongs to
 * one. A class is *tied* when it carries a group or is counted by one; classes that are not tied go
 * anywhere. Tied classes with the same part in every group, the same tuples, priority and weight
 * form a *kind*. Units of kinds are placed as the scheduler would place them, one after the other
 * and each allowed at its moment, so that the result always has an order. What distinguishes a good
 * order from a bad one:
 *   - kinds with fewer tuples go first, and again after every step that lets them: they decide what
 * the others must follow;
 *   - what a spread counts is kept balanced even where the rule would not ask for it (targets that
 * are no carriers), as long as anything else can be placed: then nearly any order of placement
 * works, not only the planned one. This is the sufficient condition that the solver works with:
 * counts of all targets, not only of carriers, within max_skew of the minimum wherever a carrier
 * is;
 *   - among the tuples allowed, the one with the lowest price of a unit is taken, free room first.
 * So the remainder and the skew of a spread go where they are cheapest;
 *   - groups that choose a value (TOGETHER: where to start; APART: where pure carriers gather) take
 * it from a bp_spread_choice, so that the caller can try combinations and let the engine judge
 * them.
 *   - spreads that count each other's carriers can block each other in an unlucky order even when
 * all counts are balanced. Therefore such carriers gather in one value (again a choice) and what is
 * counted but carries nothing fills up the others: then every order works. Afterwards units of one
 * kind are exchanged between tuples so that each size stands where it is cheapest. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "binpack/solver/problem.h"

struct arena;

#define BP_SPREAD_NO_PRICE INT64_MAX

enum {
    BP_SPREAD_CARRIER = 1,
    BP_SPREAD_TARGET = 2,
    BP_SPREAD_FINE_KINDS = 160 /* up to so many tied classes are kinds of their own */
};

struct bp_spread_role {
    uint32_t group_i;
    uint32_t bits; /* BP_SPREAD_CARRIER, BP_SPREAD_TARGET */
};

struct bp_spread_kind {
    uint32_t n_roles, n_classes;
    const struct bp_spread_role *roles;
    const uint32_t *classes; /* [n_classes] ascending */
    uint32_t weight;
    int32_t priority;
    uint32_t n_tuples; /* with a price */
    uint32_t n_units;  /* demand of all */
    usd_t *price;      /* [n_tuples] of a unit on average, BP_SPREAD_NO_PRICE */
    int64_t *size;     /* [n_dims] of a unit on average */
    bool apart_carrier, spread_carrier, spread_target;
    bool coupled; /* carries one spread and is counted by another, so that the two can block each
                     other in an unlucky order */
};

struct bp_spread {
    const struct bp_problem *problem;
    struct arena *arena;
    uint32_t n_tuples, n_kinds;
    uint32_t *tuple_of_domain; /* [n_domains] */
    uint32_t *tuple_value; /* [n_tuples][n_axes]; BP_NO_VALUE also for axes that no group uses */
    bool *tied;            /* [n_classes] */
    usd_t *price; /* [n_classes][n_tuples] of a unit, BP_SPREAD_NO_PRICE: nothing there holds one */
    int64_t *room;     /* [n_tuples][n_dims] free room on what costs nothing */
    uint32_t *role_at; /* [n_classes + 1] into roles */
    struct bp_spread_role *roles;
    struct bp_spread_kind *kinds;
    uint32_t *group_kind_at; /* [n_groups + 1] into group_kinds */
    uint32_t *group_kinds;   /* kinds with a role in the group */
    uint32_t *link; /* [n_groups] the first of the groups that choose the same value: equal kind and
                       axis, carriers in common (SPREAD: a coupled kind in common) */
    uint32_t **ranked; /* [n_groups][n_values] values by price of all carriers, for groups that are
                          their own link */
    bool *chooses;     /* [n_groups] the group has a value to choose */
};

/* Analyses a problem that bp_problem_check accepts. Everything lives in `arena`. */
void bp_spread_build(struct bp_spread *spread, const struct bp_problem *problem,
                     struct arena *arena);

static inline uint32_t bp_spread_value(const struct bp_spread *spread, uint32_t tuple_i,
                                       uint32_t group_i)
{
    return spread
        ->tuple_value[tuple_i * spread->problem->n_axes + spread->problem->groups[group_i].axis];
}

/* What a placement leaves open. */
struct bp_spread_choice {
    const uint32_t *value; /* [n_groups] TOGETHER: the value to start in; APART: the value for pure
                              carriers; SPREAD: the value for coupled carriers; BP_NO_VALUE: any */
    bool targets_first;    /* APART: targets choose before carriers */
    const uint32_t *most;  /* [n_classes][n_tuples] units that may be placed, or NULL: any number */
    const uint32_t
        *scale; /* [n_kinds][n_tuples] prices in thousandths of the computed ones, or NULL */
};

/* A decision. */
struct bp_split {
    uint32_t *units; /* [n_classes][n_tuples]; 0 for classes that are not tied */
    uint32_t *left;  /* [n_classes] units of tied classes that found no place */
    usd_t price;     /* estimate for the tied classes */
    uint64_t
        n_careless; /* pods that a careless order of placement might block; 0: any order works */
};

/* Places as much as it can. The result lives in `arena`; `scratch` is rewound and must be another
 * arena. */
void bp_spread_place(const struct bp_spread *spread, const struct bp_spread_choice *choice,
                     struct bp_split *ret_split, struct arena *arena, struct arena *scratch);

/* Which leaves the better pods out: compares by pods of each priority, highest first. < 0 when `a`
 * is better. */
int bp_spread_compare_left(const struct bp_problem *problem, const uint32_t *a, const uint32_t *b);

/* The value with the lowest price for all carriers of a group and those linked to it, or the
 * rank-th lowest; BP_NO_VALUE when there are fewer. */
uint32_t bp_spread_cheapest_value(const struct bp_spread *spread, uint32_t group_i, uint32_t rank);

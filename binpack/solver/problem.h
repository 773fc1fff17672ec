/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The problem that the solver solves, as numbers: it knows neither Kubernetes nor AWS.
 *
 * Model. Pods that no rule can tell apart form a *class* with a size vector and a demand (number of
 * pods). An *offering* is something that can be bought any number of times up to its stock: a new
 * node of one (NodePool, instance type, zone, capacity type), or a running node (price 0, stock 1).
 * Offerings that no class can tell apart by its masks share a *domain*; a class may use the domains
 * of its mask. A *pattern* is what one node holds: a count for each class. A plan is a multiset of
 * (offering, pattern). The solver minimises, in this order:
 *   1. unplaced pods: higher `priority` first, then the number of pods (`weight` per unit of
 * demand);
 *   2. price of the offerings used;
 *   3. number of nodes with a price;
 *   4. ids, so that the answer is one.
 *
 * A pattern a on offering k is feasible when
 *   sum_i a_i * size[i][d] <= capacity[k][d] for every dimension d,
 *   a_i = 0 unless domain[k] is in mask[i],  a_i <= max_per_node[i],
 *   for every cap c that applies: sum of a_i over its members <= max (or max_at[k] where given),
 *   no two classes of one exclusion are present together,
 *   for every variety v with member k: the offerings of v that could hold the same pattern
 * (capacity, masks, caps) show at least `min_values` distinct values. A plan is feasible when also
 *   every offering is used at most stock[k] times,
 *   every limit holds: sum over nodes of use[k] <= max,
 *   every group holds (below) for the final counts of pods per domain value.
 *
 * Lower bound. It must hold for every plan that places the same pods, so it may use necessary
 * conditions only: caps with `necessary` set, masks, sizes, limits, stock. What it leaves out is
 * named in the solution's `relaxed`.
 *
 * Everything in here belongs to the caller and is constant while a solve runs. All arrays may be
 * NULL when their count is 0. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/units.h"

enum {
    BP_MAX_DIMS = 24,  /* resources with a size; ERR_LIMIT above */
    BP_MAX_AXES = 256, /* topology keys other than the host name, each with each of its filters */
    BP_DUAL_BITS =
        20, /* fraction bits of duals: 8,796 USD/h fit into 63 bits (40 would leave 0.008 USD/h) */
};

#define BP_UNLIMITED UINT32_MAX /* stock, max_per_node */
#define BP_NO_VALUE  UINT32_MAX /* an offering without a value on an axis or in a variety */

/* At most `max` pods of the member classes on one node. Necessary caps follow from the rules
 * themselves (two pods with the same host port); the others are sufficient only: the planner
 * promises more than the rules ask (used where the exact rule depends on the order of placement),
 * and the bound must not use them. */
struct bp_cap {
    uint32_t max; /* on a new node */
    bool necessary;
    const uint64_t *members; /* [class_words] */
    const uint32_t *max_at; /* [n_offerings] or NULL: other maximum for that offering (running nodes
                               that hold such pods) */
};

/* Classes of `a` and of `b` never share a node. */
struct bp_exclusion {
    const uint64_t *a,
        *b; /* [class_words]; may overlap: then two different classes of the overlap exclude each
               other, and max_per_node of each is for the caller to set */
};

/* sum over all nodes of the plan of use[offering] <= max. NodePool limits per resource, node
 * counts, reservations. */
struct bp_limit {
    int64_t max;        /* >= 0: what is left after what runs already */
    const int64_t *use; /* [n_offerings], >= 0, any unit that max has too */
};

/* Minimum number of distinct values among the offerings that could hold a node's pattern (NodePool
 * minValues). */
struct bp_variety {
    uint32_t min_values;
    const uint32_t *value; /* [n_offerings] value id; BP_NO_VALUE: not a member of this variety */
};

/* A rule about the final number of pods per value of an axis (zone, capacity type, a label), over
 * the whole plan. "Carriers" declare the rule, "targets" are counted by it; the sets may overlap or
 * be disjoint. Offerings without a value on the axis may not hold carriers of SPREAD and TOGETHER
 * (the caller has masked them); APART asks nothing there. Targets there are not counted. */
enum bp_group_kind {
    BP_GROUP_SPREAD, /* kubernetes topologySpreadConstraints, DoNotSchedule: a carrier may be placed
                        in value v only if count(v) + (carrier is target) - min over eligible values
                        <= max_skew at that moment, where min is 0 while fewer than min_domains
                        eligible values exist. Sufficient and what the solver guarantees: the final
                        counts of order-sensitive targets can be reached in some order. */
    BP_GROUP_TOGETHER, /* required podAffinity: each carrier shares its value with at least one
                          target other than itself, or it is the first of a group that selects
                          itself (self_start) */
    BP_GROUP_APART /* required podAntiAffinity, both directions: a value that holds a carrier holds
                      no target besides it */
};

struct bp_group {
    enum bp_group_kind kind;
    uint32_t axis;        /* < n_axes */
    uint32_t max_skew;    /* SPREAD, >= 1 */
    uint32_t min_domains; /* SPREAD, 0 when not set */
    bool self_start; /* TOGETHER: carriers are targets too, and no placeable target exists yet */
    const uint64_t *carriers; /* [class_words] */
    const uint64_t *targets;  /* [class_words] */
    const uint32_t *base;     /* [n_axis_values[axis]] targets that run there already */
    const uint64_t *eligible; /* SPREAD: [words of n_axis_values[axis]] values whose count takes
                                 part in the minimum */
    uint32_t family; /* index into family_names, for `relaxed` and the price of a constraint */
};

struct bp_class {
    uint32_t demand; /* units to place, >= 1 */
    uint32_t
        weight; /* pods per unit, >= 1 (more than 1: pods that must share a node, moved as one) */
    uint32_t max_per_node; /* units on one node, >= 1, BP_UNLIMITED */
    int32_t priority;      /* pods of higher priority are placed first when not all fit */
};

struct bp_offering {
    usd_t price; /* >= 0; 0 only for what costs nothing more (running nodes, paid reservations) */
    uint32_t stock;  /* nodes, BP_UNLIMITED */
    uint32_t domain; /* < n_domains */
    bool running;    /* an existing or in-flight node: stock 1, not counted as a new node */
};

struct bp_problem {
    uint32_t n_dims, n_classes, n_offerings, n_domains, n_axes;
    uint32_t n_caps, n_exclusions, n_limits, n_varieties, n_groups, n_families;

    const struct bp_class *classes; /* [n_classes] */
    const int64_t
        *size; /* [n_classes][n_dims], >= 0; cpu in millicores, memory in bytes, else counts */
    const uint64_t *mask; /* [n_classes][bits_words(n_domains)] */

    const struct bp_offering *offerings; /* [n_offerings] */
    const int64_t
        *capacity; /* [n_offerings][n_dims], >= 0, after daemon pods and whatever runs there */

    const uint32_t *n_axis_values; /* [n_axes] */
    const uint32_t *axis_value;    /* [n_domains][n_axes], BP_NO_VALUE */

    const struct bp_cap *caps;             /* [n_caps] */
    const struct bp_exclusion *exclusions; /* [n_exclusions] */
    const struct bp_limit *limits;         /* [n_limits] */
    const struct bp_variety *varieties;    /* [n_varieties] */
    const struct bp_group *groups;         /* [n_groups] */
    const char *const *family_names;       /* [n_families] */
};
/* class_words above is bits_words(n_classes). */

struct err;

/* Checks every count, range, index and set of a problem, groups included. ERR_INVALID names the
 * field and the index; ERR_LIMIT a count that is above its cap. */
MUST_CHECK bool bp_problem_check(const struct bp_problem *problem, struct err *err);

/* One node of the plan. Nodes are listed running ones first, then new ones, each by offering and
 * then by pattern. */
struct bp_item {
    uint32_t class_i, count; /* count >= 1; items ascend by class */
};
struct bp_node {
    uint32_t offering_i;
    uint32_t n_items;
    const struct bp_item *items; /* [n_items] */
};

enum bp_status {
    BP_OPTIMAL,     /* gap <= 1e-9 or the bound equals the cost */
    BP_WITHIN_GAP,  /* the gap asked for is proven */
    BP_EFFORT_DONE, /* the work budget is used up */
    BP_STOPPED      /* told to stop (time limit, interrupt) */
};

/* A second proof, for plans of few nodes: that nodes are whole costs percents there, which the
 * prices of a certificate do not see.
 *
 * A *cut* is any dual >= 0 with upper bounds v_k of what a pattern of offering k is worth at it, as
 * in struct bp_certificate below. Let need = sum_i dual_i placed_i. In any plan the numbers of
 * nodes y_k satisfy sum_k min(v_k, need) y_k >= need, because y_k are whole. Offerings are put into
 * families; the number of nodes of a family is split in a tree: at most `split`, or more. A leaf
 * stands for a range lo..hi of every family, and its multipliers w >= 0 of the cuts prove
 *
 *   cost >= sum_c w_c need_c + sum over families of min over lo <= n <= hi of n r
 *   r = min over offerings k of the family of price_k - sum_c w_c min(v_ck, need_c)
 *
 * where hi starts at the stock of the family, so r must not be negative when that is unlimited. The
 * bound is the least of all leaves: every plan is in one of them. */
enum {
    BP_WEIGHT_BITS = 30,       /* fraction bits of multipliers */
    BP_COUNT_CUTS_MAX = 512,   /* ERR_LIMIT above */
    BP_COUNT_STEPS_MAX = 4096, /* inner nodes and leaves of a tree */
    BP_COUNT_SPLIT_MAX = 1 << 20
};

#define BP_WEIGHT_MAX (INT64_C(1) << (BP_WEIGHT_BITS + 10))

struct bp_count_cut {
    const int64_t *dual;       /* [n_classes] >= 0, scaled by 2^BP_DUAL_BITS */
    const int64_t *best_value; /* [n_offerings] scaled by 2^BP_DUAL_BITS */
};

/* A node of the tree, in the order of a walk: after an inner one comes its half with at most
 * `split` nodes of the family, and at `above`, which is later, the half with more. */
struct bp_count_step {
    uint32_t family; /* UINT32_MAX: a leaf */
    uint32_t split, above;
    const int64_t *weight; /* leaf: [n_cuts], 0 to BP_WEIGHT_MAX, scaled by 2^BP_WEIGHT_BITS; else
                              NULL */
};

struct bp_count_proof {
    uint32_t n_cuts, n_families, n_steps;
    const struct bp_count_cut *cuts;
    const uint32_t *family; /* [n_offerings] < n_families */
    const struct bp_count_step *steps;
};

/* What re-proves the bound without the solver. With pi_i = dual[i] / 2^BP_DUAL_BITS US nano-dollars
 * per unit of class i and the exact values v_k = best_value[k] (the largest sum of pi_i a_i over
 * feasible patterns a of offering k, using necessary conditions only and a_i <= demand[i], rounded
 * up), the cost of any plan that places placed[i] units is at least `bound`:
 *
 *   limits: mu_r = limit_dual[r] / 2^BP_DUAL_BITS >= 0 nano-dollars per unit of use
 *   offerings with unlimited stock: v_k <= price_k + sum_r mu_r use_rk      (reduced value <= 0)
 *   offerings with finite stock s_k: they lower the bound by s_k * max(0, v_k - price_k - sum_r
 * mu_r use_rk) bound = sum_i pi_i placed_i - sum_r mu_r max_r - sum_{finite k} s_k max(0, ...)
 * (rounded up: costs are whole nano-dollars)
 *
 * theta scaling is already applied: duals are scaled down until every unlimited offering satisfies
 * its inequality.
 *
 * With branches, duals above play no part. The bound is then the least of the bounds of all leaves
 * of a tree that takes every plan apart by the number of units in one *cell* (a class under one
 * tuple of axis values, verify_cells.h) after the other. A leaf has a dual for each cell, and in
 * its own sum the first term is the least that the units can be worth in any way that the rules of
 * groups and the branches taken leave them; no node holds more of a cell than they leave. */
struct bp_branch_row {
    uint32_t group_i, value, other; /* see bp_cell_row */
    int64_t dual;                   /* >= 0, nano-dollars per pod, scaled by 2^BP_DUAL_BITS */
};

struct bp_branch_leaf {
    const int64_t *dual;       /* [n_cells] >= 0, scaled by 2^BP_DUAL_BITS */
    const int64_t *limit_dual; /* [n_limits] */
    const int64_t *best_value; /* [offerings with an end, ascending]; for the others that it is no
                                  more than their charge is all that matters */
    uint32_t n_rows;
    const struct bp_branch_row *rows; /* [n_rows] linear rules of groups that have a price */
};

/* In preorder: a branch is followed by its two parts, at most `units` in the cell and more. */
struct bp_branch {
    uint32_t cell_i;                   /* BP_NO_VALUE: a leaf */
    uint32_t units;                    /* of a branch */
    const struct bp_branch_leaf *leaf; /* NULL: no plan keeps the rules here */
};

struct bp_certificate {
    usd_t bound;               /* nano-dollars per hour, >= 0 */
    const int64_t *dual;       /* [n_classes] >= 0, scaled by 2^BP_DUAL_BITS */
    const int64_t *limit_dual; /* [n_limits] >= 0, scaled by 2^BP_DUAL_BITS */
    const int64_t *best_value; /* [n_offerings] upper bound of v_k, scaled by 2^BP_DUAL_BITS */
    const struct bp_count_proof *counts; /* a bound that knows that nodes are whole; NULL: none */
    uint64_t relaxed_families; /* bit f: groups of family f are left out without branches (families
                                  above 63 share bit 63) */
    bool relaxed_varieties, relaxed_exclusions,
        relaxed_caps;    /* insufficient conditions the plan obeys and the bound ignores */
    uint32_t n_branches; /* 0: the bound knows no groups */
    const struct bp_branch *branches;
};

struct bp_solution {
    uint32_t n_nodes;
    const struct bp_node *nodes; /* [n_nodes] */
    const uint32_t *unplaced;    /* [n_classes] units */
    usd_t cost;                  /* sum of prices of nodes */
    struct bp_certificate certificate;
    enum bp_status status;
    uint32_t n_columns; /* patterns generated */
    uint64_t work;      /* units of work used, see solve.h */
};

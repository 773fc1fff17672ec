/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rules between pods ask of a plan, in terms of classes, running nodes and label values.
 *
 * topology.h and affinity.h append rows; problem_build.h turns them into the arrays of bp_problem.
 * So the rule modules know neither offerings nor domains, and the solver knows neither labels nor
 * nodes. Bit sets over classes have bits_words(classes->n) words, those over running nodes
 * bits_words(snapshot->n_nodes). Values of a key are label values (strid). The meaning of caps,
 * exclusions and groups is that of binpack/solver/problem.h. */
#pragma once

#include "base/vec.h"
#include "binpack/scheduling/classes.h"
#include "binpack/solver/problem.h"

struct sched_cap_row {
    uint32_t max; /* on a new node */
    bool necessary;
    const uint64_t *members;
    const uint32_t *max_at; /* [snapshot->n_nodes] or NULL: other maximum on that running node */
};

struct sched_exclusion_row {
    const uint64_t *a, *b;
};

/* These classes may not use these running nodes. */
struct sched_node_mask_row {
    const uint64_t *classes, *forbidden_nodes;
};

/* These classes may not use new nodes at all (a hostname rule that only a running node can meet).
 */
struct sched_no_new_row {
    const uint64_t *classes;
};

/* Pods of these classes that travel in no bundle may use these running nodes only. */
struct sched_leftover_row {
    const uint64_t *classes;
    const uint64_t *nodes; /* NULL: none */
};

/* These classes may use (allow) or may not use (!allow) nodes, new and running, whose label `key`
 * has one of the values. With `allow`, nodes without the label are out too. */
struct sched_value_mask_row {
    const uint64_t *classes;
    strid key;
    bool allow;
    uint32_t n_values;
    const strid *values;
};

struct sched_group_value {
    strid value;
    uint32_t base; /* targets that run there already */
    bool eligible; /* SPREAD: takes part in the minimum */
};
struct sched_group_row {
    enum bp_group_kind kind;
    strid key; /* never the host name */
    uint32_t max_skew, min_domains;
    bool self_start;
    const uint64_t *carriers, *targets;
    /* SPREAD: only nodes that this need may use are looked at (nodeAffinityPolicy and
     * nodeTaintsPolicy); NULL: all. Targets elsewhere are not counted. */
    const struct sched_need *filter;
    bool affinity_honor, taints_honor;
    uint32_t n_values;
    const struct sched_group_value *values; /* values left out: base 0, not eligible */
    const char
        *family; /* "zone-spread", "capacity-type-spread", "zone-affinity", ...; static or arena */
};

/* Pods that must share a node: `n_units` units, each of `items`. What is left of the classes stays
 * free. */
struct sched_bundle_item {
    uint32_t class_i, count;
};
struct sched_bundle_row {
    uint32_t n_units, n_items;
    const struct sched_bundle_item *items;
    bool inevitable; /* every plan that places these pods has them on one node */
};

struct sched_rows {
    struct arena *arena;
    bool in_some_order; /* set by the caller: the plan need only hold in some order of placement;
                           else in any, as far as hosts go */
    bool order_matters; /* set by the modules: the two differ */
    VEC(struct sched_cap_row) caps;
    VEC(struct sched_exclusion_row) exclusions;
    VEC(struct sched_node_mask_row) node_masks;
    VEC(struct sched_no_new_row) no_new;
    VEC(struct sched_value_mask_row) value_masks;
    VEC(struct sched_group_row) groups;
    VEC(struct sched_bundle_row) bundles;
    VEC(struct sched_leftover_row) leftover;
    uint32_t *max_per_node; /* [classes->n], BP_UNLIMITED to start with; the modules lower it */
};

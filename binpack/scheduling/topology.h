/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From rules between pods to a problem: topology spread.
 *
 * This header also holds the view that both rule modules read (this and affinity.h) and the pieces
 * they write. The view is filled from the snapshot and the classes; the pieces speak of classes,
 * axes and running nodes, and problem_build turns them into masks, caps, exclusions and groups of a
 * bp_problem.
 *
 * Spread over hosts becomes caps: a fresh host can always be made, so the minimum is zero and at
 * most maxSkew counted pods may share a host. Spread over another key becomes a BP_GROUP_SPREAD
 * whose eligible values are those of running nodes and of new nodes that usable NodePools could
 * open, as nodeAffinityPolicy and nodeTaintsPolicy filter them. */
#pragma once

#include "base/err.h"
#include "base/vec.h"
#include "binpack/scheduling/terms.h"
#include "binpack/solver/problem.h"

struct sched_axis {
    strid key; /* stable name */
    uint32_t n_values;
    const strid *values; /* [n_values] ascending by text: every value of a running node or of a
                            possible new node */
};

struct sched_topo_class {
    uint32_t membership, dropped;
    uint32_t demand; /* units */
};

struct sched_topo_node { /* running or in flight, stays; also those that no pod may use */
    struct str name;
    const struct k8s_pairs *labels;
    uint32_t n_taints;
    const struct k8s_taint *taints;
};

/* A rule's filter of nodes: NULL members filter nothing. */
struct sched_filter {
    const struct k8s_pod_shape *affinity; /* nodeSelector and required terms */
    const struct k8s_pod_shape *tolerations;
};

struct sched_topo_view {
    const struct sched_rules *rules;
    uint32_t n_classes, n_nodes, n_running, n_axes;
    const struct sched_topo_class *classes; /* [n_classes] */
    const struct sched_topo_node *nodes;    /* [n_nodes] */
    const struct k8s_pod *const *running;   /* [n_running] bound pods of those nodes that stay;
                                               finished and terminating ones are skipped */
    const uint32_t *running_node;           /* [n_running] into nodes */
    const uint32_t *running_membership;     /* [n_running] */
    const struct sched_axis *axes;          /* [n_axes] */
    /* Adds to `values` (bits over the axis' values) those that new nodes of usable NodePools
     * without an exhausted (zero) limit could have, of offerings that are available, where the
     * filter lets the node pass. */
    void (*open_values)(void *ctx, uint32_t axis_i, const struct sched_filter *filter,
                        uint64_t *values);
    void *ctx;
};

/* Pieces. All arrays live in the arena given to the build functions. Class sets are
 * [bits_words(n_classes)]. */
struct sched_value_block { /* these classes may not use offerings with these values of the axis */
    const uint64_t *classes;
    uint32_t axis_i;
    const uint64_t *values; /* [bits_words(n_values)] */
    bool no_value;          /* nor offerings without any value */
    uint32_t rule_i;
};
struct sched_node_block { /* these classes may not use these running nodes */
    const uint64_t *classes;
    const uint64_t *nodes; /* [bits_words(n_nodes)] */
    bool new_nodes;        /* nor any new node */
    uint32_t rule_i;
};
struct sched_cap { /* see bp_cap */
    uint32_t max;
    bool necessary;
    const uint64_t *members;
    const uint32_t *max_at_node; /* [n_nodes] or NULL */
    uint32_t rule_i;
};
struct sched_exclusion { /* see bp_exclusion */
    const uint64_t *a, *b;
    uint32_t rule_i;
};
struct sched_group {
    struct bp_group group; /* axis, skew, sets, base and eligible are set; family is the caller's */
    uint32_t rule_i;
};

struct sched_pieces {
    VEC(struct sched_value_block) value_blocks;
    VEC(struct sched_node_block) node_blocks;
    VEC(struct sched_cap) caps;
    VEC(struct sched_exclusion) exclusions;
    VEC(struct sched_group) groups;
    uint32_t *max_per_node; /* [n_classes] BP_UNLIMITED or less */
};

/* Empty pieces for a view. */
struct sched_pieces sched_pieces_new(struct arena *arena, const struct sched_topo_view *view);

/* Adds what the spread rules in force ask for. Errors: ERR_LIMIT when a rule needs an axis that the
 * view lacks. */
MUST_CHECK bool sched_topology_build(const struct sched_topo_view *view, struct arena *arena,
                                     struct sched_pieces *pieces, struct err *err);

/* The name of a rule's family in certificates: "zone-spread", "hostname-spread", "zone-affinity",
 * "anti-affinity" ...; static. */
const char *sched_rule_family(const struct sched_vocab *vocab, const struct sched_rule *rule);

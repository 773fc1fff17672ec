/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cluster as the planner sees it at one moment: which pods need a place, which nodes stay and
 * what room they have, which NodePools may launch.
 *
 * Model. Every pod is in exactly one state. Nodes that stay (Node objects, and NodeClaims that are
 * launched but have no Node yet) carry their effective labels and taints: those of the NodeClaim
 * until the node is registered, startup and ephemeral taints left out until it is initialized, beta
 * and CSI zone labels under their stable name. Nodes that go away (deleting, or leaving by
 * `leave`) are not listed, and their pods are pending again. Nodes are sorted by name; pools by
 * weight, heaviest first, then by name. Nothing here depends on the order of the input. Everything
 * is constant once built and lives in the snapshot's arena; cluster and catalogue must outlive it.
 */
#pragma once

#include "base/err.h"
#include "binpack/catalog/catalog.h"
#include "k8s/cluster.h"

struct arena;
struct sched_daemons;
struct sched_pod_volumes;
struct sched_vocab;
struct sched_volumes;

#define SCHED_NONE UINT32_MAX /* an index that points nowhere */

/* A pool of spot machines: the same type in the same zone. */
struct sched_spot_pool {
    uint32_t type_i, zone_i; /* catalogue */
};
/* Absolute caps on new spot nodes. */
struct sched_spot_caps {
    struct opt_i64 vcpu; /* of all of them together */
    uint32_t per_pool;   /* nodes of one pool; 0: no cap */
    uint32_t n_tight;
    const struct sched_spot_pool *tight; /* pools that several NodePools draw on and that need a row
                                            over them */
};

struct sched_settings {
    wall_t now;
    bool repack;                 /* every pod on new nodes: no running node is used */
    bool ignore_preferences;     /* --preference-policy=Ignore */
    bool best_effort_min_values; /* --min-values-policy=BestEffort */
    bool reserved_capacity, node_overlay, capacity_buffer;
    bool ignore_dra; /* pods with resourceClaims are not planned for */
    struct cat_settings catalog;
    struct sched_spot_caps spot;
};

enum sched_pod_state {
    SCHED_POD_IGNORED, /* needs no place and takes no room: finished, gated, nominated, waiting
                          daemon pod, ... */
    SCHED_POD_BOUND,   /* on a node that stays: takes room, and counts for rules unless it is
                          terminating */
    SCHED_POD_PENDING, /* needs a place */
    SCHED_POD_BLOCKED /* needs a place, but no node can help: missing volume, restricted label; goes
                         to `unschedulable` */
};

/* How a Node stands in a round of disruption, one byte per Node. Pods of a node that somebody takes
 * away are choosier than others: a move must not rest on a node that may never come up, nor reopen
 * a node that waits to be emptied (karp: UninitializedNodeError, IsConsolidationSimulation). */
enum sched_leave {
    SCHED_STAYS,
    SCHED_EXPIRES, /* goes; its pods are like any pending pod */
    SCHED_DRIFTS,  /* goes; its pods do not move to nodes that are not initialized */
    SCHED_MERGES,  /* goes; nor to nodes inside their consolidateAfter window */
    SCHED_OPENS,   /* stays with what cannot move; the rest is pending, as with SCHED_MERGES */
    SCHED_LEAVE_MASK = 15,
    SCHED_BY_FORCE = 32,   /* with SCHED_DRIFTS: its protected pods need places, too, where its
                              NodeClaim has a terminationGracePeriod; Karpenter looks for none */
    SCHED_NO_NEW_SPOT = 16 /* with any of them: a spot node that may not be replaced by a spot node,
                              so its pods move to no new node that could be bought as spot (if one
                              was bought on demand instead, spot would replace that next) */
};

struct sched_pod {
    enum sched_pod_state state;
    uint8_t from;       /* PENDING: the enum sched_leave of the node it is on; 0: on none */
    uint32_t node_i;    /* BOUND: into snapshot->nodes; PENDING: SCHED_NONE */
    const char *code;   /* IGNORED and BLOCKED: a stable word, static; else NULL */
    struct str message; /* BLOCKED: for a person */
};

/* A node that stays. */
struct sched_node {
    struct str name;                    /* of the Node, or of the NodeClaim that has none yet */
    const struct k8s_node *node;        /* NULL: in flight */
    const struct karp_nodeclaim *claim; /* NULL: not managed */
    uint32_t pool_i; /* into snapshot->pools; SCHED_NONE: not managed, or its pool is gone */
    const struct cat_type *type; /* NULL: not in the catalogue */
    bool initialized;
    bool usable; /* false: cordoned or the like, no pod may be added (its pods still count) */
    bool opens;  /* SCHED_OPENS: counts against no limit of its pool */
    bool waits;  /* inside its consolidateAfter window: a pod came or went not long ago */
    struct k8s_pairs labels; /* effective; always has kubernetes.io/hostname */
    uint32_t n_taints, n_pods, n_ports, n_attach;
    const struct k8s_taint *taints;   /* effective */
    struct k8s_resources allocatable; /* before pods; has "pods" */
    struct k8s_resources
        free; /* after bound pods and after daemon pods that are still to come; >= 0 */
    const uint32_t *
        pods; /* [n_pods] bound, not finished, into cluster->pods, in order of namespace and name */
    const struct k8s_host_port *ports; /* taken by bound pods and by daemon pods still to come */
    const struct cat_attach_limit
        *attach; /* volumes it can still attach, per driver; absent: no limit */
};

/* A NodePool. `code` NULL: it may launch nodes. */
struct sched_pool {
    const struct karp_nodepool *pool;
    uint32_t pool_i;                        /* into cluster->nodepools */
    const struct aws_nodeclass *node_class; /* NULL: defaults (no node class in the input at all) */
    const char *code; /* why it may not launch: "POOL_NOT_READY", ...; static */
    struct str message;
    uint32_t tier; /* 0 for the heaviest weight, 1 for the next distinct weight, ... */
    struct k8s_resources limits_left; /* limits less what runs and stays; may name "nodes"; >= 0 */
    bool exhausted; /* some limit leaves nothing at all: the pool opens no topology domain */
};

struct sched_snapshot {
    const struct k8s_cluster *given;
    const struct k8s_cluster
        *cluster; /* as given, with the virtual pods of CapacityBuffers appended */
    const struct catalog *catalog;
    struct strtab *tab;
    const struct k8s_words *words;
    const struct sched_vocab *vocab;
    const struct sched_volumes *volumes;
    const struct sched_daemons *daemons;
    struct sched_settings settings;
    struct arena *arena; /* its own memory */
    uint32_t n_nodes, n_pools, n_pending;
    const strid *zone_ids;        /* [catalog->n_zones] as this account names the zone: of the node
                                     classes' subnets, else of the catalogue; STRID_NONE: unknown */
    const struct sched_pod *pods; /* [cluster->n_pods] */
    const struct sched_node *nodes; /* sorted by name */
    const struct sched_pool *pools; /* sorted by weight descending, then name */
    const uint32_t
        *pending; /* [n_pending] PENDING pods, into cluster->pods, by namespace and name */
    const struct sched_pod_volumes *const *volumes_of; /* [n_pending] NULL: no claims */
    const struct k8s_resources *shape_requests; /* [cluster->n_shapes] effective requests by shape
                                                   id, see sched_requests_of */
    uint32_t n_assumed_claims; /* green field without any StorageClass: pods whose claims are taken
                                  to bind in any zone */
    bool any_prefer_no_schedule; /* some pool has a PreferNoSchedule taint: the last rung of the
                                    ladder exists */
};

/* Builds the snapshot. `leave` is [cluster->n_nodes] of enum sched_leave, or NULL. Errors:
 * ERR_NOT_FOUND when a node, volume or node class names a zone that the catalogue does not know. */
MUST_CHECK bool sched_snapshot_new(const struct k8s_cluster *cluster, const struct catalog *catalog,
                                   const struct sched_settings *settings, const uint8_t *leave,
                                   struct arena *arena, struct sched_snapshot **ret_snapshot,
                                   struct err *err);

/* The cluster with the virtual pods of its CapacityBuffers at the end of its pods; itself when
 * there are none. The copy and what it adds live in `arena`; the rest is the given one's. */
const struct k8s_cluster *sched_cluster_widened(const struct k8s_cluster *cluster,
                                                struct arena *arena);

/* The effective requests of a shape, with "pods": 1. `arena` is used for the shapes of virtual pods
 * only. */
struct k8s_resources sched_requests_of(const struct sched_snapshot *snapshot,
                                       const struct k8s_pod_shape *shape, struct arena *arena);

/* Orders indexes into cluster->pods by namespace and name text. */
void sched_pods_sort(const struct k8s_cluster *cluster, struct arena *scratch, uint32_t *pods,
                     uint32_t n);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The world of the placement checker: nodes as kube-scheduler would see them, pods by kind.
 *
 * Private to check*.c. Written from the Kubernetes documentation; it uses the object types of k8s/,
 * the facts of the catalogue and the plan, and nothing of scheduling/ or solver/. A *kind* is a
 * distinct (namespace, shape): pods of a kind differ in name and claims only. Resources are looked
 * up by their id in short arrays: a node has a handful. */
#pragma once

#include "binpack/plan/check.h"
#include "binpack/plan/plan.h"

struct arena;

struct check_amount {
    strid resource;
    int64_t value;
};
struct check_amounts { /* unsorted, one entry per resource */
    uint32_t n;
    struct check_amount v[24];
};
int64_t check_amounts_get(const struct check_amounts *amounts, strid resource);
/* Adds `value` (saturating); returns false when the array is full. */
bool check_amounts_add(struct check_amounts *amounts, strid resource, int64_t value);

struct check_port {
    strid ip, protocol;
    int32_t port;
};

/* One attached volume: pods that share a claim attach it once. */
struct check_volume_use {
    strid driver;
    uint32_t volume; /* id of the claim or volume, see check_volume_id */
};

struct check_node {
    struct str name;
    struct k8s_pairs labels; /* with the old spellings of renamed labels */
    uint32_t n_taints;
    const struct k8s_taint *taints;
    struct k8s_resources alloc, capacity;
    struct check_amounts used; /* by pods, daemon pods still to come included */
    uint32_t n_ports, cap_ports;
    struct check_port *ports;
    uint32_t n_uses, cap_uses;
    struct check_volume_use *uses;
    uint32_t n_limits;
    const struct cat_attach_limit *limits;
    const struct plan_node *planned; /* NULL for a running or in-flight node */
    strid pool;                      /* STRID_EMPTY when unmanaged */
    bool managed, initialized, deleting;
};

struct check_kind {
    strid ns;
    const struct k8s_pod_shape *shape;
    struct check_amounts requests; /* effective, "pods" = 1 included */
    bool spreads, relates;         /* carries DoNotSchedule spread / required pod (anti-)affinity */
};

struct check_slots;

struct check_world {
    const struct plan *plan;
    const struct k8s_cluster *cluster;
    const struct catalog *catalog;
    const struct check_settings *settings;
    const struct strtab *tab;
    const struct k8s_words *words;
    struct arena *arena;
    uint32_t n_nodes; /* running and in-flight first, then the plan's */
    struct check_node *nodes;
    uint32_t n_running; /* [0, n_running) are not of the plan */
    uint32_t n_kinds;
    struct check_kind *kinds;
    uint32_t *kind_of; /* [cluster->n_pods] */
    uint32_t *node_of; /* [cluster->n_pods] node the pod is bound to, UINT32_MAX */
    uint32_t n_daemons;
    struct check_daemon {
        const struct k8s_workload *set;
        const struct k8s_pod_shape
            *shape; /* where its node affinity, selector and tolerations stand */
        struct check_amounts requests;
        uint32_t n_ports;
        const struct k8s_host_port *ports;
    } * daemons;
    struct check_slots *slots; /* what a pool could buy, remembered: check_pools.c */
    struct strtab *names;      /* ids of attached volumes */
    struct check_index {       /* "namespace/name" -> index into the cluster's array */
        struct strtab *tab;
        uint32_t *index; /* [by id of tab] */
    } claims, volumes,
        running; /* PersistentVolumeClaims, PersistentVolumes; nodes[0, n_running) by name */
};

/* The index stored under (ns, name), or UINT32_MAX. */
uint32_t check_index_find(const struct check_world *world, const struct check_index *index,
                          struct str ns, struct str name);

/* Builds nodes, kinds, daemons; places bound pods on their nodes (resources, ports, volumes).
 * ERR_INTERNAL, ERR_LIMIT. */
MUST_CHECK bool check_world_build(const struct plan *plan, const struct check_settings *settings,
                                  struct arena *arena, struct check_world *ret_world,
                                  struct err *err);

/* Whether the pod needs a place: pending, or on a node that is going away (in mode repack: every
 * pod that is not a daemon's). */
bool check_pod_needs_place(const struct check_world *world, uint32_t pod_i);

/* Whether each of its required node terms says: never on a node of a NodePool. Such a pod is
 * nobody's business here. */
bool check_refuses_managed(const struct check_world *world, uint32_t pod_i);

/* Node index of a running or in-flight node by name; UINT32_MAX when there is none that stays. */
uint32_t check_find_node(const struct check_world *world, struct str name);

/* Labels with the old spellings of renamed keys beside the new ones, and a host name where there is
 * none. */
struct k8s_pairs check_labels(struct check_world *world, const struct k8s_pair *pairs, uint32_t n,
                              struct str host_name);

/* ---- filters (check_filters.c) ---- */
bool check_match_expression(const struct check_world *world,
                            const struct k8s_requirement *expression, strid have);
bool check_match_pairs(const struct check_world *world, const struct k8s_pod_shape *shape,
                       const struct k8s_pairs *labels, struct str node_name);
const struct k8s_taint *check_untolerated(const struct k8s_toleration *tolerations, uint32_t n,
                                          const struct k8s_taint *taints, uint32_t n_taints);
void check_requests(const struct check_world *world, const struct k8s_pod_shape *shape,
                    struct check_amounts *ret_requests);
/* Taints, selector, affinity to nodes, volumes' zones: what does not depend on other pods. */
MUST_CHECK bool check_static(const struct check_world *world, uint32_t pod_i,
                             const struct check_node *node, struct err *err);
/* Resources, host ports, attachments; takes the room when it fits. */
MUST_CHECK bool check_take_room(struct check_world *world, uint32_t pod_i, struct check_node *node,
                                struct err *err);
/* The same for a bound pod: never fails, may overfill. */
void check_occupy(struct check_world *world, uint32_t pod_i, struct check_node *node);
void check_add_port(struct check_world *world, struct check_node *node,
                    const struct k8s_host_port *port);

/* Pods that share an unbound EBS claim end in one zone: the volume will be made in one, where pods
 * run that use it, or else where the first of the plan's pods goes. `ret_stuck` here and below: see
 * check_plan_stuck. */
MUST_CHECK bool check_shared_claims(struct check_world *world, const uint32_t *target,
                                    bool *ret_stuck, struct err *err);

/* ---- inter-pod rules (check_topology.c, check_orders.c) ---- */
/* Replays the plan's placements in some order that passes spread, affinity and anti-affinity at
 * each step. */
MUST_CHECK bool check_replay(struct check_world *world, const uint32_t *target, bool *ret_stuck,
                             struct err *err); /* target [n_pods]: node or UINT32_MAX */
bool check_selector(const struct check_world *world, const struct k8s_selector *selector,
                    const struct k8s_pairs *labels);

/* ---- disruption (check_disrupt.c, check_budgets.c, check_moments.c) ---- */
/* Every node that the plan disrupts may go, in the steps that the plan names. `target` as above. */
MUST_CHECK bool check_disruption(struct check_world *world, const uint32_t *target,
                                 struct err *err);

/* After that: every pod that a step evicts is allowed at its new place at that moment. A pod that
 * is not is set in `stuck` [n_pods]. */
MUST_CHECK bool check_moments(struct check_world *world, const uint32_t *target, bool *stuck,
                              struct err *err);
/* How many nodes of the pool may be on their way for the reason, those that are already included;
 * INT64_MAX: as many as there are. */
int64_t check_budget_allows(const struct check_world *world, const struct karp_nodepool *pool,
                            struct str reason, int64_t n_nodes);

/* ---- overlays (check_overlays.c) ---- */
/* The price of an offering under the heaviest overlay that selects a node with these labels. */
usd_t check_overlaid_price(const struct check_world *world, usd_t price,
                           const struct k8s_pairs *labels);
/* Puts the amounts that overlays state into the node's capacity and allocatable. */
void check_overlaid_capacity(struct check_world *world, struct check_node *node);

/* ---- pools, prices, limits (check_pools.c) ---- */
struct check_slots *check_slots_new(struct arena *arena);
MUST_CHECK bool check_new_nodes(struct check_world *world, struct err *err);
bool check_pool_usable(const struct check_world *world, const struct karp_nodepool *pool,
                       const struct aws_nodeclass **ret_class, const char **ret_why);
/* Labels of a new node of the plan, daemon pods and all, filled into `node`. */
MUST_CHECK bool check_node_of_plan(struct check_world *world, const struct plan_node *planned,
                                   struct check_node *node, struct err *err);
/* Axis values (of `key`) that new nodes of usable pools could open for a carrier; adds them with
 * `add`, a value perhaps more than once. */
void check_openable(struct check_world *world, const struct k8s_pod_shape *shape,
                    const struct k8s_spread *spread, strid key, void (*add)(void *ctx, strid value),
                    void *ctx);

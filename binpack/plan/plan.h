/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Plan: what to buy, what goes where, what it costs, how far from optimal it can be, and why a
 * pod has no place.
 *
 * This is the value behind every output format and behind the service's actions; the JSON form
 * (binpack/v1) is described in docs/plan.md. Pods and nodes are named by index into the k8s_cluster
 * the plan was made from. All arrays live in the plan's arena. Order: nodes by price descending,
 * then pool, type, zone, capacity type and first pod; pods within a node by namespace and name;
 * everything is independent of the order of input. */
#pragma once

#include "binpack/catalog/catalog.h"
#include "k8s/cluster.h"

struct bp_problem;
struct bp_solution;

struct plan_node {   /* a node to be bought */
    struct str name; /* "new-1" */
    uint32_t pool_i; /* index into cluster->nodepools */
    const struct cat_type *type;
    uint32_t zone_i; /* into catalog->zones */
    enum cat_capacity_type capacity_type;
    strid reservation_id; /* STRID_EMPTY unless reserved */
    usd_t price;
    strid os;                         /* kubernetes.io/os of the node */
    struct k8s_pairs labels;          /* template labels and the chosen values of custom labels */
    struct k8s_resources allocatable; /* before daemon pods */
    struct k8s_resources requested;   /* by `pods` */
    struct k8s_resources daemons;     /* by DaemonSet pods */
    uint32_t n_pods, n_options;
    const uint32_t *pods; /* [n_pods] into cluster->pods */
    const struct cat_type *const
        *options; /* [n_options] types that hold the same pods, cheapest first, `type` among them */
};

struct plan_placement { /* pods newly placed on a running or in-flight node */
    struct str node;    /* Node name, or NodeClaim name when it has no Node yet */
    uint32_t n_pods;
    const uint32_t *pods;
};

/* Reason codes, stable; the message explains with the values of this pod. See docs/reasons.md. */
struct plan_reason {
    struct str pool; /* "" when it does not depend on a pool */
    struct str code; /* "RESOURCE_NOT_OFFERED", "TAINT_NOT_TOLERATED", "NO_LABEL_VALUE", ... */
    struct str message;
};
struct plan_unplaced {
    uint32_t pod;
    uint32_t n_reasons;
    const struct plan_reason *reasons; /* nearest miss first */
};

/* How the new spot nodes of a plan must be spread. A pool is an instance type in a zone. */
struct plan_spot_rules {
    uint32_t min_pools; /* pools used at least, or as many as there are spot nodes when they
                           are fewer; 0: no rule */
    struct opt_i64 max_per_pool; /* parts per billion of the spot nodes in one pool; one node may
                                    always be alone in its pool */
    struct opt_i64 max_share;    /* parts per billion of the vCPU of new nodes on spot */
};

struct plan_note { /* assumptions and warnings that belong to the plan */
    struct str code, message;
};

/* Where a pod goes and why (explain.h). */
enum explain_step {
    EXPLAIN_CATALOG,   /* types with an offering that is available */
    EXPLAIN_POOL,      /* what the NodePool and its node class allow */
    EXPLAIN_LABELS,    /* node selector and node affinity */
    EXPLAIN_VOLUMES,   /* zones of its volumes */
    EXPLAIN_TAINTS,    /* taints, and host ports that DaemonSets take */
    EXPLAIN_DAEMONS,   /* room for the DaemonSets */
    EXPLAIN_RESOURCES, /* room for the pod beside them */
    EXPLAIN_LIMITS,    /* limits of the NodePool */
    N_EXPLAIN_STEPS
};
struct plan_choice { /* something that could be bought */
    const struct cat_type *type;
    uint32_t zone_i;
    enum cat_capacity_type capacity_type;
    usd_t price;
};
struct plan_funnel {                                                 /* of one NodePool */
    uint32_t pool_i;                                                 /* into cluster->nodepools */
    uint32_t n_types[N_EXPLAIN_STEPS], n_offerings[N_EXPLAIN_STEPS]; /* left after each step */
    uint32_t n_cheapest;
    const struct plan_choice *cheapest; /* [n_cheapest] of what is left, one per type, by price */
};
/* A change that would give a pod a place (relax.h). What is not named is empty. */
struct plan_relaxation {
    const char *change;          /* "dropNodeSelector", "dropRules", "tolerateTaints", "allowValue",
                                    "dropRequirement", "lowerRequest", "raiseLimits"; static */
    const char *also;            /* a second change, or NULL */
    struct str text;             /* the sentence */
    struct str pool;             /* NodePool that changes, or whose taints are tolerated */
    struct str key, value;       /* label, and the value that is allowed */
    struct str resource, amount; /* the request, and the most it may be */
    const struct cat_type *type; /* what would be bought for the pod alone, */
    usd_t price;                 /* and at what price */
};
struct plan_explanation {
    uint32_t pod;
    struct str no_need; /* why it needs no place; "" when it does */
    /* PLAN_NONE: not there. At most one is set; none for a pod without a place. */
    uint32_t node_i, existing_i, unplaced_i;
    struct k8s_resources requests; /* effective */
    uint32_t dropped;              /* preferences that the plan gave up for it */
    usd_t marginal;                /* what the bound says one more such pod costs */
    bool no_marginal;   /* a spread decides where the next one goes: its price says nothing */
    uint32_t n_running; /* running nodes that would take it if it were alone */
    bool alone;         /* without a place, but it has one alone on an empty cluster */
    uint32_t n_relaxations;
    const struct plan_relaxation *relaxations; /* [n_relaxations] the cheapest first */
    uint32_t n_funnels;
    const struct plan_funnel *funnels; /* [n_funnels] by NodePool as in the cluster */
};
#define PLAN_NONE UINT32_MAX

/* What the numbers of `problem` stand for: class i, offering k, dimension d. Needed to write and to
 * re-prove a certificate. */
struct plan_class {
    uint32_t n_pods;      /* demand * weight */
    const uint32_t *pods; /* [n_pods] into cluster->pods, by namespace and name */
};
struct plan_offering {
    struct str node; /* name of the running or in-flight node; empty for what can be bought */
    uint32_t pool_i; /* the rest: of what can be bought */
    const struct cat_type *type;
    uint32_t zone_i;
    enum cat_capacity_type capacity_type;
    strid reservation_id;
    struct k8s_pairs labels; /* as a plan_node would have them */
};

/* ---- disruption: --mode=disrupt ---- */

/* Nodes that go together, and the new nodes that are launched before their pods are evicted. */
struct plan_command {
    struct str reason; /* "Empty", "Drifted", "Expired", "Underutilized"; static */
    uint32_t n_nodes, n_with;
    const uint32_t *nodes; /* [n_nodes] into cluster->nodes, by name */
    const uint32_t *with;  /* [n_with] into plan->nodes; none: their pods fit on nodes that stay */
    uint32_t n_moved;      /* pods that move */
    usd_t saves; /* prices of `nodes`, where known and nothing is waited for, less those of `with`;
                    may be < 0 */
};

/* One step of carrying the plan out: launch, wait until the new nodes are initialized, then drain
 * one node, its pods one after the other as their budgets allow. Every step is valid by itself: the
 * pods that it evicts have their places on nodes that are there. */
struct plan_step {
    uint32_t command_i;
    uint32_t node; /* into cluster->nodes */
    uint32_t n_launch;
    const uint32_t *launch; /* [n_launch] into plan->nodes, not launched by an earlier step */
    uint32_t n_pods;
    const uint32_t
        *pods; /* [n_pods] into cluster->pods: those that move, in the order of eviction */
    uint32_t n_waits;
    const uint32_t *waits; /* [n_waits] into cluster->pods, by name: protected ones that the drain
                              of an expired node waits for; until they are gone it is paid */
};

struct plan_kept {
    struct str node;           /* of the Node, or of a NodeClaim that has none yet */
    struct str event, message; /* "DisruptionBlocked" or "Unconsolidatable", and why */
    struct str drift; /* "AMIDrift", ...: shown by the objects, not stated by the NodeClaim, so not
                         counted; "" mostly, and in a plan that was read back */
    struct opt_usd price;
    uint8_t
        blocker; /* enum disrupt_blocker (disruption/reasons.h); 0 in a plan that was read back */
};

/* What becomes of a node, and what it would take (explain_node.h). */
struct plan_hurdle {
    struct str event, message; /* as in struct plan_kept */
};
struct plan_node_answer {
    struct str node;
    struct opt_usd price;
    uint32_t n_pods;   /* of it that would move */
    uint32_t n_going;  /* it goes: nodes that go together, itself included */
    struct str reason; /* it goes: "Empty", "Drifted", ...; "" when it stays */
    uint32_t n_with;
    const struct str *with; /* [n_with] it goes: names of the new nodes that replace its group */
    uint32_t n_hurdles;
    const struct plan_hurdle *hurdles; /* [n_hurdles] it stays: what keeps it; the second is what
                                          keeps it when the first is removed, and so on */
    bool removable;                    /* the first hurdles are things that somebody could remove */
    bool would_go;                     /* without those of them that can be removed */
    bool unsettled; /* it stays, as far as a search shows that was stopped before its end; nothing
                       is known of what would be without the hurdles */
    struct opt_usd would_save; /* what the round would then save more, all nodes together, in
                                  dollars per hour; may be < 0 when it makes others stay */
};

struct plan_disruption {
    uint32_t n_commands, n_steps, n_kept, n_moved;
    const struct plan_command *commands; /* those without `with` first, then by first node */
    const struct plan_step *steps;
    const struct plan_kept *kept; /* [n_kept] by name */
    usd_t running;                /* prices of all nodes of today that have one */
    usd_t saves;                  /* sum over commands */
    usd_t pending_cost;        /* of new nodes that replace nothing: they are for pods that wait */
    usd_t after;               /* running - saves + pending_cost */
    bool figures_known;        /* pending_cost and after are stated; false: an older plan */
    usd_t consolidation_saves; /* the part of Empty and Underutilized */
    struct opt_usd saves_at_most; /* what Empty and Underutilized can save in this round, proven */
    usd_t move_charge;            /* per moved pod and hour: what a move has to earn */
    bool unsettled; /* the search was stopped before its end: more may go than is said here */
};

enum plan_mode { PLAN_PROVISION, PLAN_DISRUPT, PLAN_REPACK };

/* Whose plan it is: our own, or an imitation of another planner's. */
enum plan_planner { PLAN_OWN, PLAN_KARPENTER, PLAN_CLUSTER_AUTOSCALER, PLAN_N_PLANNERS };

struct plan_planner_row {
    const char *name;    /* "karpenter", of algorithm.name */
    const char *version; /* "v1.14"; "": what is imitated has long been the same */
    const char *title;   /* "Karpenter v1.14", for people */
    const char *method;  /* of the certificate */
};
extern const struct plan_planner_row plan_planners[PLAN_N_PLANNERS]; /* that of PLAN_OWN is empty */

/* Name and version, "karpenter v1.14". */
struct str plan_planner_tag(enum plan_planner planner, struct arena *arena);

struct plan;

/* Made by an imitation, as its method says. */
bool plan_is_emulated(const struct plan *plan);

struct plan {
    enum plan_mode mode;
    const struct k8s_cluster *cluster;
    const struct catalog *catalog;
    wall_t now;
    uint64_t seed;
    uint32_t n_nodes, n_existing, n_unplaced, n_notes;
    const struct plan_node *nodes;
    const struct plan_placement *existing;
    const struct plan_unplaced *unplaced;
    const struct plan_note *notes;
    uint32_t n_explanations;
    const struct plan_explanation *explanations; /* of the pods that were asked about */

    uint32_t n_pool_explanations;
    const struct plan_pool_explanation *pool_explanations; /* explain_pool.h */

    uint32_t n_pending;   /* pods that needed a place */
    struct plan_ignored { /* pods that need none, by reason */
        struct str reason;
        uint32_t n;
    } const *ignored;
    uint32_t n_ignored;

    usd_t cost;         /* of nodes */
    usd_t spread_cost;  /* of it: what exchanges for the sake of plan_spot_rules cost */
    usd_t running_cost; /* of the nodes that run today and have a known price */
    uint32_t n_running_unpriced;
    usd_t on_demand_cost; /* the same new nodes on demand, where priced */
    usd_t bound;
    struct str status; /* "optimal", "within-gap", "effort-done", "stopped" */
    uint32_t n_columns;
    const struct str
        *relaxed; /* [n_relaxed] families of constraints the bound leaves out, sorted */
    uint32_t n_relaxed;

    uint32_t n_node_answers;
    const struct plan_node_answer *node_answers; /* of the nodes that were asked about */

    const struct plan_disruption *disruption; /* NULL: nothing is disrupted in this mode */

    const struct bp_problem *problem; /* what the bound is about; for --certificate and verify */
    const struct bp_solution *solution;
    bool least_out;    /* no plan places more pods: rules between pods prove it (least_out.h) */
    struct str method; /* "column-generation", "first-fit-decreasing", "karpenter-emulated",
                          "cluster-autoscaler-emulated", "greedy-repair" (make.c: repair) */
    enum plan_planner emulated; /* whose imitation made it; bound, problem and solution are the
                                   solver's, for the same placed pods */
    const struct plan_class
        *classes; /* [problem->n_classes], or NULL in a plan that was read back */
    const struct plan_offering
        *offerings; /* [problem->n_offerings], or NULL in a plan that was read back */
    const struct str
        *dims; /* [problem->n_dims] resource names, or NULL in a plan that was read back */
};

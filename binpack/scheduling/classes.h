/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Needs, rules and classes: pods that no rule can tell apart become one number.
 *
 * A *need* is one distinct kind of pending pod at one rung of the preference ladder: shape,
 * namespace, what its volumes ask and how many preferences it has dropped. A *rule* is one distinct
 * topology spread constraint or pod (anti-)affinity term, wherever it is declared: on pending pods,
 * or (required anti-affinity only) on running ones. Rules know which needs declare them (carriers)
 * and which needs they count (targets). A *class* joins needs that agree in everything the solver
 * can see: requests, alternatives, tolerations, host ports, volumes, priority, and membership in
 * every rule. Raw labels are not part of it.
 *
 * Order of work: needs (per pod) -> rules (terms.h) -> masks (offers.h) -> classes -> rows
 * (topology.h, affinity.h) -> problem. Needs, rules and classes are in an order of text, never of
 * input. */
#pragma once

#include "binpack/scheduling/reqs.h"
#include "binpack/scheduling/snapshot.h"

/* A pod (anti-)affinity term or spread constraint as it stands for a need, after the ladder. */
struct sched_term_use {
    const struct k8s_pod_term *term;
    bool anti;
    bool required; /* false: a preference that has not been dropped yet; holds like a required one,
                      but only for its carrier */
};
struct sched_spread_use {
    const struct k8s_spread *spread;
    bool required; /* false: ScheduleAnyway, not dropped yet */
};

/* A volume that several pods name: they count it once per node. */
struct sched_claim_use {
    strid driver;
    uint32_t volume; /* as in struct sched_attachment (volumes.h) */
    bool zonal;      /* unbound EBS claim: pods that share it share its zone */
    bool exclusive;  /* ReadWriteOncePod */
};

/* Requirements that must all hold on a node. Not merged: a key may occur several times, and NotIn
 * and DoesNotExist hold where the label is absent, as kube-scheduler sees it. */
struct sched_conj {
    uint32_t n;
    const struct sched_req *v;
};

struct sched_need {
    const struct k8s_pod_shape *shape;
    strid ns;
    uint32_t pod; /* the first of its pods by namespace and name, into cluster->pods */
    uint32_t n_pods;
    uint32_t rung;      /* preferences dropped: 0 none (prefs.h) */
    bool last_rung;     /* nothing left to drop */
    bool prefer_taints; /* PreferNoSchedule taints still keep it away */
    int32_t priority;
    bool loose;    /* placed after the others: nobody travels with it, and their preferences do not
                      count it */
    uint8_t from;  /* as in struct sched_pod: where its pods may not move to */
    uint32_t tier; /* new nodes come from pools of exactly this tier; SCHED_TIER_NONE: from none */
    struct k8s_resources requests; /* effective, with "pods": 1 */
    uint32_t n_alternatives, n_tolerations, n_spread, n_terms, n_ports, n_attach, n_claims;
    const struct sched_conj
        *alternatives; /* node selector AND one affinity term AND one volume alternative; any may
                          hold; none: no node can hold it */
    const struct sched_conj
        *topology_alternatives; /* the same without volumes: what spread counts as eligible */
    uint32_t n_topology_alternatives;
    const struct k8s_toleration *tolerations;
    const struct sched_spread_use *spread;
    const struct sched_term_use *terms;
    const struct k8s_host_port *ports;
    const struct cat_attach_limit *attach; /* volumes of its own that it attaches, per driver */
    const struct sched_claim_use *claims;  /* volumes it may share with other pods */
};
struct sched_needs {
    uint32_t n;
    const struct sched_need *v;
    const uint32_t
        *of_pod; /* [snapshot->n_pending] need of snapshot->pending[i]; SCHED_NONE: given up */
};

enum sched_rule_kind { SCHED_SPREAD, SCHED_TOGETHER, SCHED_APART };

struct sched_rule {
    uint32_t volume; /* the shared claim that will exist in one zone (see volumes.h); SCHED_NONE: a
                        rule that pods declare */
    enum sched_rule_kind kind;
    strid key;     /* topology key, stable name */
    bool required; /* false: preferences; targets are then only needs that have not dropped it */
    uint32_t max_skew, min_domains;    /* SPREAD; min_domains 0: not set */
    bool affinity_honor, taints_honor; /* SPREAD */
    uint32_t filter_need; /* SPREAD: a carrier; its topology_alternatives and tolerations filter the
                             domains (rules with different filters are different rules); SCHED_NONE
                             when no pending pod carries it */
    const uint64_t *carriers, *targets; /* [bits_words(needs.n)] */
    const uint32_t *targets_at; /* [snapshot->n_nodes] pods of running nodes that it counts, or
                                   NULL: none anywhere */
    const uint32_t *
        carriers_at; /* [snapshot->n_nodes] APART: pods of running nodes that declare it, or NULL */
};
struct sched_rules {
    uint32_t n;
    const struct sched_rule
        *v; /* sorted by kind, key text, then what else tells them apart by text */
};

struct sched_class {
    uint32_t need; /* the representative: the first of its needs */
    uint32_t n_pods;
    const uint32_t *pods; /* [n_pods] into cluster->pods, by namespace and name */
    uint32_t n_needs;
    const uint32_t *needs; /* [n_needs] all its needs, ascending */
};
struct sched_classes {
    uint32_t n;
    const struct sched_class *v;
    const struct sched_needs *needs;
    const uint32_t *of_need; /* [needs->n] */
};

/* How far the pods of the cluster have gone down: per pending pod its rung of the ladder and the
 * tier of pools it may use. */
struct sched_descent {
    uint16_t *rung; /* [snapshot->n_pending] SCHED_RUNG_OUT: given up, takes part in nothing */
    uint16_t *tier; /* [snapshot->n_pending] SCHED_TIER_NONE: running nodes only */
    bool *loose;    /* [snapshot->n_pending] see struct sched_need; NULL: nobody */
    bool
        in_some_order; /* the rules over hosts need only hold in some order of placement (rows.h) */
};
#define SCHED_RUNG_OUT  UINT16_MAX
#define SCHED_TIER_NONE UINT16_MAX

/* The priority of pods of a shape: its own, that of its class, or that of the default class. */
int32_t sched_priority_of(const struct k8s_cluster *cluster, const struct k8s_pod_shape *shape);

/* The needs of all pending pods as `descent` has them. */
MUST_CHECK bool sched_needs_new(const struct sched_snapshot *snapshot,
                                const struct sched_descent *descent, struct arena *arena,
                                struct sched_needs *ret_needs, struct err *err);

/* Joins needs. `same[i]` is any number that must be equal for needs of one class (what the masks
 * say). */
void sched_classes_new(const struct sched_snapshot *snapshot, const struct sched_needs *needs,
                       const struct sched_rules *rules, const uint32_t *same, struct arena *arena,
                       struct sched_classes *ret_classes);

/* Is the class a carrier or target of a rule? All needs of a class agree. */
bool sched_class_carries(const struct sched_classes *classes, uint32_t class_i,
                         const struct sched_rule *rule);
bool sched_class_counts(const struct sched_classes *classes, uint32_t class_i,
                        const struct sched_rule *rule);

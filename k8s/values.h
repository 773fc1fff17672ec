/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values that many Kubernetes objects share: labels, resource lists, metadata, label selectors,
 * node selector terms, taints, tolerations and conditions.
 *
 * Keys, values and other words of the vocabulary are interned (strid, base/strtab.h); object names
 * are text. Maps are arrays of pairs sorted by key id, without duplicates, so lookup is a binary
 * search; their order must not show in any output. Quantities are int64: cpu in millicores,
 * everything else in base units (bytes, counts). Requests and limits are rounded up when decoded,
 * capacity and allocatable down. Everything lives in the arena it was decoded into and is constant.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/strtab.h"
#include "base/units.h"

struct k8s_pair {
    strid key, value;
};
struct k8s_pairs { /* labels, annotations, node selectors */
    uint32_t n;
    const struct k8s_pair *v; /* [n] ascending by key id */
};

/* The value of `key`, or STRID_NONE. */
strid k8s_pairs_get(const struct k8s_pairs *pairs, strid key);

struct k8s_quantity {
    strid resource;
    int64_t value; /* >= 0 after decoding; cpu in millicores */
};
struct k8s_resources {
    uint32_t n;
    const struct k8s_quantity *v; /* [n] ascending by resource id */
};

/* The amount of `resource`; 0 when absent (use k8s_resources_has to tell). */
int64_t k8s_resources_get(const struct k8s_resources *resources, strid resource);
bool k8s_resources_has(const struct k8s_resources *resources, strid resource);

struct k8s_strids {
    uint32_t n;
    const strid *v; /* [n] in the order of the input */
};

struct k8s_owner {
    strid api_version, kind; /* "apps/v1", "ReplicaSet" */
    struct str name, uid;
    bool controller;
};

struct k8s_meta {
    struct str name;
    strid ns;                    /* STRID_EMPTY for cluster-scoped objects */
    struct str uid;              /* may be empty in files written by hand */
    struct str resource_version; /* may be empty */
    struct k8s_pairs labels,
        annotations; /* annotations: only those that some rule reads, see k8s/codec.c */
    struct opt_wall created, deleted; /* deletionTimestamp */
    int64_t generation;
    uint32_t n_owners, n_finalizers;
    const struct k8s_owner *owners; /* [n_owners] */
    const strid *finalizers;        /* [n_finalizers] */
};

/* The controller owner (controller: true), or NULL. */
const struct k8s_owner *k8s_meta_controller(const struct k8s_meta *meta);

/* https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ */
enum k8s_operator {
    K8S_IN,
    K8S_NOT_IN,
    K8S_EXISTS,
    K8S_DOES_NOT_EXIST,
    K8S_GT,
    K8S_LT,
    K8S_GTE,
    K8S_LTE
};

struct k8s_requirement { /* of a label selector, a node selector term, a NodePool */
    strid key;
    enum k8s_operator op;
    struct k8s_strids values;
    struct opt_i32 min_values; /* NodePool only */
};

struct k8s_selector { /* metav1.LabelSelector */
    bool present;     /* false: the field is absent (nil selector: matches nothing); true and empty:
                         matches everything */
    struct k8s_pairs match_labels;
    uint32_t n_expressions;
    const struct k8s_requirement *expressions; /* [n_expressions] In, NotIn, Exists, DoesNotExist */
};

struct k8s_node_term { /* NodeSelectorTerm: all expressions hold; an empty term matches nothing */
    uint32_t n_expressions, n_fields;
    const struct k8s_requirement *expressions; /* matchExpressions */
    const struct k8s_requirement *fields;      /* matchFields (metadata.name only) */
};

enum k8s_effect { K8S_EFFECT_ANY, K8S_NO_SCHEDULE, K8S_PREFER_NO_SCHEDULE, K8S_NO_EXECUTE };

struct k8s_taint {
    strid key, value;
    enum k8s_effect effect; /* never ANY */
};

struct k8s_toleration {
    strid key; /* STRID_EMPTY with op Exists: every taint */
    strid value;
    enum k8s_operator
        op; /* K8S_IN stands for Equal; K8S_EXISTS; K8S_GT and K8S_LT are read and never match */
    enum k8s_effect effect; /* ANY: all effects */
    struct opt_i64 seconds; /* tolerationSeconds */
};

/* https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ with the feature
 * gates of Kubernetes 1.36 at their defaults: TaintTolerationComparisonOperators is alpha and off,
 * so the operators Gt and Lt tolerate nothing (an API server without the gate refuses such pods).
 */
bool k8s_tolerates(const struct k8s_toleration *tolerations, uint32_t n,
                   const struct k8s_taint *taint);

struct k8s_condition {
    strid type, status, reason; /* "Ready", "True", ... */
    struct opt_wall changed;    /* lastTransitionTime */
    int64_t observed_generation;
    struct str message; /* of Karpenter's kinds only, whose conditions are written anew */
};
struct k8s_conditions {
    uint32_t n;
    const struct k8s_condition *v;
};

/* The condition of that type, or NULL. */
const struct k8s_condition *k8s_conditions_find(const struct k8s_conditions *conditions,
                                                strid type);

/* Words that rules compare with; filled once per string table by k8s_words_init. */
struct k8s_words {
    strid cpu, memory, pods, ephemeral_storage, nodes;     /* resources */
    strid zone, region, hostname, instance_type, arch, os; /* node labels, stable names */
    strid capacity_type, nodepool, initialized, registered, zone_id;
    strid spot, on_demand, reserved, os_linux, os_windows, amd64, arm64;
    strid s_true, s_false, s_unknown; /* "True", "False", "Unknown" */
    strid ready, pod_scheduled, unschedulable, scheduling_gated;
    strid daemonset, node_kind, statefulset, replicaset, job; /* owner kinds */
    strid apps_v1, v1;                                        /* their API versions */
    strid reservation_id; /* karpenter.k8s.aws/capacity-reservation-id */
    strid do_not_disrupt; /* karpenter.sh/do-not-disrupt */
};
void k8s_words_init(struct k8s_words *words, struct strtab *tab);

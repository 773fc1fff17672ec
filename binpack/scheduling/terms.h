/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules between pods: every spread constraint and pod (anti-)affinity term of a cluster, collected
 * once and deduplicated.
 *
 * A *rule* is one topologySpreadConstraint, one required anti-affinity term, or the required
 * affinity terms of a pod for one topology key. Pods that declare it are its carriers, pods that
 * its selector finds in its namespaces its targets. Rules of pods that differ only in what no
 * selector sees are the same rule; matchLabelKeys and mismatchLabelKeys are resolved with the
 * carrier's label values, so a rule is the carrier's own where they differ. A required affinity
 * counts only pods that match *all* terms of the pod, as kube-scheduler does. Soft terms
 * (preferred, ScheduleAnyway) are rules too, in force until their rung of the ladder is dropped
 * (prefs.h).
 *
 * The *membership* of a pod is the set of rules it carries and the set it is counted by; it is what
 * of a pod's labels belongs into a class key: two pods with the same membership id cannot be told
 * apart by any rule. */
#pragma once

#include "binpack/scheduling/prefs.h"
#include "binpack/scheduling/reqs.h"

enum sched_rule_kind { SCHED_RULE_SPREAD, SCHED_RULE_TOGETHER, SCHED_RULE_APART };

struct sched_rule {
    enum sched_rule_kind kind;
    strid key;                     /* topology key, stable name */
    bool on_host;                  /* key is kubernetes.io/hostname */
    bool soft;                     /* preferred or ScheduleAnyway */
    int32_t max_skew, min_domains; /* SPREAD; min_domains 0 when not set */
    bool affinity_honor, taints_honor;
    const struct k8s_pod_shape *
        filter; /* SPREAD: a carrier; its node selector, terms and tolerations filter the domains */
    struct str text; /* "topology spread on topology.kubernetes.io/zone (app=web)", for reasons */
};

struct sched_soft_rule {
    uint32_t rule_i, rung_i; /* in force while rung_i >= dropped */
};

struct sched_membership {
    const uint64_t *carries; /* [bits_words(n_rules)] hard rules */
    const uint64_t *counted; /* [bits_words(n_rules)] rules that count this pod */
    uint32_t n_soft;
    const struct sched_soft_rule *soft;
};

struct sched_rules {
    const struct sched_vocab *vocab;
    uint32_t n_rules, n_memberships;
    const struct sched_rule *rules; /* [n_rules] in an order that does not depend on input order */
    const struct sched_membership
        *memberships;                /* [n_memberships] grows with sched_rules_membership */
    struct sched_rules_index *index; /* internal */
};

/* Default spread constraints for pods that declare none (karp: SCHEDULER_CONFIG
 * podTopologySpread.defaultConstraints): their selectors are absent and taken from the Services and
 * owners of the pod. */
struct sched_rules_options {
    bool prefer_taints, ignore_preferences; /* as for sched_ladder_of */
    uint32_t n_defaults;
    const struct k8s_spread *defaults;
};

/* Collects the rules of `pending` pods and the required anti-affinity of `running` ones (bound, not
 * finished). */
struct sched_rules *sched_rules_new(struct arena *arena, const struct sched_vocab *vocab,
                                    const struct k8s_cluster *cluster,
                                    const struct sched_rules_options *options, uint32_t n_pending,
                                    const struct k8s_pod *const *pending, uint32_t n_running,
                                    const struct k8s_pod *const *running);

/* The dense id of a pod's membership. Pods of one shape and namespace are looked up in constant
 * time. */
uint32_t sched_rules_membership(struct sched_rules *rules, const struct k8s_pod *pod);

/* The same for the parts of a bundle: what any part carries or is counted by, without the rules of
 * `without` (may be NULL), soft rules that are in force after `dropped[i]` steps made hard. */
uint32_t sched_rules_union(struct sched_rules *rules, uint32_t n, const uint32_t *memberships,
                           const uint32_t *dropped, const uint64_t *without);

/* Is the rule in force for the membership after `dropped` steps, and does it count the membership?
 */
bool sched_rule_carried(const struct sched_rules *rules, uint32_t membership, uint32_t dropped,
                        uint32_t rule_i);
bool sched_rule_counts(const struct sched_rules *rules, uint32_t membership, uint32_t rule_i);

/* The topology keys other than the host name that rules of the given memberships use, by text: the
 * axes of a problem. */
struct k8s_strids sched_rules_keys(const struct sched_rules *rules, struct arena *arena);

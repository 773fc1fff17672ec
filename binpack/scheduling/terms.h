/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules between pods: every spread constraint and pod (anti-)affinity term of the needs, collected
 * once and deduplicated.
 *
 * A *rule* (classes.h) is one topology spread constraint, one anti-affinity term, or the required
 * affinity terms of a pod for one topology key. Pods that declare it are its carriers, pods that
 * its selector finds in its namespaces its targets. Rules of pods that differ only in what no
 * selector sees are one rule; matchLabelKeys and mismatchLabelKeys are resolved with the carrier's
 * label values, so carriers with different values carry different rules. A required affinity counts
 * only pods that match *all* required terms of the pod, as kube-scheduler does; each preferred term
 * stands alone. Pods that share an unbound zonal claim carry a TOGETHER rule of their own, because
 * the volume will exist in one zone. Running pods are counted by every rule and add rules by their
 * required anti-affinity, which keeps newcomers away.
 *
 * https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
 * https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/ */
#pragma once

#include "binpack/scheduling/classes.h"

/* The rules of `needs` and of the running pods of the snapshot. Sorted by text, so independent of
 * input order. Lives in `arena`. */
void sched_rules_new(const struct sched_snapshot *snapshot, const struct sched_needs *needs,
                     struct arena *arena, struct sched_rules *ret_rules);

/* The topology keys other than the host name that the rules use, by text: the axes of a problem. */
struct k8s_strids sched_rules_keys(const struct sched_snapshot *snapshot,
                                   const struct sched_rules *rules, struct arena *arena);

/* The classes that carry a rule and those it counts, [bits_words(classes->n)] each. */
void sched_rule_classes(const struct sched_classes *classes, const struct sched_rule *rule,
                        struct arena *arena, uint64_t **ret_carriers, uint64_t **ret_targets);

/* The name of a rule's family in certificates: "zone-spread", "hostname-spread", "zone-affinity",
 * "zone-anti-affinity", "label-spread", ...; static. */
const char *sched_rule_family(const struct sched_vocab *vocab, const struct sched_rule *rule);

/* "topology spread on topology.kubernetes.io/zone (maxSkew 1)", for reasons. */
struct str sched_rule_text(const struct sched_vocab *vocab, const struct sched_rule *rule,
                           struct arena *arena);

/* Does an affinity term of a pod (`owner_ns`, `owner` labels) find a pod of namespace `ns` with
 * `labels`? */
bool sched_term_matches(const struct sched_vocab *vocab, const struct k8s_cluster *cluster,
                        const struct k8s_pod_term *term, strid owner_ns,
                        const struct k8s_pairs *owner, strid ns, const struct k8s_pairs *labels);
/* Does a spread constraint of such a pod count it? */
bool sched_spread_matches(const struct k8s_spread *spread, strid owner_ns,
                          const struct k8s_pairs *owner, strid ns, const struct k8s_pairs *labels);

/* Default spread constraints (karp: podTopologySpread.defaultConstraints) for a pod that declares
 * none: the selector is what the Services of its namespace that select the pod ask for together,
 * and its ReplicaSet, StatefulSet or ReplicationController; without any the pod gets no constraint.
 * Copies `defaults` with that selector; *ret_n is 0 when there is none. */
void sched_default_spread(const struct k8s_cluster *cluster, const struct k8s_pod *pod,
                          uint32_t n_defaults, const struct k8s_spread *defaults,
                          struct arena *arena, const struct k8s_spread **ret_spread,
                          uint32_t *ret_n);

/* The cluster as if every pod without constraints of its own declared these; itself for none.
 * Pods, shapes and constraints that it adds live in `arena`. */
const struct k8s_cluster *sched_cluster_spread(const struct k8s_cluster *cluster,
                                               uint32_t n_defaults,
                                               const struct k8s_spread *defaults,
                                               struct arena *arena);

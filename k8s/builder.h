/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds a k8s_cluster from API objects that arrive one at a time, as JSON values.
 *
 * Each object is decoded by the tables of k8s/codec.h into the builder's arena; only the fields
 * that some rule reads are kept. Objects of unknown kinds are counted and ignored. An object that
 * breaks a rule of its schema is not taken: the call fails with a path (`Pod shop/web-0:
 * spec.containers[1].resources.requests.cpu: ...`), nothing of it is kept, and the next call works.
 * Of a PodDisruptionBudget that is refused so, the selector is kept, and it allows no eviction.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "k8s/cluster.h"

struct arena;
struct k8s_builder; /* opaque, lives in its arena */

/* How often each kind was seen; sums to the number of objects added. */
struct k8s_kind_count {
    struct str kind; /* "" when the object has none */
    uint32_t n, n_rejected, n_replaced;
    bool known;
};

struct k8s_builder *k8s_builder_new(struct arena *arena, struct strtab *tab);

/* Adds one object. `list_kind` is the kind of items of a typed list whose items carry none ("Pod"
 * for a PodList), or empty. `source_i` is kept for messages. `removed`: a watch event DELETED; the
 * object of that name goes away. A decoded duplicate replaces the earlier object; *ret_replaced
 * (may be NULL) says so. Kinds are told apart by API group: `Service` of serving.knative.dev is
 * unknown and counted as Service.serving.knative.dev. Errors: ERR_INVALID (field, value and rule),
 * ERR_LIMIT (name of the cap), ERR_UNSUPPORTED (a version of one of our kinds that reads
 * differently, such as karpenter.sh/v1beta1). */
MUST_CHECK bool k8s_builder_add(struct k8s_builder *builder, json_t *object, struct str list_kind,
                                uint32_t source_i, bool removed, bool *ret_replaced,
                                struct err *err);

/* The counts so far, sorted by kind; the array is in the builder's arena. */
void k8s_builder_counts(const struct k8s_builder *builder, const struct k8s_kind_count **ret_counts,
                        uint32_t *ret_n);

/* The cluster; nothing may be added afterwards. The result shares the builder's arena.
 *
 * What an API server would have filled in, and a manifest leaves open, is filled in:
 *  - while decoding: requests from limits, pod-level requests, TCP, host ports of host networking,
 *    terminationGracePeriodSeconds 30, Honor and Ignore of spread policies, Equal of tolerations,
 *    default-scheduler, the name label of namespaces, completed LimitRanges, defaults of
 * Karpenter's CRDs;
 *  - here, for all pods and templates: priority from the PriorityClass, the global default or 0;
 *  - here, for pods without status and for pod templates: overhead, node selector and tolerations
 * of the RuntimeClass, container defaults of the LimitRanges of their namespace;
 *  - here, the default StorageClass (the newest, then by name) for claims, ephemeral volumes and
 * claim templates that are not bound and name none. */
const struct k8s_cluster *k8s_builder_finish(struct k8s_builder *builder);

/* Gives the NodeClaims that are there the instances behind them, by their provider ids; to be
 * called before k8s_builder_finish. `instances` [n] are sorted by id and outlive the cluster. */
void k8s_builder_instances(struct k8s_builder *builder, const struct aws_instance *instances,
                           uint32_t n);

/* Gives scratch memory back; for builders that are given up before k8s_builder_finish, which does
 * it itself. Accepts NULL and may be called twice. */
void k8s_builder_done(struct k8s_builder *builder);

enum k8s_expand { K8S_EXPAND_AUTO, K8S_EXPAND_NEVER };

/* Adds the pods that workloads without any pod of their own in the input would have: replicas of
 * Deployments, StatefulSets, ReplicaSets, ReplicationControllers, Jobs and CronJobs (one run),
 * named as their controllers would name them (web-0, or <name>-<n>), with StatefulSet claims. Pods
 * get no status, so they count as pending. To be called once before k8s_builder_finish. *ret_n_pods
 * says how many pods were made. Errors: ERR_LIMIT (LIMIT_REPLICAS, LIMIT_PODS) names the workload.
 */
MUST_CHECK bool k8s_builder_expand(struct k8s_builder *builder, enum k8s_expand mode,
                                   uint32_t *ret_n_pods, struct err *err);

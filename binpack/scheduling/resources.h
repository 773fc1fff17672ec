/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a pod asks for, as kube-scheduler counts it.
 *
 * Per container: the request, or the limit where no request is given. Sum of the containers and
 * sidecars (restartable init containers); an init container needs its own request plus the sidecars
 * started before it; the larger of both counts
 * (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/, KEP-753). Pod-level
 * requests replace cpu, memory and huge pages (KEP-2837). Overhead of the runtime class is added,
 * and one of the resource `pods`. */
#pragma once

#include "k8s/cluster.h"

struct arena;

struct k8s_resources sched_shape_requests(const struct k8s_cluster *cluster, struct arena *arena,
                                          const struct k8s_pod_shape *shape);

/* The same for a pod that does not exist yet: LimitRanges of its namespace give defaults to
 * containers that name neither request nor limit, and the RuntimeClass gives the overhead and,
 * where the shape has none. */
struct k8s_resources sched_template_requests(const struct k8s_cluster *cluster, struct arena *arena,
                                             const struct k8s_pod_shape *shape, strid ns);

/* Arithmetic by resource; saturating. Zero entries are kept. */
struct k8s_resources sched_resources_sum(struct arena *arena, struct k8s_resources a,
                                         struct k8s_resources b);
struct k8s_resources sched_resources_max(struct arena *arena, struct k8s_resources a,
                                         struct k8s_resources b);
struct k8s_resources sched_resources_less(struct arena *arena, struct k8s_resources a,
                                          struct k8s_resources b); /* not below 0 */
bool sched_resources_equal(struct k8s_resources a, struct k8s_resources b);

/* Every request above zero is at most what `room` has of it. *ret_short (may be NULL) is the first
 * that is not. */
bool sched_resources_fit(struct k8s_resources requests, struct k8s_resources room,
                         strid *ret_short);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DaemonSets: the pods that every suitable node runs besides ours.
 *
 * One representative pod per DaemonSet: requests, host ports and tolerations of its newest real
 * pod, or of the template (limits as requests, LimitRange defaults); node selector and affinity
 * always of the template, because a real pod's affinity names its node. The DaemonSet controller
 * adds tolerations for the condition taints, and so do we. */
#pragma once

#include "binpack/scheduling/reqs.h"
#include "binpack/scheduling/taints.h"

struct sched_daemon {
    const struct k8s_workload *workload;
    const struct k8s_pod_shape *match; /* node_selector and node terms: of the template */
    uint32_t n_tolerations, n_host_ports;
    const struct k8s_toleration *tolerations;
    const struct k8s_host_port *host_ports;
    struct k8s_resources requests; /* pods: 1 included */
};

struct sched_daemons {
    uint32_t n;
    const struct sched_daemon *v; /* by namespace and name text */
};

struct sched_daemons sched_daemons_new(struct arena *arena, const struct sched_vocab *vocab,
                                       const struct k8s_cluster *cluster);

/* Does this DaemonSet run on a node with these labels and taints? */
bool sched_daemon_runs(const struct sched_vocab *vocab, const struct sched_daemon *daemon,
                       const struct k8s_pairs *labels, struct str node_name, uint32_t n_taints,
                       const struct k8s_taint *taints);

/* What DaemonSets will still take on a running node: requests of those that run there, less those
 * of the daemon pods bound there already, not below zero per resource. `bound` are all pods of the
 * node; others than daemon pods are skipped. */
struct k8s_resources sched_daemons_to_come(const struct sched_vocab *vocab, struct arena *arena,
                                           const struct k8s_cluster *cluster,
                                           const struct sched_daemons *daemons,
                                           const struct k8s_pairs *labels, struct str node_name,
                                           uint32_t n_taints, const struct k8s_taint *taints,
                                           uint32_t n_bound, const struct k8s_pod *const *bound);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pods: a small struct per pod and a shared shape.
 *
 * 100,000 pods of a few hundred workloads differ in name, node and status only. The rest, the
 * *shape*, is decoded once and shared by all pods whose spec, labels, owner kind and read
 * annotations are byte-identical after normalisation (sorted maps). Labels that a controller makes
 * unique per pod are part of the shape; classes are formed later by what rules see of them. Fields:
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
#pragma once

#include "k8s/values.h"

struct k8s_container {
    struct k8s_resources requests, limits; /* in-place resize: status.allocatedResources is merged
                                              by the decoder as the maximum */
    bool restart_always;                   /* init containers only: a sidecar */
    struct str name;
};

struct k8s_host_port {
    strid ip;       /* STRID_EMPTY or "0.0.0.0": all addresses */
    strid protocol; /* "TCP" when absent */
    int32_t port;   /* 1..65535 */
};

enum k8s_volume_kind {
    K8S_VOLUME_CLAIM,     /* persistentVolumeClaim */
    K8S_VOLUME_EPHEMERAL, /* ephemeral: claim named <pod>-<volume> */
    K8S_VOLUME_CSI,       /* inline csi */
    K8S_VOLUME_AWS_EBS,   /* in-tree awsElasticBlockStore: one attachment of ebs.csi.aws.com */
    K8S_VOLUME_OTHER      /* no rule reads it; not kept */
};
struct k8s_volume {
    enum k8s_volume_kind kind;
    struct str name;       /* of the volume in the pod */
    struct str claim_name; /* CLAIM; volume id for AWS_EBS */
    strid driver;          /* CSI */
    bool read_only;
    struct opt_i64 size_bytes; /* EPHEMERAL: storage request of the template */
    strid storage_class; /* EPHEMERAL: storageClassName; STRID_NONE when absent, STRID_EMPTY when ""
                          */
};

struct k8s_spread {
    strid key;
    int32_t max_skew;
    struct opt_i32 min_domains;
    bool schedule_anyway; /* whenUnsatisfiable: ScheduleAnyway */
    bool affinity_honor;  /* nodeAffinityPolicy, default Honor */
    bool taints_honor;    /* nodeTaintsPolicy, default Ignore */
    struct k8s_selector selector;
    struct k8s_strids match_label_keys;
};

struct k8s_pod_term { /* PodAffinityTerm */
    strid key;        /* topologyKey */
    struct k8s_selector selector, ns_selector;
    struct k8s_strids namespaces, match_label_keys, mismatch_label_keys;
    int32_t weight; /* preferred terms, 1..100; 0 for required ones */
};

struct k8s_preferred_node_term {
    int32_t weight;
    struct k8s_node_term term;
};

enum k8s_preemption { K8S_PREEMPT_LOWER, K8S_PREEMPT_NEVER };

struct k8s_pod_shape {
    struct k8s_pairs labels, annotations;
    struct k8s_pairs node_selector;
    bool has_required_node_terms; /* requiredDuringScheduling present: at least one term must match
                                   */
    uint32_t n_node_terms, n_preferred_node_terms;
    const struct k8s_node_term *node_terms;
    const struct k8s_preferred_node_term *preferred_node_terms;
    uint32_t n_affinity, n_anti_affinity, n_preferred_affinity, n_preferred_anti_affinity;
    const struct k8s_pod_term *affinity, *anti_affinity, *preferred_affinity,
        *preferred_anti_affinity;
    uint32_t n_spread, n_tolerations, n_containers, n_init_containers, n_host_ports, n_volumes;
    const struct k8s_spread *spread;
    const struct k8s_toleration *tolerations;
    const struct k8s_container *containers, *init_containers;
    const struct k8s_host_port *host_ports; /* of ordinary containers and sidecars */
    const struct k8s_volume *volumes;
    bool has_pod_resources; /* spec.resources: pod-level requests replace the sum for the resources
                               they name */
    struct k8s_resources pod_requests, pod_limits, overhead;
    struct opt_i32 priority;
    strid priority_class;
    enum k8s_preemption preemption;
    strid scheduler_name;
    strid runtime_class;
    uint32_t n_scheduling_gates, n_resource_claims; /* dynamic resource allocation */
    int64_t termination_grace_seconds;              /* default 30 */
    strid owner_api_version, owner_kind; /* of the controller, or of the first owner; STRID_EMPTY */
    uint32_t id;                         /* dense, in the order of first use */
};

enum k8s_phase {
    K8S_PHASE_NONE,
    K8S_PENDING,
    K8S_RUNNING,
    K8S_SUCCEEDED,
    K8S_FAILED,
    K8S_PHASE_UNKNOWN
};

struct k8s_pod {
    struct str name;
    strid ns;
    struct str uid;
    struct str owner_name;
    struct str node_name;           /* spec.nodeName, empty while not bound */
    struct str nominated_node_name; /* status */
    const struct k8s_pod_shape *shape;
    struct opt_wall created, deleted, started;
    enum k8s_phase phase;
    bool has_status; /* false: a bare manifest */
    strid scheduled_status,
        scheduled_reason; /* of condition PodScheduled, STRID_EMPTY when absent */
    bool ready;           /* condition Ready is True */
    bool unready;         /* condition Ready is False; neither: nobody has said */
    uint32_t source_i;    /* index of the input file, for messages */
};

/* Whose pod is it? A kind of the same name in another API group is a workload like any other. */
bool k8s_pod_of_daemonset(const struct k8s_words *words, const struct k8s_pod_shape *shape);
bool k8s_pod_of_statefulset(const struct k8s_words *words, const struct k8s_pod_shape *shape);
bool k8s_pod_is_static(const struct k8s_words *words, const struct k8s_pod_shape *shape);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The other Kubernetes objects the planner reads, only with the fields that some rule uses. */
#pragma once

#include "k8s/pod.h"
#include "k8s/values.h"

struct k8s_node {
    struct k8s_meta meta;
    struct str provider_id;
    bool unschedulable;
    uint32_t n_taints;
    const struct k8s_taint *taints;
    struct k8s_resources capacity, allocatable;
    struct k8s_conditions conditions;
};

struct k8s_pv {
    struct k8s_meta meta;
    strid storage_class;
    strid driver; /* csi.driver; "kubernetes.io/aws-ebs" for in-tree EBS; STRID_EMPTY else */
    struct str volume_handle;
    bool is_local, is_host_path, is_nfs;
    strid phase;                     /* status.phase */
    struct str claim_ns, claim_name; /* claimRef */
    uint32_t n_terms;                /* nodeAffinity.required: alternatives; 0 = anywhere */
    const struct k8s_node_term *terms;
    int64_t capacity_bytes;
};

struct k8s_pvc {
    struct k8s_meta meta;
    strid storage_class;    /* STRID_NONE when the field is absent (the default class applies),
                               STRID_EMPTY when "" */
    struct str volume_name; /* empty: not bound */
    strid phase;            /* Pending, Bound, Lost */
    struct k8s_strids access_modes;
    int64_t request_bytes;
    bool bind_completed; /* annotation pv.kubernetes.io/bind-completed */
};

struct k8s_storage_class {
    struct k8s_meta meta;
    strid provisioner;
    bool wait_for_consumer; /* volumeBindingMode: WaitForFirstConsumer */
    bool is_default;        /* annotation storageclass.kubernetes.io/is-default-class */
    uint32_t n_topologies;
    const struct k8s_node_term *topologies; /* allowedTopologies: alternatives of In requirements */
};

struct k8s_csi_driver_limit {
    strid driver;
    struct opt_i32 count; /* allocatable.count; absent: no limit known */
};
struct k8s_csi_node {
    struct k8s_meta meta; /* name = node name */
    uint32_t n_drivers;
    const struct k8s_csi_driver_limit *drivers;
};

struct k8s_volume_attachment {
    struct k8s_meta meta;
    strid attacher;
    struct str node_name, pv_name;
    bool attached;
};

struct k8s_namespace {
    struct k8s_meta meta;
};

/* Deployment, StatefulSet, ReplicaSet, ReplicationController, DaemonSet, Job, CronJob. */
enum k8s_workload_kind {
    K8S_DEPLOYMENT,
    K8S_STATEFULSET,
    K8S_REPLICASET,
    K8S_REPLICATIONCONTROLLER,
    K8S_DAEMONSET,
    K8S_JOB,
    K8S_CRONJOB
};
struct k8s_claim_template {
    struct str name;
    strid storage_class; /* STRID_NONE absent */
    int64_t request_bytes;
};
struct k8s_workload {
    enum k8s_workload_kind kind;
    struct k8s_meta meta;
    int64_t
        replicas; /* 1 when absent; Job: min(parallelism, completions left); DaemonSet: unused */
    int64_t first_ordinal; /* StatefulSet: spec.ordinals.start */
    bool suspended;        /* Job, CronJob */
    struct k8s_selector selector;
    const struct k8s_pod_shape
        *template_shape; /* with labels of the pod template; owner set to this workload */
    uint32_t n_claim_templates;
    const struct k8s_claim_template *claim_templates; /* StatefulSet */
    bool claims_ephemeral; /* unused claims: template volumes are created with the pod */
    uint32_t source_i;
};

struct k8s_service {
    struct k8s_meta meta;
    struct k8s_pairs selector;
};

struct k8s_int_or_percent {
    bool present, is_percent;
    int64_t value;
};
struct k8s_pdb {
    struct k8s_meta meta;
    struct k8s_selector selector;
    struct k8s_int_or_percent min_available, max_unavailable;
    bool always_allow_unhealthy;        /* unhealthyPodEvictionPolicy: AlwaysAllow */
    struct opt_i64 disruptions_allowed; /* status */
    int64_t observed_generation;
};

struct k8s_priority_class {
    struct k8s_meta meta;
    int32_t value;
    bool global_default, never_preempts;
};

struct k8s_runtime_class {
    struct k8s_meta meta;
    struct k8s_resources overhead;
    struct k8s_pairs node_selector;
    uint32_t n_tolerations;
    const struct k8s_toleration *tolerations;
};

struct k8s_limit_range {
    struct k8s_meta meta;
    struct k8s_resources default_requests, default_limits; /* type Container */
};

struct k8s_pod_template { /* core/v1 PodTemplate, for CapacityBuffer */
    struct k8s_meta meta;
    const struct k8s_pod_shape *shape;
};

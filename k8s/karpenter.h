/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Karpenter's objects as values: karpenter.sh/v1 NodePool and NodeClaim, v1alpha1 NodeOverlay,
 * autoscaling.x-k8s.io CapacityBuffer, and karpenter.k8s.aws/v1 EC2NodeClass. Field meanings:
 * shared behaviour of Karpenter v1.14. */
#pragma once

#include "k8s/values.h"

struct karp_class_ref {
    strid group, kind;
    struct str name;
};

/* "720h" or "Never": `never` set, or `has` with the value. */
struct karp_duration {
    bool has, never;
    int64_t ms;
};

struct karp_budget {
    bool nodes_is_percent;
    int64_t nodes;             /* nodes, or percent 0..100 */
    struct k8s_strids reasons; /* empty: all */
    struct str schedule;       /* cron, empty: always */
    struct karp_duration duration;
};

enum karp_consolidation { KARP_WHEN_EMPTY, KARP_WHEN_EMPTY_OR_UNDERUTILIZED, KARP_BALANCED };

struct karp_nodepool {
    struct k8s_meta meta;
    struct k8s_pairs template_labels, template_annotations;
    uint32_t n_taints, n_startup_taints, n_requirements, n_budgets;
    const struct k8s_taint *taints, *startup_taints;
    const struct k8s_requirement *requirements;
    struct karp_class_ref class_ref;
    struct karp_duration termination_grace, expire_after, consolidate_after;
    enum karp_consolidation consolidation;
    const struct karp_budget *budgets;
    struct k8s_resources limits; /* rounded down; may name "nodes" */
    int32_t weight;              /* 0 when absent */
    struct opt_i64 replicas;     /* set: a static pool */
    struct k8s_resources used;   /* status.resources */
    struct opt_i64 n_used_nodes; /* status.nodes */
    int64_t class_generation;    /* status.nodeClassObservedGeneration */
    struct k8s_conditions conditions;
    uint32_t source_i;
};

/* An EC2 instance as EC2 describes it: in no object of a cluster. */
struct aws_instance {
    struct str id, subnet_id;
    uint32_t n_groups;
    const struct str *groups; /* [n_groups] ids of its security groups */
};

struct karp_nodeclaim {
    struct k8s_meta meta;
    uint32_t n_taints, n_startup_taints, n_requirements;
    const struct k8s_taint *taints, *startup_taints;
    const struct k8s_requirement *requirements;
    struct k8s_resources requests;
    struct karp_class_ref class_ref;
    struct karp_duration termination_grace, expire_after;
    struct str node_name, provider_id, image_id; /* status */
    const struct aws_instance *instance;         /* NULL: EC2 has not been asked; see builder.h */
    struct k8s_resources capacity, allocatable;
    struct opt_wall last_pod_event;
    struct k8s_conditions conditions;
};

struct karp_overlay {
    struct k8s_meta meta;
    uint32_t n_requirements;
    const struct k8s_requirement *requirements;
    bool has_price;
    usd_t price; /* absolute, nano-dollars per hour */
    bool has_adjustment, adjustment_is_percent;
    int64_t adjustment; /* nano-dollars per hour, or millionths of a percent */
    struct k8s_resources capacity;
    int32_t weight;
};

struct karp_buffer {
    struct k8s_meta meta;
    struct str template_name; /* podTemplateRef */
    strid scalable_group, scalable_kind;
    struct str scalable_name; /* scalableRef */
    struct opt_i64 replicas, percentage;
    struct k8s_resources limits;
    struct opt_i64 status_replicas;
    struct k8s_conditions conditions;
};

struct aws_subnet_status {
    struct str id;
    strid zone, zone_id;
};
struct aws_group_status {
    struct str id;
};
struct aws_image_status {
    struct str id;
    uint32_t n_requirements;
    const struct k8s_requirement *requirements; /* on the labels of the instance type */
};
struct aws_block_device {
    struct str device_name;
    bool root_volume;
    struct opt_i64 size_bytes;
};
struct aws_reservation_status {
    struct str id;
    strid instance_type, zone;
    struct opt_i64 available;
};

struct aws_kubelet {
    bool present;
    struct opt_i64 max_pods, pods_per_core;
    struct k8s_resources kube_reserved, system_reserved; /* given keys only */
    struct k8s_pairs eviction_hard; /* signal -> quantity or percent, as text */
};

struct aws_nodeclass {
    struct k8s_meta meta;
    struct str ami_family;         /* spec.amiFamily, may be empty */
    struct k8s_strids ami_aliases; /* spec.amiSelectorTerms[].alias, such as "al2023@latest" */
    struct aws_kubelet kubelet;
    uint32_t n_block_devices, n_subnets, n_groups, n_reservations, n_network_interfaces, n_amis;
    const struct aws_block_device *block_devices;
    const struct aws_subnet_status
        *subnets; /* status.subnets; empty: not resolved (offline: every zone of the catalogue) */
    bool has_subnets;
    const struct aws_group_status *groups; /* status.securityGroups */
    bool instance_store_raid0;
    const struct aws_reservation_status *reservations; /* status.capacityReservations */
    const struct aws_image_status *amis;               /* status.amis, the preferred one first */
    struct k8s_conditions conditions;
};

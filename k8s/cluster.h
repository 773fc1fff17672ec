/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cluster as values: every object of one input (files, a recording, later the store of the
 * service), decoded.
 *
 * Arrays keep the order of input; whoever needs an order that shows in an output sorts by namespace
 * and name text. Of duplicates (same kind, namespace and name) the last one read wins and a warning
 * says so; a watch event DELETED removes the object. */
#pragma once

#include "k8s/karpenter.h"
#include "k8s/objects.h"

struct k8s_cluster {
    struct strtab *tab;
    struct k8s_words words;
    uint32_t n_pods, n_nodes, n_pvs, n_pvcs, n_storage_classes, n_csi_nodes, n_attachments,
        n_namespaces, n_workloads;
    uint32_t n_services, n_pdbs, n_priority_classes, n_runtime_classes, n_limit_ranges,
        n_pod_templates;
    uint32_t n_nodepools, n_nodeclaims, n_nodeclasses, n_overlays, n_buffers, n_shapes;
    const struct k8s_pod *pods;
    const struct k8s_node *nodes;
    const struct k8s_pv *pvs;
    const struct k8s_pvc *pvcs;
    const struct k8s_storage_class *storage_classes;
    const struct k8s_csi_node *csi_nodes;
    const struct k8s_volume_attachment *attachments;
    const struct k8s_namespace *namespaces;
    const struct k8s_workload *workloads;
    const struct k8s_service *services;
    const struct k8s_pdb *pdbs;
    const struct k8s_priority_class *priority_classes;
    const struct k8s_runtime_class *runtime_classes;
    const struct k8s_limit_range *limit_ranges;
    const struct k8s_pod_template *pod_templates;
    const struct karp_nodepool *nodepools;
    const struct karp_nodeclaim *nodeclaims;
    const struct aws_nodeclass *nodeclasses;
    const struct karp_overlay *overlays;
    const struct karp_buffer *buffers;
    const struct k8s_pod_shape *const *shapes; /* [n_shapes] by id */
    struct opt_wall
        newest; /* the newest timestamp in the input: the clock of the run when --now is absent */
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The codec tables of every kind in k8s/cluster.h. Internal to k8s/. */
#pragma once

#include "k8s/codec.h"

/* Shorthand for rows: a field of a struct, by type. */
#define ROW(key_, type_, struct_, field_, ...)                                                     \
    {                                                                                              \
        .key = (key_), .type = (type_), .offset = offsetof(struct_, field_), __VA_ARGS__           \
    }
#define ROW_LIST(key_, struct_, field_, n_field_, sub_, ...)                                       \
    {                                                                                              \
        .key = (key_), .type = CODEC_LIST, .offset = offsetof(struct_, field_),                    \
        .n_offset = offsetof(struct_, n_field_), .sub = (sub_), __VA_ARGS__                        \
    }
/* A nested object whose fields lie in the same struct. */
#define ROW_FLAT(key_, sub_, ...)                                                                  \
    {                                                                                              \
        .key = (key_), .type = CODEC_OBJECT, .sub = (sub_), __VA_ARGS__                            \
    }
/* The same, with a bool that says that the object was there. */
#define ROW_SEEN(key_, sub_, struct_, seen_, ...)                                                  \
    {                                                                                              \
        .key = (key_), .type = CODEC_OBJECT, .sub = (sub_),                                        \
        .n_offset = 1 + offsetof(struct_, seen_), __VA_ARGS__                                      \
    }

/* Parts that several kinds share. */
extern const struct codec_table k8s_meta_table;       /* metadata of all kinds but Pod */
extern const struct codec_table k8s_selector_table;   /* LabelSelector */
extern const struct codec_table k8s_node_term_table;  /* NodeSelectorTerm */
extern const struct codec_table k8s_taint_table;      /* v1 Taint */
extern const struct codec_table k8s_toleration_table; /* v1 Toleration */
extern const struct codec_table k8s_condition_table;
extern const struct codec_table karp_condition_table; /* the same, with the message */
extern const struct codec_table karp_requirement_table;

/* {metadata: labels and annotations, spec} of a Pod or a pod template -> struct k8s_pod_shape. Its
 * two halves apart, for sharing: what the pod template says, and who the pod is. */
extern const struct codec_table k8s_shape_table;
extern const struct codec_table k8s_shape_spec_table;
extern const struct codec_table k8s_shape_label_table;
extern const struct codec_table k8s_pod_table; /* the rest of a Pod -> struct k8s_pod */

/* Whole objects. Hooks of workloads and pod templates find the struct k8s_shapes in codec_in.user.
 */
extern const struct codec_table k8s_node_table, k8s_pv_table, k8s_pvc_table,
    k8s_storage_class_table, k8s_csi_node_table, k8s_attachment_table, k8s_namespace_table,
    k8s_workload_table, k8s_service_table, k8s_pdb_table, k8s_pdb_closed_table,
    k8s_priority_class_table, k8s_runtime_class_table, k8s_limit_range_table,
    k8s_pod_template_table;
extern const struct codec_table karp_nodepool_table, karp_nodeclaim_table, karp_overlay_table,
    karp_buffer_table, aws_nodeclass_table;

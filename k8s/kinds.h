/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kinds of objects that the planner reads: their API groups and versions, their place in the
 * cluster and their codec table. */
#pragma once

#include "k8s/cluster.h"
#include "k8s/codec.h"

/* One array of k8s_cluster each; the seven kinds of workloads share one. */
enum k8s_store {
    STORE_PODS,
    STORE_NODES,
    STORE_PVS,
    STORE_PVCS,
    STORE_STORAGE_CLASSES,
    STORE_CSI_NODES,
    STORE_ATTACHMENTS,
    STORE_NAMESPACES,
    STORE_WORKLOADS,
    STORE_SERVICES,
    STORE_PDBS,
    STORE_PRIORITY_CLASSES,
    STORE_RUNTIME_CLASSES,
    STORE_LIMIT_RANGES,
    STORE_POD_TEMPLATES,
    STORE_NODEPOOLS,
    STORE_NODECLAIMS,
    STORE_NODECLASSES,
    STORE_OVERLAYS,
    STORE_BUFFERS,
    N_STORES
};

struct k8s_store_type {
    size_t size;                   /* of an element */
    size_t meta_offset;            /* of struct k8s_meta; pods have none */
    size_t array_offset, n_offset; /* in struct k8s_cluster */
    const struct codec_table *table;
};
extern const struct k8s_store_type k8s_stores[N_STORES];

struct k8s_kind {
    const char *name;     /* "Pod" */
    const char *resource; /* "pods": as URLs and access rules call it */
    const char *group;
    const char *version; /* the one that is written */
    const char *also;    /* others that read the same, separated by blanks: "group/version" */
    enum k8s_store store;
    bool namespaced;
    int workload; /* enum k8s_workload_kind, or -1 */
};

extern const struct k8s_kind k8s_kinds[];
extern const uint32_t k8s_n_kinds;

enum k8s_match {
    K8S_MATCH_NO, /* another group's kind of that name, or an unknown one */
    K8S_MATCH_YES,
    K8S_MATCH_UNSUPPORTED /* ours, in a version that reads differently */
};

/* The kind of an object; an empty `api_version` counts as ours. */
enum k8s_match k8s_kind_find(struct str kind, struct str api_version,
                             const struct k8s_kind **ret_kind);

/* What somebody means by a kind that is none of ours: the name of the kind for a slip ("pod",
 * "Pods"), the successor for a kind that Karpenter has given up
 * (https://karpenter.sh/docs/upgrading, "Provisioner"). NULL for all other kinds. */
const char *k8s_kind_meant(struct str kind, struct str api_version);

/* The kind of workloads of that enum. */
const struct k8s_kind *k8s_kind_of_workload(enum k8s_workload_kind kind);

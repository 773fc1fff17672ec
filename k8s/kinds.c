/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/kinds.h"

#include "k8s/tables.h"

#define STORE(struct_, array_, table_)                                                             \
    {                                                                                              \
        .size = sizeof(struct_), .meta_offset = offsetof(struct_, meta),                           \
        .array_offset = offsetof(struct k8s_cluster, array_),                                      \
        .n_offset = offsetof(struct k8s_cluster, n_##array_), .table = (table_)                    \
    }

const struct k8s_store_type k8s_stores[N_STORES] = {
    [STORE_PODS] = {.size = sizeof(struct k8s_pod),
                    .array_offset = offsetof(struct k8s_cluster, pods),
                    .n_offset = offsetof(struct k8s_cluster, n_pods),
                    .table = &k8s_pod_table},
    [STORE_NODES] = STORE(struct k8s_node, nodes, &k8s_node_table),
    [STORE_PVS] = STORE(struct k8s_pv, pvs, &k8s_pv_table),
    [STORE_PVCS] = STORE(struct k8s_pvc, pvcs, &k8s_pvc_table),
    [STORE_STORAGE_CLASSES] =
        STORE(struct k8s_storage_class, storage_classes, &k8s_storage_class_table),
    [STORE_CSI_NODES] = STORE(struct k8s_csi_node, csi_nodes, &k8s_csi_node_table),
    [STORE_ATTACHMENTS] = STORE(struct k8s_volume_attachment, attachments, &k8s_attachment_table),
    [STORE_NAMESPACES] = STORE(struct k8s_namespace, namespaces, &k8s_namespace_table),
    [STORE_WORKLOADS] = STORE(struct k8s_workload, workloads, &k8s_workload_table),
    [STORE_SERVICES] = STORE(struct k8s_service, services, &k8s_service_table),
    [STORE_PDBS] = STORE(struct k8s_pdb, pdbs, &k8s_pdb_table),
    [STORE_PRIORITY_CLASSES] =
        STORE(struct k8s_priority_class, priority_classes, &k8s_priority_class_table),
    [STORE_RUNTIME_CLASSES] =
        STORE(struct k8s_runtime_class, runtime_classes, &k8s_runtime_class_table),
    [STORE_LIMIT_RANGES] = STORE(struct k8s_limit_range, limit_ranges, &k8s_limit_range_table),
    [STORE_POD_TEMPLATES] = STORE(struct k8s_pod_template, pod_templates, &k8s_pod_template_table),
    [STORE_NODEPOOLS] = STORE(struct karp_nodepool, nodepools, &karp_nodepool_table),
    [STORE_NODECLAIMS] = STORE(struct karp_nodeclaim, nodeclaims, &karp_nodeclaim_table),
    [STORE_NODECLASSES] = STORE(struct aws_nodeclass, nodeclasses, &aws_nodeclass_table),
    [STORE_OVERLAYS] = STORE(struct karp_overlay, overlays, &karp_overlay_table),
    [STORE_BUFFERS] = STORE(struct karp_buffer, buffers, &karp_buffer_table),
};

#define CORE(name_, resource_, store_, namespaced_)                                                \
    {                                                                                              \
        .name = (name_), .resource = (resource_), .group = "", .version = "v1", .also = "",        \
        .store = (store_), .namespaced = (namespaced_), .workload = -1                             \
    }

const struct k8s_kind k8s_kinds[] = {
    CORE("Pod", "pods", STORE_PODS, true),
    CORE("Node", "nodes", STORE_NODES, false),
    CORE("PersistentVolume", "persistentvolumes", STORE_PVS, false),
    CORE("PersistentVolumeClaim", "persistentvolumeclaims", STORE_PVCS, true),
    CORE("Namespace", "namespaces", STORE_NAMESPACES, false),
    CORE("Service", "services", STORE_SERVICES, true),
    CORE("LimitRange", "limitranges", STORE_LIMIT_RANGES, true),
    CORE("PodTemplate", "podtemplates", STORE_POD_TEMPLATES, true),
    {"ReplicationController", "replicationcontrollers", "", "v1", "", STORE_WORKLOADS, true,
     K8S_REPLICATIONCONTROLLER},
    {"Deployment", "deployments", "apps", "v1", "apps/v1beta1 apps/v1beta2 extensions/v1beta1",
     STORE_WORKLOADS, true, K8S_DEPLOYMENT},
    {"StatefulSet", "statefulsets", "apps", "v1", "apps/v1beta1 apps/v1beta2", STORE_WORKLOADS,
     true, K8S_STATEFULSET},
    {"ReplicaSet", "replicasets", "apps", "v1", "apps/v1beta2 extensions/v1beta1", STORE_WORKLOADS,
     true, K8S_REPLICASET},
    {"DaemonSet", "daemonsets", "apps", "v1", "apps/v1beta2 extensions/v1beta1", STORE_WORKLOADS,
     true, K8S_DAEMONSET},
    {"Job", "jobs", "batch", "v1", "", STORE_WORKLOADS, true, K8S_JOB},
    {"CronJob", "cronjobs", "batch", "v1", "batch/v1beta1 batch/v2alpha1", STORE_WORKLOADS, true,
     K8S_CRONJOB},
    {"StorageClass", "storageclasses", "storage.k8s.io", "v1", "storage.k8s.io/v1beta1",
     STORE_STORAGE_CLASSES, false, -1},
    {"CSINode", "csinodes", "storage.k8s.io", "v1", "storage.k8s.io/v1beta1", STORE_CSI_NODES,
     false, -1},
    {"VolumeAttachment", "volumeattachments", "storage.k8s.io", "v1", "storage.k8s.io/v1beta1",
     STORE_ATTACHMENTS, false, -1},
    {"PodDisruptionBudget", "poddisruptionbudgets", "policy", "v1", "policy/v1beta1", STORE_PDBS,
     true, -1},
    {"PriorityClass", "priorityclasses", "scheduling.k8s.io", "v1",
     "scheduling.k8s.io/v1beta1 scheduling.k8s.io/v1alpha1", STORE_PRIORITY_CLASSES, false, -1},
    {"RuntimeClass", "runtimeclasses", "node.k8s.io", "v1", "node.k8s.io/v1beta1",
     STORE_RUNTIME_CLASSES, false, -1},
    {"NodePool", "nodepools", "karpenter.sh", "v1", "", STORE_NODEPOOLS, false, -1},
    {"NodeClaim", "nodeclaims", "karpenter.sh", "v1", "", STORE_NODECLAIMS, false, -1},
    {"NodeOverlay", "nodeoverlays", "karpenter.sh", "v1alpha1", "", STORE_OVERLAYS, false, -1},
    {"CapacityBuffer", "capacitybuffers", "autoscaling.x-k8s.io", "v1beta1",
     "autoscaling.x-k8s.io/v1alpha1", STORE_BUFFERS, true, -1},
    {"EC2NodeClass", "ec2nodeclasses", "karpenter.k8s.aws", "v1", "", STORE_NODECLASSES, false, -1},
};
const uint32_t k8s_n_kinds = sizeof k8s_kinds / sizeof k8s_kinds[0];

static bool listed(const char *list, struct str word)
{
    struct str rest = str_of(list);
    while (rest.n > 0) {
        size_t n = str_find(rest, ' ');
        if (str_eq(str_sub(rest, 0, n), word)) {
            return true;
        }
        rest = str_sub(rest, n + 1, rest.n);
    }
    return false;
}

static struct str group_of(struct str api_version)
{
    size_t slash = str_find(api_version, '/');
    return slash < api_version.n ? str_sub(api_version, 0, slash) : STR_EMPTY;
}

/* The same word but for case and a plural's s. */
static bool is_slip_of(struct str word, struct str name)
{
    if (word.n != name.n && (word.n != name.n + 1 || (word.p[name.n] | 0x20) != 's')) {
        return false;
    }
    for (size_t i = 0; i < name.n; i++) {
        if ((word.p[i] | 0x20) != (name.p[i] | 0x20)) {
            return false;
        }
    }
    return true;
}

const char *k8s_kind_meant(struct str kind, struct str api_version)
{
    static const struct {
        const char *kind, *group, *successor;
    } given_up[] = {
        {"Provisioner", "karpenter.sh", "NodePool of karpenter.sh/v1"},
        {"Machine", "karpenter.sh", "NodeClaim of karpenter.sh/v1"},
        {"AWSNodeTemplate", "karpenter.k8s.aws", "EC2NodeClass of karpenter.k8s.aws/v1"},
    };
    for (size_t i = 0; i < sizeof given_up / sizeof given_up[0]; i++) {
        if (str_eq(kind, str_of(given_up[i].kind)) &&
            str_eq(group_of(api_version), str_of(given_up[i].group))) {
            return given_up[i].successor;
        }
    }
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        const struct k8s_kind *k = &k8s_kinds[i];
        if (is_slip_of(kind, str_of(k->name)) &&
            (api_version.n == 0 || str_eq(group_of(api_version), str_of(k->group)))) {
            return k->name;
        }
    }
    return NULL;
}

enum k8s_match k8s_kind_find(struct str kind, struct str api_version,
                             const struct k8s_kind **ret_kind)
{
    size_t slash = str_find(api_version, '/');
    struct str group = group_of(api_version);
    struct str version =
        slash < api_version.n ? str_sub(api_version, slash + 1, api_version.n) : api_version;
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        const struct k8s_kind *k = &k8s_kinds[i];
        if (!str_eq(str_of(k->name), kind)) {
            continue;
        }
        *ret_kind = k;
        if (api_version.n == 0 || listed(k->also, api_version)) {
            return K8S_MATCH_YES;
        }
        if (!str_eq(str_of(k->group), group)) {
            return K8S_MATCH_NO;
        }
        return str_eq(str_of(k->version), version) ? K8S_MATCH_YES : K8S_MATCH_UNSUPPORTED;
    }
    return K8S_MATCH_NO;
}

const struct k8s_kind *k8s_kind_of_workload(enum k8s_workload_kind kind)
{
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        if (k8s_kinds[i].workload == (int)kind) {
            return &k8s_kinds[i];
        }
    }
    return NULL;
}

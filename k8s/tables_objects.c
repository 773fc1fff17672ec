/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of the Kubernetes objects that are neither pods nor workloads. */
#include <string.h>

#include "k8s/annotations.h"
#include "k8s/objects.h"
#include "k8s/pod_resources.h"
#include "k8s/tables.h"

#define ROW_META(struct_)                                                                          \
    ROW("metadata", CODEC_OBJECT, struct_, meta, .sub = &k8s_meta_table, .flags = CODEC_REQUIRED)
#define ROW_CONDITIONS(struct_)                                                                    \
    ROW_LIST("conditions", struct_, conditions.v, conditions.n, &k8s_condition_table)
#define TABLE(rows_, struct_, ...)                                                                 \
    {                                                                                              \
        CODEC_ROWS(rows_), .size = sizeof(struct_), __VA_ARGS__                                    \
    }

static struct str annotation(const struct strtab *tab, const struct k8s_meta *meta, const char *key)
{
    strid id = strtab_find(tab, str_of(key));
    return id == STRID_NONE ? STR_EMPTY : strtab_str(tab, k8s_pairs_get(&meta->annotations, id));
}

/* ---- Node ---- */

static const struct codec_row node_spec_rows[] = {
    ROW("providerID", CODEC_TEXT, struct k8s_node, provider_id, .check = CHECK_PRINTABLE),
    ROW("unschedulable", CODEC_BOOL, struct k8s_node, unschedulable),
    ROW_LIST("taints", struct k8s_node, taints, n_taints, &k8s_taint_table),
};
static const struct codec_table node_spec_table = {CODEC_ROWS(node_spec_rows)};
static const struct codec_row node_status_rows[] = {
    ROW("capacity", CODEC_RESOURCES, struct k8s_node, capacity, .flags = CODEC_FLOOR),
    ROW("allocatable", CODEC_RESOURCES, struct k8s_node, allocatable, .flags = CODEC_FLOOR),
    ROW_CONDITIONS(struct k8s_node),
};
static const struct codec_table node_status_table = {CODEC_ROWS(node_status_rows)};
static const struct codec_row node_rows[] = {ROW_META(struct k8s_node),
                                             ROW_FLAT("spec", &node_spec_table),
                                             ROW_FLAT("status", &node_status_table)};
const struct codec_table k8s_node_table = TABLE(node_rows, struct k8s_node);

/* ---- PersistentVolume ---- */

#define IN_TREE_EBS "kubernetes.io/aws-ebs"

static const struct codec_row csi_rows[] = {
    ROW("driver", CODEC_WORD, struct k8s_pv, driver, .check = CHECK_PRINTABLE,
        .flags = CODEC_REQUIRED),
    ROW("volumeHandle", CODEC_TEXT, struct k8s_pv, volume_handle, .check = CHECK_PRINTABLE),
};
static const struct codec_table csi_table = {CODEC_ROWS(csi_rows)};
static const struct codec_row ebs_rows[] = {
    ROW("volumeID", CODEC_TEXT, struct k8s_pv, volume_handle, .check = CHECK_PRINTABLE)};
static const struct codec_table ebs_table = {CODEC_ROWS(ebs_rows)};

/* Both sources fill driver and handle. */
static enum codec_keep decode_pv_source(struct codec_in *in, const struct json_at *at, void *value)
{
    struct k8s_pv *pv = value;
    struct json_at csi = json_at_member(at, "csi");
    struct json_at ebs = json_at_member(at, "awsElasticBlockStore");
    if (csi.v != NULL) {
        return codec_decode(in, &csi_table, &csi, pv);
    }
    if (ebs.v == NULL) {
        return CODEC_KEEP;
    }
    pv->driver = strtab_add(in->tab, STR(IN_TREE_EBS));
    return codec_decode(in, &ebs_table, &ebs, pv);
}

static void encode_pv_source(const struct codec_out *out, const void *value, json_t *object)
{
    const struct k8s_pv *pv = value;
    if (pv->driver == STRID_EMPTY) {
        return;
    }
    bool in_tree = str_eq(strtab_str(out->tab, pv->driver), STR(IN_TREE_EBS));
    codec_encode(out, in_tree ? &ebs_table : &csi_table, pv,
                 codec_child(object, in_tree ? "awsElasticBlockStore" : "csi"));
}

static const struct codec_row pv_capacity_rows[] = {
    ROW("storage", CODEC_QUANTITY, struct k8s_pv, capacity_bytes, .flags = CODEC_FLOOR)};
static const struct codec_table pv_capacity_table = {CODEC_ROWS(pv_capacity_rows)};
static const struct codec_row claim_ref_rows[] = {
    ROW("namespace", CODEC_TEXT, struct k8s_pv, claim_ns, .check = CHECK_DNS_LABEL),
    ROW("name", CODEC_TEXT, struct k8s_pv, claim_name, .check = CHECK_NAME)};
static const struct codec_table claim_ref_table = {CODEC_ROWS(claim_ref_rows)};
static const struct codec_row pv_required_rows[] = {
    ROW_LIST("nodeSelectorTerms", struct k8s_pv, terms, n_terms, &k8s_node_term_table)};
static const struct codec_table pv_required_table = {CODEC_ROWS(pv_required_rows)};
static const struct codec_row pv_affinity_rows[] = {ROW_FLAT("required", &pv_required_table)};
static const struct codec_table pv_affinity_table = {CODEC_ROWS(pv_affinity_rows)};
static const struct codec_row pv_spec_rows[] = {
    ROW_FLAT("capacity", &pv_capacity_table),
    ROW("storageClassName", CODEC_WORD, struct k8s_pv, storage_class, .check = CHECK_NAME),
    ROW("driver", CODEC_WORD, struct k8s_pv, driver, .flags = CODEC_HIDDEN),
    ROW("handle", CODEC_TEXT, struct k8s_pv, volume_handle, .flags = CODEC_HIDDEN),
    ROW("local", CODEC_PRESENT, struct k8s_pv, is_local),
    ROW("hostPath", CODEC_PRESENT, struct k8s_pv, is_host_path),
    ROW("nfs", CODEC_PRESENT, struct k8s_pv, is_nfs),
    ROW_FLAT("claimRef", &claim_ref_table),
    ROW_FLAT("nodeAffinity", &pv_affinity_table),
};
static const struct codec_table pv_spec_table = {
    CODEC_ROWS(pv_spec_rows), .decode = decode_pv_source, .encode = encode_pv_source};
static const struct codec_row pv_status_rows[] = {
    ROW("phase", CODEC_WORD, struct k8s_pv, phase, .check = CHECK_PRINTABLE)};
static const struct codec_table pv_status_table = {CODEC_ROWS(pv_status_rows)};

/* The annotation of old is what the API server still obeys. */
static strid old_class(struct codec_in *in, const struct k8s_meta *meta, strid class)
{
    struct str old = annotation(in->tab, meta, ANN_CLASS_V1);
    return old.n > 0 ? strtab_add(in->tab, old) : class;
}

static enum codec_keep decode_pv(struct codec_in *in, const struct json_at *at UNUSED, void *value)
{
    struct k8s_pv *pv = value;
    pv->storage_class = old_class(in, &pv->meta, pv->storage_class);
    return CODEC_KEEP;
}

static const struct codec_row pv_rows[] = {ROW_META(struct k8s_pv),
                                           ROW_FLAT("spec", &pv_spec_table),
                                           ROW_FLAT("status", &pv_status_table)};
const struct codec_table k8s_pv_table = TABLE(pv_rows, struct k8s_pv, .decode = decode_pv);

/* ---- PersistentVolumeClaim ---- */

static const struct codec_row pvc_request_rows[] = {
    ROW("storage", CODEC_QUANTITY, struct k8s_pvc, request_bytes)};
static const struct codec_table pvc_request_table = {CODEC_ROWS(pvc_request_rows)};
static const struct codec_row pvc_resource_rows[] = {ROW_FLAT("requests", &pvc_request_table)};
static const struct codec_table pvc_resource_table = {CODEC_ROWS(pvc_resource_rows)};
static const struct codec_row pvc_spec_rows[] = {
    ROW("storageClassName", CODEC_WORD, struct k8s_pvc, storage_class, .check = CHECK_NAME,
        .flags = CODEC_NONE),
    ROW("volumeName", CODEC_TEXT, struct k8s_pvc, volume_name, .check = CHECK_NAME),
    ROW("accessModes", CODEC_WORDS, struct k8s_pvc, access_modes, .check = CHECK_PRINTABLE),
    ROW_FLAT("resources", &pvc_resource_table),
};
static const struct codec_table pvc_spec_table = {CODEC_ROWS(pvc_spec_rows)};
static const struct codec_row pvc_status_rows[] = {
    ROW("phase", CODEC_WORD, struct k8s_pvc, phase, .check = CHECK_PRINTABLE, .text = "Pending")};
static const struct codec_table pvc_status_table = {CODEC_ROWS(pvc_status_rows)};

static enum codec_keep decode_pvc(struct codec_in *in, const struct json_at *at UNUSED, void *value)
{
    struct k8s_pvc *pvc = value;
    strid completed = strtab_find(in->tab, STR(ANN_BIND_COMPLETED));
    pvc->bind_completed =
        completed != STRID_NONE && k8s_pairs_get(&pvc->meta.annotations, completed) != STRID_NONE;
    pvc->storage_class = old_class(in, &pvc->meta, pvc->storage_class);
    return CODEC_KEEP;
}

static const struct codec_row pvc_rows[] = {
    ROW_META(struct k8s_pvc), ROW_FLAT("spec", &pvc_spec_table, .flags = CODEC_DEFAULTS),
    ROW_FLAT("status", &pvc_status_table, .flags = CODEC_DEFAULTS),
    ROW("bound", CODEC_BOOL, struct k8s_pvc, bind_completed, .flags = CODEC_HIDDEN)};
const struct codec_table k8s_pvc_table = TABLE(pvc_rows, struct k8s_pvc, .decode = decode_pvc);

/* ---- StorageClass ---- */

static const struct codec_choice binding_modes[] = {
    {"Immediate", 0}, {"WaitForFirstConsumer", 1}, {NULL, 0}};
static const struct codec_row topology_expression_rows[] = {
    ROW("key", CODEC_WORD, struct k8s_requirement, key, .check = CHECK_LABEL_KEY,
        .flags = CODEC_REQUIRED),
    ROW("values", CODEC_WORDS, struct k8s_requirement, values, .check = CHECK_LABEL_VALUE,
        .flags = CODEC_REQUIRED),
};
static const struct codec_table topology_expression_table =
    TABLE(topology_expression_rows, struct k8s_requirement);
static const struct codec_row topology_rows[] = {
    ROW_LIST("matchLabelExpressions", struct k8s_node_term, expressions, n_expressions,
             &topology_expression_table)};
static const struct codec_table topology_table = TABLE(topology_rows, struct k8s_node_term);

static enum codec_keep decode_storage_class(struct codec_in *in, const struct json_at *at UNUSED,
                                            void *value)
{
    struct k8s_storage_class *class = value;
    class->is_default =
        str_eq(annotation(in->tab, &class->meta, ANN_DEFAULT_CLASS), STR("true")) ||
        str_eq(annotation(in->tab, &class->meta, ANN_DEFAULT_CLASS_V1), STR("true"));
    return CODEC_KEEP;
}

static const struct codec_row storage_class_rows[] = {
    ROW_META(struct k8s_storage_class),
    ROW("provisioner", CODEC_WORD, struct k8s_storage_class, provisioner, .check = CHECK_PRINTABLE,
        .flags = CODEC_REQUIRED),
    ROW("volumeBindingMode", CODEC_CHOICE, struct k8s_storage_class, wait_for_consumer,
        .choices = binding_modes),
    ROW_LIST("allowedTopologies", struct k8s_storage_class, topologies, n_topologies,
             &topology_table),
    ROW("default", CODEC_BOOL, struct k8s_storage_class, is_default, .flags = CODEC_HIDDEN)};
const struct codec_table k8s_storage_class_table =
    TABLE(storage_class_rows, struct k8s_storage_class, .decode = decode_storage_class);

/* ---- CSINode, VolumeAttachment ---- */

static const struct codec_row driver_allocatable_rows[] = {
    ROW("count", CODEC_OPT_I32, struct k8s_csi_driver_limit, count, .check = CHECK_RANGE, .min = 0,
        .max = INT32_MAX)};
static const struct codec_table driver_allocatable_table = {CODEC_ROWS(driver_allocatable_rows)};
static const struct codec_row driver_rows[] = {ROW("name", CODEC_WORD, struct k8s_csi_driver_limit,
                                                   driver, .check = CHECK_PRINTABLE,
                                                   .flags = CODEC_REQUIRED),
                                               ROW_FLAT("allocatable", &driver_allocatable_table)};
static const struct codec_table driver_table = TABLE(driver_rows, struct k8s_csi_driver_limit);
static const struct codec_row csi_node_spec_rows[] = {
    ROW_LIST("drivers", struct k8s_csi_node, drivers, n_drivers, &driver_table)};
static const struct codec_table csi_node_spec_table = {CODEC_ROWS(csi_node_spec_rows)};
static const struct codec_row csi_node_rows[] = {ROW_META(struct k8s_csi_node),
                                                 ROW_FLAT("spec", &csi_node_spec_table)};
const struct codec_table k8s_csi_node_table = TABLE(csi_node_rows, struct k8s_csi_node);

static const struct codec_row source_rows[] = {ROW("persistentVolumeName", CODEC_TEXT,
                                                   struct k8s_volume_attachment, pv_name,
                                                   .check = CHECK_NAME)};
static const struct codec_table source_table = {CODEC_ROWS(source_rows)};
static const struct codec_row attachment_spec_rows[] = {
    ROW("attacher", CODEC_WORD, struct k8s_volume_attachment, attacher, .check = CHECK_PRINTABLE),
    ROW("nodeName", CODEC_TEXT, struct k8s_volume_attachment, node_name, .check = CHECK_NAME),
    ROW_FLAT("source", &source_table)};
static const struct codec_table attachment_spec_table = {CODEC_ROWS(attachment_spec_rows)};
static const struct codec_row attachment_status_rows[] = {
    ROW("attached", CODEC_BOOL, struct k8s_volume_attachment, attached)};
static const struct codec_table attachment_status_table = {CODEC_ROWS(attachment_status_rows)};
static const struct codec_row attachment_rows[] = {ROW_META(struct k8s_volume_attachment),
                                                   ROW_FLAT("spec", &attachment_spec_table),
                                                   ROW_FLAT("status", &attachment_status_table)};
const struct codec_table k8s_attachment_table =
    TABLE(attachment_rows, struct k8s_volume_attachment);

/* ---- Namespace, Service ---- */

/* The API server labels every namespace with its name. */
static enum codec_keep decode_namespace(struct codec_in *in, const struct json_at *at UNUSED,
                                        void *value)
{
    struct k8s_meta *meta = &((struct k8s_namespace *)value)->meta;
    strid key = strtab_add(in->tab, STR("kubernetes.io/metadata.name"));
    if (k8s_pairs_get(&meta->labels, key) != STRID_NONE) {
        return CODEC_KEEP;
    }
    struct k8s_pair *pairs = ARENA_ARRAY(in->arena, struct k8s_pair, meta->labels.n + 1);
    uint32_t at_i = 0;
    while (at_i < meta->labels.n && meta->labels.v[at_i].key < key) {
        pairs[at_i] = meta->labels.v[at_i];
        at_i++;
    }
    pairs[at_i] = (struct k8s_pair){.key = key, .value = strtab_add(in->tab, meta->name)};
    for (uint32_t i = at_i; i < meta->labels.n; i++) {
        pairs[i + 1] = meta->labels.v[i];
    }
    meta->labels = (struct k8s_pairs){.n = meta->labels.n + 1, .v = pairs};
    return CODEC_KEEP;
}

static const struct codec_row namespace_rows[] = {ROW_META(struct k8s_namespace)};
const struct codec_table k8s_namespace_table =
    TABLE(namespace_rows, struct k8s_namespace, .decode = decode_namespace);

static const struct codec_row service_spec_rows[] = {
    ROW("selector", CODEC_MAP, struct k8s_service, selector, .check = CHECK_LABELS)};
static const struct codec_table service_spec_table = {CODEC_ROWS(service_spec_rows)};
static const struct codec_row service_rows[] = {ROW_META(struct k8s_service),
                                                ROW_FLAT("spec", &service_spec_table)};
const struct codec_table k8s_service_table = TABLE(service_rows, struct k8s_service);

/* ---- PodDisruptionBudget ---- */

static const struct codec_choice unhealthy_policies[] = {
    {"IfHealthyBudget", 0}, {"AlwaysAllow", 1}, {NULL, 0}};

static enum codec_keep check_pdb(struct codec_in *in, const struct json_at *at, void *value)
{
    const struct k8s_pdb *pdb = value;
    if (pdb->min_available.present && pdb->max_unavailable.present) {
        (void)json_fail(in->err, ERR_INVALID, at,
                        "minAvailable and maxUnavailable cannot both be set");
        return CODEC_FAIL;
    }
    return CODEC_KEEP;
}

static const struct codec_row pdb_spec_rows[] = {
    {.key = "selector",
     .type = CODEC_OBJECT,
     .sub = &k8s_selector_table,
     .offset = offsetof(struct k8s_pdb, selector),
     .n_offset = 1 + offsetof(struct k8s_pdb, selector.present)},
    ROW("minAvailable", CODEC_INT_OR_PERCENT, struct k8s_pdb, min_available),
    ROW("maxUnavailable", CODEC_INT_OR_PERCENT, struct k8s_pdb, max_unavailable),
    ROW("unhealthyPodEvictionPolicy", CODEC_CHOICE, struct k8s_pdb, always_allow_unhealthy,
        .choices = unhealthy_policies),
};
static const struct codec_table pdb_spec_table = {CODEC_ROWS(pdb_spec_rows), .decode = check_pdb};
static const struct codec_row pdb_status_rows[] = {
    ROW("disruptionsAllowed", CODEC_OPT_I64, struct k8s_pdb, disruptions_allowed),
    ROW("observedGeneration", CODEC_I64, struct k8s_pdb, observed_generation)};
static const struct codec_table pdb_status_table = {CODEC_ROWS(pdb_status_rows)};
static const struct codec_row pdb_rows[] = {ROW_META(struct k8s_pdb),
                                            ROW_FLAT("spec", &pdb_spec_table),
                                            ROW_FLAT("status", &pdb_status_table)};
const struct codec_table k8s_pdb_table = TABLE(pdb_rows, struct k8s_pdb);

/* Of one that breaks a rule: whose evictions it would decide. */
static const struct codec_row pdb_selector_rows[] = {
    {.key = "selector",
     .type = CODEC_OBJECT,
     .sub = &k8s_selector_table,
     .offset = offsetof(struct k8s_pdb, selector),
     .n_offset = 1 + offsetof(struct k8s_pdb, selector.present)}};
static const struct codec_table pdb_selector_table = {CODEC_ROWS(pdb_selector_rows)};
static const struct codec_row pdb_closed_rows[] = {ROW_META(struct k8s_pdb),
                                                   ROW_FLAT("spec", &pdb_selector_table)};
const struct codec_table k8s_pdb_closed_table = TABLE(pdb_closed_rows, struct k8s_pdb);

/* ---- PriorityClass, RuntimeClass ---- */

static const struct codec_choice class_preemption[] = {
    {"PreemptLowerPriority", 0}, {"Never", 1}, {NULL, 0}};
static const struct codec_row priority_class_rows[] = {
    ROW_META(struct k8s_priority_class),
    ROW("value", CODEC_I32, struct k8s_priority_class, value, .flags = CODEC_WRITE_EMPTY),
    ROW("globalDefault", CODEC_BOOL, struct k8s_priority_class, global_default),
    ROW("preemptionPolicy", CODEC_CHOICE, struct k8s_priority_class, never_preempts,
        .choices = class_preemption)};
const struct codec_table k8s_priority_class_table =
    TABLE(priority_class_rows, struct k8s_priority_class);

static const struct codec_row overhead_rows[] = {
    ROW("podFixed", CODEC_RESOURCES, struct k8s_runtime_class, overhead)};
static const struct codec_table overhead_table = {CODEC_ROWS(overhead_rows)};
static const struct codec_row class_scheduling_rows[] = {
    ROW("nodeSelector", CODEC_MAP, struct k8s_runtime_class, node_selector, .check = CHECK_LABELS),
    ROW_LIST("tolerations", struct k8s_runtime_class, tolerations, n_tolerations,
             &k8s_toleration_table)};
static const struct codec_table class_scheduling_table = {CODEC_ROWS(class_scheduling_rows)};
static const struct codec_row runtime_class_rows[] = {
    ROW_META(struct k8s_runtime_class), ROW_FLAT("overhead", &overhead_table),
    ROW_FLAT("scheduling", &class_scheduling_table)};
const struct codec_table k8s_runtime_class_table =
    TABLE(runtime_class_rows, struct k8s_runtime_class);

/* ---- LimitRange ---- */

struct limit_item {
    strid type;
    struct k8s_resources max, min, limits, requests;
};
static const struct codec_row limit_item_rows[] = {
    ROW("type", CODEC_WORD, struct limit_item, type, .check = CHECK_PRINTABLE,
        .flags = CODEC_REQUIRED),
    ROW("max", CODEC_RESOURCES, struct limit_item, max),
    ROW("min", CODEC_RESOURCES, struct limit_item, min),
    ROW("default", CODEC_RESOURCES, struct limit_item, limits),
    ROW("defaultRequest", CODEC_RESOURCES, struct limit_item, requests),
};
static const struct codec_table limit_item_table = TABLE(limit_item_rows, struct limit_item);
static const struct codec_row limits_row = {.type = CODEC_LIST, .sub = &limit_item_table};

/* For containers the API server completes a LimitRange itself: default from max, defaultRequest
 * from default, then from min. */
static enum codec_keep decode_limits(struct codec_in *in, const struct json_at *at, void *value)
{
    struct k8s_limit_range *range = value;
    struct json_at member = json_at_member(at, "limits");
    struct limit_item *items = NULL;
    uint32_t n = 0;
    if (member.v != NULL &&
        !codec_decode_row(in, &limits_row, &member, (char *)(void *)&items, &n)) {
        return CODEC_FAIL;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!str_eq(strtab_str(in->tab, items[i].type), STR("Container"))) {
            continue;
        }
        k8s_resources_default(in->arena, &items[i].limits, &items[i].max);
        k8s_resources_default(in->arena, &items[i].requests, &items[i].limits);
        k8s_resources_default(in->arena, &items[i].requests, &items[i].min);
        k8s_resources_default(in->arena, &range->default_limits, &items[i].limits);
        k8s_resources_default(in->arena, &range->default_requests, &items[i].requests);
    }
    return CODEC_KEEP;
}

static void encode_limits(const struct codec_out *out, const void *value, json_t *object)
{
    const struct k8s_limit_range *range = value;
    json_t *limits = json_array(), *item = json_object();
    (void)json_object_set_new(item, "type", json_string("Container"));
    (void)json_object_set_new(item, "default", codec_resources(out, &range->default_limits));
    (void)json_object_set_new(item, "defaultRequest",
                              codec_resources(out, &range->default_requests));
    (void)json_array_append_new(limits, item);
    (void)json_object_set_new(object, "limits", limits);
}

static const struct codec_row limit_spec_rows[] = {
    ROW("default", CODEC_RESOURCES, struct k8s_limit_range, default_limits, .flags = CODEC_HIDDEN),
    ROW("defaultRequest", CODEC_RESOURCES, struct k8s_limit_range, default_requests,
        .flags = CODEC_HIDDEN)};
static const struct codec_table limit_spec_table = {
    CODEC_ROWS(limit_spec_rows), .decode = decode_limits, .encode = encode_limits};
static const struct codec_row limit_range_rows[] = {ROW_META(struct k8s_limit_range),
                                                    ROW_FLAT("spec", &limit_spec_table)};
const struct codec_table k8s_limit_range_table = TABLE(limit_range_rows, struct k8s_limit_range);

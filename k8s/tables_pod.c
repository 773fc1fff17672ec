/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of pods: what a pod template says (the shape), and what a pod adds to it. */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "k8s/pod.h"
#include "k8s/pod_resources.h"
#include "k8s/tables.h"

/* ---- containers ---- */

static const struct codec_choice restart_policies[] = {
    {"", 0}, {"Always", 1}, {"OnFailure", 0}, {"Never", 0}, {NULL, 0}};
static const struct codec_row container_resource_rows[] = {
    ROW("requests", CODEC_RESOURCES, struct k8s_container, requests),
    ROW("limits", CODEC_RESOURCES, struct k8s_container, limits),
};
static const struct codec_table container_resource_table = {CODEC_ROWS(container_resource_rows)};

/* Requests are within the limits, as the API server wants them:
 * https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#requests-and-limits
 */
static bool check_limits(struct codec_in *in, const struct json_at *at,
                         const struct k8s_container *container)
{
    for (uint32_t i = 0; i < container->limits.n; i++) {
        strid resource = container->limits.v[i].resource;
        if (k8s_resources_get(&container->requests, resource) > container->limits.v[i].value) {
            struct str name = strtab_str(in->tab, resource);
            struct json_at resources = json_at_member(at, "resources");
            return json_fail(in->err, ERR_INVALID, &resources,
                             "the request of " STR_FMT " is more than its limit", STR_ARG(name));
        }
    }
    return true;
}

/* As the API server does: a limit without a request is also the request. */
static enum codec_keep default_requests(struct codec_in *in, const struct json_at *at, void *value)
{
    struct k8s_container *container = value;
    if (!check_limits(in, at, container)) {
        return CODEC_FAIL;
    }
    k8s_resources_default(in->arena, &container->requests, &container->limits);
    return CODEC_KEEP;
}

static const struct codec_row container_rows[] = {
    ROW("name", CODEC_TEXT, struct k8s_container, name, .check = CHECK_PRINTABLE),
    ROW("restartPolicy", CODEC_CHOICE, struct k8s_container, restart_always,
        .choices = restart_policies),
    ROW_FLAT("resources", &container_resource_table),
};
static const struct codec_table container_table = {
    CODEC_ROWS(container_rows), .size = sizeof(struct k8s_container), .decode = default_requests};

/* ---- host ports: of all containers that keep running ---- */

struct port {
    int64_t host, container;
    strid ip, protocol;
};
static const struct codec_row port_rows[] = {
    ROW("hostPort", CODEC_I64, struct port, host, .check = CHECK_RANGE, .min = 0, .max = 65535),
    ROW("containerPort", CODEC_I64, struct port, container, .check = CHECK_RANGE, .min = 1,
        .max = 65535),
    ROW("hostIP", CODEC_WORD, struct port, ip, .check = CHECK_PRINTABLE),
    ROW("protocol", CODEC_WORD, struct port, protocol, .text = "TCP", .check = CHECK_PRINTABLE),
};
static const struct codec_table port_table = {CODEC_ROWS(port_rows), .size = sizeof(struct port)};

/* The element of the list at `name` that `container_i` counts. */
static bool read_ports(struct codec_in *in, const struct json_at *spec, const char *name,
                       size_t container_i, struct port **ret_ports, uint32_t *ret_n)
{
    struct json_at list = json_at_member(spec, name);
    struct json_at container = json_at_element(&list, container_i);
    struct json_at ports = json_at_member(&container, "ports");
    return codec_scratch_list(in, &port_table, &ports, ret_ports, ret_n);
}

struct host_ports {
    VEC(struct k8s_host_port) list;
};

static bool add_ports(struct codec_in *in, const struct json_at *spec, const char *name,
                      size_t container_i, bool host_network, struct host_ports *all)
{
    struct port *ports = NULL;
    uint32_t n = 0;
    if (!read_ports(in, spec, name, container_i, &ports, &n)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        /* As the API server does: with host networking a port is a host port. */
        int64_t port = ports[i].host == 0 && host_network ? ports[i].container : ports[i].host;
        if (port > 0) {
            VEC_PUSH(in->scratch, &all->list,
                     ((struct k8s_host_port){
                         .ip = ports[i].ip, .protocol = ports[i].protocol, .port = (int32_t)port}));
        }
    }
    return true;
}

static bool decode_host_ports(struct codec_in *in, const struct json_at *spec,
                              struct k8s_pod_shape *shape)
{
    struct json_at member = json_at_member(spec, "hostNetwork");
    bool host_network = false, has = false;
    struct host_ports all = {.list = {.n = 0}};
    if (!json_read_bool(&member, &has, &host_network, in->err)) {
        return false;
    }
    for (uint32_t i = 0; i < shape->n_containers; i++) {
        if (!add_ports(in, spec, "containers", i, host_network, &all)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < shape->n_init_containers; i++) {
        if (shape->init_containers[i].restart_always &&
            !add_ports(in, spec, "initContainers", i, host_network, &all)) {
            return false;
        }
    }
    if (all.list.n > 0) {
        struct k8s_host_port *kept = ARENA_ARRAY(in->arena, struct k8s_host_port, all.list.n);
        memcpy(kept, all.list.v, all.list.n * sizeof *kept);
        shape->host_ports = kept;
        shape->n_host_ports = (uint32_t)all.list.n;
    }
    return true;
}

/* Written back at the first container, or the first sidecar of a pod that has none. */
static void encode_host_ports(const struct codec_out *out, const struct k8s_pod_shape *shape,
                              json_t *spec)
{
    json_t *list = json_object_get(spec, shape->n_containers > 0 ? "containers" : "initContainers");
    json_t *ports = json_array();
    for (uint32_t i = 0; i < shape->n_host_ports; i++) {
        const struct k8s_host_port *port = &shape->host_ports[i];
        json_t *item = json_object();
        (void)json_object_set_new(item, "containerPort", json_integer(port->port));
        (void)json_object_set_new(item, "hostPort", json_integer(port->port));
        (void)json_object_set_new(item, "protocol", codec_word(out, port->protocol));
        if (port->ip != STRID_EMPTY) {
            (void)json_object_set_new(item, "hostIP", codec_word(out, port->ip));
        }
        (void)json_array_append_new(ports, item);
    }
    size_t at = 0;
    while (shape->n_containers == 0 && at + 1 < shape->n_init_containers &&
           !shape->init_containers[at].restart_always) {
        at++;
    }
    if (json_array_size(ports) > 0) {
        (void)json_object_set(json_array_get(list, at), "ports", ports);
    }
    json_decref(ports);
}

/* ---- volumes ---- */

static const struct codec_row claim_source_rows[] = {
    ROW("claimName", CODEC_TEXT, struct k8s_volume, claim_name, .check = CHECK_NAME,
        .flags = CODEC_REQUIRED),
    ROW("readOnly", CODEC_BOOL, struct k8s_volume, read_only),
};
static const struct codec_table claim_source_table = {CODEC_ROWS(claim_source_rows)};
static const struct codec_row csi_source_rows[] = {
    ROW("driver", CODEC_WORD, struct k8s_volume, driver, .check = CHECK_PRINTABLE,
        .flags = CODEC_REQUIRED),
    ROW("readOnly", CODEC_BOOL, struct k8s_volume, read_only),
};
static const struct codec_table csi_source_table = {CODEC_ROWS(csi_source_rows)};
static const struct codec_row ebs_source_rows[] = {
    ROW("volumeID", CODEC_TEXT, struct k8s_volume, claim_name, .check = CHECK_PRINTABLE,
        .flags = CODEC_REQUIRED),
    ROW("readOnly", CODEC_BOOL, struct k8s_volume, read_only),
};
static const struct codec_table ebs_source_table = {CODEC_ROWS(ebs_source_rows)};

static const struct codec_row ephemeral_request_rows[] = {
    ROW("storage", CODEC_OPT_QUANTITY, struct k8s_volume, size_bytes)};
static const struct codec_table ephemeral_request_table = {CODEC_ROWS(ephemeral_request_rows)};
static const struct codec_row ephemeral_resource_rows[] = {
    ROW_FLAT("requests", &ephemeral_request_table)};
static const struct codec_table ephemeral_resource_table = {CODEC_ROWS(ephemeral_resource_rows)};
static const struct codec_row ephemeral_spec_rows[] = {
    ROW("storageClassName", CODEC_WORD, struct k8s_volume, storage_class, .check = CHECK_NAME,
        .flags = CODEC_NONE),
    ROW_FLAT("resources", &ephemeral_resource_table),
};
static const struct codec_table ephemeral_spec_table = {CODEC_ROWS(ephemeral_spec_rows)};
static const struct codec_row ephemeral_template_rows[] = {
    ROW_FLAT("spec", &ephemeral_spec_table, .flags = CODEC_DEFAULTS)};
static const struct codec_table ephemeral_template_table = {CODEC_ROWS(ephemeral_template_rows)};
static const struct codec_row ephemeral_rows[] = {
    ROW_FLAT("volumeClaimTemplate", &ephemeral_template_table, .flags = CODEC_DEFAULTS)};
static const struct codec_table ephemeral_table = {CODEC_ROWS(ephemeral_rows)};

static const struct {
    const char *key;
    enum k8s_volume_kind kind;
    const struct codec_table *table;
} volume_sources[] = {
    {"persistentVolumeClaim", K8S_VOLUME_CLAIM, &claim_source_table},
    {"ephemeral", K8S_VOLUME_EPHEMERAL, &ephemeral_table},
    {"csi", K8S_VOLUME_CSI, &csi_source_table},
    {"awsElasticBlockStore", K8S_VOLUME_AWS_EBS, &ebs_source_table},
};
enum { N_VOLUME_SOURCES = sizeof volume_sources / sizeof volume_sources[0] };

static enum codec_keep decode_volume(struct codec_in *in, const struct json_at *at, void *value)
{
    struct k8s_volume *volume = value;
    for (size_t i = 0; i < N_VOLUME_SOURCES; i++) {
        struct json_at source = json_at_member(at, volume_sources[i].key);
        if (source.v != NULL) {
            volume->kind = volume_sources[i].kind;
            return codec_decode(in, volume_sources[i].table, &source, volume);
        }
    }
    return CODEC_DROP; /* K8S_VOLUME_OTHER: no rule reads it */
}

static void encode_volume(const struct codec_out *out, const void *value, json_t *object)
{
    const struct k8s_volume *volume = value;
    for (size_t i = 0; i < N_VOLUME_SOURCES; i++) {
        if (volume_sources[i].kind == volume->kind) {
            codec_encode(out, volume_sources[i].table, volume,
                         codec_child(object, volume_sources[i].key));
        }
    }
}

static const struct codec_row volume_rows[] = {
    ROW("name", CODEC_TEXT, struct k8s_volume, name, .check = CHECK_PRINTABLE),
    ROW("kind", CODEC_ENUM, struct k8s_volume, kind, .flags = CODEC_HIDDEN),
    ROW("claimName", CODEC_TEXT, struct k8s_volume, claim_name, .flags = CODEC_HIDDEN),
    ROW("driver", CODEC_WORD, struct k8s_volume, driver, .flags = CODEC_HIDDEN),
    ROW("readOnly", CODEC_BOOL, struct k8s_volume, read_only, .flags = CODEC_HIDDEN),
    ROW("storage", CODEC_OPT_I64, struct k8s_volume, size_bytes, .flags = CODEC_HIDDEN),
    ROW("storageClassName", CODEC_WORD, struct k8s_volume, storage_class, .flags = CODEC_HIDDEN),
};
static const struct codec_table volume_table = {CODEC_ROWS(volume_rows),
                                                .size = sizeof(struct k8s_volume),
                                                .decode = decode_volume, .encode = encode_volume};

/* ---- affinity and spread ---- */

#define ROW_SELECTOR(key_, struct_, field_)                                                        \
    {                                                                                              \
        .key = (key_), .type = CODEC_OBJECT, .sub = &k8s_selector_table,                           \
        .offset = offsetof(struct_, field_), .n_offset = 1 + offsetof(struct_, field_.present)     \
    }

static const struct codec_choice unsatisfiable_choices[] = {
    {"DoNotSchedule", 0}, {"ScheduleAnyway", 1}, {NULL, 0}};
static const struct codec_choice policy_choices[] = {{"Ignore", 0}, {"Honor", 1}, {NULL, 0}};

static enum codec_keep check_spread(struct codec_in *in, const struct json_at *at, void *value)
{
    const struct k8s_spread *spread = value;
    if (spread->min_domains.has && spread->schedule_anyway) {
        struct json_at member = json_at_member(at, "minDomains");
        (void)json_fail(in->err, ERR_INVALID, &member,
                        "can only be used with whenUnsatisfiable DoNotSchedule");
        return CODEC_FAIL;
    }
    if (spread->match_label_keys.n > 0 && !spread->selector.present) {
        struct json_at member = json_at_member(at, "matchLabelKeys");
        (void)json_fail(in->err, ERR_INVALID, &member, "needs a labelSelector");
        return CODEC_FAIL;
    }
    return CODEC_KEEP;
}

static const struct codec_row spread_rows[] = {
    ROW("topologyKey", CODEC_WORD, struct k8s_spread, key, .check = CHECK_LABEL_KEY,
        .flags = CODEC_REQUIRED),
    ROW("maxSkew", CODEC_I32, struct k8s_spread, max_skew, .check = CHECK_RANGE, .min = 1,
        .max = INT32_MAX, .flags = CODEC_REQUIRED),
    ROW("minDomains", CODEC_OPT_I32, struct k8s_spread, min_domains, .check = CHECK_RANGE, .min = 1,
        .max = INT32_MAX),
    ROW("whenUnsatisfiable", CODEC_CHOICE, struct k8s_spread, schedule_anyway,
        .choices = unsatisfiable_choices),
    ROW("nodeAffinityPolicy", CODEC_CHOICE, struct k8s_spread, affinity_honor,
        .choices = policy_choices, .absent = 1),
    ROW("nodeTaintsPolicy", CODEC_CHOICE, struct k8s_spread, taints_honor,
        .choices = policy_choices, .absent = 0),
    ROW_SELECTOR("labelSelector", struct k8s_spread, selector),
    ROW("matchLabelKeys", CODEC_WORDS, struct k8s_spread, match_label_keys,
        .check = CHECK_LABEL_KEY),
};
static const struct codec_table spread_table = {
    CODEC_ROWS(spread_rows), .size = sizeof(struct k8s_spread), .decode = check_spread};

#define POD_TERM_ROWS                                                                              \
    ROW("topologyKey", CODEC_WORD, struct k8s_pod_term, key, .check = CHECK_LABEL_KEY,             \
        .flags = CODEC_REQUIRED),                                                                  \
        ROW_SELECTOR("labelSelector", struct k8s_pod_term, selector),                              \
        ROW_SELECTOR("namespaceSelector", struct k8s_pod_term, ns_selector),                       \
        ROW("namespaces", CODEC_WORDS, struct k8s_pod_term, namespaces, .check = CHECK_DNS_LABEL), \
        ROW("matchLabelKeys", CODEC_WORDS, struct k8s_pod_term, match_label_keys,                  \
            .check = CHECK_LABEL_KEY),                                                             \
        ROW("mismatchLabelKeys", CODEC_WORDS, struct k8s_pod_term, mismatch_label_keys,            \
            .check = CHECK_LABEL_KEY)

static const struct codec_row pod_term_rows[] = {POD_TERM_ROWS};
static const struct codec_table pod_term_table = {CODEC_ROWS(pod_term_rows),
                                                  .size = sizeof(struct k8s_pod_term)};
static const struct codec_row weighted_term_rows[] = {
    ROW("weight", CODEC_I32, struct k8s_pod_term, weight, .check = CHECK_RANGE, .min = 1,
        .max = 100, .flags = CODEC_REQUIRED),
    ROW_FLAT("podAffinityTerm", &pod_term_table, .flags = CODEC_REQUIRED),
};
static const struct codec_table weighted_term_table = {CODEC_ROWS(weighted_term_rows),
                                                       .size = sizeof(struct k8s_pod_term)};

static const struct codec_row preferred_node_rows[] = {
    ROW("weight", CODEC_I32, struct k8s_preferred_node_term, weight, .check = CHECK_RANGE, .min = 1,
        .max = 100, .flags = CODEC_REQUIRED),
    ROW("preference", CODEC_OBJECT, struct k8s_preferred_node_term, term,
        .sub = &k8s_node_term_table),
};
static const struct codec_table preferred_node_table = {
    CODEC_ROWS(preferred_node_rows), .size = sizeof(struct k8s_preferred_node_term)};

#define REQUIRED_KEY  "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED_KEY "preferredDuringSchedulingIgnoredDuringExecution"

static const struct codec_row required_node_rows[] = {
    ROW_LIST("nodeSelectorTerms", struct k8s_pod_shape, node_terms, n_node_terms,
             &k8s_node_term_table, .flags = CODEC_REQUIRED)};
static const struct codec_table required_node_table = {CODEC_ROWS(required_node_rows)};
static const struct codec_row node_affinity_rows[] = {
    ROW_SEEN(REQUIRED_KEY, &required_node_table, struct k8s_pod_shape, has_required_node_terms),
    ROW_LIST(PREFERRED_KEY, struct k8s_pod_shape, preferred_node_terms, n_preferred_node_terms,
             &preferred_node_table)};
static const struct codec_table node_affinity_table = {CODEC_ROWS(node_affinity_rows)};
static const struct codec_row pod_affinity_rows[] = {
    ROW_LIST(REQUIRED_KEY, struct k8s_pod_shape, affinity, n_affinity, &pod_term_table),
    ROW_LIST(PREFERRED_KEY, struct k8s_pod_shape, preferred_affinity, n_preferred_affinity,
             &weighted_term_table)};
static const struct codec_table pod_affinity_table = {CODEC_ROWS(pod_affinity_rows)};
static const struct codec_row pod_anti_affinity_rows[] = {
    ROW_LIST(REQUIRED_KEY, struct k8s_pod_shape, anti_affinity, n_anti_affinity, &pod_term_table),
    ROW_LIST(PREFERRED_KEY, struct k8s_pod_shape, preferred_anti_affinity,
             n_preferred_anti_affinity, &weighted_term_table)};
static const struct codec_table pod_anti_affinity_table = {CODEC_ROWS(pod_anti_affinity_rows)};
static const struct codec_row affinity_rows[] = {
    ROW_FLAT("nodeAffinity", &node_affinity_table), ROW_FLAT("podAffinity", &pod_affinity_table),
    ROW_FLAT("podAntiAffinity", &pod_anti_affinity_table)};
static const struct codec_table affinity_table = {CODEC_ROWS(affinity_rows)};

/* ---- the shape ---- */

static const struct codec_row pod_resource_rows[] = {
    ROW("requests", CODEC_RESOURCES, struct k8s_pod_shape, pod_requests),
    ROW("limits", CODEC_RESOURCES, struct k8s_pod_shape, pod_limits),
};
static const struct codec_table pod_resource_table = {CODEC_ROWS(pod_resource_rows)};

static const struct codec_choice preemption_choices[] = {
    {"PreemptLowerPriority", K8S_PREEMPT_LOWER}, {"Never", K8S_PREEMPT_NEVER}, {NULL, 0}};
static const struct codec_row host_port_rows[] = {
    ROW("hostIP", CODEC_WORD, struct k8s_host_port, ip),
    ROW("protocol", CODEC_WORD, struct k8s_host_port, protocol),
    ROW("hostPort", CODEC_I32, struct k8s_host_port, port),
};
static const struct codec_table host_port_table = {CODEC_ROWS(host_port_rows),
                                                   .size = sizeof(struct k8s_host_port)};

static enum codec_keep decode_spec(struct codec_in *in, const struct json_at *at, void *value)
{
    struct k8s_pod_shape *shape = value;
    if (shape->has_pod_resources) {
        k8s_pod_level_default(in->arena, shape);
    }
    return at->v == NULL || decode_host_ports(in, at, shape) ? CODEC_KEEP : CODEC_FAIL;
}

static void encode_spec(const struct codec_out *out, const void *value, json_t *object)
{
    encode_host_ports(out, value, object);
}

static const struct codec_row spec_rows[] = {
    ROW("nodeSelector", CODEC_MAP, struct k8s_pod_shape, node_selector, .check = CHECK_LABELS),
    ROW_FLAT("affinity", &affinity_table),
    ROW_LIST("topologySpreadConstraints", struct k8s_pod_shape, spread, n_spread, &spread_table),
    ROW_LIST("tolerations", struct k8s_pod_shape, tolerations, n_tolerations,
             &k8s_toleration_table),
    ROW_LIST("containers", struct k8s_pod_shape, containers, n_containers, &container_table),
    ROW_LIST("initContainers", struct k8s_pod_shape, init_containers, n_init_containers,
             &container_table),
    ROW_LIST("ports", struct k8s_pod_shape, host_ports, n_host_ports, &host_port_table,
             .flags = CODEC_HIDDEN),
    ROW_LIST("volumes", struct k8s_pod_shape, volumes, n_volumes, &volume_table),
    ROW_SEEN("resources", &pod_resource_table, struct k8s_pod_shape, has_pod_resources),
    ROW("overhead", CODEC_RESOURCES, struct k8s_pod_shape, overhead),
    ROW("priority", CODEC_OPT_I32, struct k8s_pod_shape, priority),
    ROW("priorityClassName", CODEC_WORD, struct k8s_pod_shape, priority_class, .check = CHECK_NAME),
    ROW("preemptionPolicy", CODEC_ENUM, struct k8s_pod_shape, preemption,
        .choices = preemption_choices),
    ROW("schedulerName", CODEC_WORD, struct k8s_pod_shape, scheduler_name,
        .text = "default-scheduler", .check = CHECK_PRINTABLE),
    ROW("runtimeClassName", CODEC_WORD, struct k8s_pod_shape, runtime_class, .check = CHECK_NAME),
    ROW("schedulingGates", CODEC_COUNT, struct k8s_pod_shape, n_scheduling_gates, .text = "gate"),
    ROW("resourceClaims", CODEC_COUNT, struct k8s_pod_shape, n_resource_claims, .text = "claim"),
    ROW("terminationGracePeriodSeconds", CODEC_I64, struct k8s_pod_shape, termination_grace_seconds,
        .absent = 30, .check = CHECK_RANGE, .min = 0, .max = INT32_MAX),
};
const struct codec_table k8s_shape_spec_table = {CODEC_ROWS(spec_rows), .decode = decode_spec,
                                                 .encode = encode_spec};

/* ---- owners ---- */

struct owner {
    strid api_version, kind;
    struct str name;
    bool controller;
};
static const struct codec_row owner_rows[] = {
    ROW("apiVersion", CODEC_WORD, struct owner, api_version, .check = CHECK_PRINTABLE),
    ROW("kind", CODEC_WORD, struct owner, kind, .check = CHECK_PRINTABLE),
    ROW("name", CODEC_TEXT, struct owner, name, .check = CHECK_PRINTABLE, .flags = CODEC_SHARED),
    ROW("controller", CODEC_BOOL, struct owner, controller),
};
static const struct codec_table owner_table = {CODEC_ROWS(owner_rows),
                                               .size = sizeof(struct owner)};

/* The controller of the object whose metadata is at `metadata`, or its first owner; zero without.
 */
static bool read_owner(struct codec_in *in, const struct json_at *metadata, struct owner *ret_owner)
{
    struct owner *owners = NULL;
    uint32_t n = 0;
    struct json_at member = json_at_member(metadata, "ownerReferences");
    *ret_owner = (struct owner){.api_version = STRID_EMPTY, .kind = STRID_EMPTY};
    if (!codec_scratch_list(in, &owner_table, &member, &owners, &n)) {
        return false;
    }
    for (uint32_t i = n; i-- > 0;) {
        if (owners[i].controller || (i == 0 && !ret_owner->controller)) {
            *ret_owner = owners[i];
        }
    }
    return true;
}

static enum codec_keep decode_label_owner(struct codec_in *in, const struct json_at *at,
                                          void *value)
{
    struct k8s_pod_shape *shape = value;
    struct owner owner;
    if (!read_owner(in, at, &owner)) {
        return CODEC_FAIL;
    }
    shape->owner_api_version = owner.api_version;
    shape->owner_kind = owner.kind;
    return CODEC_KEEP;
}

static const struct codec_row label_rows[] = {
    ROW("labels", CODEC_MAP, struct k8s_pod_shape, labels, .check = CHECK_LABELS),
    ROW("annotations", CODEC_MAP, struct k8s_pod_shape, annotations, .flags = CODEC_FILTER),
    ROW("apiVersion", CODEC_WORD, struct k8s_pod_shape, owner_api_version, .flags = CODEC_HIDDEN),
    ROW("kind", CODEC_WORD, struct k8s_pod_shape, owner_kind, .flags = CODEC_HIDDEN),
};
const struct codec_table k8s_shape_label_table = {CODEC_ROWS(label_rows),
                                                  .decode = decode_label_owner};

/* ---- in-place resize ---- */

struct container_status {
    struct str name;
    bool has_resources;
    struct k8s_resources allocated, requests;
};
static const struct codec_row status_request_rows[] = {
    ROW("requests", CODEC_RESOURCES, struct container_status, requests)};
static const struct codec_table status_request_table = {CODEC_ROWS(status_request_rows)};
static const struct codec_row container_status_rows[] = {
    ROW("name", CODEC_TEXT, struct container_status, name),
    ROW("allocatedResources", CODEC_RESOURCES, struct container_status, allocated),
    ROW_SEEN("resources", &status_request_table, struct container_status, has_resources),
};
static const struct codec_table container_status_table = {CODEC_ROWS(container_status_rows),
                                                          .size = sizeof(struct container_status)};

struct pod_condition {
    struct str type;
    strid status, reason;
};
static const struct codec_row pod_condition_rows[] = {
    ROW("type", CODEC_TEXT, struct pod_condition, type, .check = CHECK_PRINTABLE),
    ROW("status", CODEC_WORD, struct pod_condition, status, .check = CHECK_PRINTABLE),
    ROW("reason", CODEC_WORD, struct pod_condition, reason, .check = CHECK_PRINTABLE),
};
static const struct codec_table pod_condition_table = {CODEC_ROWS(pod_condition_rows),
                                                       .size = sizeof(struct pod_condition)};

static bool read_conditions(struct codec_in *in, const struct json_at *status,
                            struct pod_condition **ret_conditions, uint32_t *ret_n)
{
    struct json_at member = json_at_member(status, "conditions");
    return codec_scratch_list(in, &pod_condition_table, &member, ret_conditions, ret_n);
}

/* A resize that the kubelet calls infeasible does not count; otherwise the scheduler takes the
 * largest of what is wanted, allocated and in effect
 * (https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/). */
static bool merge_statuses(struct codec_in *in, const struct json_at *status, const char *key,
                           bool infeasible, const struct k8s_container *containers, uint32_t n)
{
    struct json_at member = json_at_member(status, key);
    struct container_status *statuses = NULL;
    uint32_t n_statuses = 0;
    if (!codec_scratch_list(in, &container_status_table, &member, &statuses, &n_statuses)) {
        return false;
    }
    for (uint32_t i = 0; i < n_statuses; i++) {
        const struct container_status *s = &statuses[i];
        for (uint32_t c = 0; c < n; c++) {
            struct k8s_resources *requests =
                &((struct k8s_container *)(uintptr_t)&containers[c])->requests;
            if (!str_eq(s->name, containers[c].name) ||
                (s->requests.n == 0 && s->allocated.n == 0)) {
                continue;
            }
            struct k8s_resources wanted = *requests;
            if (infeasible) {
                *requests = (struct k8s_resources){.n = 0, .v = NULL};
            }
            k8s_resources_raise(in->arena, requests, &s->requests);
            k8s_resources_raise(in->arena, requests, &s->allocated);
            k8s_resources_default(in->arena, requests, &wanted); /* what no status names */
        }
    }
    return true;
}

static enum codec_keep decode_resize(struct codec_in *in, const struct json_at *at, void *value)
{
    struct k8s_pod_shape *shape = value;
    struct json_at status = json_at_member(at, "status");
    struct pod_condition *conditions = NULL;
    uint32_t n = 0;
    bool infeasible = false;
    if (status.v == NULL) {
        return CODEC_KEEP;
    }
    if (!json_want_object(&status, in->err) || !read_conditions(in, &status, &conditions, &n)) {
        return CODEC_FAIL;
    }
    for (uint32_t i = 0; i < n; i++) {
        infeasible =
            infeasible || (str_eq(conditions[i].type, STR("PodResizePending")) &&
                           str_eq(strtab_str(in->tab, conditions[i].reason), STR("Infeasible")));
    }
    bool ok = merge_statuses(in, &status, "containerStatuses", infeasible, shape->containers,
                             shape->n_containers) &&
              merge_statuses(in, &status, "initContainerStatuses", infeasible,
                             shape->init_containers, shape->n_init_containers);
    return ok ? CODEC_KEEP : CODEC_FAIL;
}

static const struct codec_row shape_rows[] = {
    ROW_FLAT("metadata", &k8s_shape_label_table),
    ROW_FLAT("spec", &k8s_shape_spec_table, .flags = CODEC_DEFAULTS),
};
const struct codec_table k8s_shape_table = {
    CODEC_ROWS(shape_rows), .size = sizeof(struct k8s_pod_shape), .decode = decode_resize};

/* ---- the pod ---- */

static const struct codec_row pod_meta_rows[] = {
    ROW("name", CODEC_TEXT, struct k8s_pod, name, .check = CHECK_NAME, .flags = CODEC_REQUIRED),
    ROW("namespace", CODEC_WORD, struct k8s_pod, ns, .check = CHECK_DNS_LABEL, .text = "default"),
    ROW("uid", CODEC_TEXT, struct k8s_pod, uid, .check = CHECK_PRINTABLE),
    ROW("creationTimestamp", CODEC_TIME, struct k8s_pod, created),
    ROW("deletionTimestamp", CODEC_TIME, struct k8s_pod, deleted, .flags = CODEC_FUTURE),
    ROW("owner", CODEC_TEXT, struct k8s_pod, owner_name, .flags = CODEC_HIDDEN),
};

static enum codec_keep decode_pod_owner(struct codec_in *in, const struct json_at *at, void *value)
{
    struct owner owner;
    if (!read_owner(in, at, &owner)) {
        return CODEC_FAIL;
    }
    ((struct k8s_pod *)value)->owner_name = owner.name;
    return CODEC_KEEP;
}

static void encode_pod_owner(const struct codec_out *out, const void *value, json_t *object)
{
    const struct k8s_pod *pod = value;
    if (pod->shape->owner_kind == STRID_EMPTY && pod->owner_name.n == 0) {
        return;
    }
    json_t *owners = json_array(), *owner = json_object();
    (void)json_object_set_new(owner, "apiVersion", codec_word(out, pod->shape->owner_api_version));
    (void)json_object_set_new(owner, "kind", codec_word(out, pod->shape->owner_kind));
    (void)json_object_set_new(owner, "name", codec_text(pod->owner_name));
    (void)json_object_set_new(owner, "controller", json_true());
    (void)json_array_append_new(owners, owner);
    (void)json_object_set_new(object, "ownerReferences", owners);
}

static const struct codec_table pod_meta_table = {
    CODEC_ROWS(pod_meta_rows), .decode = decode_pod_owner, .encode = encode_pod_owner};

static const struct codec_row pod_spec_rows[] = {ROW(
    "nodeName", CODEC_TEXT, struct k8s_pod, node_name, .check = CHECK_NAME, .flags = CODEC_SHARED)};
static const struct codec_table pod_spec_table = {CODEC_ROWS(pod_spec_rows)};

static const struct codec_choice phases[] = {{"", K8S_PHASE_NONE},
                                             {"Pending", K8S_PENDING},
                                             {"Running", K8S_RUNNING},
                                             {"Succeeded", K8S_SUCCEEDED},
                                             {"Failed", K8S_FAILED},
                                             {"Unknown", K8S_PHASE_UNKNOWN},
                                             {NULL, 0}};

/* Tools write other phases into recordings ("CrashLoopBackOff"): those count as Unknown. */
static bool decode_phase(struct codec_in *in, const struct json_at *status, enum k8s_phase *phase)
{
    struct json_at member = json_at_member(status, "phase");
    struct str text;
    bool has = false;
    if (!json_read_str(&member, &has, &text, in->err)) {
        return false;
    }
    *phase = K8S_PHASE_UNKNOWN;
    for (const struct codec_choice *c = phases; c->text != NULL; c++) {
        if (str_eq(str_of(c->text), text)) {
            *phase = (enum k8s_phase)c->value;
        }
    }
    return true;
}

static enum codec_keep decode_pod_status(struct codec_in *in, const struct json_at *at, void *value)
{
    struct k8s_pod *pod = value;
    struct pod_condition *conditions = NULL;
    uint32_t n = 0;
    /* `status: {}` is what kubectl create --dry-run prints: still a bare manifest. */
    pod->has_status = json_at_count(at) > 0;
    if (!decode_phase(in, at, &pod->phase) || !read_conditions(in, at, &conditions, &n)) {
        return CODEC_FAIL;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (str_eq(conditions[i].type, STR("PodScheduled"))) {
            pod->scheduled_status = conditions[i].status;
            pod->scheduled_reason = conditions[i].reason;
        } else if (str_eq(conditions[i].type, STR("Ready"))) {
            pod->ready = conditions[i].status == in->words->s_true;
            pod->unready = conditions[i].status == in->words->s_false;
        }
    }
    return CODEC_KEEP;
}

static void add_condition(const struct codec_out *out, json_t *list, const char *type, strid status,
                          strid reason)
{
    json_t *item = json_object();
    (void)json_object_set_new(item, "type", json_string(type));
    (void)json_object_set_new(item, "status", codec_word(out, status));
    if (reason != STRID_EMPTY) {
        (void)json_object_set_new(item, "reason", codec_word(out, reason));
    }
    (void)json_array_append_new(list, item);
}

static void encode_pod_status(const struct codec_out *out, const void *value, json_t *object)
{
    const struct k8s_pod *pod = value;
    if (!pod->has_status) {
        return;
    }
    for (const struct codec_choice *c = phases; c->text != NULL; c++) {
        if (c->value == (int)pod->phase && c->text[0] != '\0') {
            (void)json_object_set_new(object, "phase", json_string(c->text));
        }
    }
    json_t *list = json_array(); /* also when empty: it says that there is a status */
    if (pod->scheduled_status != STRID_EMPTY || pod->scheduled_reason != STRID_EMPTY) {
        add_condition(out, list, "PodScheduled", pod->scheduled_status, pod->scheduled_reason);
    }
    if (pod->ready || pod->unready) {
        add_condition(out, list, "Ready", pod->ready ? out->words->s_true : out->words->s_false,
                      STRID_EMPTY);
    }
    (void)json_object_set_new(object, "conditions", list);
}

static const struct codec_row pod_status_rows[] = {
    ROW("phase", CODEC_ENUM, struct k8s_pod, phase, .choices = phases, .flags = CODEC_HIDDEN),
    ROW("startTime", CODEC_TIME, struct k8s_pod, started),
    ROW("nominatedNodeName", CODEC_TEXT, struct k8s_pod, nominated_node_name, .check = CHECK_NAME,
        .flags = CODEC_SHARED),
    ROW("status", CODEC_BOOL, struct k8s_pod, has_status, .flags = CODEC_HIDDEN),
    ROW("scheduled", CODEC_WORD, struct k8s_pod, scheduled_status, .flags = CODEC_HIDDEN),
    ROW("reason", CODEC_WORD, struct k8s_pod, scheduled_reason, .flags = CODEC_HIDDEN),
    ROW("ready", CODEC_BOOL, struct k8s_pod, ready, .flags = CODEC_HIDDEN),
    ROW("unready", CODEC_BOOL, struct k8s_pod, unready, .flags = CODEC_HIDDEN),
};
static const struct codec_table pod_status_table = {
    CODEC_ROWS(pod_status_rows), .decode = decode_pod_status, .encode = encode_pod_status};

static const struct codec_row pod_rows[] = {
    ROW_FLAT("metadata", &pod_meta_table, .flags = CODEC_REQUIRED),
    ROW_FLAT("spec", &pod_spec_table),
    ROW_FLAT("status", &pod_status_table),
    ROW("shape", CODEC_SHAPE, struct k8s_pod, shape, .flags = CODEC_HIDDEN),
};
const struct codec_table k8s_pod_table = {CODEC_ROWS(pod_rows), .size = sizeof(struct k8s_pod)};

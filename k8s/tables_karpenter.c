/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of Karpenter's objects. Only what the planner reads; all rules of their CRDs are in
 * k8s/schema.h. */
#include <string.h>

#include "k8s/decimal.h"
#include "k8s/karpenter.h"
#include "k8s/objects.h"
#include "k8s/tables.h"

#define ROW_META(struct_)                                                                          \
    ROW("metadata", CODEC_OBJECT, struct_, meta, .sub = &k8s_meta_table, .flags = CODEC_REQUIRED)
#define ROW_CONDITIONS(struct_)                                                                    \
    ROW_LIST("conditions", struct_, conditions.v, conditions.n, &karp_condition_table)
#define TABLE(rows_, struct_, ...)                                                                 \
    {                                                                                              \
        CODEC_ROWS(rows_), .size = sizeof(struct_), __VA_ARGS__                                    \
    }

#define DEFAULT_EXPIRE_MS (INT64_C(720) * 3600 * 1000)

static const struct codec_row class_ref_rows[] = {
    ROW("group", CODEC_WORD, struct karp_class_ref, group, .check = CHECK_NAME,
        .flags = CODEC_REQUIRED),
    ROW("kind", CODEC_WORD, struct karp_class_ref, kind, .check = CHECK_PRINTABLE,
        .flags = CODEC_REQUIRED),
    ROW("name", CODEC_TEXT, struct karp_class_ref, name, .check = CHECK_NAME,
        .flags = CODEC_REQUIRED),
};
static const struct codec_table class_ref_table = TABLE(class_ref_rows, struct karp_class_ref);

/* ---- NodePool ---- */

static const struct codec_choice reasons[] = {{"Underutilized", 0}, {"Empty", 1}, {"Drifted", 2}};

static enum codec_keep decode_budget(struct codec_in *in, const struct json_at *at, void *value)
{
    static const struct codec_row row = {.type = CODEC_INT_OR_PERCENT};
    struct karp_budget *budget = value;
    struct k8s_int_or_percent nodes;
    struct json_at member = json_at_member(at, "nodes");
    if (member.v != NULL && !json_is_string(member.v)) {
        (void)json_fail(in->err, ERR_INVALID, &member,
                        "expected a string, such as \"3\" or \"10%%\", got %s",
                        json_type_text(member.v));
        return CODEC_FAIL;
    }
    if (!codec_decode_row(in, &row, &member, (char *)&nodes, NULL)) {
        return CODEC_FAIL;
    }
    budget->nodes_is_percent = !nodes.present || nodes.is_percent;
    budget->nodes = nodes.present ? nodes.value : 10;
    for (uint32_t i = 0; i < budget->reasons.n; i++) {
        struct str text = strtab_str(in->tab, budget->reasons.v[i]);
        bool known = false;
        for (size_t r = 0; r < sizeof reasons / sizeof reasons[0]; r++) {
            known = known || str_eq(text, str_of(reasons[r].text));
        }
        if (!known) {
            struct json_at list = json_at_member(at, "reasons");
            struct json_at item = json_at_element(&list, i);
            (void)json_fail(in->err, ERR_INVALID, &item,
                            "\"" STR_FMT "\": must be one of Underutilized, Empty, Drifted",
                            STR_ARG(text));
            return CODEC_FAIL;
        }
    }
    if ((budget->schedule.n > 0) != budget->duration.has) {
        (void)json_fail(in->err, ERR_INVALID, at, "schedule and duration must be set together");
        return CODEC_FAIL;
    }
    return CODEC_KEEP;
}

static void encode_budget(const struct codec_out *out, const void *value, json_t *object)
{
    const struct karp_budget *budget = value;
    struct strbuf text = strbuf_new(out->arena, 64);
    strbuf_addf(&text, "%lld%s", (long long)budget->nodes, budget->nodes_is_percent ? "%" : "");
    (void)json_object_set_new(object, "nodes", codec_text(strbuf_str(&text)));
}

static const struct codec_row budget_rows[] = {
    ROW("reasons", CODEC_WORDS, struct karp_budget, reasons, .check = CHECK_PRINTABLE,
        .max_items = 50),
    ROW("schedule", CODEC_TEXT, struct karp_budget, schedule, .check = CHECK_PRINTABLE),
    ROW("duration", CODEC_DURATION, struct karp_budget, duration, .absent = CODEC_NO_DURATION),
    ROW("percent", CODEC_BOOL, struct karp_budget, nodes_is_percent, .flags = CODEC_HIDDEN),
    ROW("nodes", CODEC_I64, struct karp_budget, nodes, .flags = CODEC_HIDDEN),
};
static const struct codec_table budget_table =
    TABLE(budget_rows, struct karp_budget, .decode = decode_budget, .encode = encode_budget);

/* Without budgets one of 10 % applies; an empty list means no budget at all. */
static enum codec_keep decode_disruption(struct codec_in *in, const struct json_at *at, void *value)
{
    struct karp_nodepool *pool = value;
    struct json_at budgets = json_at_member(at, "budgets");
    if (budgets.v == NULL) {
        struct karp_budget *budget = ARENA_NEW(in->arena, struct karp_budget);
        *budget = (struct karp_budget){.nodes_is_percent = true, .nodes = 10};
        pool->budgets = budget;
        pool->n_budgets = 1;
    }
    return CODEC_KEEP;
}

static const struct codec_choice consolidations[] = {
    {"WhenEmpty", KARP_WHEN_EMPTY},
    {"WhenEmptyOrUnderutilized", KARP_WHEN_EMPTY_OR_UNDERUTILIZED},
    {"Balanced", KARP_BALANCED},
    {NULL, 0}};
static const struct codec_row disruption_rows[] = {
    ROW("consolidateAfter", CODEC_DURATION, struct karp_nodepool, consolidate_after, .absent = 0),
    ROW("consolidationPolicy", CODEC_ENUM, struct karp_nodepool, consolidation,
        .choices = consolidations, .absent = KARP_WHEN_EMPTY_OR_UNDERUTILIZED),
    ROW_LIST("budgets", struct karp_nodepool, budgets, n_budgets, &budget_table, .max_items = 50,
             .flags = CODEC_WRITE_EMPTY),
};
static const struct codec_table disruption_table = {CODEC_ROWS(disruption_rows),
                                                    .decode = decode_disruption};

static const struct codec_row template_meta_rows[] = {
    ROW("labels", CODEC_MAP, struct karp_nodepool, template_labels, .check = CHECK_LABELS,
        .max_items = 100),
    ROW("annotations", CODEC_MAP, struct karp_nodepool, template_annotations)};
static const struct codec_table template_meta_table = {CODEC_ROWS(template_meta_rows)};
static const struct codec_row template_spec_rows[] = {
    ROW_LIST("taints", struct karp_nodepool, taints, n_taints, &k8s_taint_table),
    ROW_LIST("startupTaints", struct karp_nodepool, startup_taints, n_startup_taints,
             &k8s_taint_table),
    ROW_LIST("requirements", struct karp_nodepool, requirements, n_requirements,
             &karp_requirement_table, .max_items = 100, .flags = CODEC_WRITE_EMPTY),
    ROW("nodeClassRef", CODEC_OBJECT, struct karp_nodepool, class_ref, .sub = &class_ref_table,
        .flags = CODEC_REQUIRED),
    ROW("terminationGracePeriod", CODEC_DURATION, struct karp_nodepool, termination_grace,
        .absent = CODEC_NO_DURATION),
    ROW("expireAfter", CODEC_DURATION, struct karp_nodepool, expire_after,
        .absent = DEFAULT_EXPIRE_MS),
};
static const struct codec_table template_spec_table = {CODEC_ROWS(template_spec_rows)};
static const struct codec_row pool_template_rows[] = {
    ROW_FLAT("metadata", &template_meta_table),
    ROW_FLAT("spec", &template_spec_table, .flags = CODEC_REQUIRED)};
static const struct codec_table pool_template_table = {CODEC_ROWS(pool_template_rows)};

static const struct codec_row pool_spec_rows[] = {
    ROW_FLAT("template", &pool_template_table, .flags = CODEC_REQUIRED),
    ROW_FLAT("disruption", &disruption_table, .flags = CODEC_DEFAULTS),
    ROW("limits", CODEC_RESOURCES, struct karp_nodepool, limits, .flags = CODEC_FLOOR),
    ROW("weight", CODEC_I32, struct karp_nodepool, weight, .check = CHECK_RANGE, .min = 1,
        .max = 100),
    ROW("replicas", CODEC_OPT_I64, struct karp_nodepool, replicas, .check = CHECK_RANGE, .min = 0,
        .max = INT64_MAX),
};
static const struct codec_table pool_spec_table = {CODEC_ROWS(pool_spec_rows)};
static const struct codec_row pool_status_rows[] = {
    ROW("resources", CODEC_RESOURCES, struct karp_nodepool, used, .flags = CODEC_FLOOR),
    ROW("nodes", CODEC_OPT_I64, struct karp_nodepool, n_used_nodes),
    ROW("nodeClassObservedGeneration", CODEC_I64, struct karp_nodepool, class_generation),
    ROW_CONDITIONS(struct karp_nodepool)};
static const struct codec_table pool_status_table = {CODEC_ROWS(pool_status_rows)};
static const struct codec_row nodepool_rows[] = {
    ROW_META(struct karp_nodepool), ROW_FLAT("spec", &pool_spec_table, .flags = CODEC_REQUIRED),
    ROW_FLAT("status", &pool_status_table)};
const struct codec_table karp_nodepool_table = TABLE(nodepool_rows, struct karp_nodepool);

/* ---- NodeClaim ---- */

static const struct codec_row claim_resource_rows[] = {
    ROW("requests", CODEC_RESOURCES, struct karp_nodeclaim, requests)};
static const struct codec_table claim_resource_table = {CODEC_ROWS(claim_resource_rows)};
static const struct codec_row claim_spec_rows[] = {
    ROW_LIST("taints", struct karp_nodeclaim, taints, n_taints, &k8s_taint_table),
    ROW_LIST("startupTaints", struct karp_nodeclaim, startup_taints, n_startup_taints,
             &k8s_taint_table),
    ROW_LIST("requirements", struct karp_nodeclaim, requirements, n_requirements,
             &karp_requirement_table, .max_items = 100, .flags = CODEC_WRITE_EMPTY),
    ROW_FLAT("resources", &claim_resource_table),
    ROW("nodeClassRef", CODEC_OBJECT, struct karp_nodeclaim, class_ref, .sub = &class_ref_table,
        .flags = CODEC_REQUIRED),
    ROW("terminationGracePeriod", CODEC_DURATION, struct karp_nodeclaim, termination_grace,
        .absent = CODEC_NO_DURATION),
    ROW("expireAfter", CODEC_DURATION, struct karp_nodeclaim, expire_after,
        .absent = DEFAULT_EXPIRE_MS),
};
static const struct codec_table claim_spec_table = {CODEC_ROWS(claim_spec_rows)};
static const struct codec_row claim_status_rows[] = {
    ROW("nodeName", CODEC_TEXT, struct karp_nodeclaim, node_name, .check = CHECK_NAME),
    ROW("providerID", CODEC_TEXT, struct karp_nodeclaim, provider_id, .check = CHECK_PRINTABLE),
    ROW("imageID", CODEC_TEXT, struct karp_nodeclaim, image_id, .check = CHECK_PRINTABLE),
    ROW("capacity", CODEC_RESOURCES, struct karp_nodeclaim, capacity, .flags = CODEC_FLOOR),
    ROW("allocatable", CODEC_RESOURCES, struct karp_nodeclaim, allocatable, .flags = CODEC_FLOOR),
    ROW("lastPodEventTime", CODEC_TIME, struct karp_nodeclaim, last_pod_event),
    ROW_CONDITIONS(struct karp_nodeclaim),
};
static const struct codec_table claim_status_table = {CODEC_ROWS(claim_status_rows)};
static const struct codec_row nodeclaim_rows[] = {
    ROW_META(struct karp_nodeclaim), ROW_FLAT("spec", &claim_spec_table, .flags = CODEC_REQUIRED),
    ROW_FLAT("status", &claim_status_table)};
const struct codec_table karp_nodeclaim_table = TABLE(nodeclaim_rows, struct karp_nodeclaim);

/* ---- NodeOverlay ---- */

enum { NANO_DIGITS = 9, MICRO_DIGITS = 6 };

static bool decode_price(struct codec_in *in, const struct json_at *at,
                         struct karp_overlay *overlay)
{
    struct str text;
    struct json_at price = json_at_member(at, "price");
    struct json_at change = json_at_member(at, "priceAdjustment");
    if (!json_read_str(&price, &overlay->has_price, &text, in->err)) {
        return false;
    }
    bool plain = !str_starts(text, STR("-")) && !str_starts(text, STR("+"));
    if (overlay->has_price && !(plain && decimal_parse(text, NANO_DIGITS, &overlay->price))) {
        return json_fail(in->err, ERR_INVALID, &price,
                         "\"" STR_FMT "\": must be a price, such as \"0.25\"", STR_ARG(text));
    }
    if (!json_read_str(&change, &overlay->has_adjustment, &text, in->err)) {
        return false;
    }
    if (!overlay->has_adjustment) {
        return true;
    }
    if (overlay->has_price) {
        return json_fail(in->err, ERR_INVALID, &change, "cannot be set together with price");
    }
    struct str number = text;
    overlay->adjustment_is_percent = str_ends(text, STR("%"));
    if (overlay->adjustment_is_percent) {
        number = str_sub(text, 0, text.n - 1);
    }
    bool sign = str_starts(text, STR("+")) || str_starts(text, STR("-"));
    bool ok =
        sign && decimal_parse(number, overlay->adjustment_is_percent ? MICRO_DIGITS : NANO_DIGITS,
                              &overlay->adjustment);
    if (!ok || (overlay->adjustment_is_percent && overlay->adjustment < -100 * 1000000)) {
        return json_fail(in->err, ERR_INVALID, &change,
                         "\"" STR_FMT "\": must be a signed change, such as \"+0.5\", \"-10%%\" "
                         "or \"+5%%\", not below -100%%",
                         STR_ARG(text));
    }
    return true;
}

static enum codec_keep decode_overlay(struct codec_in *in, const struct json_at *at, void *value)
{
    struct karp_overlay *overlay = value;
    if (!decode_price(in, at, overlay)) {
        return CODEC_FAIL;
    }
    for (uint32_t i = 0; i < overlay->capacity.n; i++) {
        strid id = overlay->capacity.v[i].resource;
        const struct k8s_words *w = in->words;
        if (id == w->cpu || id == w->memory || id == w->ephemeral_storage || id == w->pods) {
            struct json_at capacity = json_at_member(at, "capacity");
            (void)json_fail(in->err, ERR_INVALID, &capacity,
                            "\"" STR_FMT "\" cannot be changed by an overlay",
                            STR_ARG(strtab_str(in->tab, id)));
            return CODEC_FAIL;
        }
    }
    for (uint32_t i = 0; i < overlay->n_requirements; i++) {
        const struct k8s_requirement *r = &overlay->requirements[i];
        struct json_at list = json_at_member(at, "requirements");
        struct json_at item = json_at_element(&list, i);
        if (r->min_values.has || (r->op == K8S_NOT_IN && r->values.n == 0)) {
            (void)json_fail(in->err, ERR_INVALID, &item,
                            r->min_values.has ? "an overlay knows no minValues"
                                              : "NotIn needs at least one value");
            return CODEC_FAIL;
        }
    }
    return CODEC_KEEP;
}

static void encode_overlay(const struct codec_out *out, const void *value, json_t *object)
{
    const struct karp_overlay *overlay = value;
    char room[DECIMAL_TEXT_MAX];
    if (overlay->has_price) {
        (void)json_object_set_new(object, "price",
                                  codec_text(decimal_format(overlay->price, NANO_DIGITS, room)));
    }
    if (overlay->has_adjustment) {
        bool percent = overlay->adjustment_is_percent;
        struct strbuf text = strbuf_new(out->arena, 64);
        strbuf_add(&text, overlay->adjustment < 0 ? STR_EMPTY : STR("+"));
        strbuf_add(&text,
                   decimal_format(overlay->adjustment, percent ? MICRO_DIGITS : NANO_DIGITS, room));
        strbuf_add(&text, percent ? STR("%") : STR_EMPTY);
        (void)json_object_set_new(object, "priceAdjustment", codec_text(strbuf_str(&text)));
    }
}

static const struct codec_row overlay_spec_rows[] = {
    ROW_LIST("requirements", struct karp_overlay, requirements, n_requirements,
             &karp_requirement_table, .max_items = 100, .flags = CODEC_WRITE_EMPTY),
    ROW("capacity", CODEC_RESOURCES, struct karp_overlay, capacity, .flags = CODEC_FLOOR),
    ROW("weight", CODEC_I32, struct karp_overlay, weight, .check = CHECK_RANGE, .min = 1,
        .max = 10000),
    ROW("hasPrice", CODEC_BOOL, struct karp_overlay, has_price, .flags = CODEC_HIDDEN),
    ROW("price", CODEC_I64, struct karp_overlay, price, .flags = CODEC_HIDDEN),
    ROW("hasChange", CODEC_BOOL, struct karp_overlay, has_adjustment, .flags = CODEC_HIDDEN),
    ROW("percent", CODEC_BOOL, struct karp_overlay, adjustment_is_percent, .flags = CODEC_HIDDEN),
    ROW("change", CODEC_I64, struct karp_overlay, adjustment, .flags = CODEC_HIDDEN),
};
static const struct codec_table overlay_spec_table = {
    CODEC_ROWS(overlay_spec_rows), .decode = decode_overlay, .encode = encode_overlay};
static const struct codec_row overlay_rows[] = {
    ROW_META(struct karp_overlay), ROW_FLAT("spec", &overlay_spec_table, .flags = CODEC_REQUIRED)};
const struct codec_table karp_overlay_table = TABLE(overlay_rows, struct karp_overlay);

/* ---- CapacityBuffer ---- */

static const struct codec_row template_ref_rows[] = {ROW("name", CODEC_TEXT, struct karp_buffer,
                                                         template_name, .check = CHECK_NAME,
                                                         .flags = CODEC_REQUIRED)};
static const struct codec_table template_ref_table = {CODEC_ROWS(template_ref_rows)};
static const struct codec_row scalable_ref_rows[] = {
    ROW("apiGroup", CODEC_WORD, struct karp_buffer, scalable_group, .check = CHECK_NAME,
        .text = "apps"),
    ROW("kind", CODEC_WORD, struct karp_buffer, scalable_kind, .check = CHECK_PRINTABLE,
        .flags = CODEC_REQUIRED),
    ROW("name", CODEC_TEXT, struct karp_buffer, scalable_name, .check = CHECK_NAME,
        .flags = CODEC_REQUIRED)};
static const struct codec_table scalable_ref_table = {CODEC_ROWS(scalable_ref_rows)};

static enum codec_keep check_buffer(struct codec_in *in, const struct json_at *at, void *value)
{
    const struct karp_buffer *buffer = value;
    const char *what = NULL;
    if (buffer->template_name.n > 0 && buffer->scalable_name.n > 0) {
        what = "podTemplateRef and scalableRef cannot both be set";
    } else if (buffer->template_name.n > 0 && !buffer->replicas.has && buffer->limits.n == 0) {
        what = "podTemplateRef needs replicas or limits";
    }
    if (what != NULL) {
        (void)json_fail(in->err, ERR_INVALID, at, "%s", what);
        return CODEC_FAIL;
    }
    return CODEC_KEEP;
}

static const struct codec_row buffer_spec_rows[] = {
    ROW_FLAT("podTemplateRef", &template_ref_table),
    ROW_FLAT("scalableRef", &scalable_ref_table),
    ROW("replicas", CODEC_OPT_I64, struct karp_buffer, replicas, .check = CHECK_RANGE, .min = 0,
        .max = INT32_MAX),
    ROW("percentage", CODEC_OPT_I64, struct karp_buffer, percentage, .check = CHECK_RANGE, .min = 0,
        .max = INT32_MAX),
    ROW("limits", CODEC_RESOURCES, struct karp_buffer, limits, .flags = CODEC_FLOOR),
};
static const struct codec_table buffer_spec_table = {CODEC_ROWS(buffer_spec_rows),
                                                     .decode = check_buffer};
static const struct codec_row buffer_status_rows[] = {
    ROW("replicas", CODEC_OPT_I64, struct karp_buffer, status_replicas),
    ROW_CONDITIONS(struct karp_buffer)};
static const struct codec_table buffer_status_table = {CODEC_ROWS(buffer_status_rows)};
static const struct codec_row buffer_rows[] = {
    ROW_META(struct karp_buffer), ROW_FLAT("spec", &buffer_spec_table, .flags = CODEC_REQUIRED),
    ROW_FLAT("status", &buffer_status_table)};
const struct codec_table karp_buffer_table = TABLE(buffer_rows, struct karp_buffer);

/* ---- EC2NodeClass ---- */

static const struct codec_row kubelet_rows[] = {
    ROW("maxPods", CODEC_OPT_I64, struct aws_nodeclass, kubelet.max_pods, .check = CHECK_RANGE,
        .min = 0, .max = INT32_MAX),
    ROW("podsPerCore", CODEC_OPT_I64, struct aws_nodeclass, kubelet.pods_per_core,
        .check = CHECK_RANGE, .min = 0, .max = INT32_MAX),
    ROW("kubeReserved", CODEC_RESOURCES, struct aws_nodeclass, kubelet.kube_reserved),
    ROW("systemReserved", CODEC_RESOURCES, struct aws_nodeclass, kubelet.system_reserved),
    ROW("evictionHard", CODEC_MAP, struct aws_nodeclass, kubelet.eviction_hard),
};
static const struct codec_table kubelet_table = {CODEC_ROWS(kubelet_rows)};
static const struct codec_row ebs_rows[] = {
    ROW("volumeSize", CODEC_OPT_QUANTITY, struct aws_block_device, size_bytes)};
static const struct codec_table ebs_table = {CODEC_ROWS(ebs_rows)};
static const struct codec_row block_device_rows[] = {
    ROW("deviceName", CODEC_TEXT, struct aws_block_device, device_name, .check = CHECK_PRINTABLE),
    ROW("rootVolume", CODEC_BOOL, struct aws_block_device, root_volume),
    ROW_FLAT("ebs", &ebs_table)};
static const struct codec_table block_device_table =
    TABLE(block_device_rows, struct aws_block_device);
static const struct codec_choice store_policies[] = {{"", 0}, {"RAID0", 1}, {NULL, 0}};
static const struct codec_row nodeclass_spec_rows[] = {
    ROW("amiFamily", CODEC_TEXT, struct aws_nodeclass, ami_family, .check = CHECK_PRINTABLE),
    ROW("amiSelectorTerms", CODEC_PICK, struct aws_nodeclass, ami_aliases, .text = "alias",
        .check = CHECK_PRINTABLE, .max_items = 30),
    ROW_SEEN("kubelet", &kubelet_table, struct aws_nodeclass, kubelet.present),
    ROW_LIST("blockDeviceMappings", struct aws_nodeclass, block_devices, n_block_devices,
             &block_device_table, .max_items = 50),
    ROW("instanceStorePolicy", CODEC_CHOICE, struct aws_nodeclass, instance_store_raid0,
        .choices = store_policies),
    ROW("networkInterfaces", CODEC_COUNT, struct aws_nodeclass, n_network_interfaces,
        .text = "interface", .max_items = 150),
};
static const struct codec_table nodeclass_spec_table = {CODEC_ROWS(nodeclass_spec_rows)};

static const struct codec_row subnet_rows[] = {
    ROW("id", CODEC_TEXT, struct aws_subnet_status, id, .check = CHECK_PRINTABLE),
    ROW("zone", CODEC_WORD, struct aws_subnet_status, zone, .check = CHECK_LABEL_VALUE,
        .flags = CODEC_REQUIRED),
    ROW("zoneID", CODEC_WORD, struct aws_subnet_status, zone_id, .check = CHECK_LABEL_VALUE)};
static const struct codec_table subnet_table = TABLE(subnet_rows, struct aws_subnet_status);
static const struct codec_row group_rows[] = {ROW("id", CODEC_TEXT, struct aws_group_status, id,
                                                  .check = CHECK_PRINTABLE,
                                                  .flags = CODEC_REQUIRED)};
static const struct codec_table group_table = TABLE(group_rows, struct aws_group_status);
static const struct codec_row image_rows[] = {
    ROW("id", CODEC_TEXT, struct aws_image_status, id, .check = CHECK_PRINTABLE,
        .flags = CODEC_REQUIRED),
    ROW_LIST("requirements", struct aws_image_status, requirements, n_requirements,
             &karp_requirement_table, .max_items = 100)};
static const struct codec_table image_table = TABLE(image_rows, struct aws_image_status);
static const struct codec_row reservation_rows[] = {
    ROW("id", CODEC_TEXT, struct aws_reservation_status, id, .check = CHECK_PRINTABLE,
        .flags = CODEC_REQUIRED),
    ROW("instanceType", CODEC_WORD, struct aws_reservation_status, instance_type,
        .check = CHECK_LABEL_VALUE),
    ROW("availabilityZone", CODEC_WORD, struct aws_reservation_status, zone,
        .check = CHECK_LABEL_VALUE),
    ROW("availableInstanceCount", CODEC_OPT_I64, struct aws_reservation_status, available,
        .check = CHECK_RANGE, .min = 0, .max = INT32_MAX)};
static const struct codec_table reservation_table =
    TABLE(reservation_rows, struct aws_reservation_status);

static enum codec_keep decode_nodeclass_status(struct codec_in *in UNUSED, const struct json_at *at,
                                               void *value)
{
    struct json_at subnets = json_at_member(at, "subnets");
    ((struct aws_nodeclass *)value)->has_subnets = subnets.v != NULL;
    return CODEC_KEEP;
}

static void encode_nodeclass_status(const struct codec_out *out UNUSED, const void *value,
                                    json_t *object)
{
    const struct aws_nodeclass *class = value;
    if (class->has_subnets && class->n_subnets == 0) {
        (void)json_object_set_new(object, "subnets", json_array());
    }
}

static const struct codec_row nodeclass_status_rows[] = {
    ROW_LIST("subnets", struct aws_nodeclass, subnets, n_subnets, &subnet_table),
    ROW("hasSubnets", CODEC_BOOL, struct aws_nodeclass, has_subnets, .flags = CODEC_HIDDEN),
    ROW_LIST("securityGroups", struct aws_nodeclass, groups, n_groups, &group_table),
    ROW_LIST("capacityReservations", struct aws_nodeclass, reservations, n_reservations,
             &reservation_table),
    ROW_LIST("amis", struct aws_nodeclass, amis, n_amis, &image_table),
    ROW_CONDITIONS(struct aws_nodeclass),
};
static const struct codec_table nodeclass_status_table = {CODEC_ROWS(nodeclass_status_rows),
                                                          .decode = decode_nodeclass_status,
                                                          .encode = encode_nodeclass_status};
static const struct codec_row nodeclass_rows[] = {ROW_META(struct aws_nodeclass),
                                                  ROW_FLAT("spec", &nodeclass_spec_table),
                                                  ROW_FLAT("status", &nodeclass_status_table)};
const struct codec_table aws_nodeclass_table = TABLE(nodeclass_rows, struct aws_nodeclass);

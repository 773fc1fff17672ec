/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a NodeClaim to an instance.
 *
 * The request follows from the claim, its EC2NodeClass and the catalogue alone: types in the order
 * of the claim, which is the plan's; one launch template for each image and number of pods among
 * them. Its digest and the number of the attempt stand on the claim (binpack/launch: "1 89ab...")
 * before the call, and the token is made of the claim's UID and the two, so the same request of the
 * same attempt is one launch, however often it is sent and by whom. */
#include <inttypes.h>

#include "awsapi/ajson.h"
#include "awsapi/service_ec2.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "k8s/annotations.h"
#include "k8s/codec.h"
#include "provisioner/lifecycle/lifecycle_impl.h"
#include "provisioner/nodeclass/status.h"
#include "provisioner/nodeclass/template.h"

enum {
    TYPES_MAX = 60, /* (karp-aws: maxInstanceTypes) */
    BODY_MAX = 256 * 1024,
    MESSAGE_MAX = 300 /* (karp: message truncation) */
};

/* ---- the request ---- */

struct config { /* one launch template */
    struct str image_id;
    int64_t max_pods;
    struct ec2_create_launch_template_request *template;
    VEC(struct ec2_fleet_launch_template_overrides_request) overrides;
};

struct request {
    const struct lifecycle_view *view;
    const struct karp_nodeclaim *claim;
    const struct aws_nodeclass *known; /* as the rules read it */
    struct arena *arena;
    struct nodeclass class;
    enum nodeclass_family family;
    struct nodeclass_status status;
    struct str pool, capacity_type;
    VEC(struct config) configs;
    struct ec2_create_fleet_request fleet;
    int64_t attempt;
    struct str digest;
};

static const struct k8s_requirement *requirement(const struct karp_nodeclaim *claim, strid key)
{
    for (uint32_t i = 0; i < claim->n_requirements; i++) {
        if (claim->requirements[i].key == key && claim->requirements[i].op == K8S_IN) {
            return &claim->requirements[i];
        }
    }
    return NULL;
}

static bool allows(const struct karp_nodeclaim *claim, strid key, strid value)
{
    const struct k8s_requirement *r = requirement(claim, key);
    for (uint32_t i = 0; r != NULL && i < r->values.n; i++) {
        if (r->values.v[i] == value) {
            return true;
        }
    }
    return r == NULL;
}

static struct str text_of(const struct request *r, strid id)
{
    return id == STRID_NONE ? STR_EMPTY : strtab_str(r->view->tab, id);
}

static bool read_class(const struct lifecycle *l, struct request *r, struct err *err)
{
    const struct str name = r->claim->class_ref.name;
    const struct k8s_identity id = {.name = name};
    const json_t *object = NULL;
    for (size_t i = 0; i < l->classes.n; i++) {
        object = str_eq(life_str(&l->classes.v[i].name), name) ? l->classes.v[i].object : object;
    }
    r->known = k8s_state_find(r->view->state, life_kind("EC2NodeClass"), &id);
    if (object == NULL || r->known == NULL) {
        return err_set(err, ERR_NOT_FOUND, "EC2NodeClass " STR_FMT " is not there", STR_ARG(name));
    }
    return nodeclass_decode(object, r->arena, &r->class, err) &&
           nodeclass_status_decode(object, r->arena, &r->status, err) &&
           nodeclass_family(&r->class, &r->family, err);
}

static struct nodeclass_pairs labels_of(const struct request *r)
{
    const struct k8s_pairs *labels = &r->claim->meta.labels;
    struct nodeclass_pair *v = ARENA_ARRAY(r->arena, struct nodeclass_pair, labels->n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < labels->n; i++) {
        if (labels->v[i].key != r->view->vocab->words->capacity_type) {
            v[n++] = (struct nodeclass_pair){.key = text_of(r, labels->v[i].key),
                                             .value = text_of(r, labels->v[i].value)};
        }
    }
    v[n++] = (struct nodeclass_pair){.key = text_of(r, r->view->vocab->words->capacity_type),
                                     .value = r->capacity_type};
    qsort(v, n, sizeof *v, nodeclass_pair_cmp);
    return (struct nodeclass_pairs){.n = n, .v = v};
}

static void add_taints(const struct request *r, const struct k8s_taint *taints, uint32_t n,
                       struct userdata_taint *into, uint32_t *n_into)
{
    for (uint32_t i = 0; i < n; i++) {
        into[(*n_into)++] = (struct userdata_taint){.key = text_of(r, taints[i].key),
                                                    .value = text_of(r, taints[i].value),
                                                    .effect = life_effect(taints[i].effect)};
    }
}

static bool make_template(struct request *r, struct config *config, struct err *err)
{
    const struct karp_nodeclaim *claim = r->claim;
    struct userdata_taint *taints =
        ARENA_ARRAY(r->arena, struct userdata_taint, claim->n_taints + claim->n_startup_taints);
    const struct str version = nodeclass_alias_version(&r->class);
    struct userdata_input input = {
        .class = &r->class,
        .family = r->family,
        .cluster = r->view->cluster,
        .labels = labels_of(r),
        .taints = taints,
        .max_pods = config->max_pods,
        .image_version = str_starts(version, STR("v")) ? str_sub(version, 1, version.n) : version};
    struct nodeclass_launch launch = {.class = &r->class,
                                      .family = r->family,
                                      .status = &r->status,
                                      .image_id = config->image_id,
                                      .cluster_name = r->view->cluster.name,
                                      .region = text_of(r, r->view->catalog->region),
                                      .nodepool = r->pool,
                                      .capacity_type = r->capacity_type,
                                      .tenancy = STR("default"),
                                      .ipv6 = str_find(input.cluster.dns_ip, ':') <
                                              input.cluster.dns_ip.n};
    add_taints(r, claim->taints, claim->n_taints, taints, &input.n_taints);
    add_taints(r, claim->startup_taints, claim->n_startup_taints, taints, &input.n_taints);
    config->template = ARENA_NEW(r->arena, struct ec2_create_launch_template_request);
    if (!userdata_make(&input, r->arena, &launch.user_data, err) ||
        !nodeclass_template(&launch, r->arena, config->template, err)) {
        return false;
    }
    config->template->client_token = str_sub(config->template->launch_template_name, 0, 64);
    return true;
}

static bool is_offered(const struct request *r, const struct cat_type *type, uint32_t zone_i)
{
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        const struct cat_offering *o = &type->offerings[i];
        if (o->zone_i == zone_i && o->price.has &&
            str_eq(str_of(cat_capacity_type_name(o->capacity_type)), r->capacity_type)) {
            return true;
        }
    }
    return false;
}

static struct str subnet_of(const struct request *r, struct str zone)
{
    for (uint32_t i = 0; i < r->status.n_subnets; i++) {
        if (str_eq(r->status.subnets[i].zone, zone)) {
            return r->status.subnets[i].id;
        }
    }
    return STR_EMPTY;
}

static bool has_label(const struct request *r, const struct cat_type *type, const char *key)
{
    const strid id = strtab_find(r->view->tab, str_of(key));
    return id != STRID_NONE && k8s_pairs_get(&type->labels, id) != STRID_NONE;
}

static bool config_for(struct request *r, const struct cat_type *type, struct config **ret,
                       struct err *err)
{
    const struct nodeclass_image *image =
        nodeclass_image_for(&r->status, text_of(r, type->arch),
                            has_label(r, type, "karpenter.k8s.aws/instance-gpu-count"),
                            has_label(r, type, "karpenter.k8s.aws/instance-accelerator-count"));
    struct cat_room room;
    *ret = NULL;
    if (image == NULL) {
        return true;
    }
    cat_type_room(type, r->known, &r->view->cat, r->view->tab, r->view->vocab->words, r->arena,
                  &room);
    const int64_t pods = k8s_resources_get(&room.capacity, r->view->vocab->words->pods);
    for (size_t i = 0; i < r->configs.n; i++) {
        if (str_eq(r->configs.v[i].image_id, image->id) && r->configs.v[i].max_pods == pods) {
            *ret = &r->configs.v[i];
            return true;
        }
    }
    VEC_PUSH(r->arena, &r->configs, ((struct config){.image_id = image->id, .max_pods = pods}));
    *ret = &r->configs.v[r->configs.n - 1];
    return make_template(r, *ret, err);
}

static bool add_type(struct request *r, const struct cat_type *type, struct err *err)
{
    const struct catalog *catalog = r->view->catalog;
    for (uint32_t z = 0; z < catalog->n_zones; z++) {
        const struct str zone = text_of(r, catalog->zones[z].name);
        const struct str subnet = subnet_of(r, zone);
        struct config *config = NULL;
        if (!allows(r->claim, r->view->vocab->words->zone, catalog->zones[z].name) ||
            subnet.n == 0 || !is_offered(r, type, z)) {
            continue;
        }
        if (!config_for(r, type, &config, err)) {
            return false;
        }
        if (config != NULL) {
            VEC_PUSH(r->arena, &config->overrides,
                     ((struct ec2_fleet_launch_template_overrides_request){
                         .instance_type = text_of(r, type->name),
                         .subnet_id = subnet,
                         .availability_zone = zone,
                         .image_id = config->image_id}));
        }
    }
    return true;
}

static bool add_types(struct request *r, struct err *err)
{
    const struct k8s_requirement *types =
        requirement(r->claim, r->view->vocab->words->instance_type);
    for (uint32_t i = 0; types != NULL && i < types->values.n && i < TYPES_MAX; i++) {
        const struct cat_type *type = cat_find(r->view->catalog, r->view->tab, types->values.v[i]);
        if (type != NULL && !add_type(r, type, err)) {
            return false;
        }
    }
    return r->configs.n > 0 ||
           err_set(err, ERR_NOT_FOUND,
                   "no instance type of the NodeClaim is offered where the EC2NodeClass has a "
                   "subnet and an image");
}

/* Without the token: the digest is of the rest. */
static bool fill_fleet(struct request *r, struct err *err)
{
    struct ec2_create_fleet_request *f = &r->fleet;
    struct ec2_target_capacity_specification_request *target =
        ARENA_NEW(r->arena, struct ec2_target_capacity_specification_request);
    static const char *const tagged[] = {"instance", "volume", "fleet"};
    struct nodeclass_pairs tags;
    if (!nodeclass_tags(&r->class, r->view->cluster.name, r->pool, r->arena, &tags, err)) {
        return false;
    }
    struct ec2_tag *all = ARENA_ARRAY(r->arena, struct ec2_tag, tags.n + 1);
    for (uint32_t i = 0; i < tags.n; i++) {
        all[i] = (struct ec2_tag){.key = tags.v[i].key, .value = tags.v[i].value};
    }
    all[tags.n] = (struct ec2_tag){.key = STR(CLAIM_TAG), .value = r->claim->meta.name};
    f->tag_specifications.v = ARENA_ARRAY(r->arena, struct ec2_tag_specification, 3);
    f->tag_specifications.n = 3;
    for (size_t i = 0; i < 3; i++) {
        f->tag_specifications.v[i] = (struct ec2_tag_specification){
            .resource_type = str_of(tagged[i]), .tags = {.v = all, .n = tags.n + 1}};
    }
    f->type = STR("instant");
    f->context = r->class.context;
    target->total_target_capacity = (struct opt_i64){.has = true, .v = 1};
    target->default_target_capacity_type = r->capacity_type;
    f->target_capacity_specification = target;
    if (str_eq(r->capacity_type, STR("spot"))) {
        f->spot_options = ARENA_NEW(r->arena, struct ec2_spot_options_request);
        f->spot_options->allocation_strategy = STR("price-capacity-optimized");
    } else {
        f->on_demand_options = ARENA_NEW(r->arena, struct ec2_on_demand_options_request);
        f->on_demand_options->allocation_strategy = STR("lowest-price");
    }
    return true;
}

static void fill_configs(struct request *r)
{
    struct ec2_create_fleet_request *f = &r->fleet;
    f->launch_template_configs.n = r->configs.n;
    f->launch_template_configs.v =
        ARENA_ARRAY(r->arena, struct ec2_fleet_launch_template_config_request, r->configs.n);
    for (size_t i = 0; i < r->configs.n; i++) {
        struct ec2_fleet_launch_template_specification_request *which =
            ARENA_NEW(r->arena, struct ec2_fleet_launch_template_specification_request);
        which->launch_template_name = r->configs.v[i].template->launch_template_name;
        which->version = STR("$Latest");
        f->launch_template_configs.v[i].launch_template_specification = which;
        f->launch_template_configs.v[i].overrides.v = r->configs.v[i].overrides.v;
        f->launch_template_configs.v[i].overrides.n = r->configs.v[i].overrides.n;
    }
}

static bool make_request(const struct lifecycle *l, struct request *r, struct err *err)
{
    const struct k8s_words *words = r->view->vocab->words;
    const struct k8s_requirement *capacity = requirement(r->claim, words->capacity_type);
    r->pool = text_of(r, k8s_pairs_get(&r->claim->meta.labels, words->nodepool));
    r->capacity_type = capacity == NULL                                      ? STR("on-demand")
                       : allows(r->claim, words->capacity_type, words->spot) ? STR("spot")
                                                                             : STR("on-demand");
    if (!read_class(l, r, err) || !add_types(r, err) || !fill_fleet(r, err)) {
        return false;
    }
    fill_configs(r);
    struct strbuf text = strbuf_new(r->arena, LIMIT_AWS_REQUEST_BYTES);
    struct strbuf digest = strbuf_new(r->arena, 17);
    struct jsonw w = jsonw_new(&text, JSONW_COMPACT);
    jsonw_object_begin(&w);
    aws_json_write_members(&w, AWS_JSON_CLI, aws_ec2_create_fleet.input, &r->fleet);
    jsonw_object_end(&w);
    strbuf_addf(&digest, "%016" PRIx64, str_hash(strbuf_str(&text)));
    r->digest = strbuf_str(&digest);
    return true;
}

/* ---- the note on the claim ---- */

static struct str note_of(const struct lifecycle_view *view, const struct karp_nodeclaim *claim)
{
    const strid key = strtab_find(view->tab, STR(ANN_LAUNCH));
    const strid value =
        key == STRID_NONE ? STRID_NONE : k8s_pairs_get(&claim->meta.annotations, key);
    return value == STRID_NONE ? STR_EMPTY : strtab_str(view->tab, value);
}

bool launch_was_tried(const struct lifecycle_view *view, const struct karp_nodeclaim *claim)
{
    return note_of(view, claim).n > 0;
}

/* 0: none has been noted, or nothing that can be read. */
static void read_note(struct request *r, int64_t *ret_attempt, struct str *ret_digest)
{
    const struct str note = note_of(r->view, r->claim);
    const size_t blank = str_find(note, ' ');
    *ret_digest = str_sub(note, blank + 1, note.n);
    if (!str_to_i64(str_sub(note, 0, blank), ret_attempt)) {
        *ret_attempt = 0;
    }
}

static void write_note(struct request *r, struct life *life, int64_t attempt)
{
    struct strbuf value = strbuf_new(r->arena, 64);
    struct strbuf body = strbuf_new(r->arena, 512);
    struct jsonw w = jsonw_new(&body, JSONW_COMPACT);
    strbuf_addf(&value, "%" PRIi64 " " STR_FMT, attempt, STR_ARG(r->digest));
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "metadata");
    jsonw_key_object(&w, "annotations");
    jsonw_key_str(&w, ANN_LAUNCH, strbuf_str(&value));
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    life_patch_claim(r->view, life, LIFE_NOTE, r->claim, STR_EMPTY, strbuf_str(&body));
}

/* ---- looking for what was launched ---- */

static struct ec2_describe_instances_request *by_filters(struct arena *arena, const char *tag,
                                                         struct str value)
{
    static const char *const alive[] = {"pending", "running", "stopping", "stopped",
                                        "shutting-down"};
    struct ec2_describe_instances_request *request =
        ARENA_NEW(arena, struct ec2_describe_instances_request);
    struct ec2_filter *filters = ARENA_ARRAY(arena, struct ec2_filter, 2);
    struct str *values = ARENA_ARRAY(arena, struct str, 6);
    values[0] = value;
    for (size_t i = 0; i < 5; i++) {
        values[1 + i] = str_of(alive[i]);
    }
    filters[0] = (struct ec2_filter){.name = str_of(tag), .values = {.v = values, .n = 1}};
    filters[1] = (struct ec2_filter){.name = STR("instance-state-name"),
                                     .values = {.v = values + 1, .n = 5}};
    request->filters.v = filters;
    request->filters.n = 2;
    return request;
}

void launch_look(const struct lifecycle_view *view, struct life *life,
                 const struct karp_nodeclaim *claim)
{
    struct arena *arena = view->out->arena;
    if (life->looking_since == INT64_MAX) {
        life->looking_since = view->now.mono;
    }
    life_call(view, life, LIFE_LOOK, &aws_ec2_describe_instances,
              by_filters(arena, "tag:" CLAIM_TAG, str_copy(arena, claim->meta.name)));
}

static void take_instance(struct life *life, const struct ec2_instance *instance)
{
    const bool spot = str_eq(instance->instance_lifecycle, STR("spot")) ||
                      instance->spot_instance_request_id.n > 0;
    life->has_instance = true;
    life->instance_id = life_text_of(instance->instance_id);
    life->type = life_text_of(instance->instance_type);
    life->image_id = life_text_of(instance->image_id);
    life->zone = life_text_of(instance->placement == NULL ? STR_EMPTY
                                                          : instance->placement->availability_zone);
    life->capacity_type = life_text_of(spot ? STR("spot") : STR("on-demand"));
}

static void on_look(const struct lifecycle_view *view, struct life *life, const struct event *event)
{
    const struct ec2_describe_instances_result *result = event->reply;
    if (result == NULL) {
        life_back_off(view, life);
        return;
    }
    for (size_t i = 0; i < result->reservations.n; i++) {
        for (size_t k = 0; k < result->reservations.v[i].instances.n && !life->has_instance; k++) {
            take_instance(life, &result->reservations.v[i].instances.v[k]);
        }
    }
    life->sure = true;
}

/* ---- what CreateFleet said ---- */

static void write_failure(const struct lifecycle_view *view, struct life *life,
                          const struct karp_nodeclaim *claim, struct str reason, struct str message)
{
    struct conditions conditions = life_conditions(view, claim);
    if (str_eq(conditions_reason(&conditions, STR("Launched")), reason)) {
        return;
    }
    conditions_set(&conditions, STR("Launched"), STR("Unknown"), reason,
                   str_copy(view->out->arena, str_sub(message, 0, MESSAGE_MAX)));
    life_write_conditions(view, life, claim, &conditions);
}

/* The reasons of karpenter-aws' ToReasonMessage, by code. */
static struct str reason_of(struct str code)
{
    static const struct {
        const char *code, *reason;
    } rows[] = {
        {"UnauthorizedOperation", "Unauthorized"},
        {"AuthFailure.ServiceLinkedRoleCreationNotPermitted", "SpotSLRCreationFailed"},
        {"InvalidLaunchTemplateName.NotFoundException", "LaunchTemplateNotFound"},
        {"InvalidLaunchTemplateId.NotFound", "LaunchTemplateNotFound"},
        {"InvalidAMIID.Malformed", "InvalidAMIID"},
        {"InvalidAMIID.NotFound", "AMINotFound"},
        {"RequestLimitExceeded", "RequestLimitExceeded"},
        {"InternalError", "InternalError"},
        {"VcpuLimitExceeded", "VCPULimitExceeded"},
        {"MaxSpotInstanceCountExceeded", "SpotQuotaExceeded"},
        {"MaxFleetCountExceeded", "FleetQuotaExceeded"},
        {"PendingVerification", "AccountPendingVerification"},
        {"InsufficientFreeAddressesInSubnet", "InsufficientFreeAddressesInSubnet"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (str_eq(code, str_of(rows[i].code))) {
            return str_of(rows[i].reason);
        }
    }
    return STR("LaunchFailed");
}

/* Codes of fleet errors that say: not this offering, not now (karp-aws: unfulfillable capacity). */
static bool is_no_capacity(struct str code)
{
    static const char *const codes[] = {
        "InsufficientInstanceCapacity",      "UnfulfillableCapacity",      "Unsupported",
        "MaxSpotInstanceCountExceeded",      "VcpuLimitExceeded",          "MaxFleetCountExceeded",
        "InsufficientFreeAddressesInSubnet", "ReservationCapacityExceeded"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (str_eq(code, str_of(codes[i]))) {
            return true;
        }
    }
    return false;
}

static void mark_gone(struct lifecycle *l, const struct lifecycle_view *view, struct str type,
                      struct str zone, struct str capacity_type)
{
    struct gone *at = NULL;
    for (size_t i = 0; i < l->gone.n; i++) {
        struct gone *g = &l->gone.v[i];
        const bool same = str_eq(life_str(&g->type), type) && str_eq(life_str(&g->zone), zone) &&
                          str_eq(life_str(&g->capacity_type), capacity_type);
        if (same || (at == NULL && g->until <= view->now.mono)) {
            at = g;
        }
        if (same) {
            break;
        }
    }
    if (at == NULL) {
        VEC_PUSH(&l->arena, &l->gone, ((struct gone){.until = 0}));
        at = &l->gone.v[l->gone.n - 1];
    }
    *at = (struct gone){.type = life_text_of(type),
                        .zone = life_text_of(zone),
                        .capacity_type = life_text_of(capacity_type),
                        .until = sat_add(view->now.mono, GONE_MS)};
}

/* True when every error is one of capacity; offerings that have none are remembered. */
static bool take_errors(struct lifecycle *l, const struct lifecycle_view *view,
                        const struct ec2_create_fleet_result *result, struct str capacity_type)
{
    bool all = result->errors.n > 0;
    for (size_t i = 0; i < result->errors.n; i++) {
        const struct ec2_create_fleet_error *error = &result->errors.v[i];
        const struct ec2_fleet_launch_template_overrides *o =
            error->launch_template_and_overrides == NULL
                ? NULL
                : error->launch_template_and_overrides->overrides;
        const bool none = is_no_capacity(error->error_code);
        all = all && none;
        if (none && o != NULL) {
            mark_gone(l, view, o->instance_type, o->availability_zone,
                      error->lifecycle.n > 0 ? error->lifecycle : capacity_type);
        }
    }
    return all;
}

static void on_fleet_result(struct lifecycle *l, const struct lifecycle_view *view,
                            struct life *life, const struct karp_nodeclaim *claim,
                            const struct ec2_create_fleet_result *result)
{
    const struct k8s_requirement *capacity = requirement(claim, view->vocab->words->capacity_type);
    const bool spot = capacity != NULL &&
                      allows(claim, view->vocab->words->capacity_type, view->vocab->words->spot);
    const bool no_capacity = take_errors(l, view, result, spot ? STR("spot") : STR("on-demand"));
    for (size_t i = 0; i < result->instances.n; i++) {
        const struct ec2_create_fleet_instance *got = &result->instances.v[i];
        const struct ec2_fleet_launch_template_overrides *o =
            got->launch_template_and_overrides == NULL
                ? NULL
                : got->launch_template_and_overrides->overrides;
        if (got->instance_ids.n > 0 && o != NULL) {
            life->has_instance = true;
            life->instance_id = life_text_of(got->instance_ids.v[0]);
            life->type = life_text_of(got->instance_type);
            life->zone = life_text_of(o->availability_zone);
            life->image_id = life_text_of(o->image_id);
            life->capacity_type = life_text_of(got->lifecycle);
            life->backoff_ms = 0;
            return;
        }
    }
    life->used_up = true;
    life->looking_since = INT64_MAX;
    if (no_capacity) {
        l->counts.n_no_capacity++;
        life->none = true;
        life_delete(view, life, "NodeClaim", &claim->meta);
        return;
    }
    l->counts.n_failed++;
    life_back_off(view, life);
    if (result->errors.n > 0) {
        write_failure(view, life, claim, reason_of(result->errors.v[0].error_code),
                      result->errors.v[0].error_message);
    }
}

static void forget_templates(struct lifecycle *l)
{
    l->templates.n = 0;
}

static void on_fault(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                     const struct karp_nodeclaim *claim, const struct aws_fault *fault)
{
    life_back_off(view, life);
    if (str_eq(fault->code, STR("InvalidLaunchTemplateName.NotFoundException"))) {
        forget_templates(l);
        return;
    }
    if (fault->maybe_done && life->wait == LIFE_FLEET) {
        life->sure = false; /* looked for before the same is asked for again */
        life->looking_since = view->now.mono;
    } else if (!aws_fault_is_retryable(fault->kind)) {
        l->counts.n_failed++;
        life->used_up = life->wait == LIFE_FLEET;
        write_failure(view, life, claim, reason_of(fault->code), fault->message);
    }
}

void launch_reply(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                  const struct karp_nodeclaim *claim, const struct event *event)
{
    if (life->wait == LIFE_LOOK) {
        on_look(view, life, event);
    } else if (event->reply == NULL &&
               !(life->wait == LIFE_TEMPLATE && event->fault.kind == AWS_FAULT_ALREADY)) {
        on_fault(l, view, life, claim, &event->fault);
    } else if (life->wait == LIFE_FLEET) {
        on_fleet_result(l, view, life, claim, event->reply);
    }
}

/* ---- the claim after the launch ---- */

static void put_launched_metadata(struct request *r, struct life *life, const struct cat_type *type)
{
    struct strbuf body = strbuf_new(r->arena, BODY_MAX);
    struct jsonw w = jsonw_new(&body, JSONW_COMPACT);
    const struct k8s_words *words = r->view->vocab->words;
    const struct {
        strid key;
        struct str value;
    } own[] = {{words->instance_type, life_str(&life->type)},
               {words->zone, life_str(&life->zone)},
               {words->capacity_type, life_str(&life->capacity_type)}};
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "metadata");
    jsonw_key_object(&w, "labels");
    for (uint32_t i = 0; type != NULL && i < type->labels.n; i++) {
        const strid key = type->labels.v[i].key;
        if (key != words->instance_type &&
            k8s_pairs_get(&r->claim->meta.labels, key) == STRID_NONE) {
            jsonw_key(&w, text_of(r, key));
            jsonw_str(&w, text_of(r, type->labels.v[i].value));
        }
    }
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (k8s_pairs_get(&r->claim->meta.labels, own[i].key) == STRID_NONE) {
            jsonw_key(&w, text_of(r, own[i].key));
            jsonw_str(&w, own[i].value);
        }
    }
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    life_patch_claim(r->view, life, LIFE_WRITE, r->claim, STR_EMPTY, strbuf_str(&body));
}

static void put_amounts(struct request *r, struct jsonw *w, const char *key,
                        const struct k8s_resources *resources)
{
    const struct codec_out out = {
        .arena = r->arena, .tab = r->view->tab, .words = r->view->vocab->words};
    auto_json *value = codec_resources(&out, resources);
    jsonw_key(w, str_of(key));
    jsonw_json(w, value);
}

static void put_launched_status(struct request *r, struct life *life, const struct cat_type *type)
{
    struct strbuf body = strbuf_new(r->arena, BODY_MAX);
    struct strbuf id = strbuf_new(r->arena, 2 * LIFE_TEXT_MAX);
    struct jsonw w = jsonw_new(&body, JSONW_COMPACT);
    struct conditions conditions = life_conditions(r->view, r->claim);
    conditions_set_true(&conditions, STR("Launched"));
    strbuf_addf(&id, "aws:///" STR_FMT "/" STR_FMT, STR_ARG(life_str(&life->zone)),
                STR_ARG(life_str(&life->instance_id)));
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "status");
    jsonw_key_str(&w, "providerID", strbuf_str(&id));
    jsonw_key_str(&w, "imageID", life_str(&life->image_id));
    if (type != NULL) {
        struct cat_room room;
        cat_type_room(type, r->known, &r->view->cat, r->view->tab, r->view->vocab->words, r->arena,
                      &room);
        put_amounts(r, &w, "capacity", &room.capacity);
        put_amounts(r, &w, "allocatable", &room.allocatable);
    }
    jsonw_key(&w, STR("conditions"));
    conditions_write(&conditions, &w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    life_patch_claim(r->view, life, LIFE_WRITE, r->claim, STR("status"), strbuf_str(&body));
}

/* Labels first: what a node is known by must be there before anybody takes it for launched. */
static void write_launched(struct lifecycle *l, struct request *r, struct life *life)
{
    const strid name = strtab_find(r->view->tab, life_str(&life->type));
    const struct cat_type *type =
        name == STRID_NONE ? NULL : cat_find(r->view->catalog, r->view->tab, name);
    const struct k8s_identity id = {.name = r->claim->class_ref.name};
    const struct k8s_pairs *labels = &r->claim->meta.labels;
    r->known = k8s_state_find(r->view->state, life_kind("EC2NodeClass"), &id);
    if (k8s_pairs_get(labels, r->view->vocab->words->instance_type) == STRID_NONE ||
        k8s_pairs_get(labels, r->view->vocab->words->zone) == STRID_NONE ||
        k8s_pairs_get(labels, r->view->vocab->words->capacity_type) == STRID_NONE) {
        put_launched_metadata(r, life, type);
    } else {
        l->counts.n_launched++;
        put_launched_status(r, life, type);
    }
}

/* ---- what is next ---- */

static bool has_template(const struct lifecycle *l, struct str name)
{
    for (size_t i = 0; i < l->templates.n; i++) {
        if (str_eq(life_str(&l->templates.v[i]), name)) {
            return true;
        }
    }
    return false;
}

/* One that is not known to be there is made; that it is there already is as good. */
static bool next_template(struct lifecycle *l, struct request *r, struct life *life)
{
    for (size_t i = 0; i < r->configs.n; i++) {
        const struct str name = r->configs.v[i].template->launch_template_name;
        if (!has_template(l, name)) {
            VEC_PUSH(&l->arena, &l->templates, life_text_of(name));
            life_call(r->view, life, LIFE_TEMPLATE, &aws_ec2_create_launch_template,
                      r->configs.v[i].template);
            return true;
        }
    }
    return false;
}

static void send_fleet(struct request *r, struct life *life)
{
    struct ec2_create_fleet_request *fleet = ARENA_NEW(r->arena, struct ec2_create_fleet_request);
    struct strbuf token = strbuf_new(r->arena, 128);
    strbuf_addf(&token, STR_FMT "-%" PRIi64 "-" STR_FMT, STR_ARG(r->claim->meta.uid), r->attempt,
                STR_ARG(r->digest));
    *fleet = r->fleet;
    fleet->client_token = strbuf_str(&token);
    life_call(r->view, life, LIFE_FLEET, &aws_ec2_create_fleet, fleet);
}

void launch_next(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                 const struct karp_nodeclaim *claim)
{
    struct request r = {.view = view, .claim = claim, .arena = view->out->arena};
    struct str noted = STR_EMPTY;
    struct err err;
    const wall_t created = claim->meta.created.has ? claim->meta.created.v : view->now.wall;
    if (life->has_instance) {
        write_launched(l, &r, life);
        return;
    }
    if (view->now.wall - created > LAUNCH_TIMEOUT_MS) {
        life_delete(view, life, "NodeClaim", &claim->meta);
        return;
    }
    read_note(&r, &r.attempt, &noted);
    if (r.attempt > 0 && !life->sure) {
        launch_look(view, life, claim);
        return;
    }
    if (!make_request(l, &r, &err)) {
        life_back_off(view, life);
        write_failure(view, life, claim, STR("LaunchFailed"), str_of(err.text));
        return;
    }
    if (r.attempt > 0 && !str_eq(noted, r.digest) && life->looking_since != INT64_MAX &&
        view->now.mono - life->looking_since < UNSEEN_MS) {
        /* Another run may have made that call, and it cannot be made again. */
        launch_look(view, life, claim);
        return;
    }
    if (r.attempt == 0 || life->used_up || !str_eq(noted, r.digest)) {
        write_note(&r, life, r.attempt + 1);
        return;
    }
    if (!next_template(l, &r, life)) {
        send_fleet(&r, life);
    }
}

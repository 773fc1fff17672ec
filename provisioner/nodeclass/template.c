/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/template.h"

#include <stdlib.h>

#include "awsapi/ajson.h"
#include "base/arena.h"
#include "base/base64.h"
#include "base/qty.h"
#include "base/structhash.h"
#include "base/vec.h"

#define GIB (INT64_C(1) << 30)

enum { MAX_VOLUME_GIB = 65536 };

/* ---- tags ---- */

static bool is_restricted(struct str key)
{
    static const struct str exact[] = {STR("eks:eks-cluster-name"), STR("karpenter.sh/nodepool"),
                                       STR("karpenter.sh/nodeclaim"),
                                       STR("karpenter.k8s.aws/ec2nodeclass")};
    bool restricted = str_starts(key, STR("kubernetes.io/cluster"));
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
        restricted = restricted || str_eq(key, exact[i]);
    }
    return restricted;
}

bool nodeclass_tags(const struct nodeclass *class, struct str cluster_name, struct str nodepool,
                    struct arena *arena, struct nodeclass_pairs *ret_tags, struct err *err)
{
    VEC(struct nodeclass_pair) tags = {0};
    struct strbuf owned = strbuf_new(arena, 1024);
    for (uint32_t i = 0; i < class->tags.n; i++) {
        if (is_restricted(class->tags.v[i].key)) {
            return err_set(err, ERR_INVALID,
                           "EC2NodeClass " STR_FMT
                           ": tags failed validation requirements: spec.tags "
                           "\"" STR_FMT "\" is set by the provisioner itself",
                           STR_ARG(class->name), STR_ARG(class->tags.v[i].key));
        }
        VEC_PUSH(arena, &tags, class->tags.v[i]);
    }
    strbuf_add(&owned, STR("kubernetes.io/cluster/"));
    strbuf_add(&owned, cluster_name);
    const struct nodeclass_pair own[] = {
        {.key = strbuf_str(&owned), .value = STR("owned")},
        {.key = STR("karpenter.sh/nodepool"), .value = nodepool},
        {.key = STR("eks:eks-cluster-name"), .value = cluster_name},
        {.key = STR("karpenter.k8s.aws/ec2nodeclass"), .value = class->name},
    };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        VEC_PUSH(arena, &tags, own[i]);
    }
    qsort(tags.v, tags.n, sizeof tags.v[0], nodeclass_pair_cmp);
    *ret_tags = (struct nodeclass_pairs){.n = (uint32_t)tags.n, .v = tags.v};
    return true;
}

static struct ec2_tag *ec2_tags(const struct nodeclass_pairs *tags, struct arena *arena)
{
    struct ec2_tag *all = ARENA_ARRAY(arena, struct ec2_tag, tags->n);
    for (uint32_t i = 0; i < tags->n; i++) {
        /* An empty value is a value: absent texts have no bytes to point to. */
        struct str value = tags->v[i].value.n == 0 ? STR("") : tags->v[i].value;
        all[i] = (struct ec2_tag){.key = tags->v[i].key, .value = value};
    }
    return all;
}

static void set_tags(const struct nodeclass_launch *launch, const struct nodeclass_pairs *tags,
                     struct arena *arena, struct ec2_create_launch_template_request *request)
{
    bool spot = str_eq(launch->capacity_type, STR("spot"));
    struct ec2_launch_template_tag_specification_request *data =
        ARENA_ARRAY(arena, struct ec2_launch_template_tag_specification_request, 2);
    struct ec2_tag_specification *own = ARENA_NEW(arena, struct ec2_tag_specification);
    data[0].resource_type = STR("network-interface");
    data[1].resource_type = STR("spot-instances-request");
    for (int i = 0; i < 2; i++) {
        data[i].tags.v = ec2_tags(tags, arena);
        data[i].tags.n = tags->n;
    }
    request->launch_template_data->tag_specifications.v = data;
    request->launch_template_data->tag_specifications.n = spot ? 2 : 1;
    own->resource_type = STR("launch-template");
    own->tags.v = ec2_tags(tags, arena);
    own->tags.n = tags->n;
    request->tag_specifications.v = own;
    request->tag_specifications.n = 1;
}

/* ---- volumes ---- */

static bool set_size(const struct nodeclass *class, struct str size, struct opt_i64 *ret_gib,
                     struct err *err)
{
    int64_t bytes = 0;
    if (size.n == 0) {
        return true;
    }
    if (!qty_parse(size, QTY_BASE, QTY_UP, &bytes, err)) {
        return err_wrap(err, "EC2NodeClass " STR_FMT ": spec.blockDeviceMappings",
                        STR_ARG(class->name));
    }
    if (bytes <= 0 || bytes > MAX_VOLUME_GIB * GIB) {
        return err_set(err, ERR_INVALID,
                       "EC2NodeClass " STR_FMT ": spec.blockDeviceMappings: a volume of " STR_FMT
                       " (1 byte to 64Ti)",
                       STR_ARG(class->name), STR_ARG(size));
    }
    *ret_gib = (struct opt_i64){.has = true, .v = (bytes + GIB - 1) / GIB};
    return true;
}

/* EC2 refuses zeros that Karpenter's users may have written. */
static struct opt_i64 not_zero(struct opt_i64 number)
{
    return number.has && number.v != 0 ? number : (struct opt_i64){.has = false};
}

/* What a family has when the class says nothing: encrypted gp3, as large as its image needs. */
static uint32_t default_devices(enum nodeclass_family family, struct nodeclass_device *devices,
                                struct nodeclass_volume *volumes)
{
    static const struct {
        struct str name, size;
    } rows[] = {{STR("/dev/xvda"), STR("20Gi")},
                {STR("/dev/xvda"), STR("4Gi")},
                {STR("/dev/xvdb"), STR("20Gi")},
                {STR("/dev/sda1"), STR("50Gi")}};
    uint32_t first = family == NODECLASS_BOTTLEROCKET ? 1 : nodeclass_is_windows(family) ? 3 : 0;
    uint32_t n = family == NODECLASS_CUSTOM ? 0 : family == NODECLASS_BOTTLEROCKET ? 2 : 1;
    for (uint32_t i = 0; i < n; i++) {
        volumes[i] = (struct nodeclass_volume){.encrypted = {.has = true, .v = true},
                                               .type = STR("gp3"),
                                               .size = rows[first + i].size};
        devices[i] = (struct nodeclass_device){.name = rows[first + i].name, .ebs = &volumes[i]};
    }
    return n;
}

static bool set_device(const struct nodeclass *class, const struct nodeclass_device *device,
                       struct arena *arena,
                       struct ec2_launch_template_block_device_mapping_request *ret,
                       struct err *err)
{
    const struct nodeclass_volume *volume = device->ebs;
    ret->device_name = device->name;
    if (volume == NULL) {
        return true;
    }
    ret->ebs = ARENA_NEW(arena, struct ec2_launch_template_ebs_block_device_request);
    *ret->ebs = (struct ec2_launch_template_ebs_block_device_request){
        .encrypted = volume->encrypted,
        .delete_on_termination = volume->delete_on_termination,
        .iops = not_zero(volume->iops),
        .throughput = not_zero(volume->throughput),
        .kms_key_id = volume->kms_key_id,
        .snapshot_id = volume->snapshot_id,
        .volume_type = volume->type,
        .volume_initialization_rate = volume->initialization_rate,
    };
    return set_size(class, volume->size, &ret->ebs->volume_size, err);
}

static bool set_devices(const struct nodeclass_launch *launch, struct arena *arena,
                        struct ec2_request_launch_template_data *data, struct err *err)
{
    struct nodeclass_device own[2];
    struct nodeclass_volume volumes[2];
    uint32_t n = launch->class->n_devices;
    const struct nodeclass_device *devices = launch->class->devices;
    if (n == 0) {
        n = default_devices(launch->family, own, volumes);
        devices = own;
    }
    if (n == 0) {
        return true;
    }
    data->block_device_mappings.n = n;
    data->block_device_mappings.v =
        ARENA_ARRAY(arena, struct ec2_launch_template_block_device_mapping_request, n);
    for (uint32_t i = 0; i < n; i++) {
        if (!set_device(launch->class, &devices[i], arena, &data->block_device_mappings.v[i],
                        err)) {
            return false;
        }
    }
    return true;
}

/* ---- network ---- */

static struct ec2_connection_tracking_specification_request *
tracking_of(const struct nodeclass_launch *launch, struct arena *arena)
{
    const struct nodeclass_tracking *t = launch->class->tracking;
    if (t == NULL ||
        (!t->tcp_established_timeout.has && !t->udp_stream_timeout.has && !t->udp_timeout.has)) {
        return NULL;
    }
    struct ec2_connection_tracking_specification_request *tracking =
        ARENA_NEW(arena, struct ec2_connection_tracking_specification_request);
    *tracking = (struct ec2_connection_tracking_specification_request){
        .tcp_established_timeout = t->tcp_established_timeout,
        .udp_stream_timeout = t->udp_stream_timeout,
        .udp_timeout = t->udp_timeout};
    return tracking;
}

/* What every interface with addresses has. */
static void set_addresses(
    const struct nodeclass_launch *launch, struct arena *arena,
    struct ec2_launch_template_instance_network_interface_specification_request *interface)
{
    static const struct opt_i64 one = {.has = true, .v = 1};
    const struct nodeclass *class = launch->class;
    interface->associate_public_ip_address = class->public_ip;
    interface->connection_tracking_specification = tracking_of(launch, arena);
    if (launch->ipv6) {
        interface->ipv6_prefix_count = class->ip_prefix_count;
        interface->ipv6_address_count = one;
        interface->primary_ipv6 = (struct opt_bool){.has = true, .v = true};
    } else {
        interface->ipv4_prefix_count = class->ip_prefix_count;
    }
}

/* The interfaces of the class; else one card for each adapter asked for, the first of which comes
 * first on the instance; else one. */
static void set_interfaces(const struct nodeclass_launch *launch, struct arena *arena,
                           struct ec2_request_launch_template_data *data)
{
    const struct nodeclass *class = launch->class;
    size_t n = class->n_interfaces > 0 ? class->n_interfaces
               : launch->n_efa > 0     ? (size_t)launch->n_efa
                                       : 1;
    struct str *groups = ARENA_ARRAY(arena, struct str, launch->status->n_groups);
    for (uint32_t i = 0; i < launch->status->n_groups; i++) {
        groups[i] = launch->status->groups[i].id;
    }
    data->network_interfaces.n = n;
    data->network_interfaces.v = ARENA_ARRAY(
        arena, struct ec2_launch_template_instance_network_interface_specification_request, n);
    for (size_t i = 0; i < n; i++) {
        struct ec2_launch_template_instance_network_interface_specification_request *interface =
            &data->network_interfaces.v[i];
        bool stated = class->n_interfaces > 0;
        bool bare = stated && str_eq(class->interfaces[i].type, STR("efa-only"));
        interface->groups.v = groups;
        interface->groups.n = launch->status->n_groups;
        interface->device_index =
            (struct opt_i64){.has = true, .v = stated ? class->interfaces[i].device_i : i > 0};
        if (stated || launch->n_efa > 0) {
            interface->network_card_index = (struct opt_i64){
                .has = true, .v = stated ? class->interfaces[i].card_i : (int64_t)i};
            interface->interface_type = stated ? class->interfaces[i].type : STR("efa");
        }
        if (!bare) {
            set_addresses(launch, arena, interface);
        }
    }
}

/* ---- the rest ---- */

/* Regions whose EC2 does not know the parameter at all. */
static bool has_no_ipv6_metadata(struct str region)
{
    return str_starts(region, STR("us-iso-")) || str_starts(region, STR("us-isob-")) ||
           str_starts(region, STR("us-isof-"));
}

/* Tags in the metadata are off whatever the account's default is: EC2 refuses the slashes of
 * ours. */
static void set_metadata(const struct nodeclass_launch *launch, struct arena *arena,
                         struct ec2_request_launch_template_data *data)
{
    const struct nodeclass_metadata *m = launch->class->metadata;
    struct ec2_launch_template_instance_metadata_options_request *options =
        ARENA_NEW(arena, struct ec2_launch_template_instance_metadata_options_request);
    options->http_endpoint = m->http_endpoint;
    options->http_tokens = m->http_tokens;
    options->http_put_response_hop_limit = m->hop_limit;
    options->instance_metadata_tags = STR("disabled");
    if (!has_no_ipv6_metadata(launch->region)) {
        options->http_protocol_ipv6 = m->http_protocol_ipv6;
    }
    data->metadata_options = options;
}

/* With the gate on, a launch uses the reservation it is for, or none: open ones are not consumed by
 * accident. */
static void set_reservation(const struct nodeclass_launch *launch, struct arena *arena,
                            struct ec2_request_launch_template_data *data)
{
    bool reserved = str_eq(launch->capacity_type, STR("reserved"));
    if (!launch->reserved_capacity) {
        return;
    }
    struct ec2_launch_template_capacity_reservation_specification_request *spec =
        ARENA_NEW(arena, struct ec2_launch_template_capacity_reservation_specification_request);
    spec->capacity_reservation_preference =
        reserved ? STR("capacity-reservations-only") : STR("none");
    if (reserved) {
        spec->capacity_reservation_target =
            ARENA_NEW(arena, struct ec2_capacity_reservation_target);
        spec->capacity_reservation_target->capacity_reservation_id = launch->reservation_id;
    }
    data->capacity_reservation_specification = spec;
    if (launch->capacity_block || launch->interruptible) {
        data->instance_market_options =
            ARENA_NEW(arena, struct ec2_launch_template_instance_market_options_request);
        data->instance_market_options->market_type =
            launch->capacity_block ? STR("capacity-block")
                                   : STR("interruptible-capacity-reservation");
    }
}

static void set_instance(const struct nodeclass_launch *launch, struct arena *arena,
                         struct ec2_request_launch_template_data *data)
{
    const struct nodeclass *class = launch->class;
    data->iam_instance_profile =
        ARENA_NEW(arena, struct ec2_launch_template_iam_instance_profile_specification_request);
    data->iam_instance_profile->name = launch->status->instance_profile;
    data->monitoring = ARENA_NEW(arena, struct ec2_launch_templates_monitoring_request);
    data->monitoring->enabled = (struct opt_bool){
        .has = true, .v = class->detailed_monitoring.has && class->detailed_monitoring.v};
    data->enclave_options = ARENA_NEW(arena, struct ec2_launch_template_enclave_options_request);
    data->enclave_options->enabled = (struct opt_bool){.has = true, .v = launch->enclave};
    data->placement = ARENA_NEW(arena, struct ec2_launch_template_placement_request);
    data->placement->tenancy = launch->tenancy;
    data->placement->group_id = launch->status->placement.id;
    data->placement->partition_number =
        not_zero((struct opt_i64){.has = true, .v = launch->partition});
    if (class->cpu != NULL && class->cpu->nested_virtualization.n > 0) {
        data->cpu_options = ARENA_NEW(arena, struct ec2_launch_template_cpu_options_request);
        data->cpu_options->nested_virtualization = class->cpu->nested_virtualization;
    }
    data->image_id = launch->image_id;
    data->user_data = base64_encode(launch->user_data, arena);
}

/* The content as canonical JSON, hashed. */
static struct str name_of(const struct ec2_create_launch_template_request *request,
                          struct arena *arena)
{
    struct strbuf text = strbuf_new(arena, 4 * 1024 * 1024);
    struct strbuf name = strbuf_new(arena, 64);
    struct jsonw w = jsonw_new(&text, JSONW_COMPACT);
    jsonw_object_begin(&w);
    aws_json_write_members(&w, AWS_JSON_CLI, aws_ec2_create_launch_template.input, request);
    jsonw_object_end(&w);
    strbuf_addf(&name, "karpenter.k8s.aws/%llu",
                (unsigned long long)structhash_text(strbuf_str(&text)));
    return strbuf_str(&name);
}

bool nodeclass_template(const struct nodeclass_launch *launch, struct arena *arena,
                        struct ec2_create_launch_template_request *ret_request, struct err *err)
{
    struct ec2_create_launch_template_request request = {.dry_run = {.has = false}};
    struct nodeclass_pairs tags = {.n = 0};
    request.launch_template_data = ARENA_NEW(arena, struct ec2_request_launch_template_data);
    if (!nodeclass_tags(launch->class, launch->cluster_name, launch->nodepool, arena, &tags, err) ||
        !set_devices(launch, arena, request.launch_template_data, err)) {
        return false;
    }
    set_tags(launch, &tags, arena, &request);
    set_interfaces(launch, arena, request.launch_template_data);
    set_metadata(launch, arena, request.launch_template_data);
    set_reservation(launch, arena, request.launch_template_data);
    set_instance(launch, arena, request.launch_template_data);
    request.launch_template_name = name_of(&request, arena);
    *ret_request = request;
    return true;
}

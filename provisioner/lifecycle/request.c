/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The request that launches a NodeClaim, from the claim, its EC2NodeClass and the catalogue alone.
 */
#include <inttypes.h>

#include "awsapi/ajson.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "provisioner/lifecycle/launch_impl.h"
#include "provisioner/nodeclass/template.h"

struct str request_text(const struct request *r, strid id)
{
    return id == STRID_NONE ? STR_EMPTY : strtab_str(r->view->tab, id);
}

const json_t *request_class(const struct lifecycle *l, const struct karp_nodeclaim *claim)
{
    for (size_t i = 0; i < l->classes.n; i++) {
        if (str_eq(life_str(&l->classes.v[i].name), claim->class_ref.name)) {
            return l->classes.v[i].object;
        }
    }
    return NULL;
}

static bool read_class(const struct lifecycle *l, struct request *r, struct err *err)
{
    const struct str name = r->claim->class_ref.name;
    const struct k8s_identity id = {.name = name};
    const json_t *object = request_class(l, r->claim);
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
            v[n++] = (struct nodeclass_pair){.key = request_text(r, labels->v[i].key),
                                             .value = request_text(r, labels->v[i].value)};
        }
    }
    v[n++] = (struct nodeclass_pair){.key = request_text(r, r->view->vocab->words->capacity_type),
                                     .value = r->capacity_type};
    qsort(v, n, sizeof *v, nodeclass_pair_cmp);
    return (struct nodeclass_pairs){.n = n, .v = v};
}

static void add_taints(const struct request *r, const struct k8s_taint *taints, uint32_t n,
                       struct userdata_taint *into, uint32_t *n_into)
{
    for (uint32_t i = 0; i < n; i++) {
        into[(*n_into)++] = (struct userdata_taint){.key = request_text(r, taints[i].key),
                                                    .value = request_text(r, taints[i].value),
                                                    .effect = life_effect(taints[i].effect)};
    }
}

static bool make_template(struct request *r, struct launch_config *config, struct err *err)
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
                                      .region = request_text(r, r->view->catalog->region),
                                      .nodepool = r->pool,
                                      .capacity_type = r->capacity_type,
                                      .tenancy = STR("default"),
                                      .ipv6 = userdata_is_ipv6(input.cluster.dns_ip)};
    add_taints(r, claim->taints, claim->n_taints, taints, &input.n_taints);
    add_taints(r, claim->startup_taints, claim->n_startup_taints, taints, &input.n_taints);
    config->template = ARENA_NEW(r->arena, struct ec2_create_launch_template_request);
    if (!userdata_make(&input, r->arena, &launch.user_data, err) ||
        !nodeclass_template(&launch, r->arena, config->template, err)) {
        return false;
    }
    return true;
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

static bool config_for(struct request *r, const struct launch_type *suits,
                       struct launch_config **ret, struct err *err)
{
    const struct cat_type *type = suits->type;
    const struct nodeclass_image *image = nodeclass_image_for(
        &r->status, request_text(r, type->arch),
        suits_has_label(r, type, "karpenter.k8s.aws/instance-gpu-count"),
        suits_has_label(r, type, "karpenter.k8s.aws/instance-accelerator-count"));
    *ret = NULL;
    if (image == NULL) {
        return true;
    }
    for (size_t i = 0; i < r->configs.n; i++) {
        if (str_eq(r->configs.v[i].image_id, image->id) &&
            r->configs.v[i].max_pods == suits->max_pods) {
            *ret = &r->configs.v[i];
            return true;
        }
    }
    VEC_PUSH(r->arena, &r->configs,
             ((struct launch_config){.image_id = image->id, .max_pods = suits->max_pods}));
    *ret = &r->configs.v[r->configs.n - 1];
    return make_template(r, *ret, err);
}

static bool add_type(struct request *r, const struct launch_type *suits, struct err *err)
{
    const struct catalog *catalog = r->view->catalog;
    struct launch_config *config = NULL;
    if (!config_for(r, suits, &config, err)) {
        return false;
    }
    for (uint32_t z = 0; config != NULL && z < catalog->n_zones; z++) {
        const struct str zone = request_text(r, catalog->zones[z].name);
        if (z < 64 && (suits->zones >> z & 1) != 0) {
            VEC_PUSH(r->arena, &config->overrides,
                     ((struct ec2_fleet_launch_template_overrides_request){
                         .instance_type = request_text(r, suits->type->name),
                         .subnet_id = subnet_of(r, zone),
                         .availability_zone = zone,
                         .image_id = config->image_id}));
        }
    }
    return true;
}

static bool add_types(struct request *r, struct err *err)
{
    suits_choose(r);
    if (r->types.n == 0) {
        /* A class without subnets and a catalogue without types may still be told theirs. */
        r->nothing = r->status.n_subnets > 0 && r->view->catalog->n_types > 0;
        return err_set(err, ERR_NOT_FOUND,
                       "no instance type meets the requirements of the NodeClaim, holds its "
                       "requests and is offered where the EC2NodeClass has a subnet");
    }
    for (size_t i = 0; i < r->types.n; i++) {
        if (!add_type(r, &r->types.v[i], err)) {
            return false;
        }
    }
    return r->configs.n > 0 ||
           err_set(err, ERR_NOT_FOUND,
                   "the EC2NodeClass has no image for the instance types of the NodeClaim");
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
    struct ec2_tag *all = ARENA_ARRAY(r->arena, struct ec2_tag, tags.n + 2);
    for (uint32_t i = 0; i < tags.n; i++) {
        all[i] = (struct ec2_tag){.key = tags.v[i].key, .value = tags.v[i].value};
    }
    all[tags.n] = (struct ec2_tag){.key = STR(CLAIM_TAG), .value = r->claim->meta.name};
    all[tags.n + 1] = (struct ec2_tag){.key = STR(CLAIM_UID_TAG), .value = r->claim->meta.uid};
    f->tag_specifications.v = ARENA_ARRAY(r->arena, struct ec2_tag_specification, 3);
    f->tag_specifications.n = 3;
    for (size_t i = 0; i < 3; i++) {
        f->tag_specifications.v[i] = (struct ec2_tag_specification){
            .resource_type = str_of(tagged[i]), .tags = {.v = all, .n = tags.n + 2}};
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

struct str request_capacity_type(const struct lifecycle *l, const struct lifecycle_view *view,
                                 const struct karp_nodeclaim *claim)
{
    struct request r = {.view = view, .claim = claim, .arena = view->out->arena};
    struct err err;
    if (!read_class(l, &r, &err)) {
        return STR("on-demand");
    }
    suits_choose(&r);
    return r.capacity_type;
}

bool request_make(const struct lifecycle *l, struct request *r, struct err *err)
{
    r->pool = life_pool(r->view, r->claim);
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

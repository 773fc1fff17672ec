/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/dryrun.h"

#include "awsapi/service_ec2.h"
#include "base/arena.h"
#include "provisioner/nodeclass/template.h"

enum step { MAKE, FLEET, RUN, REMOVE, OVER };

struct nodeclass_dryrun {
    struct arena *arena;
    struct nodeclass_dryrun_facts facts;
    enum step step;
    bool is_asked; /* the question of `step` has been handed out */
    struct ec2_create_launch_template_request template;
    struct ec2_tag_specification tags[3]; /* instance, volume, and the third that a call takes */
    uint32_t subnet_i;                    /* RUN: which is tried */
    struct nodeclass_verdict first;       /* RUN: what the first subnet said */
    struct nodeclass_verdict verdict;
};

/* ---- verdicts ---- */

static struct nodeclass_verdict yes(void)
{
    return (struct nodeclass_verdict){.condition = {.status = NODECLASS_TRUE}, .keep = true};
}

/* Nobody knows: asked again soon. */
static struct nodeclass_verdict unknown(struct str text)
{
    return (struct nodeclass_verdict){.condition = {.status = NODECLASS_UNKNOWN,
                                                    .reason = STR("AwaitingReconciliation"),
                                                    .message = text}};
}

static bool says(struct str text, const char *words)
{
    return str_has(text, str_of(words));
}

/* (karp-aws: ToReasonMessage) */
static const char *why_unauthorized(struct str message)
{
    return says(message, "with an explicit deny in a permissions boundary")
               ? "User is not authorized to perform this operation due to a permission boundary"
           : says(message, "with an explicit deny in a service control policy")
               ? "User is not authorized to perform this operation due to a service control policy"
           : says(message, "Not authorized for images")
               ? "User is not authorized for AMI used in instance launch"
               : "User is not authorized to perform this operation because no identity-based "
                 "policy allows it";
}

static struct nodeclass_verdict no(const struct nodeclass_dryrun *d, const char *reason,
                                   const char *message, const char *why)
{
    struct strbuf b = strbuf_new(d->arena, 1024);
    strbuf_addf(&b, "%s: %s", message, why);
    return (struct nodeclass_verdict){.condition = {.status = NODECLASS_FALSE,
                                                    .reason = str_of(reason),
                                                    .message = strbuf_str(&b)},
                                      .keep = true};
}

static bool is_too_much_userdata(const struct aws_fault *fault)
{
    return str_eq(fault->code, STR("InvalidUserData.Malformed")) &&
           says(fault->message, "User data is limited to");
}

static bool is_profile_unseen(const struct aws_fault *fault)
{
    return str_eq(fault->code, STR("InvalidParameterValue")) &&
           says(fault->message, "Invalid IAM Instance Profile name");
}

static struct nodeclass_verdict judge(const struct nodeclass_dryrun *d,
                                      const struct aws_fault *fault, struct str text)
{
    static const struct {
        const char *reason, *message;
    } denied[] = {[MAKE] = {"CreateLaunchTemplateAuthCheckFailed",
                            "Controller isn't authorized to call ec2:CreateLaunchTemplate"},
                  [FLEET] = {"CreateFleetAuthCheckFailed",
                             "Controller isn't authorized to call ec2:CreateFleet"},
                  [RUN] = {"RunInstancesAuthCheckFailed",
                           "Controller isn't authorized to call ec2:RunInstances"}};
    if (fault->kind == AWS_FAULT_UNAUTHORIZED) {
        return no(d, denied[d->step].reason, denied[d->step].message,
                  why_unauthorized(fault->message));
    }
    if (d->step == MAKE && is_too_much_userdata(fault)) {
        return no(d, "UserDataSizeLimitExceeded",
                  "ec2:CreateLaunchTemplate rejected the rendered user data as too large",
                  "Rendered user data exceeds the EC2 user data size limit");
    }
    if (d->step == RUN && is_profile_unseen(fault) && d->facts.class->instance_profile.n > 0) {
        struct strbuf b = strbuf_new(d->arena, 1024);
        strbuf_addf(&b, "Instance profile \"" STR_FMT "\" not found",
                    STR_ARG(d->facts.class->instance_profile));
        return (struct nodeclass_verdict){
            .condition = {.status = NODECLASS_FALSE,
                          .reason = STR("InstanceProfileNotFound"),
                          .message = strbuf_str(&b)}}; /* it may be made any moment */
    }
    return unknown(str_copy(d->arena, text));
}

/* ---- what is tried ---- */

static bool is_windows(enum nodeclass_family family)
{
    return family == NODECLASS_WINDOWS2019 || family == NODECLASS_WINDOWS2022 ||
           family == NODECLASS_WINDOWS2025;
}

/* Of the two the one that an image is for; with the first image when none is. */
static struct nodeclass_trial choose_usual(const struct nodeclass_status *status)
{
    static const struct nodeclass_type usual[] = {
        {.name = STR("m5.large"), .arch = STR("amd64"), .max_pods = 29},
        {.name = STR("m6g.large"), .arch = STR("arm64"), .max_pods = 29}};
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        const struct nodeclass_image *image =
            nodeclass_image_for(status, usual[i].arch, /* has_gpus= */ false,
                                /* has_accelerators= */ false);
        if (image != NULL) {
            return (struct nodeclass_trial){.type = usual[i], .image = image};
        }
    }
    return (struct nodeclass_trial){
        .type = usual[str_eq(status->images->arch, STR("arm64")) ? 1 : 0], .image = status->images};
}

struct nodeclass_trial nodeclass_dryrun_choose(enum nodeclass_family family,
                                               const struct nodeclass_status *status,
                                               const struct nodeclass_type *types, uint32_t n_types)
{
    struct nodeclass_trial first = {.image = NULL};
    for (uint32_t i = 0; i < n_types && !is_windows(family); i++) {
        const struct nodeclass_image *image = nodeclass_image_for(
            status, types[i].arch, types[i].has_gpus, types[i].has_accelerators);
        const struct nodeclass_trial trial = {.type = types[i], .image = image};
        if (image != NULL &&
            (image->variant == NODECLASS_STANDARD || image->variant == NODECLASS_ANY_DEVICES)) {
            return trial;
        }
        first = image != NULL && first.image == NULL ? trial : first;
    }
    return first.image != NULL ? first : choose_usual(status);
}

static bool make_template(struct nodeclass_dryrun *d, struct err *err)
{
    const struct nodeclass_dryrun_facts *f = &d->facts;
    const struct str version = nodeclass_alias_version(f->class);
    struct nodeclass_pair *on_demand = ARENA_NEW(d->arena, struct nodeclass_pair);
    *on_demand = (struct nodeclass_pair){.key = STR("karpenter.sh/capacity-type"),
                                         .value = STR("on-demand")};
    const struct userdata_input input = {
        .class = f->class,
        .family = f->family,
        .cluster = f->cluster,
        .labels = {.n = 1, .v = on_demand},
        .max_pods = f->trial.type.max_pods,
        .image_version = str_starts(version, STR("v")) ? str_sub(version, 1, version.n) : version};
    struct nodeclass_launch launch = {.class = f->class,
                                      .family = f->family,
                                      .status = f->status,
                                      .image_id = f->trial.image->id,
                                      .cluster_name = f->cluster.name,
                                      .region = f->region,
                                      .capacity_type = STR("on-demand"),
                                      .tenancy = STR("default"),
                                      .ipv6 = f->ipv6};
    return userdata_make(&input, d->arena, &launch.user_data, err) &&
           nodeclass_template(&launch, d->arena, &d->template, err);
}

/* The same tags on everything, as a launch has them. */
static void set_tags(struct nodeclass_dryrun *d)
{
    for (size_t i = 0; i < sizeof d->tags / sizeof d->tags[0]; i++) {
        d->tags[i].tags.v = d->template.tag_specifications.v[0].tags.v;
        d->tags[i].tags.n = d->template.tag_specifications.v[0].tags.n;
    }
    d->tags[0].resource_type = STR("instance");
    d->tags[1].resource_type = STR("volume");
}

static struct nodeclass_question ask_fleet(struct nodeclass_dryrun *d)
{
    struct ec2_create_fleet_request *f = ARENA_NEW(d->arena, struct ec2_create_fleet_request);
    struct ec2_fleet_launch_template_config_request *config =
        ARENA_NEW(d->arena, struct ec2_fleet_launch_template_config_request);
    const uint32_t n = d->facts.status->n_subnets;
    d->tags[2].resource_type = STR("fleet");
    f->dry_run = (struct opt_bool){.has = true, .v = true};
    f->type = STR("instant");
    f->context = d->facts.class->context;
    f->tag_specifications.v = d->tags;
    f->tag_specifications.n = 3;
    f->on_demand_options = ARENA_NEW(d->arena, struct ec2_on_demand_options_request);
    f->on_demand_options->allocation_strategy = STR("lowest-price");
    f->target_capacity_specification =
        ARENA_NEW(d->arena, struct ec2_target_capacity_specification_request);
    f->target_capacity_specification->total_target_capacity = (struct opt_i64){.has = true, .v = 1};
    f->target_capacity_specification->default_target_capacity_type = STR("on-demand");
    config->launch_template_specification =
        ARENA_NEW(d->arena, struct ec2_fleet_launch_template_specification_request);
    config->launch_template_specification->launch_template_name = d->template.launch_template_name;
    config->launch_template_specification->version = STR("$Latest");
    config->overrides.v =
        ARENA_ARRAY(d->arena, struct ec2_fleet_launch_template_overrides_request, n);
    config->overrides.n = n;
    for (uint32_t i = 0; i < n; i++) {
        config->overrides.v[i] = (struct ec2_fleet_launch_template_overrides_request){
            .instance_type = d->facts.trial.type.name, .subnet_id = d->facts.status->subnets[i].id};
    }
    f->launch_template_configs.v = config;
    f->launch_template_configs.n = 1;
    return (struct nodeclass_question){.operation = &aws_ec2_create_fleet, .input = f};
}

/* The interfaces of the template again, each in the subnet: beside them an instance may have no
 * subnet of its own. */
static void set_interfaces(const struct nodeclass_dryrun *d, struct ec2_run_instances_request *r)
{
    const struct nodeclass *class = d->facts.class;
    const uint32_t n = class->n_interfaces > 0 ? class->n_interfaces : 1;
    r->network_interfaces.n = n;
    r->network_interfaces.v =
        ARENA_ARRAY(d->arena, struct ec2_instance_network_interface_specification, n);
    for (uint32_t i = 0; i < n; i++) {
        struct ec2_instance_network_interface_specification *to = &r->network_interfaces.v[i];
        to->subnet_id = d->facts.status->subnets[d->subnet_i].id;
        to->device_index = (struct opt_i64){.has = true, .v = 0};
        if (class->n_interfaces > 0) {
            to->device_index.v = class->interfaces[i].device_i;
            to->network_card_index =
                (struct opt_i64){.has = true, .v = class->interfaces[i].card_i};
            to->interface_type = class->interfaces[i].type;
        }
    }
}

static struct nodeclass_question ask_run(struct nodeclass_dryrun *d)
{
    struct ec2_run_instances_request *r = ARENA_NEW(d->arena, struct ec2_run_instances_request);
    d->tags[2].resource_type = STR("network-interface");
    r->dry_run = (struct opt_bool){.has = true, .v = true};
    r->min_count = r->max_count = (struct opt_i64){.has = true, .v = 1};
    r->instance_type = d->facts.trial.type.name;
    r->launch_template = ARENA_NEW(d->arena, struct ec2_launch_template_specification);
    r->launch_template->launch_template_name = d->template.launch_template_name;
    r->launch_template->version = STR("$Latest");
    r->tag_specifications.v = d->tags;
    r->tag_specifications.n = 3;
    set_interfaces(d, r);
    return (struct nodeclass_question){.operation = &aws_ec2_run_instances, .input = r};
}

static struct nodeclass_question ask_remove(struct nodeclass_dryrun *d)
{
    struct ec2_delete_launch_template_request *r =
        ARENA_NEW(d->arena, struct ec2_delete_launch_template_request);
    r->launch_template_name = d->template.launch_template_name;
    return (struct nodeclass_question){.operation = &aws_ec2_delete_launch_template, .input = r};
}

/* ---- steps ---- */

static void go(struct nodeclass_dryrun *d, enum step step)
{
    d->step = step;
    d->is_asked = false;
}

static void settle(struct nodeclass_dryrun *d, struct nodeclass_verdict verdict)
{
    d->verdict = verdict;
    go(d, d->step == MAKE ? OVER : REMOVE);
}

struct nodeclass_dryrun *nodeclass_dryrun_new(const struct nodeclass_dryrun_facts *facts,
                                              struct arena *arena)
{
    struct nodeclass_dryrun *d = ARENA_NEW(arena, struct nodeclass_dryrun);
    struct err err;
    d->arena = arena;
    d->facts = *facts;
    if (!make_template(d, &err)) {
        settle(d, unknown(str_copy(arena, str_of(err.text))));
        return d;
    }
    set_tags(d);
    return d;
}

bool nodeclass_dryrun_next(struct nodeclass_dryrun *d, struct nodeclass_question *ret_question)
{
    if (d->step == OVER || d->is_asked) {
        return false;
    }
    d->is_asked = true;
    *ret_question = d->step == MAKE
                        ? (struct nodeclass_question){.operation = &aws_ec2_create_launch_template,
                                                      .input = &d->template}
                    : d->step == FLEET ? ask_fleet(d)
                    : d->step == RUN   ? ask_run(d)
                                       : ask_remove(d);
    return true;
}

/* One subnet that would do is enough; when none does, what the first one said counts. */
static void after_run(struct nodeclass_dryrun *d, const struct aws_fault *fault, struct str text)
{
    if (fault->kind == AWS_FAULT_DRY_RUN) {
        settle(d, yes());
        return;
    }
    if (d->subnet_i == 0) {
        d->first = judge(d, fault, text);
    }
    if (++d->subnet_i < d->facts.status->n_subnets) {
        go(d, RUN);
    } else {
        settle(d, d->first);
    }
}

void nodeclass_dryrun_end(struct nodeclass_dryrun *d, const struct aws_fault *fault,
                          struct str text)
{
    switch (d->step) {
    case MAKE:
        if (fault->kind == AWS_FAULT_NONE || fault->kind == AWS_FAULT_ALREADY) {
            go(d, FLEET);
        } else {
            settle(d, judge(d, fault, text));
        }
        return;
    case FLEET:
        if (fault->kind == AWS_FAULT_DRY_RUN) {
            go(d, RUN);
        } else {
            settle(d, judge(d, fault, text));
        }
        return;
    case RUN:
        after_run(d, fault, text);
        return;
    case REMOVE: /* one that stays goes with the class */
    case OVER:
        go(d, OVER);
        return;
    }
}

bool nodeclass_dryrun_is_over(const struct nodeclass_dryrun *d)
{
    return d->step == OVER;
}

bool nodeclass_dryrun_is_answer(const struct nodeclass_dryrun *d, const struct aws_fault *fault)
{
    return fault->kind == AWS_FAULT_DRY_RUN ||
           (d->step == MAKE && fault->kind == AWS_FAULT_ALREADY);
}

struct nodeclass_verdict nodeclass_dryrun_verdict(const struct nodeclass_dryrun *d)
{
    return d->verdict;
}

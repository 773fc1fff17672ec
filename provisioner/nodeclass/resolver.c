/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/resolver.h"

#include "awsapi/service_ec2.h"
#include "awsapi/service_iam.h"
#include "awsapi/service_ssm.h"
#include "base/arena.h"
#include "base/rfc3339.h"
#include "base/vec.h"
#include "provisioner/nodeclass/upkeep.h"
#include "provisioner/nodeclass/validation.h"

#define EXPIRING_MS (INT64_C(40) * 60 * 1000) /* before the end of a capacity block */

/* What a question is about. */
enum subject { SUBNETS, GROUPS, RESERVATIONS, PLACEMENT, PARAMETERS, IMAGES, PROFILE, N_SUBJECTS };

struct asked {
    enum subject subject;
    const struct aws_operation *operation;
    void *input;
    uint32_t parameter_i; /* PARAMETERS */
    bool is_over;
};

/* A parameter that gave the id of an image. */
struct known_image {
    struct str id;
    uint32_t parameter_i;
};

struct nodeclass_resolver {
    const struct nodeclass *class;
    struct arena *arena;
    struct nodeclass_resolver_facts facts;
    VEC(struct asked) asked;
    size_t n_handed; /* questions handed out; those after it wait */
    struct nodeclass_parameters parameters;
    bool images_asked, is_final;
    struct str failed[N_SUBJECTS]; /* p set: why its questions have no answer */
    struct str unsupported;        /* the alias has no images, and why */
    VEC(struct known_image) known;
    VEC(struct nodeclass_subnet) subnets;
    VEC(struct nodeclass_group) groups;
    VEC(struct nodeclass_image) images;
    VEC(struct nodeclass_reservation) reservations;
    struct nodeclass_group_placement placement;
    struct str profile_role;
    struct nodeclass_status status;
};

/* ---- questions ---- */

static void add(struct nodeclass_resolver *r, enum subject subject,
                struct nodeclass_queries queries)
{
    for (uint32_t i = 0; i < queries.n; i++) {
        VEC_PUSH(r->arena, &r->asked,
                 (struct asked){.subject = subject,
                                .operation = queries.v[i].operation,
                                .input = queries.v[i].input});
    }
}

static void ask_parameters(struct nodeclass_resolver *r, struct str version)
{
    struct err err;
    if (!nodeclass_image_parameters(r->class, version, r->arena, &r->parameters, &err)) {
        r->unsupported = str_copy(r->arena, str_of(err.text));
        r->images_asked = true;
        return;
    }
    for (uint32_t i = 0; i < r->parameters.n; i++) {
        struct ssm_get_parameter_request *input =
            ARENA_NEW(r->arena, struct ssm_get_parameter_request);
        input->name = r->parameters.v[i].name;
        VEC_PUSH(r->arena, &r->asked,
                 (struct asked){.subject = PARAMETERS,
                                .operation = &aws_ssm_get_parameter,
                                .input = input,
                                .parameter_i = i});
    }
}

static void ask_profile(struct nodeclass_resolver *r)
{
    if (r->class->role.n == 0 || r->facts.profile.n == 0 || r->facts.profile_is_settled ||
        r->facts.profile_failure.p != NULL) {
        return;
    }
    struct iam_get_instance_profile_request *input =
        ARENA_NEW(r->arena, struct iam_get_instance_profile_request);
    input->instance_profile_name = r->facts.profile;
    VEC_PUSH(r->arena, &r->asked,
             (struct asked){
                 .subject = PROFILE, .operation = &aws_iam_get_instance_profile, .input = input});
}

/* Images are asked for when every parameter has been answered. */
static void ask_images(struct nodeclass_resolver *r)
{
    bool ready = !r->images_asked;
    for (size_t i = 0; i < r->asked.n && ready; i++) {
        ready = r->asked.v[i].subject != PARAMETERS || r->asked.v[i].is_over;
    }
    if (!ready) {
        return;
    }
    struct str *ids = ARENA_ARRAY(r->arena, struct str, r->known.n);
    for (size_t i = 0; i < r->known.n; i++) {
        ids[i] = r->known.v[i].id;
    }
    r->images_asked = true;
    if (r->failed[PARAMETERS].p == NULL) {
        add(r, IMAGES, nodeclass_image_queries(r->class, ids, (uint32_t)r->known.n, r->arena));
    }
}

struct nodeclass_resolver *nodeclass_resolver_new(const struct nodeclass *class,
                                                  const struct nodeclass_resolver_facts *facts,
                                                  struct arena *arena)
{
    struct nodeclass_resolver *r = ARENA_NEW(arena, struct nodeclass_resolver);
    *r = (struct nodeclass_resolver){.class = class, .arena = arena, .facts = *facts};
    add(r, SUBNETS, nodeclass_subnet_queries(class, arena));
    add(r, GROUPS, nodeclass_group_queries(class, arena));
    add(r, RESERVATIONS, nodeclass_reservation_queries(class, arena));
    add(r, PLACEMENT, nodeclass_placement_queries(class, arena));
    ask_parameters(r, facts->version);
    ask_profile(r);
    ask_images(r);
    return r;
}

bool nodeclass_resolver_next(struct nodeclass_resolver *r, struct nodeclass_question *ret_question)
{
    if (r->n_handed == r->asked.n) {
        return false;
    }
    const struct asked *asked = &r->asked.v[r->n_handed];
    *ret_question = (struct nodeclass_question){
        .id = (uint32_t)r->n_handed++, .operation = asked->operation, .input = asked->input};
    return true;
}

bool nodeclass_resolver_done(const struct nodeclass_resolver *r)
{
    bool done = r->n_handed == r->asked.n && r->images_asked;
    for (size_t i = 0; i < r->asked.n && done; i++) {
        done = r->asked.v[i].is_over;
    }
    return done;
}

/* ---- answers ---- */

static void take_subnets(struct nodeclass_resolver *r,
                         const struct ec2_describe_subnets_result *page)
{
    for (size_t i = 0; i < page->subnets.n; i++) {
        const struct ec2_subnet *s = &page->subnets.v[i];
        bool known = false;
        for (size_t j = 0; j < r->subnets.n; j++) {
            known = known || str_eq(r->subnets.v[j].id, s->subnet_id);
        }
        if (!known) {
            VEC_PUSH(
                r->arena, &r->subnets,
                (struct nodeclass_subnet){.id = str_copy(r->arena, s->subnet_id),
                                          .zone = str_copy(r->arena, s->availability_zone),
                                          .zone_id = str_copy(r->arena, s->availability_zone_id),
                                          .free_ips = s->available_ip_address_count.has
                                                          ? s->available_ip_address_count.v
                                                          : 0});
        }
    }
}

static void take_groups(struct nodeclass_resolver *r,
                        const struct ec2_describe_security_groups_result *page)
{
    for (size_t i = 0; i < page->security_groups.n; i++) {
        const struct ec2_security_group *g = &page->security_groups.v[i];
        bool known = false;
        for (size_t j = 0; j < r->groups.n; j++) {
            known = known || str_eq(r->groups.v[j].id, g->group_id);
        }
        if (!known) {
            VEC_PUSH(r->arena, &r->groups,
                     (struct nodeclass_group){.id = str_copy(r->arena, g->group_id),
                                              .name = str_copy(r->arena, g->group_name)});
        }
    }
}

static bool is_reservation_type(struct str type)
{
    return str_eq(type, STR("default")) || str_eq(type, STR("capacity-block"));
}

/* Ended ones and those of a kind that did not exist when this was written are passed over. */
static void take_reservations(struct nodeclass_resolver *r,
                              const struct ec2_describe_capacity_reservations_result *page)
{
    for (size_t i = 0; i < page->capacity_reservations.n; i++) {
        const struct ec2_capacity_reservation *c = &page->capacity_reservations.v[i];
        bool block = str_eq(c->reservation_type, STR("capacity-block"));
        bool use = (c->reservation_type.n == 0 || is_reservation_type(c->reservation_type)) &&
                   (str_eq(c->instance_match_criteria, STR("open")) ||
                    str_eq(c->instance_match_criteria, STR("targeted"))) &&
                   !(c->end_date.has && c->end_date.v <= r->facts.now);
        for (size_t j = 0; j < r->reservations.n; j++) {
            use = use && !str_eq(r->reservations.v[j].id, c->capacity_reservation_id);
        }
        if (use) {
            VEC_PUSH(r->arena, &r->reservations,
                     (struct nodeclass_reservation){
                         .id = str_copy(r->arena, c->capacity_reservation_id),
                         .zone = str_copy(r->arena, c->availability_zone),
                         .instance_type = str_copy(r->arena, c->instance_type),
                         .match_criteria = str_copy(r->arena, c->instance_match_criteria),
                         .owner_id = str_copy(r->arena, c->owner_id),
                         .type = block ? STR("capacity-block") : STR("default"),
                         .interruptible = c->interruptible.has && c->interruptible.v,
                         .expiring = block && c->end_date.has &&
                                     r->facts.now >= c->end_date.v - EXPIRING_MS,
                         .end = c->end_date});
        }
    }
}

static void take_placement(struct nodeclass_resolver *r,
                           const struct ec2_describe_placement_groups_result *page)
{
    if (page->placement_groups.n > 0) {
        const struct ec2_placement_group *g = &page->placement_groups.v[0];
        r->placement = (struct nodeclass_group_placement){
            .id = str_copy(r->arena, g->group_id),
            .name = str_copy(r->arena, g->group_name),
            .strategy = str_copy(r->arena, g->strategy),
            .n_partitions = g->partition_count.has ? g->partition_count.v : 0};
    }
}

static void take_parameter(struct nodeclass_resolver *r, uint32_t parameter_i,
                           const struct ssm_get_parameter_result *page)
{
    if (page->parameter != NULL && str_starts(page->parameter->value, STR("ami-"))) {
        VEC_PUSH(r->arena, &r->known,
                 (struct known_image){.id = str_copy(r->arena, page->parameter->value),
                                      .parameter_i = parameter_i});
    }
}

static wall_t time_or(struct str text, wall_t fallback)
{
    wall_t time;
    struct err ignored;
    return text.n > 0 && rfc3339_parse(text, &time, &ignored) ? time : fallback;
}

/* Of two images for the same nodes: what is not deprecated, then the newer, then the larger name.
 */
static bool is_better(const struct nodeclass_image *a, const struct nodeclass_image *b)
{
    if (a->deprecated != b->deprecated) {
        return b->deprecated;
    }
    return a->created != b->created ? a->created > b->created : str_cmp(a->name, b->name) > 0;
}

static void keep_image(struct nodeclass_resolver *r, const struct nodeclass_image *image)
{
    for (size_t i = 0; i < r->images.n; i++) {
        struct nodeclass_image *other = &r->images.v[i];
        if (other->variant == image->variant && str_eq(other->arch, image->arch) &&
            str_eq(other->windows_build, image->windows_build)) {
            *other = is_better(image, other) ? *image : *other;
            return;
        }
    }
    VEC_PUSH(r->arena, &r->images, *image);
}

/* Once for each variant that the parameters say of its id; once when they say nothing. */
static void keep_variants(struct nodeclass_resolver *r, struct nodeclass_image *image)
{
    bool known = false;
    for (size_t i = 0; i < r->known.n; i++) {
        const struct nodeclass_parameter *p = &r->parameters.v[r->known.v[i].parameter_i];
        if (!str_eq(r->known.v[i].id, image->id)) {
            continue;
        }
        known = true;
        image->windows_build = p->windows_build;
        for (int v = NODECLASS_ANY_DEVICES; v <= NODECLASS_NEURON; v++) {
            if ((p->variants & 1U << v) != 0) {
                image->variant = (enum nodeclass_variant)v;
                keep_image(r, image);
            }
        }
    }
    if (!known) {
        keep_image(r, image);
    }
}

static void take_images(struct nodeclass_resolver *r, const struct ec2_describe_images_result *page)
{
    for (size_t i = 0; i < page->images.n; i++) {
        const struct ec2_image *e = &page->images.v[i];
        bool amd64 = str_eq(e->architecture, STR("x86_64"));
        if (!amd64 && !str_eq(e->architecture, STR("arm64"))) {
            continue;
        }
        struct nodeclass_image image = {
            .id = str_copy(r->arena, e->image_id),
            .name = str_copy(r->arena, e->name),
            .arch = amd64 ? STR("amd64") : STR("arm64"),
            .deprecated = time_or(e->deprecation_time, INT64_MAX) <= r->facts.now,
            .created = time_or(e->creation_date, INT64_MIN),
        };
        keep_variants(r, &image);
    }
}

static void take_profile(struct nodeclass_resolver *r,
                         const struct iam_get_instance_profile_response *page)
{
    if (page->instance_profile != NULL && page->instance_profile->roles.n > 0) {
        r->profile_role = str_copy(r->arena, page->instance_profile->roles.v[0].role_name);
    }
}

void nodeclass_resolver_page(struct nodeclass_resolver *r, uint32_t id, const void *output)
{
    const struct asked *asked = &r->asked.v[id];
    switch (asked->subject) {
    case SUBNETS:
        take_subnets(r, output);
        return;
    case GROUPS:
        take_groups(r, output);
        return;
    case RESERVATIONS:
        take_reservations(r, output);
        return;
    case PLACEMENT:
        take_placement(r, output);
        return;
    case PARAMETERS:
        take_parameter(r, asked->parameter_i, output);
        return;
    case IMAGES:
        take_images(r, output);
        return;
    case PROFILE:
        take_profile(r, output);
        return;
    case N_SUBJECTS:
        return;
    }
}

void nodeclass_resolver_end(struct nodeclass_resolver *r, uint32_t id,
                            const struct aws_fault *fault, struct str text)
{
    struct asked *asked = &r->asked.v[id];
    asked->is_over = true;
    if (fault->kind != AWS_FAULT_NONE && fault->kind != AWS_FAULT_NOT_FOUND &&
        r->failed[asked->subject].p == NULL) {
        r->failed[asked->subject] = str_copy(r->arena, text);
    }
    ask_images(r);
}

/* ---- conditions ---- */

static void say(struct nodeclass_resolver *r, enum nodeclass_condition_type type,
                enum nodeclass_truth status, struct str reason, struct str message)
{
    r->status.conditions[type] =
        (struct nodeclass_condition){.status = status, .reason = reason, .message = message};
}

/* Whether lists and profile stay as the object has them, because the question has no answer. */
static bool is_unanswered(const struct nodeclass_resolver *r, struct str failed)
{
    return failed.p != NULL && r->facts.before != NULL;
}

/* Whether a condition stays true as well: of another spec it is not. */
static bool stays(const struct nodeclass_resolver *r, enum nodeclass_condition_type type,
                  struct str failed)
{
    return is_unanswered(r, failed) && r->facts.before->conditions[type].status == NODECLASS_TRUE;
}

/* True, unless its questions failed or there is nothing where something must be. */
static void judge(struct nodeclass_resolver *r, enum nodeclass_condition_type type,
                  struct str failed, bool found, struct str reason, struct str message)
{
    if (failed.p != NULL && !stays(r, type, failed)) {
        say(r, type, NODECLASS_UNKNOWN, STR("AwaitingReconciliation"), failed);
    } else if (!found && failed.p == NULL) {
        say(r, type, NODECLASS_FALSE, reason, message);
    } else {
        say(r, type, NODECLASS_TRUE, STR_EMPTY, STR_EMPTY);
    }
}

static struct str images_failed(const struct nodeclass_resolver *r)
{
    return r->failed[PARAMETERS].p != NULL ? r->failed[PARAMETERS] : r->failed[IMAGES];
}

static void judge_images(struct nodeclass_resolver *r)
{
    struct str failed = images_failed(r);
    if (r->unsupported.n > 0) {
        say(r, NODECLASS_AMIS, NODECLASS_FALSE, STR("UnsupportedAlias"), r->unsupported);
        return;
    }
    judge(r, NODECLASS_AMIS, failed, r->images.n > 0, STR("AMINotFound"),
          STR("AMISelector did not match any AMIs"));
}

static void judge_placement(struct nodeclass_resolver *r)
{
    const struct nodeclass_placement *selector = r->class->placement;
    struct strbuf text = strbuf_new(r->arena, 1024);
    if (selector == NULL || r->placement.id.n > 0) {
        say(r, NODECLASS_PLACEMENT, NODECLASS_TRUE, STR_EMPTY, STR_EMPTY);
    } else if (r->failed[PLACEMENT].p != NULL) {
        say(r, NODECLASS_PLACEMENT, NODECLASS_FALSE, STR("PlacementGroupResolutionFailed"),
            STR("Failed to resolve placement group"));
    } else {
        strbuf_addf(&text, "Placement group \"" STR_FMT "\" not found",
                    STR_ARG(selector->name.n > 0 ? selector->name : selector->id));
        say(r, NODECLASS_PLACEMENT, NODECLASS_FALSE, STR("PlacementGroupNotFound"),
            strbuf_str(&text));
    }
}

static void judge_profile(struct nodeclass_resolver *r)
{
    struct strbuf text = strbuf_new(r->arena, 1024);
    const struct str failed =
        r->facts.profile_failure.p != NULL ? r->facts.profile_failure : r->failed[PROFILE];
    bool matches =
        r->facts.profile_is_settled ||
        (r->profile_role.n > 0 && str_eq(r->profile_role, nodeclass_role_name(r->class->role)));
    if (r->class->role.n == 0 || matches) {
        r->status.instance_profile = matches ? r->facts.profile : r->class->instance_profile;
        say(r, NODECLASS_PROFILE, NODECLASS_TRUE, STR_EMPTY, STR_EMPTY);
        return;
    }
    if (is_unanswered(r, failed)) {
        r->status.instance_profile = r->facts.before->instance_profile;
    }
    if (stays(r, NODECLASS_PROFILE, failed)) {
        say(r, NODECLASS_PROFILE, NODECLASS_TRUE, STR_EMPTY, STR_EMPTY);
        return;
    }
    strbuf_addf(&text, "no instance profile with role \"" STR_FMT "\" yet",
                STR_ARG(r->class->role));
    say(r, NODECLASS_PROFILE, NODECLASS_UNKNOWN, STR("AwaitingReconciliation"),
        failed.p != NULL ? failed : strbuf_str(&text));
}

/* The parts whose questions have no answer, as the object has them. */
static void keep(struct nodeclass_resolver *r)
{
    const struct nodeclass_status *before = r->facts.before;
    if (is_unanswered(r, r->failed[SUBNETS])) {
        r->status.n_subnets = before->n_subnets;
        r->status.subnets = before->subnets;
    }
    if (is_unanswered(r, r->failed[GROUPS])) {
        r->status.n_groups = before->n_groups;
        r->status.groups = before->groups;
    }
    if (is_unanswered(r, images_failed(r))) {
        r->status.n_images = before->n_images;
        r->status.images = before->images;
    }
    if (is_unanswered(r, r->failed[RESERVATIONS])) {
        r->status.n_reservations = before->n_reservations;
        r->status.reservations = before->reservations;
    }
}

const struct nodeclass_status *nodeclass_resolver_status(struct nodeclass_resolver *r)
{
    if (!nodeclass_resolver_done(r)) {
        return NULL;
    }
    if (!r->is_final) {
        r->is_final = true;
        r->status = (struct nodeclass_status){
            .n_subnets = (uint32_t)r->subnets.n,
            .subnets = r->subnets.v,
            .n_groups = (uint32_t)r->groups.n,
            .groups = r->groups.v,
            .n_images = (uint32_t)r->images.n,
            .images = r->images.v,
            .n_reservations = (uint32_t)r->reservations.n,
            .reservations = r->reservations.v,
            .placement = r->placement,
        };
        nodeclass_status_sort(&r->status);
        keep(r);
        judge(r, NODECLASS_SUBNETS, r->failed[SUBNETS], r->subnets.n > 0, STR("SubnetsNotFound"),
              STR("SubnetSelector did not match any Subnets"));
        judge(r, NODECLASS_GROUPS, r->failed[GROUPS],
              r->groups.n > 0 || r->class->n_group_terms == 0, STR("SecurityGroupsNotFound"),
              STR("SecurityGroupSelector did not match any SecurityGroups"));
        judge(r, NODECLASS_RESERVATIONS, r->failed[RESERVATIONS], /* found= */ true, STR_EMPTY,
              STR_EMPTY);
        judge_images(r);
        judge_placement(r);
        judge_profile(r);
        r->status.conditions[NODECLASS_VALIDATION] = nodeclass_validate(
            r->class, r->facts.family, &r->status, r->facts.cluster_name, r->arena);
    }
    return &r->status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EC2: launch templates, fleets of one instance, tokens, and a DescribeInstances that shows late
 * what is there. */
#include <stdio.h>
#include <string.h>

#include "awsapi/service_ec2.h"
#include "provisioner/sandbox/world.h"

enum {
    VISIBLE_MS = 8 * SECOND,
    SHUT_DOWN_MS = 30 * SECOND,
    SLOW_ONE_IN = 30, /* machines, while things go wrong */
    SLOW_MS = 4 * MINUTE,
    LEFT_OUT_PER_THOUSAND = 100, /* lists */
    WHOLE_MS = 5 * MINUTE,
    BAD_REQUEST = 400
};

bool ec2_is_alive(const struct instance *instance)
{
    return instance->stage == INSTANCE_PENDING || instance->stage == INSTANCE_RUNNING;
}

void ec2_end(struct world *world, struct instance *instance)
{
    instance->stage = INSTANCE_SHUTTING_DOWN;
    instance->gone_at = world->now + SHUT_DOWN_MS;
}

static const void *refuse(struct aws_fault *fault, const char *code)
{
    *fault = (struct aws_fault){.kind = aws_fault_kind_of_code(str_of(code)),
                                .status = BAD_REQUEST,
                                .code = str_of(code),
                                .message = str_of(code)};
    return NULL;
}

/* ---- templates ---- */

static bool has_template(const struct world *world, struct str name)
{
    for (size_t i = 0; i < world->templates.n; i++) {
        if (str_eq(text_str(&world->templates.v[i]), name)) {
            return true;
        }
    }
    return false;
}

static const void *create_template(struct world *world,
                                   const struct ec2_create_launch_template_request *request,
                                   struct arena *arena, struct aws_fault *fault)
{
    if (has_template(world, request->launch_template_name)) {
        return refuse(fault, "InvalidLaunchTemplateName.AlreadyExistsException");
    }
    VEC_PUSH(&world->arena, &world->templates, text_of(request->launch_template_name));
    return ARENA_NEW(arena, struct ec2_create_launch_template_result);
}

/* ---- fleets ---- */

static const struct instance *by_token(const struct world *world, struct str token)
{
    for (size_t i = 0; token.n > 0 && i < world->instances.n; i++) {
        if (str_eq(text_str(&world->instances.v[i].token), token)) {
            return &world->instances.v[i];
        }
    }
    return NULL;
}

static struct ec2_launch_template_and_overrides_response *
overrides_of(struct arena *arena, struct str type, struct str zone, struct str image,
             struct str subnet)
{
    struct ec2_launch_template_and_overrides_response *response =
        ARENA_NEW(arena, struct ec2_launch_template_and_overrides_response);
    response->overrides = ARENA_NEW(arena, struct ec2_fleet_launch_template_overrides);
    response->overrides->instance_type = str_copy(arena, type);
    response->overrides->availability_zone = str_copy(arena, zone);
    response->overrides->image_id = str_copy(arena, image);
    response->overrides->subnet_id = str_copy(arena, subnet);
    return response;
}

static const void *say_instance(const struct instance *instance, struct arena *arena)
{
    struct ec2_create_fleet_result *result = ARENA_NEW(arena, struct ec2_create_fleet_result);
    struct ec2_create_fleet_instance *got = ARENA_ARRAY(arena, struct ec2_create_fleet_instance, 1);
    struct str *ids = ARENA_ARRAY(arena, struct str, 1);
    ids[0] = str_copy(arena, text_str(&instance->id));
    got->instance_ids = (struct aws_texts){.v = ids, .n = 1};
    got->instance_type = str_copy(arena, text_str(&instance->type));
    got->lifecycle = str_copy(arena, text_str(&instance->capacity_type));
    got->launch_template_and_overrides =
        overrides_of(arena, text_str(&instance->type), text_str(&instance->zone),
                     text_str(&instance->image_id), text_str(&instance->subnet_id));
    result->fleet_id = str_copy(arena, text_str(&instance->token));
    result->instances.v = got;
    result->instances.n = 1;
    return result;
}

static struct str tag_of(const struct ec2_create_fleet_request *request, const char *key)
{
    for (size_t i = 0; i < request->tag_specifications.n; i++) {
        const struct ec2_tag_specification *s = &request->tag_specifications.v[i];
        for (size_t k = 0; str_eq(s->resource_type, STR("instance")) && k < s->tags.n; k++) {
            if (str_eq(s->tags.v[k].key, str_of(key))) {
                return s->tags.v[k].value;
            }
        }
    }
    return STR_EMPTY;
}

static const struct instance *launch(struct world *world,
                                     const struct ec2_create_fleet_request *request,
                                     const struct ec2_fleet_launch_template_overrides_request *o,
                                     struct str capacity, usd_t price)
{
    char id[32];
    (void)snprintf(id, sizeof id, "i-%017llx", (unsigned long long)++world->n_instances);
    const bool wrong = world->now < world->scenario.faults_until && world->scenario.faults > 0;
    const bool slow = wrong && rng_below(&world->rng, SLOW_ONE_IN) == 0;
    const mono_t node_at =
        world->now + world_between(world, 25 * SECOND, 60 * SECOND) + (slow ? (mono_t)SLOW_MS : 0);
    VEC_PUSH(&world->arena, &world->instances,
             ((struct instance){.id = text_of(str_of(id)),
                                .type = text_of(o->instance_type),
                                .zone = text_of(o->availability_zone),
                                .capacity_type = text_of(capacity),
                                .image_id = text_of(o->image_id),
                                .subnet_id = text_of(o->subnet_id),
                                .token = text_of(request->client_token),
                                .claim = text_of(tag_of(request, "karpenter.sh/nodeclaim")),
                                .claim_uid = text_of(tag_of(request, "binpack/nodeclaim-uid")),
                                .pool = text_of(tag_of(request, "karpenter.sh/nodepool")),
                                .launched = world->now,
                                .visible = world->now + world_between(world, 0, VISIBLE_MS),
                                .node_at = node_at,
                                .ready_at = node_at + world_between(world, 5 * SECOND, 20 * SECOND),
                                .price = price}));
    world->report.n_launches++;
    world_note(world, "launched: " STR_FMT " " STR_FMT " " STR_FMT " for " STR_FMT,
               STR_ARG(o->instance_type), STR_ARG(capacity), STR_ARG(o->availability_zone),
               STR_ARG(tag_of(request, "karpenter.sh/nodeclaim")));
    world->promises_moved = true;
    return &world->instances.v[world->instances.n - 1];
}

/* The cheapest override that can be had; for each other one an error, as EC2 says them. */
static const void *create_fleet(struct world *world, const struct ec2_create_fleet_request *request,
                                struct arena *arena, struct aws_fault *fault)
{
    const struct str capacity =
        request->target_capacity_specification->default_target_capacity_type;
    const struct ec2_fleet_launch_template_overrides_request *best = NULL;
    struct opt_usd best_price = {.has = false};
    VEC(struct ec2_create_fleet_error) errors = {0};
    const struct instance *before = by_token(world, request->client_token);
    if (before != NULL) {
        return say_instance(before, arena);
    }
    for (size_t c = 0; c < request->launch_template_configs.n; c++) {
        const struct ec2_fleet_launch_template_config_request *config =
            &request->launch_template_configs.v[c];
        if (!has_template(world, config->launch_template_specification->launch_template_name)) {
            return refuse(fault, "InvalidLaunchTemplateName.NotFoundException");
        }
        for (size_t i = 0; i < config->overrides.n; i++) {
            const struct ec2_fleet_launch_template_overrides_request *o = &config->overrides.v[i];
            const struct opt_usd price =
                market_price(world, o->instance_type, o->availability_zone, capacity);
            if (market_is_dry(world, o->instance_type, o->availability_zone, capacity) ||
                !price.has) {
                VEC_PUSH(
                    arena, &errors,
                    ((struct ec2_create_fleet_error){
                        .launch_template_and_overrides =
                            overrides_of(arena, o->instance_type, o->availability_zone, o->image_id,
                                         o->subnet_id),
                        .lifecycle = str_copy(arena, capacity),
                        .error_code = STR("InsufficientInstanceCapacity"),
                        .error_message = STR("We currently do not have sufficient capacity")}));
            } else if (!best_price.has || price.v < best_price.v) {
                best = o;
                best_price = price;
            }
        }
    }
    if (best != NULL) {
        return say_instance(launch(world, request, best, capacity, best_price.v), arena);
    }
    struct ec2_create_fleet_result *result = ARENA_NEW(arena, struct ec2_create_fleet_result);
    result->errors.v = errors.v;
    result->errors.n = errors.n;
    return result;
}

/* ---- instances ---- */

static const char *state_name(const struct instance *instance)
{
    static const char *const names[] = {[INSTANCE_PENDING] = "pending",
                                        [INSTANCE_RUNNING] = "running",
                                        [INSTANCE_SHUTTING_DOWN] = "shutting-down",
                                        [INSTANCE_GONE] = "terminated"};
    return names[instance->stage];
}

static void describe(struct arena *arena, const struct instance *from, struct ec2_instance *to)
{
    const bool spot = str_eq(text_str(&from->capacity_type), STR("spot"));
    to->instance_id = str_copy(arena, text_str(&from->id));
    to->instance_type = str_copy(arena, text_str(&from->type));
    to->image_id = str_copy(arena, text_str(&from->image_id));
    to->subnet_id = str_copy(arena, text_str(&from->subnet_id));
    to->instance_lifecycle = spot ? STR("spot") : STR_EMPTY;
    to->placement = ARENA_NEW(arena, struct ec2_placement);
    to->placement->availability_zone = str_copy(arena, text_str(&from->zone));
    to->state = ARENA_NEW(arena, struct ec2_instance_state);
    to->state->name = str_of(state_name(from));
    to->tags.v = ARENA_ARRAY(arena, struct ec2_tag, 3);
    to->tags.v[0] = (struct ec2_tag){.key = STR("karpenter.sh/nodeclaim"),
                                     .value = str_copy(arena, text_str(&from->claim))};
    to->tags.v[1] = (struct ec2_tag){.key = STR("karpenter.sh/nodepool"),
                                     .value = str_copy(arena, text_str(&from->pool))};
    to->tags.v[2] = (struct ec2_tag){.key = STR("binpack/nodeclaim-uid"),
                                     .value = str_copy(arena, text_str(&from->claim_uid))};
    to->tags.n = 3;
}

static bool is_one_of(struct str value, const struct aws_texts *values)
{
    for (size_t i = 0; i < values->n; i++) {
        if (str_eq(values->v[i], value)) {
            return true;
        }
    }
    return false;
}

static bool passes(const struct instance *instance,
                   const struct ec2_describe_instances_request *request)
{
    for (size_t i = 0; i < request->filters.n; i++) {
        const struct ec2_filter *f = &request->filters.v[i];
        const struct str value =
            str_eq(f->name, STR("tag:karpenter.sh/nodeclaim")) ? text_str(&instance->claim)
            : str_eq(f->name, STR("instance-state-name"))      ? str_of(state_name(instance))
            : str_eq(f->name, STR("tag:eks:eks-cluster-name")) ? STR("sandbox")
                                                               : STR_EMPTY;
        if (!is_one_of(value, &f->values)) {
            return false;
        }
    }
    return true;
}

/* While things go wrong, now and then a list of all leaves one out whose machine is not ready yet,
 * as EC2 does while its parts do not agree; not the next list, too. NULL: none. */
static const struct instance *left_out(struct world *world, bool all)
{
    const struct instance *chosen = NULL;
    uint32_t n = 0;
    const bool wrong = world->now < world->scenario.faults_until && world->scenario.faults > 0;
    if (!all || !wrong || world->now < world->whole_until ||
        rng_below(&world->rng, 1000) >= LEFT_OUT_PER_THOUSAND) {
        return NULL;
    }
    for (size_t i = 0; i < world->instances.n; i++) {
        const struct instance *instance = &world->instances.v[i];
        if (ec2_is_alive(instance) && !instance->is_ready) {
            chosen = rng_below(&world->rng, ++n) == 0 ? instance : chosen;
        }
    }
    world->whole_until = chosen == NULL ? 0 : world->now + WHOLE_MS;
    return chosen;
}

static const void *describe_instances(struct world *world,
                                      const struct ec2_describe_instances_request *request,
                                      struct arena *arena, struct aws_fault *fault)
{
    struct ec2_describe_instances_result *result =
        ARENA_NEW(arena, struct ec2_describe_instances_result);
    struct ec2_reservation *reservation = ARENA_ARRAY(arena, struct ec2_reservation, 1);
    struct ec2_instance *found = ARENA_ARRAY(arena, struct ec2_instance, world->instances.n);
    const struct aws_texts ids = {.v = request->instance_ids.v, .n = request->instance_ids.n};
    const struct instance *without = left_out(world, ids.n == 0);
    size_t n = 0;
    for (size_t i = 0; i < world->instances.n; i++) {
        const struct instance *instance = &world->instances.v[i];
        const bool named = ids.n == 0 || is_one_of(text_str(&instance->id), &ids);
        if (named && instance != without && instance->visible <= world->now &&
            passes(instance, request)) {
            describe(arena, instance, &found[n++]);
        }
    }
    if (n < ids.n) {
        return refuse(fault, "InvalidInstanceID.NotFound");
    }
    reservation->instances.v = found;
    reservation->instances.n = n;
    result->reservations.v = reservation;
    result->reservations.n = n > 0;
    return result;
}

static const void *terminate_instances(struct world *world,
                                       const struct ec2_terminate_instances_request *request,
                                       struct arena *arena, struct aws_fault *fault)
{
    const struct aws_texts ids = {.v = request->instance_ids.v, .n = request->instance_ids.n};
    size_t n = 0;
    for (size_t i = 0; i < world->instances.n; i++) {
        n += is_one_of(text_str(&world->instances.v[i].id), &ids) &&
             world->instances.v[i].visible <= world->now;
    }
    if (n < ids.n) {
        return refuse(fault, "InvalidInstanceID.NotFound");
    }
    for (size_t i = 0; i < world->instances.n; i++) {
        struct instance *instance = &world->instances.v[i];
        if (is_one_of(text_str(&instance->id), &ids) && ec2_is_alive(instance)) {
            invariants_terminate(world, instance);
            ec2_end(world, instance);
            world->report.n_terminations++;
            world_note(world, "terminated: " STR_FMT, STR_ARG(text_str(&instance->claim)));
        }
    }
    return ARENA_NEW(arena, struct ec2_terminate_instances_result);
}

bool ec2_has_refused(const struct aws_operation *operation, const void *reply)
{
    const struct ec2_create_fleet_result *fleet = reply;
    return reply == NULL || (operation == &aws_ec2_create_fleet && fleet->instances.n == 0);
}

const void *ec2_call(struct world *world, const struct aws_operation *operation,
                     const void *request, struct arena *arena, struct aws_fault *ret_fault)
{
    *ret_fault = (struct aws_fault){.kind = AWS_FAULT_NONE};
    return operation == &aws_ec2_create_fleet ? create_fleet(world, request, arena, ret_fault)
           : operation == &aws_ec2_create_launch_template
               ? create_template(world, request, arena, ret_fault)
           : operation == &aws_ec2_describe_instances
               ? describe_instances(world, request, arena, ret_fault)
               : terminate_instances(world, request, arena, ret_fault);
}

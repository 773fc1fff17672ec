/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What CreateFleet has said: an instance; or which offerings cannot be had, and the claim goes so
 * that its pods are planned for without them; or what a person must see to, and it is tried again.
 */
#include "provisioner/lifecycle/fleet_error.h"
#include "provisioner/lifecycle/launch_impl.h"

enum { MESSAGE_MAX = 300 /* (karp: message truncation) */ };

static struct unavailable_offering offering_of(const struct lifecycle_view *view, struct str type,
                                               struct str zone, struct str capacity_type)
{
    const strid name = strtab_find(view->tab, type);
    const struct cat_type *known =
        name == STRID_NONE ? NULL : cat_find(view->catalog, view->tab, name);
    return (struct unavailable_offering){.type = type,
                                         .zone = zone,
                                         .capacity_type = capacity_type,
                                         .vcpu = known == NULL ? 0 : known->vcpu};
}

void fleet_say_failure(const struct lifecycle_view *view, struct life *life,
                       const struct karp_nodeclaim *claim, struct str reason, struct str message)
{
    struct conditions conditions = life_conditions(view, claim);
    struct strbuf text = strbuf_new(view->out->arena, MESSAGE_MAX + 3);
    if (str_eq(conditions_reason(&conditions, STR("Launched")), reason)) {
        return;
    }
    strbuf_add(&text, str_sub(message, 0, MESSAGE_MAX));
    strbuf_add(&text, message.n > MESSAGE_MAX ? STR("...") : STR_EMPTY);
    conditions_set(&conditions, STR("Launched"), STR("Unknown"), reason, strbuf_str(&text));
    life_write_conditions(view, life, claim, &conditions);
}

/* Not before a while, each time twice as long, whatever else happens to the claim. */
static void later(const struct lifecycle_view *view, struct life *life)
{
    const int64_t twice = life->retry_ms == 0 ? (int64_t)BACKOFF_MIN_MS : 2 * life->retry_ms;
    life->retry_ms = twice < BACKOFF_MAX_MS ? twice : (int64_t)BACKOFF_MAX_MS;
    life->retry_at = sat_add(view->now.mono, life->retry_ms);
    life->due = life->retry_at;
}

/* ---- nothing to be had ---- */

static void give_up(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                    const struct karp_nodeclaim *claim)
{
    l->counts.n_no_capacity++;
    life->none = true;
    life->given_up = true;
    life_end(view, life, claim, "insufficient_capacity");
}

void fleet_nothing_suits(struct lifecycle *l, const struct request *r, struct life *life,
                         struct str message)
{
    l->counts.n_no_capacity++;
    life->none = r->attempt == 0 || life->used_up; /* else a call of before may have given one */
    life->given_up = true;
    fleet_say_failure(r->view, life, r->claim, STR("InsufficientCapacity"), message);
    if (life->wait == LIFE_FREE) { /* said already */
        life_end(r->view, life, r->claim, "insufficient_capacity");
    }
}

bool fleet_is_hopeless(struct lifecycle *l, const struct request *r, struct life *life)
{
    for (size_t c = 0; c < r->configs.n; c++) {
        for (size_t i = 0; i < r->configs.v[c].overrides.n; i++) {
            const struct ec2_fleet_launch_template_overrides_request *o =
                &r->configs.v[c].overrides.v[i];
            const struct unavailable_offering offering =
                offering_of(r->view, o->instance_type, o->availability_zone, r->capacity_type);
            if (!unavailable_is(l->unavailable, &offering, r->view->now.mono)) {
                return false;
            }
        }
    }
    give_up(l, r->view, life, r->claim);
    return true;
}

/* Where the answer does not say which: all that were asked for. */
static void mark_all(struct lifecycle *l, const struct lifecycle_view *view,
                     const struct karp_nodeclaim *claim, enum unavailable_why why)
{
    struct request r = {.view = view, .claim = claim, .arena = view->out->arena};
    struct err err;
    if (!request_make(l, &r, &err)) {
        return;
    }
    for (size_t c = 0; c < r.configs.n; c++) {
        for (size_t i = 0; i < r.configs.v[c].overrides.n; i++) {
            const struct ec2_fleet_launch_template_overrides_request *o =
                &r.configs.v[c].overrides.v[i];
            const struct unavailable_offering offering =
                offering_of(view, o->instance_type, o->availability_zone, r.capacity_type);
            unavailable_mark(l->unavailable, &offering, why, view->now.mono);
        }
    }
}

static const struct ec2_fleet_launch_template_overrides *
overrides_of(const struct ec2_launch_template_and_overrides_response *response)
{
    return response == NULL ? NULL : response->overrides;
}

/* True when every error is one of capacity. */
static bool take_errors(struct lifecycle *l, const struct lifecycle_view *view,
                        const struct karp_nodeclaim *claim,
                        const struct ec2_create_fleet_result *result)
{
    const struct str wanted = request_capacity_type(l, view, claim);
    bool all = result->errors.n > 0;
    for (size_t i = 0; i < result->errors.n; i++) {
        const struct ec2_create_fleet_error *error = &result->errors.v[i];
        const struct ec2_fleet_launch_template_overrides *o =
            overrides_of(error->launch_template_and_overrides);
        const enum fleet_effect effect =
            fleet_error_of(error->error_code, error->error_message).effect;
        const enum unavailable_why why = effect == FLEET_QUOTA     ? UNAVAILABLE_QUOTA
                                         : effect == FLEET_NO_ROLE ? UNAVAILABLE_ROLE
                                                                   : UNAVAILABLE_CAPACITY;
        if (!fleet_effect_is_capacity(effect)) {
            all = false;
        } else if (o == NULL || o->instance_type.n == 0 || o->availability_zone.n == 0) {
            mark_all(l, view, claim, why);
        } else {
            const struct unavailable_offering offering =
                offering_of(view, o->instance_type, o->availability_zone,
                            error->lifecycle.n > 0 ? error->lifecycle : wanted);
            unavailable_mark(l->unavailable, &offering, why, view->now.mono);
        }
    }
    return all;
}

/* The fleet gave nothing at all: that says something of the neighbours, too. */
static void spread(struct lifecycle *l, const struct lifecycle_view *view,
                   const struct karp_nodeclaim *claim)
{
    const struct str capacity_type = request_capacity_type(l, view, claim);
    for (uint32_t z = 0; z < view->catalog->n_zones; z++) {
        unavailable_spread(l->unavailable, strtab_str(view->tab, view->catalog->zones[z].name),
                           capacity_type, view->now.mono);
    }
}

/* ---- an instance ---- */

static bool take_instance(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                          const struct ec2_create_fleet_instance *got)
{
    const struct ec2_fleet_launch_template_overrides *o =
        overrides_of(got->launch_template_and_overrides);
    if (got->instance_ids.n == 0 || o == NULL) {
        return false;
    }
    const struct unavailable_offering offering =
        offering_of(view, got->instance_type, o->availability_zone, got->lifecycle);
    life->has_instance = true;
    life->instance_id = life_text_of(got->instance_ids.v[0]);
    life->type = life_text_of(got->instance_type);
    life->zone = life_text_of(o->availability_zone);
    life->image_id = life_text_of(o->image_id);
    life->capacity_type = life_text_of(got->lifecycle);
    life->retry_ms = 0;
    unavailable_had(l->unavailable, &offering, view->now.mono);
    return true;
}

static void on_result(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                      const struct karp_nodeclaim *claim,
                      const struct ec2_create_fleet_result *result)
{
    const struct str pool = life_pool(view, claim);
    const uint64_t version = unavailable_version(l->unavailable);
    const bool no_capacity = take_errors(l, view, claim, result);
    for (size_t i = 0; i < result->instances.n; i++) {
        if (take_instance(l, view, life, &result->instances.v[i])) {
            pause_launched(l->pause, pool);
            return;
        }
    }
    life->used_up = true;
    life->looking_since = INT64_MAX;
    pause_failed(l->pause, pool, unavailable_version(l->unavailable) != version, view->now.mono);
    if (no_capacity) {
        spread(l, view, claim);
        give_up(l, view, life, claim);
        return;
    }
    l->counts.n_failed++;
    later(view, life);
    for (size_t i = 0; i < result->errors.n; i++) {
        const struct ec2_create_fleet_error *error = &result->errors.v[i];
        const struct fleet_error means = fleet_error_of(error->error_code, error->error_message);
        if (!fleet_effect_is_capacity(means.effect)) {
            fleet_say_failure(view, life, claim, means.reason, error->error_message);
            return;
        }
    }
    fleet_say_failure(view, life, claim, STR("LaunchFailed"),
                      STR("EC2 has given neither an instance nor an error"));
}

/* ---- a call that failed ---- */

static void on_fault(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                     const struct karp_nodeclaim *claim, const struct aws_fault *fault)
{
    const struct fleet_error means = fleet_error_of(fault->code, fault->message);
    const bool of_fleet = life->wait == LIFE_FLEET;
    later(view, life);
    if (means.effect == FLEET_NO_TEMPLATE) {
        l->templates.n = 0;
        return;
    }
    if (fault->maybe_done && of_fleet) {
        life->sure = false; /* looked for before the same is asked for again */
        life->looking_since = view->now.mono;
        return;
    }
    if (aws_fault_is_retryable(fault->kind)) {
        if (fault->code.n > 0) {
            fleet_say_failure(view, life, claim, means.reason, fault->message);
        }
        return;
    }
    life->used_up = of_fleet;
    pause_failed(l->pause, life_pool(view, claim), /* taught= */ false, view->now.mono);
    if (of_fleet && fleet_effect_is_capacity(means.effect)) {
        mark_all(l, view, claim,
                 means.effect == FLEET_NO_ROLE ? UNAVAILABLE_ROLE
                 : means.effect == FLEET_QUOTA ? UNAVAILABLE_QUOTA
                                               : UNAVAILABLE_CAPACITY);
        give_up(l, view, life, claim);
        return;
    }
    l->counts.n_failed++;
    fleet_say_failure(view, life, claim, means.reason, fault->message);
}

void fleet_reply(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                 const struct karp_nodeclaim *claim, const struct event *event)
{
    if (event->reply == NULL) {
        on_fault(l, view, life, claim, &event->fault);
    } else if (life->wait == LIFE_FLEET) {
        on_result(l, view, life, claim, event->reply);
    }
}

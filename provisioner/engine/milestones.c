/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/engine/milestones.h"

#include "awsapi/service_ec2.h"
#include "binpack/scheduling/vocab.h"
#include "k8s/codec.h"
#include "provisioner/engine/engine_impl.h"
#include "provisioner/engine/line.h"
#include "provisioner/engine/tell.h"
#include "provisioner/lifecycle/fleet_error.h"

enum { TYPES_SAID = 5 /* (karp: InstanceTypeList) */, MS = 1000 };

static const char life_controller[] = "nodeclaim.lifecycle";

/* ---- reading objects ---- */

static struct str text_of(const struct engine *engine, strid id)
{
    return id == STRID_NONE ? STR_EMPTY : strtab_str(engine->words.tab, id);
}

static struct str label_of(const struct engine *engine, const struct k8s_meta *meta, strid key)
{
    return text_of(engine, k8s_pairs_get(&meta->labels, key));
}

static bool is_true(const struct engine *engine, const struct karp_nodeclaim *claim,
                    const char *type)
{
    const strid id = strtab_find(engine->words.tab, str_of(type));
    const struct k8s_condition *condition =
        id == STRID_NONE ? NULL : k8s_conditions_find(&claim->conditions, id);
    return condition != NULL && condition->status == engine->words.words.s_true;
}

static bool is_tainted(const struct engine *engine, const struct k8s_node *node)
{
    const strid key = strtab_find(engine->words.tab, STR("karpenter.sh/disrupted"));
    for (uint32_t i = 0; i < node->n_taints; i++) {
        if (node->taints[i].key == key) {
            return true;
        }
    }
    return false;
}

static const struct karp_nodeclaim *claim_of_node(const struct engine *engine,
                                                  const struct k8s_node *node)
{
    for (uint32_t i = 0; i < k8s_state_count(engine->state, STORE_NODECLAIMS); i++) {
        const struct karp_nodeclaim *claim = k8s_state_at(engine->state, STORE_NODECLAIMS, i);
        if (claim->provider_id.n > 0 && str_eq(claim->provider_id, node->provider_id)) {
            return claim;
        }
    }
    return NULL;
}

static uint32_t reached(const struct engine *engine, const struct event *event)
{
    static const struct {
        const char *condition;
        uint32_t flag;
    } rows[] = {{"Launched", MILESTONE_LAUNCHED},
                {"Registered", MILESTONE_REGISTERED},
                {"Initialized", MILESTONE_INITIALIZED}};
    const void *object = k8s_state_find(engine->state, event->kind, &event->delta.id);
    uint32_t set = object == NULL ? 0 : MILESTONE_THERE;
    if (object != NULL && event->kind->store == STORE_NODES) {
        const struct k8s_node *node = object;
        set |= node->meta.deleted.has ? MILESTONE_DELETED : 0;
        set |= is_tainted(engine, node) ? MILESTONE_TAINTED : 0;
    } else if (object != NULL) {
        const struct karp_nodeclaim *claim = object;
        set |= claim->meta.deleted.has ? MILESTONE_DELETED : 0;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            set |= is_true(engine, claim, rows[i].condition) ? rows[i].flag : 0;
        }
    }
    return set;
}

/* ---- lines ---- */

static void put_resources(const struct engine *engine, struct line *line, struct arena *arena,
                          const char *key, const struct k8s_resources *resources)
{
    const struct codec_out out = {
        .arena = arena, .tab = engine->words.tab, .words = &engine->words.words};
    auto_json *value = codec_resources(&out, resources);
    jsonw_key(&line->w, str_of(key));
    jsonw_json(&line->w, value);
}

/* "m5.large, m5.xlarge and 58 other(s)" of the claim's requirements. */
static void put_types(const struct engine *engine, struct line *line, struct arena *arena,
                      const struct karp_nodeclaim *claim)
{
    struct strbuf b = strbuf_new(arena, ACTION_FIELDS_MAX);
    for (uint32_t i = 0; i < claim->n_requirements; i++) {
        const struct k8s_requirement *r = &claim->requirements[i];
        if (r->key != engine->words.words.instance_type || r->op != K8S_IN) {
            continue;
        }
        for (uint32_t v = 0; v < r->values.n && v < TYPES_SAID; v++) {
            strbuf_add(&b, v > 0 ? STR(", ") : STR_EMPTY);
            strbuf_add(&b, text_of(engine, r->values.v[v]));
        }
        if (r->values.n > TYPES_SAID) {
            strbuf_addf(&b, " and %u other(s)", r->values.n - TYPES_SAID);
        }
    }
    line_text(line, "instance-types", strbuf_str(&b));
}

static void begin(const struct karp_nodeclaim *claim, struct line *line, struct actions *actions)
{
    line_begin(line, actions->arena);
    line_object(line, "NodeClaim", claim->meta.name);
    line_text(line, "provider-id", claim->provider_id);
}

static void say(struct line *line, struct actions *actions, const char *message)
{
    line_end(line, actions, ACTION_INFO, message, life_controller);
}

/* ---- NodeClaims ---- */

/* Whether its nodes come is told to the NodePool that has made the claim, and to no other of its
 * name (karp: ownerReferences). */
static void tell_pool(struct engine *engine, const struct karp_nodeclaim *claim, bool good,
                      struct str reason, struct str message)
{
    const struct str name = label_of(engine, &claim->meta, engine->words.words.nodepool);
    for (uint32_t i = 0; i < claim->meta.n_owners; i++) {
        if (pools_is(engine->pools, name, claim->meta.owners[i].uid)) {
            pools_launched(engine->pools, name, good, reason, message);
            return;
        }
    }
}

/* One that has taken too long: with what its condition says of the launch. */
static void tell_late(struct engine *engine, const struct karp_nodeclaim *claim)
{
    const strid id = strtab_find(engine->words.tab, STR("Launched"));
    const struct k8s_condition *launched =
        id == STRID_NONE ? NULL : k8s_conditions_find(&claim->conditions, id);
    if (is_true(engine, claim, "Registered")) {
        return; /* its Node was taken away: it had come */
    }
    if (is_true(engine, claim, "Launched")) {
        tell_pool(engine, claim, /* good= */ false, STR("RegistrationFailed"),
                  STR("Failed to register node"));
    } else if (launched != NULL) {
        tell_pool(engine, claim, /* good= */ false, text_of(engine, launched->reason),
                  launched->message);
    }
}

static void created(struct engine *engine, const struct karp_nodeclaim *claim,
                    struct actions *actions)
{
    const struct k8s_words *words = &engine->words.words;
    const struct str pool = label_of(engine, &claim->meta, words->nodepool);
    const struct str labels[] = {STR("provisioned"), pool, STR("false")};
    struct line line;
    for (size_t i = 0; i < engine->creating.n; i++) {
        const struct claim_wanted *wanted = engine->creating.v[i].claim;
        if (!str_eq(wanted->name, claim->meta.name)) {
            continue;
        }
        metrics_add(engine->metrics, METRIC_NODECLAIMS_CREATED, labels, 1);
        line_begin(&line, actions->arena);
        line_object(&line, "NodePool", pool);
        line_object(&line, "NodeClaim", claim->meta.name);
        put_resources(engine, &line, actions->arena, "requests", &claim->requests);
        put_types(engine, &line, actions->arena, claim);
        jsonw_key_usd(&line.w, "usdPerHour", wanted->price);
        line_end(&line, actions, ACTION_INFO, "created nodeclaim", "provisioner");
    }
}

static void launched(struct engine *engine, const struct karp_nodeclaim *claim, struct moment now,
                     struct actions *actions)
{
    const struct k8s_words *words = &engine->words.words;
    struct line line;
    begin(claim, &line, actions);
    line_text(&line, "instance-type", label_of(engine, &claim->meta, words->instance_type));
    line_text(&line, "zone", label_of(engine, &claim->meta, words->zone));
    line_text(&line, "capacity-type", label_of(engine, &claim->meta, words->capacity_type));
    put_resources(engine, &line, actions->arena, "allocatable", &claim->allocatable);
    say(&line, actions, "launched nodeclaim");
    tell_condition(engine, claim, "Launched", now, actions);
}

static void registered(struct engine *engine, const struct karp_nodeclaim *claim, struct moment now,
                       struct actions *actions)
{
    const struct k8s_words *words = &engine->words.words;
    const struct str labels[] = {label_of(engine, &claim->meta, words->nodepool),
                                 label_of(engine, &claim->meta, words->zone)};
    struct line line;
    metrics_add(engine->metrics, METRIC_NODES_CREATED, labels, 1);
    tell_pool(engine, claim, /* good= */ true, STR_EMPTY, STR_EMPTY);
    begin(claim, &line, actions);
    line_object(&line, "Node", claim->node_name);
    say(&line, actions, "registered nodeclaim");
    tell_condition(engine, claim, "Registered", now, actions);
}

static void initialized(struct engine *engine, const struct karp_nodeclaim *claim,
                        struct moment now, struct actions *actions)
{
    struct line line;
    begin(claim, &line, actions);
    line_object(&line, "Node", claim->node_name);
    put_resources(engine, &line, actions->arena, "allocatable", &claim->allocatable);
    say(&line, actions, "initialized nodeclaim");
    tell_condition(engine, claim, "Initialized", now, actions);
}

/* Deleted by this program: why. What somebody else has deleted is no disruption of ours. */
static void ended(struct engine *engine, const struct karp_nodeclaim *claim, struct moment now,
                  struct actions *actions)
{
    const struct k8s_words *words = &engine->words.words;
    const char *reason = lifecycle_reason(engine->lifecycle, claim->meta.name);
    if (reason == NULL) {
        return;
    }
    const struct str labels[] = {str_of(reason), label_of(engine, &claim->meta, words->nodepool),
                                 label_of(engine, &claim->meta, words->capacity_type), STR_EMPTY,
                                 STR_EMPTY};
    struct line line;
    metrics_add(engine->metrics, METRIC_NODECLAIMS_DISRUPTED, labels, 1);
    if (str_eq(labels[0], STR("launch_timeout")) ||
        str_eq(labels[0], STR("registration_timeout"))) {
        tell_late(engine, claim);
    }
    if (str_eq(labels[0], STR("insufficient_capacity"))) {
        tell_no_capacity(engine, claim, now, actions);
    }
    begin(claim, &line, actions);
    line_text(&line, "reason", str_of(reason));
    say(&line, actions, "terminating nodeclaim");
}

static void claim_gone(struct engine *engine, const struct karp_nodeclaim *claim, struct moment now,
                       struct actions *actions)
{
    const struct k8s_words *words = &engine->words.words;
    const struct str labels[] = {label_of(engine, &claim->meta, words->nodepool),
                                 label_of(engine, &claim->meta, words->capacity_type),
                                 label_of(engine, &claim->meta, words->zone)};
    struct line line;
    metrics_add(engine->metrics, METRIC_NODECLAIMS_TERMINATED, labels, 1);
    begin(claim, &line, actions);
    line_object(&line, "Node", claim->node_name);
    if (claim->meta.deleted.has) {
        const int64_t took_ms = sat_sub(now.wall, claim->meta.deleted.v);
        metrics_observe(engine->metrics, METRIC_NODECLAIMS_TERMINATION, labels,
                        sat_mul(took_ms > 0 ? took_ms : 0, MS));
        line_duration(&line, "duration", took_ms > 0 ? took_ms : 0);
    }
    say(&line, actions, "deleted nodeclaim");
}

/* ---- Nodes ---- */

static void begin_node(struct engine *engine, const struct k8s_node *node, struct line *line,
                       struct actions *actions)
{
    const struct karp_nodeclaim *claim = claim_of_node(engine, node);
    line_begin(line, actions->arena);
    line_object(line, "Node", node->meta.name);
    if (claim != NULL) {
        line_object(line, "NodeClaim", claim->meta.name);
    }
    line_text(line, "provider-id", node->provider_id);
}

static void tainted(struct engine *engine, const struct k8s_node *node, struct actions *actions)
{
    struct line line;
    begin_node(engine, node, &line, actions);
    line_text(&line, "taint.Key", STR("karpenter.sh/disrupted"));
    line_text(&line, "taint.Value", STR_EMPTY);
    line_text(&line, "taint.Effect", STR("NoSchedule"));
    line_end(&line, actions, ACTION_INFO, "tainted node", "node.termination");
}

static void node_gone(struct engine *engine, const struct k8s_node *node, struct moment now,
                      struct actions *actions)
{
    const struct k8s_words *words = &engine->words.words;
    const struct str labels[] = {label_of(engine, &node->meta, words->nodepool),
                                 label_of(engine, &node->meta, words->zone)};
    struct line line;
    if (labels[0].n == 0) {
        return; /* nobody's that we know of */
    }
    metrics_add(engine->metrics, METRIC_NODES_TERMINATED, labels, 1);
    begin_node(engine, node, &line, actions);
    if (node->meta.deleted.has) {
        const int64_t took_ms = sat_sub(now.wall, node->meta.deleted.v);
        metrics_observe(engine->metrics, METRIC_NODES_TERMINATION, labels,
                        sat_mul(took_ms > 0 ? took_ms : 0, MS));
        line_duration(&line, "duration", took_ms > 0 ? took_ms : 0);
    }
    line_end(&line, actions, ACTION_INFO, "deleted node", "node.termination");
}

/* ---- what changes ---- */

static bool is_told(const struct engine *engine, const struct event *event)
{
    return full_may_act(engine) &&
           (event->kind->store == STORE_NODECLAIMS || event->kind->store == STORE_NODES);
}

uint32_t milestones_before(struct engine *engine, const struct event *event, struct moment now,
                           struct actions *actions)
{
    if (!is_told(engine, event)) {
        return 0;
    }
    const void *object = k8s_state_find(engine->state, event->kind, &event->delta.id);
    if (object != NULL && event->delta.change == K8S_DELETED) {
        if (event->kind->store == STORE_NODES) {
            node_gone(engine, object, now, actions);
        } else {
            claim_gone(engine, object, now, actions);
        }
    }
    return reached(engine, event);
}

static void claim_changed(struct engine *engine, const struct karp_nodeclaim *claim, uint32_t news,
                          struct moment now, struct actions *actions)
{
    static const struct {
        uint32_t flag;
        void (*say)(struct engine *engine, const struct karp_nodeclaim *claim, struct moment now,
                    struct actions *actions);
    } rows[] = {{MILESTONE_LAUNCHED, launched},
                {MILESTONE_REGISTERED, registered},
                {MILESTONE_INITIALIZED, initialized},
                {MILESTONE_DELETED, ended}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((news & rows[i].flag) != 0) {
            rows[i].say(engine, claim, now, actions);
        }
    }
}

void milestones_after(struct engine *engine, const struct event *event, uint32_t before,
                      struct moment now, struct actions *actions)
{
    const void *object = is_told(engine, event)
                             ? k8s_state_find(engine->state, event->kind, &event->delta.id)
                             : NULL;
    if (object == NULL) {
        return;
    }
    const uint32_t news = reached(engine, event) & ~before;
    if (event->kind->store == STORE_NODES) {
        if ((before & MILESTONE_THERE) != 0 && (news & MILESTONE_TAINTED) != 0) {
            tainted(engine, object, actions);
        }
    } else if ((before & MILESTONE_THERE) != 0) {
        claim_changed(engine, object, news, now, actions);
    } else {
        created(engine, object, actions);
    }
}

/* ---- launches that failed ---- */

static void count_error(struct engine *engine, struct str code)
{
    const struct str label = code.n > 0 ? code : STR("none");
    metrics_add(engine->metrics, METRIC_LAUNCH_ERRORS, &label, 1);
}

static bool is_short(const struct ec2_create_fleet_result *result)
{
    bool all = result->errors.n > 0;
    for (size_t i = 0; i < result->errors.n; i++) {
        const struct ec2_create_fleet_error *error = &result->errors.v[i];
        all = all && fleet_effect_is_capacity(
                         fleet_error_of(error->error_code, error->error_message).effect);
    }
    return all;
}

/* One cause and how many there are beside it: sixty overrides fail in sixty ways at most. */
static void put_errors(struct line *line, struct arena *arena,
                       const struct ec2_create_fleet_result *result)
{
    struct strbuf b = strbuf_new(arena, ACTION_FIELDS_MAX);
    if (result->errors.n == 0) {
        strbuf_add(&b, STR("EC2 has given neither an instance nor an error"));
    } else {
        strbuf_add(&b, result->errors.v[0].error_code);
        strbuf_add(&b, STR(": "));
        strbuf_add(&b, result->errors.v[0].error_message);
    }
    line_text(line, "error", strbuf_str(&b));
    jsonw_key_i64(&line->w, "errors", (int64_t)result->errors.n);
}

void milestones_reply(struct engine *engine, const struct event *event, struct actions *actions)
{
    const struct ec2_create_fleet_result *result = event->reply;
    const struct str name = lifecycle_claim_of(engine->lifecycle, event->id);
    if (event->operation != &aws_ec2_create_fleet || name.n == 0) {
        return;
    }
    for (size_t i = 0; result != NULL && i < result->errors.n; i++) {
        count_error(engine, result->errors.v[i].error_code);
    }
    if (result != NULL && result->instances.n > 0) {
        return;
    }
    const struct str labels[] = {
        STR("nodeclaim.lifecycle"), STR("Create"), STR("aws"),
        result != NULL && is_short(result) ? STR("InsufficientCapacityError") : STR_EMPTY};
    struct line line;
    metrics_add(engine->metrics, METRIC_CLOUDPROVIDER_ERRORS, labels, 1);
    line_begin(&line, actions->arena);
    line_object(&line, "NodeClaim", name);
    if (result != NULL) {
        put_errors(&line, actions->arena, result);
    } else {
        count_error(engine, event->fault.code);
        line_text(&line, "code", event->fault.code);
        line_text(&line, "error", event->fault.message);
    }
    line_end(&line, actions, ACTION_ERROR, "failed launching nodeclaim", life_controller);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/engine/journal.h"

#include "awsapi/ajson.h"
#include "awsapi/service_ec2.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "provisioner/provisioning/round.h"
#include "provisioner/provisioning/scheduler_config.h"

#define FORMAT STR("binpack/journal/v1")

enum field_kind { FIELD_I64, FIELD_I32, FIELD_BOOL };
static const struct {
    const char *name;
    enum field_kind kind;
    size_t offset;
} fields[] = {
#define FIELD(name_, kind_, path_)                                                                 \
    {                                                                                              \
        name_, kind_, offsetof(struct engine_settings, path_)                                      \
    }
    FIELD("mode", FIELD_I32, mode),
    FIELD("elects", FIELD_BOOL, elects),
    FIELD("batchIdleMs", FIELD_I64, batch_idle_ms),
    FIELD("batchMaxMs", FIELD_I64, batch_max_ms),
    FIELD("timeLimitMs", FIELD_I64, time_limit_ms),
    FIELD("replanMs", FIELD_I64, replan_ms),
    FIELD("disruptMs", FIELD_I64, disrupt_ms),
    FIELD("slackBytes", FIELD_I64, slack_bytes),
    FIELD("launchesPerMinute", FIELD_I64, launches_per_minute),
    FIELD("launchUsdPerMinute", FIELD_I64, launch_usd_per_minute),
    FIELD("gapPpm", FIELD_I64, gap_ppm),
    FIELD("learns", FIELD_BOOL, learns),
    FIELD("preferencePolicy", FIELD_I32, make.preference_policy),
    FIELD("minValuesPolicy", FIELD_I32, make.min_values_policy),
    FIELD("reservedCapacity", FIELD_BOOL, make.gate_reserved_capacity),
    FIELD("nodeOverlay", FIELD_BOOL, make.gate_node_overlay),
    FIELD("capacityBuffer", FIELD_BOOL, make.gate_capacity_buffer),
    FIELD("spotToSpot", FIELD_BOOL, make.gate_spot_to_spot),
    FIELD("staticCapacity", FIELD_BOOL, make.gate_static_capacity),
    FIELD("ignoreDraRequests", FIELD_BOOL, make.ignore_dra_requests),
    FIELD("vmMemoryOverheadPpm", FIELD_I64, make.catalog.vm_memory_overhead_ppm),
    FIELD("reservedEnis", FIELD_I64, make.catalog.reserved_enis),
    FIELD("algorithm", FIELD_I32, make.solver.algorithm),
    FIELD("effort", FIELD_I32, make.solver.effort),
#undef FIELD
};
enum { N_FIELDS = sizeof fields / sizeof fields[0] };

static const char *const event_names[] = {
    [EVENT_DELTA] = "delta",     [EVENT_KIND] = "kind",       [EVENT_TICK] = "tick",
    [EVENT_SOLVED] = "solved",   [EVENT_EXPLAIN] = "explain", [EVENT_STOP] = "stop",
    [EVENT_WRITTEN] = "written", [EVENT_REPLY] = "reply",     [EVENT_LEAD] = "lead",
    [EVENT_CLUSTER] = "cluster"};
static const char *const change_names[] = {
    [K8S_ADDED] = "ADDED", [K8S_MODIFIED] = "MODIFIED", [K8S_DELETED] = "DELETED"};
static const char *const stage_names[] = {[KIND_UNKNOWN] = "unknown",
                                          [KIND_SYNCED] = "synced",
                                          [KIND_ABSENT] = "absent",
                                          [KIND_REFUSED] = "refused"};
static const char *const action_names[] = {
    [ACTION_TIMER] = "timer",     [ACTION_SOLVE] = "solve", [ACTION_CANCEL] = "cancel",
    [ACTION_EXPORT] = "export",   [ACTION_REPLY] = "reply", [ACTION_LOG] = "log",
    [ACTION_RESTART] = "restart", [ACTION_EXIT] = "exit",   [ACTION_WRITE] = "write",
    [ACTION_CALL] = "call"};
static const struct {
    const char *name;
    size_t offset;
} cluster_fields[] = {{"name", offsetof(struct userdata_cluster, name)},
                      {"endpoint", offsetof(struct userdata_cluster, endpoint)},
                      {"ca", offsetof(struct userdata_cluster, ca)},
                      {"cidr", offsetof(struct userdata_cluster, cidr)},
                      {"dnsIP", offsetof(struct userdata_cluster, dns_ip)}};
enum { N_CLUSTER_FIELDS = sizeof cluster_fields / sizeof cluster_fields[0] };
/* Those that the engine asks for. */
static const struct aws_operation *const operations[] = {
    &aws_ec2_create_fleet, &aws_ec2_create_launch_template, &aws_ec2_describe_instances,
    &aws_ec2_terminate_instances};

/* ---- writing ---- */

static void put_cluster(struct jsonw *w, const struct userdata_cluster *cluster)
{
    jsonw_key_object(w, "cluster");
    for (size_t i = 0; i < N_CLUSTER_FIELDS; i++) {
        const char *at = (const char *)cluster + cluster_fields[i].offset;
        jsonw_key_str(w, cluster_fields[i].name, *(const struct str *)(const void *)at);
    }
    jsonw_object_end(w);
}

void journal_put_header(const struct engine_settings *settings, struct str catalog,
                        struct strbuf *b)
{
    struct jsonw w = jsonw_new(b, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "journal", FORMAT);
    jsonw_key_str(&w, "catalog", catalog);
    jsonw_key_str(&w, "schedulerConfig", settings->scheduler_config);
    put_cluster(&w, &settings->cluster);
    jsonw_key_object(&w, "settings");
    for (size_t i = 0; i < N_FIELDS; i++) {
        const char *at = (const char *)settings + fields[i].offset;
        if (fields[i].kind == FIELD_BOOL) {
            jsonw_key_bool(&w, fields[i].name, *(const bool *)at);
        } else {
            jsonw_key_i64(&w, fields[i].name,
                          fields[i].kind == FIELD_I32 ? *(const int32_t *)(const void *)at
                                                      : *(const int64_t *)(const void *)at);
        }
    }
    jsonw_object_end(&w);
    jsonw_object_end(&w);
}

static void put_delta(struct jsonw *w, const struct k8s_delta *delta)
{
    jsonw_key_str(w, "change", str_of(change_names[delta->change]));
    jsonw_key_str(w, "namespace", delta->id.ns);
    jsonw_key_str(w, "name", delta->id.name);
    if (delta->change != K8S_DELETED) { /* how it was last says nothing */
        jsonw_key(w, STR("object"));
        jsonw_json(w, delta->object);
    }
}

static void put_result(struct jsonw *w, const struct round_result *result)
{
    jsonw_key_i64(w, "round", (int64_t)result->id);
    if (result->cut) {
        jsonw_key_i64(w, "cutAfter", (int64_t)result->cut_after);
    }
}

static void put_written(struct jsonw *w, const struct event *event)
{
    jsonw_key_i64(w, "id", (int64_t)event->id);
    jsonw_key_i64(w, "outcome", event->written.outcome);
    jsonw_key_i64(w, "retryAfterMs", event->written.retry_after_ms);
    jsonw_key_str(w, "name", event->written.name);
    jsonw_key_str(w, "uid", event->written.uid);
    jsonw_key_str(w, "version", event->written.version);
}

static void put_reply(struct jsonw *w, const struct event *event)
{
    const struct aws_fault *fault = &event->fault;
    jsonw_key_i64(w, "id", (int64_t)event->id);
    jsonw_key_str(w, "operation", str_of(event->operation->name));
    if (event->reply != NULL) {
        jsonw_key_object(w, "result");
        aws_json_write_members(w, AWS_JSON_CLI, event->operation->output, event->reply);
        jsonw_object_end(w);
        return;
    }
    jsonw_key_i64(w, "fault", fault->kind);
    jsonw_key_i64(w, "status", fault->status);
    jsonw_key_str(w, "code", fault->code);
    jsonw_key_str(w, "message", fault->message);
    jsonw_key_bool(w, "maybeDone", fault->maybe_done);
    jsonw_key_i64(w, "retryAfterMs", fault->retry_after_ms);
}

void journal_put_event(const struct event *event, struct moment now, struct strbuf *b)
{
    struct jsonw w = jsonw_new(b, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "event", str_of(event_names[event->type]));
    jsonw_key_i64(&w, "wall", now.wall);
    jsonw_key_i64(&w, "mono", now.mono);
    if (event->type == EVENT_DELTA || event->type == EVENT_KIND) {
        jsonw_key_str(&w, "kind", str_of(event->kind->name));
        jsonw_key_str(&w, "group", str_of(event->kind->group));
    }
    if (event->type == EVENT_DELTA) {
        put_delta(&w, &event->delta);
    } else if (event->type == EVENT_KIND) {
        jsonw_key_str(&w, "stage", str_of(stage_names[event->stage]));
        jsonw_key_str(&w, "why", event->why);
    } else if (event->type == EVENT_SOLVED) {
        put_result(&w, event->result);
    } else if (event->type == EVENT_EXPLAIN) {
        jsonw_key_i64(&w, "ask", (int64_t)event->ask);
        jsonw_key_str(&w, "pod", event->pod);
    } else if (event->type == EVENT_WRITTEN) {
        put_written(&w, event);
    } else if (event->type == EVENT_REPLY) {
        put_reply(&w, event);
    } else if (event->type == EVENT_LEAD) {
        jsonw_key_bool(&w, "leads", event->leads);
    } else if (event->type == EVENT_CLUSTER) {
        put_cluster(&w, &event->cluster);
    }
    jsonw_object_end(&w);
}

static void put_document(struct jsonw *w, struct str document)
{
    char hash[17];
    const uint64_t h = str_hash(document);
    for (int i = 0; i < 16; i++) {
        hash[i] = "0123456789abcdef"[h >> (60 - 4 * i) & 15];
    }
    jsonw_key_i64(w, "bytes", (int64_t)document.n);
    jsonw_key_str(w, "hash", (struct str){.p = hash, .n = 16});
}

static void put_write(struct jsonw *w, const struct action *action)
{
    const struct k8s_write *write = &action->write;
    jsonw_key_i64(w, "id", (int64_t)action->id);
    jsonw_key_i64(w, "verb", write->verb);
    jsonw_key_str(w, "kind", str_of(write->kind->name));
    jsonw_key_str(w, "group", str_of(write->kind->group));
    jsonw_key_str(w, "namespace", write->ns);
    jsonw_key_str(w, "name", write->name);
    jsonw_key_str(w, "subresource", write->subresource);
    jsonw_key_str(w, "body", write->body);
    jsonw_key_str(w, "version", write->version);
    jsonw_key_str(w, "uid", write->uid);
    jsonw_key_i64(w, "graceSeconds", write->grace_s);
}

static void put_call(struct jsonw *w, const struct action *action)
{
    jsonw_key_i64(w, "id", (int64_t)action->id);
    jsonw_key_str(w, "operation", str_of(action->operation->name));
    jsonw_key_object(w, "request");
    aws_json_write_members(w, AWS_JSON_CLI, action->operation->input, action->request);
    jsonw_object_end(w);
}

void journal_put_action(const struct action *action, struct strbuf *b)
{
    struct jsonw w = jsonw_new(b, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "action", str_of(action_names[action->type]));
    switch (action->type) {
    case ACTION_TIMER:
        jsonw_key_i64(&w, "at", action->at);
        break;
    case ACTION_SOLVE:
        jsonw_key_i64(&w, "round", (int64_t)action->job->id);
        jsonw_key_str(&w, "explain", action->job->explain);
        jsonw_key_bool(&w, "disrupts", action->job->disrupts);
        jsonw_key_bool(&w, "first", action->job->first);
        break;
    case ACTION_EXPORT:
        put_document(&w, action->result->document);
        break;
    case ACTION_REPLY:
        jsonw_key_i64(&w, "ask", (int64_t)action->ask);
        jsonw_key_i64(&w, "status", action->status);
        put_document(&w, action->document);
        break;
    case ACTION_LOG:
        jsonw_key_i64(&w, "level", action->level);
        jsonw_key_str(&w, "message", str_of(action->message));
        jsonw_key_str(&w, "controller", str_of(action->controller));
        jsonw_key_str(&w, "fields", action->fields);
        break;
    case ACTION_WRITE:
        put_write(&w, action);
        break;
    case ACTION_CALL:
        put_call(&w, action);
        break;
    case ACTION_CANCEL:
    case ACTION_RESTART:
    case ACTION_EXIT:
        break;
    }
    jsonw_object_end(&w);
}

/* ---- reading ---- */

static bool read_text(const struct json_at *root, const char *key, struct str *ret, struct err *err)
{
    const struct json_at at = json_at_member(root, key);
    bool has = false;
    return json_read_str(&at, &has, ret, err);
}

static bool read_cluster(const struct json_at *root, struct userdata_cluster *cluster,
                         struct err *err)
{
    const struct json_at at = json_at_member(root, "cluster");
    for (size_t i = 0; i < N_CLUSTER_FIELDS; i++) {
        char *to = (char *)cluster + cluster_fields[i].offset;
        if (!read_text(&at, cluster_fields[i].name, (struct str *)(void *)to, err)) {
            return false;
        }
    }
    return true;
}

static bool read_field(const struct json_at *settings, size_t i, struct engine_settings *s,
                       struct err *err)
{
    char *to = (char *)s + fields[i].offset;
    const struct json_at at = json_at_member(settings, fields[i].name);
    int64_t value = 0;
    if (fields[i].kind == FIELD_BOOL) {
        return json_read_bool(&at, NULL, (bool *)to, err);
    }
    if (!json_read_i64(&at, 0, fields[i].kind == FIELD_I32 ? 1000 : INT64_MAX, NULL, &value, err)) {
        return false;
    }
    if (fields[i].kind == FIELD_I32) {
        *(int32_t *)(void *)to = (int32_t)value;
    } else {
        *(int64_t *)(void *)to = value;
    }
    return true;
}

bool journal_read_header(const json_t *line, struct engine_settings *ret_settings,
                         struct str *ret_catalog, struct err *err)
{
    const struct json_at root = json_at_root(line);
    const struct json_at settings = json_at_member(&root, "settings");
    struct engine_settings s = {.make = MAKE_SETTINGS_DEFAULT};
    struct str format = STR_EMPTY;
    if (!json_is_object(line) || !read_text(&root, "journal", &format, err) ||
        !str_eq(format, FORMAT)) {
        return err_set(err, ERR_UNSUPPORTED, "this is no journal of the format " STR_FMT,
                       STR_ARG(FORMAT));
    }
    for (size_t i = 0; i < N_FIELDS; i++) {
        if (!read_field(&settings, i, &s, err)) {
            return false;
        }
    }
    if (!read_cluster(&root, &s.cluster, err) || !read_text(&root, "catalog", ret_catalog, err) ||
        !read_text(&root, "schedulerConfig", &s.scheduler_config, err) ||
        !scheduler_config_apply(s.scheduler_config, NULL, NULL, err)) {
        return false;
    }
    *ret_settings = s;
    return true;
}

/* The index of the text; false when it is none of them. */
static bool read_name(const struct json_at *root, const char *key, const char *const *names,
                      size_t n, int *ret_i, struct err *err)
{
    const struct json_at at = json_at_member(root, key);
    struct str text;
    if (!json_read_str(&at, NULL, &text, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (str_eq(text, str_of(names[i]))) {
            *ret_i = (int)i;
            return true;
        }
    }
    return json_fail(err, ERR_INVALID, &at, "\"" STR_FMT "\" is not known",
                     STR_ARG(str_sub(text, 0, 100)));
}

static bool read_kind(const struct json_at *root, const struct k8s_kind **ret_kind, struct err *err)
{
    struct str name = STR_EMPTY, group = STR_EMPTY;
    if (!read_text(root, "kind", &name, err) || !read_text(root, "group", &group, err)) {
        return false;
    }
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        if (str_eq(name, str_of(k8s_kinds[i].name)) && str_eq(group, str_of(k8s_kinds[i].group))) {
            *ret_kind = &k8s_kinds[i];
            return true;
        }
    }
    return err_set(err, ERR_INVALID, "kind: \"" STR_FMT "\" is not known",
                   STR_ARG(str_sub(name, 0, 100)));
}

static bool read_delta(const struct json_at *root, struct event *event, struct err *err)
{
    int change = 0;
    if (!read_kind(root, &event->kind, err) ||
        !read_name(root, "change", change_names, 3, &change, err) ||
        !read_text(root, "namespace", &event->delta.id.ns, err) ||
        !read_text(root, "name", &event->delta.id.name, err)) {
        return false;
    }
    event->delta.change = (enum k8s_change)change;
    const struct json_at object = json_at_member(root, "object");
    event->delta.object = (json_t *)(uintptr_t)object.v;
    return change == K8S_DELETED || json_is_object(object.v) ||
           json_fail(err, ERR_INVALID, &object, "expected an object");
}

static bool read_stage(const struct json_at *root, struct event *event, struct err *err)
{
    int stage = 0;
    if (!read_kind(root, &event->kind, err) ||
        !read_name(root, "stage", stage_names, 4, &stage, err) ||
        !read_text(root, "why", &event->why, err)) {
        return false;
    }
    event->stage = (enum kind_stage)stage;
    return true;
}

static bool read_round(const struct json_at *root, struct journal_round *round, struct err *err)
{
    const struct json_at id_at = json_at_member(root, "round");
    const struct json_at cut_at = json_at_member(root, "cutAfter");
    int64_t id = 0;
    *round = (struct journal_round){.id = 0};
    if (!json_read_i64(&id_at, 1, INT64_MAX, NULL, &id, err) ||
        !json_read_i64(&cut_at, 0, INT64_MAX, &round->cut_after.has, &round->cut_after.v, err)) {
        return false;
    }
    round->id = (uint64_t)id;
    return true;
}

static bool read_ask(const struct json_at *root, struct event *event, struct err *err)
{
    const struct json_at at = json_at_member(root, "ask");
    int64_t ask = 0;
    if (!json_read_i64(&at, 0, INT64_MAX, NULL, &ask, err) ||
        !read_text(root, "pod", &event->pod, err)) {
        return false;
    }
    event->ask = (uint64_t)ask;
    return true;
}

static bool read_number(const struct json_at *root, const char *key, int64_t max, int64_t *ret,
                        struct err *err)
{
    const struct json_at at = json_at_member(root, key);
    return json_read_i64(&at, 0, max, NULL, ret, err);
}

static bool read_written(const struct json_at *root, struct event *event, struct err *err)
{
    struct k8s_written *written = &event->written;
    int64_t id = 0, outcome = 0;
    if (!read_number(root, "id", INT64_MAX, &id, err) ||
        !read_number(root, "outcome", K8S_WRITE_UNKNOWN, &outcome, err) ||
        !read_number(root, "retryAfterMs", INT64_MAX, &written->retry_after_ms, err) ||
        !read_text(root, "name", &written->name, err) ||
        !read_text(root, "uid", &written->uid, err) ||
        !read_text(root, "version", &written->version, err)) {
        return false;
    }
    event->id = (uint64_t)id;
    written->outcome = (enum k8s_outcome)outcome;
    return true;
}

static bool read_fault(const struct json_at *root, struct aws_fault *fault, struct err *err)
{
    const struct json_at maybe = json_at_member(root, "maybeDone");
    int64_t kind = 0, status = 0;
    if (!read_number(root, "fault", AWS_FAULT_UNKNOWN, &kind, err) ||
        !read_number(root, "status", 1000, &status, err) ||
        !read_text(root, "code", &fault->code, err) ||
        !read_text(root, "message", &fault->message, err) ||
        !read_number(root, "retryAfterMs", INT64_MAX, &fault->retry_after_ms, err) ||
        !json_read_bool(&maybe, NULL, &fault->maybe_done, err)) {
        return false;
    }
    fault->kind = (enum aws_fault_kind)kind;
    fault->status = (int)status;
    fault->has_retry_after = fault->retry_after_ms > 0;
    return kind != AWS_FAULT_NONE ||
           err_set(err, ERR_INVALID, "fault: a reply without result must have one");
}

static bool read_reply(const struct json_at *root, struct arena *arena, struct event *event,
                       struct err *err)
{
    const struct json_at result = json_at_member(root, "result");
    const char *names[sizeof operations / sizeof operations[0]];
    int64_t id = 0;
    int which = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        names[i] = operations[i]->name;
    }
    if (!read_number(root, "id", INT64_MAX, &id, err) ||
        !read_name(root, "operation", names, sizeof names / sizeof names[0], &which, err)) {
        return false;
    }
    event->id = (uint64_t)id;
    event->operation = operations[which];
    if (result.v == NULL) {
        return read_fault(root, &event->fault, err);
    }
    void *output = arena_alloc(arena, event->operation->output->size);
    event->reply = output;
    return aws_json_read_members(result.v, AWS_JSON_CLI, event->operation->output, arena, output,
                                 err);
}

bool journal_read_event(const json_t *line, struct arena *arena, bool *ret_is_event,
                        struct event *ret_event, struct moment *ret_now,
                        struct journal_round *ret_round, struct err *err)
{
    const struct json_at root = json_at_root(line);
    const struct json_at wall = json_at_member(&root, "wall"), mono = json_at_member(&root, "mono");
    const struct json_at leads = json_at_member(&root, "leads");
    struct event event = {.type = EVENT_TICK};
    int type = 0;
    *ret_is_event = json_object_get(line, "action") == NULL;
    if (!*ret_is_event) {
        return true;
    }
    if (!read_name(&root, "event", event_names, sizeof event_names / sizeof event_names[0], &type,
                   err) ||
        !json_read_i64(&wall, 0, INT64_MAX, NULL, &ret_now->wall, err) ||
        !json_read_i64(&mono, 0, INT64_MAX, NULL, &ret_now->mono, err)) {
        return false;
    }
    event.type = (enum event_type)type;
    bool good = event.type == EVENT_DELTA     ? read_delta(&root, &event, err)
                : event.type == EVENT_KIND    ? read_stage(&root, &event, err)
                : event.type == EVENT_SOLVED  ? read_round(&root, ret_round, err)
                : event.type == EVENT_EXPLAIN ? read_ask(&root, &event, err)
                : event.type == EVENT_WRITTEN ? read_written(&root, &event, err)
                : event.type == EVENT_REPLY   ? read_reply(&root, arena, &event, err)
                : event.type == EVENT_LEAD    ? json_read_bool(&leads, NULL, &event.leads, err)
                : event.type == EVENT_CLUSTER ? read_cluster(&root, &event.cluster, err)
                                              : true;
    *ret_event = event;
    return good;
}

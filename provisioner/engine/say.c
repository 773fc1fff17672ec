/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine says in the log of its rounds: keys and messages of Karpenter where it says the
 * same. */
#include "provisioner/engine/engine_impl.h"
#include "provisioner/engine/line.h"

enum { SAID_KINDS_MAX = 20 };

void say_refused(struct actions *actions, const struct err *err)
{
    struct line line;
    line_begin(&line, actions->arena);
    line_text(&line, "error", str_of(err->text));
    line_end(&line, actions, ACTION_ERROR, "left out an object that breaks a rule of its kind",
             "state");
}

void say_kind_refused(struct actions *actions, const struct k8s_kind *kind, struct str why)
{
    struct line line;
    line_begin(&line, actions->arena);
    line_text(&line, "resource", str_of(kind->resource));
    line_text(&line, "error", why);
    line_end(&line, actions, ACTION_ERROR, "cannot follow a kind of objects", "state");
}

void say_synced(struct actions *actions, const struct k8s_state *state)
{
    struct line line;
    line_begin(&line, actions->arena);
    jsonw_key_i64(&line.w, "pods", k8s_state_count(state, STORE_PODS));
    jsonw_key_i64(&line.w, "nodes", k8s_state_count(state, STORE_NODES));
    jsonw_key_i64(&line.w, "nodepools", k8s_state_count(state, STORE_NODEPOOLS));
    line_end(&line, actions, ACTION_INFO, "cluster state synced", "state");
}

void say_restart(struct actions *actions, size_t bytes)
{
    struct line line;
    line_begin(&line, actions->arena);
    jsonw_key_i64(&line.w, "bytes", (int64_t)bytes);
    line_end(&line, actions, ACTION_INFO,
             "reading the cluster anew: much of the memory is of objects that are gone", "state");
}

static void say_nodes(struct actions *actions, const struct round_nodes *nodes, bool acts,
                      struct str why_not)
{
    const char *message = acts            ? "planned nodeclaim(s)"
                          : why_not.n > 0 ? "not creating nodeclaim(s)"
                                          : "would create nodeclaim(s)";
    struct line line;
    line_begin(&line, actions->arena);
    line_object(&line, "NodePool", nodes->node_pool);
    line_text(&line, "instance-type", nodes->instance_type);
    line_text(&line, "zone", nodes->zone);
    line_text(&line, "capacity-type", nodes->capacity_type);
    jsonw_key_i64(&line.w, "nodeclaims", nodes->n);
    jsonw_key_i64(&line.w, "pods", nodes->n_pods);
    jsonw_key_usd(&line.w, "usdPerHourEach", nodes->price);
    if (why_not.n > 0) {
        line_text(&line, "reason", why_not);
    }
    line_end(&line, actions, why_not.n > 0 ? ACTION_ERROR : ACTION_INFO, message, "provisioner");
}

static void say_unplaced(struct actions *actions, const struct round_unplaced *unplaced)
{
    const size_t slash = str_find(unplaced->pod, '/');
    struct line line;
    line_begin(&line, actions->arena);
    jsonw_key_object(&line.w, "Pod");
    line_text(&line, "name", str_sub(unplaced->pod, slash + 1, unplaced->pod.n));
    line_text(&line, "namespace", str_sub(unplaced->pod, 0, slash));
    jsonw_object_end(&line.w);
    line_text(&line, "reason", unplaced->code);
    line_text(&line, "error", unplaced->message);
    line_end(&line, actions, ACTION_ERROR, "could not schedule pod", "provisioner");
}

static void say_plan(struct actions *actions, const struct round_result *result, int64_t took_ms)
{
    struct line line;
    line_begin(&line, actions->arena);
    jsonw_key_usd(&line.w, "usdPerHour", result->cost);
    jsonw_key_usd(&line.w, "lowerBoundUsdPerHour", result->bound);
    jsonw_key(&line.w, STR("gap"));
    jsonw_decimal(&line.w, result->gap_ppb, 9);
    jsonw_key_usd(&line.w, "runningUsdPerHour", result->running_cost);
    line_text(&line, "status", result->status);
    jsonw_key_i64(&line.w, "nodeclaims", result->n_new_nodes);
    jsonw_key_i64(&line.w, "pods", result->n_pending);
    jsonw_key_i64(&line.w, "podsOnRunningNodes", result->n_placed_running);
    jsonw_key_i64(&line.w, "unschedulablePods", result->n_unplaced);
    if (result->default_pool) {
        jsonw_key_bool(&line.w, "builtInNodePool", true);
    }
    if (result->cut) {
        jsonw_key_bool(&line.w, "cut", true);
    }
    line_duration(&line, "duration", took_ms);
    line_end(&line, actions, ACTION_INFO, "computed plan", "provisioner");
}

void say_first(struct actions *actions, const struct round_result *result, int64_t took_ms)
{
    struct line line;
    line_begin(&line, actions->arena);
    if (result->good) {
        jsonw_key_usd(&line.w, "usdPerHour", result->cost);
        jsonw_key_i64(&line.w, "nodeclaims", result->n_new_nodes);
        jsonw_key_i64(&line.w, "pods", result->n_pending);
        jsonw_key_i64(&line.w, "unschedulablePods", result->n_unplaced);
    } else {
        line_text(&line, "error", str_of(result->err.text));
    }
    line_duration(&line, "duration", took_ms);
    line_end(&line, actions, ACTION_DEBUG,
             result->good ? "computed first plan" : "the first plan does not hold", "provisioner");
}

static void say_command(struct actions *actions, const struct round_command *command)
{
    struct line line;
    line_begin(&line, actions->arena);
    line_text(&line, "reason", command->reason);
    line_text(&line, "Nodes", command->nodes);
    jsonw_key_i64(&line.w, "nodes", command->n_nodes);
    jsonw_key_i64(&line.w, "nodeclaims", command->n_with);
    jsonw_key_i64(&line.w, "pods", command->n_moved);
    jsonw_key_usd(&line.w, "savesUsdPerHour", command->saves);
    line_end(&line, actions, ACTION_INFO, "would disrupt node(s)", "disruption");
}

void say_disruption(struct actions *actions, const struct round_result *result, int64_t took_ms)
{
    struct line line;
    line_begin(&line, actions->arena);
    if (!result->good || result->cut) {
        line_text(&line, "error",
                  result->good ? STR("it gave way, or took too long") : str_of(result->err.text));
        line_end(&line, actions, result->good ? ACTION_DEBUG : ACTION_ERROR,
                 "could not plan disruption", "disruption");
        return;
    }
    jsonw_key_i64(&line.w, "nodes", result->n_disrupted);
    jsonw_key_i64(&line.w, "nodeclaims", result->n_new_nodes);
    jsonw_key_i64(&line.w, "pods", result->n_moved);
    jsonw_key_usd(&line.w, "savesUsdPerHour", result->saves);
    if (result->saves_at_most.has) {
        jsonw_key_usd(&line.w, "savesAtMostUsdPerHour", result->saves_at_most.v);
    }
    jsonw_key_usd(&line.w, "runningUsdPerHour", result->running_cost);
    line_duration(&line, "duration", took_ms);
    for (uint32_t i = 0; i < result->n_commands && i < SAID_KINDS_MAX; i++) {
        say_command(actions, &result->commands[i]);
    }
    line_end(&line, actions, ACTION_INFO, "computed disruption", "disruption");
}

void say_round(struct actions *actions, const struct round_result *result, int64_t took_ms,
               bool acts, struct str why_not)
{
    struct line line;
    if (!result->good) {
        line_begin(&line, actions->arena);
        line_text(&line, "error", str_of(result->err.text));
        line_duration(&line, "duration", took_ms);
        line_end(&line, actions, ACTION_ERROR, "could not make a plan", "provisioner");
        return;
    }
    if (result->n_pending > 0) {
        line_begin(&line, actions->arena);
        line_text(&line, "Pods", result->pods);
        line_duration(&line, "duration", took_ms);
        line_end(&line, actions, ACTION_INFO, "found provisionable pod(s)", "provisioner");
    }
    if (result->n_new_nodes > 0) {
        line_begin(&line, actions->arena);
        jsonw_key_i64(&line.w, "nodeclaims", result->n_new_nodes);
        jsonw_key_i64(&line.w, "pods",
                      (int64_t)result->n_pending - result->n_placed_running - result->n_unplaced);
        line_end(&line, actions, ACTION_INFO, "computed new nodeclaim(s) to fit pod(s)",
                 "provisioner");
    }
    for (uint32_t i = 0; i < result->n_kinds && i < SAID_KINDS_MAX; i++) {
        say_nodes(actions, &result->kinds[i], acts, why_not);
    }
    for (uint32_t i = 0; i < result->n_said; i++) {
        say_unplaced(actions, &result->said[i]);
    }
    say_plan(actions, result, took_ms);
}

void say_claim(struct actions *actions, const struct claim_wanted *claim,
               enum claim_verdict verdict)
{
    static const char *const messages[] = {
        [CLAIM_GOOD] = "creating nodeclaim",
        [CLAIM_NO_POOL] = "gave up a nodeclaim: its NodePool has gone",
        [CLAIM_NO_PODS] = "gave up a nodeclaim: its pods need no place any more",
        [CLAIM_WAITS] = "put off a nodeclaim: launches of its NodePool fail",
        [CLAIM_OVER_BUDGET] = "put off a nodeclaim: the launch budget of this minute is spent",
        [CLAIM_OVER_LIMIT] = "gave up a nodeclaim: the limits of its NodePool are reached"};
    const enum action_level level = verdict == CLAIM_OVER_BUDGET ? ACTION_ERROR
                                    : verdict == CLAIM_GOOD      ? ACTION_DEBUG
                                                                 : ACTION_INFO;
    struct line line;
    line_begin(&line, actions->arena);
    line_object(&line, "NodePool", claim->pool);
    line_object(&line, "NodeClaim", claim->name);
    jsonw_key_i64(&line.w, "pods", claim->n_pods);
    jsonw_key_usd(&line.w, "usdPerHour", claim->price);
    line_end(&line, actions, level, messages[verdict], "provisioner");
}

struct action reply_to(uint64_t ask, const struct round_result *result, struct arena *arena)
{
    if (result->good) {
        return (struct action){
            .type = ACTION_REPLY, .ask = ask, .status = 200, .document = result->document};
    }
    struct strbuf b = strbuf_new(arena, ACTION_FIELDS_MAX);
    struct jsonw w = jsonw_new(&b, JSONW_PRETTY);
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "error", str_of(result->err.text));
    jsonw_object_end(&w);
    return (struct action){.type = ACTION_REPLY,
                           .ask = ask,
                           .status = result->err.code == ERR_NOT_FOUND ? 404 : 500,
                           .document = strbuf_str(&b)};
}

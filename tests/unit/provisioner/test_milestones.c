/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the log and the metrics say of the life of a NodeClaim and its Node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "awsapi/service_ec2.h"
#include "base/arena.h"
#include "base/docs.h"
#include "provisioner/engine/engine.h"
#include "provisioner/observe/metrics.h"
#include "provisioner/provisioning/round.h"

#define PROVIDER "aws:///us-east-1a/i-1"

struct bench {
    struct arena arena, step;
    struct engine *engine;
    struct moment now;
    mono_t timer;
    struct round_job *job;
    char created[1 << 16]; /* body of the NodeClaim that was written */
    char said[1 << 16];    /* since they were asked for last: messages, a line each, with fields */
    uint64_t fleet, last_write;
};

static const struct k8s_kind *kind_of(const char *name)
{
    const struct k8s_kind *kind = NULL;
    assert_int_equal(k8s_kind_find(str_of(name), STR_EMPTY, &kind), K8S_MATCH_YES);
    return kind;
}

static void take(struct bench *b, const struct action *action)
{
    const size_t n = strlen(b->said);
    switch (action->type) {
    case ACTION_TIMER:
        b->timer = action->at;
        break;
    case ACTION_SOLVE:
        b->job = action->job;
        break;
    case ACTION_LOG:
        (void)snprintf(b->said + n, sizeof b->said - n, "%s {" STR_FMT "}\n", action->message,
                       STR_ARG(action->fields));
        break;
    case ACTION_WRITE:
        if (!str_eq(str_of(action->write.kind->name), STR("Event"))) {
            b->last_write = action->id;
        }
        if (action->write.verb == K8S_WRITE_CREATE &&
            str_eq(str_of(action->write.kind->name), STR("NodeClaim"))) {
            (void)snprintf(b->created, sizeof b->created, STR_FMT, STR_ARG(action->write.body));
        }
        break;
    case ACTION_CALL:
        b->fleet = action->operation == &aws_ec2_create_fleet ? action->id : b->fleet;
        break;
    case ACTION_CANCEL:
    case ACTION_EXPORT:
    case ACTION_REPLY:
    case ACTION_RESTART:
    case ACTION_EXIT:
        break;
    }
}

static void step(struct bench *b, const struct event *event)
{
    struct actions actions = {.arena = &b->step};
    arena_reset(&b->step);
    engine_step(b->engine, event, b->now, &actions);
    for (size_t i = 0; i < actions.v.n; i++) {
        take(b, &actions.v.v[i]);
    }
}

static void pass(struct bench *b, int64_t ms)
{
    const struct event tick = {.type = EVENT_TICK};
    b->now.mono += ms;
    b->now.wall += ms;
    if (b->timer <= b->now.mono) {
        b->timer = INT64_MAX;
        step(b, &tick);
    }
}

static void solve(struct bench *b)
{
    while (b->job != NULL) {
        struct round_result result;
        round_run(b->job, NULL, &result);
        b->job = NULL;
        const struct event event = {.type = EVENT_SOLVED, .result = &result};
        step(b, &event);
        round_result_done(&result);
    }
}

static void change(struct bench *b, const char *kind, const char *json, enum k8s_change change)
{
    json_error_t why;
    auto_json *object = json_loads(json, 0, &why);
    if (object == NULL) {
        fail_msg("%s: %s", json, why.text);
    }
    const json_t *metadata = json_object_get(object, "metadata");
    const struct event event = {
        .type = EVENT_DELTA,
        .kind = kind_of(kind),
        .delta = {.change = change,
                  .id = {.ns = str_of(json_string_value(json_object_get(metadata, "namespace"))),
                         .name = str_of(json_string_value(json_object_get(metadata, "name")))},
                  .object = change == K8S_DELETED ? NULL : object}};
    step(b, &event);
}

static void open_bench(struct bench *b, bool leads)
{
    const struct engine_settings settings = {.mode = ENGINE_FULL,
                                             .elects = true,
                                             .batch_idle_ms = 1000,
                                             .batch_max_ms = 10000,
                                             .time_limit_ms = 60000,
                                             .make = MAKE_SETTINGS_DEFAULT};
    const struct event lead = {.type = EVENT_LEAD, .leads = leads};
    const struct event cluster = {.type = EVENT_CLUSTER,
                                  .cluster = {.name = STR("c"), .endpoint = STR("https://c")}};
    memset(b, 0, sizeof *b);
    b->timer = INT64_MAX;
    b->now = (struct moment){.wall = INT64_C(1790000000000), .mono = 5000};
    b->engine = engine_new(&settings);
    engine_use_catalog(b->engine, cat_builtin(&b->arena, engine_tab(b->engine)));
    step(b, &lead);
    step(b, &cluster);
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        const struct event event = {
            .type = EVENT_KIND, .kind = &k8s_kinds[i], .stage = KIND_SYNCED};
        step(b, &event);
    }
    solve(b);
    b->said[0] = '\0';
}

static void close_bench(struct bench *b)
{
    engine_free(b->engine);
    arena_done(&b->step);
    arena_done(&b->arena);
}

static void said(struct bench *b, const char *line)
{
    if (line[0] == '\0' ? b->said[0] != '\0' : strstr(b->said, line) == NULL) {
        fail_msg("expected \"%s\", and not:\n%s", line, b->said);
    }
    b->said[0] = '\0';
}

static void counts(struct bench *b, const char *line, bool there)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf text = strbuf_new(&arena, 1 << 20);
    metrics_text(engine_metrics(b->engine, b->now), &text);
    if (str_has(strbuf_str(&text), str_of(line)) != there) {
        fail_msg("%s \"%s\" in:\n" STR_FMT, there ? "no" : "there is", line,
                 STR_ARG(strbuf_str(&text)));
    }
}

/* A NodeClaim "default-1" as it is after its first `n` milestones; `more`: further metadata. */
static void put_claim(struct bench *b, int n, const char *more)
{
    static const char *const types[] = {"Launched", "Registered", "Initialized"};
    auto_arena arena = ARENA_INIT;
    struct strbuf s = strbuf_new(&arena, 4096);
    strbuf_addf(&s,
                "{\"metadata\": {\"name\": \"default-1\", \"uid\": \"u\", \"finalizers\": "
                "[\"karpenter.sh/termination\"], \"creationTimestamp\": "
                "\"2026-09-21T14:13:00Z\"%s, \"labels\": {\"karpenter.sh/nodepool\": "
                "\"default\"%s}}, \"spec\": {\"nodeClassRef\": {\"group\": \"karpenter.k8s.aws\", "
                "\"kind\": \"EC2NodeClass\", \"name\": \"default\"}, \"requirements\": [{\"key\": "
                "\"node.kubernetes.io/instance-type\", \"operator\": \"In\", \"values\": "
                "[\"m5.large\", \"m5.xlarge\"]}], \"resources\": {\"requests\": {\"cpu\": "
                "\"1\"}}}, \"status\": {\"allocatable\": {\"cpu\": \"1930m\"}",
                more,
                n > 0 ? ", \"node.kubernetes.io/instance-type\": \"m5.large\", "
                        "\"topology.kubernetes.io/zone\": \"us-east-1a\", "
                        "\"karpenter.sh/capacity-type\": \"on-demand\""
                      : "");
    strbuf_addf(&s, "%s%s, \"conditions\": [", n > 0 ? ", \"providerID\": \"" PROVIDER "\"" : "",
                n > 1 ? ", \"nodeName\": \"node-1\"" : "");
    for (int i = 0; i < n; i++) {
        strbuf_addf(&s,
                    "%s{\"type\": \"%s\", \"status\": \"True\", \"reason\": \"%s\", "
                    "\"lastTransitionTime\": \"2026-09-21T14:13:00Z\"}",
                    i > 0 ? ", " : "", types[i], types[i]);
    }
    strbuf_addf(&s, "]}}");
    change(b, "NodeClaim", str_cstr(&arena, strbuf_str(&s)), K8S_MODIFIED);
}

static void put_node(struct bench *b, const char *taints, const char *more)
{
    char json[1024];
    (void)snprintf(json, sizeof json,
                   "{\"metadata\": {\"name\": \"node-1\", \"labels\": {\"karpenter.sh/nodepool\": "
                   "\"default\", \"topology.kubernetes.io/zone\": \"us-east-1a\"}%s}, \"spec\": "
                   "{\"providerID\": \"" PROVIDER "\", \"taints\": [%s]}}",
                   more, taints);
    change(b, "Node", json, K8S_MODIFIED);
}

static struct bench bench; /* large */

static void each_milestone_is_said_and_counted_once(void **state)
{
    static const char claim[] =
        "{\"NodeClaim\":{\"name\":\"default-1\"},\"provider-id\":\"" PROVIDER "\"";
    struct bench *b = &bench;
    char line[256];
    (void)state;
    open_bench(b, /* leads= */ true);
    put_claim(b, 0, "");
    said(b, ""); /* somebody else's */
    put_claim(b, 1, "");
    (void)snprintf(line, sizeof line,
                   "launched nodeclaim %s,\"instance-type\":\"m5.large\",\"zone\":\"us-east-1a\","
                   "\"capacity-type\":\"on-demand\",\"allocatable\":{\"cpu\":\"1930m\"}}",
                   claim);
    said(b, line);
    put_claim(b, 1, "");
    said(b, "");
    put_node(b, "", "");
    said(b, "");
    put_claim(b, 2, "");
    (void)snprintf(line, sizeof line, "registered nodeclaim %s,\"Node\":{\"name\":\"node-1\"}}",
                   claim);
    said(b, line);
    counts(b, "karpenter_nodes_created_total{nodepool=\"default\",zone=\"us-east-1a\"} 1\n", true);
    put_claim(b, 3, "");
    (void)snprintf(line, sizeof line, "initialized nodeclaim %s,\"Node\":{\"name\":\"node-1\"}",
                   claim);
    said(b, line);
    put_claim(b, 3, "");
    put_node(b, "", "");
    said(b, "");
    counts(b, "karpenter_nodes_created_total{nodepool=\"default\",zone=\"us-east-1a\"} 1\n", true);
    counts(b, "karpenter_nodeclaims_created_total", false);
    close_bench(b);
}

static void the_end_is_said_and_timed(void **state)
{
    static const char deleted[] = ", \"deletionTimestamp\": \"2026-09-21T14:13:20Z\"";
    struct bench *b = &bench;
    (void)state;
    open_bench(b, /* leads= */ true);
    put_claim(b, 3, "");
    put_node(b, "", "");
    said(b, ""); /* seen for the first time, they are as they are */
    put_claim(b, 3, deleted);
    said(b, ""); /* who deleted it knows why */
    put_node(b, "{\"key\": \"karpenter.sh/disrupted\", \"effect\": \"NoSchedule\"}", deleted);
    said(b, "tainted node {\"Node\":{\"name\":\"node-1\"},\"NodeClaim\":{\"name\":\"default-1\"},"
            "\"provider-id\":\"" PROVIDER "\",\"taint.Key\":\"karpenter.sh/disrupted\","
            "\"taint.Value\":\"\",\"taint.Effect\":\"NoSchedule\"}");
    b->now.wall = INT64_C(1790000005000); /* 5 s after it was deleted */
    change(b, "Node", "{\"metadata\": {\"name\": \"node-1\"}}", K8S_DELETED);
    said(b, "deleted node {\"Node\":{\"name\":\"node-1\"},\"NodeClaim\":{\"name\":\"default-1\"},"
            "\"provider-id\":\"" PROVIDER "\",\"duration\":\"5s\"}");
    change(b, "NodeClaim", "{\"metadata\": {\"name\": \"default-1\"}}", K8S_DELETED);
    said(b, "deleted nodeclaim {\"NodeClaim\":{\"name\":\"default-1\"},\"provider-id\":\"" PROVIDER
            "\",\"Node\":{\"name\":\"node-1\"},\"duration\":\"5s\"}");
    counts(b, "karpenter_nodes_terminated_total{nodepool=\"default\",zone=\"us-east-1a\"} 1\n",
           true);
    counts(b,
           "karpenter_nodeclaims_terminated_total{nodepool=\"default\",capacity_type="
           "\"on-demand\",zone=\"us-east-1a\"} 1\n",
           true);
    counts(b,
           "karpenter_nodeclaims_termination_duration_seconds_bucket{nodepool=\"default\",le="
           "\"4\"} 0\n",
           true);
    counts(b,
           "karpenter_nodeclaims_termination_duration_seconds_bucket{nodepool=\"default\",le="
           "\"8\"} 1\n",
           true);
    counts(b,
           "# TYPE karpenter_nodes_termination_duration_seconds summary\n"
           "karpenter_nodes_termination_duration_seconds_sum{nodepool=\"default\"} 5\n"
           "karpenter_nodes_termination_duration_seconds_count{nodepool=\"default\"} 1\n",
           true);
    counts(b, "karpenter_nodeclaims_disrupted_total", false);
    close_bench(b);
}

static void a_replica_in_waiting_tells_nothing(void **state)
{
    struct bench *b = &bench;
    (void)state;
    open_bench(b, /* leads= */ false);
    put_claim(b, 0, "");
    put_claim(b, 1, "");
    put_claim(b, 3, "");
    change(b, "NodeClaim", "{\"metadata\": {\"name\": \"default-1\"}}", K8S_DELETED);
    said(b, "");
    counts(b, "karpenter_nodeclaims_terminated_total", false);
    counts(b, "karpenter_nodes_created_total", false);
    close_bench(b);
}

static void plan_a_pod(struct bench *b)
{
    change(b, "NodePool",
           "{\"metadata\": {\"name\": \"default\"}, \"spec\": {\"template\": {\"spec\": "
           "{\"nodeClassRef\": {\"group\": \"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", "
           "\"name\": \"default\"}, \"requirements\": []}}}}",
           K8S_ADDED);
    change(b, "Pod",
           "{\"metadata\": {\"name\": \"web\", \"namespace\": \"shop\"}, \"spec\": "
           "{\"containers\": [{\"name\": \"a\", \"resources\": {\"requests\": {\"cpu\": "
           "\"1\"}}}]}, \"status\": {\"phase\": \"Pending\", \"conditions\": [{\"type\": "
           "\"PodScheduled\", \"status\": \"False\", \"reason\": \"Unschedulable\"}]}}",
           K8S_ADDED);
    pass(b, 1000);
    solve(b);
}

static void what_it_creates_is_said_when_it_is_there(void **state)
{
    struct bench *b = &bench;
    (void)state;
    open_bench(b, /* leads= */ true);
    plan_a_pod(b);
    assert_non_null(strstr(b->said, "planned nodeclaim(s) {\"NodePool\":{\"name\":\"default\"}"));
    assert_null(strstr(b->said, "would create"));
    assert_null(strstr(b->said, "created nodeclaim"));
    counts(b, "karpenter_nodeclaims_created_total", false);
    b->said[0] = '\0';
    change(b, "NodeClaim", b->created, K8S_ADDED);
    said(b, "created nodeclaim {\"NodePool\":{\"name\":\"default\"},\"NodeClaim\":{\"name\":"
            "\"default-");
    counts(b,
           "karpenter_nodeclaims_created_total{reason=\"provisioned\",nodepool=\"default\","
           "min_values_relaxed=\"false\"} 1\n",
           true);
    const struct event written = {
        .type = EVENT_WRITTEN, .id = b->last_write, .written = {.outcome = K8S_WRITE_DONE}};
    step(b, &written);
    change(b, "NodeClaim", b->created, K8S_MODIFIED);
    counts(b,
           "karpenter_nodeclaims_created_total{reason=\"provisioned\",nodepool=\"default\","
           "min_values_relaxed=\"false\"} 1\n",
           true);
    close_bench(b);
}

static void a_plan_that_is_not_carried_out_says_why(void **state)
{
    struct bench *b = &bench;
    const struct event unknown = {.type = EVENT_CLUSTER, .cluster = {.name = STR("c")}};
    (void)state;
    open_bench(b, /* leads= */ true);
    step(b, &unknown);
    plan_a_pod(b);
    assert_non_null(
        strstr(b->said, "not creating nodeclaim(s) {\"NodePool\":{\"name\":\"default\"}"));
    assert_non_null(strstr(b->said, "\"reason\":\"EKS has not yet said"));
    assert_null(strstr(b->said, "would create"));
    close_bench(b);
    /* Another replica leads: nothing is missing. */
    open_bench(b, /* leads= */ false);
    step(b, &unknown);
    plan_a_pod(b);
    assert_non_null(strstr(b->said, "would create nodeclaim(s)"));
    assert_null(strstr(b->said, "\"reason\":\"EKS"));
    close_bench(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_milestone_is_said_and_counted_once),
        cmocka_unit_test(the_end_is_said_and_timed),
        cmocka_unit_test(a_replica_in_waiting_tells_nothing),
        cmocka_unit_test(what_it_creates_is_said_when_it_is_there),
        cmocka_unit_test(a_plan_that_is_not_carried_out_says_why),
    };
    return cmocka_run_group_tests_name("provisioner/milestones", tests, NULL, NULL);
}

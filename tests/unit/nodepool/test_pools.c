/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written on NodePools: annotations, counters and conditions, and that nothing is written
 * twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/arena.h"
#include "base/json.h"
#include "binpack/catalog/catalog.h"
#include "binpack/scheduling/vocab.h"
#include "provisioner/nodepool/pools.h"

struct bench {
    struct arena arena, step;
    struct k8s_state *state;
    struct k8s_cluster words;
    const struct sched_vocab *vocab;
    struct pools *pools;
    struct moment now;
    uint64_t last_id;
    struct actions out;
};

static void bench_open(struct bench *b)
{
    *b = (struct bench){.now = {.wall = INT64_C(1790000000000), .mono = 1000000}};
    b->state = k8s_state_new();
    b->words =
        (struct k8s_cluster){.tab = k8s_state_tab(b->state), .words = *k8s_state_words(b->state)};
    b->vocab =
        sched_vocab_new(&b->arena, &b->words, cat_builtin(&b->arena, k8s_state_tab(b->state)));
    b->pools = pools_new();
}

static void bench_close(struct bench *b)
{
    pools_free(b->pools);
    k8s_state_free(b->state);
    arena_done(&b->step);
    arena_done(&b->arena);
}

static struct pools_view begin(struct bench *b)
{
    arena_reset(&b->step);
    b->out = (struct actions){.arena = &b->step};
    return (struct pools_view){.state = b->state,
                               .tab = k8s_state_tab(b->state),
                               .vocab = b->vocab,
                               .now = b->now,
                               .last_id = &b->last_id,
                               .out = &b->out};
}

static const struct k8s_kind *kind_of(const char *name)
{
    const struct k8s_kind *kind = NULL;
    assert_int_equal(k8s_kind_find(str_of(name), STR_EMPTY, &kind), K8S_MATCH_YES);
    return kind;
}

static void put(struct bench *b, const char *kind, const char *json)
{
    json_error_t why;
    struct err err;
    auto_json *object = json_loads(json, 0, &why);
    if (object == NULL) {
        fail_msg("%s: %s", json, why.text);
    }
    const json_t *metadata = json_object_get(object, "metadata");
    const struct event event = {
        .type = EVENT_DELTA,
        .kind = kind_of(kind),
        .delta = {.change = K8S_MODIFIED,
                  .id = {.name = str_of(json_string_value(json_object_get(metadata, "name")))},
                  .object = object}};
    if (!k8s_state_put(b->state, event.kind, &event.delta.id, object, &err)) {
        fail_msg("%s", err.text);
    }
    const struct pools_view view = begin(b);
    pools_delta(b->pools, &view, &event);
}

static void put_class(struct bench *b, const char *conditions)
{
    char json[1024];
    (void)snprintf(json, sizeof json,
                   "{\"metadata\": {\"name\": \"default\", \"generation\": 3}, \"status\": "
                   "{\"conditions\": [%s]}}",
                   conditions);
    put(b, "EC2NodeClass", json);
}

#define READY "{\"type\": \"Ready\", \"status\": \"True\", \"reason\": \"Ready\"}"

/* `hash` is that of this very template. */
#define HASH "6821555240594823858"
static const char *annotations =
    "\"karpenter.sh/nodepool-hash\": \"" HASH "\", \"karpenter.sh/nodepool-hash-version\": \"v3\"";

static void put_pool(struct bench *b, const char *spec, const char *status)
{
    char json[4096];
    (void)snprintf(
        json, sizeof json,
        "{\"metadata\": {\"name\": \"general\", \"uid\": \"p-1\", \"generation\": 2, "
        "\"resourceVersion\": \"7\", \"creationTimestamp\": \"2026-09-21T14:00:00Z\", "
        "\"annotations\": {%s}}, \"spec\": {\"template\": {\"spec\": {\"nodeClassRef\": "
        "{\"group\": "
        "\"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", \"name\": \"default\"}%s}}}, "
        "\"status\": {%s}}",
        annotations, spec, status);
    put(b, "NodePool", json);
}

static void step(struct bench *b)
{
    const struct pools_view view = begin(b);
    pools_step(b->pools, &view);
}

static void pass(struct bench *b, int64_t ms)
{
    b->now.mono += ms;
    b->now.wall += ms;
    step(b);
}

static void written(struct bench *b, uint64_t id, enum k8s_outcome outcome)
{
    const struct event event = {.type = EVENT_WRITTEN, .id = id, .written = {.outcome = outcome}};
    const struct pools_view view = begin(b);
    assert_true(pools_answer(b->pools, &view, &event));
}

/* The only write of the last step. */
static const struct action *only(const struct bench *b)
{
    if (b->out.v.n != 1) {
        fail_msg("%zu writes instead of one", b->out.v.n);
    }
    return &b->out.v.v[0];
}

static void assert_has(struct str text, const char *part)
{
    if (!str_has(text, str_of(part))) {
        fail_msg("no %s in " STR_FMT, part, STR_ARG(text));
    }
}

/* ---- annotations ---- */

static void the_hash_is_written_once(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    put_class(&b, READY);
    annotations = "";
    put_pool(&b, ", \"requirements\": []", "");
    step(&b);
    const struct action *action = only(&b);
    assert_int_equal(action->write.verb, K8S_WRITE_MERGE_PATCH);
    assert_true(str_eq(action->write.name, STR("general")));
    assert_int_equal(action->write.subresource.n, 0);
    assert_has(action->write.body, "\"karpenter.sh/nodepool-hash\":\"" HASH "\"");
    assert_has(action->write.body, "\"karpenter.sh/nodepool-hash-version\":\"v3\"");
    const uint64_t id = action->id;
    step(&b);
    assert_int_equal(b.out.v.n, 0); /* the answer is waited for */
    written(&b, id, K8S_WRITE_DONE);
    annotations = "\"karpenter.sh/nodepool-hash\": \"" HASH
                  "\", \"karpenter.sh/nodepool-hash-version\": \"v3\"";
    put_pool(&b, ", \"requirements\": []", "");
    step(&b);
    assert_true(str_eq(only(&b)->write.subresource, STR("status"))); /* on to the status */
    bench_close(&b);
}

static void put_claim(struct bench *b, const char *name, const char *version,
                      const char *conditions)
{
    char json[2048];
    (void)snprintf(
        json, sizeof json,
        "{\"metadata\": {\"name\": \"%s\", \"uid\": \"u-%s\", \"labels\": "
        "{\"karpenter.sh/nodepool\": \"general\"}, \"annotations\": "
        "{\"karpenter.sh/nodepool-hash\": "
        "\"1\", \"karpenter.sh/nodepool-hash-version\": \"%s\"}}, \"spec\": {\"nodeClassRef\": "
        "{\"group\": \"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", \"name\": \"default\"}, "
        "\"requirements\": []}, \"status\": {\"providerID\": \"aws:///us-east-1a/i-%s\", "
        "\"capacity\": {\"cpu\": \"4\", \"memory\": \"16Gi\", \"pods\": \"58\"}, \"conditions\": "
        "[%s]}}",
        name, name, version, name, conditions);
    put(b, "NodeClaim", json);
}

/* A hash of another version says nothing of drift: the claims first, and what has drifted keeps its
 * own. */
static void claims_of_another_version_are_stamped_first(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    annotations = "\"karpenter.sh/nodepool-hash\": \"1\", \"karpenter.sh/nodepool-hash-version\": "
                  "\"v2\"";
    put_class(&b, READY);
    put_pool(&b, ", \"requirements\": []", "");
    put_claim(&b, "a", "v2", "");
    put_claim(&b, "b", "v2", "{\"type\": \"Drifted\", \"status\": \"True\"}");
    put_claim(&b, "c", "v3", "");
    step(&b);
    assert_true(str_eq(only(&b)->write.name, STR("a")));
    assert_has(only(&b)->write.body, "\"karpenter.sh/nodepool-hash\":\"" HASH "\"");
    written(&b, only(&b)->id, K8S_WRITE_DONE);
    put_claim(&b, "a", "v3", "");
    pass(&b, 5000);
    assert_true(str_eq(only(&b)->write.name, STR("b")));
    assert_has(only(&b)->write.body, "\"karpenter.sh/nodepool-hash-version\":\"v3\"");
    assert_false(str_has(only(&b)->write.body, STR("\"karpenter.sh/nodepool-hash\":")));
    written(&b, only(&b)->id, K8S_WRITE_DONE);
    put_claim(&b, "b", "v3", "");
    pass(&b, 5000);
    assert_true(str_eq(only(&b)->write.name, STR("general")));
    bench_close(&b);
}

/* ---- the status ---- */

struct row {
    const char *name, *class, *spec; /* class: NULL: there is none */
    const char *type, *status, *reason, *message;
    const char *ready, *ready_message;
};

static const struct row rows[] = {
    {"all is well", READY, ", \"requirements\": []", "NodeClassReady", "True", "NodeClassReady", "",
     "True", ""},
    {"no class", NULL, ", \"requirements\": []", "NodeClassReady", "False", "NodeClassNotFound",
     "NodeClass not found on cluster", "False", "NodeClassReady=False"},
    {"the class says why",
     "{\"type\": \"Ready\", \"status\": \"False\", \"reason\": \"AMIsNotFound\", "
     "\"message\": \"none\"}",
     ", \"requirements\": []", "NodeClassReady", "False", "AMIsNotFound", "none", "False",
     "NodeClassReady=False"},
    {"the class does not know yet", "{\"type\": \"Ready\", \"status\": \"Unknown\"}",
     ", \"requirements\": []", "NodeClassReady", "False", "NodeClassReadinessUnknown",
     "Node Class Readiness Unknown", "False", "NodeClassReady=False"},
    {"the same taint twice", READY,
     ", \"requirements\": [], \"taints\": [{\"key\": \"a\", \"effect\": \"NoSchedule\"}], "
     "\"startupTaints\": [{\"key\": \"a\", \"value\": \"b\", \"effect\": \"NoSchedule\"}]",
     "ValidationSucceeded", "False", "NodePoolValidationFailed",
     "duplicate taint Key/Effect pair a=NoSchedule", "False", "ValidationSucceeded=False"},
    {"no capacity type that there is", READY,
     ", \"requirements\": [{\"key\": \"karpenter.sh/capacity-type\", \"operator\": \"In\", "
     "\"values\": [\"Spot\"]}]",
     "ValidationSucceeded", "False", "NodePoolValidationFailed",
     "invalid value: no valid values found in [Spot] for karpenter.sh/capacity-type, expected one "
     "of: [on-demand reserved spot] in requirements, restricted",
     "False", "ValidationSucceeded=False"},
    {"one capacity type of two", READY,
     ", \"requirements\": [{\"key\": \"karpenter.sh/capacity-type\", \"operator\": \"In\", "
     "\"values\": [\"Spot\", \"spot\"]}]",
     "ValidationSucceeded", "True", "ValidationSucceeded", "", "True", ""},
    {"the NodePool by name", READY,
     ", \"requirements\": [{\"key\": \"karpenter.sh/nodepool\", \"operator\": \"Exists\"}]",
     "ValidationSucceeded", "False", "NodePoolValidationFailed",
     "invalid key: \\\"karpenter.sh/nodepool\\\" in requirements, restricted", "False",
     "ValidationSucceeded=False"},
};

static void conditions_are_as_the_reference_has_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct bench b;
        char expected[1024];
        bench_open(&b);
        annotations = "";
        if (row->class != NULL) {
            put_class(&b, row->class);
        }
        put_pool(&b, row->spec, "");
        step(&b);
        written(&b, only(&b)->id, K8S_WRITE_DONE); /* the annotations */
        pass(&b, 5000);
        /* The watch shows them late: they are written once more, and then they are there. */
        char given[512];
        json_error_t why;
        auto_json *body = json_loadb(only(&b)->write.body.p, only(&b)->write.body.n, 0, &why);
        const json_t *of = json_object_get(json_object_get(body, "metadata"), "annotations");
        (void)snprintf(given, sizeof given,
                       "\"karpenter.sh/nodepool-hash\": \"%s\", "
                       "\"karpenter.sh/nodepool-hash-version\": \"v3\"",
                       json_string_value(json_object_get(of, "karpenter.sh/nodepool-hash")));
        annotations = given;
        written(&b, only(&b)->id, K8S_WRITE_DONE);
        put_pool(&b, row->spec, "");
        step(&b);
        const struct str status = only(&b)->write.body;
        assert_true(str_eq(only(&b)->write.version, STR("7")));
        (void)snprintf(expected, sizeof expected,
                       "{\"type\":\"%s\",\"status\":\"%s\",\"reason\":\"%s\",\"message\":\"%s\","
                       "\"observedGeneration\":2,\"lastTransitionTime\":\"",
                       row->type, row->status, row->reason, row->message);
        assert_has(status, expected);
        (void)snprintf(expected, sizeof expected,
                       "{\"type\":\"Ready\",\"status\":\"%s\",\"reason\":\"%s\",\"message\":\"%s\"",
                       row->ready, row->ready_message[0] == '\0' ? "Ready" : "UnhealthyDependents",
                       row->ready_message);
        assert_has(status, expected);
        assert_has(status, "\"resources\":{\"cpu\":\"0\",\"ephemeral-storage\":\"0\",\"memory\":"
                           "\"0\",\"nodes\":\"0\",\"pods\":\"0\"},\"nodes\":0");
        if (row->class != NULL) {
            assert_has(status, "\"nodeClassObservedGeneration\":3");
            assert_has(status, "{\"type\":\"NodeRegistrationHealthy\",\"status\":\"Unknown\","
                               "\"reason\":\"AwaitingReconciliation\"");
        }
        bench_close(&b);
    }
}

#define CONDITION(type, status, reason)                                                            \
    "{\"type\": \"" type "\", \"status\": \"" status "\", \"reason\": \"" reason                   \
    "\", \"message\": \"\", \"observedGeneration\": 2, \"lastTransitionTime\": "                   \
    "\"2026-09-21T14:00:00Z\"}"
#define WELL                                                                                       \
    CONDITION("ValidationSucceeded", "True", "ValidationSucceeded")                                \
    ", " CONDITION("NodeClassReady", "True", "NodeClassReady") ", " CONDITION("Ready", "True",     \
                                                                              "Ready")
#define NOTHING                                                                                    \
    "\"resources\": {\"cpu\": \"0\", \"memory\": \"0\", \"pods\": \"0\", \"ephemeral-storage\": "  \
    "\"0\", \"nodes\": \"0\"}, \"nodes\": 0, \"nodeClassObservedGeneration\": 3, "

static const char *given_annotations =
    "\"karpenter.sh/nodepool-hash\": \"" HASH "\", \"karpenter.sh/nodepool-hash-version\": \"v3\"";

static void open_well(struct bench *b, const char *healthy)
{
    char status[2048];
    bench_open(b);
    annotations = given_annotations;
    put_class(b, READY);
    (void)snprintf(status, sizeof status, NOTHING "\"conditions\": [" WELL ", %s]", healthy);
    put_pool(b, ", \"requirements\": []", status);
}

static void what_is_there_is_not_written(void **state)
{
    struct bench b;
    (void)state;
    open_well(&b, CONDITION("NodeRegistrationHealthy", "Unknown", "AwaitingReconciliation"));
    step(&b);
    assert_int_equal(b.out.v.n, 0);
    put_class(&b, READY);
    pass(&b, 600 * 1000);
    assert_int_equal(b.out.v.n, 0);
    assert_int_equal(pools_due(b.pools), INT64_MAX);
    bench_close(&b);
}

/* At most every five seconds, and what is being deleted does not count. */
static void nodes_are_counted(void **state)
{
    struct bench b;
    (void)state;
    open_well(&b, CONDITION("NodeRegistrationHealthy", "Unknown", "AwaitingReconciliation"));
    step(&b);
    put_claim(&b, "a", "v3", "");
    put(&b, "Node",
        "{\"metadata\": {\"name\": \"n-a\", \"labels\": {\"karpenter.sh/nodepool\": \"general\", "
        "\"karpenter.sh/initialized\": \"true\"}}, \"spec\": {\"providerID\": "
        "\"aws:///us-east-1a/i-a\"}, \"status\": {\"capacity\": {\"cpu\": \"4\"}}}");
    put(&b, "Node",
        "{\"metadata\": {\"name\": \"n-b\", \"labels\": {\"karpenter.sh/nodepool\": \"general\"}}, "
        "\"spec\": {\"providerID\": \"aws:///us-east-1a/i-b\"}, \"status\": {\"capacity\": "
        "{\"cpu\": \"2\", \"nvidia.com/gpu\": \"1\"}}}");
    put(&b, "Node",
        "{\"metadata\": {\"name\": \"n-c\", \"deletionTimestamp\": \"2026-09-21T14:00:00Z\", "
        "\"labels\": {\"karpenter.sh/nodepool\": \"general\"}}, \"status\": {\"capacity\": "
        "{\"cpu\": \"64\"}}}");
    pass(&b, 4000);
    assert_int_equal(b.out.v.n, 0);
    pass(&b, 1000);
    assert_has(only(&b)->write.body,
               "\"resources\":{\"cpu\":\"6\",\"ephemeral-storage\":\"0\",\"memory\":\"16Gi\","
               "\"nodes\":\"2\",\"nvidia.com/gpu\":\"1\",\"pods\":\"58\"},\"nodes\":2");
    /* It fails, and comes again. */
    written(&b, only(&b)->id, K8S_WRITE_CONFLICT);
    pass(&b, 5000);
    assert_has(only(&b)->write.body, "\"nodes\":2");
    bench_close(&b);
}

/* ---- health ---- */

static void launch(struct bench *b, bool good)
{
    pools_launched(b->pools, STR("general"), good, STR("RegistrationFailed"),
                   STR("Failed to register node"));
    pass(b, 5000); /* the watch is slow */
}

static void two_failures_of_four_are_unhealthy(void **state)
{
    struct bench b;
    (void)state;
    open_well(&b, CONDITION("NodeRegistrationHealthy", "Unknown", "AwaitingReconciliation"));
    step(&b);
    launch(&b, false);
    assert_int_equal(b.out.v.n, 0);
    launch(&b, true);
    assert_has(only(&b)->write.body, "{\"type\":\"NodeRegistrationHealthy\",\"status\":\"True\","
                                     "\"reason\":\"NodeRegistrationHealthy\"");
    written(&b, only(&b)->id, K8S_WRITE_DONE);
    launch(&b, false);
    assert_has(only(&b)->write.body, "{\"type\":\"NodeRegistrationHealthy\",\"status\":\"False\","
                                     "\"reason\":\"RegistrationFailed\",\"message\":\"Failed to "
                                     "register node\"");
    assert_has(only(&b)->write.body, "{\"type\":\"Ready\",\"status\":\"True\"");
    bench_close(&b);
}

/* After a restart the condition is what is known: two failures count as they were. */
static void after_a_restart_the_condition_counts(void **state)
{
    struct bench b;
    (void)state;
    open_well(&b, CONDITION("NodeRegistrationHealthy", "False", "RegistrationFailed"));
    step(&b);
    for (int i = 0; i < 2; i++) {
        launch(&b, true);
        assert_int_equal(b.out.v.n, 0);
    }
    launch(&b, true);
    assert_has(only(&b)->write.body, "{\"type\":\"NodeRegistrationHealthy\",\"status\":\"True\"");
    bench_close(&b);
}

static void a_new_generation_begins_anew(void **state)
{
    struct bench b;
    (void)state;
    open_well(&b, "{\"type\": \"NodeRegistrationHealthy\", \"status\": \"False\", \"reason\": "
                  "\"RegistrationFailed\", \"observedGeneration\": 1}");
    step(&b);
    assert_has(only(&b)->write.body, "{\"type\":\"NodeRegistrationHealthy\",\"status\":\"Unknown\","
                                     "\"reason\":\"AwaitingReconciliation\"");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_written_once),
        cmocka_unit_test(claims_of_another_version_are_stamped_first),
        cmocka_unit_test(conditions_are_as_the_reference_has_them),
        cmocka_unit_test(what_is_there_is_not_written),
        cmocka_unit_test(nodes_are_counted),
        cmocka_unit_test(two_failures_of_four_are_unhealthy),
        cmocka_unit_test(after_a_restart_the_condition_counts),
        cmocka_unit_test(a_new_generation_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine counts of pods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "binpack/catalog/catalog.h"
#include "k8s/kinds.h"
#include "provisioner/engine/engine.h"
#include "provisioner/observe/metrics.h"

struct bench {
    struct arena arena;
    struct engine *engine;
    struct moment now;
};

/* Created at noon of 2026-09-21. */
static void put_pod(struct bench *b, const char *name, const char *node, const char *phase,
                    enum k8s_change change)
{
    const struct k8s_kind *kind = NULL;
    struct actions actions = {.arena = &b->arena};
    char json[1024];
    (void)snprintf(json, sizeof json,
                   "{\"metadata\": {\"name\": \"%s\", \"namespace\": \"shop\", "
                   "\"creationTimestamp\": \"2026-09-21T12:00:00Z\"}, \"spec\": {\"nodeName\": "
                   "\"%s\", \"containers\": [{\"name\": \"a\"}]}, \"status\": {\"phase\": "
                   "\"%s\"}}",
                   name, node, phase);
    auto_json *object = json_loads(json, 0, NULL);
    assert_non_null(object);
    assert_int_equal(k8s_kind_find(STR("Pod"), STR_EMPTY, &kind), K8S_MATCH_YES);
    const struct event event = {.type = EVENT_DELTA,
                                .kind = kind,
                                .delta = {.change = change,
                                          .id = {.ns = STR("shop"), .name = str_of(name)},
                                          .object = change == K8S_DELETED ? NULL : object}};
    engine_step(b->engine, &event, b->now, &actions);
}

static bool shows(struct bench *b, const char *line)
{
    struct strbuf text = strbuf_new(&b->arena, 1 << 20);
    metrics_text(engine_metrics(b->engine, b->now), &text);
    return str_has(strbuf_str(&text), str_of(line));
}

static void test_pods(void **state)
{
    const struct engine_settings settings = {.mode = ENGINE_OBSERVE,
                                             .batch_idle_ms = 1000,
                                             .batch_max_ms = 10000,
                                             .time_limit_ms = 60000,
                                             .make = MAKE_SETTINGS_DEFAULT};
    struct bench b = {.now = {.wall = INT64_C(1790000000000) - 8000 * 1000, .mono = 1000}};
    (void)state;
    b.engine = engine_new(&settings);
    engine_use_catalog(b.engine, cat_builtin(&b.arena, engine_tab(b.engine)));
    b.now.wall = INT64_C(1789992004000); /* four seconds after noon */
    put_pod(&b, "ran-before", "n-1", "Running", K8S_ADDED);
    put_pod(&b, "waits", "", "Pending", K8S_ADDED);
    assert_false(shows(&b, "karpenter_pods_"));
    b.now.wall += 1000;
    put_pod(&b, "waits", "n-1", "Pending", K8S_MODIFIED);
    assert_true(shows(&b, "karpenter_pods_bound_duration_seconds_sum 5\n"));
    assert_false(shows(&b, "karpenter_pods_startup_"));
    b.now.wall += 1000;
    put_pod(&b, "waits", "n-1", "Running", K8S_MODIFIED);
    put_pod(&b, "waits", "n-1", "Running", K8S_MODIFIED);
    assert_true(shows(&b, "karpenter_pods_startup_duration_seconds_sum 6\n"));
    assert_true(shows(&b, "karpenter_pods_startup_duration_seconds_count 1\n"));
    /* Both at once, and a clock that has gone back. */
    put_pod(&b, "quick", "", "Pending", K8S_ADDED);
    b.now.wall -= 60 * 1000;
    put_pod(&b, "quick", "n-1", "Running", K8S_MODIFIED);
    assert_true(shows(&b, "karpenter_pods_startup_duration_seconds_sum 6\n"));
    assert_true(shows(&b, "karpenter_pods_startup_duration_seconds_count 2\n"));
    assert_true(shows(&b, "karpenter_pods_bound_duration_seconds_count 2\n"));
    put_pod(&b, "quick", "n-1", "Running", K8S_DELETED);
    assert_true(shows(&b, "karpenter_pods_bound_duration_seconds_count 2\n"));
    engine_free(b.engine);
    arena_done(&b.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pods)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

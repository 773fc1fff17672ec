/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/json.h"
#include "engine_bench.h"
#include "provisioner/provisioning/round.h"

const struct k8s_kind *bench_kind(const char *name)
{
    const struct k8s_kind *kind = NULL;
    assert_int_equal(k8s_kind_find(str_of(name), STR_EMPTY, &kind), K8S_MATCH_YES);
    return kind;
}

static void take(struct engine_bench *b, const struct action *action)
{
    const struct k8s_write *write = &action->write;
    if (action->type == ACTION_TIMER) {
        b->timer = action->at;
    } else if (action->type == ACTION_SOLVE) {
        b->job = action->job;
    } else if (action->type == ACTION_CALL) {
        VEC_PUSH(&b->arena, &b->calls, action->operation);
    } else if (action->type == ACTION_WRITE) {
        VEC_PUSH(&b->arena, &b->writes,
                 ((struct bench_write){.id = action->id,
                                       .kind = write->kind->name,
                                       .verb = write->verb,
                                       .ns = str_copy(&b->arena, write->ns),
                                       .name = str_copy(&b->arena, write->name),
                                       .subresource = str_copy(&b->arena, write->subresource),
                                       .body = str_copy(&b->arena, write->body)}));
    }
}

void bench_step(struct engine_bench *b, const struct event *event)
{
    struct actions actions = {.arena = &b->step};
    arena_reset(&b->step);
    engine_step(b->engine, event, b->now, &actions);
    for (size_t i = 0; i < actions.v.n; i++) {
        take(b, &actions.v.v[i]);
    }
}

static void solve(struct engine_bench *b)
{
    while (b->job != NULL) {
        struct round_result result;
        round_run(b->job, NULL, &result);
        b->job = NULL;
        const struct event event = {.type = EVENT_SOLVED, .result = &result};
        bench_step(b, &event);
        round_result_done(&result);
    }
}

void bench_pass(struct engine_bench *b, int64_t ms)
{
    const struct event tick = {.type = EVENT_TICK};
    const mono_t end = b->now.mono + ms;
    solve(b);
    while (b->timer <= end) {
        const int64_t more = b->timer > b->now.mono ? b->timer - b->now.mono : 0;
        b->now.mono += more;
        b->now.wall += more;
        b->timer = INT64_MAX;
        bench_step(b, &tick);
        solve(b);
    }
    b->now.wall += end - b->now.mono;
    b->now.mono = end;
}

void bench_put(struct engine_bench *b, const char *kind, const char *json)
{
    json_error_t why;
    auto_json *object = json_loads(json, 0, &why);
    if (object == NULL) {
        fail_msg("%s: %s", json, why.text);
    }
    const json_t *metadata = json_object_get(object, "metadata");
    const struct event event = {
        .type = EVENT_DELTA,
        .kind = bench_kind(kind),
        .delta = {.change = K8S_MODIFIED,
                  .id = {.ns = str_of(json_string_value(json_object_get(metadata, "namespace"))),
                         .name = str_of(json_string_value(json_object_get(metadata, "name")))},
                  .object = object}};
    bench_step(b, &event);
}

void bench_sync(struct engine_bench *b)
{
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        const struct event event = {
            .type = EVENT_KIND, .kind = &k8s_kinds[i], .stage = KIND_SYNCED};
        bench_step(b, &event);
    }
}

void bench_open(struct engine_bench *b)
{
    const struct engine_settings settings = {
        .mode = ENGINE_FULL,
        .cluster = {.name = STR("c"), .endpoint = STR("https://c")},
        .batch_idle_ms = 1000,
        .batch_max_ms = 10000,
        .time_limit_ms = 60000,
        .make = MAKE_SETTINGS_DEFAULT};
    *b = (struct engine_bench){.timer = INT64_MAX,
                               .now = {.wall = INT64_C(1790000000000), .mono = 5000}};
    b->engine = engine_new(&settings);
    engine_use_catalog(b->engine, cat_builtin(&b->arena, engine_tab(b->engine)));
}

void bench_close(struct engine_bench *b)
{
    engine_abandon(b->engine);
    arena_done(&b->step);
    arena_done(&b->arena);
}

void bench_answer(struct engine_bench *b, uint64_t id, enum k8s_outcome outcome)
{
    const struct event event = {.type = EVENT_WRITTEN, .id = id, .written = {.outcome = outcome}};
    bench_step(b, &event);
}

uint32_t bench_count(const struct engine_bench *b, const char *kind)
{
    uint32_t n = 0;
    for (size_t i = 0; i < b->writes.n; i++) {
        n += str_eq(str_of(b->writes.v[i].kind), str_of(kind));
    }
    return n;
}

const struct bench_write *bench_find(const struct engine_bench *b, const char *kind,
                                     const char *text)
{
    for (size_t i = 0; i < b->writes.n; i++) {
        if (str_eq(str_of(b->writes.v[i].kind), str_of(kind)) &&
            str_has(b->writes.v[i].body, str_of(text))) {
            return &b->writes.v[i];
        }
    }
    return NULL;
}

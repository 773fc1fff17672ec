/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/json.h"
#include "bench.h"
#include "binpack/scheduling/vocab.h"

const struct k8s_kind *bench_kind(const char *name)
{
    const struct k8s_kind *kind = NULL;
    assert_int_equal(k8s_kind_find(str_of(name), STR_EMPTY, &kind), K8S_MATCH_YES);
    return kind;
}

void bench_open(struct bench *b)
{
    *b = (struct bench){.now = {.wall = INT64_C(1790000000000), .mono = 1000000},
                        .dns_ip = STR("10.100.0.10")};
    b->state = k8s_state_new();
    b->catalog = cat_builtin(&b->arena, k8s_state_tab(b->state));
    b->words =
        (struct k8s_cluster){.tab = k8s_state_tab(b->state), .words = *k8s_state_words(b->state)};
    b->vocab = sched_vocab_new(&b->arena, &b->words, b->catalog);
    b->lifecycle = lifecycle_new();
}

void bench_close(struct bench *b)
{
    lifecycle_free(b->lifecycle);
    k8s_state_free(b->state);
    arena_done(&b->step);
    arena_done(&b->arena);
}

struct lifecycle_view bench_view(struct bench *b)
{
    return (struct lifecycle_view){.state = b->state,
                                   .tab = k8s_state_tab(b->state),
                                   .vocab = b->vocab,
                                   .catalog = b->catalog,
                                   .cat = CAT_SETTINGS_DEFAULT,
                                   .cluster = {.name = STR("test"),
                                               .endpoint = STR("https://test.example"),
                                               .ca = STR("Y2E="),
                                               .cidr = STR("10.100.0.0/16"),
                                               .dns_ip = b->dns_ip},
                                   .now = b->now,
                                   .claims_known = b->claims_known,
                                   .last_id = &b->last_id,
                                   .out = &b->out};
}

/* Before what gives actions: those of before are forgotten. */
static struct lifecycle_view begin(struct bench *b)
{
    arena_reset(&b->step);
    b->out = (struct actions){.arena = &b->step};
    return bench_view(b);
}

void bench_put(struct bench *b, const char *kind, const char *json)
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
        .kind = bench_kind(kind),
        .delta = {.change = K8S_MODIFIED,
                  .id = {.ns = str_of(json_string_value(json_object_get(metadata, "namespace"))),
                         .name = str_of(json_string_value(json_object_get(metadata, "name")))},
                  .object = object}};
    if (!k8s_state_put(b->state, event.kind, &event.delta.id, object, &err)) {
        fail_msg("%s", err.text);
    }
    const struct lifecycle_view view = begin(b);
    lifecycle_delta(b->lifecycle, &view, &event);
}

void bench_drop(struct bench *b, const char *kind, const char *name)
{
    const struct event event = {.type = EVENT_DELTA,
                                .kind = bench_kind(kind),
                                .delta = {.change = K8S_DELETED, .id = {.name = str_of(name)}}};
    k8s_state_remove(b->state, event.kind, &event.delta.id);
    const struct lifecycle_view view = begin(b);
    lifecycle_delta(b->lifecycle, &view, &event);
}

void bench_step(struct bench *b)
{
    const struct lifecycle_view view = begin(b);
    lifecycle_step(b->lifecycle, &view);
}

const struct action *bench_only(const struct bench *b, enum action_type type)
{
    if (b->out.v.n != 1 || b->out.v.v[0].type != type) {
        fail_msg("%zu actions, the first of type %d, instead of one of type %d", b->out.v.n,
                 b->out.v.n > 0 ? (int)b->out.v.v[0].type : -1, (int)type);
    }
    return &b->out.v.v[0];
}

static void answer(struct bench *b, const struct event *event)
{
    const struct lifecycle_view view = begin(b);
    lifecycle_answer(b->lifecycle, &view, event);
}

void bench_written(struct bench *b, uint64_t id, enum k8s_outcome outcome)
{
    const struct event event = {.type = EVENT_WRITTEN, .id = id, .written = {.outcome = outcome}};
    answer(b, &event);
}

void bench_reply(struct bench *b, uint64_t id, const void *reply)
{
    const struct event event = {.type = EVENT_REPLY, .id = id, .reply = reply};
    answer(b, &event);
}

void bench_fault(struct bench *b, uint64_t id, const struct aws_fault *fault)
{
    const struct event event = {.type = EVENT_REPLY, .id = id, .fault = *fault};
    answer(b, &event);
}

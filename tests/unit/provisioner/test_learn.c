/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What running nodes teach of memory, and what the engine makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/strtab.h"
#include "k8s/kinds.h"
#include "provisioner/engine/engine.h"
#include "provisioner/engine/journal.h"
#include "provisioner/provisioning/learned.h"
#include "provisioner/provisioning/round.h"

#define GIB    (INT64_C(1) << 30)
#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* ---- what is kept ---- */

static void test_learned(void **state)
{
    auto_arena arena = ARENA_INIT;
    struct strtab *tab = strtab_new(&arena);
    struct learned *learned = learned_new();
    const struct cat_observed *v = NULL;
    const strid large = strtab_add(tab, STR("m5.large")), small = strtab_add(tab, STR("a1.small"));
    (void)state;
    assert_int_equal(learned_list(learned, tab, 0, &arena, &v), 0);
    learned_note(learned, STR("m5.large"), STR("ami-2"), 7 * GIB, 0);
    learned_note(learned, STR("m5.large"), STR("ami-1"), 6 * GIB, 0);
    learned_note(learned, STR("a1.small"), STR("ami-1"), 3 * GIB, 0);
    learned_note(learned, STR("x9.unknown"), STR("ami-1"), 3 * GIB, 0); /* to this vocabulary */
    learned_note(learned, STR("m5.large"), STR(""), 1 * GIB, 0);
    learned_note(learned, STR("m5.large"), STR("ami-3"), 0, 0);
    assert_int_equal(learned_list(learned, tab, 0, &arena, &v), 3);
    assert_true(v[0].type == large && str_eq(v[0].image_id, STR("ami-1")));
    assert_int_equal(v[0].memory_bytes, 6 * GIB);
    assert_true(v[1].type == large && str_eq(v[1].image_id, STR("ami-2")));
    assert_true(v[2].type == small);
    /* The least counts, for 60 days since it was last seen. */
    learned_note(learned, STR("m5.large"), STR("ami-1"), 5 * GIB, 10 * DAY_MS);
    learned_note(learned, STR("m5.large"), STR("ami-1"), 8 * GIB, 20 * DAY_MS);
    assert_int_equal(learned_list(learned, tab, 60 * DAY_MS - 1, &arena, &v), 3);
    assert_int_equal(learned_list(learned, tab, 60 * DAY_MS, &arena, &v), 1);
    assert_int_equal(v[0].memory_bytes, 5 * GIB);
    assert_int_equal(learned_list(learned, tab, 70 * DAY_MS, &arena, &v), 0);
    /* Then it begins anew, with more if need be. */
    learned_note(learned, STR("m5.large"), STR("ami-1"), 8 * GIB, 70 * DAY_MS);
    assert_int_equal(learned_list(learned, tab, 70 * DAY_MS, &arena, &v), 1);
    assert_int_equal(v[0].memory_bytes, 8 * GIB);
    learned_free(learned);
}

/* No more than so many; those that are too old make room. */
static void test_cap(void **state)
{
    auto_arena arena = ARENA_INIT;
    struct strtab *tab = strtab_new(&arena);
    struct learned *learned = learned_new();
    const struct cat_observed *v = NULL;
    (void)state;
    (void)strtab_add(tab, STR("m5.large"));
    for (int i = 0; i < 8192 + 5; i++) {
        char image[32];
        (void)snprintf(image, sizeof image, "ami-%d", i);
        learned_note(learned, STR("m5.large"), str_of(image), GIB, i < 3 ? 0 : 2);
    }
    assert_int_equal(learned_list(learned, tab, 2, &arena, &v), 8192);
    learned_note(learned, STR("m5.large"), STR("one-more"), GIB, 60 * DAY_MS + 1);
    assert_int_equal(learned_list(learned, tab, 60 * DAY_MS + 1, &arena, &v), 8190);
    learned_free(learned);
}

/* ---- the engine ---- */

struct bench {
    struct arena arena;
    struct engine *engine;
    struct moment now;
    struct round_job *job;
};

static const struct k8s_kind *kind_of(const char *name)
{
    const struct k8s_kind *kind = NULL;
    assert_int_equal(k8s_kind_find(str_of(name), STR_EMPTY, &kind), K8S_MATCH_YES);
    return kind;
}

static void step(struct bench *b, const struct event *event)
{
    struct actions actions = {.arena = &b->arena};
    engine_step(b->engine, event, b->now, &actions);
    for (size_t i = 0; i < actions.v.n; i++) {
        b->job = actions.v.v[i].type == ACTION_SOLVE ? actions.v.v[i].job : b->job;
    }
}

/* Single quotes stand for double ones. */
static void put(struct bench *b, const char *kind, const char *json)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "%s", json);
    for (char *p = text; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    auto_json *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    const struct event event = {
        .type = EVENT_DELTA,
        .kind = kind_of(kind),
        .delta = {.change = K8S_MODIFIED,
                  .id = {.name = str_of(json_string_value(
                             json_object_get(json_object_get(object, "metadata"), "name")))},
                  .object = object}};
    step(b, &event);
}

static const char claim[] =
    "{'metadata': {'name': 'p-1'}, 'spec': {'nodeClassRef': {'group': 'karpenter.k8s.aws', 'kind': "
    "'EC2NodeClass', 'name': 'c'}, 'requirements': []}, 'status': {'imageID': 'ami-1', "
    "'providerID': 'aws:///us-east-1a/i-1'}}";

static void put_node(struct bench *b, const char *registered, const char *memory)
{
    char json[1024];
    (void)snprintf(json, sizeof json,
                   "{'metadata': {'name': 'n-1', 'ownerReferences': [{'apiVersion': "
                   "'karpenter.sh/v1', 'kind': 'NodeClaim', 'name': 'p-1', 'uid': 'u'}], 'labels': "
                   "{'node.kubernetes.io/instance-type': 'm5.large', 'karpenter.sh/registered': "
                   "'%s'}}, 'spec': {'providerID': 'aws:///us-east-1a/i-1'}, 'status': "
                   "{'capacity': {'cpu': '2', 'memory': '%s'}}}",
                   registered, memory);
    put(b, "Node", json);
}

static void bench_open(struct bench *b, bool learns)
{
    const struct engine_settings settings = {.mode = ENGINE_OBSERVE,
                                             .batch_idle_ms = 1000,
                                             .batch_max_ms = 10000,
                                             .time_limit_ms = 60000,
                                             .learns = learns,
                                             .make = MAKE_SETTINGS_DEFAULT};
    *b = (struct bench){.now = {.wall = INT64_C(1790000000000), .mono = 1000}};
    b->engine = engine_new(&settings);
    engine_use_catalog(b->engine, cat_builtin(&b->arena, engine_tab(b->engine)));
}

static void bench_close(struct bench *b)
{
    engine_abandon(b->engine);
    arena_done(&b->arena);
}

static void sync(struct bench *b)
{
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        const struct event event = {
            .type = EVENT_KIND, .kind = &k8s_kinds[i], .stage = KIND_SYNCED};
        step(b, &event);
    }
}

/* Bytes that are known of m5.large; 0: nothing. */
static int64_t known(struct bench *b)
{
    const struct engine_catalog catalog = engine_catalog(b->engine, b->now, &b->arena);
    return catalog.settings.n_observed == 0 ? 0 : catalog.settings.observed[0].memory_bytes;
}

static void test_engine(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, /* learns= */ true);
    put_node(&b, "true", "7000Mi"); /* its claim is not there yet */
    assert_int_equal(known(&b), 0);
    put(&b, "NodeClaim", claim);
    sync(&b); /* what came in whatever order counts now */
    assert_int_equal(known(&b), INT64_C(7000) << 20);
    assert_non_null(b.job);
    assert_int_equal(b.job->settings.catalog.n_observed, 1);
    put_node(&b, "true", "6900Mi");
    assert_int_equal(known(&b), INT64_C(6900) << 20);
    assert_int_equal(b.job->settings.catalog.observed[0].memory_bytes, INT64_C(7000) << 20);
    put_node(&b, "false", "6800Mi"); /* what it says before it is registered may change */
    assert_int_equal(known(&b), INT64_C(6900) << 20);
    bench_close(&b);
    bench_open(&b, /* learns= */ false);
    put(&b, "NodeClaim", claim);
    put_node(&b, "true", "7000Mi");
    sync(&b);
    assert_int_equal(known(&b), 0);
    assert_int_equal(b.job->settings.catalog.n_observed, 0);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_learned), cmocka_unit_test(test_cap),
                                       cmocka_unit_test(test_engine)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

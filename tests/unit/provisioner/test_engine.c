/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine by events and a clock of its own: when it plans, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/docs.h"
#include "binpack/catalog/catalog.h"
#include "k8s/state.h"
#include "provisioner/engine/engine.h"
#include "provisioner/engine/journal.h"
#include "provisioner/observe/metrics.h"
#include "provisioner/provisioning/round.h"

struct bench {
    struct arena arena, step, catalog;
    struct engine *engine;
    struct moment now;
    struct round_job *job; /* of the last ACTION_SOLVE that nobody has run */
    mono_t timer;          /* of the last ACTION_TIMER */
    uint32_t n_solves, n_cancels, n_exits, n_exports, n_restarts; /* but for first plans */
    uint32_t n_firsts, n_first_exports, n_writes;                 /* n_writes: of NodeClaims */
    uint64_t write;                                               /* id of the last of them */
    int reply_status;
    char said[65536]; /* messages of ACTION_LOG, a line each, with fields */
    char plan[1 << 20], reply[1 << 20];
    struct strbuf journal; /* in `arena` */
};

static const struct k8s_kind *kind_of(const char *name)
{
    const struct k8s_kind *kind = NULL;
    assert_int_equal(k8s_kind_find(str_of(name), STR_EMPTY, &kind), K8S_MATCH_YES);
    return kind;
}

static void copy(char *to, size_t size, struct str from)
{
    assert_true(from.n < size);
    memcpy(to, from.p, from.n);
    to[from.n] = '\0';
}

static enum engine_mode mode; /* of the benches that are opened */

static void take(struct bench *b, const struct action *action)
{
    const size_t n = strlen(b->said);
    switch (action->type) {
    case ACTION_TIMER:
        b->timer = action->at;
        break;
    case ACTION_SOLVE:
        assert_null(b->job);
        b->job = action->job;
        b->n_solves += !action->job->follows;
        b->n_firsts += action->job->first;
        break;
    case ACTION_CANCEL:
        round_cancel(b->job);
        b->n_cancels++;
        break;
    case ACTION_EXPORT:
        copy(b->plan, sizeof b->plan, action->result->document);
        b->n_exports += !action->result->first;
        b->n_first_exports += action->result->first;
        break;
    case ACTION_REPLY:
        b->reply_status = action->status;
        copy(b->reply, sizeof b->reply, action->document);
        break;
    case ACTION_LOG:
        (void)snprintf(b->said + n, sizeof b->said - n, "%s {" STR_FMT "}\n", action->message,
                       STR_ARG(action->fields));
        break;
    case ACTION_RESTART:
        b->n_restarts++;
        arena_reset(&b->catalog);
        engine_use_catalog(b->engine, cat_builtin(&b->catalog, engine_tab(b->engine)));
        break;
    case ACTION_EXIT:
        b->n_exits++;
        break;
    case ACTION_WRITE:
        assert_int_equal(mode, ENGINE_FULL); /* what observes writes nothing */
        if (action->write.kind == kind_of("NodeClaim")) {
            b->n_writes++;
            b->write = action->id;
        }
        break;
    case ACTION_CALL:
        fail_msg("nothing was launched");
    }
}

static void step(struct bench *b, const struct event *event)
{
    struct actions actions = {.arena = &b->step};
    arena_reset(&b->step);
    engine_step(b->engine, event, b->now, &actions);
    journal_put_event(event, b->now, &b->journal);
    for (size_t i = 0; i < actions.v.n; i++) {
        journal_put_action(&actions.v.v[i], &b->journal);
        take(b, &actions.v.v[i]);
    }
}

static void pass(struct bench *b, int64_t ms)
{
    b->now.mono += ms;
    b->now.wall += ms;
    if (b->timer <= b->now.mono) {
        const struct event event = {.type = EVENT_TICK};
        b->timer = INT64_MAX;
        step(b, &event);
    }
}

/* One job: a first plan, or another. */
static void solve_one(struct bench *b)
{
    struct round_result result;
    assert_non_null(b->job);
    round_run(b->job, NULL, &result);
    b->job = NULL;
    const struct event event = {.type = EVENT_SOLVED, .result = &result};
    step(b, &event);
    round_result_done(&result);
}

/* With what follows a first plan. */
static void solve(struct bench *b)
{
    assert_non_null(b->job);
    const bool first = b->job->first;
    solve_one(b);
    if (first && b->job != NULL && b->job->follows) {
        solve_one(b);
    }
}

static void put(struct bench *b, const char *kind, const char *json, enum k8s_change change)
{
    json_error_t why;
    auto_json *object = json_loads(json, 0, &why);
    assert_non_null(object);
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

static void put_pod(struct bench *b, const char *name, const char *cpu, const char *node,
                    enum k8s_change change)
{
    char json[1024];
    (void)snprintf(json, sizeof json,
                   "{\"metadata\": {\"name\": \"%s\", \"namespace\": \"shop\"}, \"spec\": "
                   "{\"nodeName\": \"%s\", \"containers\": [{\"name\": \"a\", \"resources\": "
                   "{\"requests\": {\"cpu\": \"%s\", \"memory\": \"1Gi\"}}}]}, \"status\": "
                   "{\"phase\": \"Pending\", \"conditions\": [{\"type\": \"PodScheduled\", "
                   "\"status\": \"%s\", \"reason\": \"Unschedulable\"}]}}",
                   name, node, cpu, node[0] == '\0' ? "False" : "True");
    put(b, "Pod", json, change);
}

static void sync(struct bench *b)
{
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        const struct event event = {.type = EVENT_KIND,
                                    .kind = &k8s_kinds[i],
                                    .stage = str_eq(str_of(k8s_kinds[i].group), STR("karpenter.sh"))
                                                 ? KIND_ABSENT
                                                 : KIND_SYNCED};
        step(b, &event);
    }
}

static int64_t disrupt_ms;          /* of the benches that are opened */
static struct str scheduler_config; /* the same */

static void bench_open(struct bench *b)
{
    const struct engine_settings settings = {.mode = mode,
                                             .elects = mode == ENGINE_FULL,
                                             .batch_idle_ms = 1000,
                                             .batch_max_ms = 10000,
                                             .time_limit_ms = 60000,
                                             .slack_bytes = 1 << 20,
                                             .disrupt_ms = disrupt_ms,
                                             .scheduler_config = scheduler_config,
                                             .make = MAKE_SETTINGS_DEFAULT};
    memset(b, 0, sizeof *b);
    b->timer = INT64_MAX;
    b->now = (struct moment){.wall = INT64_C(1790000000000), .mono = 5000};
    b->journal = strbuf_new(&b->arena, 64 << 20);
    b->engine = engine_new(&settings);
    engine_use_catalog(b->engine, cat_builtin(&b->catalog, engine_tab(b->engine)));
}

static void bench_close(struct bench *b)
{
    engine_free(b->engine);
    arena_done(&b->step);
    arena_done(&b->catalog);
    arena_done(&b->arena);
}

/* Synced, with the first plan made. */
static void bench_start(struct bench *b)
{
    bench_open(b);
    sync(b);
    solve(b);
    b->said[0] = '\0';
}

static struct bench bench; /* large */

static void nothing_is_planned_before_all_is_known(void **state)
{
    struct bench *b = &bench;
    (void)state;
    bench_open(b);
    put_pod(b, "web-0", "1", "", K8S_ADDED);
    pass(b, 60000);
    assert_int_equal(b->n_solves, 0);
    assert_false(engine_look(b->engine).synced);
    sync(b);
    assert_true(engine_look(b->engine).synced);
    assert_int_equal(b->n_solves, 1);
    solve(b);
    assert_int_equal(b->n_exports, 1);
    assert_non_null(strstr(b->plan, "\"pendingPods\": 1"));
    assert_non_null(strstr(b->said, "cluster state synced {\"pods\":1,\"nodes\":0"));
    assert_non_null(strstr(b->said, "found provisionable pod(s) {\"Pods\":\"shop/web-0\""));
    assert_non_null(
        strstr(b->said, "computed new nodeclaim(s) to fit pod(s) {\"nodeclaims\":1,\"pods\":1}"));
    bench_close(b);
}

static void pods_must_be_readable(void **state)
{
    struct bench *b = &bench;
    (void)state;
    bench_open(b);
    sync(b);
    solve(b);
    const struct event event = {.type = EVENT_KIND,
                                .kind = kind_of("Pod"),
                                .stage = KIND_REFUSED,
                                .why = STR("403 forbidden")};
    step(b, &event);
    assert_false(engine_look(b->engine).synced);
    assert_non_null(strstr(b->said, "cannot follow a kind of objects {\"resource\":\"pods\","
                                    "\"error\":\"403 forbidden\"}"));
    bench_close(b);
}

static void the_window_closes_when_idle(void **state)
{
    struct bench *b = &bench;
    (void)state;
    bench_start(b);
    pass(b, 1000);
    put_pod(b, "web-0", "1", "", K8S_ADDED);
    assert_int_equal(b->timer, b->now.mono + 1000);
    pass(b, 900);
    put_pod(b, "web-1", "1", "", K8S_ADDED);
    pass(b, 999);
    assert_int_equal(b->n_solves, 1);
    pass(b, 1);
    assert_int_equal(b->n_solves, 2);
    solve(b);
    assert_non_null(strstr(b->plan, "\"pendingPods\": 2"));
    bench_close(b);
}

static void the_window_closes_at_last(void **state)
{
    struct bench *b = &bench;
    (void)state;
    bench_start(b);
    for (int i = 0; i < 11; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "web-%d", i);
        put_pod(b, name, "1", "", K8S_ADDED);
        pass(b, 909);
    }
    assert_int_equal(b->n_solves, 1); /* 9,999 ms */
    pass(b, 1);
    assert_int_equal(b->n_solves, 2);
    solve(b);
    bench_close(b);
}

/* The first plan is there before the search for a cheaper one begins, which is about the same
 * objects and gives way to pods that come. */
static void the_first_plan_comes_at_once(void **state)
{
    struct bench *b = &bench;
    (void)state;
    bench_start(b);
    put_pod(b, "web-0", "1", "", K8S_ADDED);
    pass(b, 1000);
    assert_int_equal(b->n_firsts, 1);
    put_pod(b, "web-1", "2", "", K8S_ADDED);
    solve_one(b);
    assert_int_equal(b->n_first_exports, 1);
    assert_non_null(strstr(b->plan, "\"method\": \"first-fit-decreasing\""));
    assert_non_null(strstr(b->plan, "shop/web-0"));
    assert_non_null(strstr(b->said, "computed first plan {\"usdPerHour\":"));
    assert_null(strstr(b->said, "computed plan "));
    assert_int_equal(b->n_exports, 1); /* of bench_start */
    assert_true(b->job != NULL && b->job->follows && !b->job->first);
    pass(b, 499);
    assert_int_equal(b->n_cancels, 0);
    pass(b, 1);
    assert_int_equal(b->n_cancels, 1);
    solve_one(b);
    assert_int_equal(b->n_exports, 2);
    assert_null(b->job);
    pass(b, 499);
    assert_null(b->job);
    pass(b, 1);
    assert_non_null(strstr(b->plan, "\"method\": \"column-generation\""));
    assert_null(strstr(b->plan, "shop/web-1"));
    assert_true(b->job != NULL && b->job->first);
    solve(b);
    assert_non_null(strstr(b->plan, "shop/web-1"));
    assert_int_equal(b->n_first_exports, 2);
    bench_close(b);
}

/* A program that ends does not begin the search. */
static void no_search_follows_when_stopping(void **state)
{
    struct bench *b = &bench;
    const struct event stop = {.type = EVENT_STOP};
    (void)state;
    bench_start(b);
    put_pod(b, "web-0", "1", "", K8S_ADDED);
    pass(b, 1000);
    step(b, &stop);
    solve_one(b);
    assert_null(b->job);
    assert_int_equal(b->n_exits, 1);
    bench_close(b);
}

/* What comes during a round is for the next; a round at a time. */
static void rounds_do_not_overlap(void **state)
{
    struct bench *b = &bench;
    (void)state;
    bench_start(b);
    put_pod(b, "web-0", "1", "", K8S_ADDED);
    pass(b, 1000);
    assert_int_equal(b->n_solves, 2);
    put_pod(b, "web-1", "2", "", K8S_ADDED);
    put_pod(b, "web-0", "1", "", K8S_DELETED);
    pass(b, 5000);
    assert_int_equal(b->n_solves, 2);
    solve(b); /* of the objects as they were */
    assert_non_null(strstr(b->plan, "shop/web-0"));
    assert_null(strstr(b->plan, "shop/web-1"));
    assert_int_equal(b->n_solves, 3);
    solve(b);
    assert_null(strstr(b->plan, "shop/web-0"));
    assert_non_null(strstr(b->plan, "shop/web-1"));
    bench_close(b);
}

/* Pods that find a place change the plan, at the pace of Karpenter's second looks. */
static void plans_follow_what_else_changes(void **state)
{
    struct bench *b = &bench;
    (void)state;
    bench_start(b);
    put_pod(b, "web-0", "1", "", K8S_ADDED);
    pass(b, 1000);
    solve(b);
    put_pod(b, "web-0", "1", "n0", K8S_MODIFIED);
    assert_int_equal(engine_look(b->engine).n_pending, 0);
    pass(b, 9999);
    assert_int_equal(b->n_solves, 2);
    pass(b, 1);
    assert_int_equal(b->n_solves, 3);
    solve(b);
    assert_non_null(strstr(b->plan, "\"newNodes\": 0"));
    pass(b, INT64_C(3600000));
    assert_int_equal(b->n_solves, 3); /* nothing has changed */
    bench_close(b);
}

static void a_plan_has_a_time_limit(void **state)
{
    struct bench *b = &bench;
    (void)state;
    bench_start(b);
    put_pod(b, "web-0", "1", "", K8S_ADDED);
    pass(b, 1000);
    assert_int_equal(b->timer, b->now.mono + 60000);
    pass(b, 59999);
    assert_int_equal(b->n_cancels, 0);
    pass(b, 1);
    assert_int_equal(b->n_cancels, 1);
    solve(b);
    assert_non_null(strstr(b->said, "\"cut\":true"));
    bench_close(b);
}

static void stopping_waits_for_the_round(void **state)
{
    const struct event stop = {.type = EVENT_STOP};
    struct bench *b = &bench;
    (void)state;
    bench_start(b);
    put_pod(b, "web-0", "1", "", K8S_ADDED);
    pass(b, 1000);
    step(b, &stop);
    assert_int_equal(b->n_cancels, 1);
    assert_int_equal(b->n_exits, 0);
    solve(b);
    assert_int_equal(b->n_exits, 1);
    bench_close(b);
}

static void broken_objects_are_left_out_and_said(void **state)
{
    struct bench *b = &bench;
    (void)state;
    bench_start(b);
    put_pod(b, "web-0", "-1", "", K8S_ADDED);
    assert_int_equal(engine_look(b->engine).n_pending, 0);
    assert_non_null(strstr(b->said, "Pod shop/web-0: spec.containers[0].resources.requests.cpu"));
    put_pod(b, "web-0", "1", "", K8S_MODIFIED);
    assert_int_equal(engine_look(b->engine).n_pending, 1);
    pass(b, 1000);
    solve(b);
    bench_close(b);
}

/* What running nodes could go is looked at now and then, and gives way to pods. */
static void disruption_gives_way(void **state)
{
    struct bench *b = &bench;
    (void)state;
    disrupt_ms = 300000;
    bench_open(b);
    sync(b);
    assert_false(b->job->disrupts);
    solve(b);
    assert_true(b->job != NULL && b->job->disrupts);
    assert_int_equal(b->timer, b->now.mono + 60000);
    put_pod(b, "web-0", "1", "", K8S_ADDED);
    assert_int_equal(b->timer, b->now.mono + 500);
    pass(b, 499);
    assert_int_equal(b->n_cancels, 0);
    pass(b, 1);
    assert_int_equal(b->n_cancels, 1);
    pass(b, 500);
    const uint32_t n_exports = b->n_exports;
    solve(b); /* cut: shown to nobody */
    assert_int_equal(b->n_exports, n_exports);
    assert_true(b->job != NULL && !b->job->disrupts);
    solve(b);
    assert_non_null(strstr(b->plan, "shop/web-0"));
    assert_null(b->job);
    pass(b, 10000); /* and again, soon */
    assert_true(b->job != NULL && b->job->disrupts);
    solve(b);
    assert_non_null(strstr(b->said, "computed disruption {\"nodes\":0"));
    assert_non_null(strstr(b->plan, "\"mode\": \"disrupt\""));
    pass(b, 299999);
    assert_null(b->job);
    pass(b, 1);
    assert_true(b->job != NULL && b->job->disrupts);
    solve(b);
    bench_close(b);
    disrupt_ms = 0;
}

/* Ten pods of one workload fit on one node; spread over zones they do not go on one. */
static void the_scheduler_has_defaults(void **state)
{
    struct bench *b = &bench;
    (void)state;
    for (int spread = 0; spread < 2; spread++) {
        scheduler_config = spread == 0
                               ? STR_EMPTY
                               : STR("podTopologySpread: {defaultConstraints: [{maxSkew: 1, "
                                     "topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: "
                                     "DoNotSchedule}]}");
        bench_open(b);
        put(b, "ReplicaSet",
            "{\"metadata\": {\"name\": \"web\", \"namespace\": \"shop\"}, \"spec\": {\"selector\": "
            "{\"matchLabels\": {\"app\": \"web\"}}, \"template\": {\"metadata\": {\"labels\": "
            "{\"app\": \"web\"}}, \"spec\": {\"containers\": [{\"name\": \"a\"}]}}}}",
            K8S_ADDED);
        for (int i = 0; i < 6; i++) {
            char json[1024];
            (void)snprintf(json, sizeof json,
                           "{\"metadata\": {\"name\": \"web-%d\", \"namespace\": \"shop\", "
                           "\"labels\": {\"app\": \"web\"}, \"ownerReferences\": [{\"apiVersion\": "
                           "\"apps/v1\", \"kind\": \"ReplicaSet\", \"name\": \"web\", "
                           "\"controller\": true}]}, \"spec\": {\"containers\": [{\"name\": \"a\", "
                           "\"resources\": {\"requests\": {\"cpu\": \"100m\", \"memory\": "
                           "\"64Mi\"}}}]}, \"status\": {\"phase\": \"Pending\", \"conditions\": "
                           "[{\"type\": \"PodScheduled\", \"status\": \"False\", \"reason\": "
                           "\"Unschedulable\"}]}}",
                           i);
            put(b, "Pod", json, K8S_ADDED);
        }
        sync(b);
        solve(b);
        assert_true((strstr(b->plan, "\"newNodes\": 1,") != NULL) == (spread == 0));
        assert_non_null(strstr(b->plan, "\"unplacedPods\": 0"));
        bench_close(b);
    }
    scheduler_config = STR_EMPTY;
}

static void questions_are_answered_in_turn(void **state)
{
    struct event ask = {.type = EVENT_EXPLAIN, .ask = 7, .pod = STR("shop/web-0")};
    struct bench *b = &bench;
    (void)state;
    bench_open(b);
    step(b, &ask);
    assert_int_equal(b->reply_status, 503);
    bench_close(b);
    bench_start(b);
    put_pod(b, "web-0", "1", "", K8S_ADDED);
    pass(b, 1000);
    step(b, &ask); /* during a round */
    assert_int_equal(b->reply_status, 0);
    solve(b);
    solve(b);
    assert_int_equal(b->reply_status, 200);
    assert_non_null(strstr(b->reply, "\"kind\": \"Explain\""));
    ask.pod = STR("shop/nobody");
    step(b, &ask);
    solve(b);
    assert_int_equal(b->reply_status, 404);
    bench_close(b);
}

/* Gives the events of a journal to another engine; what comes must be the same journal. */
static void replay(struct bench *b, struct str journal)
{
    for (size_t at = 0; at < journal.n;) {
        const struct str rest = str_sub(journal, at, journal.n);
        const struct str line = str_sub(rest, 0, str_find(rest, '\n'));
        struct journal_round round = {.id = 0};
        struct event event;
        struct err err;
        auto_json *value = NULL;
        bool is_event = false;
        at += line.n + 1;
        assert_true(docs_read_one(line, &value, &err));
        assert_true(journal_read_event(value, &b->arena, &is_event, &event, &b->now, &round, &err));
        if (is_event && event.type == EVENT_SOLVED) {
            b->job->cut_after = round.cut_after;
            solve_one(b);
        } else if (is_event) {
            step(b, &event);
        }
    }
}

static void a_journal_gives_the_same_again(void **state)
{
    static struct bench again; /* large */
    const struct event stop = {.type = EVENT_STOP};
    struct bench *b = &bench;
    (void)state;
    bench_start(b);
    put_pod(b, "web-0", "1", "", K8S_ADDED);
    put_pod(b, "web-1", "-1", "", K8S_ADDED);
    pass(b, 1000);
    put_pod(b, "web-2", "9", "", K8S_ADDED);
    put_pod(b, "web-0", "1", "", K8S_DELETED);
    pass(b, 60000); /* cut */
    solve(b);       /* and the next begins */
    const struct event ask = {.type = EVENT_EXPLAIN, .ask = 7, .pod = STR("shop/web-2")};
    step(b, &ask);
    solve(b);
    step(b, &stop);
    solve(b);
    assert_non_null(strstr(b->said, "\"cut\":true"));
    bench_open(&again);
    replay(&again, strbuf_str(&b->journal));
    assert_true(str_eq(strbuf_str(&b->journal), strbuf_str(&again.journal)));
    assert_int_equal(again.n_exits, 1);
    bench_close(&again);
    bench_close(b);
}

static void lead(struct bench *b, bool leads)
{
    const struct event event = {.type = EVENT_LEAD, .leads = leads};
    step(b, &event);
    if (b->job != NULL) {
        solve(b);
    }
}

/* Only the replica that leads acts, once it knows what nodes are to be told; who leads again begins
 * anew. */
static void only_who_leads_acts(void **state)
{
    static struct bench again; /* large */
    const struct event cluster = {.type = EVENT_CLUSTER,
                                  .cluster = {.name = STR("c"), .endpoint = STR("https://c")}};
    struct bench *b = &bench;
    (void)state;
    mode = ENGINE_FULL;
    bench_start(b);
    put(b, "NodePool",
        "{\"metadata\": {\"name\": \"default\"}, \"spec\": {\"template\": {\"spec\": "
        "{\"nodeClassRef\": {\"group\": \"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", "
        "\"name\": \"default\"}, \"requirements\": []}}}}",
        K8S_ADDED);
    put_pod(b, "web-0", "1", "", K8S_ADDED);
    pass(b, 1000);
    solve(b);
    lead(b, true);
    assert_int_equal(b->n_writes, 0);
    step(b, &cluster);
    solve(b);
    assert_int_equal(b->n_writes, 1);
    lead(b, false);
    struct event written = {
        .type = EVENT_WRITTEN, .id = b->write, .written = {.outcome = K8S_WRITE_UNKNOWN}};
    step(b, &written); /* of before: it would be sent again */
    pass(b, 60000);
    assert_null(b->job);
    assert_int_equal(b->n_writes, 1);
    lead(b, true);
    assert_int_equal(b->n_writes, 2);
    written.id = b->write;
    step(b, &written);
    pass(b, 1000);
    assert_int_equal(b->n_writes, 3);
    /* Written, and the watch is silent: it is not bought again, but looked for. */
    written.id = b->write;
    written.written.outcome = K8S_WRITE_DONE;
    step(b, &written);
    pass(b, 59000);
    assert_int_equal(b->n_writes, 3);
    pass(b, 1000);
    assert_int_equal(b->n_writes, 4);
    assert_null(b->job);
    bench_open(&again);
    replay(&again, strbuf_str(&b->journal));
    assert_true(str_eq(strbuf_str(&b->journal), strbuf_str(&again.journal)));
    bench_close(&again);
    bench_close(b);
    mode = ENGINE_OBSERVE;
}

static void settings_come_back_from_the_header(void **state)
{
    auto_arena arena = ARENA_INIT;
    struct engine_settings settings = {.batch_idle_ms = 7,
                                       .batch_max_ms = 8,
                                       .time_limit_ms = 9,
                                       .replan_ms = 10,
                                       .gap_ppm = 11,
                                       .launches_per_minute = 12,
                                       .launch_usd_per_minute = 13,
                                       .make = MAKE_SETTINGS_DEFAULT},
                           back;
    struct strbuf b = strbuf_new(&arena, 4096), c = strbuf_new(&arena, 4096);
    auto_json *value = NULL, *other = json_object();
    struct str catalog;
    struct err err;
    (void)state;
    settings.make.gate_spot_to_spot = true;
    settings.make.ignore_dra_requests = false;
    settings.make.preference_policy = MAKE_IGNORE;
    settings.make.solver.algorithm = BP_FFD;
    settings.make.solver.effort = 5;
    settings.make.catalog.reserved_enis = 1;
    journal_put_header(&settings, STR("c@1"), &b);
    assert_true(docs_read_one(strbuf_str(&b), &value, &err));
    assert_true(journal_read_header(value, &back, &catalog, &err));
    journal_put_header(&back, catalog, &c);
    assert_true(str_eq(strbuf_str(&b), strbuf_str(&c)));
    assert_int_equal(back.launches_per_minute, 12);
    assert_int_equal(back.launch_usd_per_minute, 13);
    (void)json_object_set_new(other, "journal", json_string("binpack/journal/v0"));
    assert_false(journal_read_header(other, &back, &catalog, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
}

/* Pods with labels that nobody else has come and go: memory has a limit, nothing is forgotten. */
static void what_is_gone_does_not_stay_in_memory(void **state)
{
    enum { JOBS = 30000 };
    struct bench *b = &bench;
    size_t peak = 0, n_synced = 0;
    (void)state;
    bench_start(b);
    put_pod(b, "stays", "1", "", K8S_ADDED);
    pass(b, 1000);
    solve(b);
    for (int i = 0; i < JOBS; i++) {
        char json[512];
        (void)snprintf(json, sizeof json,
                       "{\"metadata\": {\"name\": \"job\", \"namespace\": \"shop\", \"labels\": "
                       "{\"job\": \"label-of-its-own-%d\"}}, \"spec\": {\"nodeName\": \"n\", "
                       "\"containers\": [{\"name\": \"a\"}]}, \"status\": {\"phase\": "
                       "\"Running\"}}",
                       i);
        put(b, "Pod", json, K8S_MODIFIED);
        if (b->job != NULL) {
            solve(b);
        }
        const size_t bytes = k8s_state_bytes(engine_look(b->engine).state);
        peak = bytes > peak ? bytes : peak;
        if (b->n_restarts > n_synced) { /* the lists again */
            n_synced = b->n_restarts;
            assert_false(engine_look(b->engine).synced);
            assert_int_equal(engine_look(b->engine).n_pending, 0);
            put_pod(b, "stays", "1", "", K8S_ADDED);
            sync(b);
            assert_int_equal(engine_look(b->engine).n_pending, 1);
            solve(b);
            assert_non_null(strstr(b->plan, "shop/stays"));
        }
    }
    assert_true(b->n_restarts >= 2);
    assert_in_range(peak, 1, 16 << 20);
    bench_close(b);
}

static void broken_lines_are_refused(void **state)
{
    static const struct {
        const char *line, *text;
    } rows[] = {
        {"{}", "event"},
        {"{\"event\": \"boom\", \"wall\": 1, \"mono\": 1}", "event: \"boom\" is not known"},
        {"{\"event\": \"tick\", \"wall\": -1, \"mono\": 1}", "wall"},
        {"{\"event\": \"delta\", \"wall\": 1, \"mono\": 1, \"kind\": \"Pot\", \"group\": \"\"}",
         "kind: \"Pot\" is not known"},
        {"{\"event\": \"delta\", \"wall\": 1, \"mono\": 1, \"kind\": \"Pod\", \"group\": \"\", "
         "\"change\": \"ADDED\", \"object\": 3}",
         "object: expected an object"},
        {"{\"event\": \"solved\", \"wall\": 1, \"mono\": 1}", "round"},
        {"{\"event\": \"written\", \"wall\": 1, \"mono\": 1, \"id\": 1, \"outcome\": 99}",
         "outcome"},
        {"{\"event\": \"reply\", \"wall\": 1, \"mono\": 1, \"id\": 1, \"operation\": \"RunAway\"}",
         "operation: \"RunAway\" is not known"},
        {"{\"event\": \"reply\", \"wall\": 1, \"mono\": 1, \"id\": 1, \"operation\": "
         "\"CreateFleet\", \"result\": {\"FleetId\": 3}}",
         "FleetId"},
    };
    auto_arena arena = ARENA_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_json *value = NULL;
        struct journal_round round;
        struct moment now;
        struct event event;
        struct err err;
        bool is_event = false;
        assert_true(docs_read_one(str_of(rows[i].line), &value, &err));
        if (journal_read_event(value, &arena, &is_event, &event, &now, &round, &err) ||
            strstr(err.text, rows[i].text) == NULL) {
            fail_msg("%s: \"%s\"", rows[i].line, err.text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_planned_before_all_is_known),
        cmocka_unit_test(pods_must_be_readable),
        cmocka_unit_test(the_window_closes_when_idle),
        cmocka_unit_test(the_window_closes_at_last),
        cmocka_unit_test(the_first_plan_comes_at_once),
        cmocka_unit_test(no_search_follows_when_stopping),
        cmocka_unit_test(rounds_do_not_overlap),
        cmocka_unit_test(plans_follow_what_else_changes),
        cmocka_unit_test(a_plan_has_a_time_limit),
        cmocka_unit_test(stopping_waits_for_the_round),
        cmocka_unit_test(broken_objects_are_left_out_and_said),
        cmocka_unit_test(disruption_gives_way),
        cmocka_unit_test(the_scheduler_has_defaults),
        cmocka_unit_test(questions_are_answered_in_turn),
        cmocka_unit_test(a_journal_gives_the_same_again),
        cmocka_unit_test(only_who_leads_acts),
        cmocka_unit_test(settings_come_back_from_the_header),
        cmocka_unit_test(broken_lines_are_refused),
        cmocka_unit_test(what_is_gone_does_not_stay_in_memory),
    };
    return cmocka_run_group_tests_name("provisioner/engine", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/engine/engine.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "binpack/scheduling/eligibility.h"
#include "binpack/scheduling/vocab.h"
#include "provisioner/engine/engine_impl.h"
#include "provisioner/engine/milestones.h"

enum {
    REPLAN_MS = 10 * 1000,
    SLACK_BYTES = 64 << 20,
    LEAD_MS = 500, /* a round that is cancelled so long before the next is due is over by then */
    CALM_MS = 50 * 1000 /* on top, while nobody waits: for what the running nodes cost */
};

struct engine *engine_new(const struct engine_settings *settings)
{
    struct arena arena = ARENA_INIT;
    struct engine *engine = ARENA_NEW(&arena, struct engine);
    engine->arena = arena;
    engine->settings = *settings;
    engine->settings.replan_ms = settings->replan_ms > 0 ? settings->replan_ms : (int64_t)REPLAN_MS;
    engine->settings.slack_bytes =
        settings->slack_bytes > 0 ? settings->slack_bytes : (int64_t)SLACK_BYTES;
    engine->learned = settings->learns ? learned_new() : NULL;
    engine->cat = settings->make.catalog;
    engine->batch =
        (struct batch){.idle_ms = settings->batch_idle_ms, .max_ms = settings->batch_max_ms};
    engine->state = k8s_state_new();
    engine->metrics = metrics_new();
    engine->stages = ARENA_ARRAY(&engine->arena, enum kind_stage, k8s_n_kinds);
    engine->n_refused = ARENA_ARRAY(&engine->arena, uint64_t, k8s_n_kinds);
    engine->timer_at = INT64_MAX;
    engine->replan_at = INT64_MAX;
    engine->again_at = INT64_MAX;
    engine->budget = (struct launch_budget){
        .n_most = settings->launches_per_minute,
        .price_most = sat_mul(settings->launch_usd_per_minute, USD_PER_HOUR)};
    engine->lifecycle = settings->mode == ENGINE_FULL ? lifecycle_new() : NULL;
    engine->pools = settings->mode == ENGINE_FULL ? pools_new() : NULL;
    engine->tell = settings->mode == ENGINE_FULL ? tell_new() : NULL;
    engine->leads = !settings->elects;
    engine->cluster = settings->cluster;
    return engine;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL) {
        return;
    }
    assert(!engine->solving);
    engine_abandon(engine);
}

void engine_abandon(struct engine *engine)
{
    if (engine == NULL) {
        return;
    }
    k8s_state_free(engine->state);
    arena_done(&engine->words_arena);
    metrics_free(engine->metrics);
    lifecycle_free(engine->lifecycle);
    pools_free(engine->pools);
    tell_free(engine->tell);
    arena_done(&engine->creating_arena);
    arena_done(&engine->gone_arena);
    arena_done(&engine->observed_arena);
    learned_free(engine->learned);
    arena_done(&engine->cluster_arena);
    struct arena arena = engine->arena;
    arena_done(&arena);
}

struct strtab *engine_tab(struct engine *engine)
{
    return k8s_state_tab(engine->state);
}

void engine_use_catalog(struct engine *engine, const struct catalog *catalog)
{
    engine->catalog = catalog;
    engine->stale = true;
    engine->words = (struct k8s_cluster){.tab = k8s_state_tab(engine->state),
                                         .words = *k8s_state_words(engine->state)};
    arena_reset(&engine->words_arena);
    engine->vocab = sched_vocab_new(&engine->words_arena, &engine->words, catalog);
}

/* ---- objects ---- */

static bool needs_place(const struct engine *engine, const struct k8s_kind *kind,
                        const struct k8s_identity *id)
{
    const struct k8s_pod *pod =
        kind->store == STORE_PODS ? k8s_state_find(engine->state, kind, id) : NULL;
    return pod != NULL &&
           sched_pod_verdict(engine->vocab, pod, /* offline= */ false) == SCHED_NEEDS_PLACE;
}

static void take_object(struct engine *engine, const struct event *event, struct actions *actions)
{
    struct err err;
    if (!k8s_state_put(engine->state, event->kind, &event->delta.id, event->delta.object, &err)) {
        engine->n_refused[event->kind - k8s_kinds]++;
        say_refused(actions, &err);
    }
}

static void on_delta(struct engine *engine, const struct event *event, struct moment now,
                     struct actions *actions)
{
    const struct str resource = str_of(event->kind->resource);
    const bool before = needs_place(engine, event->kind, &event->delta.id);
    const uint32_t reached = milestones_before(engine, event, now, actions);
    const enum pod_stage pod = count_pod_stage(engine, event);
    if (event->delta.change == K8S_DELETED) {
        k8s_state_remove(engine->state, event->kind, &event->delta.id);
    } else {
        take_object(engine, event, actions);
    }
    const bool after = needs_place(engine, event->kind, &event->delta.id);
    metrics_add(engine->metrics, METRIC_CHANGES, &resource, 1);
    engine->n_pending = engine->n_pending - before + after;
    if (after && !before) {
        batch_add(&engine->batch, now.mono);
    }
    engine->stale = true;
    learn_object(engine, event, now.mono);
    count_pod(engine, event, pod, now.wall);
    if (engine->lifecycle != NULL) {
        milestones_after(engine, event, reached, now, actions);
        full_delta(engine, event, now, actions);
    }
}

/* ---- kinds ---- */

static bool all_known(const struct engine *engine)
{
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        const bool needed = k8s_kinds[i].store == STORE_PODS || k8s_kinds[i].store == STORE_NODES;
        if (engine->stages[i] == KIND_UNKNOWN || (needed && engine->stages[i] != KIND_SYNCED)) {
            return false;
        }
    }
    return true;
}

static void on_kind(struct engine *engine, const struct event *event, struct moment now,
                    struct actions *actions)
{
    const size_t i = (size_t)(event->kind - k8s_kinds);
    const bool was_synced = engine->synced;
    if (event->stage == KIND_REFUSED && engine->stages[i] != KIND_REFUSED) {
        say_kind_refused(actions, event->kind, event->why);
    }
    engine->stages[i] = event->stage;
    engine->synced = all_known(engine);
    if (engine->synced && !was_synced) {
        say_synced(actions, engine->state);
        learn_all(engine, now.mono);
        engine->stale = true;
        engine->bytes_max =
            2 * k8s_state_bytes(engine->state) + (size_t)engine->settings.slack_bytes;
    }
    if (was_synced && !engine->synced) {
        engine->unsynced_since = now.mono;
    }
}

/* ---- rounds ---- */

/* `as` says what is asked for: explain, disrupts, first. */
static void start_round(struct engine *engine, struct moment now, const struct round_job *as,
                        struct actions *actions)
{
    struct round_job *job = &engine->job;
    *job = (struct round_job){.id = ++engine->n_rounds,
                              .catalog = engine->catalog,
                              .settings = engine->settings.make,
                              .scheduler_config = engine->settings.scheduler_config,
                              .now = now.wall,
                              .explain = as->explain,
                              .observe = engine->settings.observe_cluster,
                              .disrupts = as->disrupts,
                              .first = as->first};
    learn_apply(engine, now.mono);
    job->settings.catalog = engine->cat;
    if (engine->lifecycle != NULL) {
        full_job(engine, now, job);
    }
    k8s_state_freeze(engine->state, &job->frozen, NULL);
    engine->solving = true;
    engine->cancelled = false;
    engine->began = now.mono;
    VEC_PUSH(actions->arena, &actions->v, ((struct action){.type = ACTION_SOLVE, .job = job}));
}

/* After the first plan, which may not hold: the better one, of the same objects. */
static void follow_first(struct engine *engine, const struct round_result *result,
                         struct moment now, struct actions *actions)
{
    if (result->good) {
        count_first(engine, result, now);
        VEC_PUSH(actions->arena, &actions->v,
                 ((struct action){.type = ACTION_EXPORT, .result = result}));
    }
    say_first(actions, result, now.mono - engine->due);
    engine->job.id = ++engine->n_rounds;
    engine->job.first = false;
    engine->job.follows = true;
    VEC_PUSH(actions->arena, &actions->v,
             ((struct action){.type = ACTION_SOLVE, .job = &engine->job}));
}

static void start_plan(struct engine *engine, struct moment now, struct actions *actions)
{
    const struct round_job as = {.first = engine->n_pending > 0 &&
                                          engine->settings.make.solver.algorithm != BP_FFD};
    const mono_t batch = batch_due(&engine->batch);
    engine->due = engine->planned && batch < now.mono ? batch : now.mono;
    batch_close(&engine->batch);
    engine->stale = false;
    engine->planned = true;
    engine->last_pending = engine->n_pending;
    engine->replan_at = sat_add(now.mono, engine->settings.replan_ms);
    start_round(engine, now, &as, actions);
}

/* When to plan next; INT64_MAX: not before something happens. */
static mono_t plan_due(const struct engine *engine)
{
    if (engine->creating.n > 0) {
        return INT64_MAX; /* see full.c */
    }
    const bool waits = engine->n_pending > 0 || engine->last_pending > 0;
    const mono_t batch = batch_due(&engine->batch);
    const mono_t again = !engine->planned ? 0
                         : !engine->stale ? INT64_MAX
                         : waits          ? engine->replan_at
                                          : sat_add(engine->replan_at, CALM_MS);
    return engine->batch.open && engine->planned ? batch : again;
}

static mono_t disrupt_due(const struct engine *engine)
{
    const bool waits = engine->batch.open; /* it would only have to give way */
    return engine->settings.disrupt_ms > 0 && engine->planned && !waits ? engine->disrupt_at
                                                                        : INT64_MAX;
}

static void start_explanation(struct engine *engine, struct moment now, struct actions *actions)
{
    engine->ask = engine->asks.v[0].ask;
    engine->ask_pod = engine->asks.v[0].pod;
    engine->asks.n--;
    memmove(engine->asks.v, engine->asks.v + 1, engine->asks.n * sizeof *engine->asks.v);
    const struct round_job as = {.explain = {.p = engine->ask_pod.text, .n = engine->ask_pod.n}};
    start_round(engine, now, &as, actions);
}

/* One that has given way to pods comes back after the plan for them. */
static void finish_disruption(struct engine *engine, const struct round_result *result,
                              struct moment now, struct actions *actions)
{
    engine->disrupt_at =
        sat_add(now.mono, result->cut ? engine->settings.replan_ms : engine->settings.disrupt_ms);
    count_disruption(engine, result);
    say_disruption(actions, result, now.mono - engine->began);
    if (result->good && !result->cut) {
        VEC_PUSH(actions->arena, &actions->v,
                 ((struct action){.type = ACTION_EXPORT, .result = result}));
    }
}

static void on_solved(struct engine *engine, const struct event *event, struct moment now,
                      struct actions *actions)
{
    const struct round_result *result = event->result;
    assert(engine->solving && result->id == engine->job.id);
    if (result->first && !engine->cancelled) {
        follow_first(engine, result, now, actions);
        return;
    }
    k8s_state_thaw(engine->state);
    engine->solving = false;
    if (result->explains) {
        VEC_PUSH(actions->arena, &actions->v, reply_to(engine->ask, result, actions->arena));
        return;
    }
    if (result->disrupts) {
        finish_disruption(engine, result, now, actions);
        return;
    }
    count_round(engine, result, now);
    say_round(actions, result, now.mono - engine->began, full_may_act(engine),
              full_why_not(engine));
    if (result->good) {
        VEC_PUSH(actions->arena, &actions->v,
                 ((struct action){.type = ACTION_EXPORT, .result = result}));
    }
    if (result->good && !result->first && full_may_act(engine)) {
        full_create(engine, result, now, actions);
    }
    engine->replan_at = sat_add(now.mono, engine->settings.replan_ms);
}

static void on_explain(struct engine *engine, const struct event *event, struct actions *actions)
{
    if (engine->asks.n == ASKS_MAX || event->pod.n > ASK_POD_MAX || !engine->synced) {
        struct action refusal = {.type = ACTION_REPLY, .ask = event->ask, .status = 503};
        refusal.document = engine->synced ? STR("{\"error\": \"too many questions\"}\n")
                                          : STR("{\"error\": \"the cluster is being read\"}\n");
        VEC_PUSH(actions->arena, &actions->v, refusal);
        return;
    }
    struct ask *ask = &engine->asks.v[engine->asks.n++];
    ask->ask = event->ask;
    ask->pod.n = event->pod.n;
    memcpy(ask->pod.text, event->pod.p, event->pod.n);
}

/* ---- every step ---- */

/* Shapes and words are kept as long as the state is. Where they come and go by the thousand (a
 * label of its own for every Job), it is cheaper to read everything again now and then than to
 * count who uses what. */
static void restart(struct engine *engine, struct actions *actions)
{
    say_restart(actions, k8s_state_bytes(engine->state));
    k8s_state_free(engine->state);
    engine->state = k8s_state_new();
    learn_forget_words(engine);
    engine->vocab = NULL;
    engine->n_pending = 0;
    engine->synced = false;
    memset(engine->stages, 0, k8s_n_kinds * sizeof *engine->stages);
    engine->planned = false;
    batch_close(&engine->batch);
    VEC_PUSH(actions->arena, &actions->v, ((struct action){.type = ACTION_RESTART}));
}

/* When the round under way is to end: at its limit, or where pods wait and it is about others. A
 * search for a cheaper plan ends with what it has found, so that these have their first plan. */
static mono_t cancel_due(const struct engine *engine)
{
    const mono_t limit = sat_add(engine->began, engine->settings.time_limit_ms);
    const bool gives_way = engine->job.disrupts || engine->job.follows;
    const int64_t idle = engine->settings.batch_idle_ms;
    const mono_t batch = gives_way && engine->batch.open
                             ? batch_due(&engine->batch) - (idle / 2 < LEAD_MS ? idle / 2 : LEAD_MS)
                             : INT64_MAX;
    return batch < limit ? batch : limit;
}

/* What is due is started; one round at a time. */
static void go_on(struct engine *engine, struct moment now, struct actions *actions)
{
    if (engine->stopping) {
        if (!engine->solving && !engine->exited) {
            engine->exited = true;
            VEC_PUSH(actions->arena, &actions->v, ((struct action){.type = ACTION_EXIT}));
        }
        return;
    }
    if (engine->synced && full_may_act(engine)) {
        full_step(engine, now, actions);
    }
    if (engine->solving && !engine->cancelled && now.mono >= cancel_due(engine)) {
        engine->cancelled = true;
        VEC_PUSH(actions->arena, &actions->v, ((struct action){.type = ACTION_CANCEL}));
    }
    if (engine->solving || !engine->synced) {
        return;
    }
    if (k8s_state_bytes(engine->state) > engine->bytes_max) {
        restart(engine, actions);
        engine->unsynced_since = now.mono;
        return;
    }
    if (now.mono >= plan_due(engine)) {
        start_plan(engine, now, actions);
    } else if (engine->asks.n > 0) {
        start_explanation(engine, now, actions);
    } else if (now.mono >= disrupt_due(engine)) {
        const struct round_job as = {.disrupts = true};
        start_round(engine, now, &as, actions);
    }
}

static void set_timer(struct engine *engine, struct actions *actions)
{
    mono_t at = INT64_MAX;
    if (engine->solving && !engine->cancelled) {
        at = cancel_due(engine);
    } else if (!engine->solving && engine->synced && !engine->stopping) {
        const mono_t plan = plan_due(engine), disrupt = disrupt_due(engine);
        at = plan < disrupt ? plan : disrupt;
    }
    if (engine->synced && full_may_act(engine)) {
        const mono_t due = full_due(engine);
        at = due < at ? due : at;
    }
    if (at != engine->timer_at) {
        engine->timer_at = at;
        VEC_PUSH(actions->arena, &actions->v, ((struct action){.type = ACTION_TIMER, .at = at}));
    }
}

static void on_stop(struct engine *engine, struct actions *actions)
{
    engine->stopping = true;
    if (engine->solving && !engine->cancelled) {
        engine->cancelled = true;
        VEC_PUSH(actions->arena, &actions->v, ((struct action){.type = ACTION_CANCEL}));
    }
}

void engine_step(struct engine *engine, const struct event *event, struct moment now,
                 struct actions *actions)
{
    assert(engine->vocab != NULL);
    switch (event->type) {
    case EVENT_DELTA:
        on_delta(engine, event, now, actions);
        break;
    case EVENT_KIND:
        on_kind(engine, event, now, actions);
        break;
    case EVENT_TICK:
        engine->timer_at = INT64_MAX;
        break;
    case EVENT_SOLVED:
        on_solved(engine, event, now, actions);
        break;
    case EVENT_EXPLAIN:
        on_explain(engine, event, actions);
        break;
    case EVENT_STOP:
        on_stop(engine, actions);
        break;
    case EVENT_WRITTEN:
    case EVENT_REPLY:
        if (engine->lifecycle != NULL) {
            full_answer(engine, event, now, actions);
        }
        break;
    case EVENT_LEAD:
        if (engine->lifecycle != NULL) {
            full_lead(engine, event->leads, now);
        }
        break;
    case EVENT_CLUSTER:
        full_cluster(engine, &event->cluster, now);
        break;
    }
    go_on(engine, now, actions);
    set_timer(engine, actions);
}

struct engine_view engine_look(const struct engine *engine)
{
    return (struct engine_view){.synced = engine->synced,
                                .solving = engine->solving,
                                .n_pending = engine->n_pending,
                                .n_rounds = engine->n_rounds,
                                .kinds = engine->stages,
                                .n_refused = engine->n_refused,
                                .state = engine->state};
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/service.h"

#include <assert.h>

#include "binpack/cli/version.h"
#include "io/append.h"
#include "io/clock.h"
#include "io/serve.h"
#include "io/signals.h"
#include "io/worker.h"
#include "io/workers.h"
#include "k8s/roster.h"
#include "k8s/state.h"
#include "provisioner/engine/journal.h"
#include "provisioner/observe/metrics.h"
#include "provisioner/service/acting.h"
#include "provisioner/service/catalog.h"
#include "provisioner/service/cluster.h"
#include "provisioner/service/deeds.h"
#include "provisioner/service/log.h"
#include "provisioner/service/nodeclasses.h"
#include "provisioner/service/service_impl.h"

#define JOURNAL_STEP_MAX ((size_t)64 << 20)

enum {
    LANES_MAX = 8,
    WORRY = 5,          /* failures in a row that are worth a line */
    STOP_MS = 4 * 1000, /* a plan under way has that long to come to its end */
    FORBIDDEN = 403
};

struct moment service_now(const struct service *service)
{
    return (struct moment){.wall = io_loop_wall(service->session.loop),
                           .mono = io_loop_now(service->session.loop)};
}

/* ---- steps ---- */

static struct step *step_new(void)
{
    struct arena arena = ARENA_INIT;
    struct step *step = ARENA_NEW(&arena, struct step);
    *step = (struct step){.arena = arena, .n_users = 1};
    return step;
}

void step_ref(struct step *step)
{
    step->n_users++;
}

void step_unref(struct step *step)
{
    assert(step->n_users > 0);
    if (--step->n_users == 0) {
        struct arena arena = step->arena;
        arena_done(&arena);
    }
}

/* ---- actions ---- */

static void on_worker_run(void *ctx)
{
    struct service *service = ctx;
    round_run(service->job, service->parallel.n_lanes > 1 ? &service->parallel : NULL,
              &service->result);
}

static void on_worker_done(void *ctx)
{
    struct service *service = ctx;
    /* Taken out first: the step may start the next round, which writes its result there. */
    struct round_result result = service->result;
    service->result = (struct round_result){.arena = ARENA_INIT};
    const struct event event = {.type = EVENT_SOLVED, .result = &result};
    service_step(service, &event);
    round_result_done(&result);
}

static struct shared_text *shared_text_new(struct str text)
{
    struct arena arena = ARENA_INIT;
    struct shared_text *shared = ARENA_NEW(&arena, struct shared_text);
    shared->text = str_copy(&arena, text);
    shared->n_users = 1;
    shared->arena = arena;
    return shared;
}

void shared_text_drop(void *shared)
{
    struct shared_text *text = shared;
    if (text != NULL && --text->n_users == 0) {
        struct arena arena = text->arena;
        arena_done(&arena);
    }
}

static void export_plan(struct service *service, const struct round_result *result)
{
    struct arena *arena = result->disrupts ? &service->disruption_arena : &service->plan_arena;
    arena_reset(arena);
    *(result->disrupts ? &service->disruption : &service->plan) = str_copy(arena, result->document);
    if (result->cluster_metrics.n > 0) {
        shared_text_drop(service->cluster_metrics);
        service->cluster_metrics = shared_text_new(result->cluster_metrics);
    }
}

static void reply(struct service *service, const struct action *action)
{
    const struct io_answer answer = {
        .status = action->status, .content_type = "application/json", .body = action->document};
    for (size_t i = 0; i < 2; i++) {
        if ((service->routes[i].which & ROUTES_METRICS) != 0) {
            io_serve_answer(service->routes[i].serve, action->ask, &answer);
        }
    }
}

static void solve(struct service *service, const struct action *action)
{
    const struct io_job job = {.ctx = service, .run = on_worker_run, .done = on_worker_done};
    service->job = action->job;
    io_worker_start(service->worker, &job);
}

static void act(struct service *service, const struct action *action, struct step *step)
{
    switch (action->type) {
    case ACTION_TIMER:
        io_timer_stop(service->session.loop, &service->timer);
        if (action->at != INT64_MAX) {
            io_timer_set(service->session.loop, &service->timer, action->at);
        }
        break;
    case ACTION_SOLVE:
        solve(service, action);
        break;
    case ACTION_CANCEL:
        round_cancel(service->job);
        break;
    case ACTION_EXPORT:
        export_plan(service, action->result);
        break;
    case ACTION_REPLY:
        reply(service, action);
        break;
    case ACTION_LOG:
        log_line(service->log, service_now(service).wall, action->level, action->message,
                 action->controller, action->fields);
        break;
    case ACTION_RESTART:
        service->restart = true; /* in the next turn: this may be a callback of the feed */
        break;
    case ACTION_EXIT:
        service->over = true;
        break;
    case ACTION_WRITE:
    case ACTION_CALL:
        assert(service->deeds != NULL); /* only where the engine was told to act */
        deeds_do(service->deeds, action, step);
        break;
    }
}

/* A journal that cannot be written is given up, once. */
static void write_journal(struct service *service, const struct event *event, struct moment now,
                          const struct actions *actions)
{
    auto_arena arena = ARENA_INIT;
    struct err err;
    if (service->journal == NULL) {
        return;
    }
    struct strbuf b = strbuf_new(&arena, JOURNAL_STEP_MAX);
    journal_put_event(event, now, &b);
    for (size_t i = 0; i < actions->v.n; i++) {
        journal_put_action(&actions->v.v[i], &b);
    }
    if (b.overflow || !io_append_write(service->journal, strbuf_str(&b), &err)) {
        if (b.overflow) {
            (void)err_set(&err, ERR_LIMIT, "a step of more than %zu bytes", JOURNAL_STEP_MAX);
        }
        log_error(service->log, now.wall, "the journal ends here", &err);
        io_append_close(service->journal);
        service->journal = NULL;
    }
}

void service_step(struct service *service, const struct event *event)
{
    struct step *step = step_new();
    struct actions actions = {.arena = &step->arena};
    const struct moment now = service_now(service);
    const int64_t begun_us = io_clock_mono_us();
    engine_step(service->engine, event, now, &actions);
    const int64_t took_us = io_clock_mono_us() - begun_us;
    write_journal(service, event, now, &actions);
    for (size_t i = 0; i < actions.v.n; i++) {
        if (actions.v.v[i].type == ACTION_SOLVE && !actions.v.v[i].job->follows) {
            metrics_observe(service->metrics, METRIC_SNAPSHOT, NULL, took_us);
        }
        act(service, &actions.v.v[i], step);
    }
    step_unref(step);
}

/* ---- events ---- */

static void on_due(void *ctx, mono_t now)
{
    const struct event event = {.type = EVENT_TICK};
    (void)now;
    service_step(ctx, &event);
}

static void on_delta(void *ctx, const struct k8s_delta *delta)
{
    struct followed *followed = ctx;
    const struct event event = {.type = EVENT_DELTA, .kind = followed->kind, .delta = *delta};
    if (followed->service->nodeclasses != NULL) {
        nodeclasses_delta(followed->service->nodeclasses, followed->kind, delta);
    }
    service_step(followed->service, &event);
}

static enum kind_stage stage_of(const struct k8s_watch_state *state)
{
    return state->absent                ? KIND_ABSENT
           : state->synced              ? KIND_SYNCED
           : state->status == FORBIDDEN ? KIND_REFUSED
                                        : KIND_UNKNOWN;
}

/* What goes wrong is said once, until it goes well again. */
static void look_at(struct service *service, struct followed *followed,
                    const struct k8s_watch *watch)
{
    const struct k8s_watch_state state = k8s_watch_state(watch);
    struct err why = {.code = ERR_NONE};
    const bool failing = k8s_watch_error(watch, &why) && !state.absent;
    if (failing && !followed->said_failing && state.n_failures >= WORRY &&
        state.status != FORBIDDEN) {
        if (state.status == 401) {
            (void)live_feed_renewal_error(service->session.feed, &why);
        }
        (void)live_session_wrap(&service->session, &why);
        log_error(service->log, service_now(service).wall, "cannot follow a kind of objects", &why);
        followed->said_failing = true;
    }
    followed->said_failing = followed->said_failing && state.n_failures > 0;
    const enum kind_stage stage = stage_of(&state);
    if (stage != followed->stage) {
        const struct event event = {
            .type = EVENT_KIND, .kind = followed->kind, .stage = stage, .why = str_of(why.text)};
        followed->stage = stage;
        service_step(service, &event);
    }
}

/* The catalogue in the words of the new state; the file was good at the start. */
static bool use_catalog(struct service *service, const struct catalog **ret_catalog,
                        struct err *err)
{
    arena_reset(&service->catalog_arena);
    if (!catalog_read(service->settings->catalog, &service->catalog_arena,
                      engine_tab(service->engine), ret_catalog, err)) {
        return false;
    }
    engine_use_catalog(service->engine, *ret_catalog);
    return true;
}

static void remove_kinds(struct service *service)
{
    live_feed_free(service->session.feed);
    service->session.feed = NULL;
    for (uint32_t i = 0; service->kinds != NULL && i < k8s_n_kinds; i++) {
        k8s_roster_free(service->kinds[i].roster);
        service->kinds[i].roster = NULL;
    }
}

static void add_kinds(struct service *service)
{
    const struct live_feed_settings feed = {.per_s = service->settings->kube_client_qps,
                                            .burst = service->settings->kube_client_burst};
    service->session.feed =
        live_feed_new(service->session.loop, service->session.http, service->session.access, &feed);
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        struct followed *followed = &service->kinds[i];
        *followed = (struct followed){.service = service, .kind = &k8s_kinds[i]};
        followed->roster = k8s_roster_new(on_delta, followed);
        const struct k8s_receiver receiver = k8s_roster_receiver(followed->roster);
        const struct k8s_watch_settings settings = {.kind = &k8s_kinds[i],
                                                    .seed = (uint64_t)io_clock_mono_us() + i};
        (void)live_feed_add(service->session.feed, &settings, &receiver);
    }
}

static bool restart(struct service *service, struct err *err)
{
    const struct catalog *catalog = NULL;
    service->restart = false;
    remove_kinds(service);
    if (service->nodeclasses != NULL) {
        nodeclasses_restart(service->nodeclasses);
    }
    if (!use_catalog(service, &catalog, err)) {
        return false;
    }
    add_kinds(service);
    return true;
}

static void begin_stop(struct service *service)
{
    const struct event event = {.type = EVENT_STOP};
    service->stopping = true;
    log_line(service->log, service_now(service).wall, ACTION_INFO, "asked to stop", NULL,
             STR_EMPTY);
    io_timer_set(service->session.loop, &service->stop_timer, service_now(service).mono + STOP_MS);
    service_step(service, &event);
}

static void on_stop_due(void *ctx, mono_t now)
{
    struct service *service = ctx;
    (void)now;
    service->over = service->too_late = true;
}

/* What the engine of the full mode has to know before it acts. */
static void tell_engine(struct service *service)
{
    struct event event = {.type = EVENT_CLUSTER};
    const bool leads = acting_may(service->acting);
    if (cluster_news(service->cluster, &event.cluster)) {
        service_step(service, &event);
    }
    if (leads != service->told_leads) {
        service->told_leads = leads;
        event = (struct event){.type = EVENT_LEAD, .leads = leads};
        service_step(service, &event);
    }
}

/* Whether nothing keeps the service from ending. */
static bool turn_acting(struct service *service)
{
    if (service->acting == NULL) {
        return true;
    }
    if (service->stopping) {
        return acting_stop(service->acting) || service->too_late;
    }
    acting_turn(service->acting);
    cluster_turn(service->cluster);
    nodeclasses_turn(service->nodeclasses);
    if (service->deeds != NULL) {
        tell_engine(service);
    }
    acting_send(service->acting);
    return true;
}

bool service_run(struct service *service, struct err *err)
{
    while (!turn_acting(service) || !service->over) {
        if (!live_feed_turn(service->session.feed, err)) {
            return false;
        }
        metrics_observe(service->metrics, METRIC_LOOP_TURN, NULL,
                        io_loop_work_us(service->session.loop));
        for (uint32_t i = 0; i < k8s_n_kinds && !service->restart; i++) {
            look_at(service, &service->kinds[i], live_feed_watch(service->session.feed, i));
        }
        if (service->restart && !restart(service, err)) {
            return false;
        }
        if (io_signals_interrupted() && !service->stopping) {
            begin_stop(service);
        }
    }
    return true;
}

/* ---- opening ---- */

static struct engine_settings engine_settings_of(const struct settings *s)
{
    static const enum make_preference preferences[] = {MAKE_RESPECT, MAKE_IGNORE};
    static const enum make_min_values min_values[] = {MAKE_STRICT, MAKE_BEST_EFFORT};
    static const enum bp_algorithm algorithms[] = {BP_COLGEN, BP_FFD};
    struct make_settings make = MAKE_SETTINGS_DEFAULT;
    make.preference_policy = preferences[s->preference_policy];
    make.min_values_policy = min_values[s->min_values_policy];
    make.gate_reserved_capacity = s->gates[GATE_RESERVED_CAPACITY];
    make.gate_node_overlay = s->gates[GATE_NODE_OVERLAY];
    make.gate_capacity_buffer = s->gates[GATE_CAPACITY_BUFFER];
    make.gate_spot_to_spot = s->gates[GATE_SPOT_TO_SPOT];
    make.gate_static_capacity = s->gates[GATE_STATIC_CAPACITY];
    make.ignore_dra_requests = s->ignore_dra_requests;
    make.catalog.vm_memory_overhead_ppm = s->vm_memory_overhead_ppm;
    make.catalog.reserved_enis = s->reserved_enis;
    make.solver.algorithm = algorithms[s->algorithm];
    make.solver.effort = (uint32_t)s->effort;
    return (struct engine_settings){.mode = s->mode == MODE_FULL ? ENGINE_FULL : ENGINE_OBSERVE,
                                    .elects = true,
                                    .batch_idle_ms = s->batch_idle_ms,
                                    .batch_max_ms = s->batch_max_ms,
                                    .time_limit_ms = s->time_limit_ms,
                                    .disrupt_ms = s->disruption_interval_ms,
                                    .learns = s->mode != MODE_OBSERVE,
                                    .observe_cluster = !s->disable_cluster_state_observability,
                                    .launches_per_minute = s->launches_per_minute,
                                    .launch_usd_per_minute = s->launch_usd_per_minute,
                                    .gap_ppm = s->gap_ppm,
                                    .scheduler_config = s->scheduler_config,
                                    .make = make};
}

static bool open_journal(struct service *service, const struct engine_settings *settings,
                         struct str catalog, struct err *err)
{
    if (service->settings->journal.n == 0) {
        return true;
    }
    auto_arena arena = ARENA_INIT;
    struct strbuf b = strbuf_new(&arena, 64 * 1024);
    if (!io_append_open(service->settings->journal, &service->journal, err)) {
        return err_wrap(err, "journal");
    }
    if (io_append_continues(service->journal)) {
        strbuf_addc(&b, '\n'); /* its last line may be cut */
    }
    journal_put_header(settings, catalog, &b);
    return io_append_write(service->journal, strbuf_str(&b), err) || err_wrap(err, "journal");
}

static bool open_engine(struct service *service, struct err *err)
{
    const struct engine_settings settings = engine_settings_of(service->settings);
    const struct catalog *catalog = NULL;
    const struct str labels[] = {STR(BINPACK_VERSION), STR("amd64"), STR(BINPACK_VERSION)};
    service->engine = engine_new(&settings);
    if (!use_catalog(service, &catalog, err)) {
        return false;
    }
    if (!open_journal(service, &settings, catalog->name, err)) {
        return false;
    }
    service->metrics = engine_metrics(service->engine, (struct moment){.wall = 0});
    metrics_set(service->metrics, METRIC_BUILD_INFO, labels, 1);
    return true;
}

static bool open_worker(struct service *service, struct err *err)
{
    uint32_t lanes = (uint32_t)service->settings->threads;
    if (lanes == 0) {
        lanes = io_workers_processors();
        lanes = lanes > LANES_MAX ? LANES_MAX : lanes;
    }
    service->workers = io_workers_new(lanes);
    service->parallel = (struct parallel){.run = io_workers_run,
                                          .port_ctx = service->workers,
                                          .n_lanes = io_workers_lanes(service->workers)};
    return io_worker_new(service->session.loop, &service->worker, err);
}

static bool open_routes(struct service *service, struct err *err)
{
    const struct settings *s = service->settings;
    const bool one = s->metrics_port == s->health_probe_port;
    const int64_t ports[] = {s->health_probe_port, one ? 0 : s->metrics_port};
    const unsigned which[] = {one ? ROUTES_HEALTH | ROUTES_METRICS : ROUTES_HEALTH, ROUTES_METRICS};
    for (size_t i = 0; i < 2; i++) {
        struct routes *routes = &service->routes[i];
        routes->service = service;
        if (ports[i] == 0) {
            continue;
        }
        if (!io_serve_new(service->session.loop, s->bind_address, (uint16_t)ports[i], routes_answer,
                          routes, &routes->serve, err)) {
            return false;
        }
        routes->which = which[i];
    }
    return true;
}

bool service_new(const struct settings *settings, struct log *log, struct service **ret_service,
                 struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct service *service = ARENA_NEW(&arena, struct service);
    service->arena = arena;
    service->settings = settings;
    service->log = log;
    service->timer = (struct io_timer){.fn = on_due, .ctx = service};
    service->stop_timer = (struct io_timer){.fn = on_stop_due, .ctx = service};
    if (!io_serve_check_address(settings->bind_address, err)) {
        (void)err_wrap(err, "--bind-address");
        (void)service_free(service);
        return false;
    }
    if (!open_engine(service, err)) {
        (void)service_free(service);
        return false;
    }
    *ret_service = service;
    return true;
}

static bool open_acting(struct service *service, struct err *err)
{
    const bool full = service->settings->mode == MODE_FULL;
    if (service->settings->mode == MODE_OBSERVE) {
        return true;
    }
    if (!acting_open(service, &service->acting, err)) {
        return false;
    }
    service->cluster = cluster_new(service, service->acting, /* for_nodes= */ full);
    service->nodeclasses = nodeclasses_new(service, service->acting, service->cluster);
    service->deeds = full ? deeds_new(service, service->acting) : NULL;
    return true;
}

bool service_connect(struct service *service, struct err *err)
{
    const struct settings *settings = service->settings;
    const struct live_access_settings access = {.kubeconfig = settings->kubeconfig,
                                                .context = settings->context};
    const struct live_feed_settings feed = {.per_s = settings->kube_client_qps,
                                            .burst = settings->kube_client_burst};
    service->kinds = ARENA_ARRAY(&service->arena, struct followed, k8s_n_kinds);
    if (!live_session_open(&access, &feed, "karpenter/" BINPACK_VERSION, &service->session, err) ||
        !open_worker(service, err) || !open_routes(service, err) || !open_acting(service, err)) {
        return false;
    }
    live_feed_free(service->session.feed);
    add_kinds(service);
    return true;
}

bool service_free(struct service *service)
{
    if (service == NULL) {
        return true;
    }
    if (service->worker != NULL && io_worker_is_busy(service->worker)) {
        return false;
    }
    io_worker_free(service->worker);
    io_workers_free(service->workers);
    for (size_t i = 0; i < 2; i++) {
        io_serve_free(service->routes[i].serve);
    }
    if (service->session.loop != NULL) {
        io_timer_stop(service->session.loop, &service->timer);
        io_timer_stop(service->session.loop, &service->stop_timer);
    }
    remove_kinds(service);
    acting_close(service->acting);
    deeds_free(service->deeds);
    nodeclasses_free(service->nodeclasses);
    cluster_free(service->cluster);
    live_session_close(&service->session);
    engine_free(service->engine);
    io_append_close(service->journal);
    arena_done(&service->catalog_arena);
    arena_done(&service->plan_arena);
    shared_text_drop(service->cluster_metrics);
    arena_done(&service->disruption_arena);
    arena_done(&service->answers);
    struct arena arena = service->arena;
    arena_done(&arena);
    return true;
}

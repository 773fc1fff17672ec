/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/sandbox/sandbox.h"

#include <string.h>

#include "base/strtab.h"
#include "provisioner/engine/journal.h"
#include "provisioner/provisioning/round.h"
#include "provisioner/sandbox/world.h"

enum {
    ROUND_STEPS = 200, /* the work of a round */
    ROUND_MS = 300,    /* the time that it takes in this world */
    ANSWER_MIN_MS = 20,
    ANSWER_MAX_MS = 400,
    LOST_MS = 10 * SECOND, /* until nobody waits for an answer any more */
    START_MS = 5 * SECOND  /* until a killed program runs again */
};
#define WORLD_START INT64_C(1790000000000)

/* ---- the world's clock ---- */

struct moment world_moment(const struct world *world)
{
    return (struct moment){.wall = world->start + world->now, .mono = world->now};
}

const struct k8s_kind *world_kind(const char *name)
{
    const struct k8s_kind *kind = NULL;
    return k8s_kind_find(str_of(name), STR_EMPTY, &kind) == K8S_MATCH_YES ? kind : NULL;
}

int64_t world_between(struct world *world, int64_t from, int64_t to)
{
    return from + (int64_t)rng_below(&world->rng, (uint32_t)(to - from + 1));
}

static bool is_before(const struct happening *a, const struct happening *b)
{
    return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void world_push(struct world *world, struct happening *happening)
{
    happening->seq = ++world->seq;
    VEC_PUSH(&world->arena, &world->queue, *happening);
    for (size_t i = world->queue.n - 1; i > 0;) {
        const size_t up = (i - 1) / 2;
        if (!is_before(&world->queue.v[i], &world->queue.v[up])) {
            break;
        }
        const struct happening swap = world->queue.v[i];
        world->queue.v[i] = world->queue.v[up];
        world->queue.v[up] = swap;
        i = up;
    }
}

static struct happening pop(struct world *world)
{
    const struct happening first = world->queue.v[0];
    world->queue.v[0] = world->queue.v[--world->queue.n];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < world->queue.n; k++) {
            least = is_before(&world->queue.v[k], &world->queue.v[least]) ? k : least;
        }
        if (least == i) {
            return first;
        }
        const struct happening swap = world->queue.v[i];
        world->queue.v[i] = world->queue.v[least];
        world->queue.v[least] = swap;
        i = least;
    }
}

/* ---- the program ---- */

static void use_catalog(struct world *world)
{
    arena_reset(&world->engine_catalog);
    engine_use_catalog(world->engine,
                       cat_builtin(&world->engine_catalog, engine_tab(world->engine)));
}

static void start(struct world *world)
{
    world->epoch++;
    world->timer = INT64_MAX;
    world->engine = engine_new(&world->settings);
    use_catalog(world);
    objects_list(world);
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        struct happening happening = {.at = world->now,
                                      .type = HAPPEN_SHOW,
                                      .epoch = world->epoch,
                                      .kind = &k8s_kinds[i],
                                      .object = NULL};
        world_push(world, &happening);
    }
    if (world->journal != NULL) {
        journal_put_header(&world->settings, world->catalog->name, world->journal);
    }
}

static void forget_result(struct world *world)
{
    if (world->result != NULL) {
        round_result_done(world->result);
        world->result = NULL;
    }
}

static void kill_program(struct world *world)
{
    struct happening happening = {.at = world->now + START_MS, .type = HAPPEN_START};
    engine_abandon(world->engine);
    world->engine = NULL;
    forget_result(world);
    world->epoch++;
    world->report.n_restarts++;
    world_push(world, &happening);
}

static void solve(struct world *world, struct round_job *job)
{
    struct happening happening = {
        .at = world->now + ROUND_MS, .type = HAPPEN_SOLVED, .epoch = world->epoch};
    job->cut_after = (struct opt_i64){.has = true, .v = ROUND_STEPS};
    arena_reset(&world->solved_arena);
    world->result = ARENA_NEW(&world->solved_arena, struct round_result);
    round_run(job, NULL, world->result);
    world->report.n_rounds++;
    world_push(world, &happening);
}

static void answer(struct world *world, const struct action *action, enum sandbox_fault fault)
{
    struct happening happening = {.at = world->now +
                                        world_between(world, ANSWER_MIN_MS, ANSWER_MAX_MS),
                                  .type = HAPPEN_ANSWER,
                                  .epoch = world->epoch,
                                  .id = action->id,
                                  .is_write = action->type == ACTION_WRITE,
                                  .operation = action->operation,
                                  .arena = ARENA_INIT};
    const bool lost = fault == SANDBOX_LOST || fault == SANDBOX_UNANSWERED;
    happening.at += lost ? LOST_MS : 0;
    if (fault == SANDBOX_NO_FAULT || fault == SANDBOX_UNANSWERED || fault == SANDBOX_KILL_AFTER) {
        if (happening.is_write) {
            happening.written = objects_write(world, &action->write);
        } else {
            happening.reply = ec2_call(world, action->operation, action->request, &happening.arena,
                                       &happening.fault);
        }
    } else {
        happening.written.outcome = K8S_WRITE_FAILED;
        happening.fault = (struct aws_fault){.kind = AWS_FAULT_TRANSIENT,
                                             .status = 503,
                                             .code = STR("InternalError"),
                                             .message = STR("An internal error has occurred")};
    }
    if (lost) {
        happening.written = (struct k8s_written){.outcome = K8S_WRITE_UNKNOWN};
        happening.reply = NULL;
        happening.fault = (struct aws_fault){
            .kind = AWS_FAULT_TRANSIENT, .message = STR("no answer in time"), .maybe_done = true};
    }
    happening.written.name = str_copy(&happening.arena, happening.written.name);
    happening.written.uid = str_copy(&happening.arena, happening.written.uid);
    happening.written.version = str_copy(&happening.arena, happening.written.version);
    world_push(world, &happening);
}

/* False: the program was killed by it. */
static bool act(struct world *world, const struct action *action)
{
    enum sandbox_fault fault = SANDBOX_NO_FAULT;
    struct happening tick = {.at = action->at, .type = HAPPEN_TICK, .epoch = world->epoch};
    switch (action->type) {
    case ACTION_TIMER:
        world->timer = action->at;
        tick.at = tick.at < world->now ? world->now : tick.at;
        if (action->at != INT64_MAX) {
            world_push(world, &tick);
        }
        break;
    case ACTION_SOLVE:
        solve(world, action->job);
        break;
    case ACTION_WRITE:
    case ACTION_CALL:
        fault = fault_choose(world, action);
        if (fault != SANDBOX_KILL_BEFORE) {
            answer(world, action, fault);
        }
        if (fault == SANDBOX_KILL_BEFORE || fault == SANDBOX_KILL_AFTER) {
            kill_program(world);
            return false;
        }
        break;
    case ACTION_RESTART:
        kill_program(world); /* its objects are listed anew, from a new engine */
        return false;
    case ACTION_CANCEL:
    case ACTION_EXPORT:
    case ACTION_REPLY:
    case ACTION_LOG:
    case ACTION_EXIT:
        break;
    }
    return true;
}

static void give(struct world *world, const struct event *event)
{
    struct actions actions = {.arena = &world->step};
    const struct moment now = world_moment(world);
    engine_step(world->engine, event, now, &actions);
    world->report.n_events++;
    if (world->journal != NULL) {
        journal_put_event(event, now, world->journal);
        for (size_t i = 0; i < actions.v.n; i++) {
            journal_put_action(&actions.v.v[i], world->journal);
        }
    }
    for (size_t i = 0; i < actions.v.n; i++) {
        if (!act(world, &actions.v.v[i])) {
            break;
        }
    }
    arena_reset(&world->step);
}

/* ---- what happens ---- */

static void on_show(struct world *world, const struct happening *h)
{
    struct event event = {.kind = h->kind};
    if (h->object == NULL) {
        event.type = EVENT_KIND;
        event.stage = KIND_SYNCED;
    } else {
        event.type = EVENT_DELTA;
        event.delta = (struct k8s_delta){.change = h->change,
                                         .id = {.ns = text_str(&h->ns), .name = text_str(&h->name)},
                                         .object = h->change == K8S_DELETED ? NULL : h->object};
    }
    give(world, &event);
}

static void on_answer(struct world *world, const struct happening *h)
{
    const struct event event = {.type = h->is_write ? EVENT_WRITTEN : EVENT_REPLY,
                                .id = h->id,
                                .written = h->written,
                                .operation = h->operation,
                                .reply = h->reply,
                                .fault = h->fault};
    give(world, &event);
}

static void on_solved(struct world *world)
{
    struct round_result *result = world->result;
    const struct event event = {.type = EVENT_SOLVED, .result = result};
    world->result = NULL; /* the step may begin the next one: see solve */
    struct round_result copy = *result;
    const struct event with_copy = {.type = event.type, .result = &copy};
    give(world, &with_copy);
    round_result_done(&copy);
}

static void count(struct world *world, mono_t passed)
{
    struct sandbox_report *r = &world->report;
    usd_t per_hour = 0;
    uint32_t n = 0;
    for (size_t i = 0; i < world->instances.n; i++) {
        if (ec2_is_alive(&world->instances.v[i])) {
            per_hour = sat_add(per_hour, world->instances.v[i].price);
            n++;
        }
    }
    r->bill = sat_add(r->bill, muldiv_floor(per_hour, passed, HOUR));
    r->per_hour = per_hour;
    r->per_hour_most = per_hour > r->per_hour_most ? per_hour : r->per_hour_most;
    r->n_instances = n;
    r->n_nodes = k8s_state_count(world->truth, STORE_NODES);
    r->n_nodes_most = r->n_nodes > r->n_nodes_most ? r->n_nodes : r->n_nodes_most;
    r->n_claims = k8s_state_count(world->truth, STORE_NODECLAIMS);
}

static void on_beat(struct world *world)
{
    struct happening next = {.at = world->now + SECOND, .type = HAPPEN_BEAT};
    work_beat(world);
    boot_beat(world);
    sched_beat(world);
    count(world, SECOND);
    world_push(world, &next);
    arena_reset(&world->step);
}

static void happen(struct world *world, struct happening *h)
{
    const bool of_this_run = h->epoch == world->epoch && world->engine != NULL;
    if (h->type == HAPPEN_BEAT) {
        on_beat(world);
    } else if (h->type == HAPPEN_STEP) {
        work_step(world, &world->scenario.steps.v[h->step_i]);
    } else if (h->type == HAPPEN_START) {
        start(world);
    } else if (of_this_run && h->type == HAPPEN_SHOW) {
        on_show(world, h);
    } else if (of_this_run && h->type == HAPPEN_ANSWER) {
        on_answer(world, h);
    } else if (of_this_run && h->type == HAPPEN_SOLVED) {
        on_solved(world);
    } else if (of_this_run && h->type == HAPPEN_TICK && world->timer <= world->now) {
        const struct event event = {.type = EVENT_TICK};
        world->timer = INT64_MAX;
        give(world, &event);
    }
    json_decref(h->object);
    arena_done(&h->arena);
}

/* ---- beginning and end ---- */

static void open_world(struct world *world, const struct sandbox_options *options)
{
    world->rng = (struct rng){.state = options->seed};
    world->start = WORLD_START;
    world->journal = options->journal;
    world->truth = k8s_state_new();
    world->catalog = cat_builtin(&world->catalog_arena, k8s_state_tab(world->truth));
    world->words = (struct k8s_cluster){.tab = k8s_state_tab(world->truth),
                                        .words = *k8s_state_words(world->truth)};
    world->vocab = sched_vocab_new(&world->truth_arena, &world->words, world->catalog);
    world->settings =
        (struct engine_settings){.mode = ENGINE_FULL,
                                 .cluster = {.name = STR("sandbox"),
                                             .endpoint = STR("https://sandbox.example"),
                                             .ca = STR("Y2E="),
                                             .cidr = STR("10.100.0.0/16"),
                                             .dns_ip = STR("10.100.0.10")},
                                 .batch_idle_ms = SECOND,
                                 .batch_max_ms = 10 * SECOND,
                                 .time_limit_ms = MINUTE,
                                 .gap_ppm = 5000,
                                 .make = MAKE_SETTINGS_DEFAULT};
}

static void close_world(struct world *world)
{
    engine_abandon(world->engine);
    forget_result(world);
    for (size_t i = 0; i < world->queue.n; i++) {
        json_decref(world->queue.v[i].object);
        arena_done(&world->queue.v[i].arena);
    }
    for (size_t i = 0; i < world->objects.n; i++) {
        json_decref(world->objects.v[i].value);
    }
    k8s_state_free(world->truth);
    arena_done(&world->engine_catalog);
    arena_done(&world->solved_arena);
    arena_done(&world->truth_arena);
    arena_done(&world->catalog_arena);
    arena_done(&world->step);
    arena_done(&world->arena);
}

static void plan_steps(struct world *world)
{
    struct happening beat = {.at = 0, .type = HAPPEN_BEAT};
    struct happening first = {.at = 0, .type = HAPPEN_START};
    for (size_t i = 0; i < world->scenario.steps.n; i++) {
        struct happening step = {
            .at = world->scenario.steps.v[i].at, .type = HAPPEN_STEP, .step_i = (uint32_t)i};
        world_push(world, &step);
    }
    world_push(world, &first);
    world_push(world, &beat);
}

static void count_pods(struct world *world)
{
    struct sandbox_report *r = &world->report;
    r->n_pods = k8s_state_count(world->truth, STORE_PODS);
    for (uint32_t i = 0; i < r->n_pods; i++) {
        const struct k8s_pod *pod = k8s_state_at(world->truth, STORE_PODS, i);
        r->n_bound += pod->node_name.n > 0;
    }
    r->ran_ms = world->now;
}

bool sandbox_run(const struct sandbox_options *options, struct sandbox_report *ret_report,
                 struct err *err)
{
    struct world world = {.now = 0};
    open_world(&world, options);
    if (!scenario_read(&world, options, err)) {
        close_world(&world);
        return false;
    }
    const mono_t end = world.scenario.hours * HOUR;
    plan_steps(&world);
    while (world.queue.n > 0 && world.queue.v[0].at <= end && invariants_hold(&world)) {
        struct happening happening = pop(&world);
        world.now = happening.at;
        happen(&world, &happening);
    }
    if (!world.report.broken) {
        (void)invariants_converged(&world);
    }
    count_pods(&world);
    *ret_report = world.report;
    close_world(&world);
    return true;
}

/* ---- the table ---- */

static void put_usd(struct strbuf *out, const char *what, usd_t value)
{
    strbuf_addf(out, "  %-22s $%lld.%04lld\n", what, (long long)(value / USD_PER_HOUR),
                (long long)(value % USD_PER_HOUR / 100000));
}

static void put_number(struct strbuf *out, const char *what, uint64_t value)
{
    strbuf_addf(out, "  %-22s %llu\n", what, (unsigned long long)value);
}

static void put_faults(const struct sandbox_report *r, struct strbuf *out)
{
    static const char *const actions[] = {"create",   "patch", "delete",   "evict",
                                          "template", "fleet", "describe", "terminate"};
    static const char *const faults[] = {"well",       "fails",       "lost",
                                         "unanswered", "kill before", "kill after"};
    strbuf_addf(out, "\n  %-12s", "");
    for (int f = 0; f < SANDBOX_N_FAULTS; f++) {
        strbuf_addf(out, "%12s", faults[f]);
    }
    strbuf_addc(out, '\n');
    for (int a = 0; a < SANDBOX_N_ACTIONS; a++) {
        strbuf_addf(out, "  %-12s", actions[a]);
        for (int f = 0; f < SANDBOX_N_FAULTS; f++) {
            strbuf_addf(out, "%12llu", (unsigned long long)r->faults[a][f]);
        }
        strbuf_addc(out, '\n');
    }
}

void sandbox_table(const struct sandbox_options *options, const struct sandbox_report *r,
                   struct strbuf *out)
{
    strbuf_addf(out, "sandbox " STR_FMT ", seed %llu: %lld.%lld hours\n\n", STR_ARG(options->name),
                (unsigned long long)options->seed, (long long)(r->ran_ms / HOUR),
                (long long)(r->ran_ms % HOUR * 10 / HOUR));
    put_number(out, "nodes at the end", r->n_nodes);
    put_number(out, "nodes at most", r->n_nodes_most);
    put_number(out, "NodeClaims", r->n_claims);
    put_number(out, "instances", r->n_instances);
    put_number(out, "pods", r->n_pods);
    put_number(out, "pods without a place", r->n_pods - r->n_bound);
    put_number(out, "launches", r->n_launches);
    put_number(out, "terminations", r->n_terminations);
    put_number(out, "plans", r->n_rounds);
    put_number(out, "restarts", r->n_restarts);
    put_usd(out, "per hour at the end", r->per_hour);
    put_usd(out, "per hour at most", r->per_hour_most);
    put_usd(out, "bill", r->bill);
    put_faults(r, out);
    if (r->broken) {
        strbuf_addf(out, "\n  BROKEN %s\n  again: provisioner --sandbox " STR_FMT " --seed=%llu\n",
                    r->breach.text, STR_ARG(options->name), (unsigned long long)options->seed);
    }
}

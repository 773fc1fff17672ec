/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/sandbox/sandbox.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/strtab.h"
#include "provisioner/sandbox/world.h"

struct sandbox {
    struct world world;
};

/* So long after the last step and fault everything must have come to rest. */
enum { REST_MS = 30 * MINUTE };
#define WORLD_START INT64_C(1790000000000)

/* ---- the world's clock ---- */

struct moment world_moment(const struct world *world)
{
    return (struct moment){.wall = world->start + world->now, .mono = world->now};
}

const struct k8s_kind *world_kind_of(enum k8s_store store)
{
    uint32_t i = 0;
    while (k8s_kinds[i].store != store) {
        i++;
    }
    return &k8s_kinds[i];
}

int64_t world_between(struct world *world, int64_t from, int64_t to)
{
    return from + (int64_t)rng_below(&world->rng, (uint32_t)(to - from + 1));
}

void world_note(struct world *world, const char *format, ...)
{
    struct sandbox_note *note = &world->notes[world->n_notes++ % SANDBOX_NOTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(note->text, sizeof note->text, format, args);
    va_end(args);
    note->at = world->now;
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

/* ---- what happens ---- */

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
    market_beat(world);
    outage_beat(world);
    work_beat(world);
    boot_beat(world);
    program_beat(world);
    sched_beat(world);
    count(world, SECOND);
    world_push(world, &next);
    arena_reset(&world->step);
}

static void on_step(struct world *world, const struct happening *h)
{
    const struct scenario_step *step = &world->scenario.steps.v[h->step_i];
    struct happening next = {
        .at = sat_add(world->now, step->every), .type = HAPPEN_STEP, .step_i = h->step_i};
    work_step(world, step);
    if (step->every > 0) {
        world_push(world, &next);
    }
}

static void happen(struct world *world, struct happening *h)
{
    const bool of_this_run = h->epoch == world->epoch && world->engine != NULL;
    if (h->type == HAPPEN_BEAT) {
        on_beat(world);
    } else if (h->type == HAPPEN_STEP) {
        on_step(world, h);
    } else if (h->type == HAPPEN_START) {
        program_start(world);
    } else if (of_this_run && h->type == HAPPEN_SHOW) {
        watch_deliver(world, h);
    } else if (of_this_run && h->type == HAPPEN_RELIST) {
        watch_relist(world, h->kind);
    } else if (of_this_run && h->type == HAPPEN_ANSWER) {
        program_answer(world, h);
    } else if (of_this_run && h->type == HAPPEN_SOLVED) {
        program_solved(world);
    } else if (of_this_run && h->type == HAPPEN_TICK && world->timer <= world->now) {
        const struct event event = {.type = EVENT_TICK};
        world->timer = INT64_MAX;
        program_give(world, &event);
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
    world->compares = options->compares;
    world->truth = k8s_state_new();
    world->names = strtab_new(&world->arena);
    world->catalog = cat_builtin(&world->catalog_arena, k8s_state_tab(world->truth));
    world->unplaced = ARENA_ARRAY(&world->arena, struct unplaced, UNPLACED_MAX);
    world->words = (struct k8s_cluster){.tab = k8s_state_tab(world->truth),
                                        .words = *k8s_state_words(world->truth)};
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
    world->settings.make.solver.gap = 0.005;
    world->settings.make.emulates = options->karpenter ? PLAN_KARPENTER : PLAN_OWN;
}

static void close_world(struct world *world)
{
    engine_abandon(world->engine);
    program_forget_result(world);
    watch_end(world);
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
    arena_done(&world->catalog_arena);
    arena_done(&world->step);
    struct arena arena = world->arena;
    arena_done(&arena);
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
    r->n_bound = 0;
    for (uint32_t i = 0; i < r->n_pods; i++) {
        const struct k8s_pod *pod = k8s_state_at(world->truth, STORE_PODS, i);
        r->n_bound += pod->node_name.n > 0;
    }
    r->ran_ms = world->now;
}

struct sandbox *sandbox_new(const struct sandbox_options *options, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct sandbox *sandbox = ARENA_NEW(&arena, struct sandbox);
    struct world *world = &sandbox->world;
    world->arena = arena;
    open_world(world, options);
    if (!scenario_read(world, options, err)) {
        close_world(world);
        return NULL;
    }
    arena_reset(&world->catalog_arena);
    world->catalog = market_catalog(world, k8s_state_tab(world->truth), &world->catalog_arena);
    if (!adopt_begin(world, err)) {
        close_world(world);
        return NULL;
    }
    if (!world->report.searches) {
        world->settings.make.solver.algorithm = BP_FFD;
    }
    plan_steps(world);
    return sandbox;
}

void sandbox_free(struct sandbox *sandbox)
{
    if (sandbox != NULL) {
        close_world(&sandbox->world);
    }
}

bool sandbox_advance(struct sandbox *sandbox, mono_t until)
{
    struct world *world = &sandbox->world;
    const mono_t end = world->scenario.hours * HOUR;
    const mono_t stop = until < end ? until : end;
    while (world->queue.n > 0 && world->queue.v[0].at <= stop && invariants_hold(world)) {
        struct happening happening = pop(world);
        world->now = happening.at;
        happen(world, &happening);
    }
    if (stop == end && !world->report.broken) {
        world->report.untold = end - scenario_last(&world->scenario, end) < REST_MS;
        (void)(world->report.untold || invariants_converged(world));
    }
    count_pods(world);
    return stop < end && !world->report.broken;
}

const struct sandbox_report *sandbox_look(const struct sandbox *sandbox)
{
    return &sandbox->world.report;
}

uint32_t sandbox_notes(const struct sandbox *sandbox, struct sandbox_note *ret_notes, uint32_t max)
{
    const struct world *world = &sandbox->world;
    uint32_t n = 0;
    while (n < max && n < SANDBOX_NOTES && n < world->n_notes) {
        ret_notes[n] = world->notes[(world->n_notes - 1 - n) % SANDBOX_NOTES];
        n++;
    }
    return n;
}

uint32_t sandbox_machines(const struct sandbox *sandbox, struct sandbox_machine *ret_machines,
                          uint32_t max)
{
    const struct world *world = &sandbox->world;
    uint32_t n = 0;
    for (size_t i = 0; i < world->instances.n && n < max; i++) {
        const struct instance *instance = &world->instances.v[i];
        if (instance->stage != INSTANCE_GONE) {
            boot_machine(world, instance, &ret_machines[n++]);
        }
    }
    return n;
}

bool sandbox_run(const struct sandbox_options *options, struct sandbox_report *ret_report,
                 struct err *err)
{
    struct sandbox *sandbox = sandbox_new(options, err);
    if (sandbox == NULL) {
        return false;
    }
    (void)sandbox_advance(sandbox, INT64_MAX);
    *ret_report = *sandbox_look(sandbox);
    sandbox_free(sandbox);
    return true;
}

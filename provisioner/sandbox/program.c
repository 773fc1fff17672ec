/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program in the world: the engine, what it wants done and what comes of that. */
#include <stdio.h>

#include "base/strtab.h"
#include "provisioner/engine/journal.h"
#include "provisioner/provisioning/round.h"
#include "provisioner/sandbox/world.h"

enum {
    ROUND_STEPS = 2, /* the work of a round: little, so that worlds go by fast */
    ROUND_MS = 300,  /* the time that it takes in this world */
    LONG_ONE_IN = 8, /* rounds, while things go wrong, take up to */
    LONG_MS = 20 * SECOND,
    ANSWER_MIN_MS = 20,
    ANSWER_MAX_MS = 400,
    LOST_MS = 10 * SECOND, /* until nobody waits for an answer any more */
    START_MS = 5 * SECOND  /* until a killed program runs again */
};

static void use_catalog(struct world *world)
{
    arena_reset(&world->engine_catalog);
    struct strtab *tab = engine_tab(world->engine);
    engine_use_catalog(world->engine, market_catalog(world, tab, &world->engine_catalog));
    world->prices_moved = false;
}

void program_beat(struct world *world)
{
    if (world->prices_moved && world->engine != NULL && world->result == NULL) {
        use_catalog(world);
    }
}

void program_start(struct world *world)
{
    world->epoch++;
    world->timer = INT64_MAX;
    world->engine = engine_new(&world->settings);
    use_catalog(world);
    watch_begin(world);
    if (world->journal != NULL) {
        journal_put_header(&world->settings, world->catalog->name, world->journal);
    }
}

void program_forget_result(struct world *world)
{
    if (world->result != NULL) {
        round_result_done(world->result);
        world->result = NULL;
    }
}

void program_kill(struct world *world)
{
    struct happening happening = {.at = world->now + START_MS, .type = HAPPEN_START};
    engine_abandon(world->engine);
    world->engine = NULL;
    program_forget_result(world);
    world->epoch++;
    world->report.n_restarts++;
    world_note(world, "the program is killed");
    world_push(world, &happening);
}

static int64_t takes_ms(struct world *world)
{
    const bool wrong = world->now < world->scenario.faults_until && world->scenario.faults > 0;
    return wrong && rng_below(&world->rng, LONG_ONE_IN) == 0
               ? world_between(world, ROUND_MS, LONG_MS)
               : ROUND_MS;
}

/* What the emulated Karpenter would buy for the same pods on the same nodes. */
static void compare(struct world *world, const struct round_job *job)
{
    const struct round_result *own = world->result;
    struct round_result other;
    world->other_cost = -1;
    if (!world->compares || !own->good || own->n_claims == 0 || own->first) {
        return;
    }
    struct round_job same = *job;
    same.settings.emulates = PLAN_KARPENTER;
    same.claims = false;
    round_run(&same, NULL, &other);
    if (other.good && other.n_unplaced == own->n_unplaced) {
        world->other_cost = other.cost;
    }
    round_result_done(&other);
}

static void solve(struct world *world, struct round_job *job)
{
    struct happening happening = {
        .at = world->now + takes_ms(world), .type = HAPPEN_SOLVED, .epoch = world->epoch};
    job->cut_after = (struct opt_i64){.has = true, .v = ROUND_STEPS};
    arena_reset(&world->solved_arena);
    world->result = ARENA_NEW(&world->solved_arena, struct round_result);
    round_run(job, NULL, world->result);
    compare(world, job);
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
    const bool refused = happening.is_write ? happening.written.outcome != K8S_WRITE_DONE
                                            : ec2_has_refused(action->operation, happening.reply);
    world->report.refused[fault_action(action)] += fault == SANDBOX_NO_FAULT && refused;
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
            program_kill(world);
            return false;
        }
        break;
    case ACTION_RESTART:
        program_kill(world); /* its objects are listed anew, from a new engine */
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

void program_give(struct world *world, const struct event *event)
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

/* ---- what happens to it ---- */

void program_answer(struct world *world, const struct happening *h)
{
    const struct event event = {.type = h->is_write ? EVENT_WRITTEN : EVENT_REPLY,
                                .id = h->id,
                                .written = h->written,
                                .operation = h->operation,
                                .reply = h->reply,
                                .fault = h->fault};
    program_give(world, &event);
}

/* Rounds that say nothing of pods leave what the last one has said. */
static void note_unplaced(struct world *world, const struct round_result *result)
{
    if (!result->good || result->disrupts || result->explains) {
        return;
    }
    world->n_unplaced = result->n_said < UNPLACED_MAX ? result->n_said : UNPLACED_MAX;
    for (uint32_t i = 0; i < world->n_unplaced; i++) {
        struct unplaced *unplaced = &world->unplaced[i];
        unplaced->ns_name = text_of(result->said[i].pod);
        (void)snprintf(unplaced->why, sizeof unplaced->why, STR_FMT,
                       STR_ARG(result->said[i].message));
    }
}

static void count_bought(struct world *world, const struct round_result *result)
{
    struct sandbox_report *r = &world->report;
    r->bought = sat_add(r->bought, result->cost);
    r->bought_bound = sat_add(r->bought_bound, result->bound);
    if (world->other_cost >= 0) {
        r->own_cost = sat_add(r->own_cost, result->cost);
        r->other_cost = sat_add(r->other_cost, world->other_cost);
    }
}

void program_solved(struct world *world)
{
    struct round_result *result = world->result;
    const struct event event = {.type = EVENT_SOLVED, .result = result};
    world->result = NULL; /* the step may begin the next one: see solve */
    struct round_result copy = *result;
    if (copy.good && !copy.disrupts && !copy.explains && copy.cost < copy.bound) {
        (void)invariants_broken(world, "a plan costs less than its bound", copy.status);
    }
    note_unplaced(world, &copy);
    const struct event with_copy = {.type = event.type, .result = &copy};
    if (copy.good && !copy.first && copy.n_claims > 0) {
        world->report.plan_cost = copy.cost;
        world->report.plan_bound = copy.bound;
        count_bought(world, &copy);
        world_note(world, "plan: %u node(s) for %u pod(s), $%.4f/h, at least $%.4f/h",
                   copy.n_new_nodes, copy.n_pending, (double)copy.cost / (double)USD_PER_HOUR,
                   (double)copy.bound / (double)USD_PER_HOUR);
    }
    program_give(world, &with_copy);
    round_result_done(&copy);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/planning.h"

#include "base/arena.h"
#include "binpack/plan/check.h"
#include "binpack/plan/diversify.h"
#include "binpack/plan/explain_node.h"
#include "binpack/plan/plan_json.h"
#include "binpack/plan/retry.h"
#include "io/clock.h"
#include "io/signals.h"
#include "io/workers.h"

enum {
    STEP_WORK = 20000, /* a step is about 20 ms */
    LANES_MAX = 8,
    PROOF_SHARE = 8,   /* one part in, of --time-limit */
    WORK_PER_MS = 1000 /* see binpack/solver/solve.h */
};

static void show_progress(const struct planning *run, const struct bp_progress *p)
{
    auto_arena scratch = ARENA_INIT;
    mono_t now = io_clock_mono();
    if (!run->console->progress) {
        return;
    }
    int64_t gap = p->cost > 0 && p->bound < p->cost
                      ? muldiv_ceil(p->cost - p->bound, 1000000000, p->cost)
                      : 0;
    struct str cost = text_usd(&scratch, p->cost, 4);
    struct str bound = text_usd(&scratch, p->bound, 4);
    console_progress(run->console, now,
                     "%s%s%s: $" STR_FMT "/h, at least $" STR_FMT "/h, gap " STR_FMT ", %lld s",
                     run->what != NULL ? run->what : "", run->what != NULL ? ": " : "", p->phase,
                     STR_ARG(cost), STR_ARG(bound), STR_ARG(text_gap(&scratch, gap)),
                     (long long)(now - run->begun) / 1000);
}

/* Milliseconds to the end of --time-limit, which is about the whole run. Naming, checking and
 * writing the plan takes about as long as reading the input did. */
static int64_t time_left(const struct planning *run)
{
    mono_t used = io_clock_mono() - run->begun + (run->read_done - run->begun);
    return run->options->time_limit.v - used;
}

/* What is left then is for proving the bound. */
static bool is_late(const struct planning *run)
{
    const struct opt_i64 *limit = &run->options->time_limit;
    return limit->has && time_left(run) <= limit->v / PROOF_SHARE;
}

/* Works until nothing more is to be gained, the time is over, or somebody interrupts. */
static void solve(struct planning *run, struct make *make)
{
    struct bp_progress progress;
    bool more = true;
    bool cancelled = false;
    const char *phase = "first-plan";
    make_progress(make, &progress);
    timings_point(run->timings, &progress);
    while (more) {
        bool late = is_late(run);
        run->interrupted = run->interrupted || io_signals_interrupted();
        if ((late || run->interrupted) && !cancelled) {
            make_cancel(make);
            cancelled = true;
            run->cut = late;
        }
        more = make_step(make, STEP_WORK);
        make_progress(make, &progress);
        phase = progress.phase;
        timings_phase(run->timings, phase, make_arena_bytes(make));
        timings_point(run->timings, &progress);
        show_progress(run, &progress);
    }
    if (run->options->time_limit.has) {
        int64_t left = time_left(run);
        make_limit_proof(make, left > 0 ? (uint64_t)left * WORK_PER_MS : 0);
    }
    console_progress_done(run->console);
}

static struct check_settings checks_of(const struct planning *run,
                                       const struct make_settings *settings)
{
    return (struct check_settings){
        .ignore_overlays = !settings->gate_node_overlay,
        .respect_strict_min_values = settings->min_values_policy == MAKE_STRICT,
        .drift_is_detected = run->options->detect_drift,
        .spot_to_spot = settings->gate_spot_to_spot,
        .catalog = settings->catalog,
    };
}

/* Notes are in the order of their codes. */
static void add_note(struct planning *run, struct str code, struct str message)
{
    struct plan *plan = run->plan;
    struct plan_note *notes = ARENA_ARRAY(run->arena, struct plan_note, plan->n_notes + 1);
    uint32_t at = 0;
    while (at < plan->n_notes && str_cmp(plan->notes[at].code, code) < 0) {
        notes[at] = plan->notes[at];
        at++;
    }
    notes[at] = (struct plan_note){.code = code, .message = message};
    for (uint32_t i = at; i < plan->n_notes; i++) {
        notes[i + 1] = plan->notes[i];
    }
    plan->notes = notes;
    plan->n_notes++;
}

static void note_changes(struct planning *run)
{
    for (uint32_t i = run->input->n_changes; i > 0; i--) {
        struct strbuf text = strbuf_new(run->arena, 4096);
        strbuf_addf(&text, "what if: " STR_FMT, STR_ARG(run->input->changes[i - 1]));
        add_note(run, STR("WHAT_IF"), strbuf_str(&text));
    }
}

/* What was left out while reading is part of what the plan rests on: scripts see no warnings. */
static void note_left_out(struct planning *run)
{
    const struct input *input = run->input;
    struct strbuf text = strbuf_new(run->arena, 4096);
    if (input->n_rejected > 0) {
        strbuf_addf(&text,
                    "%u object%s of the input left out as broken: " STR_FMT
                    "; `binpack validate` shows all",
                    input->n_rejected, input->n_rejected == 1 ? "" : "s",
                    STR_ARG(str_sub(input->left_out[0].why, 0, 1000)));
        add_note(run, STR("OBJECTS_LEFT_OUT"), str_copy(run->arena, strbuf_str(&text)));
    }
    if (input->n_unreadable > 0) {
        text.n = 0;
        strbuf_addf(&text,
                    "%u kind%s of objects could not be read from the cluster: see the warnings",
                    input->n_unreadable, input->n_unreadable == 1 ? "" : "s");
        add_note(run, STR("KINDS_UNREADABLE"), str_copy(run->arena, strbuf_str(&text)));
    }
}

/* Runs one of the makes of a round of disruption. */
static bool work(void *ctx, struct make *make)
{
    struct planning *run = ctx;
    solve(run, make);
    return !run->cut && !run->interrupted;
}

static void end_phase(void *ctx, const char *name)
{
    const struct planning *run = ctx;
    timings_phase(run->timings, name, 0);
}

static bool plan_disruption(struct planning *run, const struct make_settings *settings,
                            struct err *err)
{
    struct disrupt_options options = input_disrupt_options(run->options);
    arena_done(&run->plan_arena);
    const struct disrupt_port port = {.ctx = run, .work = work, .phase = end_phase};
    return disrupt_plan(run->input->cluster, run->input->catalog, settings, &options, &port,
                        &run->plan_arena, &run->plan, err);
}

static bool plan_once(struct planning *run, const struct make_settings *settings, struct err *err)
{
    struct make *make = NULL;
    if (!make_new(run->input->cluster, run->input->catalog, settings, &make, err)) {
        return false;
    }
    timings_phase(run->timings, "classes", make_arena_bytes(make));
    solve(run, make);
    bool good = make_finish(make, run->arena, &run->plan, err);
    timings_phase(run->timings, "finish", make_arena_bytes(make));
    make_free(make);
    return good;
}

/* One plan of any kind; for retry_plan. */
static bool once(void *ctx, const struct make_settings *settings, struct plan **ret_plan,
                 struct err *err)
{
    struct planning *run = ctx;
    bool good = settings->mode == PLAN_DISRUPT ? plan_disruption(run, settings, err)
                                               : plan_once(run, settings, err);
    if (good) {
        note_left_out(run);
        note_changes(run);
        *ret_plan = run->plan;
    }
    return good;
}

static bool stopped(void *ctx, bool needed)
{
    const struct planning *run = ctx;
    return run->interrupted || (run->cut && !needed);
}

static bool make_plan(struct planning *run, const struct make_settings *settings, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    const struct check_settings checks = checks_of(run, settings);
    const struct retry retry = {.once = once,
                                .stopped = stopped,
                                .ctx = run,
                                .settings = settings,
                                .checks = &checks,
                                .scratch = &scratch};
    bool good = retry_plan(&retry, &run->plan, NULL, err);
    const struct input *input = run->input;
    if (good && input->n_blames > 0 && run->plan->n_unplaced > 0) {
        blame_add(run->plan, settings, input->blames, input->n_blames, input->given_catalog,
                  run->arena);
    }
    if (good && (run->cut || run->interrupted) && retry_may_place_more(run->plan)) {
        run->plan->status = STR("stopped"); /* whatever is proven of the pods that have a place */
    }
    timings_phase(run->timings, "verify", scratch.held_bytes);
    return good;
}

static void note_spread(struct planning *run, const struct plan *free_plan)
{
    usd_t without = sat_sub(free_plan->cost, free_plan->spread_cost);
    usd_t more = sat_sub(run->plan->cost, without);
    struct strbuf text = strbuf_new(run->arena, 512);
    strbuf_add(&text, STR("spreading spot as asked costs $"));
    strbuf_add(&text, text_usd(run->arena, more > 0 ? more : 0, 4));
    strbuf_addf(&text, "/h more than the plan without it (");
    strbuf_add(&text, text_percent(run->arena, more > 0 ? more : 0, without));
    strbuf_addc(&text, ')');
    add_note(run, STR("SPOT_SPREAD"), strbuf_str(&text));
}

/* Exchanging offerings can be dear. Where it is, a plan made under caps may be cheaper. */
static bool try_capped(struct planning *run, const struct make_settings *settings,
                       const struct plan_spot_rules *rules, struct arena *scratch, struct err *err)
{
    enum { WORTH_PERCENT = 1 };
    struct make_settings capped = *settings;
    struct plan *exchanged = run->plan;
    if (sat_mul(exchanged->spread_cost, 100) <= sat_mul(exchanged->cost, WORTH_PERCENT) ||
        run->interrupted || is_late(run) ||
        !diversify_tighten(exchanged, rules, run->arena, &capped.spot_caps)) {
        return true;
    }
    if (!make_plan(run, &capped, err)) {
        return false;
    }
    if (run->plan->n_unplaced > exchanged->n_unplaced || run->plan->cost >= exchanged->cost ||
        !check_spot(run->plan, rules, scratch, err)) {
        run->plan = exchanged;
    } else {
        diversify_adopt(exchanged, run->plan);
    }
    return true;
}

/* Makes the plan anew with tighter and tighter caps until its spot nodes are spread as asked. */
static bool spread_spot(struct planning *run, const struct make_settings *settings, struct err *err)
{
    const struct plan_spot_rules rules = settings->spot_rules;
    const struct plan *free_plan = run->plan;
    struct make_settings capped = *settings;
    auto_arena scratch = ARENA_INIT;
    uint32_t tries = 0;
    while (!check_spot(run->plan, &rules, &scratch, err)) {
        if (tries++ == DIVERSIFY_TRIES || run->interrupted ||
            !diversify_tighten(run->plan, &rules, run->arena, &capped.spot_caps)) {
            struct err why = *err;
            return err_set(err, ERR_CONFLICT,
                           "--min-pools, --max-per-pool, --spot-max: no plan found that keeps "
                           "them: %s",
                           why.text);
        }
        if (!make_plan(run, &capped, err)) {
            return false;
        }
        if (run->plan->n_unplaced > free_plan->n_unplaced) {
            return err_set(err, ERR_CONFLICT,
                           "--min-pools, --max-per-pool, --spot-max: with spot limited like that, "
                           "%u pods more would have no place: no other offering takes them",
                           run->plan->n_unplaced - free_plan->n_unplaced);
        }
    }
    if (tries > 0) {
        diversify_adopt(free_plan, run->plan);
    } else if (!try_capped(run, settings, &rules, &scratch, err)) {
        return false;
    }
    if (tries > 0 || free_plan->spread_cost > 0) {
        diversify_relax(run->arena, run->plan);
        note_spread(run, free_plan);
    }
    return true;
}

static bool options_agree(const struct make_settings *settings, struct err *err)
{
    const struct plan_spot_rules rules = settings->spot_rules;
    const bool spread = rules.min_pools > 0 || rules.max_per_pool.has || rules.max_share.has;
    if (settings->emulates != PLAN_OWN && spread) {
        return err_set(err, ERR_UNSUPPORTED,
                       "--algorithm=%s: it knows nothing like --min-pools, --max-per-pool or "
                       "--spot-max",
                       plan_planners[settings->emulates].name);
    }
    if (settings->mode == PLAN_DISRUPT && settings->emulates == PLAN_CLUSTER_AUTOSCALER) {
        return err_set(err, ERR_UNSUPPORTED,
                       "cluster-autoscaler: only its scale-up is imitated, not its scale-down: "
                       "plan with --mode=provision or --mode=repack");
    }
    if (settings->mode == PLAN_DISRUPT && spread) {
        return err_set(err, ERR_UNSUPPORTED, "--mode=disrupt: spreading spot is not there yet");
    }
    return true;
}

struct planning planning_new(const struct options *options, struct console *console,
                             struct arena *arena)
{
    uint32_t lanes = (uint32_t)options->threads;
    if (lanes == 0) {
        lanes = io_workers_processors();
        lanes = lanes > LANES_MAX ? LANES_MAX : lanes;
    }
    return (struct planning){.options = options,
                             .console = console,
                             .arena = arena,
                             .plan_arena = ARENA_INIT,
                             .begun = io_clock_mono(),
                             .workers = io_workers_new(lanes)};
}

bool planning_run(struct planning *run, const struct input *input,
                  const struct make_settings *settings, struct err *err)
{
    struct make_settings own = *settings;
    struct parallel parallel = {
        .run = io_workers_run, .port_ctx = run->workers, .n_lanes = io_workers_lanes(run->workers)};
    run->input = input;
    run->plan = NULL;
    own.solver.parallel = parallel.n_lanes > 1 ? &parallel : NULL;
    return options_agree(&own, err) && make_plan(run, &own, err) && spread_spot(run, &own, err);
}

bool planning_explain_nodes(struct planning *run, const struct make_settings *settings,
                            const struct str *names, uint32_t n, struct err *err)
{
    struct make_settings own = *settings;
    struct parallel parallel = {
        .run = io_workers_run, .port_ctx = run->workers, .n_lanes = io_workers_lanes(run->workers)};
    const struct disrupt_options options = input_disrupt_options(run->options);
    const struct disrupt_port port = {.ctx = run, .work = work, .phase = end_phase};
    own.solver.parallel = parallel.n_lanes > 1 ? &parallel : NULL;
    return explain_nodes(run->plan, run->input->cluster, run->input->catalog, &own, &options, &port,
                         names, n, run->cut || run->interrupted, run->arena, err);
}

void planning_done(struct planning *run)
{
    io_workers_free(run->workers);
    arena_done(&run->plan_arena);
}

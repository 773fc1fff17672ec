/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack simulate`: read, plan, check, show. */
#include "base/arena.h"
#include "base/parallel.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/gate.h"
#include "binpack/cli/input.h"
#include "binpack/cli/output.h"
#include "binpack/cli/timings.h"
#include "binpack/plan/check.h"
#include "binpack/plan/disrupt.h"
#include "binpack/plan/diversify.h"
#include "binpack/plan/make.h"
#include "binpack/plan/plan_json.h"
#include "io/clock.h"
#include "io/signals.h"
#include "io/workers.h"

#include <string.h>

enum { STEP_WORK = 20000, LANES_MAX = 8 }; /* a step is about 20 ms */

struct run {
    const struct options *options;
    struct console *console;
    struct arena *arena;
    struct timings *timings;
    mono_t begun, read_done;
    struct input input;
    struct plan *plan;
    struct option_texts asked; /* pods to be explained */
    struct arena plan_arena;   /* of a plan of disruption */
    bool interrupted, cut;     /* cut: by --time-limit */
};

static void show_progress(const struct run *run, const struct bp_progress *p)
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
                     "%s: $" STR_FMT "/h, at least $" STR_FMT "/h, gap " STR_FMT ", %lld s",
                     p->phase, STR_ARG(cost), STR_ARG(bound), STR_ARG(text_gap(&scratch, gap)),
                     (long long)(now - run->begun) / 1000);
}

/* --time-limit is about the whole run. Naming, checking and writing the plan takes about as long as
 * reading the input did. */
static bool is_late(const struct run *run)
{
    mono_t now = io_clock_mono();
    return run->options->time_limit.has &&
           now - run->begun + (run->read_done - run->begun) >= run->options->time_limit.v;
}

/* Works until nothing more is to be gained, the time is over, or somebody interrupts. */
static void solve(struct run *run, struct make *make)
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
    console_progress_done(run->console);
}

static struct check_settings checks_of(const struct run *run, const struct make_settings *settings)
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
static void add_note(struct run *run, struct str code, struct str message)
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

/* What was left out while reading is part of what the plan rests on: scripts see no warnings. */
static void note_left_out(struct run *run)
{
    const struct input *input = &run->input;
    struct strbuf text = strbuf_new(run->arena, 512);
    if (input->n_rejected > 0) {
        strbuf_addf(&text,
                    "%u object%s of the input left out as broken: see the warnings, or `binpack "
                    "validate`",
                    input->n_rejected, input->n_rejected == 1 ? "" : "s");
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
    struct run *run = ctx;
    solve(run, make);
    return !run->cut && !run->interrupted;
}

static bool plan_disruption(struct run *run, const struct make_settings *settings, struct err *err)
{
    struct disrupt_options options = input_disrupt_options(run->options);
    arena_done(&run->plan_arena);
    return disrupt_plan(run->input.cluster, run->input.catalog, settings, &options, work, run,
                        &run->plan_arena, &run->plan, err);
}

static bool plan_once(struct run *run, const struct make_settings *settings, struct err *err)
{
    struct make *make = NULL;
    if (!make_new(run->input.cluster, run->input.catalog, settings, &make, err)) {
        return false;
    }
    timings_phase(run->timings, "classes", make_arena_bytes(make));
    solve(run, make);
    bool good = make_finish(make, run->arena, &run->plan, err);
    timings_phase(run->timings, "finish", make_arena_bytes(make));
    make_free(make);
    return good;
}

static bool attempt(struct run *run, const struct make_settings *settings, struct err *err)
{
    bool good = settings->mode == PLAN_DISRUPT ? plan_disruption(run, settings, err)
                                               : plan_once(run, settings, err);
    if (good) {
        note_left_out(run);
    }
    if (good) {
        auto_arena scratch = ARENA_INIT;
        struct check_settings checks = checks_of(run, settings);
        good = check_plan(run->plan, &checks, &scratch, err) ||
               err_wrap(err, settings->emulate_karpenter
                                 ? "the emulated plan breaks a rule, so it is not shown"
                                 : "the plan does not hold, so it is not shown");
        timings_phase(run->timings, "verify", scratch.held_bytes);
    }
    return good;
}

/* A plan that a checker refuses is never shown. Rules that each have an order of placement may have
 * none together; then a plan that needs no order is made. */
static bool make_plan(struct run *run, const struct make_settings *settings, struct err *err)
{
    struct make_settings again = *settings;
    bool good = attempt(run, settings, err);
    for (int tries = 0; tries < 2 && !good && err->code == ERR_INTERNAL && !run->interrupted &&
                        !settings->emulate_karpenter;
         tries++) {
        again.no_repair = true;
        again.any_order = tries > 0;
        good = attempt(run, &again, err);
    }
    return good;
}

static void note_spread(struct run *run, const struct plan *free_plan)
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
static bool try_capped(struct run *run, const struct make_settings *settings,
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
static bool spread_spot(struct run *run, const struct make_settings *settings, struct err *err)
{
    const struct plan_spot_rules rules = input_spot_rules(run->options);
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

static bool options_agree(const struct run *run, const struct make_settings *settings,
                          struct err *err)
{
    const struct plan_spot_rules rules = input_spot_rules(run->options);
    const bool spread = rules.min_pools > 0 || rules.max_per_pool.has || rules.max_share.has;
    if (settings->emulate_karpenter && spread) {
        return err_set(err, ERR_UNSUPPORTED,
                       "--algorithm=karpenter: Karpenter knows nothing like --min-pools, "
                       "--max-per-pool or --spot-max");
    }
    if (settings->mode == PLAN_DISRUPT && (settings->emulate_karpenter || spread)) {
        return err_set(err, ERR_UNSUPPORTED, "--mode=disrupt: %s is not there yet",
                       spread ? "spreading spot" : "--algorithm=karpenter");
    }
    return true;
}

static bool plan_with_workers(struct run *run, struct err *err)
{
    struct make_settings settings = input_settings(run->options, &run->input);
    settings.explain = run->asked.v;
    settings.n_explain = run->asked.n;
    uint32_t lanes = (uint32_t)run->options->threads;
    if (lanes == 0) {
        lanes = io_workers_processors();
        lanes = lanes > LANES_MAX ? LANES_MAX : lanes;
    }
    struct io_workers *workers = io_workers_new(lanes);
    struct parallel parallel = {
        .run = io_workers_run, .port_ctx = workers, .n_lanes = io_workers_lanes(workers)};
    settings.solver.parallel = parallel.n_lanes > 1 ? &parallel : NULL;
    bool good = options_agree(run, &settings, err) && make_plan(run, &settings, err) &&
                spread_spot(run, &settings, err);
    io_workers_free(workers);
    return good;
}

/* ---- what it rests on ---- */

static void say_notes(const struct run *run)
{
    for (uint32_t i = 0; i < run->plan->n_notes; i++) {
        console_assume(run->console, STR_FMT, STR_ARG(run->plan->notes[i].message));
    }
}

/* Codes of what the input should have held end in MISSING. */
static bool is_missing(struct str code)
{
    return str_ends(code, STR("_MISSING"));
}

/* Whether something the plan depends on is not in the input or was refused. */
static bool is_incomplete(const struct run *run)
{
    bool incomplete =
        run->input.n_rejected + run->input.n_unreadable > 0 || run->input.default_pool;
    for (uint32_t i = 0; i < run->plan->n_notes; i++) {
        incomplete = incomplete || is_missing(run->plan->notes[i].code);
    }
    for (uint32_t i = 0; i < run->plan->n_unplaced; i++) {
        const struct plan_unplaced *unplaced = &run->plan->unplaced[i];
        for (uint32_t r = 0; r < unplaced->n_reasons; r++) {
            incomplete = incomplete || is_missing(unplaced->reasons[r].code);
        }
    }
    return incomplete;
}

/* Who asked about some pods does not want to hear of the others. */
static bool has_unplaced(const struct plan *plan)
{
    bool any = false;
    for (uint32_t i = 0; i < plan->n_explanations; i++) {
        any = any || plan->explanations[i].unplaced_i != PLAN_NONE;
    }
    return plan->n_explanations > 0 ? any : plan->n_unplaced > 0;
}

/* --fail-if; all conditions that hold are named. */
static bool any_condition_holds(const struct run *run)
{
    bool any = false;
    for (uint32_t i = 0; i < run->options->fail_if.n; i++) {
        auto_arena scratch = ARENA_INIT;
        struct err ignored;
        struct gate gate;
        struct str value;
        if (gate_parse(run->options->fail_if.v[i], &gate, &ignored) &&
            gate_holds(&gate, run->plan, &scratch, &value)) {
            console_error(run->console, "--fail-if: " STR_FMT ": it is " STR_FMT,
                          STR_ARG(run->options->fail_if.v[i]), STR_ARG(value));
            any = true;
        }
    }
    return any;
}

/* What was asked for by a gate comes before what everybody wants to know. */
static int exit_status_of(const struct run *run)
{
    const struct options *o = run->options;
    if (run->interrupted) {
        return EXIT_INTERRUPTED;
    }
    if (o->strict && is_incomplete(run)) {
        console_error(run->console,
                      "--strict: the input is incomplete; see the warnings and assumptions above");
        return EXIT_INCOMPLETE;
    }
    if (any_condition_holds(run)) {
        return EXIT_CONDITION;
    }
    if (o->require_gap.has && plan_gap_ppb(run->plan) > o->require_gap.v) {
        auto_arena scratch = ARENA_INIT;
        console_error(run->console,
                      "--require-gap: the plan is proven within " STR_FMT " only, " STR_FMT
                      " is required",
                      STR_ARG(text_gap(&scratch, plan_gap_ppb(run->plan))),
                      STR_ARG(text_gap(&scratch, o->require_gap.v)));
        return EXIT_GAP;
    }
    return has_unplaced(run->plan) ? EXIT_UNPLACED : EXIT_ALL_PLACED;
}

/* When all that is asked for is the input itself, nothing has to be planned. */
static bool wants_snapshots_only(const struct options *options)
{
    uint32_t n = 0;
    while (n < options->outputs.n && options->outputs.v[n].format == OUTPUT_SNAPSHOT) {
        n++;
    }
    return n > 0 && n == options->outputs.n && options->certificate.n == 0 &&
           !options->require_gap.has && options->fail_if.n == 0;
}

/* A zone or region that the catalogue lacks: where to read how to get the right one. */
static bool err_add_help(struct err *err)
{
    struct err why = *err;
    return err_set(err, why.code, "%s (`binpack help prices` shows how)", why.text);
}

static bool simulate(struct run *run, const struct option_texts *paths, struct err *err)
{
    if (!input_read(run->options, paths, run->console, run->arena, &run->input, err)) {
        return false;
    }
    run->read_done = io_clock_mono();
    timings_phase(run->timings, "read", run->arena->held_bytes);
    if (wants_snapshots_only(run->options)) {
        run->plan = ARENA_NEW(run->arena, struct plan);
        run->plan->cluster = run->input.cluster;
        return output_plan(run->options, run->plan, run->console, err);
    }
    if (!plan_with_workers(run, err)) {
        return err->code == ERR_NOT_FOUND && run->asked.n == 0 ? err_add_help(err) : false;
    }
    say_notes(run);
    bool good = output_plan(run->options, run->plan, run->console, err) &&
                (run->options->certificate.n == 0 ||
                 output_certificate(run->options->certificate, run->plan, run->console, err));
    timings_phase(run->timings, "write", 0);
    return good;
}

/* The pods of `explain POD...` and of --explain. False: exit 2, said. */
static bool take_asked(struct run *run)
{
    const struct options *o = run->options;
    bool command = o->command == CLI_EXPLAIN;
    uint32_t n = o->explain.n + (command ? o->arguments.n : 0);
    struct str *names = ARENA_ARRAY(run->arena, struct str, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        names[i] = i < o->explain.n ? o->explain.v[i] : o->arguments.v[i - o->explain.n];
        if (str_starts(names[i], STR("node/")) || str_starts(names[i], STR("nodepool/"))) {
            console_error(run->console, "explain: " STR_FMT ": only pods can be explained so far",
                          STR_ARG(names[i]));
            return false;
        }
    }
    run->asked = (struct option_texts){.n = n, .v = names};
    if (command && n == 0) {
        console_error(run->console,
                      "explain: say which pods: binpack explain NAMESPACE/NAME -f FILE");
        return false;
    }
    for (uint32_t i = 0; n > 0 && i < o->outputs.n; i++) {
        enum output_format format = o->outputs.v[i].format;
        if (format != OUTPUT_TABLE && format != OUTPUT_JSON && format != OUTPUT_YAML) {
            console_error(run->console, "explain: -o %s: must be table, json or yaml",
                          output_format_names[format]);
            return false;
        }
    }
    return true;
}

int command_simulate(const struct options *options, struct console *console)
{
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    struct timings timings;
    struct run run = {.options = options,
                      .console = console,
                      .arena = &arena,
                      .timings = &timings,
                      .plan_arena = ARENA_INIT,
                      .begun = io_clock_mono()};
    timings_begin(&timings);
    static const struct option_texts none = {.n = 0};
    if (!take_asked(&run)) {
        return EXIT_USAGE;
    }
    struct option_texts paths = options_paths(
        options, options->command == CLI_EXPLAIN ? &none : &options->arguments, &arena);
    bool good = simulate(&run, &paths, &err);
    int status = good ? exit_status_of(&run) : command_failed(console, &err);
    if (options->timings) {
        timings_print(&timings, console);
    }
    arena_done(&run.plan_arena);
    return status;
}

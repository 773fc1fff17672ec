/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack simulate` and `explain`: read, plan, check, show. */
#include "base/arena.h"
#include "binpack/cli/asked.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/gate.h"
#include "binpack/cli/input.h"
#include "binpack/cli/output.h"
#include "binpack/cli/planning.h"
#include "binpack/cli/timings.h"
#include "binpack/plan/explain_node.h"
#include "binpack/plan/explain_pool.h"
#include "binpack/plan/plan_json.h"
#include "binpack/plan/relax.h"
#include "io/clock.h"

struct run {
    const struct options *options;
    struct console *console;
    struct arena *arena;
    struct planning planning;
    struct input input;
    struct plan *plan;
    struct asked asked;
};

/* A pod that cannot be explained because it was left out: that is the answer. */
static bool say_left_out(const struct run *run, struct err *err)
{
    const struct option_texts *asked = &run->asked.of[ASKED_POD];
    for (uint32_t i = 0; err->code == ERR_NOT_FOUND && i < asked->n; i++) {
        size_t slash = str_find(asked->v[i], '/');
        bool has_ns = slash < asked->v[i].n;
        struct str ns = has_ns ? str_sub(asked->v[i], 0, slash) : STR_EMPTY;
        struct str name = has_ns ? str_sub(asked->v[i], slash + 1, asked->v[i].n) : asked->v[i];
        for (uint32_t k = 0; k < run->input.n_rejected; k++) {
            const struct input_left_out *left_out = &run->input.left_out[k];
            struct str own_ns = left_out->ns.n > 0 ? left_out->ns : STR("default");
            if (str_eq(left_out->kind, STR("Pod")) && str_eq(left_out->name, name) &&
                (!has_ns || str_eq(own_ns, ns))) {
                return err_set(err, ERR_NOT_FOUND,
                               "pod " STR_FMT " was left out of the input as broken: " STR_FMT,
                               STR_ARG(str_sub(asked->v[i], 0, 300)), STR_ARG(left_out->why));
            }
        }
    }
    return false;
}

static bool make_plan(struct run *run, struct err *err)
{
    struct make_settings settings = input_settings(run->options, &run->input);
    settings.explain = run->asked.of[ASKED_POD].v;
    settings.n_explain = run->asked.of[ASKED_POD].n;
    const struct option_texts *nodes = &run->asked.of[ASKED_NODE];
    if (settings.n_explain + nodes->n + run->asked.of[ASKED_NODEPOOL].n > 0) {
        input_ask_effort(run->options, &run->input, 1 + nodes->n, run->console, &settings);
    }
    bool good = explain_nodes_find(run->input.cluster, nodes->v, nodes->n, err) &&
                planning_run(&run->planning, &run->input, &settings, err) &&
                (nodes->n == 0 ||
                 planning_explain_nodes(&run->planning, &settings, nodes->v, nodes->n, err));
    run->plan = run->planning.plan;
    if (good) {
        relax_add(run->plan, &settings, run->arena);
        const struct option_texts *pools = &run->asked.of[ASKED_NODEPOOL];
        good = explain_pools(run->plan, pools->v, pools->n, run->arena, err);
    }
    return good || say_left_out(run, err);
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
    return plan->n_explanations + plan->n_node_answers > 0 ? any : plan->n_unplaced > 0;
}

/* A plan without objects that need a place is too cheap to pass a gate; says so. */
static bool lacks_pods(const struct run *run, const char *gate)
{
    if (run->input.n_homeless == 0) {
        return false;
    }
    uint32_t i = 0;
    while (!run->input.left_out[i].needs_a_place) {
        i++;
    }
    console_error(
        run->console,
        "%s: not passed, because %u object%s that need%s a place %s left out as broken: " STR_FMT,
        gate, run->input.n_homeless, run->input.n_homeless == 1 ? "" : "s",
        run->input.n_homeless == 1 ? "s" : "", run->input.n_homeless == 1 ? "is" : "are",
        STR_ARG(run->input.left_out[i].why));
    return true;
}

/* --fail-if; all conditions that hold are named. */
static bool any_condition_holds(const struct run *run)
{
    bool any = run->options->fail_if.n > 0 && lacks_pods(run, "--fail-if");
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

/* --require-gap. */
static bool misses_gap(const struct run *run)
{
    const struct options *o = run->options;
    if (!o->require_gap.has) {
        return false;
    }
    bool lacks = lacks_pods(run, "--require-gap");
    if (plan_gap_ppb(run->plan) <= o->require_gap.v) {
        return lacks;
    }
    auto_arena scratch = ARENA_INIT;
    console_error(run->console,
                  "--require-gap: the plan is proven within " STR_FMT " only, " STR_FMT
                  " is required",
                  STR_ARG(text_gap(&scratch, plan_gap_ppb(run->plan))),
                  STR_ARG(text_gap(&scratch, o->require_gap.v)));
    return true;
}

/* --strict; names the gravest, since -q hides warnings and assumptions. */
static void say_incomplete(const struct run *run)
{
    const struct input *input = &run->input;
    struct str what = STR("pods have no place for want of what is not in it; see their reasons");
    if (input->n_rejected > 0) {
        what = input->left_out[0].why;
    } else if (input->n_unreadable > 0) {
        what = STR("some kinds of objects could not be read from the cluster");
    } else if (input->default_pool) {
        what = STR("it has no NodePool, so a built-in one is used");
    } else {
        for (uint32_t i = run->plan->n_notes; i > 0; i--) {
            const struct plan_note *note = &run->plan->notes[i - 1];
            what = is_missing(note->code) ? note->message : what;
        }
    }
    console_error(run->console, "--strict: the input is incomplete: " STR_FMT, STR_ARG(what));
}

/* What was asked for by a gate comes before what everybody wants to know. */
static int exit_status_of(const struct run *run)
{
    const struct options *o = run->options;
    if (run->planning.interrupted) {
        return EXIT_INTERRUPTED;
    }
    bool incomplete = o->strict && is_incomplete(run);
    if (incomplete) {
        say_incomplete(run);
    }
    bool holds = any_condition_holds(run); /* all gates that fail are named */
    bool too_far = misses_gap(run);
    if (incomplete || holds || too_far) {
        return incomplete ? EXIT_INCOMPLETE : holds ? EXIT_CONDITION : EXIT_GAP;
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
    run->planning.read_done = io_clock_mono();
    timings_phase(run->planning.timings, "read", run->arena->held_bytes);
    if (wants_snapshots_only(run->options)) {
        run->plan = ARENA_NEW(run->arena, struct plan);
        run->plan->cluster = run->input.cluster;
        return output_plan(run->options, run->plan, run->console, err);
    }
    if (!make_plan(run, err)) {
        return err->code == ERR_NOT_FOUND && run->asked.n == 0 ? err_add_help(err) : false;
    }
    say_notes(run);
    bool good = output_plan(run->options, run->plan, run->console, err) &&
                (run->options->certificate.n == 0 ||
                 output_certificate(run->options->certificate, run->plan, run->console, err));
    timings_phase(run->planning.timings, "write", 0);
    return good;
}

int command_simulate(const struct options *options, struct console *console)
{
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    struct timings timings;
    struct run run = {.options = options, .console = console, .arena = &arena};
    timings_begin(&timings);
    static const struct option_texts none = {.n = 0};
    if (!asked_read(options, &arena, &run.asked, &err)) {
        console_error(console, "%s", err.text);
        return EXIT_USAGE;
    }
    struct option_texts paths = options_paths(
        options, options->command == CLI_EXPLAIN ? &none : &options->arguments, &arena);
    run.planning = planning_new(options, console, &arena);
    run.planning.timings = &timings;
    bool good = simulate(&run, &paths, &err);
    int status = good ? exit_status_of(&run) : command_failed(console, &err);
    if (options->timings) {
        timings_print(&timings, console);
    }
    planning_done(&run.planning);
    return status;
}

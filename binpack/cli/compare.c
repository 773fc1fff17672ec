/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack compare`: the same pods under other circumstances, and what rules cost. */
#include "binpack/plan/compare.h"
#include "base/arena.h"
#include "base/jsonw.h"
#include "base/vec.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/input.h"
#include "binpack/cli/output.h"
#include "binpack/cli/planning.h"
#include "binpack/cli/scenario.h"
#include "binpack/view/comparison.h"
#include "binpack/whatif/usage.h"
#include "io/clock.h"
#include "io/files.h"

#include <stdlib.h>

struct comparing {
    const struct options *options;
    struct console *console;
    struct arena *arena;
    struct timings timings;
    struct planning planning;
    struct input input;
    struct make_settings settings;
    struct plan *base; /* lives in `arena`, as all that is kept does */
    const struct scenario *asked;
    struct input *with_file; /* [n asked] of scenarios with a `file`: read before all planning */
    struct comparison result;
};

static const char *const default_specs[] = {"karpenter", "on-demand"};

/* The scenarios asked for; those of default_specs when there are none. */
static bool parse_scenarios(const struct options *options, struct arena *arena,
                            struct scenario **ret_scenarios, uint32_t *ret_n, struct err *err)
{
    bool defaults = options->with.n == 0 && !options->price_constraints;
    uint32_t n = defaults ? sizeof default_specs / sizeof default_specs[0] : options->with.n;
    struct scenario *scenarios = ARENA_ARRAY(arena, struct scenario, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        struct str spec = defaults ? str_of(default_specs[i]) : options->with.v[i];
        if (!scenario_parse(spec, arena, &scenarios[i], err)) {
            return false;
        }
    }
    *ret_scenarios = scenarios;
    *ret_n = n;
    return true;
}

/* Plans into `arena` and measures. False: the row says why there is no plan. */
static bool plan_row(struct comparing *c, const struct input *input,
                     const struct make_settings *settings, const char *what, struct arena *arena,
                     struct compare_scenario *row, struct str *failure)
{
    struct err err = {.code = ERR_NONE};
    struct planning *planning = &c->planning;
    planning->arena = arena;
    planning->what = what;
    bool good = planning_run(planning, input, settings, &err);
    if (good) {
        compare_measure(planning->plan, row);
    } else {
        *failure = str_copy(c->arena, str_of(err.text));
    }
    planning->arena = c->arena; /* nothing of the row outlives it */
    planning->what = NULL;
    planning->input = NULL;
    planning->plan = NULL;
    return good;
}

/* ---- scenarios ---- */

static bool apply_scenario(struct comparing *c, const struct scenario *s, struct input *input,
                           struct make_settings *settings, struct arena *arena, struct err *err)
{
    struct whatif_change change = s->change;
    switch (s->kind) {
    case SCENARIO_CHANGE:
        return input_change(input, &change, 1, arena, err);
    case SCENARIO_MAX_FAMILIES: {
        struct str families = compare_families(c->base, (uint32_t)s->number, arena);
        return (families.n > 0 ||
                err_set(err, ERR_NOT_FOUND, "the base plan buys no node to take families from")) &&
               whatif_parse(WHATIF_ONLY_FAMILIES, families, arena, &change, err) &&
               input_change(input, &change, 1, arena, err);
    }
    case SCENARIO_ALGORITHM:
        input_set_algorithm(settings, s->algorithm);
        return true;
    case SCENARIO_SPOT_MAX:
        settings->spot_rules.max_share = (struct opt_i64){.has = true, .v = s->number};
        return true;
    case SCENARIO_MAX_PER_POOL:
        settings->spot_rules.max_per_pool = (struct opt_i64){.has = true, .v = s->number};
        return true;
    case SCENARIO_MIN_POOLS:
        settings->spot_rules.min_pools = (uint32_t)s->number;
        return true;
    case SCENARIO_NODEPOOLS:
    case SCENARIO_REQUESTS:
        *input = c->with_file[s - c->asked];
        return true;
    }
    return true;
}

/* Requests from a table of usage. */
static bool set_requests(struct comparing *c, const struct scenario *s, struct input *input,
                         struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    struct str text;
    struct usage usage;
    uint32_t n_pods = 0;
    if (!io_file_read(str_cstr(&scratch, s->file), USAGE_BYTES_MAX, &scratch, &text, err)) {
        return false;
    }
    if (!usage_parse(text, s->column, &scratch, &usage, err)) {
        return err_wrap(err, STR_FMT, STR_ARG(s->file));
    }
    input->cluster = usage_apply(&usage, input->cluster, c->arena, &n_pods);
    struct str *notes = ARENA_ARRAY(c->arena, struct str, input->n_changes + 1);
    for (uint32_t i = 0; i < input->n_changes; i++) {
        notes[i] = input->changes[i];
    }
    notes[input->n_changes++] =
        text_format(c->arena, "requests of %u of %u pods are the " STR_FMT " of " STR_FMT, n_pods,
                    input->cluster->n_pods, STR_ARG(s->column), STR_ARG(s->file));
    input->changes = notes;
    return n_pods > 0 || err_set(err, ERR_NOT_FOUND, STR_FMT " names no container of the input",
                                 STR_ARG(s->file));
}

/* A scenario that names a zone, a node, a file, ... that is not there is refused before anything is
 * planned. */
static bool check_scenarios(struct comparing *c, uint32_t n, struct err *err)
{
    c->with_file = ARENA_ARRAY(c->arena, struct input, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        auto_arena scratch = ARENA_INIT;
        const struct scenario *s = &c->asked[i];
        struct input input = c->input;
        bool good = true;
        c->with_file[i] = c->input;
        if (s->kind == SCENARIO_NODEPOOLS) {
            good = input_replace_pools(&c->with_file[i], s->file, c->console, c->arena, err);
        } else if (s->kind == SCENARIO_REQUESTS) {
            good = set_requests(c, s, &c->with_file[i], err);
        } else if (s->kind == SCENARIO_CHANGE) {
            good = input_change(&input, &s->change, 1, &scratch, err);
        }
        if (!good) {
            return err_wrap(err, "compare: --with " STR_FMT, STR_ARG(s->name));
        }
    }
    return true;
}

static void keep_notes(struct comparing *c, const struct input *input, uint32_t from,
                       struct compare_scenario *row)
{
    struct str *notes = ARENA_ARRAY(c->arena, struct str, input->n_changes - from + 1);
    for (uint32_t i = from; i < input->n_changes; i++) {
        notes[row->n_notes++] = str_copy(c->arena, input->changes[i]);
    }
    row->notes = notes;
}

static void run_scenario(struct comparing *c, const struct scenario *s,
                         struct compare_scenario *row)
{
    auto_arena arena = ARENA_INIT;
    struct err err;
    struct input input = c->input;
    struct make_settings settings = c->settings;
    *row = (struct compare_scenario){
        .name = s->name,
        .emulated = s->kind == SCENARIO_ALGORITHM ? input_planner(s->algorithm) : PLAN_OWN};
    if (!apply_scenario(c, s, &input, &settings, &arena, &err)) {
        row->failure = str_copy(c->arena, str_of(err.text));
        return;
    }
    if (plan_row(c, &input, &settings, str_cstr(&arena, s->name), &arena, row, &row->failure)) {
        keep_notes(c, &input, c->input.n_changes, row);
    }
}

/* ---- prices of rules ---- */

/* The pods that the base plan places: what a price is about. */
static const struct k8s_cluster *placed_only(struct comparing *c)
{
    const struct k8s_cluster *from = c->input.cluster;
    struct k8s_cluster *cluster = ARENA_NEW(c->arena, struct k8s_cluster);
    struct k8s_pod *pods = ARENA_ARRAY(c->arena, struct k8s_pod, from->n_pods + 1);
    bool *left_out = ARENA_ARRAY(c->arena, bool, from->n_pods + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->base->n_unplaced; i++) {
        if (c->base->unplaced[i].pod < from->n_pods) {
            left_out[c->base->unplaced[i].pod] = true;
        }
    }
    for (uint32_t i = 0; i < from->n_pods; i++) {
        if (!left_out[i]) {
            pods[n++] = from->pods[i];
        }
    }
    *cluster = *from;
    cluster->pods = pods;
    cluster->n_pods = n;
    return cluster;
}

static void price_rules(struct comparing *c, uint32_t rules, struct compare_price *price)
{
    auto_arena arena = ARENA_INIT;
    struct err err;
    struct input input = c->input;
    struct compare_scenario row = {.n_nodes = 0};
    const struct whatif_change change = {.kind = WHATIF_WITHOUT_RULES, .rules = rules};
    if (!input_change(&input, &change, 1, &arena, &err)) {
        price->failure = str_copy(c->arena, str_of(err.text));
        return;
    }
    char *what = str_cstr(&arena, price->text);
    if (!plan_row(c, &input, &c->settings, what, &arena, &row, &price->failure)) {
        return;
    }
    if (row.n_unplaced > 0) {
        price->failure = text_format(
            c->arena, "without the rules %u pods were left without a place", row.n_unplaced);
        return;
    }
    compare_price(&c->result.base, &row, price);
}

static int price_cmp(const void *a, const void *b)
{
    const struct compare_price *x = a, *y = b;
    if (x->point != y->point) {
        return x->point > y->point ? -1 : 1;
    }
    if (x->high != y->high) {
        return x->high > y->high ? -1 : 1;
    }
    return str_cmp(x->name, y->name);
}

static void price_constraints(struct comparing *c)
{
    struct compare_price *prices = ARENA_ARRAY(c->arena, struct compare_price, WHATIF_N_RULES + 1);
    uint32_t n = 0, all = 0;
    c->input.cluster = placed_only(c);
    for (int rule = 0; rule < WHATIF_N_RULES && !c->planning.interrupted; rule++) {
        struct compare_price price = {.name = str_of(whatif_rules[rule].name),
                                      .text = str_of(whatif_rules[rule].text)};
        price.n = whatif_rule_count(c->input.cluster, (enum whatif_rule)rule, &price.thing);
        if (price.n == 0) {
            continue;
        }
        price_rules(c, 1U << rule, &price);
        all |= 1U << rule;
        if (!c->planning.interrupted) {
            prices[n++] = price;
        }
    }
    qsort(prices, n, sizeof *prices, price_cmp);
    c->result.priced = true;
    c->result.prices = prices;
    c->result.n_prices = n;
    if (n > 1 && !c->planning.interrupted) {
        struct compare_price *together = &prices[n];
        *together = (struct compare_price){.name = STR("all"), .text = STR("all of them together")};
        price_rules(c, all, together);
        c->result.together = c->planning.interrupted ? NULL : together;
    }
}

/* Plans that the prices of rules take. */
static uint32_t n_prices(const struct comparing *c)
{
    const char *thing;
    uint32_t n = 0;
    for (int rule = 0; rule < WHATIF_N_RULES && c->options->price_constraints; rule++) {
        n += whatif_rule_count(c->input.cluster, (enum whatif_rule)rule, &thing) > 0;
    }
    return n > 1 ? n + 1 : n;
}

/* What an interrupt kept from being looked at is said, not just absent. */
static void note_stopped(struct comparing *c, const struct scenario *scenarios, uint32_t n)
{
    struct str *stopped = ARENA_ARRAY(c->arena, struct str, n + WHATIF_N_RULES + 2);
    uint32_t n_stopped = 0;
    if (!c->planning.interrupted) {
        return;
    }
    for (uint32_t i = c->result.n_scenarios; i < n; i++) {
        stopped[n_stopped++] = scenarios[i].name;
    }
    if (c->options->price_constraints && c->result.together == NULL) {
        for (int rule = 0; rule < WHATIF_N_RULES; rule++) {
            struct str name = str_of(whatif_rules[rule].name);
            const char *thing;
            uint32_t k = 0;
            while (k < c->result.n_prices && !str_eq(c->result.prices[k].name, name)) {
                k++;
            }
            if (k == c->result.n_prices &&
                whatif_rule_count(c->input.cluster, (enum whatif_rule)rule, &thing) > 0) {
                stopped[n_stopped++] =
                    text_format(c->arena, "the price of %s", whatif_rules[rule].text);
            }
        }
        stopped[n_stopped++] = STR("the price of all rules together");
    }
    c->result.stopped = stopped;
    c->result.n_stopped = n_stopped;
    struct strbuf names = strbuf_new(c->arena, 65536);
    for (uint32_t i = 0; i < n_stopped; i++) {
        strbuf_addf(&names, "%s" STR_FMT, i > 0 ? "; " : "", STR_ARG(stopped[i]));
    }
    if (n_stopped > 0) {
        console_error(c->console, "compare: stopped before: " STR_FMT, STR_ARG(strbuf_str(&names)));
    }
}

/* ---- all of it ---- */

static bool compare(struct comparing *c, uint32_t n, struct err *err)
{
    const struct scenario *scenarios = c->asked;
    struct compare_scenario *rows = ARENA_ARRAY(c->arena, struct compare_scenario, n + 1);
    struct option_texts paths = options_paths(c->options, &c->options->arguments, c->arena);
    for (uint32_t i = 0; i < n; i++) {
        if (scenarios[i].file.n > 0 &&
            !io_file_may_read(str_cstr(c->arena, scenarios[i].file), err)) {
            return err_wrap(err, "compare: --with " STR_FMT, STR_ARG(scenarios[i].name));
        }
    }
    if (!input_read(c->options, &paths, c->console, c->arena, &c->input, err)) {
        return false;
    }
    c->planning.read_done = io_clock_mono();
    timings_phase(&c->timings, "read", c->arena->held_bytes);
    if (!check_scenarios(c, n, err)) {
        return false;
    }
    c->settings = input_settings(c->options, &c->input);
    input_ask_effort(c->options, &c->input, 1 + n + n_prices(c), c->console, &c->settings);
    c->planning.arena = c->arena;
    c->planning.what = "base";
    if (!planning_run(&c->planning, &c->input, &c->settings, err)) {
        return false;
    }
    c->base = c->planning.plan;
    c->result.base = (struct compare_scenario){.name = STR("base"), .emulated = c->base->emulated};
    compare_measure(c->base, &c->result.base);
    for (uint32_t i = 0; i < c->base->n_notes; i++) {
        console_assume(c->console, STR_FMT, STR_ARG(c->base->notes[i].message));
    }
    c->result.scenarios = rows;
    for (uint32_t i = 0; i < n && !c->planning.interrupted; i++) {
        run_scenario(c, &scenarios[i], &rows[i]);
        c->result.n_scenarios += !c->planning.interrupted;
    }
    if (c->options->price_constraints && !c->planning.interrupted) {
        price_constraints(c);
    }
    note_stopped(c, scenarios, n);
    return true;
}

static bool render(const void *ctx, const struct option_output *output,
                   const struct console *console, struct strbuf *b, struct err *err)
{
    const struct comparison *comparison = ctx;
    (void)err;
    struct text_look look = output_look(output, console);
    struct jsonw json = jsonw_new(b, JSONW_PRETTY);
    struct jsonw yaml = jsonw_new(b, JSONW_YAML);
    switch (output->format) {
    case OUTPUT_JSON:
        comparison_json(comparison, &json);
        return true;
    case OUTPUT_YAML:
        comparison_json(comparison, &yaml);
        return true;
    case OUTPUT_MARKDOWN:
        view_comparison_markdown(comparison, b);
        return true;
    case OUTPUT_TABLE:
    case OUTPUT_WIDE:
    case OUTPUT_CSV:
    case OUTPUT_NODECLAIMS:
    case OUTPUT_SNAPSHOT:
    case N_OUTPUT_FORMATS:
        break;
    }
    view_comparison(comparison, &look, b);
    return true;
}

/* Of scenarios that were asked for by name. */
static bool say_failures(const struct comparing *c)
{
    bool any = false;
    for (uint32_t i = 0; c->options->with.n > 0 && i < c->result.n_scenarios; i++) {
        const struct compare_scenario *row = &c->result.scenarios[i];
        if (row->failure.n > 0) {
            console_error(c->console, "compare: --with " STR_FMT ": " STR_FMT, STR_ARG(row->name),
                          STR_ARG(row->failure));
            any = true;
        }
    }
    return any;
}

static int exit_status_of(const struct comparing *c)
{
    bool differs = false;
    for (uint32_t i = 0; i < c->result.n_scenarios; i++) {
        const struct compare_scenario *row = &c->result.scenarios[i];
        differs = differs || row->cost != c->result.base.cost ||
                  row->n_unplaced != c->result.base.n_unplaced;
    }
    if (c->planning.interrupted) {
        return EXIT_INTERRUPTED;
    }
    if (say_failures(c)) {
        return EXIT_ERROR;
    }
    if (c->options->exit_code && differs) {
        return EXIT_DIFFERENCES;
    }
    return c->result.base.n_unplaced > 0 ? EXIT_UNPLACED : EXIT_ALL_PLACED;
}

int command_compare(const struct options *options, struct console *console)
{
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    struct comparing c = {.options = options, .console = console, .arena = &arena};
    struct scenario *scenarios;
    uint32_t n;
    if (!output_formats_are(options, "compare",
                            1U << OUTPUT_TABLE | 1U << OUTPUT_JSON | 1U << OUTPUT_YAML |
                                1U << OUTPUT_MARKDOWN,
                            console) ||
        !parse_scenarios(options, &arena, &scenarios, &n, &err)) {
        if (err.code != ERR_NONE) {
            console_error(console, "%s", err.text);
        }
        return EXIT_USAGE;
    }
    timings_begin(&c.timings);
    c.planning = planning_new(options, console, &arena);
    c.planning.timings = &c.timings;
    c.asked = scenarios;
    bool good = compare(&c, n, &err) && output_all(c.options, render, &c.result, c.console, &err);
    int status = good ? exit_status_of(&c) : command_failed(console, &err);
    if (options->timings) {
        timings_print(&c.timings, console);
    }
    planning_done(&c.planning);
    return status;
}

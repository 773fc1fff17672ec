/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack diff A B`: what differs between two plans, or between the plans for two inputs. */
#include "binpack/plan/diff.h"
#include "base/arena.h"
#include "base/jsonw.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/input.h"
#include "binpack/cli/output.h"
#include "binpack/cli/plan_file.h"
#include "binpack/cli/planning.h"
#include "binpack/plan/plan_json.h"
#include "binpack/view/difference.h"
#include "io/clock.h"

struct differing {
    const struct options *options;
    struct console *console;
    struct arena *arena;
    struct timings timings;
    struct planning planning;
    struct diff diff;
};

/* A plan as its document: then both sides are read the same way. */
static json_t *document_of(const struct plan *plan)
{
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    json_error_t why;
    struct strbuf b = output_buffer(&arena);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    plan_json(plan, &w, &scratch);
    return b.overflow ? NULL : json_loadb(b.p, b.n, 0, &why);
}

/* Plans for the input: the files common to both sides, and its own. */
static bool plan_side(struct differing *d, struct str path, json_t **ret_document, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct input input;
    const struct option_texts own = {.n = 1, .v = &path};
    struct option_texts paths = options_paths(d->options, &own, &arena);
    if (!input_read(d->options, &paths, d->console, &arena, &input, err)) {
        return false;
    }
    struct make_settings settings = input_settings(d->options, &input);
    input_ask_effort(d->options, &input, 2, d->console, &settings);
    d->planning.read_done = io_clock_mono();
    d->planning.arena = &arena;
    bool good = planning_run(&d->planning, &input, &settings, err);
    *ret_document = good ? document_of(d->planning.plan) : NULL;
    d->planning.arena = d->arena; /* nothing outlives this side */
    d->planning.input = NULL;
    d->planning.plan = NULL;
    return good && (*ret_document != NULL || err_set(err, ERR_LIMIT, "the plan is too large"));
}

static bool read_side(struct differing *d, struct str path, struct diff_side *ret_side,
                      struct err *err)
{
    json_t *document = NULL;
    bool is_plan = plan_file_is(path);
    bool good =
        (is_plan ? plan_file_read(path, &document, err) : plan_side(d, path, &document, err)) &&
        (diff_read(document, path, d->arena, ret_side, err) ||
         err_wrap(err, STR_FMT, STR_ARG(path)));
    json_decref(document);
    return good;
}

static bool render(const void *ctx, const struct option_output *output,
                   const struct console *console, struct strbuf *b, struct err *err)
{
    const struct diff *diff = ctx;
    struct text_look look = output_look(output, console);
    struct jsonw w = jsonw_new(b, output->format == OUTPUT_YAML ? JSONW_YAML : JSONW_PRETTY);
    (void)err;
    if (output->format == OUTPUT_TABLE) {
        view_difference(diff, &look, b);
    } else if (output->format == OUTPUT_MARKDOWN) {
        view_difference_markdown(diff, b);
    } else {
        difference_json(diff, &w);
    }
    return true;
}

static bool run(struct differing *d, struct err *err)
{
    const struct option_texts *words = &d->options->arguments;
    struct diff_side before, after;
    if (!read_side(d, words->v[0], &before, err) || d->planning.interrupted ||
        !read_side(d, words->v[1], &after, err) || d->planning.interrupted) {
        return !d->planning.interrupted ? false : err_set(err, ERR_CANCELLED, "interrupted");
    }
    d->diff = diff_of(&before, &after, d->arena);
    return output_all(d->options, render, &d->diff, d->console, err);
}

int command_diff(const struct options *options, struct console *console)
{
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    struct differing d = {.options = options, .console = console, .arena = &arena};
    const uint32_t formats =
        1U << OUTPUT_TABLE | 1U << OUTPUT_JSON | 1U << OUTPUT_YAML | 1U << OUTPUT_MARKDOWN;
    if (options->arguments.n != 2) {
        console_error(console, "diff: two plans or two inputs: binpack diff OLD NEW");
        return EXIT_USAGE;
    }
    if (!output_formats_are(options, "diff", formats, console)) {
        return EXIT_USAGE;
    }
    timings_begin(&d.timings);
    d.planning = planning_new(options, console, &arena);
    d.planning.timings = &d.timings;
    bool good = run(&d, &err);
    int status = !good                                           ? command_failed(console, &err)
                 : options->exit_code && !diff_is_empty(&d.diff) ? EXIT_DIFFERENCES
                                                                 : EXIT_ALL_PLACED;
    if (options->timings) {
        timings_print(&d.timings, console);
    }
    planning_done(&d.planning);
    return status;
}

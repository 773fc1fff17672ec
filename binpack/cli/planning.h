/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From an input to a plan that holds: solves with a line of progress, an eye on the clock and on
 * interrupts, has the plan checked, and spreads spot. What simulate, explain, compare and diff
 * share. */
#pragma once

#include "base/arena.h"
#include "binpack/cli/console.h"
#include "binpack/cli/input.h"
#include "binpack/cli/options.h"
#include "binpack/cli/timings.h"
#include "binpack/plan/make.h"

struct io_workers;

struct planning {
    const struct options *options;
    struct console *console;
    struct arena *arena;       /* what plans live in */
    struct timings *timings;   /* NULL: nobody asks */
    const char *what;          /* in front of the line of progress; NULL: nothing */
    mono_t begun, read_done;   /* for --time-limit: read_done is set by who has read */
    const struct input *input; /* of the last run */
    struct plan *plan;         /* of the last run */
    struct arena plan_arena;   /* of a plan of disruption */
    bool interrupted, cut;     /* cut: by --time-limit */
    struct io_workers *workers;
};

/* The clock of --time-limit starts here. */
struct planning planning_new(const struct options *options, struct console *console,
                             struct arena *arena);

/* Makes run->plan, which lives in run->arena; of a round of disruption only until the next run.
 * After an interrupt (run->interrupted) it is the best plan so far. Errors: those of make.h and
 * disrupt.h, ERR_UNSUPPORTED (settings that do not go together), ERR_CONFLICT (spot cannot be
 * spread as asked), ERR_INTERNAL (a checker refuses the plan). */
MUST_CHECK bool planning_run(struct planning *run, const struct input *input,
                             const struct make_settings *settings, struct err *err);

/* Explains nodes of the round that the last run has planned: fills run->plan->node_answers. Errors:
 * those of explain_node.h. */
MUST_CHECK bool planning_explain_nodes(struct planning *run, const struct make_settings *settings,
                                       const struct str *names, uint32_t n, struct err *err);

void planning_done(struct planning *run);

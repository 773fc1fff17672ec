/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many worlds, one seed each. */
#include "base/parallel.h"
#include "provisioner/sandbox/world.h"

enum { AT_ONCE = 64 }; /* worlds between two looks at whether one is broken */

struct part {
    struct sandbox_options options;
    struct sandbox_report report;
    struct err err;
    bool good;
};

static void run_one(void *ctx, uint32_t i)
{
    struct part *part = (struct part *)ctx + i;
    part->good = sandbox_run(&part->options, &part->report, &part->err);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void add(struct sandbox_runs *runs, const struct part *part)
{
    const struct sandbox_report *r = &part->report;
    const bool first = runs->n_runs == 0;
    runs->n_runs++;
    if (r->broken && runs->n_broken < SANDBOX_BROKEN_MAX) {
        runs->broken[runs->n_broken] =
            (struct sandbox_broken){.seed = part->options.seed, .breach = r->breach};
    }
    runs->n_broken += r->broken;
    runs->n_untold += r->untold;
    runs->n_searched += r->searches;
    runs->ran_ms = sat_add(runs->ran_ms, r->ran_ms);
    runs->n_launches += r->n_launches;
    runs->n_terminations += r->n_terminations;
    runs->n_restarts += r->n_restarts;
    runs->n_relists += r->n_relists;
    runs->n_rounds += r->n_rounds;
    runs->n_events += r->n_events;
    runs->n_launches_least = first ? r->n_launches : least(runs->n_launches_least, r->n_launches);
    runs->n_restarts_least = first ? r->n_restarts : least(runs->n_restarts_least, r->n_restarts);
    runs->n_pods_least = first ? r->n_pods : (uint32_t)least(runs->n_pods_least, r->n_pods);
    for (int a = 0; a < SANDBOX_N_ACTIONS; a++) {
        for (int f = 0; f < SANDBOX_N_FAULTS; f++) {
            runs->faults[a][f] += r->faults[a][f];
        }
        runs->refused[a] += r->refused[a];
    }
}

bool sandbox_run_many(const struct sandbox_options *options, uint64_t n_runs,
                      const struct parallel *parallel, struct sandbox_runs *ret_runs,
                      struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct part *parts = ARENA_ARRAY(&arena, struct part, AT_ONCE);
    *ret_runs = (struct sandbox_runs){.n_runs = 0};
    const uint64_t at_once = parallel == NULL ? 1 : AT_ONCE;
    for (uint64_t from = 0; from < n_runs && ret_runs->n_broken == 0; from += at_once) {
        const uint32_t n = (uint32_t)least(n_runs - from, at_once);
        for (uint32_t i = 0; i < n; i++) {
            parts[i] = (struct part){.options = *options};
            parts[i].options.seed = options->seed + from + i;
            parts[i].options.journal = NULL;
        }
        if (parallel != NULL) {
            parallel->run(parallel->port_ctx, n, run_one, parts);
        } else {
            for (uint32_t i = 0; i < n; i++) {
                run_one(parts, i);
            }
        }
        for (uint32_t i = 0; i < n; i++) {
            if (!parts[i].good) {
                *err = parts[i].err;
                return false;
            }
            add(ret_runs, &parts[i]);
        }
    }
    return true;
}

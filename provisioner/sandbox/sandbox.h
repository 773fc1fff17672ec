/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sandbox: an API server, EC2 and the machines as values, with a clock of their own, around the
 * engine that buys for real.
 *
 * Everything follows from the scenario and one seed: the same two give the same world, event by
 * event. Watches lag, EC2 shows instances late, machines take their time to boot; where the
 * scenario says so, every outgoing write and call may fail, time out, be done without an answer, or
 * find the program killed before or after it. After each step of the engine the promises are
 * checked that must hold whatever happens (struct sandbox_breach).
 *
 * The scheduler here has the filters of the placement checker, and scores by room and balance;
 * preferences of pods do not count, and nothing is preempted. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

struct arena;
struct strbuf;

enum sandbox_fault {
    SANDBOX_NO_FAULT,
    SANDBOX_FAILS,       /* an answer that says no, and nothing was done */
    SANDBOX_LOST,        /* no answer, and nothing was done */
    SANDBOX_UNANSWERED,  /* done, and no answer */
    SANDBOX_KILL_BEFORE, /* the program is killed, and nothing was done */
    SANDBOX_KILL_AFTER,  /* done, and the program is killed */
    SANDBOX_N_FAULTS
};
enum sandbox_action { /* that faults hit */
                      SANDBOX_CREATE,
                      SANDBOX_PATCH,
                      SANDBOX_DELETE,
                      SANDBOX_EVICT,
                      SANDBOX_TEMPLATE,
                      SANDBOX_FLEET,
                      SANDBOX_DESCRIBE,
                      SANDBOX_TERMINATE,
                      SANDBOX_N_ACTIONS
};

struct sandbox_options {
    struct str name, scenario; /* of the scenario, and its text */
    uint64_t seed;
    struct opt_i64 hours;  /* instead of the scenario's */
    struct opt_i64 faults; /* per thousand actions, instead of the scenario's */
    bool karpenter;        /* plans are those of the emulated Karpenter */
    bool compares;         /* each plan that buys with what the emulated Karpenter would buy then */
    struct strbuf *journal; /* what the engine got and wanted, to be replayed; NULL: none */
};

struct sandbox_report {
    int64_t ran_ms; /* of the world's time */
    uint64_t n_events, n_rounds, n_restarts, n_relists, n_launches, n_terminations;
    uint64_t faults[SANDBOX_N_ACTIONS][SANDBOX_N_FAULTS];     /* how often each was hit */
    uint64_t refused[SANDBOX_N_ACTIONS];                      /* of those with no fault */
    uint32_t n_pods, n_bound, n_nodes, n_claims, n_instances; /* at the end */
    uint32_t n_nodes_most;
    uint64_t n_waits;                  /* pods that were bound */
    int64_t waited_ms, waited_most_ms; /* from their creation, all told and at most */
    usd_t per_hour, per_hour_most;     /* of the instances that run */
    usd_t bill;                        /* nano-dollars, all told */
    usd_t plan_cost, plan_bound;       /* of the last plan that bought something */
    usd_t bought, bought_bound;        /* of all of these */
    usd_t own_cost, other_cost;        /* compares: of those that can be compared, and what the
                                          emulated Karpenter would have bought for the same pods */
    bool searches; /* plans are searched for; else they are the first that hold */
    bool untold; /* it ended too early after a step or a fault to tell whether all comes to rest */
    bool broken;
    struct err breach; /* the promise that was broken, when and by what */
};

struct sandbox; /* opaque */

/* A world at its beginning; NULL and the error of the scenario. `options` need not outlive it. */
struct sandbox *sandbox_new(const struct sandbox_options *options, struct err *err);
void sandbox_free(struct sandbox *sandbox); /* NULL is fine */

/* Goes on until then, or to the end, or to the first broken promise; false: it is over. */
bool sandbox_advance(struct sandbox *sandbox, mono_t until);
const struct sandbox_report *sandbox_look(const struct sandbox *sandbox); /* so far */

/* What has happened last, newest first; how many there are. */
enum { SANDBOX_NOTES = 64, SANDBOX_NOTE_MAX = 120 };
struct sandbox_note {
    mono_t at;
    char text[SANDBOX_NOTE_MAX];
};
uint32_t sandbox_notes(const struct sandbox *sandbox, struct sandbox_note *ret_notes, uint32_t max);

/* The instances that are not gone, as they were launched. */
struct sandbox_machine {
    struct str claim, type, zone, capacity_type; /* until the world goes on */
    const char *stage;                           /* "launched", "booting", "ready", "cut off",
                                                    "draining", "ending"; static */
    uint32_t n_pods;
    int64_t cpu_milli, cpu_used_milli;
    usd_t price;
};
uint32_t sandbox_machines(const struct sandbox *sandbox, struct sandbox_machine *ret_machines,
                          uint32_t max);

/* All of it. Errors: those of the scenario, with its line. */
MUST_CHECK bool sandbox_run(const struct sandbox_options *options,
                            struct sandbox_report *ret_report, struct err *err);

/* Worlds of the seeds options->seed, and so on, and what came of all of them. */
enum { SANDBOX_BROKEN_MAX = 8 };
struct sandbox_broken {
    uint64_t seed;
    struct err breach;
};
struct sandbox_runs {
    uint64_t n_runs, n_broken, n_untold, n_searched;
    struct sandbox_broken broken[SANDBOX_BROKEN_MAX]; /* the first n_broken of them */
    int64_t ran_ms;
    uint64_t n_launches, n_terminations, n_restarts, n_relists, n_rounds, n_events;
    uint64_t n_launches_least, n_restarts_least; /* of any run */
    uint32_t n_pods_least;
    uint64_t faults[SANDBOX_N_ACTIONS][SANDBOX_N_FAULTS];
    uint64_t refused[SANDBOX_N_ACTIONS];
};

struct parallel;
/* `parallel` may be NULL. Ends early where a promise is broken. Errors: as sandbox_run. */
MUST_CHECK bool sandbox_run_many(const struct sandbox_options *options, uint64_t n_runs,
                                 const struct parallel *parallel, struct sandbox_runs *ret_runs,
                                 struct err *err);
/* `took_ms` of the clock on the wall, for days a minute; 0: nobody has looked. */
void sandbox_runs_table(const struct sandbox_options *options, const struct sandbox_runs *runs,
                        int64_t took_ms, struct strbuf *out);

/* The table that people read. `karpenter`: the same scenario and seed with plans of the emulated
 * Karpenter; NULL: nobody has run that. */
void sandbox_table(const struct sandbox_options *options, const struct sandbox_report *report,
                   const struct sandbox_report *karpenter, struct strbuf *out);

/* A scenario that comes with the program; false when there is none of that name. Empty: the
 * first. */
MUST_CHECK bool sandbox_scenario(struct str name, struct str *ret_name, struct str *ret_text);
/* "day, drought, ...": what there is. */
void sandbox_names(struct strbuf *out);

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
 * The scheduler here knows resources, taints, node selectors and node affinity, and prefers nodes
 * with the most room; it knows no topology spread, no affinity between pods and no volumes. */
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
    struct opt_i64 hours;   /* instead of the scenario's */
    struct opt_i64 faults;  /* per thousand actions, instead of the scenario's */
    struct strbuf *journal; /* what the engine got and wanted, to be replayed; NULL: none */
};

struct sandbox_report {
    int64_t ran_ms; /* of the world's time */
    uint64_t n_events, n_rounds, n_restarts, n_launches, n_terminations;
    uint64_t faults[SANDBOX_N_ACTIONS][SANDBOX_N_FAULTS];     /* how often each was hit */
    uint32_t n_pods, n_bound, n_nodes, n_claims, n_instances; /* at the end */
    uint32_t n_nodes_most;
    usd_t per_hour, per_hour_most; /* of the instances that run */
    usd_t bill;                    /* nano-dollars, all told */
    bool broken;
    struct err breach; /* the promise that was broken, when and by what */
};

/* Runs to the end, or to the first broken promise. Errors: those of the scenario, with its line. */
MUST_CHECK bool sandbox_run(const struct sandbox_options *options,
                            struct sandbox_report *ret_report, struct err *err);

/* The table that people read. */
void sandbox_table(const struct sandbox_options *options, const struct sandbox_report *report,
                   struct strbuf *out);

/* A scenario that comes with the program; false when there is none of that name. Empty: the
 * first. */
MUST_CHECK bool sandbox_scenario(struct str name, struct str *ret_name, struct str *ret_text);
/* "day, drought, ...": what there is. */
void sandbox_names(struct strbuf *out);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything the engine can want done. */
#pragma once

#include "base/str.h"
#include "base/units.h"
#include "base/vec.h"
#include "k8s/write.h"

struct aws_operation;
struct round_job;
struct round_result;

enum action_type {
    ACTION_TIMER,   /* EVENT_TICK at `at`, instead of any earlier wish; INT64_MAX: none */
    ACTION_SOLVE,   /* round_run(job), elsewhere; then EVENT_SOLVED. One at a time */
    ACTION_CANCEL,  /* round_cancel of the round under way */
    ACTION_EXPORT,  /* the plan of `result` is the plan now */
    ACTION_REPLY,   /* the answer to EVENT_EXPLAIN */
    ACTION_LOG,     /* a line for the log */
    ACTION_RESTART, /* too much of the memory is of objects that are gone: engine_use_catalog anew,
                       then everything from the beginning: lists, EVENT_KIND */
    ACTION_EXIT,    /* nothing is under way any more */
    ACTION_WRITE,   /* `write`, then EVENT_WRITTEN */
    ACTION_CALL     /* `operation` with `request`, then EVENT_REPLY */
};

enum action_level { ACTION_DEBUG, ACTION_INFO, ACTION_ERROR };

struct action {
    enum action_type type;
    uint64_t id;                           /* WRITE, CALL: comes back with the event; never 0 */
    struct k8s_write write;                /* WRITE */
    const struct aws_operation *operation; /* CALL */
    const void *request;                   /* CALL: its input struct */
    mono_t at;                             /* TIMER */
    struct round_job *job;                 /* SOLVE; the engine's, until EVENT_SOLVED */
    const struct round_result *result;     /* EXPORT; that of EVENT_SOLVED */
    uint64_t ask;                          /* REPLY */
    int status;                            /* REPLY: as of HTTP */
    struct str document;                   /* REPLY: JSON */
    enum action_level level;               /* LOG */
    const char *message, *controller;      /* LOG; static */
    struct str fields;                     /* LOG: members of a JSON object, "\"a\": 1, ..."; may be
                                              empty; at most ACTION_FIELDS_MAX bytes */
};

enum { ACTION_FIELDS_MAX = 12 * 1024 }; /* so that a line of the log stays below 16 KiB */

/* In the order in which they are to be done; in `arena`, of one step. */
struct actions {
    struct arena *arena;
    VEC(struct action) v;
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal: what happened to the engine and what it wanted done, so that the same can be made to
 * happen again.
 *
 * One JSON value a line. The first is the header, with the settings of the engine; then come
 * events, each followed by the actions of its step. Documents of plans stand as their size and
 * hash: a replay makes them again. Objects are as they were decoded from the server: without
 * environment variables, commands and other fields that no rule reads. */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "provisioner/engine/action.h"
#include "provisioner/engine/engine.h"
#include "provisioner/engine/event.h"

/* `catalog` is its name. Each appends a line. */
void journal_put_header(const struct engine_settings *settings, struct str catalog,
                        struct strbuf *b);
void journal_put_event(const struct event *event, struct moment now, struct strbuf *b);
void journal_put_action(const struct action *action, struct strbuf *b);

/* Texts are those of `line`. Errors: ERR_INVALID names the member that is wrong; ERR_UNSUPPORTED
 * for the journal of another version. */
MUST_CHECK bool journal_read_header(const json_t *line, struct engine_settings *ret_settings,
                                    struct str *ret_catalog, struct err *err);

/* How the round of EVENT_SOLVED ended. */
struct journal_round {
    uint64_t id;
    struct opt_i64 cut_after; /* steps, when it was cut */
};

/* *ret_is_event is false for the line of an action. Texts and objects are those of `line`; the
 * result of a call is in `arena`. */
MUST_CHECK bool journal_read_event(const json_t *line, struct arena *arena, bool *ret_is_event,
                                   struct event *ret_event, struct moment *ret_now,
                                   struct journal_round *ret_round, struct err *err);

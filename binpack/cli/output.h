/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The results of a run, in the formats asked for. */
#pragma once

#include "base/err.h"
#include "binpack/cli/console.h"
#include "binpack/plan/plan.h"

/* Every -o of the options for a plan. One with explanations shows those instead (table, json,
 * yaml). Errors: ERR_IO and ERR_NOT_FOUND (writing), ERR_LIMIT (a text beyond what is sensible).
 */
MUST_CHECK bool output_plan(const struct options *options, const struct plan *plan,
                            struct console *console, struct err *err);

/* --certificate FILE. */
MUST_CHECK bool output_certificate(struct str file, const struct plan *plan,
                                   struct console *console, struct err *err);

/* Whether every -o of the options is in `formats` (bit per enum output_format); what is not is
 * said: exit 2. */
MUST_CHECK bool output_formats_are(const struct options *options, const char *command,
                                   uint32_t formats, struct console *console);

/* Terminals decide about width and colour; a file gets $COLUMNS or 80 columns, and no colour. */
struct text_look output_look(const struct option_output *output, const struct console *console);

/* One result of `ctx` in the format of `output`. */
typedef bool output_render(const void *ctx, const struct option_output *output,
                           const struct console *console, struct strbuf *b, struct err *err);

/* Renders and writes every -o of the options, in their order; a table on standard output when there
 * is none. Errors: those of `render`, of output_write. */
MUST_CHECK bool output_all(const struct options *options, output_render *render, const void *ctx,
                           struct console *console, struct err *err);

/* Whether the files of -o, --certificate and --catalog can be written and read: what would
 * otherwise show after reading and planning. Errors: ERR_IO, ERR_NOT_FOUND. */
MUST_CHECK bool output_check_files(const struct options *options, struct err *err);

/* A buffer for one result, and writing it. */
struct strbuf output_buffer(struct arena *arena);
MUST_CHECK bool output_write(struct console *console, struct str file, const struct strbuf *b,
                             struct err *err);

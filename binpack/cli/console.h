/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the program says besides its result: errors, warnings, assumptions and a progress line, all
 * on standard error; and the result itself on standard output or in files. */
#pragma once

#include "base/err.h"
#include "base/units.h"
#include "binpack/cli/options.h"
#include "binpack/view/text.h"

struct console {
    bool quiet, verbose;
    bool progress;       /* there is a line of progress to show */
    bool line_open;      /* such a line stands on the terminal */
    mono_t line_time;    /* when it was last drawn */
    uint32_t n_warnings; /* all, printed or not */
    uint32_t n_assumptions;
    bool stdout_closed;  /* the reader of standard output has gone: nothing more to write there */
    unsigned file_width; /* columns of results in files */
    struct text_look out, err; /* looks of the two streams */
};

struct console console_new(const struct options *options);

/* "binpack: error: ...": always shown. */
void console_error(struct console *console, const char *format, ...) PRINTF_LIKE(2, 3);
/* "binpack: warning: ...": the first LIMIT_WARNINGS (20 without -v), none with -q; the rest is
 * counted. */
void console_warn(struct console *console, const char *format, ...) PRINTF_LIKE(2, 3);
/* "assumed: ...": not with -q. */
void console_assume(struct console *console, const char *format, ...) PRINTF_LIKE(2, 3);
/* A plain line: not with -q. */
void console_say(struct console *console, const char *format, ...) PRINTF_LIKE(2, 3);

/* Says how many warnings were not shown. */
void console_end_warnings(struct console *console);

/* Redraws the line of progress when it is due (a few times a second, and not in the first half
 * second). */
void console_progress(struct console *console, mono_t now, const char *format, ...)
    PRINTF_LIKE(3, 4);
void console_progress_done(struct console *console);

/* The result: to the file, or to standard output when `file` is empty. A closed pipe is no error;
 * nothing more is written then. */
MUST_CHECK bool console_result(struct console *console, struct str file, struct str bytes,
                               struct err *err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/console.h"

#include "base/arena.h"
#include "base/limits.h"
#include "binpack/view/display.h"
#include "io/clock.h"
#include "io/files.h"
#include "io/tty.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 1 << 20,
    WARNINGS_SHOWN = 20,
    PROGRESS_EVERY_MS = 150,
    PROGRESS_AFTER_MS = 500
};

static bool dumb_terminal(void)
{
    const char *term = getenv("TERM");
    return term == NULL || strcmp(term, "dumb") == 0;
}

/* Columns of a terminal; of anything else $COLUMNS or 80 on stdout, 0 (as wide as it gets) on
 * stderr. */
static unsigned width_of(int fd)
{
    return io_tty_is(fd) || fd == STDOUT_FILENO ? (unsigned)io_tty_width(fd) : 0;
}

struct console console_new(const struct options *options)
{
    static const enum io_color colors[] = {[WHEN_AUTO] = IO_COLOR_AUTO,
                                           [WHEN_ALWAYS] = IO_COLOR_ALWAYS,
                                           [WHEN_NEVER] = IO_COLOR_NEVER};
    enum io_color color = colors[options->color];
    bool terminal = io_tty_is(STDERR_FILENO) && !dumb_terminal();
    return (struct console){
        .quiet = options->quiet,
        .verbose = options->verbose,
        .progress = options->progress == WHEN_ALWAYS ||
                    (options->progress == WHEN_AUTO && terminal && !options->quiet),
        .file_width = (unsigned)io_tty_width(-1),
        .out = {.width = width_of(STDOUT_FILENO), .color = io_tty_color(STDOUT_FILENO, color)},
        .err = {.width = width_of(STDERR_FILENO), .color = io_tty_color(STDERR_FILENO, color)},
    };
}

static void to_stderr(struct console *console, struct str s)
{
    console_progress_done(console);
    (void)!io_fd_write(STDERR_FILENO, "standard error", s, NULL); /* nobody is left to tell */
}

/* One message, escaped, wrapped on a terminal. */
PRINTF_LIKE(4, 0)
static void message(struct console *console, enum text_style style, const char *label,
                    const char *format, va_list args)
{
    auto_arena scratch = ARENA_INIT;
    char text[8192];
    (void)vsnprintf(text, sizeof(text), format, args);
    struct strbuf b = strbuf_new(&scratch, LINE_MAX_BYTES);
    unsigned indent = label[0] == '\0' ? 0 : (unsigned)strlen(label) + 1;
    text_paragraph(&b, &console->err, indent, style, str_of(label), str_of(text));
    to_stderr(console, strbuf_str(&b));
}

void console_error(struct console *console, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message(console, TEXT_BAD, "binpack: error:", format, args);
    va_end(args);
}

void console_warn(struct console *console, const char *format, ...)
{
    uint32_t shown = console->verbose ? LIMIT_WARNINGS : WARNINGS_SHOWN;
    if (console->n_warnings++ >= shown || console->quiet) {
        return;
    }
    va_list args;
    va_start(args, format);
    message(console, TEXT_HEAD, "binpack: warning:", format, args);
    va_end(args);
}

void console_end_warnings(struct console *console)
{
    uint32_t shown = console->verbose ? LIMIT_WARNINGS : WARNINGS_SHOWN;
    if (console->n_warnings > shown && !console->quiet) {
        console_say(console, "binpack: %u more warnings%s", console->n_warnings - shown,
                    console->verbose ? "" : " (-v shows them)");
    }
}

void console_assume(struct console *console, const char *format, ...)
{
    console->n_assumptions++;
    if (console->quiet) {
        return;
    }
    va_list args;
    va_start(args, format);
    message(console, TEXT_FAINT, "assumed:", format, args);
    va_end(args);
}

void console_say(struct console *console, const char *format, ...)
{
    if (console->quiet) {
        return;
    }
    va_list args;
    va_start(args, format);
    message(console, TEXT_PLAIN, "", format, args);
    va_end(args);
}

void console_progress(struct console *console, mono_t now, const char *format, ...)
{
    if (!console->progress) {
        return;
    }
    if (console->line_time == 0) {
        console->line_time = now + PROGRESS_AFTER_MS - PROGRESS_EVERY_MS;
    }
    if (now - console->line_time < PROGRESS_EVERY_MS) {
        return;
    }
    console->line_time = now;
    console->line_open = true;
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    unsigned width = console->err.width > 1 ? console->err.width - 1 : 79;
    struct str line = str_of(text);
    line.n = display_prefix(line, width);
    auto_arena scratch = ARENA_INIT;
    struct strbuf b = strbuf_new(&scratch, 1024);
    strbuf_add(&b, STR("\r"));
    strbuf_add(&b, line);
    strbuf_pad(&b, ' ', width - display_width(line));
    strbuf_add(&b, STR("\r"));
    (void)!io_fd_write(STDERR_FILENO, "standard error", strbuf_str(&b), NULL);
}

void console_progress_done(struct console *console)
{
    if (!console->line_open) {
        return;
    }
    console->line_open = false;
    auto_arena scratch = ARENA_INIT;
    struct strbuf b = strbuf_new(&scratch, 2048);
    strbuf_add(&b, STR("\r"));
    strbuf_pad(&b, ' ', console->err.width > 1 ? console->err.width - 1 : 79);
    strbuf_add(&b, STR("\r"));
    (void)!io_fd_write(STDERR_FILENO, "standard error", strbuf_str(&b), NULL);
}

bool console_result(struct console *console, struct str file, struct str bytes, struct err *err)
{
    console_progress_done(console);
    if (file.n > 0) {
        auto_arena scratch = ARENA_INIT;
        return io_file_write(str_cstr(&scratch, file), bytes, err);
    }
    if (console->stdout_closed) {
        return true;
    }
    errno = 0;
    if (!io_fd_write(STDOUT_FILENO, "standard output", bytes, err)) {
        console->stdout_closed = errno == EPIPE;
        return console->stdout_closed;
    }
    return true;
}

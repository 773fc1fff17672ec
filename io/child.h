/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Another program, run for what it prints: exec plugins of kubeconfigs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct arena;
struct io_loop;

struct io_child_command {
    const char *const
        *argv;              /* NULL-terminated; argv[0] is looked for in PATH unless it has a '/' */
    const char *const *env; /* NULL-terminated "NAME=value", on top of our own environment */
    bool share_stdin;   /* the program may ask the person at our terminal; else it reads nothing */
    int64_t timeout_ms; /* > 0 */
    size_t output_max;
};

/* Runs the program while the loop turns and gives what it wrote to standard output; its standard
 * error is ours. Errors name the program: ERR_NOT_FOUND (no such program), ERR_IO (exit status not
 * 0, ended by a signal, timeout), ERR_LIMIT (output_max), ERR_CANCELLED (interrupt). On errors the
 * program has been ended. */
MUST_CHECK bool io_child_run(struct io_loop *loop, const struct io_child_command *command,
                             struct arena *arena, struct str *ret_output, struct err *err);

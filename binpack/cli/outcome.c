/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/outcome.h"

#include "io/signals.h"

int command_failed(struct console *console, const struct err *err)
{
    bool interrupted = err->code == ERR_CANCELLED && io_signals_interrupted();
    console_error(console, "%s", interrupted ? "interrupted before there was a plan" : err->text);
    return interrupted ? EXIT_INTERRUPTED : EXIT_ERROR;
}

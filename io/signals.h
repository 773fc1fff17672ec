/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interrupts. The first SIGINT or SIGTERM asks the program to finish with what it has; the second
 * ends it at once. */
#pragma once

#include <stdbool.h>

/* Installs the handlers, and ignores SIGPIPE so that a closed pipe is an error of write. */
void io_signals_catch(void);

/* Whether an interrupt has come. Reads of io/inputs.h then fail with ERR_CANCELLED. */
bool io_signals_interrupted(void);

/* Forgets an interrupt: for tests. */
void io_signals_clear(void);

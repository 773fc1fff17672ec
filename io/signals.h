/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interrupts. The first SIGINT, SIGTERM or SIGHUP (unless nohup has it ignored) asks the program
 * to finish with what it has; the second ends it at once. They come to a handler, or, while an
 * event loop exists, through a descriptor. */
#pragma once

#include <stdbool.h>

/* Installs the handlers, and ignores SIGPIPE so that a closed pipe is an error of write. */
void io_signals_catch(void);

/* Whether an interrupt has come. Reads of io/inputs.h then fail with ERR_CANCELLED. */
bool io_signals_interrupted(void);

/* Forgets an interrupt: for tests. */
void io_signals_clear(void);

/* For io/loop.c: a descriptor that is readable when an interrupt waits (-1: errno says why), taking
 * it, and back to handlers. One at a time; threads made in between do not take the signals. */
int io_signals_open(void);
void io_signals_take(int fd);
void io_signals_close(int fd); /* -1 is fine */

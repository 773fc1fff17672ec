/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/signals.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

void io_signals_catch(void)
{
    /* Without SA_RESTART: a read that waits for a terminal or a pipe is to come back. SA_RESETHAND:
     * the second one kills. */
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN, .sa_flags = 0};
    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&ignore.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

bool io_signals_interrupted(void)
{
    return interrupted != 0;
}

void io_signals_clear(void)
{
    interrupted = 0;
}

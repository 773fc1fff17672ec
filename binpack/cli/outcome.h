/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a command ends: the exit status of the contract, and errors. */
#pragma once

#include "base/err.h"
#include "binpack/cli/console.h"

enum exit_status {
    EXIT_ALL_PLACED = 0,
    EXIT_ERROR = 1,
    EXIT_USAGE = 2,
    EXIT_UNPLACED = 3,
    EXIT_INCOMPLETE = 4,
    EXIT_GAP = 5,
    EXIT_CONDITION = 6,
    EXIT_DIFFERENCES = 7,
    EXIT_INTERRUPTED = 130
};

/* Prints the error and gives its exit status: 130 when it is that of an interrupt, else 1. */
int command_failed(struct console *console, const struct err *err);

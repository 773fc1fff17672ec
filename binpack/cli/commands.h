/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands: each takes the parsed options and gives the exit status of the contract. */
#pragma once

#include "binpack/cli/console.h"
#include "binpack/cli/options.h"

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

int command_simulate(const struct options *options, struct console *console); /* and explain */
int command_compare(const struct options *options, struct console *console);
int command_diff(const struct options *options, struct console *console);
int command_record(const struct options *options, struct console *console);
int command_verify(const struct options *options, struct console *console);
int command_validate(const struct options *options, struct console *console);
int command_words(const struct options *options, struct console *console); /* of completion */
int command_catalog(const struct options *options, struct console *console);
int command_nodeclass(const struct options *options, struct console *console);

/* Prints the error and gives its exit status: 2 for a wrong command line, 130 after an interrupt,
 * else 1. */
int command_failed(struct console *console, const struct err *err);

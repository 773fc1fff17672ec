/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands: each takes the parsed options and gives the exit status of the contract. */
#pragma once

#include "binpack/cli/console.h"
#include "binpack/cli/options.h"
#include "binpack/cli/outcome.h"

int command_simulate(const struct options *options, struct console *console); /* and explain */
int command_compare(const struct options *options, struct console *console);
int command_diff(const struct options *options, struct console *console);
int command_record(const struct options *options, struct console *console);
int command_verify(const struct options *options, struct console *console);
int command_validate(const struct options *options, struct console *console);
int command_words(const struct options *options, struct console *console); /* of completion */
int command_catalog(const struct options *options, struct console *console);
int command_nodeclass(const struct options *options, struct console *console);

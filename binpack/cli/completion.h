/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Completion scripts for shells, from the option table: commands, options, their values and files.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "binpack/cli/options.h"

/* `shell` is bash, zsh or fish; ERR_INVALID for anything else. */
MUST_CHECK bool completion_script(struct str shell, struct strbuf *b, struct err *err);

/* The words that an argument of the command may be, NULL-terminated; NULL: no such list. */
const char *const *completion_words(enum cli_command command);

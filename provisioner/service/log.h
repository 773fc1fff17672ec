/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log: one JSON object a line, with the keys that Karpenter's has: level, time, logger,
 * message, commit, controller, and what belongs to the message. A line is shorter than 16 KiB. */
#pragma once

#include "base/err.h"
#include "base/units.h"
#include "provisioner/engine/action.h"

struct log; /* opaque */

/* `paths`, `error_paths`: "stdout", "stderr" or files, separated by commas; what cannot be written
 * to the first is said on the second. Errors: those of io/append.h. */
MUST_CHECK bool log_open(struct str paths, struct str error_paths, enum action_level level,
                         struct log **ret_log, struct err *err);
void log_close(struct log *log); /* NULL is fine */

/* `fields`: members of a JSON object, or empty. */
void log_line(struct log *log, wall_t now, enum action_level level, const char *message,
              const char *controller, struct str fields);

/* The same, with one field "error". */
void log_error(struct log *log, wall_t now, const char *message, const struct err *why);

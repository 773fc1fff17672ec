/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file that only grows: logs and journals. What has been written is there whatever becomes of the
 * program. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct io_append; /* opaque */

/* "stdout", "stderr", or a path: made when it is not there, readable by its owner only, and
 * appended to. ERR_IO, ERR_NOT_FOUND. */
MUST_CHECK bool io_append_open(struct str path, struct io_append **ret_file, struct err *err);

/* Whether it had bytes before; false for what has no size, as pipes. */
bool io_append_continues(const struct io_append *file);

/* One write per call, so that lines of several programs do not mix. */
MUST_CHECK bool io_append_write(struct io_append *file, struct str bytes, struct err *err);
void io_append_close(struct io_append *file); /* NULL is fine */

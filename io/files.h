/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole files and descriptors. Errors are ERR_IO (ERR_NOT_FOUND when nothing is there) and name the
 * path and the system's reason. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct arena;

/* The whole file ("-": standard input), unpacked when it is gzip; the bytes are in `arena` and
 * followed by a NUL. ERR_LIMIT above max_bytes; ERR_PARSE for broken gzip. */
MUST_CHECK bool io_file_read(const char *path, size_t max_bytes, struct arena *arena,
                             struct str *ret_bytes, struct err *err);

/* Replaces the file as one step: a reader sees the old content or the new one, never a part.
 * Symbolic links are followed, the permissions of an existing file are kept. Pipes and devices
 * (/dev/stdout) are written to as they are. */
MUST_CHECK bool io_file_write(const char *path, struct str bytes, struct err *err);

/* Whether the file can be read, and whether io_file_write has a place to write to, as far as can be
 * seen without doing either: for what would otherwise show after long work. "-" is fine. */
MUST_CHECK bool io_file_may_read(const char *path, struct err *err);
MUST_CHECK bool io_file_may_write(const char *path, struct err *err);

/* All bytes to a descriptor; `name` is for the error. */
MUST_CHECK bool io_fd_write(int fd, const char *name, struct str bytes, struct err *err);

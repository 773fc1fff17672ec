/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file that is written piece by piece and appears as a whole.
 *
 * A reader of the path sees the old content or the new one, never a part: the bytes go to a file
 * beside it, which takes its place at the end. Symbolic links are followed, the permissions of an
 * existing file are kept. Pipes, devices and "-" (standard output) are written to as they are.
 * Errors are ERR_IO and name the path and the system's reason. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct io_outfile; /* opaque */

/* `gzip`: what is written is packed. `is_private`: a new file can be read by its owner only. */
MUST_CHECK bool io_outfile_open(const char *path, bool gzip, bool is_private,
                                struct io_outfile **ret_file, struct err *err);
MUST_CHECK bool io_outfile_write(struct io_outfile *file, struct str bytes, struct err *err);

/* What has been written so far, to its reader: for streams that are followed. */
MUST_CHECK bool io_outfile_flush(struct io_outfile *file, struct err *err);

/* Puts the file in its place and frees it; on errors there is nothing new at the path. */
MUST_CHECK bool io_outfile_finish(struct io_outfile *file, struct err *err);
/* Gives it up and frees it; NULL is fine. */
void io_outfile_drop(struct io_outfile *file);

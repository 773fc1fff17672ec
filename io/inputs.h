/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the bytes of the input come from: files, directories, standard input; plain or gzip.
 *
 * A directory stands for the files below it whose names end in .json, .yaml, .yml, .ndjson or
 * .jsonl, each also with .gz behind it, in the order of their paths (bytewise); names that begin
 * with a dot and linked directories are passed over. What is gzip shows by its first bytes,
 * whatever the name. Memory is bounded: 64 KiB of buffer and zlib's window. A file that unpacks to
 * more than LIMIT_GZIP_RATIO times its size (looked at from LIMIT_GZIP_FREE_BYTES on), and an input
 * of more than LIMIT_INPUT_MIB, is ERR_LIMIT. */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct io_input {
    const char *name;          /* the path, or "stdin"; control characters are replaced */
    uint32_t index;            /* counts the inputs of one io_inputs_read, from 0 */
    uint64_t size_bytes;       /* as stored; 0 when not known (pipes) */
    const uint64_t *n_read;    /* bytes taken from the stored size so far: for a progress display */
    struct byte_source source; /* the unpacked bytes; valid during the call */
};

/* Reads one input. False stops; the error is returned as it is. */
typedef bool (*io_input_fn)(void *ctx, const struct io_input *input, struct err *err);

/* Calls fn for each input that `paths` stand for, in their order; "-" is standard input, at most
 * once. *ret_n_inputs may be NULL. Errors: ERR_NOT_FOUND (no such file, a directory without
 * inputs), ERR_IO, ERR_INVALID ("-" twice), ERR_LIMIT (LIMIT_FILES, directories deeper than
 * LIMIT_DIRECTORY_DEPTH), ERR_CANCELLED (io/signals.h), those of fn. */
MUST_CHECK bool io_inputs_read(const char *const *paths, uint32_t n_paths, io_input_fn fn,
                               void *ctx, uint32_t *ret_n_inputs, struct err *err);

/* One file or "-", as input number `index`. */
MUST_CHECK bool io_input_open(const char *path, uint32_t index, io_input_fn fn, void *ctx,
                              struct err *err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The port through which pure code reads bytes: a file, a pipe, an unpacked stream, or memory in a
 * test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct byte_source {
    void *ctx;
    /* Fills up to `size` (> 0) bytes and says how many; 0 means the end, and goes on meaning it.
     * Errors are passed through as they are: ERR_IO, ERR_LIMIT, ERR_PARSE (a broken archive),
     * ERR_CANCELLED. */
    bool (*read)(void *ctx, char *buffer, size_t size, size_t *ret_n, struct err *err);
};

/* A source over bytes in memory that gives at most `step` (> 0) at a time; both must outlive it. */
struct byte_memory {
    struct str rest;
    size_t step;
};
struct byte_source byte_memory_source(struct byte_memory *memory);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A window that moves over a byte source.
 *
 * A parser tries a step on what is in the window; when that ends too early, it lets the window move
 * on and tries the step again from its start. With a window of many objects hardly anything is done
 * twice, and the parser needs no states. The window grows up to the largest object that is allowed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/str.h"

struct arena;

struct window {
    struct arena *arena;
    struct byte_source source;
    char *bytes;
    size_t cap, at, end;  /* bytes [at, end) are ahead */
    bool eof;             /* nothing follows the window */
    size_t counted;       /* newlines before this offset are in line */
    uint64_t line;        /* from 1 */
    uint64_t offset_base; /* of the window's start in the input */
};

struct window window_new(struct arena *arena, struct byte_source source);

/* Drops what is behind and brings more bytes; at the end of the input sets eof. ERR_LIMIT
 * (LIMIT_OBJECT_BYTES) when the window is full and may not grow; errors of the source. */
MUST_CHECK bool window_fill(struct window *window, struct err *err);

struct str window_ahead(const struct window *window);
uint64_t window_line(struct window *window); /* of `at` */
uint64_t window_offset(const struct window *window);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A byte source over a descriptor that unpacks gzip when the first two bytes say so, several
 * members in a row included. */
#pragma once

#include <stdint.h>

#include "base/bytes.h"

struct gunzip; /* opaque */

/* The descriptor stays the caller's. Errors of reading: ERR_IO, ERR_PARSE (broken or truncated
 * gzip), ERR_LIMIT (LIMIT_GZIP_RATIO, LIMIT_INPUT_MIB), ERR_CANCELLED. */
struct gunzip *gunzip_new(int fd);
struct byte_source gunzip_source(struct gunzip *gunzip);
const uint64_t *gunzip_n_read(const struct gunzip *gunzip); /* stored bytes read so far */
void gunzip_free(struct gunzip *gunzip);                    /* NULL is fine */

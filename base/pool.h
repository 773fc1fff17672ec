/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small blocks that come and go one by one, inside an arena: what is given back is handed out again
 * to the next who asks for as much. For what lives as long as an object of a cluster does. */
#pragma once

#include <stddef.h>

struct arena;

enum { POOL_GRAIN = 16, POOL_MAX_BYTES = 4096 };

struct pool {
    struct arena *arena;
    void *free[POOL_MAX_BYTES / POOL_GRAIN]; /* lists of blocks, by size */
    size_t used_bytes;                       /* handed out and not given back, rounded */
};

struct pool pool_new(struct arena *arena);

/* 1..POOL_MAX_BYTES bytes, not zeroed. */
void *pool_take(struct pool *pool, size_t size) __attribute__((returns_nonnull));

/* `size` as it was asked for; NULL is fine. */
void pool_give(struct pool *pool, void *block, size_t size);

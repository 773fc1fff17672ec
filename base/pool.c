/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/pool.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"

struct pool pool_new(struct arena *arena)
{
    return (struct pool){.arena = arena};
}

static size_t class_of(size_t size)
{
    assert(size > 0 && size <= POOL_MAX_BYTES);
    return (size - 1) / POOL_GRAIN;
}

void *pool_take(struct pool *pool, size_t size)
{
    size_t class = class_of(size);
    void *block = pool->free[class];
    pool->used_bytes += (class + 1) * POOL_GRAIN;
    if (block == NULL) {
        return arena_alloc(pool->arena, (class + 1) * POOL_GRAIN);
    }
    memcpy(&pool->free[class], block, sizeof(void *));
    return block;
}

void pool_give(struct pool *pool, void *block, size_t size)
{
    if (block != NULL) {
        size_t class = class_of(size);
        memcpy(block, &pool->free[class], sizeof(void *));
        pool->free[class] = block;
        pool->used_bytes -= (class + 1) * POOL_GRAIN;
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, FIRST_CHUNK = 16 * 1024, LARGEST_CHUNK = 1024 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of data */
    _Alignas(ALIGN) char data[];
};

static size_t round_up(size_t size)
{
    if (size > SIZE_MAX - ALIGN) {
        abort();
    }
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static void add_chunk(struct arena *arena, size_t at_least)
{
    size_t size = arena->head == NULL ? (size_t)FIRST_CHUNK : arena->head->size * 2;
    if (size > LARGEST_CHUNK) {
        size = LARGEST_CHUNK;
    }
    if (size < at_least) {
        size = at_least;
    }
    if (size > SIZE_MAX - sizeof(struct arena_chunk)) {
        abort();
    }
    /* Large blocks come as untouched zero pages: what is never written costs no memory. */
    struct arena_chunk *chunk =
        size > LARGEST_CHUNK ? calloc(1, sizeof *chunk + size) : malloc(sizeof *chunk + size);
    if (chunk == NULL) {
        abort();
    }
    chunk->next = arena->head;
    chunk->size = size;
    arena->head = chunk;
    arena->at = chunk->data;
    arena->end = chunk->data + size;
    arena->held_bytes += size;
}

static void drop_chunks_until(struct arena *arena, struct arena_chunk *keep)
{
    while (arena->head != keep) {
        struct arena_chunk *chunk = arena->head;
        arena->head = chunk->next;
        arena->held_bytes -= chunk->size;
        free(chunk);
    }
}

void arena_done(struct arena *arena)
{
    if (arena == NULL) {
        return;
    }
    drop_chunks_until(arena, NULL);
    *arena = ARENA_INIT;
}

void arena_reset(struct arena *arena)
{
    if (arena->head == NULL) {
        return;
    }
    struct arena_chunk *newest = arena->head;
    arena->head = newest->next;
    drop_chunks_until(arena, NULL);
    newest->next = NULL;
    arena->head = newest;
    arena->at = newest->data;
    arena->end = newest->data + newest->size;
    arena->used_bytes = 0;
    arena->held_bytes = newest->size;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){
        .head = arena->head, .at = arena->at, .used_bytes = arena->used_bytes};
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    drop_chunks_until(arena, mark.head);
    arena->at = mark.at;
    arena->end = mark.head == NULL ? NULL : mark.head->data + mark.head->size;
    arena->used_bytes = mark.used_bytes;
}

static void *take(struct arena *arena, size_t rounded, bool zero)
{
    bool fresh = (size_t)(arena->end - arena->at) < rounded;
    if (fresh) {
        add_chunk(arena, rounded);
    }
    void *block = arena->at;
    arena->at += rounded;
    arena->used_bytes += rounded;
    if (zero && !(fresh && arena->head->size > LARGEST_CHUNK)) {
        memset(block, 0, rounded);
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded = round_up(size == 0 ? 1 : size);
    return take(arena, rounded, /* zero= */ true);
}

void *arena_calloc(struct arena *arena, size_t n, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        abort();
    }
    return arena_alloc(arena, bytes);
}

void *arena_grow(struct arena *arena, void *block, size_t old_size, size_t new_size)
{
    assert(new_size >= old_size);
    if (block == NULL) {
        return arena_alloc(arena, new_size);
    }
    size_t old_rounded = round_up(old_size == 0 ? 1 : old_size);
    size_t new_rounded = round_up(new_size);
    size_t more = new_rounded > old_rounded ? new_rounded - old_rounded : 0;
    bool newest = (char *)block + old_rounded == arena->at;
    if (newest && (size_t)(arena->end - arena->at) >= more) {
        if (more > 0) {
            memset(arena->at, 0, more);
        }
        arena->at += more;
        arena->used_bytes += more;
        return block;
    }
    void *copy = arena_alloc(arena, new_size);
    memcpy(copy, block, old_size);
    return copy;
}

char *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
    if (size == SIZE_MAX) {
        abort();
    }
    size_t rounded = round_up(size + 1);
    char *copy = take(arena, rounded, /* zero= */ false);
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    memset(copy + size, 0, rounded - size);
    return copy;
}

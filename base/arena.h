/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arenas: memory by lifetime.
 *
 * An arena hands out zeroed, 16-byte aligned memory and gives all of it back at once. There is no
 * free for a single block. The parameter is called `arena`, or is named for its lifetime when there
 * are two (`round`, `scratch`). A pointer into a shorter-lived arena is never stored in a
 * longer-lived one. Out of memory aborts: every size that comes from outside has a cap before it
 * gets here. This is the only file of the project that calls malloc. */
#pragma once

#include "base/attr.h"

#include <stddef.h>
#include <stdint.h>

struct arena_chunk; /* internal */

struct arena {
    struct arena_chunk *head; /* newest chunk first */
    char *at, *end;           /* free part of the newest chunk */
    size_t used_bytes;        /* handed out since init or reset, with padding */
    size_t held_bytes;        /* taken from the heap */
};

/* A position to come back to; valid until the arena is reset or rewound to before it. */
struct arena_mark {
    struct arena_chunk *head;
    char *at;
    size_t used_bytes;
};

#define ARENA_INIT                                                                                 \
    ((struct arena){.head = NULL, .at = NULL, .end = NULL, .used_bytes = 0, .held_bytes = 0})

/* Frees everything; the arena is then as after ARENA_INIT. */
void arena_done(struct arena *arena);

/* Forgets all blocks and keeps one chunk for reuse. */
void arena_reset(struct arena *arena);

struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

/* Zeroed memory; never NULL; size 0 gives a valid pointer that may not be read. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull));

/* n elements of `size` bytes; aborts when the product overflows. */
void *arena_calloc(struct arena *arena, size_t n, size_t size)
    __attribute__((malloc, returns_nonnull));

/* Grows a block of this arena from old_size to new_size (new bytes zero); extends in place when it
 * is the newest block. */
void *arena_grow(struct arena *arena, void *block, size_t old_size, size_t new_size)
    __attribute__((returns_nonnull));

/* Copies bytes; the copy is followed by one NUL that is not part of it. */
char *arena_copy(struct arena *arena, const void *bytes, size_t size)
    __attribute__((returns_nonnull));

#define ARENA_NEW(arena, type)      ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_calloc((arena), (size_t)(n), sizeof(type)))
#define auto_arena                  CLEANUP(arena_done) struct arena

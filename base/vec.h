/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Growing arrays inside an arena: `VEC(struct thing) things = {0};` then `VEC_PUSH(arena, &things,
 * value)`. Elements move when the array grows; keep indexes, not pointers. Growth leaves the old
 * copy in the arena, so use an arena of the right lifetime and, for long-lived results, copy the
 * final array once. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *v;                                                                                   \
        size_t n, cap;                                                                             \
    }

#define VEC_PUSH(arena, vec, ...)                                                                  \
    ((vec)->n == (vec)->cap                                                                        \
         ? (void)vec_grow((arena), (void **)&(vec)->v, &(vec)->cap, sizeof *(vec)->v)              \
         : (void)0,                                                                                \
     (vec)->v[(vec)->n++] = (__VA_ARGS__))

void vec_grow(struct arena *arena, void **elements, size_t *cap, size_t element_size);

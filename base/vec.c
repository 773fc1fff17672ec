/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/vec.h"

#include <string.h>

void vec_grow(struct arena *arena, void **elements, size_t *cap, size_t element_size)
{
    size_t old = *cap;
    size_t grown = old == 0 ? 8 : old * 2;
    void *copy = old == 0 ? arena_calloc(arena, grown, element_size)
                          : arena_grow(arena, *elements, old * element_size, grown * element_size);
    memcpy(elements, &copy, sizeof copy);
    *cap = grown;
}

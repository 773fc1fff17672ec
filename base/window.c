/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/window.h"

#include <string.h>

#include "base/arena.h"
#include "base/json_decode.h"
#include "base/limits.h"

enum { WINDOW_BYTES = 256 * 1024, WINDOW_MAX = LIMIT_OBJECT_BYTES + 1 };

struct window window_new(struct arena *arena, struct byte_source source)
{
    return (struct window){.arena = arena,
                           .source = source,
                           .bytes = arena_alloc(arena, WINDOW_BYTES),
                           .cap = WINDOW_BYTES,
                           .line = 1};
}

uint64_t window_line(struct window *window)
{
    window->line += json_count_lines(window->bytes + window->counted, window->bytes + window->at);
    window->counted = window->at;
    return window->line;
}

uint64_t window_offset(const struct window *window)
{
    return window->offset_base + window->at;
}

struct str window_ahead(const struct window *window)
{
    return (struct str){.p = window->bytes + window->at, .n = window->end - window->at};
}

bool window_fill(struct window *window, struct err *err)
{
    (void)window_line(window);
    size_t kept = window->end - window->at;
    memmove(window->bytes, window->bytes + window->at, kept);
    window->offset_base += window->at;
    window->at = window->counted = 0;
    window->end = kept;
    if (kept == window->cap) {
        if (kept >= WINDOW_MAX) {
            return err_set(err, ERR_LIMIT, "an object of more than %d bytes (LIMIT_OBJECT_BYTES)",
                           (int)LIMIT_OBJECT_BYTES);
        }
        size_t cap = kept * 2 > WINDOW_MAX ? (size_t)WINDOW_MAX : kept * 2;
        window->bytes = arena_grow(window->arena, window->bytes, window->cap, cap);
        window->cap = cap;
    }
    while (window->end < window->cap && !window->eof) {
        size_t n = 0;
        if (!window->source.read(window->source.ctx, window->bytes + window->end,
                                 window->cap - window->end, &n, err)) {
            return false;
        }
        window->end += n;
        window->eof = n == 0;
    }
    return true;
}

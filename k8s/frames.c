/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/frames.h"

#include <string.h>

#include "base/limits.h"

struct k8s_frames k8s_frames_new(enum k8s_frames_form form)
{
    return (struct k8s_frames){.form = form, .arena = ARENA_INIT};
}

void k8s_frames_done(struct k8s_frames *frames)
{
    arena_done(&frames->arena);
}

bool k8s_frames_complete(const struct k8s_frames *frames)
{
    return frames->form == K8S_FRAMES_LIST ? frames->done : !frames->in_piece;
}

/* The depth at which pieces lie. */
static int base_of(const struct k8s_frames *frames)
{
    return frames->in_items ? 2 : 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Appends to a buffer that is made at its first use and kept. */
static bool append(struct k8s_frames *frames, struct strbuf *b, size_t max, struct str bytes,
                   struct err *err)
{
    if (b->arena == NULL) {
        *b = strbuf_new(&frames->arena, max);
    }
    strbuf_add(b, bytes);
    return !b->overflow || err_set(err, ERR_LIMIT,
                                   max == LIMIT_OBJECT_BYTES
                                       ? "an object of more than %zu bytes (LIMIT_OBJECT_BYTES)"
                                       : "a list with more than %zu bytes besides its items "
                                         "(LIMIT_LIST_HEAD_BYTES)",
                                   max);
}

/* Ends the piece that began in an earlier call or at `begin` and ends before `end`. */
static bool hand_over(struct k8s_frames *frames, const char *begin, const char *end,
                      k8s_frame_fn fn, void *ctx, struct err *err)
{
    struct str piece = {.p = begin, .n = (size_t)(end - begin)};
    frames->in_piece = false;
    if (frames->piece.n > 0) {
        if (!append(frames, &frames->piece, LIMIT_OBJECT_BYTES, piece, err)) {
            return false;
        }
        piece = strbuf_str(&frames->piece);
        frames->piece.n = 0;
    }
    if (piece.n > LIMIT_OBJECT_BYTES) {
        return err_set(err, ERR_LIMIT, "an object of more than %d bytes (LIMIT_OBJECT_BYTES)",
                       (int)LIMIT_OBJECT_BYTES);
    }
    frames->n_pieces++;
    return fn(ctx, piece, /* is_rest= */ false, err);
}

/* Follows one character of what is inside of brackets or a string; false: nested too deeply. */
static bool follow(struct k8s_frames *frames, char c)
{
    if (frames->in_string) {
        if (frames->escaped) {
            frames->escaped = false;
        } else if (c == '\\') {
            frames->escaped = true;
        } else if (c == '"') {
            frames->in_string = false;
        }
        if (frames->in_string && frames->key_n < sizeof frames->key) {
            frames->key[frames->key_n++] = c;
        }
        return true;
    }
    switch (c) {
    case '"':
        frames->in_string = true;
        frames->key_n = 0;
        break;
    case '{':
    case '[':
        frames->depth++;
        break;
    case '}':
    case ']':
        frames->depth--;
        break;
    default:
        break;
    }
    return frames->depth <= LIMIT_NESTING;
}

/* Watches the outer object of a list for its member "items". */
static void look_for_items(struct k8s_frames *frames, char c)
{
    if (frames->depth != 1 || is_blank(c) || frames->in_string) {
        frames->items_next = frames->items_next && is_blank(c);
        return;
    }
    if (c == '"') { /* the end of a string */
        frames->key_is_items = frames->key_n == 5 && memcmp(frames->key, "items", 5) == 0;
    } else {
        frames->items_next = c == ':' && frames->key_is_items;
        frames->key_is_items = false;
    }
}

/* One character outside of pieces. */
static bool outside(struct k8s_frames *frames, const char *at, bool *ret_begins, struct err *err)
{
    char c = *at;
    *ret_begins = false;
    if (is_blank(c)) {
        return true;
    }
    if (frames->form == K8S_FRAMES_STREAM || frames->in_items) {
        if (frames->in_items && (c == ',' || c == ']')) {
            frames->in_items = c == ',';
            frames->depth -= c == ']' ? 1 : 0;
            return c == ',' || append(frames, &frames->rest, LIMIT_LIST_HEAD_BYTES, STR("]"), err);
        }
        if (frames->form == K8S_FRAMES_STREAM && c != '{') {
            return err_set(err, ERR_PARSE, "expected a watch event, got \"%c\"", c);
        }
        *ret_begins = true;
        return true;
    }
    if (frames->done || (frames->depth == 0 && c != '{')) {
        return err_set(err, ERR_PARSE, "expected a list, got \"%c\"", c);
    }
    bool items = frames->items_next && c == '[';
    if (!follow(frames, c) ||
        !append(frames, &frames->rest, LIMIT_LIST_HEAD_BYTES, (struct str){.p = at, .n = 1}, err)) {
        return frames->depth <= LIMIT_NESTING
                   ? false
                   : err_set(err, ERR_LIMIT, "more than %d levels (LIMIT_NESTING)",
                             (int)LIMIT_NESTING);
    }
    if (items) {
        frames->in_items = true;
        frames->items_next = false;
        return true;
    }
    look_for_items(frames, c);
    return true;
}

/* A scalar in place of an object ends before what cannot belong to it. */
static bool scalar_ends(const struct k8s_frames *frames, char c)
{
    return frames->depth == base_of(frames) && !frames->in_string &&
           (c == ',' || c == ']' || is_blank(c));
}

static bool end_of_list(struct k8s_frames *frames, k8s_frame_fn fn, void *ctx, struct err *err)
{
    frames->done = true;
    return fn(ctx, strbuf_str(&frames->rest), /* is_rest= */ true, err);
}

/* Goes on inside of a piece from `at`; returns where it ends, or NULL when it goes on. */
static const char *inside(struct k8s_frames *frames, const char *at, const char *end,
                          bool *ret_deep)
{
    int base = base_of(frames);
    for (; at < end; at++) {
        if (scalar_ends(frames, *at)) {
            return at;
        }
        if (!follow(frames, *at)) {
            *ret_deep = true;
            return NULL;
        }
        if (frames->depth == base && !frames->in_string &&
            (*at == '}' || *at == ']' || *at == '"')) {
            return at + 1;
        }
    }
    return NULL;
}

bool k8s_frames_feed(struct k8s_frames *frames, struct str bytes, k8s_frame_fn fn, void *ctx,
                     struct err *err)
{
    const char *at = bytes.p, *end = at + bytes.n;
    while (at < end) {
        const char *begin = at;
        if (!frames->in_piece) {
            /* Strings of the rest may hold anything, blanks included. */
            bool verbatim = frames->in_string;
            if (verbatim) {
                (void)follow(frames, *at);
                if (!append(frames, &frames->rest, LIMIT_LIST_HEAD_BYTES,
                            (struct str){.p = at, .n = 1}, err)) {
                    return false;
                }
                look_for_items(frames, *at);
                at++;
                continue;
            }
            if (!outside(frames, at, &frames->in_piece, err)) {
                return false;
            }
            at++;
            if (frames->form == K8S_FRAMES_LIST && frames->depth == 0 && frames->rest.n > 0 &&
                !frames->done && !end_of_list(frames, fn, ctx, err)) {
                return false;
            }
            if (!frames->in_piece) {
                continue;
            }
            at = begin;
        }
        bool deep = false;
        const char *stop = inside(frames, at, end, &deep);
        if (deep) {
            return err_set(err, ERR_LIMIT, "more than %d levels (LIMIT_NESTING)",
                           (int)LIMIT_NESTING);
        }
        if (stop == NULL) {
            return append(frames, &frames->piece, LIMIT_OBJECT_BYTES,
                          (struct str){.p = begin, .n = (size_t)(end - begin)}, err);
        }
        if (!hand_over(frames, begin, stop, fn, ctx, err)) {
            return false;
        }
        at = stop;
    }
    return true;
}

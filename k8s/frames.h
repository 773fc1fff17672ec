/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cuts what an API server sends into pieces that are decoded one at a time: a list into its items,
 * a watch into its events.
 *
 * Bytes come in pieces of any size. Only brackets and strings are followed here; whether a piece is
 * JSON is for its decoder to say. What is held is the piece in work and, of a list, what is not in
 * its items. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum k8s_frames_form {
    K8S_FRAMES_LIST,  /* one object; the elements of its top-level member "items" are pieces, and
                         the rest, with an empty list in their place, is the last piece */
    K8S_FRAMES_STREAM /* one value after the other, each a piece */
};

struct k8s_frames {
    enum k8s_frames_form form;
    struct arena arena; /* the two buffers */
    struct strbuf piece, rest;
    int depth; /* brackets open */
    bool in_string, escaped, in_piece, in_items, key_is_items, items_next, done;
    char key[8]; /* beginning of the last string at depth 1 */
    size_t key_n;
    size_t n_pieces;
};

/* Takes one piece, valid during the call. `is_rest`: the list without its items. False stops. */
typedef bool (*k8s_frame_fn)(void *ctx, struct str piece, bool is_rest, struct err *err);

struct k8s_frames k8s_frames_new(enum k8s_frames_form form);
void k8s_frames_done(struct k8s_frames *frames);

/* Hands over what is complete. Errors: those of fn; ERR_LIMIT (LIMIT_OBJECT_BYTES of a piece,
 * LIMIT_LIST_HEAD_BYTES, LIMIT_NESTING); ERR_PARSE for what cannot begin a piece. */
MUST_CHECK bool k8s_frames_feed(struct k8s_frames *frames, struct str bytes, k8s_frame_fn fn,
                                void *ctx, struct err *err);

/* Whether the bytes may end here: nothing is open, and a list has been seen to its end. */
bool k8s_frames_complete(const struct k8s_frames *frames);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows in which calls about single things are gathered into one call about many
 * (DescribeInstances, TerminateInstances, CreateTags).
 *
 * A group gathers items that can travel together: those of the same key (the same filters, the same
 * tags, or nothing). It closes when nothing was added for `idle_ms`, `max_ms` after its first item,
 * or when it is full; karp: batcher windows. An item that is asked for twice travels once, with
 * both tickets. Whoever gets a closed group makes the call and answers its tickets; an item that
 * the answer lacks is asked for again alone, under a key of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/units.h"

struct aws_batch; /* opaque */
struct arena;

struct aws_batch_window {
    int64_t idle_ms, max_ms;
    uint32_t max_items; /* different items of a group; > 0 */
};

/* Describe and terminate: 100 ms, 1 s, 500 items. Tags: the same window, 100 items. */
extern const struct aws_batch_window aws_batch_describe, aws_batch_terminate, aws_batch_tags;

struct aws_batch_item {
    struct str name;         /* "i-0123" */
    const uint64_t *tickets; /* [n_tickets], as given to aws_batch_add */
    size_t n_tickets;
};

struct aws_batch_group {
    struct str key;
    const struct aws_batch_item *items; /* [n_items], in the order of first mention */
    size_t n_items;
};

struct aws_batch *aws_batch_new(const struct aws_batch_window *window);
void aws_batch_free(struct aws_batch *batch); /* NULL is fine */

/* Texts are copied. */
void aws_batch_add(struct aws_batch *batch, struct str key, struct str item, uint64_t ticket,
                   mono_t now);

/* When aws_batch_take will have a group; false: nothing is gathered. */
bool aws_batch_due(const struct aws_batch *batch, mono_t *ret_at);

/* Takes the group that is due longest, copied into `arena`; false when none is. */
bool aws_batch_take(struct aws_batch *batch, mono_t now, struct arena *arena,
                    struct aws_batch_group *ret_group);

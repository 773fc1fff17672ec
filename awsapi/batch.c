/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/batch.h"

#include "base/arena.h"
#include "base/vec.h"

struct item {
    struct str name;
    VEC(uint64_t) tickets;
};

/* A group lives in an arena of its own, which goes with it. */
struct group {
    struct arena arena;
    struct group *next;
    struct str key;
    mono_t first_at, last_at;
    VEC(struct item) items;
};

struct aws_batch {
    struct arena arena; /* holds this struct and groups; groups are used again */
    struct aws_batch_window window;
    struct group *open; /* in the order of their first item; full ones too, until taken */
    struct group *spare;
};

const struct aws_batch_window aws_batch_describe = {
    .idle_ms = 100, .max_ms = 1000, .max_items = 500};
const struct aws_batch_window aws_batch_terminate = {
    .idle_ms = 100, .max_ms = 1000, .max_items = 500};
const struct aws_batch_window aws_batch_tags = {.idle_ms = 100, .max_ms = 1000, .max_items = 100};

struct aws_batch *aws_batch_new(const struct aws_batch_window *window)
{
    struct arena arena = ARENA_INIT;
    struct aws_batch *batch = ARENA_NEW(&arena, struct aws_batch);
    *batch = (struct aws_batch){.arena = arena, .window = *window};
    return batch;
}

void aws_batch_free(struct aws_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    struct arena arena = batch->arena;
    for (struct group *group = batch->open; group != NULL; group = group->next) {
        arena_done(&group->arena);
    }
    for (struct group *group = batch->spare; group != NULL; group = group->next) {
        arena_done(&group->arena);
    }
    arena_done(&arena);
}

static bool is_full(const struct aws_batch *batch, const struct group *group)
{
    return group->items.n >= batch->window.max_items;
}

static struct group *open_group(struct aws_batch *batch, struct str key, mono_t now)
{
    struct group **last = &batch->open;
    for (; *last != NULL; last = &(*last)->next) {
        if (str_eq((*last)->key, key) && !is_full(batch, *last)) {
            return *last;
        }
    }
    struct group *group = batch->spare;
    if (group == NULL) {
        group = ARENA_NEW(&batch->arena, struct group);
        group->arena = ARENA_INIT;
    } else {
        batch->spare = group->next;
        arena_reset(&group->arena);
    }
    *group = (struct group){.arena = group->arena, .first_at = now};
    group->key = str_copy(&group->arena, key);
    *last = group;
    return group;
}

static struct item *item_of(struct group *group, struct str name)
{
    for (size_t i = 0; i < group->items.n; i++) {
        if (str_eq(group->items.v[i].name, name)) {
            return &group->items.v[i];
        }
    }
    VEC_PUSH(&group->arena, &group->items, ((struct item){.name = str_copy(&group->arena, name)}));
    return &group->items.v[group->items.n - 1];
}

void aws_batch_add(struct aws_batch *batch, struct str key, struct str item, uint64_t ticket,
                   mono_t now)
{
    struct group *group = open_group(batch, key, now);
    struct item *at = item_of(group, item);
    VEC_PUSH(&group->arena, &at->tickets, ticket);
    group->last_at = now;
}

static mono_t due_at(const struct aws_batch *batch, const struct group *group)
{
    mono_t idle = sat_add(group->last_at, batch->window.idle_ms);
    mono_t longest = sat_add(group->first_at, batch->window.max_ms);
    if (is_full(batch, group)) {
        return group->last_at;
    }
    return idle < longest ? idle : longest;
}

static struct group **earliest(struct aws_batch *batch)
{
    struct group **best = &batch->open;
    for (struct group **at = &batch->open; *at != NULL; at = &(*at)->next) {
        if (due_at(batch, *at) < due_at(batch, *best)) {
            best = at;
        }
    }
    return best;
}

bool aws_batch_due(const struct aws_batch *batch, mono_t *ret_at)
{
    bool found = false;
    for (const struct group *group = batch->open; group != NULL; group = group->next) {
        mono_t at = due_at(batch, group);
        *ret_at = found && *ret_at < at ? *ret_at : at;
        found = true;
    }
    return found;
}

bool aws_batch_take(struct aws_batch *batch, mono_t now, struct arena *arena,
                    struct aws_batch_group *ret_group)
{
    struct group **at = earliest(batch);
    struct group *group = *at;
    if (group == NULL || due_at(batch, group) > now) {
        return false;
    }
    size_t n = group->items.n;
    struct aws_batch_item *items = ARENA_ARRAY(arena, struct aws_batch_item, n);
    for (size_t i = 0; i < n; i++) {
        const struct item *item = &group->items.v[i];
        items[i] = (struct aws_batch_item){
            .name = str_copy(arena, item->name),
            .tickets = (const uint64_t *)(const void *)arena_copy(
                arena, item->tickets.v, item->tickets.n * sizeof item->tickets.v[0]),
            .n_tickets = item->tickets.n};
    }
    *ret_group =
        (struct aws_batch_group){.key = str_copy(arena, group->key), .items = items, .n_items = n};
    *at = group->next;
    group->next = batch->spare;
    batch->spare = group;
    return true;
}

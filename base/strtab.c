/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/strtab.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct strtab {
    struct arena *arena;
    struct str *strings; /* [n] */
    uint32_t n, cap;
    uint32_t *slots;  /* [n_slots], power of two; id + 1, 0 is free */
    uint32_t *hashes; /* [cap] */
    uint32_t n_slots;
};

struct strtab *strtab_new(struct arena *arena)
{
    struct strtab *tab = ARENA_NEW(arena, struct strtab);
    tab->arena = arena;
    tab->n_slots = 256;
    tab->slots = ARENA_ARRAY(arena, uint32_t, tab->n_slots);
    tab->cap = 128;
    tab->strings = ARENA_ARRAY(arena, struct str, tab->cap);
    tab->hashes = ARENA_ARRAY(arena, uint32_t, tab->cap);
    (void)strtab_add(tab, STR(""));
    return tab;
}

static uint32_t fold(uint64_t hash)
{
    return (uint32_t)(hash ^ (hash >> 32));
}

/* The slot that holds s, or the free slot where it belongs. */
static uint32_t slot_of(const struct strtab *tab, struct str s, uint32_t hash)
{
    uint32_t mask = tab->n_slots - 1;
    uint32_t i = hash & mask;
    while (tab->slots[i] != 0) {
        uint32_t id = tab->slots[i] - 1;
        if (tab->hashes[id] == hash && str_eq(tab->strings[id], s)) {
            break;
        }
        i = (i + 1) & mask;
    }
    return i;
}

static void fill_slots(struct strtab *tab)
{
    tab->slots = ARENA_ARRAY(tab->arena, uint32_t, tab->n_slots);
    for (uint32_t id = 0; id < tab->n; id++) {
        uint32_t i = tab->hashes[id] & (tab->n_slots - 1);
        while (tab->slots[i] != 0) {
            i = (i + 1) & (tab->n_slots - 1);
        }
        tab->slots[i] = id + 1;
    }
}

strid strtab_add(struct strtab *tab, struct str s)
{
    uint32_t hash = fold(str_hash(s));
    uint32_t slot = slot_of(tab, s, hash);
    if (tab->slots[slot] != 0) {
        return tab->slots[slot] - 1;
    }
    if (tab->n >= UINT32_C(1) << 30) {
        abort();
    }
    if (tab->n == tab->cap) {
        size_t cap = tab->cap;
        tab->strings = arena_grow(tab->arena, tab->strings, cap * sizeof *tab->strings,
                                  2 * cap * sizeof *tab->strings);
        tab->hashes = arena_grow(tab->arena, tab->hashes, cap * sizeof *tab->hashes,
                                 2 * cap * sizeof *tab->hashes);
        tab->cap *= 2;
    }
    strid id = tab->n++;
    tab->strings[id] = str_copy(tab->arena, s);
    tab->hashes[id] = hash;
    tab->slots[slot] = id + 1;
    if (tab->n * 2 > tab->n_slots) {
        tab->n_slots *= 2;
        fill_slots(tab);
    }
    return id;
}

strid strtab_find(const struct strtab *tab, struct str s)
{
    uint32_t slot = slot_of(tab, s, fold(str_hash(s)));
    return tab->slots[slot] == 0 ? STRID_NONE : tab->slots[slot] - 1;
}

struct str strtab_str(const struct strtab *tab, strid id)
{
    return id < tab->n ? tab->strings[id] : STR("");
}

uint32_t strtab_count(const struct strtab *tab)
{
    return tab->n;
}

int strtab_cmp(const struct strtab *tab, strid a, strid b)
{
    return a == b ? 0 : str_cmp(strtab_str(tab, a), strtab_str(tab, b));
}

struct strtab_mark strtab_mark(const struct strtab *tab)
{
    return (struct strtab_mark){.strings = tab->strings, .hashes = tab->hashes, .n = tab->n};
}

struct strtab *strtab_fork(const struct strtab_mark *mark, struct arena *arena)
{
    struct strtab *tab = ARENA_NEW(arena, struct strtab);
    *tab = (struct strtab){.arena = arena, .n = mark->n, .cap = mark->n * 2, .n_slots = 256};
    tab->strings = ARENA_ARRAY(arena, struct str, tab->cap);
    tab->hashes = ARENA_ARRAY(arena, uint32_t, tab->cap);
    memcpy(tab->strings, mark->strings, mark->n * sizeof *tab->strings);
    memcpy(tab->hashes, mark->hashes, mark->n * sizeof *tab->hashes);
    while (tab->n * 2 > tab->n_slots) {
        tab->n_slots *= 2;
    }
    fill_slots(tab);
    return tab;
}

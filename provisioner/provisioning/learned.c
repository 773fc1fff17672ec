/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/provisioning/learned.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/strtab.h"
#include "base/vec.h"

#define HOLDS_MS (INT64_C(60) * 24 * 3600 * 1000)

enum { PAIRS_MAX = 8192, TYPE_MAX = 48, IMAGE_MAX = 48 };

struct pair {
    uint16_t n_type, n_image;
    char type[TYPE_MAX], image[IMAGE_MAX];
    int64_t memory_bytes;
    mono_t until;
};

struct learned {
    struct arena arena;
    VEC(struct pair) pairs; /* sorted by type, then image */
};

struct learned *learned_new(void)
{
    struct arena arena = ARENA_INIT;
    struct learned *learned = ARENA_NEW(&arena, struct learned);
    learned->arena = arena;
    return learned;
}

void learned_free(struct learned *learned)
{
    if (learned != NULL) {
        struct arena arena = learned->arena;
        arena_done(&arena);
    }
}

static struct str type_of(const struct pair *pair)
{
    return (struct str){.p = pair->type, .n = pair->n_type};
}

static struct str image_of(const struct pair *pair)
{
    return (struct str){.p = pair->image, .n = pair->n_image};
}

/* Where the pair is, or belongs. */
static size_t place_of(const struct learned *learned, struct str type, struct str image,
                       bool *ret_found)
{
    size_t low = 0, high = learned->pairs.n;
    *ret_found = false;
    while (low < high && !*ret_found) {
        const size_t middle = low + (high - low) / 2;
        const struct pair *at = &learned->pairs.v[middle];
        const int by_type = str_cmp(type_of(at), type);
        const int order = by_type != 0 ? by_type : str_cmp(image_of(at), image);
        *ret_found = order == 0;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return *ret_found ? high : low;
}

static void drop_old(struct learned *learned, mono_t now)
{
    size_t n = 0;
    for (size_t i = 0; i < learned->pairs.n; i++) {
        if (learned->pairs.v[i].until > now) {
            learned->pairs.v[n++] = learned->pairs.v[i];
        }
    }
    learned->pairs.n = n;
}

static void insert(struct learned *learned, size_t at, const struct pair *pair)
{
    VEC_PUSH(&learned->arena, &learned->pairs, *pair);
    memmove(&learned->pairs.v[at + 1], &learned->pairs.v[at],
            (learned->pairs.n - 1 - at) * sizeof *pair);
    learned->pairs.v[at] = *pair;
}

void learned_note(struct learned *learned, struct str type, struct str image_id,
                  int64_t memory_bytes, mono_t now)
{
    bool found;
    if (type.n > TYPE_MAX || image_id.n > IMAGE_MAX || type.n == 0 || image_id.n == 0 ||
        memory_bytes <= 0) {
        return;
    }
    size_t at = place_of(learned, type, image_id, &found);
    if (found) {
        struct pair *pair = &learned->pairs.v[at];
        if (memory_bytes <= pair->memory_bytes || pair->until <= now) {
            pair->memory_bytes = memory_bytes;
            pair->until = sat_add(now, HOLDS_MS);
        }
        return;
    }
    if (learned->pairs.n == PAIRS_MAX) {
        drop_old(learned, now);
        at = place_of(learned, type, image_id, &found);
    }
    if (learned->pairs.n < PAIRS_MAX) {
        struct pair pair = {.n_type = (uint16_t)type.n,
                            .n_image = (uint16_t)image_id.n,
                            .memory_bytes = memory_bytes,
                            .until = sat_add(now, HOLDS_MS)};
        memcpy(pair.type, type.p, type.n);
        memcpy(pair.image, image_id.p, image_id.n);
        insert(learned, at, &pair);
    }
}

static int by_type(const void *a, const void *b)
{
    const struct cat_observed *x = a, *y = b;
    return x->type != y->type ? (x->type < y->type ? -1 : 1) : str_cmp(x->image_id, y->image_id);
}

uint32_t learned_list(const struct learned *learned, const struct strtab *tab, mono_t now,
                      struct arena *arena, const struct cat_observed **ret_observed)
{
    struct cat_observed *all = ARENA_ARRAY(arena, struct cat_observed, learned->pairs.n);
    uint32_t n = 0;
    for (size_t i = 0; i < learned->pairs.n; i++) {
        const struct pair *pair = &learned->pairs.v[i];
        const strid type = strtab_find(tab, type_of(pair));
        if (type != STRID_NONE && pair->until > now) {
            all[n++] = (struct cat_observed){.type = type,
                                             .image_id = str_copy(arena, image_of(pair)),
                                             .memory_bytes = pair->memory_bytes};
        }
    }
    if (n > 1) {
        qsort(all, n, sizeof *all, by_type);
    }
    *ret_observed = all;
    return n;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/amounts.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static struct k8s_quantity *find(const struct cat_amounts *amounts, strid resource)
{
    for (size_t i = 0; i < amounts->all.n; i++) {
        if (amounts->all.v[i].resource == resource) {
            return &amounts->all.v[i];
        }
    }
    return NULL;
}

void cat_amounts_set(struct cat_amounts *amounts, struct arena *arena, strid resource,
                     int64_t value)
{
    struct k8s_quantity *at = find(amounts, resource);
    if (at != NULL) {
        at->value = value;
        return;
    }
    VEC_PUSH(arena, &amounts->all, (struct k8s_quantity){.resource = resource, .value = value});
}

void cat_amounts_copy(struct cat_amounts *amounts, struct arena *arena,
                      const struct k8s_resources *from)
{
    for (uint32_t i = 0; i < from->n; i++) {
        cat_amounts_set(amounts, arena, from->v[i].resource, from->v[i].value);
    }
}

bool cat_amounts_has(const struct cat_amounts *amounts, strid resource)
{
    return find(amounts, resource) != NULL;
}

int64_t cat_amounts_get(const struct cat_amounts *amounts, strid resource)
{
    const struct k8s_quantity *at = find(amounts, resource);
    return at == NULL ? 0 : at->value;
}

static int by_resource(const void *a, const void *b)
{
    const struct k8s_quantity *x = a, *y = b;
    return (x->resource > y->resource) - (x->resource < y->resource);
}

struct k8s_resources cat_amounts_freeze(const struct cat_amounts *amounts, struct arena *arena)
{
    size_t n = amounts->all.n;
    struct k8s_quantity *v = ARENA_ARRAY(arena, struct k8s_quantity, n);
    if (n > 0) {
        memcpy(v, amounts->all.v, n * sizeof *v);
        qsort(v, n, sizeof *v, by_resource);
    }
    return (struct k8s_resources){.n = (uint32_t)n, .v = v};
}

void cat_labels_set(struct cat_labels *labels, struct arena *arena, strid key, strid value)
{
    for (size_t i = 0; i < labels->all.n; i++) {
        if (labels->all.v[i].key == key) {
            labels->all.v[i].value = value;
            return;
        }
    }
    VEC_PUSH(arena, &labels->all, (struct k8s_pair){.key = key, .value = value});
}

static int by_key(const void *a, const void *b)
{
    const struct k8s_pair *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

struct k8s_pairs cat_labels_freeze(const struct cat_labels *labels, struct arena *arena)
{
    size_t n = labels->all.n;
    struct k8s_pair *v = ARENA_ARRAY(arena, struct k8s_pair, n);
    if (n > 0) {
        memcpy(v, labels->all.v, n * sizeof *v);
        qsort(v, n, sizeof *v, by_key);
    }
    return (struct k8s_pairs){.n = (uint32_t)n, .v = v};
}

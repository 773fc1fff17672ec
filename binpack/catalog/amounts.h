/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Maps under construction: resource -> amount and label -> value. They grow in an arena, keep one
 * value per key, and are frozen into the constant, sorted forms of k8s/values.h. Small (tens of
 * keys), so search is linear. */
#pragma once

#include "base/vec.h"
#include "k8s/values.h"

struct cat_amounts {
    bool present; /* the file has such a map, even an empty one */
    VEC(struct k8s_quantity) all;
};

void cat_amounts_copy(struct cat_amounts *amounts, struct arena *arena,
                      const struct k8s_resources *from);
void cat_amounts_set(struct cat_amounts *amounts, struct arena *arena, strid resource,
                     int64_t value);
bool cat_amounts_has(const struct cat_amounts *amounts, strid resource);
int64_t cat_amounts_get(const struct cat_amounts *amounts, strid resource); /* 0 when absent */
struct k8s_resources cat_amounts_freeze(const struct cat_amounts *amounts, struct arena *arena);

struct cat_labels {
    VEC(struct k8s_pair) all;
};

void cat_labels_set(struct cat_labels *labels, struct arena *arena, strid key, strid value);
struct k8s_pairs cat_labels_freeze(const struct cat_labels *labels, struct arena *arena);

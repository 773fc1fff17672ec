/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What builder.c, admit.c and expand.c share. Internal to k8s/. */
#pragma once

#include "base/vec.h"
#include "k8s/builder.h"
#include "k8s/key.h"
#include "k8s/kinds.h"
#include "k8s/shapes.h"

/* The objects of one kind (or of all workloads) in the order of input, and an index by kind,
 * namespace and name. Removed ones stay as dead until the end. */
struct k8s_objects {
    char *v;
    bool *dead; /* [cap] */
    uint32_t n, cap, n_dead;
    uint32_t *slots; /* open addressing: 1 + index, 0 is free */
    size_t n_slots;
};

struct k8s_builder {
    struct arena *arena;
    struct arena scratch; /* of one object */
    struct strtab *tab;
    struct strtab *names; /* of nodes and owners, which many pods share */
    struct k8s_words words;
    struct k8s_shapes *shapes;
    struct k8s_objects objects[N_STORES];
    struct k8s_kind_count *known; /* [k8s_n_kinds] */
    struct strtab *other_kinds;   /* ids count `others` */
    VEC(struct k8s_kind_count) others;
    uint64_t n_added;
    struct opt_wall newest;
};

/* The object of that key, dead or alive, or UINT32_MAX. */
uint32_t k8s_objects_find(const struct k8s_builder *builder, enum k8s_store store,
                          const struct k8s_key *key);

/* A new element, copied from `value`; the key must not be there yet. Returns its index. */
uint32_t k8s_objects_push(struct k8s_builder *builder, enum k8s_store store,
                          const struct k8s_key *key, const void *value);

/* Element i of a store. */
void *k8s_objects_at(const struct k8s_builder *builder, enum k8s_store store, uint32_t i);

/* Gives pods, claims and workloads what admission in an API server would have given them. */
void k8s_admit(struct k8s_builder *builder);

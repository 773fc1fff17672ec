/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The identity of an object within its store, and where it lies in a hash table. Internal to k8s/.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/strtab.h"
#include "k8s/kinds.h"

struct k8s_key {
    strid ns;
    struct str name;
    int workload; /* enum k8s_workload_kind, or -1 */
};

struct k8s_key k8s_key_of(enum k8s_store store, const void *object);
bool k8s_key_eq(const struct k8s_key *a, const struct k8s_key *b);

/* Its low bits are the slot to look at first. */
uint32_t k8s_key_hash(const struct k8s_key *key);

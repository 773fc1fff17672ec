/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One API object from JSON into its struct, by the tables. Internal to k8s/. */
#pragma once

#include "base/json.h"
#include "k8s/codec.h"
#include "k8s/kinds.h"

struct k8s_shapes;

/* Where decoded things come from and go to. */
struct k8s_decoder {
    struct arena *arena;   /* of the object */
    struct arena *scratch; /* another arena */
    struct strtab *tab;
    struct strtab *names; /* of nodes and owners, which many pods share; NULL: with the object */
    const struct k8s_words *words;
    struct k8s_shapes *shapes; /* shapes go into their own arena */
    struct opt_wall *newest;   /* raised to every timestamp read */
    uint32_t source_i;         /* for messages */
};

/* Fills `object`, which is zero and of the size of `type`. On errors nothing is kept, but of a
 * PodDisruptionBudget, when *ret_closed is true: a budget that breaks a rule must not let pods go
 * that a good one would hold, so its selector counts and it allows no eviction. */
MUST_CHECK bool k8s_decode(const struct k8s_decoder *decoder, const struct k8s_kind *type,
                           struct str api_version, const struct json_at *at, void *object,
                           bool *ret_closed, struct err *err);

/* Namespaced objects without a namespace are in "default", the others are in none. */
strid k8s_right_namespace(struct strtab *tab, const struct k8s_kind *type, strid ns);

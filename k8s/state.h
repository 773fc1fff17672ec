/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The objects of a running cluster, decoded, as they change; and what another thread may read of
 * them meanwhile.
 *
 * Objects of a kind lie in segments of one size, which stay where they are. What an object points
 * to lies in a block of exactly its size that comes and goes with it; shapes of pods and words are
 * shared and stay until the state is freed. An object that breaks a rule of its kind is not there.
 *
 * k8s_state_freeze gives the objects as they are at one moment. They stay so until k8s_state_thaw
 * is called: blocks of objects that change meanwhile are kept until then. Freezing copies only
 * what has changed since the last time. */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "k8s/kinds.h"
#include "k8s/roster.h"
#include "k8s/shapes.h"

struct k8s_builder;
struct k8s_state; /* opaque */

struct k8s_state *k8s_state_new(void);
void k8s_state_free(struct k8s_state *state); /* NULL is fine; frozen objects go too */

/* The words of the objects; more may be added. */
struct strtab *k8s_state_tab(struct k8s_state *state);
const struct k8s_words *k8s_state_words(const struct k8s_state *state);

/* Puts the object in the place of the one of its name. Errors: ERR_INVALID and ERR_LIMIT name the
 * object, the field, the value and the rule; the object is not there then, but for a
 * PodDisruptionBudget whose selector can be read: it allows no eviction. */
MUST_CHECK bool k8s_state_put(struct k8s_state *state, const struct k8s_kind *kind,
                              const struct k8s_identity *id, const json_t *object, struct err *err);
void k8s_state_remove(struct k8s_state *state, const struct k8s_kind *kind,
                      const struct k8s_identity *id);

/* The decoded object; NULL when it is not there. Valid until the next change. */
const void *k8s_state_find(const struct k8s_state *state, const struct k8s_kind *kind,
                           const struct k8s_identity *id);

uint32_t k8s_state_count(const struct k8s_state *state, enum k8s_store store);
const void *k8s_state_at(const struct k8s_state *state, enum k8s_store store, uint32_t i);
size_t k8s_state_bytes(const struct k8s_state *state); /* held, all told */

enum { K8S_SEGMENT = 128 }; /* objects */

/* What is shared with another thread. */
struct k8s_frozen {
    struct {
        const void *const *segments; /* each [K8S_SEGMENT] of k8s_stores[].size, the last in part */
        uint32_t n;                  /* objects */
    } objects[N_STORES];
    struct strtab_mark words;
    struct k8s_shapes_mark shapes;
};

/* One at a time. *ret_n_copied (may be NULL): objects that had to be copied now: at most those that
 * have changed since the last time. */
void k8s_state_freeze(struct k8s_state *state, struct k8s_frozen *ret_frozen,
                      uint32_t *ret_n_copied);
void k8s_state_thaw(struct k8s_state *state);

/* A builder that holds the frozen objects; k8s_builder_finish makes a cluster of them, with what
 * admission in an API server would have added where it did not (templates of workloads). Objects
 * may be added of kinds of which there are none. For any thread: words and what is changed are
 * copied into `arena`; the rest is as long as the objects are frozen. */
struct k8s_builder *k8s_frozen_builder(const struct k8s_frozen *frozen, struct arena *arena);

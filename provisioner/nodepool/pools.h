/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written on NodePools, as Karpenter's controllers of them write it.
 *
 *   annotations  the hash of the template and its version; NodeClaims whose hash is of another
 *                version get the new one first, so that a change of the algorithm is no drift
 *   status       resources and nodes (counter.h), at most every five seconds; the conditions
 *                ValidationSucceeded (validation.h), NodeClassReady, NodeRegistrationHealthy
 *                (health.h) and Ready; nodeClassObservedGeneration
 *
 * Nothing is written that is there already. NodePools of node classes that are not ours are left
 * alone, and so is one that is being deleted. For each NodePool one write is under way at most; its
 * end is an event. */
#pragma once

#include "k8s/state.h"
#include "provisioner/engine/action.h"
#include "provisioner/engine/event.h"

struct pools; /* opaque */
struct sched_vocab;

/* What a step sees. */
struct pools_view {
    const struct k8s_state *state;
    const struct strtab *tab; /* of `state` */
    const struct sched_vocab *vocab;
    struct moment now;
    uint64_t *last_id; /* of actions; counted up */
    struct actions *out;
};

struct pools *pools_new(void);
void pools_free(struct pools *pools); /* NULL is fine */

/* An object came, changed or went; `state` has it already. */
void pools_delta(struct pools *pools, const struct pools_view *view, const struct event *event);

/* Whether the NodePool of that name has that UID. */
bool pools_is(const struct pools *pools, struct str name, struct str uid);
/* A NodeClaim of the NodePool has registered, or will not: `reason` and `message` of a failure. */
void pools_launched(struct pools *pools, struct str pool, bool good, struct str reason,
                    struct str message);

/* EVENT_WRITTEN. True: it was its own. */
bool pools_answer(struct pools *pools, const struct pools_view *view, const struct event *event);

/* Forgets what is under way: another replica may have acted meanwhile. */
void pools_restart(struct pools *pools);

/* Does what is due; all kinds must be known as far as they can be. */
void pools_step(struct pools *pools, const struct pools_view *view);
mono_t pools_due(const struct pools *pools); /* INT64_MAX: not before an event */

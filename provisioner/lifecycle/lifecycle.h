/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of a NodeClaim: launched, registered, initialized; and taken down again when it is
 * deleted.
 *
 * For each claim there is one thing under way at most: a write or a call, whose end is an event.
 * What is to be done next follows from the objects alone and from what AWS says, so a program that
 * was killed anywhere goes on where it stood: the finalizer is on the claim before anything is
 * launched; the number of the attempt and the digest of its request are on the claim before the
 * call; and a claim of which nobody here knows whether its call was made is looked for in EC2
 * first, then asked for with the same token. See launch.c and terminate.c. */
#pragma once

#include "binpack/catalog/catalog.h"
#include "k8s/state.h"
#include "provisioner/engine/action.h"
#include "provisioner/engine/event.h"
#include "provisioner/nodeclass/userdata.h"

struct lifecycle; /* opaque */
struct sched_vocab;

/* What a step sees. */
struct lifecycle_view {
    const struct k8s_state *state;
    const struct strtab *tab; /* of `state` */
    const struct sched_vocab *vocab;
    const struct catalog *catalog;
    struct cat_settings cat;
    struct userdata_cluster cluster;
    struct moment now;
    bool claims_known; /* NodeClaims are followed: what is not among them is not there */
    uint64_t *last_id; /* of actions; counted up */
    struct actions *out;
};

struct lifecycle *lifecycle_new(void);
void lifecycle_free(struct lifecycle *lifecycle); /* NULL is fine */

/* An object came, changed or went; `state` of the view has it already. */
void lifecycle_delta(struct lifecycle *lifecycle, const struct lifecycle_view *view,
                     const struct event *event);

/* EVENT_WRITTEN or EVENT_REPLY; those of other ids are left alone. */
void lifecycle_answer(struct lifecycle *lifecycle, const struct lifecycle_view *view,
                      const struct event *event);

/* Name of the claim whose action that is, as long as it is under way; empty: of none. */
struct str lifecycle_claim_of(const struct lifecycle *lifecycle, uint64_t id);
/* Why this run has deleted the claim, as Karpenter's metrics call it ("launch_timeout"); NULL: it
 * has not. */
const char *lifecycle_reason(const struct lifecycle *lifecycle, struct str claim);

/* Forgets what this run has done and has under way: another replica may have acted meanwhile. What
 * there is to do follows from the objects, as after a start. */
void lifecycle_restart(struct lifecycle *lifecycle);

/* Does what is due. */
void lifecycle_step(struct lifecycle *lifecycle, const struct lifecycle_view *view);

/* When something is due next; INT64_MAX: not before an event. */
mono_t lifecycle_due(const struct lifecycle *lifecycle);

/* Offerings that cannot be had, as of `view`; texts as long as the objects' words. */
struct round_gone;
uint32_t lifecycle_gone(const struct lifecycle *lifecycle, const struct lifecycle_view *view,
                        struct arena *arena, const struct round_gone **ret_gone);
/* When the first of them may be tried again; INT64_MAX: there is none. */
mono_t lifecycle_gone_until(const struct lifecycle *lifecycle, mono_t now);

/* The instances of the cluster as EC2 listed them last (gc.h), sorted by id, copied; none before
 * the first whole list. */
uint32_t lifecycle_instances(const struct lifecycle *lifecycle, struct arena *arena,
                             const struct aws_instance **ret_instances);

/* How many NodeClaims of a NodePool may be created now: none while it waits because launches have
 * failed, one when it tries again, else UINT32_MAX; see pause.h. */
uint32_t lifecycle_may_launch(const struct lifecycle *lifecycle, const struct lifecycle_view *view,
                              struct str pool);
/* When it need not wait any more; in the past: it does not. */
mono_t lifecycle_launch_at(const struct lifecycle *lifecycle, struct str pool);

/* What has been done since the start. */
struct lifecycle_counts {
    uint64_t n_launched, n_registered, n_initialized, n_terminated, n_no_capacity, n_failed;
    uint64_t n_collected; /* by gc.h: claims and instances */
    uint64_t n_freed;     /* claims for which nothing could be had, and which are seen to go */
};
struct lifecycle_counts lifecycle_counts(const struct lifecycle *lifecycle);

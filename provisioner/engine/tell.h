/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events on pods and NodeClaims, in Karpenter's words, where `kubectl describe` shows them.
 *
 *   FailedScheduling            a pod that no node can be planned for, with the reasons of the plan
 *   Nominated                   the node that has been planned for a pod
 *   Launched, Registered, ...   a condition of a NodeClaim that has become True
 *   InsufficientCapacityError   a NodeClaim for which nothing could be had
 *
 * What is said again within its window is not said (karp: dedupe of 2 and 5 minutes), and of each
 * group no more than so many at once and a second, however many pods wait: each round begins with
 * others of them. Who is told of is the engine's; writes go out as ACTION_WRITE. */
#pragma once

#include "provisioner/engine/action.h"
#include "provisioner/engine/event.h"

struct claim_wanted;
struct engine;
struct karp_nodeclaim;
struct round_result;
struct tell; /* opaque */

struct tell *tell_new(void);
void tell_free(struct tell *tell); /* NULL is fine */
/* Forgets what is under way: another replica may have told meanwhile. */
void tell_restart(struct tell *tell);

/* Pods without a place, and those that a running node or one in flight was planned for. */
void tell_round(struct engine *engine, const struct round_result *result, struct moment now,
                struct actions *actions);
/* The pods that a NodeClaim is made for. */
void tell_nominated(struct engine *engine, const struct claim_wanted *claim, struct moment now,
                    struct actions *actions);
/* A condition of that type has become True; static. */
void tell_condition(struct engine *engine, const struct karp_nodeclaim *claim, const char *type,
                    struct moment now, struct actions *actions);
void tell_no_capacity(struct engine *engine, const struct karp_nodeclaim *claim, struct moment now,
                      struct actions *actions);

/* EVENT_WRITTEN. True: it was of an Event. */
bool tell_answer(struct engine *engine, const struct event *event, struct moment now,
                 struct actions *actions);

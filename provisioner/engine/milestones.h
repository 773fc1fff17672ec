/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What NodeClaims and Nodes have come to, said in the log and counted, once each: by comparing an
 * object as it was with what has come in its place. Messages, keys, names and labels are
 * Karpenter's. Nothing is remembered, so a milestone that is reached while nobody watches is not
 * told of: objects that are seen for the first time (after a start) are as they are. */
#pragma once

#include "provisioner/engine/action.h"
#include "provisioner/engine/event.h"

struct engine;

/* What an object has come to. */
enum {
    MILESTONE_THERE = 1,
    MILESTONE_LAUNCHED = 2, /* of a NodeClaim */
    MILESTONE_REGISTERED = 4,
    MILESTONE_INITIALIZED = 8,
    MILESTONE_DELETED = 16, /* and not gone */
    MILESTONE_TAINTED = 32  /* of a Node: karpenter.sh/disrupted */
};

/* Before EVENT_DELTA is taken over by the state: what the object had come to, a set of MILESTONE_*,
 * 0 for what is not told of. What is gone is said here, since it is not there afterwards. */
uint32_t milestones_before(struct engine *engine, const struct event *event, struct moment now,
                           struct actions *actions);
/* After it was. */
void milestones_after(struct engine *engine, const struct event *event, uint32_t before,
                      struct moment now, struct actions *actions);

/* Before EVENT_REPLY is taken over: what CreateFleet did not give. */
void milestones_reply(struct engine *engine, const struct event *event, struct actions *actions);

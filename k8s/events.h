/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events of Kubernetes, few of them: what is said again within a while is not said, and what is
 * said again later raises the count of the Event that is there.
 *
 * karp: events recorder. An event with the same reason and the same `same_as` values within its
 * window (2 min unless it says otherwise) is dropped. What passes is compared with what was said of
 * the object before: the same type, reason and message becomes a patch of count and lastTimestamp,
 * as client-go's correlator makes it, and each object has a budget of 25 at once and one in 5
 * minutes. (client-go also writes one Event for ten that differ in their message only; this does
 * not.)
 *
 * Values in, requests out: no clock, no socket. Memory is bounded; what is least recently said is
 * forgotten first and then simply said anew. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/units.h"
#include "k8s/write.h"

struct arena;
struct k8s_events; /* opaque */

struct k8s_event_about {
    const char *kind, *api_version;
    struct str ns, name, uid; /* ns: empty for objects of the cluster */
};

struct k8s_event {
    struct k8s_event_about about;
    bool warning; /* type Warning, else Normal */
    const char *reason;
    struct str message; /* above 1024 bytes it is cut */
    struct str same_as; /* with `reason`: what makes two events the same for the window */
    int64_t window_ms;  /* 0: two minutes */
};

/* What becomes of an event. */
enum k8s_event_fate {
    K8S_EVENT_DROPPED, /* said within its window, or more than the object's budget */
    K8S_EVENT_CREATE,  /* *ret_write creates it */
    K8S_EVENT_COUNT    /* *ret_write raises the count of the one that is there */
};

/* `component` is the source that Events name; `seed` makes names of Events unique. */
struct k8s_events *k8s_events_new(struct str component, uint64_t seed);
void k8s_events_free(struct k8s_events *events); /* NULL is fine */

/* The write and its texts are in `arena`, or the event's own. */
enum k8s_event_fate k8s_events_say(struct k8s_events *events, const struct k8s_event *event,
                                   mono_t now, wall_t wall, struct arena *arena,
                                   struct k8s_write *ret_write);

/* What became of the write of that event. True: nothing is there to be counted, or the name is
 * another's: say it again, and it will be created. */
bool k8s_events_answer(struct k8s_events *events, const struct k8s_event *event,
                       enum k8s_outcome outcome);

uint64_t k8s_events_dropped(const struct k8s_events *events); /* since the beginning */

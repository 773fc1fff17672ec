/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model of an API server's lists and watches of one kind, without sockets: objects that come,
 * change, go and come again, a history that is forgotten from its beginning (compaction), lists in
 * pages of one version, watches with bookmarks and lists as streams. Written from the API's
 * concepts page, apart from the client it is to hold to account. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rng.h"
#include "base/str.h"

enum { MODEL_NAMES = 24, MODEL_EVENTS = 400 * 1000, MODEL_SNAPSHOTS = 64 };

struct model_object {
    bool alive;
    uint64_t uid, version; /* of the object: when it changed last */
};

struct model_event {
    uint64_t version;
    uint32_t name;
    uint64_t uid;
    char type; /* 'A', 'M', 'D' */
};

struct model {
    struct rng *rng;
    struct model_object objects[MODEL_NAMES];
    struct model_event *events; /* [n_events], the newest last */
    uint32_t n_events;
    uint64_t version, compacted, last_uid;
    struct {
        uint64_t version;
        struct model_object objects[MODEL_NAMES];
    } snapshots[MODEL_SNAPSHOTS]; /* of lists under way */
    uint32_t n_snapshots;
    bool streams; /* knows sendInitialEvents */
    bool calm;    /* makes no faults of its own */
};

/* What answers a request: a status, bytes, and for watches what is still to come. */
struct model_answer {
    int status;
    int64_t retry_after_ms;
    bool is_watch, cut; /* cut: the body breaks off in the middle */
    struct strbuf body;
    uint32_t sent;    /* watch: index of the next event */
    uint64_t version; /* watch: that the client has been told */
    size_t at;        /* of the body handed over */
};

void model_init(struct model *model, struct rng *rng, struct arena *arena);
void model_change(struct model *model);  /* creates, changes, deletes or makes anew some object */
void model_compact(struct model *model); /* forgets some of the oldest history */
struct model_answer model_ask(struct model *model, struct str path, struct arena *arena);

/* Appends events that happened since to the body of a watch, and now and then a bookmark. */
void model_feed(struct model *model, struct model_answer *answer);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Follows the objects of one kind: list, then watch, for ever; or lists once.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 *
 * A state machine without sockets or clocks: k8s_watch_next says what to do now, what the server
 * answers is fed in, and what follows from it for the objects goes to a receiver:
 *
 *   begin              a complete list begins (again, when the last one could not be finished)
 *   object             one object, there or removed; also every event of the watch
 *   end                the list is complete: objects not handed over since `begin` are gone
 *
 * Lists come in pages (limit, continue), or as a watch that begins with all objects
 * (sendInitialEvents) from servers that can. A page that breaks off is asked for again; its objects
 * are handed over when all of it is there, so nobody sees one twice. The watch goes on from the
 * last resourceVersion seen, bookmarks included; when the server has forgotten that version (410) a
 * new list begins, and `end` tells what went away meanwhile. Failures are tried again with growing
 * pauses and jitter, or when the server says (Retry-After); a watch that just ends goes on at once,
 * unless it was very short.
 *
 * A kind that the server does not have has no objects. That is believed of an API server's own 404
 * only, not of a proxy's on the way to it; of a kind that was there before when it has been said
 * three times within half a minute; and, when following, never of kinds of Kubernetes itself. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/http.h"
#include "base/units.h"

struct k8s_kind;
struct k8s_watch; /* opaque */

struct k8s_receiver {
    void *ctx;
    void (*begin)(void *ctx);
    /* The object is borrowed. It has the kind and apiVersion of its list when it had none. */
    void (*object)(void *ctx, json_t *object, bool removed);
    void (*end)(void *ctx);
};

struct k8s_watch_settings {
    const struct k8s_kind *kind;
    struct str ns; /* of namespaced kinds; empty: all namespaces */
    bool once;     /* list, and be done; else follow */
    bool in_pages; /* follow: list in pages even where the server could stream */
    uint32_t page; /* objects of a page; 0: 500 */
    uint64_t seed; /* of the jitter */
};

enum k8s_watch_want {
    K8S_WATCH_ASK,  /* send *ret_request */
    K8S_WATCH_WAIT, /* nothing to do before *ret_at */
    K8S_WATCH_BUSY, /* a request is under way */
    K8S_WATCH_DONE  /* `once` only: complete, or given up (k8s_watch_error) */
};

struct k8s_watch *k8s_watch_new(const struct k8s_watch_settings *settings,
                                const struct k8s_receiver *receiver);
void k8s_watch_free(struct k8s_watch *watch); /* NULL is fine */

/* ASK: the request is under way from now on; it is valid until the next call. */
enum k8s_watch_want k8s_watch_next(struct k8s_watch *watch, mono_t now,
                                   struct http_request *ret_request, mono_t *ret_at);

/* The answer to it. k8s_watch_body: false says that nothing more is wanted; then the request is to
 * be ended, and k8s_watch_end called with HTTP_STOPPED. Between k8s_watch_end and the next ASK
 * nothing may be fed. */
void k8s_watch_head(struct k8s_watch *watch, mono_t now, const struct http_head *head);
bool k8s_watch_body(struct k8s_watch *watch, mono_t now, struct str bytes);
void k8s_watch_end(struct k8s_watch *watch, mono_t now, enum http_end end, struct str why);

/* What there is to know from outside. */
struct k8s_watch_state {
    bool synced;         /* a complete list has been handed over, and what came later */
    bool absent;         /* the server does not have this kind: see above */
    int status;          /* of the last answer; 0: there was none */
    uint32_t n_failures; /* in a row */
    uint64_t n_lists, n_watches, n_events, n_bookmarks, n_expired; /* since the beginning */
    uint64_t n_listed;      /* objects handed over by the list at hand */
    int64_t n_remaining;    /* that the server says are still to come; -1: not said */
    struct str version;     /* resourceVersion to go on from; empty: none */
    struct str api_version; /* "v1", "karpenter.sh/v1": what is being read */
};
struct k8s_watch_state k8s_watch_state(const struct k8s_watch *watch);

/* Why the last attempt failed ("cannot list pods: forbidden: ..."); false when it did not. */
bool k8s_watch_error(const struct k8s_watch *watch, struct err *ret_err);

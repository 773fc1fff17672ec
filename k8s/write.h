/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of objects: the requests, and what became of them.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/
 *
 * A change that must rest on what was seen names the resourceVersion; one that must hit this object
 * and not its namesake names the UID. Foreign objects are patched, never written whole. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/http.h"
#include "base/str.h"

struct arena;
struct k8s_kind;

enum k8s_write_verb {
    K8S_WRITE_CREATE,
    K8S_WRITE_MERGE_PATCH, /* RFC 7386: lists are replaced whole, null takes away */
    K8S_WRITE_JSON_PATCH,  /* RFC 6902 */
    K8S_WRITE_DELETE,
    K8S_WRITE_EVICT /* of pods: a deletion that budgets can refuse */
};

struct k8s_write {
    enum k8s_write_verb verb;
    const struct k8s_kind *kind;
    struct str ns, name;    /* name: empty for K8S_WRITE_CREATE */
    struct str subresource; /* "status", or empty; not for K8S_WRITE_EVICT */
    struct str body;        /* JSON: the object (CREATE), the patch; else empty */
    struct str version;     /* resourceVersion that is to be changed; empty: any */
    struct str uid;         /* DELETE and EVICT: that is to go; empty: any */
    int64_t grace_s;        /* DELETE and EVICT: -1 for the pod's own */
    bool dry_run;           /* checked and not done */
};

/* The request; its texts are in `arena` or the write's own. ERR_INVALID: a body that is not what
 * the verb needs (an object; for K8S_WRITE_JSON_PATCH a list). */
MUST_CHECK bool k8s_write_request(const struct k8s_write *write, struct arena *arena,
                                  struct http_request *ret_request, struct err *err);

enum k8s_outcome {
    K8S_WRITE_DONE,
    K8S_WRITE_NOT_FOUND,      /* there is no such object: a deletion has nothing left to do */
    K8S_WRITE_ALREADY_EXISTS, /* CREATE: an object of that name is there */
    K8S_WRITE_CONFLICT,       /* another version or UID: read again, decide again */
    K8S_WRITE_BLOCKED,        /* EVICT: a budget does not allow it now; try again in a while */
    K8S_WRITE_TOO_MANY,       /* the server has too much to do: after retry_after_ms */
    K8S_WRITE_FORBIDDEN,      /* access rules, or admission: will not change by itself */
    K8S_WRITE_UNAUTHORIZED,   /* credentials: renew them */
    K8S_WRITE_INVALID, /* the object breaks a rule, or the request is wrong: a mistake of ours */
    K8S_WRITE_FAILED,  /* a fault of the server's, nothing was done as far as it says: try again */
    K8S_WRITE_UNKNOWN  /* no answer: it may have been done or not, or be done yet */
};

struct k8s_written {
    enum k8s_outcome outcome;
    int64_t retry_after_ms; /* that the server asks for; 0: nothing said */
    struct str name, uid,
        version; /* K8S_WRITE_DONE: of the object in the answer, in `arena`; else empty */
};

/* What an answer means. `status` is that of the head, 0 when there was none; `why` is the reason of
 * an unusual end. For every outcome but K8S_WRITE_DONE `err` holds the sentence ("cannot patch
 * nodeclaims x: 409 conflict: ..."). */
struct k8s_written k8s_write_outcome(const struct k8s_write *write, enum http_end end, int status,
                                     int64_t retry_after_ms, struct str body, struct str why,
                                     struct arena *arena, struct err *err);

const char *k8s_outcome_name(enum k8s_outcome outcome); /* "already exists" */

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of several replicas acts: leader election on a Lease, as client-go's replicas do it, so
 * that ours and Karpenter's can share one.
 * https://kubernetes.io/docs/concepts/architecture/leases/#leader-election
 *
 * A state machine without sockets or clocks: k8s_lease_next says what to do now, and the answer is
 * fed in. The holder renews every retry_ms and holds for deadline_ms from the moment it *sent* the
 * last renewal that succeeded; the others take over when they have seen nothing change for the time
 * that the Lease itself states, counted from the moment they saw it. Each write names the version
 * it was made for, so of two that take over at once one is refused.
 *
 * So nobody's wall clock is compared with anybody else's, and a replica that was paused finds that
 * it holds no longer before it acts, provided it asks k8s_lease_holds with clocks read after the
 * pause and before each act. A monotonic clock may stand still while a machine sleeps; the wall
 * clock, which then jumps, makes the holder doubt too. What it has sent before the pause can still
 * arrive up to (duration_ms - deadline_ms) later without meeting a second holder.
 *
 * A holder that cannot renew in time holds no longer, and holds again when a renewal succeeds after
 * all: that its version still counted proves that nobody was there in between. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/http.h"
#include "base/str.h"
#include "base/units.h"

struct k8s_lease; /* opaque */

struct k8s_lease_settings {
    struct str ns, name;
    struct str identity; /* unique among replicas, and never used again */
    int64_t duration_ms; /* whole seconds; 0: 15 s */
    int64_t deadline_ms; /* below it; 0: 10 s */
    int64_t retry_ms;    /* below deadline_ms; 0: 2 s */
    uint64_t seed;       /* of the jitter */
};

enum k8s_lease_want {
    K8S_LEASE_ASK,  /* send *ret_request */
    K8S_LEASE_WAIT, /* nothing to do before *ret_at */
    K8S_LEASE_BUSY, /* a request is under way */
    K8S_LEASE_DONE  /* released, or given up doing so */
};

struct k8s_lease *k8s_lease_new(const struct k8s_lease_settings *settings);
void k8s_lease_free(struct k8s_lease *lease); /* NULL is fine */

/* ASK: the request is under way from now on; it is valid until the next call. */
enum k8s_lease_want k8s_lease_next(struct k8s_lease *lease, mono_t now, wall_t wall,
                                   struct http_request *ret_request, mono_t *ret_at);

/* The answer to it, whole. `status` is that of the head, 0 when there was none. */
void k8s_lease_answer(struct k8s_lease *lease, mono_t now, wall_t wall, enum http_end end,
                      int status, struct str body);

/* Whether this replica may act at this moment. */
bool k8s_lease_holds(const struct k8s_lease *lease, mono_t now, wall_t wall);

/* Gives the Lease up, for the end of the program: holds no longer, and once what is under way has
 * ended asks for the Lease to be free at once. Then DONE. */
void k8s_lease_release(struct k8s_lease *lease);

struct k8s_lease_state {
    struct str holder;        /* as last seen; empty: nobody, or not seen yet */
    bool is_ours;             /* as last seen */
    uint32_t n_failures;      /* requests in a row without a usable answer */
    int status;               /* of the last answer; 0: there was none */
    uint64_t n_taken, n_lost; /* how often it became ours; how often somebody else's after that */
};
struct k8s_lease_state k8s_lease_state(const struct k8s_lease *lease);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single requests to an API server, sent at a rate, each answer gathered whole: for changes
 * (k8s/write.h) and the Lease (k8s/lease.h). Credentials that the server refuses are renewed and
 * the request is sent again, once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/http.h"

struct io_http;
struct io_loop;
struct live_access;
struct live_calls; /* opaque */

struct live_calls_settings {
    int64_t per_s, burst; /* requests; 0: 200 a second, 300 at once */
    uint32_t at_a_time;   /* requests under way; 0: 64 */
};

struct live_answer {
    enum http_end end;
    int status; /* 0: there was none */
    int64_t retry_after_ms;
    struct str body, why; /* valid during the call */
};
typedef void (*live_answer_fn)(void *ctx, const struct live_answer *answer);

struct live_calls *live_calls_new(struct io_loop *loop, struct io_http *http,
                                  struct live_access *access,
                                  const struct live_calls_settings *settings);
/* Ends what is under way without a call of its fn; NULL is fine. */
void live_calls_free(struct live_calls *calls);

/* Sends the request as soon as the rate allows it, those before it first; its texts are copied. fn
 * is called from a later turn, once. ERR_LIMIT when LIMIT_CALLS_WAITING wait already. */
MUST_CHECK bool live_calls_start(struct live_calls *calls, const struct http_request *request,
                                 live_answer_fn fn, void *ctx, struct err *err);

/* The same; `may` is asked at each moment of sending. When it says no nothing is sent, and fn is
 * told of an answer with HTTP_STOPPED and without status. */
typedef bool (*live_may_fn)(void *ctx);
MUST_CHECK bool live_calls_start_if(struct live_calls *calls, const struct http_request *request,
                                    live_may_fn may, live_answer_fn fn, void *ctx, struct err *err);

/* Sends what the rate allows, after renewing credentials that were refused; for those who turn the
 * loop themselves, in every turn and outside callbacks. */
void live_calls_send(struct live_calls *calls);

/* The same, then waits for something to happen and does it. ERR_IO of the loop. */
MUST_CHECK bool live_calls_turn(struct live_calls *calls, struct err *err);

uint32_t live_calls_count(const struct live_calls *calls); /* waiting or under way */

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs watches (k8s/watch.h) over HTTP: sends what they ask for, feeds them what comes back, keeps
 * to a rate of requests, and renews credentials when the server refuses them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "k8s/watch.h"

struct io_http;
struct io_loop;
struct live_access;
struct live_feed; /* opaque */

struct live_feed_settings {
    int64_t per_s, burst; /* requests; 0: 200 a second, 300 at once */
    uint32_t n_at_a_time; /* watches that list once: how many have a request under way; 0: 4 */
};

struct live_feed *live_feed_new(struct io_loop *loop, struct io_http *http,
                                struct live_access *access,
                                const struct live_feed_settings *settings);
/* Ends what is under way; NULL is fine. */
void live_feed_free(struct live_feed *feed);

/* Adds a watch; *ret_i counts from 0. It begins with the next turn. */
uint32_t live_feed_add(struct live_feed *feed, const struct k8s_watch_settings *settings,
                       const struct k8s_receiver *receiver);

/* Waits for something to happen and does it; receivers are called. Errors: ERR_IO of the loop;
 * failures of requests are the watches' (live_feed_watch). */
MUST_CHECK bool live_feed_turn(struct live_feed *feed, struct err *err);

uint32_t live_feed_count(const struct live_feed *feed);
const struct k8s_watch *live_feed_watch(const struct live_feed *feed, uint32_t i);
bool live_feed_is_done(const struct live_feed *feed, uint32_t i); /* of watches that list once */
bool live_feed_all_done(const struct live_feed *feed);

/* The last renewal of credentials failed; false when it did not. */
bool live_feed_renewal_error(const struct live_feed *feed, struct err *ret_err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All that one connection to a cluster needs, opened and closed together. */
#pragma once

#include "base/err.h"
#include "live/access.h"
#include "live/feed.h"

struct io_http;
struct io_loop;

struct live_session {
    struct io_loop *loop;
    struct io_http *http;
    struct live_access *access;
    struct live_feed *feed;
};

/* `agent` is the User-Agent. Errors: those of live_access_open; ERR_IO. Nothing is open then. */
MUST_CHECK bool live_session_open(const struct live_access_settings *access,
                                  const struct live_feed_settings *feed, const char *agent,
                                  struct live_session *ret_session, struct err *err);
void live_session_close(struct live_session *session); /* one that is not open is fine */

/* "<address> (<source>)" in front of an error of the server's. Returns false. */
bool live_session_wrap(const struct live_session *session, struct err *err);

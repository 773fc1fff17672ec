/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "live/session.h"

#include "io/http.h"
#include "io/loop.h"

bool live_session_open(const struct live_access_settings *access,
                       const struct live_feed_settings *feed, const char *agent,
                       struct live_session *ret_session, struct err *err)
{
    struct live_session session = {.loop = NULL};
    if (!io_loop_new(&session.loop, err) || !io_http_new(session.loop, agent, &session.http, err) ||
        !live_access_open(session.loop, session.http, access, &session.access, err)) {
        live_session_close(&session);
        return false;
    }
    session.feed = live_feed_new(session.loop, session.http, session.access, feed);
    *ret_session = session;
    return true;
}

void live_session_close(struct live_session *session)
{
    live_feed_free(session->feed);
    live_access_free(session->access);
    io_http_free(session->http);
    io_loop_free(session->loop);
    *session = (struct live_session){.loop = NULL};
}

bool live_session_wrap(const struct live_session *session, struct err *err)
{
    return err_wrap(err, STR_FMT " (" STR_FMT ")", STR_ARG(live_access_address(session->access)),
                    STR_ARG(live_access_source(session->access)));
}

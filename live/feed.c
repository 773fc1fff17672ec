/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "live/feed.h"

#include "base/arena.h"
#include "base/pace.h"
#include "base/vec.h"
#include "io/http.h"
#include "io/loop.h"
#include "live/access.h"

enum { PER_S = 200, BURST = 300, AT_A_TIME = 4, REFUSED = 401 };

struct member {
    struct live_feed *feed;
    struct k8s_watch *watch;
    struct io_timer timer;
    uint64_t request;     /* 0: none under way */
    uint64_t credentials; /* that it was sent with: n_renewals at that time */
    bool once, done, waits_for_renewal;
};

struct live_feed {
    struct arena arena;
    struct io_loop *loop;
    struct io_http *http;
    struct live_access *access;
    struct bucket bucket;
    struct io_timer renew_timer;
    VEC(struct member *) members;
    uint32_t n_at_a_time, n_listing;
    uint64_t n_renewals;
    bool renew, fresh; /* fresh: members were added or could go on now */
    bool has_renewal_error;
    struct err renewal_error;
};

/* ---- the answer ---- */

static void on_head(void *ctx, const struct http_head *head)
{
    struct member *member = ctx;
    k8s_watch_head(member->watch, io_loop_now(member->feed->loop), head);
}

static bool on_body(void *ctx, struct str bytes)
{
    struct member *member = ctx;
    return k8s_watch_body(member->watch, io_loop_now(member->feed->loop), bytes);
}

static void on_end(void *ctx, enum http_end end, struct str why)
{
    struct member *member = ctx;
    struct live_feed *feed = member->feed;
    member->request = 0;
    feed->n_listing -= member->once;
    k8s_watch_end(member->watch, io_loop_now(feed->loop), end, why);
    if (k8s_watch_state(member->watch).status == REFUSED) {
        /* Plugins may run for a while, which no callback may. */
        member->waits_for_renewal = member->credentials == feed->n_renewals;
        feed->renew = feed->renew || member->waits_for_renewal;
    }
    feed->fresh = true;
}

/* ---- asking ---- */

static void wait_until(struct member *member, mono_t at)
{
    io_timer_set(member->feed->loop, &member->timer, at);
}

static void ask(struct member *member, const struct http_request *request)
{
    struct live_feed *feed = member->feed;
    struct io_http_events events = {.ctx = member, .head = on_head, .body = on_body, .end = on_end};
    struct err err;
    feed->n_listing += member->once;
    member->credentials = feed->n_renewals;
    if (!io_http_start(live_access_server(feed->access), request, &events, &member->request,
                       &err)) {
        on_end(member, HTTP_OTHER, str_of(err.text));
    }
}

/* Lets the watch do what it wants to do now. */
static void pump(struct member *member)
{
    struct live_feed *feed = member->feed;
    struct http_request request;
    mono_t now = io_loop_now(feed->loop), at = now;
    if (member->request != 0 || member->done || member->waits_for_renewal) {
        return;
    }
    if (member->once && feed->n_listing >= feed->n_at_a_time) {
        return; /* the end of another one comes back here */
    }
    enum k8s_watch_want want = k8s_watch_next(member->watch, now, &request, &at);
    switch (want) {
    case K8S_WATCH_ASK:
        ask(member, &request);
        break;
    case K8S_WATCH_WAIT:
        wait_until(member, at);
        break;
    case K8S_WATCH_DONE:
        member->done = true;
        break;
    case K8S_WATCH_BUSY:
        break;
    }
}

static void on_due(void *ctx, mono_t now)
{
    struct member *member = ctx;
    (void)now;
    member->feed->fresh = true;
}

static void on_renew_due(void *ctx, mono_t now)
{
    struct live_feed *feed = ctx;
    (void)now;
    feed->renew = true;
}

/* Everybody who can go on does; the rate decides who waits. */
static void pump_all(struct live_feed *feed)
{
    feed->fresh = false;
    for (size_t i = 0; i < feed->members.n; i++) {
        struct member *member = feed->members.v[i];
        mono_t now = io_loop_now(feed->loop), at = now;
        if (member->request != 0 || member->done || member->waits_for_renewal ||
            member->timer.place != 0) {
            continue;
        }
        if (!bucket_take(&feed->bucket, now, &at)) {
            wait_until(member, at);
            continue;
        }
        pump(member);
        if (member->request == 0) {
            bucket_give_back(&feed->bucket);
        }
    }
}

/* ---- credentials ---- */

static void renew(struct live_feed *feed)
{
    feed->renew = false;
    feed->n_renewals++;
    feed->has_renewal_error = !live_access_renew(feed->access, &feed->renewal_error);
    for (size_t i = 0; i < feed->members.n; i++) {
        feed->members.v[i]->waits_for_renewal = false;
    }
    feed->fresh = true;
}

static void set_renewal(struct live_feed *feed)
{
    mono_t at = live_access_renew_at(feed->access);
    if (at != INT64_MAX) {
        io_timer_set(feed->loop, &feed->renew_timer, at);
    }
}

/* ---- all of it ---- */

struct live_feed *live_feed_new(struct io_loop *loop, struct io_http *http,
                                struct live_access *access,
                                const struct live_feed_settings *settings)
{
    struct arena arena = ARENA_INIT;
    struct live_feed *feed = ARENA_NEW(&arena, struct live_feed);
    feed->arena = arena;
    feed->loop = loop;
    feed->http = http;
    feed->access = access;
    feed->bucket.per_s = settings->per_s > 0 ? settings->per_s : PER_S;
    feed->bucket.burst = settings->burst > 0 ? settings->burst : BURST;
    feed->n_at_a_time = settings->n_at_a_time > 0 ? settings->n_at_a_time : (uint32_t)AT_A_TIME;
    feed->renew_timer = (struct io_timer){.fn = on_renew_due, .ctx = feed};
    set_renewal(feed);
    return feed;
}

void live_feed_free(struct live_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    for (size_t i = 0; i < feed->members.n; i++) {
        struct member *member = feed->members.v[i];
        io_http_cancel(feed->http, member->request);
        io_timer_stop(feed->loop, &member->timer);
        k8s_watch_free(member->watch);
    }
    io_timer_stop(feed->loop, &feed->renew_timer);
    struct arena arena = feed->arena;
    arena_done(&arena);
}

uint32_t live_feed_add(struct live_feed *feed, const struct k8s_watch_settings *settings,
                       const struct k8s_receiver *receiver)
{
    struct member *member = ARENA_NEW(&feed->arena, struct member);
    member->feed = feed;
    member->watch = k8s_watch_new(settings, receiver);
    member->timer = (struct io_timer){.fn = on_due, .ctx = member};
    member->once = settings->once;
    VEC_PUSH(&feed->arena, &feed->members, member);
    feed->fresh = true;
    return (uint32_t)feed->members.n - 1;
}

bool live_feed_turn(struct live_feed *feed, struct err *err)
{
    if (feed->renew) {
        renew(feed);
        set_renewal(feed);
    }
    while (feed->fresh) { /* a request that cannot even start is over at once */
        pump_all(feed);
    }
    return live_feed_all_done(feed) || io_loop_turn(feed->loop, err);
}

uint32_t live_feed_count(const struct live_feed *feed)
{
    return (uint32_t)feed->members.n;
}

const struct k8s_watch *live_feed_watch(const struct live_feed *feed, uint32_t i)
{
    return feed->members.v[i]->watch;
}

bool live_feed_is_done(const struct live_feed *feed, uint32_t i)
{
    return feed->members.v[i]->done;
}

bool live_feed_all_done(const struct live_feed *feed)
{
    for (size_t i = 0; i < feed->members.n; i++) {
        if (!feed->members.v[i]->done) {
            return false;
        }
    }
    return true;
}

bool live_feed_renewal_error(const struct live_feed *feed, struct err *ret_err)
{
    if (feed->has_renewal_error) {
        *ret_err = feed->renewal_error;
    }
    return feed->has_renewal_error;
}

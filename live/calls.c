/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "live/calls.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/pace.h"
#include "io/http.h"
#include "io/loop.h"
#include "live/access.h"

enum { PER_S = 200, BURST = 300, AT_A_TIME = 64, REFUSED = 401 };

struct call {
    struct call *next; /* of those that wait, or of those under way */
    struct live_calls *calls;
    struct arena arena;
    struct http_request request;
    live_may_fn may; /* NULL: always */
    live_answer_fn fn;
    void *ctx;
    uint64_t id, credentials; /* that it was sent with: n_renewals at that time */
    bool again;               /* it has been sent with credentials that were refused */
    struct live_answer answer;
    struct strbuf body;
};

struct live_calls {
    struct arena arena;
    struct io_loop *loop;
    struct io_http *http;
    struct live_access *access;
    struct bucket bucket;
    struct io_timer timer, renew_timer;
    uint32_t at_a_time, n_waiting, n_under_way;
    struct call *first, **last; /* waiting, in order */
    struct call *under_way;
    uint64_t n_renewals;
    bool renew;
};

/* ---- those that wait ---- */

static void append(struct live_calls *calls, struct call *call)
{
    call->next = NULL;
    *calls->last = call;
    calls->last = &call->next;
    calls->n_waiting++;
}

static struct call *take_first(struct live_calls *calls)
{
    struct call *call = calls->first;
    calls->first = call->next;
    calls->last = call->next == NULL ? &calls->first : calls->last;
    calls->n_waiting--;
    return call;
}

static void leave(struct live_calls *calls, struct call *call)
{
    struct call **at = &calls->under_way;
    while (*at != call) {
        at = &(*at)->next;
    }
    *at = call->next;
    calls->n_under_way--;
}

static void call_free(struct call *call)
{
    struct arena arena = call->arena;
    arena_done(&arena);
}

/* ---- the answer ---- */

static void on_head(void *ctx, const struct http_head *head)
{
    struct call *call = ctx;
    call->answer.status = head->status;
    call->answer.retry_after_ms = head->retry_after_ms;
}

static bool on_body(void *ctx, struct str bytes)
{
    struct call *call = ctx;
    strbuf_add(&call->body, bytes);
    return !call->body.overflow;
}

static void on_end(void *ctx, enum http_end end, struct str why)
{
    struct call *call = ctx;
    struct live_calls *calls = call->calls;
    leave(calls, call);
    if (call->answer.status == REFUSED && !call->again) {
        /* Plugins may run for a while, which no callback may: the next turn does it. */
        call->again = true;
        calls->renew = calls->renew || call->credentials == calls->n_renewals;
        append(calls, call);
        return;
    }
    call->answer.end = end;
    call->answer.why = why;
    call->answer.body = strbuf_str(&call->body);
    call->fn(call->ctx, &call->answer);
    call_free(call);
}

/* ---- sending ---- */

static void send_call(struct live_calls *calls, struct call *call)
{
    struct io_http_events events = {.ctx = call, .head = on_head, .body = on_body, .end = on_end};
    struct err err;
    call->answer = (struct live_answer){.status = 0};
    call->body = strbuf_new(&call->arena, call->request.body_max);
    call->credentials = calls->n_renewals;
    call->next = calls->under_way;
    calls->under_way = call;
    calls->n_under_way++;
    if (call->may != NULL && !call->may(call->ctx)) {
        on_end(call, HTTP_STOPPED, STR("it may not be sent any more"));
        return;
    }
    if (!io_http_start(live_access_server(calls->access), &call->request, &events, &call->id,
                       &err)) {
        on_end(call, HTTP_OTHER, str_of(err.text));
    }
}

static void pump(struct live_calls *calls)
{
    mono_t now = io_loop_now(calls->loop), at = now;
    while (calls->first != NULL && calls->n_under_way < calls->at_a_time) {
        if (!bucket_take(&calls->bucket, now, &at)) {
            io_timer_set(calls->loop, &calls->timer, at);
            return;
        }
        send_call(calls, take_first(calls));
    }
}

static void on_due(void *ctx, mono_t now)
{
    (void)ctx; /* the turn that follows sends */
    (void)now;
}

static void on_renew_due(void *ctx, mono_t now)
{
    struct live_calls *calls = ctx;
    (void)now;
    calls->renew = true;
}

static void set_renewal(struct live_calls *calls)
{
    mono_t at = live_access_renew_at(calls->access);
    if (at != INT64_MAX) {
        io_timer_set(calls->loop, &calls->renew_timer, at);
    }
}

/* ---- all of it ---- */

struct live_calls *live_calls_new(struct io_loop *loop, struct io_http *http,
                                  struct live_access *access,
                                  const struct live_calls_settings *settings)
{
    struct arena arena = ARENA_INIT;
    struct live_calls *calls = ARENA_NEW(&arena, struct live_calls);
    calls->loop = loop;
    calls->http = http;
    calls->access = access;
    calls->bucket.per_s = settings->per_s > 0 ? settings->per_s : PER_S;
    calls->bucket.burst = settings->burst > 0 ? settings->burst : BURST;
    calls->at_a_time = settings->at_a_time > 0 ? settings->at_a_time : (uint32_t)AT_A_TIME;
    calls->last = &calls->first;
    calls->timer = (struct io_timer){.fn = on_due, .ctx = calls};
    calls->renew_timer = (struct io_timer){.fn = on_renew_due, .ctx = calls};
    set_renewal(calls);
    calls->arena = arena;
    return calls;
}

void live_calls_free(struct live_calls *calls)
{
    if (calls == NULL) {
        return;
    }
    for (struct call *call = calls->under_way, *next; call != NULL; call = next) {
        next = call->next;
        io_http_cancel(calls->http, call->id);
        call_free(call);
    }
    while (calls->first != NULL) {
        call_free(take_first(calls));
    }
    io_timer_stop(calls->loop, &calls->timer);
    io_timer_stop(calls->loop, &calls->renew_timer);
    struct arena arena = calls->arena;
    arena_done(&arena);
}

bool live_calls_start(struct live_calls *calls, const struct http_request *request,
                      live_answer_fn fn, void *ctx, struct err *err)
{
    return live_calls_start_if(calls, request, /* may= */ NULL, fn, ctx, err);
}

bool live_calls_start_if(struct live_calls *calls, const struct http_request *request,
                         live_may_fn may, live_answer_fn fn, void *ctx, struct err *err)
{
    struct arena arena = ARENA_INIT;
    if (calls->n_waiting >= LIMIT_CALLS_WAITING) {
        return err_set(err, ERR_LIMIT, "more than %d requests wait (LIMIT_CALLS_WAITING)",
                       LIMIT_CALLS_WAITING);
    }
    struct call *call = ARENA_NEW(&arena, struct call);
    struct http_header *headers = ARENA_ARRAY(&arena, struct http_header, request->n_headers);
    for (size_t i = 0; i < request->n_headers; i++) {
        headers[i] = (struct http_header){.name = str_copy(&arena, request->headers[i].name),
                                          .value = str_copy(&arena, request->headers[i].value)};
    }
    call->request = *request;
    call->request.path = str_copy(&arena, request->path);
    call->request.accept = str_copy(&arena, request->accept);
    call->request.content_type = str_copy(&arena, request->content_type);
    call->request.body = str_copy(&arena, request->body);
    call->request.headers = headers;
    call->calls = calls;
    call->may = may;
    call->fn = fn;
    call->ctx = ctx;
    call->arena = arena;
    append(calls, call);
    return true;
}

void live_calls_send(struct live_calls *calls)
{
    if (calls->renew) {
        struct err ignored; /* the server's refusal of what is sent again says it */
        calls->renew = false;
        calls->n_renewals++;
        bool renewed = live_access_renew(calls->access, &ignored);
        (void)renewed;
        set_renewal(calls);
    }
    pump(calls);
}

bool live_calls_turn(struct live_calls *calls, struct err *err)
{
    live_calls_send(calls);
    return io_loop_turn(calls->loop, err);
}

uint32_t live_calls_count(const struct live_calls *calls)
{
    return calls->n_waiting + calls->n_under_way;
}

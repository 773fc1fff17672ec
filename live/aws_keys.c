/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "live/aws_keys.h"

#include <stdio.h>

#include "awsapi/skew.h"
#include "base/limits.h"
#include "base/pace.h"
#include "base/rng.h"
#include "io/clock.h"
#include "io/files.h"
#include "io/http.h"
#include "io/loop.h"
#include "live/aws_exchange.h"

enum state { IDLE, IN_ROUND, PAUSED };

enum { KEYS_TRIES = 3, PAUSE_FIRST_MS = 500, PAUSE_MAX_MS = 5000, REPLY_MAX = 4 * 1024 * 1024 };

struct live_keys {
    struct arena arena;
    struct io_loop *loop;
    struct io_http *http;
    struct aws_credentials *chain;
    struct aws_skew *skew;
    struct str ca_pem;
    live_keys_fn ended;
    void *ctx;
    struct io_http_server *server; /* of the exchange under way */
    struct live_aws_exchange exchange;
    struct io_timer timer; /* the next step is always a later turn's */
    struct rng rng;
    enum state state;
    bool clock_changed;  /* by a refusal in this round */
    uint32_t n_failures; /* in a row, of this refresh */
    uint64_t generation; /* of the keys: rounds that gave some, even the same again */
};

static wall_t now_of(const struct live_keys *keys)
{
    return aws_skew_now(keys->skew, io_loop_wall(keys->loop));
}

static void next_turn(struct live_keys *keys)
{
    io_timer_set(keys->loop, &keys->timer, io_loop_now(keys->loop));
}

/* After each answer; keys change with the last one of a round. */
static void go_on(struct live_keys *keys)
{
    struct err ignored;
    bool over = aws_credentials_next(keys->chain)->kind == AWS_WANT_NOTHING;
    keys->generation += over && !aws_credentials_failed(keys->chain, &ignored) ? 1 : 0;
    next_turn(keys);
}

/* ---- what the chain wants ---- */

static void on_reply(void *ctx, const struct aws_http_reply *reply, enum http_end end,
                     struct str why)
{
    struct live_keys *keys = ctx;
    const struct aws_http_request *request = &aws_credentials_next(keys->chain)->request;
    struct str date;
    bool is_signed =
        aws_header_find(request->headers, request->n_headers, STR("X-Amz-Date"), &date);
    (void)end;
    if (is_signed && reply != NULL && reply->status >= 400 &&
        aws_header_find(reply->headers, reply->n_headers, STR("date"), &date)) {
        keys->clock_changed =
            aws_skew_learn(keys->skew, io_loop_wall(keys->loop), date) || keys->clock_changed;
    }
    aws_credentials_reply(keys->chain, reply, why, now_of(keys));
    io_http_server_free(keys->server);
    keys->server = NULL;
    go_on(keys);
}

static void bring_reply(struct live_keys *keys, const struct aws_want *want)
{
    struct live_aws_limits limits = {.total_ms = want->timeout_ms, .body_max = REPLY_MAX};
    char address[LIMIT_NAME_BYTES * 2 + 16];
    struct str scheme = want->request.scheme, host = want->request.host;
    struct err err;
    int n =
        snprintf(address, sizeof address, STR_FMT "://" STR_FMT, STR_ARG(scheme), STR_ARG(host));
    struct io_http_settings settings = {
        .address = {.p = address,
                    .n = n < 0                        ? 0
                         : (size_t)n < sizeof address ? (size_t)n
                                                      : 0},
        .ca_pem = keys->ca_pem,
        /* Agents and the metadata service are on this machine or next to it. */
        .no_proxy = str_eq(scheme, STR("http"))};
    keys->server = io_http_server_new(keys->http, &settings);
    if (!live_aws_exchange_start(&keys->exchange, keys->http, keys->server, &want->request, &limits,
                                 on_reply, keys, &err)) {
        on_reply(keys, NULL, HTTP_OTHER, str_of(err.text));
    }
}

static void bring_file(struct live_keys *keys, const struct aws_want *want)
{
    auto_arena arena = ARENA_INIT;
    struct str text = STR_EMPTY;
    struct err ignored;
    bool found =
        io_file_read(str_cstr(&arena, want->path), LIMIT_CREDENTIAL_BYTES, &arena, &text, &ignored);
    aws_credentials_file(keys->chain, found, text, now_of(keys));
    go_on(keys);
}

/* ---- rounds ---- */

static void begin(struct live_keys *keys)
{
    keys->state = IN_ROUND;
    keys->clock_changed = false;
    aws_credentials_begin(keys->chain, now_of(keys));
    go_on(keys);
}

/* Whether the same is tried again, and after which pause. Old keys that still serve leave it to the
 * next refresh. */
static bool try_again(struct live_keys *keys, const struct err *why, int64_t *ret_pause_ms)
{
    struct aws_keys old;
    struct err ignored;
    if (keys->clock_changed) { /* the clock can change but once: what it is now, STS has said */
        *ret_pause_ms = 0;
        return true;
    }
    if (why->code != ERR_IO || keys->n_failures >= KEYS_TRIES ||
        aws_credentials_get(keys->chain, now_of(keys), &old, &ignored)) {
        return false;
    }
    *ret_pause_ms = pace_pause(keys->n_failures, PAUSE_FIRST_MS, PAUSE_MAX_MS, &keys->rng);
    return true;
}

static void end_round(struct live_keys *keys)
{
    struct err why = {.code = ERR_NONE};
    int64_t pause_ms = 0;
    bool failed = aws_credentials_failed(keys->chain, &why);
    keys->n_failures += failed ? 1 : 0;
    if (failed && try_again(keys, &why, &pause_ms)) {
        keys->state = PAUSED;
        io_timer_set(keys->loop, &keys->timer, sat_add(io_loop_now(keys->loop), pause_ms));
        return;
    }
    keys->state = IDLE;
    keys->ended(keys->ctx);
}

static void on_due(void *ctx, mono_t now)
{
    struct live_keys *keys = ctx;
    const struct aws_want *want = aws_credentials_next(keys->chain);
    (void)now;
    if (keys->state == PAUSED) {
        begin(keys);
        return;
    }
    switch (want->kind) {
    case AWS_WANT_NOTHING:
        end_round(keys);
        break;
    case AWS_WANT_FILE:
        bring_file(keys, want);
        break;
    case AWS_WANT_HTTP:
        bring_reply(keys, want);
        break;
    }
}

/* ---- the outside ---- */

struct live_keys *live_keys_new(struct io_loop *loop, struct io_http *http,
                                const struct aws_environment *environment, struct str ca_pem,
                                struct aws_skew *skew, live_keys_fn ended, void *ctx)
{
    struct arena arena = ARENA_INIT;
    struct live_keys *keys = ARENA_NEW(&arena, struct live_keys);
    *keys = (struct live_keys){.loop = loop,
                               .http = http,
                               .chain = aws_credentials_new(environment),
                               .skew = skew,
                               .ca_pem = str_copy(&arena, ca_pem),
                               .ended = ended,
                               .ctx = ctx,
                               .timer = {.fn = on_due, .ctx = keys},
                               .rng = {.state = (uint64_t)io_clock_mono_us()}};
    keys->arena = arena;
    return keys;
}

void live_keys_free(struct live_keys *keys)
{
    if (keys == NULL) {
        return;
    }
    io_timer_stop(keys->loop, &keys->timer);
    live_aws_exchange_done(&keys->exchange);
    io_http_server_free(keys->server);
    aws_credentials_free(keys->chain);
    struct arena arena = keys->arena;
    arena_done(&arena);
}

bool live_keys_refresh(struct live_keys *keys)
{
    if (keys->state == IDLE && aws_credentials_is_due(keys->chain, now_of(keys))) {
        keys->n_failures = 0;
        begin(keys);
    }
    return keys->state != IDLE;
}

bool live_keys_get(const struct live_keys *keys, struct aws_keys *ret_keys, uint64_t *ret_mark,
                   struct err *err)
{
    *ret_mark = keys->generation;
    return aws_credentials_get(keys->chain, now_of(keys), ret_keys, err);
}

void live_keys_reject(struct live_keys *keys, uint64_t mark)
{
    if (mark == keys->generation) {
        aws_credentials_reject(keys->chain);
    }
}

struct str live_keys_source(const struct live_keys *keys)
{
    return aws_credentials_source(keys->chain);
}

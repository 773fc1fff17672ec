/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "live/aws.h"

#include <assert.h>
#include <stdio.h>

#include "awsapi/endpoint.h"
#include "awsapi/skew.h"
#include "base/limits.h"
#include "base/rng.h"
#include "io/clock.h"
#include "io/http.h"
#include "io/loop.h"
#include "live/aws_environment.h"
#include "live/aws_exchange.h"
#include "live/aws_keys.h"
#include "live/aws_region.h"

enum { SILENCE_MS = 20 * 1000, TOTAL_MS = 120 * 1000 };

/* What the calls of a service share. */
struct service {
    struct service *next;
    const struct aws_service *service;
    struct aws_endpoint endpoint;
    struct io_http_server *server;
    struct aws_quota quota;
    struct aws_rate rate;
};

struct call {
    struct call *next;
    struct arena arena; /* the call itself and its input */
    struct arena page;  /* the token of the page asked for */
    struct arena round; /* of an attempt: request, results, fault */
    struct live_aws *aws;
    struct service *service; /* NULL: there is no such endpoint, `problem` says why */
    struct err problem;
    const struct aws_operation *operation;
    void *input;
    struct str token;
    struct live_aws_events events;
    struct live_aws_exchange exchange;
    struct io_timer timer;
    struct aws_attempts attempts; /* of this page */
    uint64_t keys_mark;           /* of the keys it was signed with */
    int64_t signed_ahead_ms;      /* the correction of the clock it was signed with */
    mono_t began;
    uint32_t n_pages;
    struct str page_token; /* of the page asked for; empty: the first */
    bool waits_for_keys;
};

struct live_aws {
    struct arena arena;
    struct io_loop *loop;
    struct io_http *http;
    struct live_aws_place place;
    struct aws_retry_settings retry;
    void (*ended)(void *ctx, const struct aws_operation *operation, const struct aws_fault *fault,
                  int64_t took_ms);
    void *ended_ctx;
    struct live_aws_limits limits;
    struct aws_skew skew;
    struct live_keys *keys;
    struct rng rng;
    struct service *services;
    struct call *calls;
    uint32_t n_calls;
};

/* ---- the ends of a call ---- */

static void forget(struct call *call)
{
    struct live_aws *aws = call->aws;
    struct call **at = &aws->calls;
    while (*at != call) {
        at = &(*at)->next;
    }
    *at = call->next;
    aws->n_calls--;
    io_timer_stop(aws->loop, &call->timer);
    live_aws_exchange_done(&call->exchange);
    arena_done(&call->round);
    arena_done(&call->page);
    struct arena arena = call->arena;
    arena_done(&arena);
}

/* The owner may start calls; this one is over then. */
static void finish(struct call *call, const struct aws_fault *fault)
{
    struct arena round = call->round; /* the texts of the fault */
    struct live_aws_exchange exchange = call->exchange;
    struct live_aws_events events = call->events;
    struct aws_fault told = *fault;
    const struct live_aws *aws = call->aws;
    if (aws->ended != NULL) {
        aws->ended(aws->ended_ctx, call->operation, &told, io_loop_now(aws->loop) - call->began);
    }
    call->round = ARENA_INIT;
    call->exchange = (struct live_aws_exchange){.id = 0};
    forget(call);
    events.end(events.ctx, &told);
    live_aws_exchange_done(&exchange);
    arena_done(&round);
}

static void finish_locally(struct call *call, enum aws_fault_kind kind, const struct err *why)
{
    struct aws_fault fault = {.kind = kind, .message = str_copy(&call->round, str_of(why->text))};
    finish(call, &fault);
}

static void step_at(struct call *call, mono_t at)
{
    io_timer_set(call->aws->loop, &call->timer, at);
}

/* ---- replies ---- */

/* Of calls under way together the first refusal corrects the clock for all, and those that were
 * signed before have the same reason to go again. */
static bool signed_at_wrong_time(const struct call *call, const struct aws_fault *fault)
{
    struct live_aws *aws = call->aws;
    if (fault->kind != AWS_FAULT_SKEWED && fault->kind != AWS_FAULT_BAD_KEYS) {
        return false;
    }
    (void)aws_skew_learn(&aws->skew, io_loop_wall(aws->loop), fault->date);
    int64_t change_ms = sat_sub(aws->skew.ahead_ms, call->signed_ahead_ms);
    return change_ms >= AWS_SKEW_LEAST_MS || change_ms <= -AWS_SKEW_LEAST_MS;
}

static void on_fault(struct call *call, const struct aws_fault *fault)
{
    struct live_aws *aws = call->aws;
    mono_t now = io_loop_now(aws->loop);
    bool clock_was_wrong = signed_at_wrong_time(call, fault);
    if (fault->kind == AWS_FAULT_THROTTLED) {
        aws_rate_throttled(&call->service->rate, now);
    }
    struct aws_retry retry =
        aws_retry_next(&aws->retry, call->operation, fault, call->token.n > 0, clock_was_wrong,
                       &call->attempts, &call->service->quota, &aws->rng);
    switch (retry.kind) {
    case AWS_RETRY_NEVER:
        finish(call, fault);
        return;
    case AWS_RETRY_LATER:
        step_at(call, sat_add(now, retry.wait_ms));
        return;
    case AWS_RETRY_NEW_KEYS:
        live_keys_reject(aws->keys, call->keys_mark);
        break;
    case AWS_RETRY_NEW_CLOCK:
        break;
    }
    step_at(call, now);
}

/* Asks for the next page; false: there is none. */
static bool next_page(struct call *call, const void *output, struct err *err)
{
    const struct aws_operation *operation = call->operation;
    if (!aws_next_page(operation, call->input, output)) {
        return false;
    }
    struct str *token = (struct str *)(void *)((char *)call->input + operation->in_token - 1);
    if (token->n > LIMIT_VALUE_BYTES) {
        return err_set(err, ERR_LIMIT, "a page token of more than %d bytes", LIMIT_VALUE_BYTES);
    }
    if (str_eq(*token, call->page_token)) {
        return err_set(err, ERR_PARSE, "page %u continues at itself", call->n_pages);
    }
    if (call->n_pages >= LIMIT_AWS_PAGES) {
        return err_set(err, ERR_LIMIT, "more than %d pages (LIMIT_AWS_PAGES)", LIMIT_AWS_PAGES);
    }
    /* It lies in what the next attempt forgets. */
    struct arena page = ARENA_INIT;
    call->page_token = *token = str_copy(&page, *token);
    arena_done(&call->page);
    call->page = page;
    call->attempts = (struct aws_attempts){.n = 0};
    return true;
}

static void on_output(struct call *call, const void *output)
{
    struct live_aws *aws = call->aws;
    struct aws_fault none = {.kind = AWS_FAULT_NONE};
    struct err err = {.code = ERR_NONE};
    aws_retry_succeeded(&call->attempts, &call->service->quota);
    call->n_pages++;
    bool more = call->events.page(call->events.ctx, output);
    if (!more) {
        finish(call, &none);
    } else if (next_page(call, output, &err)) {
        step_at(call, io_loop_now(aws->loop));
    } else if (err.code != ERR_NONE) {
        finish_locally(call, err.code == ERR_LIMIT ? AWS_FAULT_TOO_LARGE : AWS_FAULT_MALFORMED,
                       &err);
    } else {
        finish(call, &none);
    }
}

static enum aws_transport_end transport_of(enum http_end end)
{
    static const enum aws_transport_end ends[] = {
        [HTTP_COMPLETE] = AWS_TRANSPORT_CUT,    [HTTP_NO_ADDRESS] = AWS_TRANSPORT_REFUSED,
        [HTTP_REFUSED] = AWS_TRANSPORT_REFUSED, [HTTP_TLS] = AWS_TRANSPORT_TLS,
        [HTTP_TIMEOUT] = AWS_TRANSPORT_CUT,     [HTTP_CUT] = AWS_TRANSPORT_CUT,
        [HTTP_LIMIT] = AWS_TRANSPORT_LARGE,     [HTTP_STOPPED] = AWS_TRANSPORT_LARGE,
        [HTTP_OTHER] = AWS_TRANSPORT_CUT,
    };
    return ends[end];
}

static void on_reply(void *ctx, const struct aws_http_reply *reply, enum http_end end,
                     struct str why)
{
    struct call *call = ctx;
    struct aws_fault fault;
    struct err err = {.code = ERR_NONE};
    void *output = NULL;
    arena_reset(&call->round);
    if (reply == NULL) {
        fault = aws_fault_of_transport(transport_of(end), str_copy(&call->round, why));
        on_fault(call, &fault);
        return;
    }
    if (!aws_reply_read(call->operation, reply, &call->round, &output, &fault, &err)) {
        fault.message = str_copy(&call->round, str_of(err.text));
    }
    if (fault.kind == AWS_FAULT_NONE) {
        on_output(call, output);
    } else {
        on_fault(call, &fault);
    }
}

/* ---- sending ---- */

static void send_signed(struct call *call, const struct aws_keys *keys)
{
    struct live_aws *aws = call->aws;
    const struct service *service = call->service;
    struct aws_http_request request;
    struct str prefix;
    struct err err = {.code = ERR_NONE};
    arena_reset(&call->round);
    if (!aws_request_make(call->operation, call->input, call->token, &call->round, &request,
                          &prefix, &err)) {
        finish_locally(call, AWS_FAULT_INVALID, &err);
        return;
    }
    assert(prefix.n == 0); /* no operation of operations.txt has one */
    aws_endpoint_apply(&service->endpoint, prefix, &request, &call->round);
    struct aws_sigv4 sigv4 = {.keys = *keys,
                              .region = service->endpoint.signing_region,
                              .service = str_of(service->service->signing),
                              .now = aws_skew_now(&aws->skew, io_loop_wall(aws->loop))};
    call->signed_ahead_ms = aws->skew.ahead_ms;
    aws_sigv4_sign(&sigv4, &request, &call->round, /* ret_trace= */ NULL);
    if (!live_aws_exchange_start(&call->exchange, aws->http, service->server, &request,
                                 &aws->limits, on_reply, call, &err)) {
        struct aws_fault fault =
            aws_fault_of_transport(AWS_TRANSPORT_REFUSED, str_copy(&call->round, str_of(err.text)));
        on_fault(call, &fault);
    }
}

/* What the call can do now. */
static void step(struct call *call)
{
    struct live_aws *aws = call->aws;
    struct aws_keys keys;
    struct err err = {.code = ERR_NONE};
    mono_t at = 0;
    call->waits_for_keys = false;
    if (call->service == NULL) {
        finish_locally(call, AWS_FAULT_INVALID, &call->problem);
        return;
    }
    bool renewing = live_keys_refresh(aws->keys); /* the old keys may serve meanwhile */
    if (!live_keys_get(aws->keys, &keys, &call->keys_mark, &err)) {
        call->waits_for_keys = renewing;
        if (!renewing) {
            finish_locally(call, AWS_FAULT_NO_KEYS, &err);
        }
        return;
    }
    if (call->events.may != NULL && !call->events.may(call->events.ctx)) {
        (void)err_set(&err, ERR_CONFLICT, "it may not be sent any more");
        finish_locally(call, AWS_FAULT_CONFLICT, &err);
        return;
    }
    if (!aws_rate_take(&call->service->rate, io_loop_now(aws->loop), &at)) {
        step_at(call, at);
        return;
    }
    send_signed(call, &keys);
}

static void on_due(void *ctx, mono_t now)
{
    (void)now;
    step(ctx);
}

static void on_keys(void *ctx)
{
    struct live_aws *aws = ctx;
    for (struct call *call = aws->calls; call != NULL; call = call->next) {
        if (call->waits_for_keys) {
            step_at(call, io_loop_now(aws->loop));
        }
    }
}

/* ---- services ---- */

static struct service *service_of(struct live_aws *aws, const struct aws_service *wanted,
                                  struct err *err)
{
    for (struct service *at = aws->services; at != NULL; at = at->next) {
        if (at->service == wanted) {
            return at;
        }
    }
    struct aws_endpoint_settings settings = {.region = aws->place.region,
                                             .use_fips = aws->place.use_fips,
                                             .use_dualstack = aws->place.use_dualstack,
                                             .url = aws->place.url,
                                             .service_url = live_aws_service_url(wanted->name)};
    struct arena_mark mark = arena_mark(&aws->arena);
    struct service *service = ARENA_NEW(&aws->arena, struct service);
    *service =
        (struct service){.service = wanted, .next = aws->services, .quota = aws_quota_full()};
    if (!aws_endpoint_find(wanted, &settings, &aws->arena, &service->endpoint, err)) {
        arena_rewind(&aws->arena, mark); /* every call asks again */
        return NULL;
    }
    struct strbuf address = strbuf_new(&aws->arena, LIMIT_VALUE_BYTES);
    strbuf_addf(&address, STR_FMT "://" STR_FMT, STR_ARG(service->endpoint.scheme),
                STR_ARG(service->endpoint.host));
    struct io_http_settings http = {.address = strbuf_str(&address), .ca_pem = aws->place.ca_pem};
    service->server = io_http_server_new(aws->http, &http);
    aws->services = service;
    return service;
}

/* ---- the outside ---- */

/* Nothing names a region: perhaps the machine knows where it is. */
static bool find_region(struct io_loop *loop, struct io_http *http, struct live_aws_place *place,
                        struct arena *arena, struct err *err)
{
    if (place->region.n > 0) {
        return true;
    }
    if (aws_header_name_eq(place->environment.metadata_disabled, STR("true"))) {
        return live_aws_no_region(place, "is turned off (AWS_EC2_METADATA_DISABLED)", err);
    }
    if (!live_aws_region_ask(loop, http, place->environment.metadata_endpoint, arena,
                             &place->region, err)) {
        return err->code == ERR_NOT_FOUND ? live_aws_no_region(place, "does not say", err) : false;
    }
    place->environment.region = place->region;
    return true;
}

bool live_aws_open(struct io_loop *loop, struct io_http *http,
                   const struct live_aws_settings *settings, struct live_aws **ret_aws,
                   struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct live_aws *aws = ARENA_NEW(&arena, struct live_aws);
    struct live_aws_place place;
    bool good = live_aws_find_place(settings->region, settings->profile, &arena, &place, err);
    if (good) {
        place.region_option = settings->region_option;
        good = find_region(loop, http, &place, &arena, err);
    }
    if (!good) {
        arena_done(&arena);
        return false;
    }
    *aws = (struct live_aws){
        .loop = loop,
        .http = http,
        .place = place,
        .retry = settings->retry.max_attempts > 0 ? settings->retry : aws_retry_defaults(),
        .ended = settings->ended,
        .ended_ctx = settings->ctx,
        .limits = {.silence_ms = settings->silence_ms > 0 ? settings->silence_ms : SILENCE_MS,
                   .total_ms = settings->total_ms > 0 ? settings->total_ms : TOTAL_MS,
                   .body_max = LIMIT_AWS_REPLY_BYTES},
        .rng = {.state = (uint64_t)io_clock_mono_us()}};
    aws->arena = arena;
    aws->keys = live_keys_new(loop, http, &aws->place.environment, aws->place.ca_pem, &aws->skew,
                              on_keys, aws);
    *ret_aws = aws;
    return true;
}

void live_aws_free(struct live_aws *aws)
{
    if (aws == NULL) {
        return;
    }
    while (aws->calls != NULL) {
        forget(aws->calls);
    }
    live_keys_free(aws->keys);
    for (struct service *at = aws->services; at != NULL; at = at->next) {
        io_http_server_free(at->server);
    }
    struct arena arena = aws->arena;
    arena_done(&arena);
}

struct str live_aws_region(const struct live_aws *aws)
{
    return aws->place.region;
}

struct str live_aws_source(const struct live_aws *aws)
{
    return live_keys_source(aws->keys);
}

void live_aws_start(struct live_aws *aws, const struct aws_operation *operation, const void *input,
                    struct str token, const struct live_aws_events *events)
{
    struct arena arena = ARENA_INIT;
    struct call *call = ARENA_NEW(&arena, struct call);
    *call = (struct call){
        .aws = aws,
        .next = aws->calls,
        .operation = operation,
        .token = str_copy(&arena, token),
        .events = *events,
        .began = io_loop_now(aws->loop),
        .round = ARENA_INIT,
        .page = ARENA_INIT,
    };
    if (operation->input != NULL && input != NULL) {
        call->input = arena_copy(&arena, input, operation->input->size);
        aws_first_page(operation, call->input);
    }
    call->timer = (struct io_timer){.fn = on_due, .ctx = call};
    call->service = service_of(aws, operation->service, &call->problem);
    call->arena = arena;
    aws->calls = call;
    aws->n_calls++;
    step_at(call, io_loop_now(aws->loop));
}

uint32_t live_aws_count(const struct live_aws *aws)
{
    return aws->n_calls;
}

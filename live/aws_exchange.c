/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "live/aws_exchange.h"

#include "base/limits.h"
#include "io/http.h"

static void on_head(void *ctx, const struct http_head *head)
{
    struct live_aws_exchange *exchange = ctx;
    struct aws_header *headers = ARENA_ARRAY(&exchange->arena, struct aws_header, head->n_headers);
    for (size_t i = 0; i < head->n_headers; i++) {
        headers[i] =
            (struct aws_header){.name = str_copy(&exchange->arena, head->headers[i].name),
                                .value = str_copy(&exchange->arena, head->headers[i].value)};
    }
    exchange->reply = (struct aws_http_reply){
        .status = head->status, .headers = headers, .n_headers = head->n_headers};
}

/* Bodies above their maximum never come here: io/http.h ends the request. */
static bool on_body(void *ctx, struct str bytes)
{
    struct live_aws_exchange *exchange = ctx;
    strbuf_add(&exchange->body, bytes);
    return !exchange->body.overflow;
}

static void on_end(void *ctx, enum http_end end, struct str why)
{
    struct live_aws_exchange *exchange = ctx;
    exchange->id = 0;
    exchange->reply.body = strbuf_str(&exchange->body);
    exchange->fn(exchange->ctx, end == HTTP_COMPLETE ? &exchange->reply : NULL, end,
                 str_copy(&exchange->arena, why));
}

static enum http_method method_of(struct str name)
{
    static const struct {
        struct str name;
        enum http_method method;
    } methods[] = {{STR("GET"), HTTP_GET},
                   {STR("PUT"), HTTP_PUT},
                   {STR("PATCH"), HTTP_PATCH},
                   {STR("DELETE"), HTTP_DELETE}};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (str_eq(name, methods[i].name)) {
            return methods[i].method;
        }
    }
    return HTTP_POST;
}

bool live_aws_exchange_start(struct live_aws_exchange *exchange, struct io_http *http,
                             struct io_http_server *server, const struct aws_http_request *request,
                             const struct live_aws_limits *limits, live_aws_reply_fn fn, void *ctx,
                             struct err *err)
{
    struct io_http_events events = {
        .ctx = exchange, .head = on_head, .body = on_body, .end = on_end};
    struct http_header headers[AWS_HEADERS_MAX];
    struct http_request sent = {.method = method_of(request->method),
                                .body = request->body,
                                .headers = headers,
                                .silence_ms = limits->silence_ms,
                                .total_ms = limits->total_ms,
                                .body_max = limits->body_max};
    arena_reset(&exchange->arena);
    exchange->http = http;
    exchange->fn = fn;
    exchange->ctx = ctx;
    exchange->reply = (struct aws_http_reply){.status = 0};
    exchange->body = strbuf_new(&exchange->arena, limits->body_max);
    struct strbuf path =
        strbuf_new(&exchange->arena, (size_t)LIMIT_AWS_REQUEST_BYTES + LIMIT_NAME_BYTES);
    strbuf_add(&path, request->path);
    strbuf_add(&path, request->query.n > 0 ? STR("?") : STR_EMPTY);
    strbuf_add(&path, request->query);
    sent.path = strbuf_str(&path);
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct aws_header *header = &request->headers[i];
        if (aws_header_name_eq(header->name, STR("Content-Type"))) {
            sent.content_type = header->value;
        } else if (aws_header_name_eq(header->name, STR("Accept"))) {
            sent.accept = header->value;
        } else {
            headers[sent.n_headers++] =
                (struct http_header){.name = header->name, .value = header->value};
        }
    }
    return io_http_start(server, &sent, &events, &exchange->id, err);
}

void live_aws_exchange_done(struct live_aws_exchange *exchange)
{
    if (exchange->http != NULL) {
        io_http_cancel(exchange->http, exchange->id);
    }
    arena_done(&exchange->arena);
    *exchange = (struct live_aws_exchange){.id = 0};
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "live/aws_region.h"

#include "awsapi/endpoint.h"
#include "awsapi/message.h"
#include "base/arena.h"
#include "io/http.h"
#include "io/loop.h"
#include "live/aws_exchange.h"

enum {
    TIMEOUT_MS = 2000, /* off EC2 nobody answers */
    BODY_MAX = 4096,
    TOKEN_MAX = 1024,
    REGION_MAX = 63,
    OK = 200
};

struct question {
    struct live_aws_exchange exchange;
    struct arena *arena;
    bool over;
    struct str body; /* of a good answer; empty: there was none */
};

static void on_reply(void *ctx, const struct aws_http_reply *reply, enum http_end end,
                     struct str why)
{
    struct question *q = ctx;
    (void)end;
    (void)why;
    q->over = true;
    q->body = reply != NULL && reply->status == OK ? str_copy(q->arena, str_trim(reply->body))
                                                   : STR_EMPTY;
}

/* The body of a good answer, or empty. False: the loop has failed. */
static bool ask(struct question *q, struct io_loop *loop, struct io_http *http,
                struct io_http_server *server, const struct aws_http_request *request,
                struct err *err)
{
    const struct live_aws_limits limits = {.total_ms = TIMEOUT_MS, .body_max = BODY_MAX};
    struct err ignored;
    bool good = true;
    q->body = STR_EMPTY;
    q->over = !live_aws_exchange_start(&q->exchange, http, server, request, &limits, on_reply, q,
                                       &ignored);
    while (good && !q->over) {
        good = io_loop_turn(loop, err);
    }
    live_aws_exchange_done(&q->exchange);
    return good;
}

static bool is_text(struct str text, size_t max)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= ' ' || text.p[i] >= 127) {
            return false;
        }
    }
    return text.n > 0 && text.n <= max;
}

static bool is_region(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return false;
        }
    }
    return text.n > 0 && text.n <= REGION_MAX;
}

/* Token first, then the region. */
static bool ask_both(struct question *q, struct io_loop *loop, struct io_http *http,
                     struct io_http_server *server, struct str base_path, struct err *err)
{
    struct strbuf token_path = strbuf_new(q->arena, 1024), region_path = strbuf_new(q->arena, 1024);
    struct aws_http_request request = {.method = STR("PUT")};
    strbuf_add(&token_path, base_path);
    strbuf_add(&token_path, STR("/latest/api/token"));
    strbuf_add(&region_path, base_path);
    strbuf_add(&region_path, STR("/latest/meta-data/placement/region"));
    request.path = strbuf_str(&token_path);
    aws_http_add(&request, STR("X-aws-ec2-metadata-token-ttl-seconds"), STR("60"));
    if (!ask(q, loop, http, server, &request, err)) {
        return false;
    }
    if (!is_text(q->body, TOKEN_MAX)) {
        q->body = STR_EMPTY;
        return true;
    }
    request = (struct aws_http_request){.method = STR("GET"), .path = strbuf_str(&region_path)};
    aws_http_add(&request, STR("X-aws-ec2-metadata-token"), q->body);
    return ask(q, loop, http, server, &request, err);
}

bool live_aws_region_ask(struct io_loop *loop, struct io_http *http, struct str url,
                         struct arena *arena, struct str *ret_region, struct err *err)
{
    struct question q = {.arena = arena};
    struct aws_endpoint endpoint = {.scheme = STR("http"), .host = STR("169.254.169.254")};
    struct strbuf address = strbuf_new(arena, 1024);
    if (url.n > 0 && !aws_endpoint_parse(url, &endpoint, err)) {
        return err_wrap(err, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    }
    strbuf_addf(&address, STR_FMT "://" STR_FMT, STR_ARG(endpoint.scheme), STR_ARG(endpoint.host));
    const struct io_http_settings settings = {.address = strbuf_str(&address), .no_proxy = true};
    struct io_http_server *server = io_http_server_new(http, &settings);
    const bool good = ask_both(&q, loop, http, server, endpoint.base_path, err);
    io_http_server_free(server);
    if (!good) {
        return false;
    }
    if (!is_region(q.body)) {
        return err_set(err, ERR_NOT_FOUND, "instance metadata names no region");
    }
    *ret_region = q.body;
    return true;
}

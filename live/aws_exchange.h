/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request of awsapi/ carried over HTTP and its reply gathered whole, under caps: 64 KiB of
 * header, body_max bytes of body, a limit on silence and one on the whole. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "awsapi/message.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/http.h"

struct io_http;
struct io_http_server;

/* `reply` NULL: there was none, and `end` and `why` say what happened. Reply and texts are valid
 * until the exchange is started again or done. */
typedef void (*live_aws_reply_fn)(void *ctx, const struct aws_http_reply *reply, enum http_end end,
                                  struct str why);

struct live_aws_limits {
    int64_t silence_ms, total_ms; /* 0: none */
    size_t body_max;
};

/* Belongs to whoever embeds it; zeroed before first use. */
struct live_aws_exchange {
    struct io_http *http;
    uint64_t id; /* of the request under way; 0: none */
    struct arena arena;
    struct aws_http_reply reply;
    struct strbuf body;
    live_aws_reply_fn fn;
    void *ctx;
};

/* Sends the request to its server; fn is called from a later turn of the loop, once. Errors: those
 * of io_http_start; fn is not called then. */
MUST_CHECK bool live_aws_exchange_start(struct live_aws_exchange *exchange, struct io_http *http,
                                        struct io_http_server *server,
                                        const struct aws_http_request *request,
                                        const struct live_aws_limits *limits, live_aws_reply_fn fn,
                                        void *ctx, struct err *err);

/* Ends what is under way, without a call of fn, and frees the reply. */
void live_aws_exchange_done(struct live_aws_exchange *exchange);

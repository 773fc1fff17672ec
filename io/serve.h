/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small HTTP server on the loop, for probes, metrics and questions: libmicrohttpd inside, without
 * threads of its own.
 *
 * Only GET and HEAD are answered, without bodies of requests. Connections, their number per
 * address, their memory and their idle time are capped; nothing that a client does holds up the
 * loop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct io_loop;
struct io_serve; /* opaque */

struct io_request {
    struct str path;  /* "/debug/plan"; unescaped */
    struct str query; /* value of the argument the handler asks for; see io_request_argument */
    bool is_local;    /* the client's address is a loopback address */
    uint64_t id;      /* for io_serve_answer */
    void *connection; /* internal */
};

/* The value of an argument of the query, unescaped; empty when it is absent. Valid until the
 * request is answered. */
struct str io_request_argument(const struct io_request *request, const char *name);

struct io_answer {
    int status;
    const char *content_type; /* static */
    struct str body;          /* copied */
    /* Follows the body and is not copied, for what is megabytes: stays as it is until `done` is
     * called, once, from the loop. Only where the answer is given at once. */
    struct str tail;
    void (*done)(void *ctx);
    void *done_ctx;
};

/* Answers at once (true), or later by io_serve_answer with request->id (false). */
typedef bool (*io_serve_fn)(void *ctx, const struct io_request *request,
                            struct io_answer *ret_answer);

/* Listens on `address` ("127.0.0.1", "::1"; empty: all) and `port` (0: any). ERR_INVALID for an
 * address that is none, ERR_IO with address and reason when it cannot be had. */
MUST_CHECK bool io_serve_new(struct io_loop *loop, struct str address, uint16_t port,
                             io_serve_fn fn, void *ctx, struct io_serve **ret_serve,
                             struct err *err);
/* Whether io_serve_new would take the address for one; its ERR_INVALID. */
MUST_CHECK bool io_serve_check_address(struct str address, struct err *err);
uint16_t io_serve_port(const struct io_serve *serve);

/* An id that is over (the client has left) is fine. */
void io_serve_answer(struct io_serve *serve, uint64_t id, const struct io_answer *answer);

/* Ends all connections; NULL is fine. */
void io_serve_free(struct io_serve *serve);

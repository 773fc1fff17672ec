/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP client over the event loop: HTTP/1.1 and HTTP/2, keep-alive, TLS, proxies.
 *
 * A server is an address with what it takes to trust it and to be trusted: many requests share its
 * connections; over HTTP/2 they share one. Proxies come from the server's settings or, as curl and
 * Go read them, from https_proxy, http_proxy and no_proxy; loopback addresses are never reached
 * through a proxy of the environment. Redirects are not followed: an API that answers with one is
 * not the API. Answers may be compressed with gzip and are handed over unpacked. A peer that
 * vanishes without a word is noticed within a minute.
 *
 * All callbacks come from io_loop_turn, never from inside a call of this header. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/http.h"

struct io_http;        /* opaque */
struct io_http_server; /* opaque */
struct io_loop;

/* Who is asked, and how to trust each other. Texts are copied. */
struct io_http_settings {
    struct str address;           /* "https://10.0.0.1:6443", without a slash at the end */
    struct str ca_pem;            /* certificates to trust instead of the system's; empty: those */
    struct str cert_pem, key_pem; /* client certificate; empty: none */
    struct str server_name;       /* name in the certificate; empty: the host of the address */
    struct str proxy;    /* "http://proxy:3128", also https and socks5; empty: environment */
    bool no_proxy;       /* not even that of the environment */
    bool insecure;       /* do not check the server's certificate */
    bool no_compression; /* do not ask for gzip */
};

/* What a request tells its owner; see base/http.h. */
struct io_http_events {
    void *ctx;
    void (*head)(void *ctx, const struct http_head *head);
    bool (*body)(void *ctx, struct str bytes); /* false: no more, ends with HTTP_STOPPED */
    void (*end)(void *ctx, enum http_end end, struct str why); /* why: a sentence for a person */
};

/* `agent` is the User-Agent. Errors: ERR_IO. */
MUST_CHECK bool io_http_new(struct io_loop *loop, const char *agent, struct io_http **ret_http,
                            struct err *err);
/* Ends all requests without telling their owners; NULL is fine. Servers must be gone before. */
void io_http_free(struct io_http *http);

struct io_http_server *io_http_server_new(struct io_http *http,
                                          const struct io_http_settings *settings);
void io_http_server_free(struct io_http_server *server); /* no request may be under way */

/* "Authorization: <value>" of the requests that start from now on; empty: none. */
void io_http_server_authorize(struct io_http_server *server, struct str value);

/* A header that every request carries, such as "Impersonate-User: jane". */
void io_http_server_add_header(struct io_http_server *server, struct str line);

/* Sends the request. Its texts may go away when the call returns. *ret_id is never 0. ERR_LIMIT
 * above LIMIT_HTTP_REQUESTS; ERR_INVALID for a header that would not be one line; ERR_IO. */
MUST_CHECK bool io_http_start(struct io_http_server *server, const struct http_request *request,
                              const struct io_http_events *events, uint64_t *ret_id,
                              struct err *err);

/* The owner hears nothing more of it. An id that is over is fine. */
void io_http_cancel(struct io_http *http, uint64_t id);

uint32_t io_http_count(const struct io_http *http); /* requests under way */

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP as values: what pure code asks for, and what it is told of the answer.
 *
 * Pure clients make requests and are fed the answer piece by piece; io/http.h sends the one and
 * delivers the other. An answer is one head, any number of pieces of body (unpacked, the bytes of
 * chunked transfer taken off), and exactly one end. A request that fails before there is an answer
 * has the end only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct http_header {
    struct str name; /* any case */
    struct str value;
};

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

struct http_request {
    enum http_method method;
    struct str path;         /* "/api/v1/pods?limit=500": what follows the address of the server */
    struct str accept;       /* media type of the answer; empty: any */
    struct str content_type; /* of `body`; empty when there is none */
    struct str body;
    const struct http_header *headers; /* [n_headers] more, without those above, Host and
                                          Content-Length; no line breaks in them */
    size_t n_headers;
    int64_t silence_ms; /* ends with HTTP_TIMEOUT when nothing arrives for so long; 0: never */
    int64_t total_ms;   /* ends with HTTP_TIMEOUT when it takes longer; 0: never */
    size_t body_max;    /* ends with HTTP_LIMIT above this many unpacked bytes; 0: no maximum, for
                           answers that are taken piece by piece and not kept */
};

struct http_head {
    int status;                        /* 200, 404, ... */
    int64_t retry_after_ms;            /* of the header Retry-After; 0 when absent */
    const struct http_header *headers; /* [n_headers] as they came, valid during the call */
    size_t n_headers;
};

enum http_end {
    HTTP_COMPLETE,   /* the whole answer arrived */
    HTTP_NO_ADDRESS, /* the name of the server (or of the proxy) does not resolve */
    HTTP_REFUSED,    /* no connection: refused, unreachable, the proxy would not */
    HTTP_TLS,        /* no trust: certificate, name, protocol */
    HTTP_TIMEOUT,    /* silence_ms or total_ms */
    HTTP_CUT,        /* the connection ended inside the answer, or before it */
    HTTP_LIMIT,      /* body_max, or more header than LIMIT_HTTP_HEADER_BYTES */
    HTTP_STOPPED,    /* the receiver of the body did not want more */
    HTTP_OTHER       /* a mistake of the server's: not HTTP, broken compression, ... */
};

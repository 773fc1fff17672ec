/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An HTTP conversation with AWS as values. Pure code makes requests and reads replies; whoever owns
 * sockets carries the bytes. All strings are views into the caller's arena and live as long as
 * it. */
#pragma once

#include <stddef.h>

#include "base/str.h"

struct aws_header {
    struct str name; /* any case; compared without regard to it */
    struct str value;
};

enum { AWS_HEADERS_MAX = 48 }; /* of one request */

struct aws_http_request {
    struct str method; /* "POST" */
    struct str scheme; /* "https"; "http" only where an endpoint override or IMDS says so */
    struct str host;   /* "ec2.us-east-1.amazonaws.com", with ":port" when not the default */
    struct str path;   /* as sent, percent-encoded, begins with '/' */
    struct str query;  /* as sent, percent-encoded, without '?'; empty: none */
    struct aws_header headers[AWS_HEADERS_MAX]; /* [n_headers], without Host, Content-Length */
    size_t n_headers;
    struct str body;
};

struct aws_http_reply {
    int status;                       /* 200, 404, ... */
    const struct aws_header *headers; /* [n_headers] */
    size_t n_headers;
    struct str body; /* whole and unpacked */
};

/* Appends a header; asserts that there is room, so callers of open-ended lists check n_headers. */
void aws_http_add(struct aws_http_request *request, struct str name, struct str value);

/* The value of the first header of that name; false and empty when there is none. */
bool aws_header_find(const struct aws_header *headers, size_t n_headers, struct str name,
                     struct str *ret_value);

/* Whether two header names are the same, without regard to ASCII case. */
bool aws_header_name_eq(struct str a, struct str b);

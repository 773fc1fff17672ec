/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Services and operations as rows, and the one way from parameters to a request and from a reply to
 * results. */
#pragma once

#include <stdbool.h>

#include "awsapi/fault.h"
#include "awsapi/message.h"
#include "awsapi/shape.h"
#include "base/err.h"

struct arena;

enum aws_protocol {
    AWS_PROTOCOL_EC2,      /* form in, XML out; lists are always flat on the way in */
    AWS_PROTOCOL_QUERY,    /* form in, XML out */
    AWS_PROTOCOL_JSON,     /* JSON 1.0 and 1.1, told apart by `json_version` */
    AWS_PROTOCOL_REST_JSON /* parameters in path, query, headers and a JSON body */
};

struct aws_service {
    const char *name;     /* for people and AWS_ENDPOINT_URL_<NAME>: "EC2" */
    const char *endpoint; /* first label of its host: "ec2", "api.pricing" */
    const char *signing;  /* name in signatures: "ec2", "pricing" */
    enum aws_protocol protocol;
    const char *version;      /* EC2, QUERY: "2016-11-15" */
    const char *json_version; /* JSON: "1.0", "1.1" */
    const char *target;       /* JSON: first part of X-Amz-Target */
    bool is_global;           /* one endpoint per partition: IAM */
    bool query_compatible;    /* JSON: errors carry their old query code in a header */
};

struct aws_operation {
    const struct aws_service *service;
    const char *name;                       /* "DescribeInstances" */
    const char *method, *path;              /* NULL: POST / */
    const char *host_prefix;                /* "foo.{label}." before the host; NULL: none */
    const struct aws_shape *input, *output; /* STRUCT; NULL: nothing */
    /* Paging: offsets + 1 in the input and output structs, 0 when the operation has none. */
    uint32_t in_token, out_token; /* struct str each */
    uint32_t page_size;           /* struct opt_i64 in the input; 0: none */
    int64_t items_per_page;       /* what the catalogue of operations asks for; 0: the service's */
    uint32_t no_size_with; /* struct aws_texts in the input: ids, with which page_size may not be
                              given; 0: none */
    bool is_mutating;      /* not sent again after an unclear end unless it carries a token */
};

/* Makes the request, without host, signature and endpoint. `token` fills absent idempotency tokens:
 * a UUID of the caller's, the same for every attempt. *ret_host_prefix goes before the host, empty
 * for nearly all. Errors: ERR_INVALID for a required parameter that is absent or a label of the
 * path that is empty; ERR_LIMIT above LIMIT_AWS_REQUEST_BYTES or AWS_HEADERS_MAX. */
MUST_CHECK bool aws_request_make(const struct aws_operation *operation, const void *input,
                                 struct str token, struct arena *arena,
                                 struct aws_http_request *ret_request, struct str *ret_host_prefix,
                                 struct err *err);

/* Reads a whole reply. Status 2xx: *ret_output is the zero-initialised, filled output struct in
 * `arena` (NULL when the operation has none), and ret_fault->kind is AWS_FAULT_NONE. Anything else:
 * *ret_output is NULL and *ret_fault says what AWS said. False (then ret_fault->kind is
 * AWS_FAULT_MALFORMED) only when a 2xx reply is not what its shape demands: ERR_PARSE with a path,
 * ERR_LIMIT. */
MUST_CHECK bool aws_reply_read(const struct aws_operation *operation,
                               const struct aws_http_reply *reply, struct arena *arena,
                               void **ret_output, struct aws_fault *ret_fault, struct err *err);

/* Moves on: copies the token of `output` into `input`, where it lives as long as `output` does.
 * False when this was the last page. */
bool aws_next_page(const struct aws_operation *operation, void *input, const void *output);

/* Asks for pages of the operation's usual size, if it has one and may. */
void aws_first_page(const struct aws_operation *operation, void *input);

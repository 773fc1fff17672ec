/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AWS Signature Version 4: turns a request and a secret into a request that AWS believes.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html: a canonical form of method,
 * path, query, headers and body digest; a string to sign with time and scope; a key derived from
 * the secret by date, region and service; an HMAC-SHA256. The signature goes into the header
 * Authorization, or into the query (a presigned request, good for `expires_s`).
 *
 * Nothing here reads a clock: `now` is the caller's wall clock with the correction of skew.h. */
#pragma once

#include <stdbool.h>

#include "awsapi/message.h"
#include "base/str.h"
#include "base/units.h"

struct arena;

/* At most AWS_KEY_MAX bytes each but the token: whoever reads credentials sees to it. */
enum { AWS_KEY_MAX = 256 };

struct aws_keys {
    struct str access_key_id;
    struct str secret_access_key; /* never in an error, a log or a journal */
    struct str session_token;     /* empty for long-lived keys */
};

struct aws_sigv4 {
    struct aws_keys keys;
    struct str region, service; /* signing name, such as "ec2" */
    wall_t now;
    bool keep_path;      /* S3 only: the path is not normalized */
    bool body_header;    /* adds X-Amz-Content-Sha256 */
    bool token_unsigned; /* the session token is added after signing: a few services want it so */
    int64_t expires_s;   /* query form only: 1 to 604800 */
};

/* What was computed on the way, for tests and for telling why AWS disagrees. Holds no secret. */
struct aws_sigv4_trace {
    struct str canonical_request, string_to_sign, signature;
};

/* Adds X-Amz-Date, X-Amz-Security-Token, perhaps X-Amz-Content-Sha256, and Authorization; needs
 * room for four headers. Every header the request has is signed, and Host. `ret_trace` may be NULL.
 * Strings are made in `arena`. Cannot fail: sizes were checked when the request was made. */
void aws_sigv4_sign(const struct aws_sigv4 *sigv4, struct aws_http_request *request,
                    struct arena *arena, struct aws_sigv4_trace *ret_trace);

/* The same into the query. */
void aws_sigv4_presign(const struct aws_sigv4 *sigv4, struct aws_http_request *request,
                       struct arena *arena, struct aws_sigv4_trace *ret_trace);

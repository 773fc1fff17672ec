/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls to AWS over HTTP: what awsapi/ knows as values, done.
 *
 * A call waits for keys (live/aws_keys.h) and for the rate of its service, is signed and sent, and
 * is sent again as awsapi/retry.h says: after a pause, with fresh keys, or with a corrected clock.
 * Of an operation with pages all are fetched, one after the other. Calls run side by side; the
 * clock, the keys, and the quota and rate of each service are shared by all.
 *
 * Where and who: the settings, else the environment and files as the AWS SDKs read them:
 * AWS_REGION, AWS_DEFAULT_REGION, region of the profile, that of the instance which this runs on
 * (the loop is turned meanwhile); AWS_PROFILE; AWS_ENDPOINT_URL_<SERVICE>,
 * AWS_ENDPOINT_URL; AWS_CA_BUNDLE; AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "awsapi/operation.h"
#include "awsapi/retry.h"
#include "base/err.h"

struct aws_fault;
struct io_http;
struct io_loop;
struct live_aws; /* opaque */

struct live_aws_settings {
    struct str region, profile;      /* empty: as above */
    const char *region_option;       /* that gives the region, for errors; NULL: there is none */
    struct aws_retry_settings retry; /* zero: aws_retry_defaults */
    int64_t silence_ms, total_ms;    /* of one attempt; 0: 20 s and 2 minutes */
    /* NULL, or told of each call that ends, before its owner: what it came to, and how long it took
     * with all attempts and pages. Starts no calls. */
    void (*ended)(void *ctx, const struct aws_operation *operation, const struct aws_fault *fault,
                  int64_t took_ms);
    void *ctx;
};

/* Errors: ERR_NOT_FOUND when nothing names a region; ERR_INVALID for a region or an address that is
 * none; ERR_IO, ERR_PARSE for files that are named and cannot be read. */
MUST_CHECK bool live_aws_open(struct io_loop *loop, struct io_http *http,
                              const struct live_aws_settings *settings, struct live_aws **ret_aws,
                              struct err *err);
/* Ends all calls without telling their owners; NULL is fine. Not from a callback, and before
 * io_http_free. */
void live_aws_free(struct live_aws *aws);

struct str live_aws_region(const struct live_aws *aws);
struct str live_aws_source(const struct live_aws *aws); /* of the keys; empty before there are */

/* What a call tells its owner, from turns of the loop. `end` comes once and last, with a fault of
 * kind AWS_FAULT_NONE after a success; it is valid during the call. */
struct live_aws_events {
    void *ctx;
    /* A page, or the whole of an operation without pages; `output` (NULL when the operation has
     * none) is valid during the call. False: no more pages, the call ends with success. */
    bool (*page)(void *ctx, const void *output);
    void (*end)(void *ctx, const struct aws_fault *fault);
    /* NULL, or asked at each moment of sending: first attempts, further ones, further pages. False:
     * nothing is sent, and the call ends with AWS_FAULT_CONFLICT. */
    bool (*may)(void *ctx);
};

/* `input` is copied, but not what it points to, which must live until the end. `token`: see
 * aws_request_make; empty: none. */
void live_aws_start(struct live_aws *aws, const struct aws_operation *operation, const void *input,
                    struct str token, const struct live_aws_events *events);

uint32_t live_aws_count(const struct live_aws *aws); /* calls under way */

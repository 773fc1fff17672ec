/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether and when a call to AWS is made again: a function of the fault, what was tried before, and
 * two budgets that all calls of a service share.
 *
 *   attempts   of one call: at most `max_attempts`, waits of base/pace.h, never shorter than
 *              Retry-After
 *   quota      of a service: a retry takes tokens, a success gives back what its last retry took.
 * When a service is down the tokens run out, and calls fail at once in place of piling up (as the
 * AWS SDKs' standard mode does) rate       of a service: requests per second while it throttles;
 * see struct aws_rate
 *
 * A call that is not the same when done twice and carries no token is not made again when the
 * first may have had its effect. Skewed clocks and expired keys are mended once per call, at no
 * cost. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "awsapi/fault.h"
#include "base/units.h"

struct aws_operation;
struct rng;

struct aws_retry_settings {
    uint32_t max_attempts; /* 1: never again */
    int64_t base_ms;       /* the first wait, about */
    int64_t max_ms;        /* waits stop growing here */
};

/* Three attempts, one second, twenty seconds: what Karpenter's client does. */
struct aws_retry_settings aws_retry_defaults(void);

/* Shared by the calls of a service. */
struct aws_quota {
    int32_t tokens;
};
enum { AWS_QUOTA_TOKENS = 500, AWS_QUOTA_RETRY = 5, AWS_QUOTA_NO_REPLY = 10 };
struct aws_quota aws_quota_full(void);

/* Of one call; zero at its start. */
struct aws_attempts {
    uint32_t n;   /* faults seen */
    int32_t held; /* tokens its last retry took */
    bool keys_renewed, clock_corrected;
};

enum aws_retry_kind {
    AWS_RETRY_NEVER,    /* the fault is the call's result */
    AWS_RETRY_LATER,    /* the same bytes signed anew after `wait_ms` */
    AWS_RETRY_NEW_KEYS, /* at once, after the keys were refreshed */
    AWS_RETRY_NEW_CLOCK /* at once: the clock's correction has changed */
};

struct aws_retry {
    enum aws_retry_kind kind;
    int64_t wait_ms;
    const char *why; /* of NEVER, static: "not retryable", "attempts exhausted", ... */
};

/* What to do after a fault. `has_token`: the request carries an idempotency token.
 * `clock_was_wrong`: aws_skew_learn has just changed the correction from this reply. */
struct aws_retry aws_retry_next(const struct aws_retry_settings *settings,
                                const struct aws_operation *operation,
                                const struct aws_fault *fault, bool has_token, bool clock_was_wrong,
                                struct aws_attempts *attempts, struct aws_quota *quota,
                                struct rng *rng);

/* After a success. */
void aws_retry_succeeded(const struct aws_attempts *attempts, struct aws_quota *quota);

/* ---- rate ----
 *
 * A token bucket with room for `burst` requests. While nothing was throttled it is off and lets all
 * through. A throttled request turns it on at 7/10 of the rate then measured; every second without
 * another raises the rate by a tenth, at least by a half request per second, until it is back at
 * twice the rate that was throttled, where the bucket is off again. */
struct aws_rate {
    bool is_on;
    int64_t milli_per_s; /* requests per second, in thousandths */
    int64_t ceiling;     /* rate at which it turns itself off */
    int64_t milli;       /* requests that may go now, in thousandths */
    mono_t filled_at;    /* when `milli` was right */
    mono_t raised_at;
    mono_t second; /* begin of the second that is counted */
    uint32_t n_in_second, n_last_second;
};
enum { AWS_RATE_BURST = 1, AWS_RATE_LEAST_MILLI = 500 };

/* Whether a request may go now; takes its token. *ret_at is the time to ask again otherwise. */
bool aws_rate_take(struct aws_rate *rate, mono_t now, mono_t *ret_at);

void aws_rate_throttled(struct aws_rate *rate, mono_t now);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a call is made again, and when it must not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "awsapi/retry.h"
#include "awsapi/service_ec2.h"
#include "base/rng.h"

static const struct aws_operation *const launch = &aws_ec2_create_fleet;
static const struct aws_operation *const list = &aws_ec2_describe_instances;

static void test_table(void **state)
{
    static const struct {
        const char *name;
        struct aws_fault fault;
        bool is_launch, has_token, clock;
        enum aws_retry_kind want;
    } rows[] = {
        {"throttled", {AWS_FAULT_THROTTLED, 503}, true, false, false, AWS_RETRY_LATER},
        {"500 on a list", {AWS_FAULT_TRANSIENT, 500, .maybe_done = true}, .want = AWS_RETRY_LATER},
        {"500 on a launch", {AWS_FAULT_TRANSIENT, 500, .maybe_done = true}, .is_launch = true},
        {"500 on a launch with token",
         {AWS_FAULT_TRANSIENT, 500, .maybe_done = true},
         .is_launch = true,
         .has_token = true,
         .want = AWS_RETRY_LATER},
        {"refused before a launch",
         {AWS_FAULT_TRANSIENT, 0},
         .is_launch = true,
         .want = AWS_RETRY_LATER},
        {"denied", {AWS_FAULT_UNAUTHORIZED, 403}},
        {"bad keys", {AWS_FAULT_BAD_KEYS, 403}},
        {"bad keys by a wrong clock",
         {AWS_FAULT_BAD_KEYS, 403},
         .clock = true,
         .want = AWS_RETRY_NEW_CLOCK},
        {"skewed", {AWS_FAULT_SKEWED, 400}, .clock = true, .want = AWS_RETRY_NEW_CLOCK},
        {"skewed, and the clock is right", {AWS_FAULT_SKEWED, 400}},
        {"expired", {AWS_FAULT_EXPIRED, 400}, .want = AWS_RETRY_NEW_KEYS},
        {"no capacity", {AWS_FAULT_NO_CAPACITY, 400}},
        {"quota", {AWS_FAULT_QUOTA, 400}},
        {"not found", {AWS_FAULT_NOT_FOUND, 400}},
        {"invalid", {AWS_FAULT_INVALID, 400}},
        {"malformed", {AWS_FAULT_MALFORMED, 200, .maybe_done = true}},
        {"too large", {AWS_FAULT_TOO_LARGE, 200}},
        {"no trust", {AWS_FAULT_UNTRUSTED, 0}},
        {"dry run", {AWS_FAULT_DRY_RUN, 412}},
        {"unknown", {AWS_FAULT_UNKNOWN, 400}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct aws_retry_settings settings = aws_retry_defaults();
        struct aws_attempts attempts = {0};
        struct aws_quota quota = aws_quota_full();
        struct rng rng = {.state = i};
        struct aws_retry have =
            aws_retry_next(&settings, rows[i].is_launch ? launch : list, &rows[i].fault,
                           rows[i].has_token, rows[i].clock, &attempts, &quota, &rng);
        if (have.kind != rows[i].want || (have.kind == AWS_RETRY_NEVER && have.why == NULL)) {
            fail_msg("%s: have %d, want %d", rows[i].name, (int)have.kind, (int)rows[i].want);
        }
        if (have.kind == AWS_RETRY_NEW_KEYS || have.kind == AWS_RETRY_NEW_CLOCK) {
            /* Mended once: the same fault again is the call's result. */
            have = aws_retry_next(&settings, list, &rows[i].fault, false, rows[i].clock, &attempts,
                                  &quota, &rng);
            assert_int_equal(have.kind, AWS_RETRY_NEVER);
        }
    }
}

static void test_attempts_and_waits(void **state)
{
    struct aws_retry_settings settings = {.max_attempts = 10, .base_ms = 100, .max_ms = 1000};
    struct aws_fault fault = {AWS_FAULT_THROTTLED, 503};
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct aws_attempts attempts = {0};
        struct aws_quota quota = aws_quota_full();
        struct rng rng = {.state = seed};
        for (uint32_t n = 1; n < 10; n++) {
            struct aws_retry have =
                aws_retry_next(&settings, list, &fault, false, false, &attempts, &quota, &rng);
            assert_int_equal(have.kind, AWS_RETRY_LATER);
            assert_in_range(have.wait_ms, 50, 1500);
        }
        assert_int_equal(
            aws_retry_next(&settings, list, &fault, false, false, &attempts, &quota, &rng).kind,
            AWS_RETRY_NEVER);
        assert_int_equal(quota.tokens, AWS_QUOTA_TOKENS - 9 * AWS_QUOTA_RETRY);
    }
    struct aws_attempts attempts = {0};
    struct aws_quota quota = aws_quota_full();
    struct rng rng = {.state = 1};
    fault.has_retry_after = true;
    fault.retry_after_ms = 30000;
    assert_int_equal(
        aws_retry_next(&settings, list, &fault, false, false, &attempts, &quota, &rng).wait_ms,
        30000);
}

/* A service that is down: calls fail at once when the quota is gone, and come back as it works. */
static void test_quota(void **state)
{
    struct aws_retry_settings settings = aws_retry_defaults();
    struct aws_fault fault = {AWS_FAULT_TRANSIENT, 0};
    struct aws_quota quota = aws_quota_full();
    struct rng rng = {.state = 3};
    unsigned n_retries = 0;
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct aws_attempts attempts = {0};
        n_retries +=
            aws_retry_next(&settings, list, &fault, false, false, &attempts, &quota, &rng).kind ==
            AWS_RETRY_LATER;
    }
    assert_int_equal(n_retries, AWS_QUOTA_TOKENS / AWS_QUOTA_NO_REPLY);
    struct aws_attempts attempts = {.n = 1, .held = AWS_QUOTA_NO_REPLY};
    aws_retry_succeeded(&attempts, &quota);
    assert_int_equal(quota.tokens, AWS_QUOTA_NO_REPLY);
    for (unsigned i = 0; i < 2000; i++) {
        attempts = (struct aws_attempts){0};
        aws_retry_succeeded(&attempts, &quota);
    }
    assert_int_equal(quota.tokens, AWS_QUOTA_TOKENS);
}

/* A service with room for `limit` requests a second that throttles the rest: we come down to
 * about what it takes, and are free again when it is. */
static void test_rate(void **state)
{
    enum { LIMIT = 10, WANTED_MS = 10 };
    struct aws_rate rate = {0};
    unsigned n_sent = 0;
    unsigned n_throttled = 0;
    unsigned in_second = 0;
    mono_t at = 0;
    (void)state;
    for (mono_t now = 0; now < 120000; now += WANTED_MS) {
        in_second = now % 1000 == 0 ? 0 : in_second;
        if (!aws_rate_take(&rate, now, &at)) {
            assert_true(at > now);
            continue;
        }
        n_sent += now >= 60000;
        if (++in_second > LIMIT) {
            n_throttled += now >= 60000;
            aws_rate_throttled(&rate, now);
        }
    }
    assert_in_range(n_sent, 60 * LIMIT / 2, 60 * LIMIT * 13 / 10);
    assert_in_range(n_throttled, 0, n_sent / 10);
    assert_true(rate.is_on);
    for (mono_t now = 120000; now < 180000; now += WANTED_MS) {
        (void)aws_rate_take(&rate, now, &at);
    }
    assert_false(rate.is_on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_attempts_and_waits),
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

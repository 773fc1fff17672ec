/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/retry.h"

#include "awsapi/operation.h"
#include "base/pace.h"

enum { SECOND_MS = 1000, MILLI = 1000 };

struct aws_retry_settings aws_retry_defaults(void)
{
    return (struct aws_retry_settings){.max_attempts = 3, .base_ms = 1000, .max_ms = 20000};
}

struct aws_quota aws_quota_full(void)
{
    return (struct aws_quota){.tokens = AWS_QUOTA_TOKENS};
}

static struct aws_retry never(const char *why)
{
    return (struct aws_retry){.kind = AWS_RETRY_NEVER, .why = why};
}

static int64_t wait_of(const struct aws_retry_settings *settings, const struct aws_fault *fault,
                       uint32_t n, struct rng *rng)
{
    int64_t wait_ms = pace_pause(n, settings->base_ms, settings->max_ms, rng);
    bool asked = fault->has_retry_after && fault->retry_after_ms > wait_ms;
    return asked ? fault->retry_after_ms : wait_ms;
}

struct aws_retry aws_retry_next(const struct aws_retry_settings *settings,
                                const struct aws_operation *operation,
                                const struct aws_fault *fault, bool has_token, bool clock_was_wrong,
                                struct aws_attempts *attempts, struct aws_quota *quota,
                                struct rng *rng)
{
    int32_t cost = fault->status == 0 ? AWS_QUOTA_NO_REPLY : AWS_QUOTA_RETRY;
    bool about_time = fault->kind == AWS_FAULT_SKEWED || fault->kind == AWS_FAULT_BAD_KEYS;
    attempts->n++;
    if (clock_was_wrong && about_time && !attempts->clock_corrected) {
        attempts->clock_corrected = true;
        return (struct aws_retry){.kind = AWS_RETRY_NEW_CLOCK};
    }
    if (fault->kind == AWS_FAULT_EXPIRED && !attempts->keys_renewed) {
        attempts->keys_renewed = true;
        return (struct aws_retry){.kind = AWS_RETRY_NEW_KEYS};
    }
    if (fault->kind != AWS_FAULT_THROTTLED && fault->kind != AWS_FAULT_TRANSIENT) {
        return never("not retryable");
    }
    if (operation->is_mutating && !has_token && fault->maybe_done) {
        return never("it may have happened, and twice is not the same as once");
    }
    if (attempts->n >= settings->max_attempts) {
        return never("attempts exhausted");
    }
    if (quota->tokens < cost) {
        return never("too many retries of this service");
    }
    quota->tokens -= cost;
    attempts->held = cost;
    return (struct aws_retry){.kind = AWS_RETRY_LATER,
                              .wait_ms = wait_of(settings, fault, attempts->n, rng)};
}

void aws_retry_succeeded(const struct aws_attempts *attempts, struct aws_quota *quota)
{
    int32_t tokens = quota->tokens + (attempts->held > 0 ? attempts->held : 1);
    quota->tokens = tokens < AWS_QUOTA_TOKENS ? tokens : AWS_QUOTA_TOKENS;
}

/* ---- rate ---- */

static void count(struct aws_rate *rate, mono_t now)
{
    int64_t past_ms = sat_sub(now, rate->second);
    if (past_ms >= SECOND_MS) {
        rate->n_last_second = past_ms < 2 * SECOND_MS ? rate->n_in_second : 0;
        rate->n_in_second = 0;
        rate->second = now;
    }
}

static void raise_rate(struct aws_rate *rate, mono_t now)
{
    while (rate->is_on && sat_sub(now, rate->raised_at) >= SECOND_MS) {
        int64_t tenth = rate->milli_per_s / 10;
        rate->milli_per_s += tenth > AWS_RATE_LEAST_MILLI ? tenth : AWS_RATE_LEAST_MILLI;
        rate->raised_at += SECOND_MS;
        rate->is_on = rate->milli_per_s < rate->ceiling;
    }
}

static void fill(struct aws_rate *rate, mono_t now)
{
    int64_t past_ms = sat_sub(now, rate->filled_at);
    int64_t most = (int64_t)AWS_RATE_BURST * MILLI;
    int64_t milli = sat_add(rate->milli, muldiv_floor(past_ms, rate->milli_per_s, SECOND_MS));
    rate->milli = milli < most ? milli : most;
    rate->filled_at = now;
}

bool aws_rate_take(struct aws_rate *rate, mono_t now, mono_t *ret_at)
{
    count(rate, now);
    if (rate->is_on) {
        fill(rate, now);
        raise_rate(rate, now);
    }
    if (rate->is_on && rate->milli < MILLI) {
        *ret_at = sat_add(now, muldiv_ceil(MILLI - rate->milli, SECOND_MS, rate->milli_per_s));
        return false;
    }
    rate->milli -= rate->is_on ? MILLI : 0;
    rate->n_in_second++;
    *ret_at = now;
    return true;
}

void aws_rate_throttled(struct aws_rate *rate, mono_t now)
{
    count(rate, now);
    uint32_t most =
        rate->n_in_second > rate->n_last_second ? rate->n_in_second : rate->n_last_second;
    int64_t measured = (int64_t)most * MILLI;
    int64_t from = rate->is_on && rate->milli_per_s < measured ? rate->milli_per_s : measured;
    int64_t lower = from * 7 / 10;
    rate->ceiling = rate->is_on ? rate->ceiling : 2 * from;
    rate->ceiling =
        rate->ceiling > 4 * AWS_RATE_LEAST_MILLI ? rate->ceiling : 4 * AWS_RATE_LEAST_MILLI;
    rate->milli_per_s = lower > AWS_RATE_LEAST_MILLI ? lower : AWS_RATE_LEAST_MILLI;
    rate->milli = rate->is_on ? rate->milli : 0;
    rate->is_on = true;
    rate->filled_at = now;
    rate->raised_at = now;
}

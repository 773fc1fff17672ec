/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs the chain of awsapi/credentials.h: reads the files and asks the services that it wants, one
 * round at a time however many calls wait, and tells when a round has ended.
 *
 * A round that fails because something did not answer is made again up to KEYS_TRIES times, with
 * growing pauses, before it counts; what is configured wrongly counts at once. A refusal of STS for
 * the time of its signature corrects the clock (awsapi/skew.h) that all signatures share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "awsapi/credentials.h"
#include "base/err.h"

struct aws_skew;
struct io_http;
struct io_loop;
struct live_keys; /* opaque */

typedef void (*live_keys_fn)(void *ctx);

/* `skew` is shared with whoever signs and must outlive the keys. `ended` is called, from a turn of
 * the loop, after each round. `ca_pem` as in io/http.h. Texts are copied. */
struct live_keys *live_keys_new(struct io_loop *loop, struct io_http *http,
                                const struct aws_environment *environment, struct str ca_pem,
                                struct aws_skew *skew, live_keys_fn ended, void *ctx);
void live_keys_free(struct live_keys *keys); /* NULL is fine; ends what is under way */

/* Begins a round if keys are due and none is under way. Returns whether one is under way now. */
bool live_keys_refresh(struct live_keys *keys);

/* As aws_credentials_get; *ret_mark names the keys for live_keys_reject. */
MUST_CHECK bool live_keys_get(const struct live_keys *keys, struct aws_keys *ret_keys,
                              uint64_t *ret_mark, struct err *err);

/* AWS called these keys expired: they are fetched anew, unless newer ones are there already. */
void live_keys_reject(struct live_keys *keys, uint64_t mark);

struct str live_keys_source(const struct live_keys *keys); /* aws_credentials_source */

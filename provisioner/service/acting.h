/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hands of a replica that may act: the clients of the API server and of AWS (live/), and the
 * Lease that allows them to change something.
 *
 * Whether this replica leads is asked at each moment of sending, first attempts and later ones;
 * what may not be sent any more ends without having been sent. Once the service is asked to end
 * nothing new is sent, and the Lease is kept until what is under way has ended. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "k8s/write.h"

struct acting; /* opaque */
struct aws_fault;
struct aws_operation;
struct jsonw;
struct live_aws;
struct live_calls;
struct service;

/* Errors: those of live_aws_open; ERR_NOT_FOUND when no namespace is known for the Lease. */
MUST_CHECK bool acting_open(struct service *service, struct acting **ret_acting, struct err *err);
void acting_close(struct acting *acting); /* NULL is fine; nobody is told of what is under way */

/* Is called when something was to be sent and this replica does not lead. */
void acting_on_lost(struct acting *acting, void (*fn)(void *ctx), void *ctx);

/* For questions, which need no Lease. */
struct live_aws *acting_aws(struct acting *acting);
struct live_calls *acting_calls(struct acting *acting);

/* This replica leads, and the service has not been asked to end. */
bool acting_may(const struct acting *acting);
void acting_put_leader(const struct acting *acting, struct jsonw *w); /* leader_put */

/* To be called in every turn of the loop, outside callbacks: the Lease; what the rate allows. */
void acting_turn(struct acting *acting);
void acting_send(struct acting *acting);

/* The same once the service is asked to end. True when nothing is under way and the Lease is free.
 * Who stops calling before leaves it to expire. */
bool acting_stop(struct acting *acting);

/* The write, whose texts are copied; then fn, in a later turn. `why` is a sentence, but for
 * K8S_WRITE_DONE. What could not even be sent is K8S_WRITE_FAILED. */
typedef void (*acting_written_fn)(void *ctx, uint64_t id, const struct k8s_written *written,
                                  struct str why);
void acting_write(struct acting *acting, uint64_t id, const struct k8s_write *write,
                  acting_written_fn fn, void *ctx);

/* The call. `input` and what it points to must live until the end. `page` and `end` as in
 * live_aws_events; `why` is a sentence about the fault, for a person. */
struct acting_replies {
    void *ctx;
    void (*page)(void *ctx, uint64_t id, const void *output);
    void (*end)(void *ctx, uint64_t id, const struct aws_fault *fault, struct str why);
};
void acting_call(struct acting *acting, uint64_t id, const struct aws_operation *operation,
                 const void *input, const struct acting_replies *replies);

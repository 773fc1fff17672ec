/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What went wrong with a call to AWS, and what a caller may do about it: one taxonomy for all
 * services.
 *
 * A fault comes from a reply that is no success, from the end of a connection, or from an entry
 * of a reply that was a success otherwise (CreateFleet's errors). Its `kind` comes from the code by
 * table (fault.c), else from the status. */
#pragma once

#include <stdbool.h>

#include "awsapi/message.h"
#include "base/err.h"

struct arena;
struct aws_operation;
struct aws_service;

enum aws_fault_kind {
    AWS_FAULT_NONE,         /* it worked */
    AWS_FAULT_DRY_RUN,      /* it would have worked: DryRunOperation */
    AWS_FAULT_THROTTLED,    /* slow down, then again */
    AWS_FAULT_TRANSIENT,    /* the service or the way to it failed: again, if that is safe */
    AWS_FAULT_SKEWED,       /* our clock is wrong: correct it (skew.h), then again */
    AWS_FAULT_NO_KEYS,      /* there are none, or their source fails: nothing was sent */
    AWS_FAULT_EXPIRED,      /* the keys are: refresh them, then again */
    AWS_FAULT_BAD_KEYS,     /* unknown key, wrong secret: a person must act */
    AWS_FAULT_UNAUTHORIZED, /* IAM says no: a person must act */
    AWS_FAULT_NOT_FOUND,    /* the thing named is not there (perhaps not yet) */
    AWS_FAULT_ALREADY,      /* it is there already, or was done already */
    AWS_FAULT_NO_CAPACITY,  /* this offering has none now: take another */
    AWS_FAULT_QUOTA,        /* the account may have no more of it */
    AWS_FAULT_CONFLICT,     /* same token, other parameters; changed under us */
    AWS_FAULT_INVALID,      /* we asked for what cannot be: asking again is no use */
    AWS_FAULT_MALFORMED,    /* the reply is not what its service sends */
    AWS_FAULT_TOO_LARGE,    /* the reply is above its cap */
    AWS_FAULT_UNTRUSTED,    /* TLS: no trust */
    AWS_FAULT_UNKNOWN       /* none of these: not sent again */
};

struct aws_fault {
    enum aws_fault_kind kind;
    int status;            /* 0: there was no reply */
    struct str code;       /* as AWS writes it; empty when it did not */
    struct str message;    /* empty when there is none; may hold names, never keys */
    struct str request_id; /* empty when there is none */
    struct str date;       /* header Date, for skew.h */
    bool maybe_done;       /* the call may have had its effect: sent, and no clear answer */
    bool has_retry_after;
    int64_t retry_after_ms; /* what the service asked for */
};

/* What the way to the service did. */
enum aws_transport_end {
    AWS_TRANSPORT_REFUSED, /* nothing was sent: no address, no connection, no proxy */
    AWS_TRANSPORT_CUT, /* connection lost, or nothing came in time: the call may have happened */
    AWS_TRANSPORT_LARGE,
    AWS_TRANSPORT_TLS
};

/* Of a reply that is no 2xx. Never fails: what cannot be read is classed by its status, with
 * the beginning of the body as message when it is text. Strings are in `arena`. */
struct aws_fault aws_fault_read(const struct aws_service *service,
                                const struct aws_http_reply *reply, struct arena *arena);

struct aws_fault aws_fault_of_transport(enum aws_transport_end end, struct str message);

/* The fault as an error for a person, with what to do about it where that is known: "EC2
 * DescribeInstanceTypes: unauthorized: CODE: MESSAGE; the IAM policy must allow
 * ec2:DescribeInstanceTypes". The code is ERR_LIMIT, ERR_PARSE, ERR_NOT_FOUND, ERR_CONFLICT or
 * ERR_INVALID by kind; ERR_IO for what may pass. Returns false. */
bool aws_fault_err(const struct aws_operation *operation, const struct aws_fault *fault,
                   struct err *err);

/* By code alone, AWS_FAULT_UNKNOWN when the table does not have it. */
enum aws_fault_kind aws_fault_kind_of_code(struct str code);

/* "throttled", "no capacity", ...; static. */
const char *aws_fault_kind_name(enum aws_fault_kind kind);

/* Whether sending the same bytes again can help, given time, fresh keys or a corrected clock. */
bool aws_fault_is_retryable(enum aws_fault_kind kind);

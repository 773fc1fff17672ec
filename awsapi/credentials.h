/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where keys come from, and keeping them fresh: the chain of the AWS SDKs as a state machine.
 *
 * In this order, the first that is configured decides:
 *   environment     AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   web identity    AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE (EKS: IAM roles for service
 * accounts); the token is read anew each time, and given to the STS of the region shared files
 * ~/.aws/credentials and ~/.aws/config: keys; a role with a token file; a role with keys of a
 * source profile container       AWS_CONTAINER_CREDENTIALS_FULL_URI or ..._RELATIVE_URI (EKS Pod
 * Identity, ECS) instance        the metadata service, version 2 (a session token first)
 *
 * It does nothing itself. aws_credentials_next says what it wants: a file, an HTTP request, or
 * nothing; the caller brings it, and asks again. One round is under way at a time however
 * many calls wait for keys. Keys are renewed AWS_CREDENTIALS_EARLY_MS before they expire; while
 * that fails, the old ones serve until they expire. */
#pragma once

#include <stdbool.h>

#include "awsapi/message.h"
#include "awsapi/sigv4.h"
#include "base/err.h"
#include "base/units.h"

struct aws_credentials; /* opaque */

/* Environment variables; empty when unset. */
struct aws_environment {
    struct str access_key_id, secret_access_key, session_token;
    struct str role_arn, web_identity_token_file, role_session_name;
    struct str profile, shared_credentials_file, config_file, home;
    struct str container_full_uri, container_relative_uri;
    struct str container_token, container_token_file; /* AWS_CONTAINER_AUTHORIZATION_TOKEN[_FILE] */
    struct str metadata_disabled;                     /* AWS_EC2_METADATA_DISABLED: "true" */
    struct str metadata_endpoint;                     /* AWS_EC2_METADATA_SERVICE_ENDPOINT */
    struct str region;  /* for STS; from options, environment or metadata */
    struct str sts_url; /* AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL */
};

enum {
    AWS_CREDENTIALS_EARLY_MS = 5 * 60 * 1000, /* renewed so long before they expire */
    AWS_CREDENTIALS_PAUSE_MS = 30 * 1000      /* after a round that failed */
};

enum aws_want_kind { AWS_WANT_NOTHING, AWS_WANT_FILE, AWS_WANT_HTTP };

/* Valid until the answer is brought. */
struct aws_want {
    enum aws_want_kind kind;
    struct str path;                 /* FILE: at most LIMIT_CREDENTIAL_BYTES are wanted of it */
    struct aws_http_request request; /* HTTP: complete, signed where needed */
    int64_t timeout_ms;              /* HTTP */
};

/* Texts are copied. */
struct aws_credentials *aws_credentials_new(const struct aws_environment *environment);
void aws_credentials_free(struct aws_credentials *credentials); /* NULL is fine */

/* Whether keys should be fetched: there are none, they expire soon, or aws_credentials_reject was
 * called; and the pause after a failure is over. */
bool aws_credentials_is_due(const struct aws_credentials *credentials, wall_t now);

/* Begins a round, unless one is under way. */
void aws_credentials_begin(struct aws_credentials *credentials, wall_t now);

/* What the round wants; NOTHING: none is under way. The view ends with the answer. */
const struct aws_want *aws_credentials_next(const struct aws_credentials *credentials);

/* Answers to what was wanted. `found` false: there is no such file, or it cannot be read. */
void aws_credentials_file(struct aws_credentials *credentials, bool found, struct str text,
                          wall_t now);
/* `reply` NULL: there was none, `why` says why. */
void aws_credentials_reply(struct aws_credentials *credentials, const struct aws_http_reply *reply,
                           struct str why, wall_t now);

/* The keys, valid until the next answer; false when there are none or they have expired: *err is
 * then why the last round failed (ERR_NOT_FOUND when nothing is configured). */
MUST_CHECK bool aws_credentials_get(const struct aws_credentials *credentials, wall_t now,
                                    struct aws_keys *ret_keys, struct err *err);

/* Whether the last round failed, and why. ERR_IO: something did not answer or was overloaded, and
 * the same may work soon; anything else is for a person to mend. */
bool aws_credentials_failed(const struct aws_credentials *credentials, struct err *ret_err);

/* AWS called the keys expired: they are not given out again, and the pause after a failure ends. */
void aws_credentials_reject(struct aws_credentials *credentials);

/* Which source the keys are from: "environment", "web identity", ...; static, empty before. */
struct str aws_credentials_source(const struct aws_credentials *credentials);

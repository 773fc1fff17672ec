/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON bodies of requests and replies, by the tables of shape.h, and the same values as the AWS CLI
 * prints them. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "awsapi/shape.h"
#include "base/err.h"
#include "base/jsonw.h"

struct arena;

enum aws_json_names {
    AWS_JSON_IN,  /* a request's */
    AWS_JSON_OUT, /* a reply's */
    AWS_JSON_CLI  /* the API's own; times as ISO 8601, as `aws ... --output json` prints them */
};

/* A value as JSON; members that are absent are left out. REST members that do not travel in the
 * body are left out too, but for AWS_JSON_CLI. The caller sees to overflow of the writer's buffer.
 */
void aws_json_write(struct jsonw *w, enum aws_json_names names, const struct aws_shape *shape,
                    const void *slot, bool is_element);

/* The members of a struct only, between braces that the caller writes. */
void aws_json_write_members(struct jsonw *w, enum aws_json_names names,
                            const struct aws_shape *shape, const void *value);

/* Sets the value at `slot`, which must be zero. null is absence. Unknown members are passed over.
 * Errors: ERR_PARSE with the path of the member and what stands there. */
MUST_CHECK bool aws_json_read(const json_t *json, enum aws_json_names names,
                              const struct aws_shape *shape, struct arena *arena, void *slot,
                              bool is_element, struct err *err);

/* The members of a struct from an object; those of REST that travel elsewhere are not touched. */
MUST_CHECK bool aws_json_read_members(const json_t *json, enum aws_json_names names,
                                      const struct aws_shape *shape, struct arena *arena,
                                      void *value, struct err *err);

/* Canonical text of a JSON value, for AWS_DOCUMENT. */
struct str aws_json_document(const json_t *json, struct arena *arena);

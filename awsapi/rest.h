/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What REST adds to JSON: members that travel in the path, the query, headers, the status, or that
 * are the body themselves. */
#pragma once

#include <stdbool.h>

#include "awsapi/operation.h"

/* Fills method, path, query, headers and body. Errors as aws_request_make. */
MUST_CHECK bool aws_rest_write(const struct aws_operation *operation, const void *input,
                               struct arena *arena, struct aws_http_request *request,
                               struct err *err);

/* Fills the zeroed output. Errors as aws_reply_read. */
MUST_CHECK bool aws_rest_read(const struct aws_operation *operation,
                              const struct aws_http_reply *reply, struct arena *arena, void *output,
                              struct err *err);

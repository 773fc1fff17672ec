/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The three ways AWS writes a moment, and the one of signatures.
 *
 *   ISO 8601      2026-08-20T09:30:00Z, with fractions and offsets     EC2, query; REST bodies on
 * demand HTTP date     Thu, 20 Aug 2026 09:30:00 GMT (RFC 7231, IMF-fixdate) headers epoch
 * 1787218200, 1787218200.25, 1.78e9                     JSON basic         20260820T093000Z SigV4
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

enum aws_time_format { AWS_TIME_DEFAULT, AWS_TIME_ISO8601, AWS_TIME_HTTP, AWS_TIME_EPOCH };

enum { AWS_TIME_TEXT_MAX = 48 };

/* A view of `buffer`, which has AWS_TIME_TEXT_MAX bytes of room. `format` is not DEFAULT. */
struct str aws_time_format(wall_t time, enum aws_time_format format, char *buffer);

/* "20260820T093000Z"; the first eight characters are the date. Years 0 to 9999. */
struct str aws_time_basic(wall_t time, char *buffer);

/* Any of the first three, told apart by their look. Errors: ERR_INVALID with the text. */
MUST_CHECK bool aws_time_parse(struct str text, wall_t *ret_time, struct err *err);

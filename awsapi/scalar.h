/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single values as text, the same in queries, XML, headers and URIs: "true", "-3", "0.25", "NaN",
 * "Infinity", times, base64. JSON has its own forms (ajson.h). */
#pragma once

#include <stdbool.h>

#include "awsapi/shape.h"
#include "base/err.h"

struct arena;

/* Whether values of the shape are single values, that is neither structs, lists, maps nor
 * documents. */
bool aws_is_scalar(const struct aws_shape *shape);

/* The text of a value that is present, in `arena` or static. `time_format` is the protocol's own,
 * for shapes that do not say. */
struct str aws_scalar_text(const struct aws_shape *shape, const void *slot,
                           enum aws_time_format time_format, struct arena *arena);

/* Sets the value at `slot`; texts are kept as given, in memory of `arena`. Blanks around anything
 * but text and blobs do not count. Errors: ERR_PARSE naming the text. */
MUST_CHECK bool aws_scalar_parse(const struct aws_shape *shape, struct str text,
                                 struct arena *arena, void *slot, struct err *err);

/* "NaN", "Infinity", "-Infinity" or the shortest decimal; and back, false for anything else. */
struct str aws_double_text(double value, struct arena *arena);
MUST_CHECK bool aws_double_parse(struct str text, double *ret_value);

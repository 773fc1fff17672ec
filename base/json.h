/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cursor over a JSON value that knows where it is, so that every error says
 * `spec.template.spec.requirements[1].operator: ...`.
 *
 * A cursor is a small value that points to the cursor it came from; it is valid as long as that one
 * and the JSON tree are, which makes it a thing of the stack: make it in a block, pass it down by
 * address, never return or store it. A member that is absent or null gives a cursor whose `v` is
 * NULL, and every reader takes that for absence; a value of the wrong type is ERR_INVALID. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

struct json_at {
    const json_t *v;          /* NULL: absent or null */
    const struct json_at *up; /* NULL at the root */
    struct str key;           /* member of an object, when key.p is not NULL */
    size_t index;             /* element of an array otherwise */
};

#define auto_json CLEANUP(json_clean) json_t
void json_clean(json_t **value);

struct json_at json_at_root(const json_t *value);
struct json_at json_at_member(const struct json_at *object, const char *key);
struct json_at json_at_named(const struct json_at *object, struct str key,
                             const json_t *value); /* while iterating members */
struct json_at json_at_element(const struct json_at *array, size_t index);

/* Elements of an array, members of an object; 0 for anything else. */
size_t json_at_count(const struct json_at *at);

/* The path, such as `metadata.labels[a.b/c]` or `.` for the root; long ones lose their beginning.
 * Returns a view of `buffer`. */
struct str json_at_path(const struct json_at *at, char *buffer, size_t size);

/* Sets `err` to "<path>: <text>" and returns false. */
bool json_fail(struct err *err, enum err_code code, const struct json_at *at, const char *format,
               ...) PRINTF_LIKE(4, 5);

/* "a string", "an object", ...: what the value is, for "expected X, got Y". Static text; NULL gives
 * "nothing". */
const char *json_type_text(const json_t *value);

/* Readers: *ret_has (may be NULL: then absence is ERR_INVALID "required") says whether the value is
 * there; when it is not, the value is set to its zero. Strings are views into the JSON tree.
 * Errors: ERR_INVALID for another type, ERR_LIMIT for strings above LIMIT_VALUE_BYTES. Integers
 * accept 3 and 3.0, as Go's decoder for API objects does not, because YAML written by hand has
 * them; 1.5 and out-of-range values are ERR_INVALID. */
MUST_CHECK bool json_read_str(const struct json_at *at, bool *ret_has, struct str *ret_value,
                              struct err *err);
MUST_CHECK bool json_read_i64(const struct json_at *at, int64_t min, int64_t max, bool *ret_has,
                              int64_t *ret_value, struct err *err);
/* A number from 0 up, times 10^n_decimals. */
MUST_CHECK bool json_read_decimal(const struct json_at *at, int n_decimals, int64_t *ret_value,
                                  struct err *err);
MUST_CHECK bool json_read_bool(const struct json_at *at, bool *ret_has, bool *ret_value,
                               struct err *err);

/* ERR_INVALID unless absent or of that type. */
MUST_CHECK bool json_want_object(const struct json_at *at, struct err *err);
MUST_CHECK bool json_want_array(const struct json_at *at, struct err *err);

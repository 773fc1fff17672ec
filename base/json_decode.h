/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON text in memory to jansson values, strictly RFC 8259 in UTF-8, and faster than jansson's own
 * reader because it sees all bytes at once and need not build what nobody reads.
 *
 * The text may be the beginning of a longer one: a value that does not end within it gives
 * JSON_MORE, and the caller tries again from the value's start with more bytes. Duplicate members
 * are errors. Integers outside int64_t become doubles. Three things that are no JSON but do appear
 * in files are kept as strings, so that the reader of the field can name object, field and value:
 * NaN, Infinity and -Infinity, and numbers beyond the range of a double. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct arena;

/* Members that are checked but not built, wherever they stand: `any` by name alone, `containers`
 * only when the value is an object or a list, so that a label of that name stays. Both end with an
 * empty string. */
struct json_drop {
    const struct str *any, *containers;
};

enum json_status {
    JSON_DONE,
    JSON_MORE, /* the text ends inside the value (or right after a number that may go on) */
    JSON_BAD   /* err is set */
};

/* Decodes the value at the start of `text` (leading blanks allowed). `final`: nothing follows the
 * text. *ret_value is a new reference; *ret_used the bytes up to the value's end, or up to the
 * mistake. `drop` may be NULL; `scratch` is used and rewound. Errors: ERR_PARSE (what was expected
 * and what stands there), ERR_LIMIT (LIMIT_NESTING). */
enum json_status json_decode(struct str text, bool final, const struct json_drop *drop,
                             struct arena *scratch, json_t **ret_value, size_t *ret_used,
                             struct err *err);

/* The same for a string literal alone: *ret_string is a view of the text or of `arena`. */
enum json_status json_decode_string(struct str text, bool final, struct arena *arena,
                                    struct str *ret_string, size_t *ret_used, struct err *err);

/* A whole text that is one value, with the line in the error; *ret_value is NULL on errors. */
MUST_CHECK bool json_decode_text(struct str text, struct arena *scratch, json_t **ret_value,
                                 struct err *err);

/* Whether `key` is on the list. */
bool json_drop_any(const struct json_drop *drop, struct str key);
bool json_drop_container(const struct json_drop *drop, struct str key);

/* Bytes of blanks (space, tab, newline, carriage return) at the start. */
size_t json_blanks(const char *p, const char *end);

/* Newlines in [p, end). */
size_t json_count_lines(const char *p, const char *end);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stream of JSON or YAML documents, read from the outside inwards: one may look at what comes
 * next, go into an object or a list and take its members or elements one by one, or decode a whole
 * value. So a list of any length is read with the memory of its largest item.
 *
 * The form is told from the first byte that is no blank: '{' and '[' mean JSON documents, one after
 * the other, with "---" lines between them if need be (after which YAML may follow); anything else
 * is YAML. Empty YAML documents are passed over.
 *
 *   docs_peek -> OBJECT: docs_enter, then { docs_member -> has: docs_value or (docs_peek,
 * docs_enter, ...) } until not has
 *             -> ARRAY:  docs_enter, then { docs_element -> has: the same } until not has
 *             -> any:    docs_value takes it whole
 *             -> END
 *
 * Errors: ERR_PARSE (what was expected and what stands there; binary data, UTF-16, truncation),
 * ERR_LIMIT (LIMIT_OBJECT_BYTES of a value, LIMIT_NESTING, LIMIT_YAML_EVENTS with aliases expanded,
 * LIMIT_YAML_ANCHORS), and those of the source. docs_line then is the line of the mistake. After an
 * error only docs_line and docs_free may be called. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/json_decode.h"
#include "base/str.h"

struct arena;
struct docs; /* opaque */

enum docs_kind { DOCS_END, DOCS_OBJECT, DOCS_ARRAY, DOCS_SCALAR };

enum { DOCS_MAX_DEPTH = 4 }; /* containers entered at a time */

/* `drop` (may be NULL) says what docs_value leaves out. The arena must outlive the stream and holds
 * its buffers. */
struct docs *docs_new(struct arena *arena, struct byte_source source, const struct json_drop *drop);
void docs_free(struct docs *docs); /* NULL is fine */

/* What the next document, member value or element is; DOCS_END only between documents. In YAML,
 * what is not worth entering may show as DOCS_SCALAR: docs_value takes it all the same. */
MUST_CHECK bool docs_peek(struct docs *docs, enum docs_kind *ret_kind, struct err *err);

/* Into the object or array that docs_peek has just seen. */
MUST_CHECK bool docs_enter(struct docs *docs, struct err *err);

/* The next member's key, valid until the next docs_member; or the end of the object, which is
 * thereby left. *ret_merged: the member comes from a YAML merge and gives way to one of the same
 * name. */
MUST_CHECK bool docs_member(struct docs *docs, bool *ret_has, struct str *ret_key, bool *ret_merged,
                            struct err *err);

/* To the next element, or out of the array. */
MUST_CHECK bool docs_element(struct docs *docs, bool *ret_has, struct err *err);

/* Decodes the next document, member value or element; a new reference. YAML aliases share subtrees:
 * treat it as constant. */
MUST_CHECK bool docs_value(struct docs *docs, json_t **ret_value, struct err *err);

/* Line of what comes next, from 1; bytes consumed. */
uint64_t docs_line(struct docs *docs);
uint64_t docs_offset(struct docs *docs);

/* Exactly one document (JSON or YAML) from memory; errors carry the line. ERR_PARSE when there is
 * none, or a second one. */
MUST_CHECK bool docs_read_one(struct str text, json_t **ret_value, struct err *err);

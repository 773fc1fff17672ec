/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes in, API objects out.
 *
 * Reads one input of any form that the contract names and hands over its objects one at a time, as
 * JSON values; memory does not grow with the size of the input. The form is told from the content:
 *
 *   JSON   single objects, `List` and typed lists (PodList, whose items have no kind of their own),
 * arrays, and any number of these one after the other (NDJSON, concatenated, or with "---" between
 * them) YAML   the same, as documents; a list is read item by item here too watch  events {"type":
 * "ADDED", "object": {...}}, wherever an object may stand; bookmarks pass silently snapshot header
 * {"kind": "Snapshot", "apiVersion": "binpack/v1", ...}: counted, not handed over
 *
 * Fields that no rule reads and that make up most of a recording (managedFields, env, probes, ...)
 * are dropped while parsing, and so are empty documents. UTF-8 with or without a byte order mark.
 *
 * Everything the bytes can do wrong ends in an error with the line: ERR_PARSE for what is no JSON
 * or YAML (truncated, binary, UTF-16, ...), ERR_LIMIT for what exceeds a cap of base/limits.h,
 * named with its value. Objects handed over before that have been handed over. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/json_decode.h"
#include "base/str.h"

/* What no rule reads and makes up most of an object. */
extern const struct json_drop k8s_dropped;

/* One object of the input. */
struct k8s_read_object {
    json_t *value;        /* a JSON object, or whatever stood in the place of a list's item; belongs
                             to the reader and is gone after the call (take a reference to keep
                             it) */
    struct str list_kind; /* kind of the items of a typed list ("Pod" for a PodList) when the object
                             has no kind; else empty */
    bool removed;         /* a watch event DELETED */
    uint64_t line;        /* where the object begins in the input, from 1 */
};

/* Takes one object. False stops the reading; the error is returned with the position in front. */
typedef bool (*k8s_read_fn)(void *ctx, const struct k8s_read_object *object, struct err *err);

struct k8s_read_stats {
    uint64_t n_objects;   /* handed over */
    uint64_t n_bookmarks; /* watch events without an object to keep */
    uint64_t n_headers;   /* snapshot headers */
    uint64_t n_bytes, n_lines;
};

/* Reads a source to its end. `name` ("pods.json", "stdin") goes into errors: `pods.json:17: ...`.
 * *ret_stats may be NULL; it is set on errors too. Errors: ERR_PARSE, ERR_LIMIT as above; those of
 * the source and of `fn`. */
MUST_CHECK bool k8s_read(const char *name, struct byte_source source, k8s_read_fn fn, void *ctx,
                         struct k8s_read_stats *ret_stats, struct err *err);

/* The same for bytes in memory. */
MUST_CHECK bool k8s_read_memory(const char *name, struct str bytes, k8s_read_fn fn, void *ctx,
                                struct k8s_read_stats *ret_stats, struct err *err);

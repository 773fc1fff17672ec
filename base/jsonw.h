/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes JSON or YAML, event by event, into a strbuf: the same calls give either, so a result is
 * described once.
 *
 * The output is canonical: members in the order of the calls, one blank after a colon, no trailing
 * blanks, a newline after each top-level value. No number goes through a float. Control characters
 * (DEL and C1 too), line separators and marks that reorder text are escaped, invalid UTF-8 becomes
 * U+FFFD, so no name from outside can drive a terminal or break a line. YAML is written as kubectl
 * writes it: block style, lists not indented under their key, strings quoted exactly when a
 * YAML 1.1 reader could take them for something else.
 *
 * Wrong nesting is a mistake of the program and trips an assertion; too much output shows in the
 * strbuf's overflow. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/units.h"

enum jsonw_style {
    JSONW_COMPACT, /* one line per top-level value: NDJSON */
    JSONW_PRETTY,  /* indented by two */
    JSONW_YAML     /* documents after the first begin with "---" */
};

enum { JSONW_MAX_DEPTH = 80 };

struct jsonw {
    struct strbuf *out;
    enum jsonw_style style;
    int depth;         /* containers open */
    int opened;        /* YAML: containers whose first child has been written */
    bool has_key;      /* a key waits for its value */
    bool in_line;      /* YAML: the next line begins behind "- " */
    uint64_t n_values; /* top-level values so far */
    struct {
        bool is_array;
        int indent;
        uint64_t n;
    } level[JSONW_MAX_DEPTH];
};

/* `out` must outlive the writer. */
struct jsonw jsonw_new(struct strbuf *out, enum jsonw_style style);

void jsonw_object_begin(struct jsonw *w);
void jsonw_object_end(struct jsonw *w);
void jsonw_array_begin(struct jsonw *w);
void jsonw_array_end(struct jsonw *w);
void jsonw_key(struct jsonw *w, struct str key);
void jsonw_str(struct jsonw *w, struct str value);
void jsonw_i64(struct jsonw *w, int64_t value);
void jsonw_bool(struct jsonw *w, bool value);
void jsonw_null(struct jsonw *w);

/* value / 10^n_decimals as a decimal number without trailing zeros: 96000000 with 9 is 0.096;
 * n_decimals <= 18. */
void jsonw_decimal(struct jsonw *w, int64_t value, int n_decimals);

/* Nano-dollars as dollars. */
void jsonw_usd(struct jsonw *w, usd_t value);

/* A whole JSON tree, members sorted by key (bytewise) so that the order of input does not show. A
 * number that came from a float is written as the shortest decimal that reads back as the same
 * double. Deeper than JSONW_MAX_DEPTH: null. */
void jsonw_json(struct jsonw *w, const json_t *value);

/* Members in one call. */
void jsonw_key_str(struct jsonw *w, const char *key, struct str value);
void jsonw_key_i64(struct jsonw *w, const char *key, int64_t value);
void jsonw_key_i64s(struct jsonw *w, const char *key, const int64_t *v, size_t n); /* a list */
void jsonw_key_bool(struct jsonw *w, const char *key, bool value);
void jsonw_key_usd(struct jsonw *w, const char *key, usd_t value);
void jsonw_key_object(struct jsonw *w, const char *key); /* then members and jsonw_object_end */
void jsonw_key_array(struct jsonw *w, const char *key);  /* then elements and jsonw_array_end */

/* Appends a JSON string literal, quotes included. */
void jsonw_quote(struct strbuf *out, struct str text);

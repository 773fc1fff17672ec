/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A document writer: the same calls write JSON or YAML text.
 *
 * Every machine format of the program is described once, by a function that makes these calls, so
 * JSON and YAML can never differ in content. JSON is indented by two blanks; a container marked as
 * flow stays on one line. YAML is block style and quotes whatever a YAML 1.1 or 1.2 reader could
 * take for something other than the string it is. Control characters are always escaped. Keys are
 * written in the order of the calls; each call must be legal at its place (asserted): a key in an
 * object, then its value. */
#pragma once

#include <jansson.h>

#include "base/str.h"
#include "base/units.h"

enum docw_format { DOCW_JSON, DOCW_YAML };

enum { DOCW_DEPTH = 80 };

struct docw {
    struct strbuf *out;
    enum docw_format format;
    unsigned depth;   /* open containers */
    bool flow_next;   /* the next container is a flow one */
    bool key_pending; /* a key waits for its value */
    unsigned n_documents;
    struct docw_level {
        bool is_array, flow;
        bool bare; /* YAML: an item "- " was just written, the first line of this container
                      continues on it */
        size_t n;  /* members so far */
    } levels[DOCW_DEPTH];
};

struct docw docw_new(struct strbuf *out, enum docw_format format);

/* Starts a document: nothing for the first JSON, "---" in YAML (also for the first). Call docw_end
 * after each. */
void docw_begin(struct docw *w);
void docw_end(struct docw *w); /* ends the last line */

void docw_flow(struct docw *w); /* the next container goes on one line */
void docw_object_begin(struct docw *w);
void docw_object_end(struct docw *w);
void docw_array_begin(struct docw *w);
void docw_array_end(struct docw *w);

void docw_key(struct docw *w, struct str key);
void docw_string(struct docw *w, struct str value);
void docw_int(struct docw *w, int64_t value);
void docw_bool(struct docw *w, bool value);
void docw_null(struct docw *w);

/* value / 10^digits as an exact decimal without superfluous zeros: (221000000, 9) is 0.221; digits
 * <= 18. */
void docw_decimal(struct docw *w, int64_t value, unsigned digits);
void docw_usd(struct docw *w, usd_t price); /* US dollars from nano-dollars */

/* Any JSON value as it is, members in their order. NULL is null. */
void docw_json(struct docw *w, const json_t *value);

/* Key and value in one call; the key is NUL-terminated. */
void docw_put_string(struct docw *w, const char *key, struct str value);
void docw_put_int(struct docw *w, const char *key, int64_t value);
void docw_put_usd(struct docw *w, const char *key, usd_t price);
void docw_open_object(struct docw *w, const char *key);
void docw_open_array(struct docw *w, const char *key);

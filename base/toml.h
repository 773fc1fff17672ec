/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TOML 1.0.0 (https://toml.io/en/v1.0.0): text to a tree of values, and back.
 *
 * Reads all of TOML and refuses what it refuses: keys defined twice, tables reopened, text that is
 * not UTF-8, control characters. Floats and times are kept as their text, in TOML's own spelling,
 * because nobody here computes with them. Tables keep the order of the text. What is written reads
 * back as the same tree: literal strings where possible, one `[header]` per table, lists and the
 * tables in them on one line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct arena;

enum { TOML_MAX_BYTES = 64 * 1024 };

enum toml_kind {
    TOML_STRING,
    TOML_INTEGER,
    TOML_FLOAT, /* as text */
    TOML_BOOL,
    TOML_TIME, /* dates and times of day too, as text */
    TOML_ARRAY,
    TOML_TABLE
};

struct toml_entry;

struct toml {
    enum toml_kind kind;
    struct str text; /* STRING, FLOAT, TIME */
    int64_t integer;
    bool boolean;
    struct toml_entry *first, *last; /* TABLE: members; ARRAY: elements, their keys empty */
    uint32_t n;                      /* of members or elements */
    unsigned state;                  /* of the reader: what may still be added */
};

struct toml_entry {
    struct str key;
    struct toml *value;
    struct toml_entry *next;
};

/* A whole document; *ret_table is in `arena`. Errors with the line: ERR_PARSE; ERR_LIMIT for
 * TOML_MAX_BYTES, LIMIT_NESTING. */
MUST_CHECK bool toml_read(struct str text, struct arena *arena, struct toml **ret_table,
                          struct err *err);

/* Appends the document of a table. */
void toml_write(const struct toml *table, struct strbuf *out);

/* Making and changing trees. Texts are not copied. */
struct toml *toml_new(struct arena *arena, enum toml_kind kind);
struct toml *toml_new_text(struct arena *arena, struct str text);
struct toml *toml_new_integer(struct arena *arena, int64_t value);
struct toml *toml_new_bool(struct arena *arena, bool value);
struct toml *toml_get(const struct toml *table, struct str key); /* NULL: not there */
/* Sets a member of a table, in the place of one of that name. */
void toml_set(struct arena *arena, struct toml *table, struct str key, struct toml *value);
void toml_push(struct arena *arena, struct toml *array, struct toml *value);

/* "a string", "a table", ... */
const char *toml_kind_text(enum toml_kind kind);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The object codec: tables say how the fields of a JSON object lie in a C struct, and one engine
 * decodes, encodes, compares and hashes by them.
 *
 * A row names one JSON key, the type of its value, where it goes, its check and its default. Nested
 * objects are rows whose sub-table fills the same struct (flattened) or a part of it; arrays of
 * objects become {pointer, count}. Unknown keys are ignored, null counts as absent, a wrong JSON
 * type is an error. What no row can say is done by the hooks of a table: `decode` runs after the
 * rows have filled the struct, `encode` after the rows have filled the object. A field that only
 * hooks touch has a row with CODEC_HIDDEN, so that comparing and hashing see it.
 *
 * Errors name path and value, such as `spec.containers[1].resources.requests.cpu: "-1": must not be
 * negative`, with ERR_INVALID, or ERR_LIMIT when a cap of base/limits.h is exceeded. Strings are
 * copied or interned; nothing points into the JSON. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "k8s/values.h"

enum codec_type {
    CODEC_OBJECT,       /* nested object; sub = table, over the struct at `offset` */
    CODEC_LIST,         /* array of objects; sub = table of an element; pointer and count */
    CODEC_COUNT,        /* array of which only the length matters: uint32_t */
    CODEC_PRESENT,      /* bool: the key is there with an object; written as {"path": "/"} */
    CODEC_TEXT,         /* struct str */
    CODEC_WORD,         /* strid */
    CODEC_WORDS,        /* array of strings: struct k8s_strids */
    CODEC_PICK,         /* array of objects, the string at `text` of each that has it: k8s_strids */
    CODEC_MAP,          /* object of strings: struct k8s_pairs */
    CODEC_RESOURCES,    /* object of quantities: struct k8s_resources */
    CODEC_QUANTITY,     /* int64_t in base units */
    CODEC_OPT_QUANTITY, /* struct opt_i64 */
    CODEC_BOOL,         /* bool */
    CODEC_I32,          /* int32_t */
    CODEC_I64,          /* int64_t */
    CODEC_OPT_I32,      /* struct opt_i32 */
    CODEC_OPT_I64,      /* struct opt_i64 */
    CODEC_ENUM,         /* an enum (of the size of int), by `choices` */
    CODEC_CHOICE,       /* bool, by `choices` with values 0 and 1 */
    CODEC_TIME,         /* struct opt_wall, RFC 3339 */
    CODEC_DURATION,     /* struct karp_duration: Go syntax or "Never" */
    CODEC_INT_OR_PERCENT, /* struct k8s_int_or_percent */
    CODEC_SHAPE           /* hidden rows only: const struct k8s_pod_shape *, by content */
};

enum codec_flag {
    CODEC_REQUIRED = 1 << 0,    /* absent or empty is an error */
    CODEC_NONE = 1 << 1,        /* WORD: STRID_NONE when absent, instead of STRID_EMPTY */
    CODEC_FLOOR = 1 << 2,       /* quantities are rounded down, not up */
    CODEC_HIDDEN = 1 << 3,      /* filled and written by hooks */
    CODEC_READ_ONLY = 1 << 4,   /* decoded by the row, written by a hook */
    CODEC_FILTER = 1 << 5,      /* MAP: keep only the annotations that some rule reads */
    CODEC_WRITE_EMPTY = 1 << 6, /* written even when empty or zero */
    CODEC_DEFAULTS = 1 << 7,    /* OBJECT: when absent its rows still give their defaults */
    CODEC_FUTURE = 1 << 8,      /* TIME: may lie ahead, so it says nothing about the clock */
    CODEC_SHARED = 1 << 9       /* TEXT: many objects have the same; kept once, in `names` */
};

/* What a value must satisfy beyond its type. */
enum codec_check {
    CHECK_ANY,
    CHECK_NAME,        /* TEXT: DNS-1123 subdomain, at most 253 bytes */
    CHECK_DNS_LABEL,   /* TEXT, WORD: DNS-1123 label, at most 63 bytes */
    CHECK_LABEL_KEY,   /* WORD, WORDS: qualified name; RESOURCES: its keys */
    CHECK_LABEL_VALUE, /* WORD, WORDS */
    CHECK_LABELS,      /* MAP: keys and values */
    CHECK_RANGE,       /* numbers: min..max */
    CHECK_PRINTABLE    /* TEXT, WORD, WORDS: no control characters */
};

struct codec_choice {
    const char *text; /* NULL ends the table */
    int value;
};

struct codec_table;

struct codec_row {
    const char *key;
    enum codec_type type;
    enum codec_check check;
    unsigned flags;
    uint32_t offset;
    uint32_t n_offset; /* LIST: of the count; OBJECT: 1 + offset of a bool "it was there", or 0 */
    const struct codec_table *sub;
    const struct codec_choice *choices;
    const char *text; /* PICK: key; COUNT: key of made-up names; WORD: the default when absent */
    int64_t absent; /* numbers, BOOL, ENUM, CHOICE: the default; DURATION: in ms, or the constant */
    int64_t min, max;  /* CHECK_RANGE */
    int64_t max_items; /* LIST, COUNT, PICK, WORDS, MAP, RESOURCES; 0: LIMIT_LIST_ITEMS */
};

#define CODEC_NO_DURATION INT64_MIN

enum codec_keep { CODEC_KEEP, CODEC_DROP /* element of a list: leave it out */, CODEC_FAIL };

/* Where decoded things come from and go to. */
struct codec_in {
    struct arena *arena;   /* what is kept */
    struct arena *scratch; /* what hooks need for a moment; another arena */
    struct strtab *tab;
    struct strtab *names; /* for CODEC_SHARED; NULL: copied as any other text */
    const struct k8s_words *words;
    void *user;              /* for hooks */
    struct opt_wall *newest; /* raised to every timestamp read */
    struct err *err;
};

struct codec_out {
    struct arena *arena; /* scratch */
    const struct strtab *tab;
    const struct k8s_words *words;
    const void *user; /* for hooks */
};

struct codec_table {
    const struct codec_row *rows;
    uint32_t n_rows;
    uint32_t size; /* of the struct, for elements of lists */
    enum codec_keep (*decode)(struct codec_in *in, const struct json_at *at, void *value);
    void (*encode)(const struct codec_out *out, const void *value, json_t *object);
};

#define CODEC_ROWS(array) .rows = (array), .n_rows = sizeof(array) / sizeof((array)[0])

/* Fills `value`, which must be zero, from the object at `at`. CODEC_DROP is what a hook said.
 * CODEC_FAIL: in->err is set. */
MUST_CHECK enum codec_keep codec_decode(struct codec_in *in, const struct codec_table *table,
                                        const struct json_at *at, void *value);

/* One value of a row's type at `field`. For hooks that decode what rows cannot reach. */
MUST_CHECK bool codec_decode_row(struct codec_in *in, const struct codec_row *row,
                                 const struct json_at *at, char *field, uint32_t *ret_n);

/* The list at `at`, decoded into scratch. For hooks that keep only parts of it. */
MUST_CHECK bool codec_scratch_list(struct codec_in *in, const struct codec_table *element,
                                   const struct json_at *at, void *ret_elements, uint32_t *ret_n);

/* Adds the fields of `value` to `object`. Maps are written in the order of their keys' text. */
void codec_encode(const struct codec_out *out, const struct codec_table *table, const void *value,
                  json_t *object);

/* New references; for hooks. */
json_t *codec_text(struct str text);
json_t *codec_word(const struct codec_out *out, strid id);
json_t *codec_resources(const struct codec_out *out, const struct k8s_resources *resources);
json_t *codec_quantity(const struct codec_out *out, strid resource, int64_t value);
json_t *codec_map(const struct codec_out *out, const struct k8s_pairs *pairs);

/* The object at object.key, made when it is not there; borrowed. */
json_t *codec_child(json_t *object, const char *key);

/* By content, through all sub-tables. */
bool codec_equal(const struct codec_table *table, const void *a, const void *b);
uint64_t codec_hash(const struct codec_table *table, const void *value, uint64_t seed);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of the schema tables. Internal to k8s/schema*.c. */
#pragma once

#include "base/json.h"
#include "k8s/schema.h"

enum schema_type {
    SCHEMA_OBJECT, /* known properties */
    SCHEMA_MAP,    /* any keys, values of one kind at `path{}` */
    SCHEMA_ARRAY,  /* elements at `path[]` */
    SCHEMA_STRING,
    SCHEMA_BOOLEAN,
    SCHEMA_INTEGER,
    SCHEMA_INT32,
    SCHEMA_QUANTITY /* integer or string */
};

/* A pattern: whether a text has the form. */
struct schema_format {
    const char *hash;
    bool (*fits)(struct str text);
    const char *text; /* "must be ..." */
};

/* A CEL rule: whether the value at `at` keeps it. */
struct schema_rule {
    const char *hash;
    bool (*holds)(const struct json_at *at,
                  const struct schema_rule *rule); /* NULL: on updates only */
    const char *text;
    const char *key;         /* parameters of `holds` */
    const char *const *list; /* ends with NULL */
};

enum { SCHEMA_REQUIRED = 1, SCHEMA_SET = 2, SCHEMA_MIN = 4, SCHEMA_MAX = 8 };

struct schema_row {
    const char *path;
    enum schema_type type;
    unsigned flags;
    int64_t min, max;           /* numbers: the value; strings: bytes; lists and maps: items */
    const char *const *choices; /* ends with NULL */
    const struct schema_format *format;
    const struct schema_rule *const *rules; /* ends with NULL */
};

struct schema_kind {
    const char *kind;
    const struct schema_row *rows; /* [n_rows] a parent before its children */
    uint32_t n_rows;
};

extern const struct schema_kind schema_kinds[];
extern const uint32_t schema_n_kinds;

extern const struct schema_format format_quantity, format_ami, format_volume_size,
    format_reservation, format_account, format_eviction, format_placement, format_group,
    format_subnet, format_duration, format_duration_never, format_no_slash, format_qualified,
    format_label_value, format_price, format_change, format_budget_duration, format_budget_nodes,
    format_schedule, format_time;

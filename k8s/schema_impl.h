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

/* The form of a text. */
struct schema_format {
    const char *hash; /* of the pattern of Karpenter's CRD, or the name of the format */
    bool (*fits)(struct str text); /* what an API server asks; NULL: nothing, or not checked here */
    const char *text;              /* "must be ..." */
    const char *pattern;           /* for our CRDs; NULL: none */
    bool (*suits)(struct str text); /* what Karpenter asks besides; NULL: nothing */
};

/* A CEL rule: whether the value at `at` keeps it. */
struct schema_rule {
    const char *hash; /* of the rule of Karpenter's CRD */
    bool (*holds)(const struct json_at *at,
                  const struct schema_rule *rule); /* NULL: on updates only */
    const char *cel; /* the same for our CRDs: see k8s/schema_crd.c for what $ stands for */
    const char *text;
    const char *key;         /* parameters of `holds` */
    const char *const *list; /* ends with NULL */
};

enum {
    SCHEMA_REQUIRED = 1,
    SCHEMA_SET = 2, /* a list without duplicates */
    SCHEMA_MIN = 4,
    SCHEMA_MAX = 8,
    SCHEMA_ATOMIC = 16, /* a list or map that an apply replaces whole */
    SCHEMA_BY_TYPE = 32 /* a list with one element for each value of the member `type` */
};

struct schema_row {
    const char *path;
    enum schema_type type;
    unsigned flags;
    int64_t min, max;           /* numbers: the value; strings: bytes; lists and maps: items */
    const char *const *choices; /* ends with NULL */
    const struct schema_format *format;
    const struct schema_rule *const *rules; /* ends with NULL */
    const char *otherwise;                  /* the default, as JSON; NULL: none */
};

struct schema_kind {
    const char *kind;
    const struct schema_row *rows; /* [n_rows] a parent before its children; the spec's, then the
                                      status's */
    uint32_t n_rows;
};

extern const struct schema_kind schema_kinds[];
extern const uint32_t schema_n_kinds;

extern const struct schema_format format_quantity, format_ami, format_volume_size,
    format_reservation, format_account, format_eviction, format_placement, format_group,
    format_subnet, format_duration, format_duration_never, format_no_slash, format_qualified,
    format_label_value, format_price, format_change, format_budget_duration, format_budget_nodes,
    format_schedule, format_time, format_value, format_reason, format_reason_or_none,
    format_condition;

/* The row of a path of the tables, or NULL. */
const struct schema_row *schema_find_row(const struct schema_kind *kind, struct str path);

/* The last part of a row's path when it is a property right under `path`, else empty. */
struct str schema_child_key(const struct schema_row *row, struct str path);

/* "maxItems" for the `max` of an array, and so on. */
const char *schema_limit_name(enum schema_type type, bool max);

/* What a property is, for a person; NULL for elements. */
const char *schema_about(const char *kind, const char *path);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows behind class.h: for decoding, and for the drift hash, which goes by the names that the
 * types and fields have in Karpenter's Go source (aws/karpenter-provider-aws,
 * pkg/apis/v1/ec2nodeclass.go). Internal to this room. */
#pragma once

#include <stddef.h>

#include "provisioner/nodeclass/class.h"

enum class_type {
    CLASS_TEXT,     /* struct str */
    CLASS_BOOL,     /* bool: false when absent */
    CLASS_OPT_BOOL, /* struct opt_bool */
    CLASS_I32,      /* int64_t that Go keeps in 32 bits: 0 when absent */
    CLASS_OPT_I32,  /* struct opt_i64 that Go keeps in 32 bits */
    CLASS_OPT_I64,  /* struct opt_i64 */
    CLASS_QUANTITY, /* struct str: a quantity, string or number */
    CLASS_MAP,      /* struct nodeclass_pairs */
    CLASS_LIST,     /* pointer to elements of `sub`, and a uint32_t count */
    CLASS_OBJECT,   /* pointer to one of `sub`, or NULL */
    CLASS_JSON      /* const json_t *: an object as it is */
};

enum class_flag {
    CLASS_UNHASHED = 1 << 0, /* `hash:"ignore"` */
    CLASS_POINTER = 1 << 1   /* a pointer in Go: an empty text is hashed, an absent one is not */
};

struct class_table;

struct class_row {
    const char *key, *go_name;
    enum class_type type;
    unsigned flags;
    uint32_t offset, n_offset;
    const struct class_table *sub;
};

struct class_table {
    const char *go_type;
    const struct class_row *rows; /* in the order of Go's declarations */
    uint32_t n_rows, size;
};

extern const struct class_table nodeclass_table; /* EC2NodeClassSpec over struct nodeclass */

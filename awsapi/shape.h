/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shapes: tables that say how the parameters and results of AWS operations lie in C structs, and
 * what they are called on the wire. One set of tables serves every protocol in both directions.
 *
 * How a value lies in its struct (absent is not empty, everywhere):
 *
 *   AWS_TEXT, AWS_BLOB   struct str; absent when p is NULL. A blob's bytes; base64 is for the wire
 *   AWS_DOCUMENT         struct str; canonical JSON text of any value
 *   AWS_BOOL             struct opt_bool
 *   AWS_INT              struct opt_i64, for every width of integer
 *   AWS_DOUBLE           struct aws_opt_double
 *   AWS_TIME             struct opt_wall
 *   AWS_STRUCT           pointer to the struct; NULL when absent
 *   AWS_LIST             struct {T *v; size_t n}; absent when v is NULL; structs lie inline
 *   AWS_MAP              the same with entries {struct str key; T value}, in the order given
 *
 * Zeroed memory is a struct of which everything is absent. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "awsapi/timestamp.h"
#include "base/str.h"
#include "base/units.h"

enum aws_type {
    AWS_TEXT,
    AWS_BLOB,
    AWS_DOCUMENT,
    AWS_BOOL,
    AWS_INT,
    AWS_DOUBLE,
    AWS_TIME,
    AWS_STRUCT,
    AWS_LIST,
    AWS_MAP
};

struct aws_opt_double {
    bool has;
    double v;
};

struct aws_texts {
    struct str *v; /* [n] */
    size_t n;
};

struct aws_text_pair {
    struct str key, value;
};
struct aws_text_pairs {
    struct aws_text_pair *v; /* [n] */
    size_t n;
};

/* What any list or map looks like to code that walks tables. */
struct aws_any_list {
    void *v;
    size_t n;
};

enum aws_shape_flag {
    AWS_FLAT = 1 << 0,   /* LIST, MAP in XML and query: elements without a container */
    AWS_SPARSE = 1 << 1, /* LIST, MAP in JSON: null elements are kept as absent values */
    AWS_UNION = 1 << 2   /* STRUCT: one member is present at most */
};

struct aws_shape {
    enum aws_type type;
    unsigned flags;
    enum aws_time_format time_format; /* TIME: DEFAULT is the protocol's own */
    uint32_t size;                    /* STRUCT: of the struct; MAP: of an entry */
    uint32_t value_offset;            /* MAP: of the value within an entry */
    uint32_t n_rows;
    const struct aws_row *rows;      /* STRUCT: [n_rows] */
    const struct aws_shape *element; /* LIST: of the elements; MAP: of the values */
    const char *element_name;        /* LIST: in XML and query; NULL: "member", or "item" in EC2 */
    const char *key_name, *value_name; /* MAP in XML and query; NULL: "key", "value" */
};

/* Where a member travels. Only REST has more than the body. */
enum aws_where {
    AWS_IN_BODY,
    AWS_IN_PATH,
    AWS_IN_QUERY,   /* a map: one parameter per entry */
    AWS_IN_HEADER,  /* the name is the header's */
    AWS_IN_HEADERS, /* a map; the name is the prefix of header names */
    AWS_IN_STATUS,  /* replies: the status as an integer */
    AWS_IN_PAYLOAD  /* the whole body is this member */
};

enum aws_row_flag {
    AWS_REQUIRED = 1 << 0,   /* requests without it are not sent */
    AWS_TOKEN = 1 << 1,      /* the idempotency token: filled in when absent */
    AWS_HOST_LABEL = 1 << 2, /* fills {Name} of the operation's host prefix */
    AWS_JSON_TEXT = 1 << 3   /* TEXT that holds JSON; base64 where it is a header */
};

struct aws_row {
    const char *name; /* in the API's own words, as the AWS CLI shows it: "SubnetId" */
    const char *in;   /* its name in requests, NULL: `name` */
    const char *out;  /* its name in replies, NULL: `name` */
    const struct aws_shape *shape;
    uint32_t offset;
    enum aws_where where;
    unsigned flags;
};

extern const struct aws_shape aws_text, aws_blob, aws_bool, aws_int, aws_double, aws_time;
extern const struct aws_shape aws_text_list; /* struct aws_texts */
extern const struct aws_shape aws_text_map;  /* struct aws_text_pairs */

/* Bytes of a value inside a list or a map, and of a member inside a struct. */
size_t aws_element_size(const struct aws_shape *shape);

/* Whether the value at `slot` is absent. `is_element` says that structs lie inline there. */
bool aws_is_absent(const struct aws_shape *shape, const void *slot, bool is_element);

/* The struct of an element or member of type AWS_STRUCT. */
const void *aws_struct_at(const void *slot, bool is_element);

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/shape.h"

const struct aws_shape aws_text = {.type = AWS_TEXT};
const struct aws_shape aws_blob = {.type = AWS_BLOB};
const struct aws_shape aws_bool = {.type = AWS_BOOL};
const struct aws_shape aws_int = {.type = AWS_INT};
const struct aws_shape aws_double = {.type = AWS_DOUBLE};
const struct aws_shape aws_time = {.type = AWS_TIME};
const struct aws_shape aws_text_list = {.type = AWS_LIST, .element = &aws_text};
const struct aws_shape aws_text_map = {.type = AWS_MAP,
                                       .size = sizeof(struct aws_text_pair),
                                       .value_offset = offsetof(struct aws_text_pair, value),
                                       .element = &aws_text};

size_t aws_element_size(const struct aws_shape *shape)
{
    switch (shape->type) {
    case AWS_TEXT:
    case AWS_BLOB:
    case AWS_DOCUMENT:
        return sizeof(struct str);
    case AWS_BOOL:
        return sizeof(struct opt_bool);
    case AWS_INT:
        return sizeof(struct opt_i64);
    case AWS_DOUBLE:
        return sizeof(struct aws_opt_double);
    case AWS_TIME:
        return sizeof(struct opt_wall);
    case AWS_STRUCT:
        return shape->size;
    case AWS_LIST:
    case AWS_MAP:
        break;
    }
    return sizeof(struct aws_any_list);
}

bool aws_is_absent(const struct aws_shape *shape, const void *slot, bool is_element)
{
    switch (shape->type) {
    case AWS_TEXT:
    case AWS_BLOB:
    case AWS_DOCUMENT:
        return ((const struct str *)slot)->p == NULL;
    case AWS_BOOL:
        return !((const struct opt_bool *)slot)->has;
    case AWS_INT:
        return !((const struct opt_i64 *)slot)->has;
    case AWS_DOUBLE:
        return !((const struct aws_opt_double *)slot)->has;
    case AWS_TIME:
        return !((const struct opt_wall *)slot)->has;
    case AWS_STRUCT:
        return !is_element && *(const void *const *)slot == NULL;
    case AWS_LIST:
    case AWS_MAP:
        break;
    }
    return ((const struct aws_any_list *)slot)->v == NULL;
}

const void *aws_struct_at(const void *slot, bool is_element)
{
    return is_element ? slot : *(const void *const *)slot;
}

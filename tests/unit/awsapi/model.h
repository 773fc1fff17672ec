/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of shape.h made at run time from AWS's published models (JSON), and values of such tables
 * from and against plain JSON. Independent of the codec under test. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "awsapi/operation.h"
#include "base/arena.h"

struct model {
    struct arena *arena;
    const json_t *shapes;
    enum aws_protocol protocol;
    json_t *made; /* shape name -> address as integer */
};

/* The shape a reference {"shape": ...} of the model means. */
const struct aws_shape *model_shape(struct model *model, const json_t *ref);

/* Sets a value from the plain form that test cases use: blobs as their bytes, times as seconds. */
void model_fill(const struct aws_shape *shape, const json_t *json, struct arena *arena, void *slot,
                bool is_element);

/* The plain form of a value; new reference. */
json_t *model_plain(const struct aws_shape *shape, const void *slot, bool is_element);

/* Equal but for numbers of another type and members that are null. */
bool model_same(const json_t *a, const json_t *b);

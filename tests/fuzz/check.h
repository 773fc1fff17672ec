/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the fuzz targets have in common: a check that always counts, and equality of JSON values up
 * to how numbers are held. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(holds)                                                                                \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds);                            \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* 1 and 1.0 are the same. */
static UNUSED bool same_json(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        return json_is_integer(a) && json_is_integer(b)
                   ? json_integer_value(a) == json_integer_value(b)
                   : json_number_value(a) == json_number_value(b);
    }
    if (json_is_array(a) && json_is_array(b)) {
        bool same = json_array_size(a) == json_array_size(b);
        for (size_t i = 0; same && i < json_array_size(a); i++) {
            same = same_json(json_array_get(a, i), json_array_get(b, i));
        }
        return same;
    }
    if (json_is_object(a) && json_is_object(b)) {
        json_t *members = (json_t *)(uintptr_t)a;
        bool same = json_object_size(a) == json_object_size(b);
        for (void *at = json_object_iter(members); same && at != NULL;
             at = json_object_iter_next(members, at)) {
            same =
                same_json(json_object_iter_value(at), json_object_get(b, json_object_iter_key(at)));
        }
        return same;
    }
    return json_equal(a, b) == 1;
}

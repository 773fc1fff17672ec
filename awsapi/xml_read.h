/* SPDX-License-Identifier: GPL-3.0-or-later */
/* XML replies into structs, by the tables of shape.h. */
#pragma once

#include <stdbool.h>

#include "awsapi/shape.h"
#include "awsapi/xml.h"

/* Fills the zeroed struct from the children of `element` (NULL: nothing is there). `item` is what
 * list elements are called unless their shape says otherwise. Unknown elements are passed over.
 * Errors: ERR_PARSE with the path of the member. */
MUST_CHECK bool aws_xml_read(const struct aws_xml *element, const struct aws_shape *shape,
                             const char *item, struct arena *arena, void *value, struct err *err);

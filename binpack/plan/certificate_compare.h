/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a certificate file says of the problem what the input says: what the proof does not read,
 * a person or another checker may. Part of certificate.h. */
#pragma once

#include <jansson.h>

#include "base/err.h"

/* Every member and element of `expected` must be in `document` and equal; a document may have
 * further members. ERR_CONFLICT naming the first place where they differ, both values with it. */
MUST_CHECK bool certificate_compare(const json_t *expected, const json_t *document,
                                    struct err *err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decimal texts such as "0.25" and "-3.5" as scaled integers, exactly. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

/* The number times 10^digits; digits beyond are rounded half up. One sign is allowed; "1." and ".5"
 * are. False when `text` is no decimal or the result does not fit. */
MUST_CHECK bool decimal_parse(struct str text, int digits, int64_t *ret_value);

/* Without trailing zeros. At least DECIMAL_TEXT_MAX bytes of room; returns a view of it. */
enum { DECIMAL_TEXT_MAX = 48 };
struct str decimal_format(int64_t value, int digits, char *buffer);

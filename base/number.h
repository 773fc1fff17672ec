/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers as text: decimals from integers, and the doubles that JSON and YAML bring in. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

enum {
    NUMBER_TEXT_MAX = 40,  /* bytes of room that the formatters need */
    NUMBER_PARSE_MAX = 400 /* longer texts are not taken for numbers */
};

/* value / 10^n_decimals without trailing zeros: (96000000, 9) is "0.096", (-5, 0) is "-5"; 0 <=
 * n_decimals <= 18. */
struct str number_format_decimal(int64_t value, int n_decimals, char *buffer);

/* The shortest of %.15g, %.16g, %.17g that reads back as the same double. */
struct str number_format_double(double value, char *buffer);

/* A decimal in JSON's or YAML's notation ("1.5", "-2e3", ".5", "1.") as n_decimals-fold integer,
 * rounded half away from zero:
 * ("0.096", 9) gives 96000000. Exact; false when malformed or out of range. */
MUST_CHECK bool number_parse_decimal(struct str text, int n_decimals, int64_t *ret_value);

/* The nearest double of a text that is known to be a JSON or YAML number of at most
 * NUMBER_PARSE_MAX bytes; infinite when too large. */
double number_parse_double(struct str text);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prices as files write them, in US dollars per hour: JSON numbers or decimal text. */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

/* "0.0345", rounded to nano-dollars. Errors: ERR_INVALID (not a number, negative), ERR_LIMIT (above
 * CAT_PRICE_MAX dollars); both quote the text. */
#define CAT_PRICE_MAX 1000000
MUST_CHECK bool cat_price_parse(struct str text, usd_t *ret_price, struct err *err);

/* The same for a JSON number or string; a NULL or any other value is ERR_INVALID. */
MUST_CHECK bool cat_price_parse_json(const json_t *value, usd_t *ret_price, struct err *err);

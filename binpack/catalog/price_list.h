/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On-demand prices as the price list service gives them: `aws pricing get-products`, whose
 * PriceList holds one JSON document per product, as text. */
#pragma once

#include <stdbool.h>

#include "base/json.h"

struct arena;
struct ec2_rows;

/* Adds the price of one product: text, or the object it stands for. What is no Linux instance at
 * plain on-demand terms (other systems and licences, dedicated tenancy but for bare metal, unused
 * reservations, prices of zero or in another currency) is counted in n_other_products. Errors:
 * ERR_INVALID, ERR_PARSE, ERR_LIMIT with the path of the product. */
MUST_CHECK bool ec2_price_read(const struct json_at *item, struct ec2_rows *rows,
                               struct arena *arena, struct err *err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kubernetes quantities: "500m", "1.5Gi", "2e3", 4.
 *
 * A quantity is a decimal number with one of the suffixes n u m k M G T P E, Ki Mi Gi Ti Pi Ei or a
 * decimal exponent
 * (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/). It becomes an
 * int64_t in base units (bytes, counts) or in thousandths of them (CPU millicores). The arithmetic
 * is exact for any number of digits; what does not come out even is rounded as the caller says:
 * requests up, capacity down. "+1", ".5" and "1.G" are read as Kubernetes reads them; "", "-" and
 * "." are refused, where Kubernetes takes them for zero. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum qty_unit { QTY_BASE, QTY_MILLI };
enum qty_round {
    QTY_DOWN, /* towards zero */
    QTY_UP    /* away from zero */
};

/* Negative quantities are read; whether they make sense is for the caller to say.
 * Errors: ERR_INVALID when the text is no quantity, ERR_LIMIT when it does not fit into an int64_t;
 * both quote the text. */
MUST_CHECK bool qty_parse(struct str text, enum qty_unit unit, enum qty_round round,
                          int64_t *ret_value, struct err *err);

/* The same for a JSON string or number (`cpu: 2`, `cpu: 0.5`); ERR_INVALID for any other JSON
 * value, NULL included. A fraction is taken as the shortest decimal that denotes the same double,
 * so 0.1 is one tenth. */
MUST_CHECK bool qty_parse_json(const json_t *value, enum qty_unit unit, enum qty_round round,
                               int64_t *ret_value, struct err *err);

/* How Kubernetes prints a value: the largest suffix that leaves a whole number, "1930m", "2", "5k"
 * (decimal) or "6903Mi" (binary; a value in thousandths that is not whole falls back to decimal).
 * At least QTY_TEXT_MAX bytes of room; returns a view of it. */
enum { QTY_TEXT_MAX = 32 };
enum qty_style { QTY_DECIMAL, QTY_BINARY };
struct str qty_format(int64_t value, enum qty_unit unit, enum qty_style style, char *buffer);

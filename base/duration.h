/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Durations as Go and Karpenter write them: "1h30m", "1.5s", "-5m", "0", and "Never" where a field
 * may say so. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct duration {
    bool never; /* then ms is 0 */
    int64_t ms; /* fractions of a millisecond are cut off */
};

/* Go's time.ParseDuration: units ns us ms s m h, fractions, one sign, at most 2^63-1 nanoseconds
 * (292 years). Errors: ERR_INVALID when the text is no duration, ERR_LIMIT when it is too long;
 * both quote the text. */
MUST_CHECK bool duration_parse(struct str text, int64_t *ret_ms, struct err *err);

/* The same, with "Never" (exactly so) allowed. */
MUST_CHECK bool duration_parse_never(struct str text, struct duration *ret_duration,
                                     struct err *err);

/* As Go prints it: "1h30m0s", "1.5s", "20ms", "0s". At least DURATION_TEXT_MAX bytes of room;
 * returns a view of it. */
enum { DURATION_TEXT_MAX = 32 };
struct str duration_format(int64_t ms, char *buffer);

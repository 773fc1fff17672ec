/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Timestamps of the Kubernetes API: RFC 3339, "2026-08-20T09:30:00Z", with fractions and offsets.
 * Proleptic Gregorian calendar, years 0 to 9999, no leap seconds. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

/* Fractions of a millisecond are cut off. Errors: ERR_INVALID, quotes the text. */
MUST_CHECK bool rfc3339_parse(struct str text, wall_t *ret_time, struct err *err);

/* "2026-08-20T09:30:00Z", with ".250" before the Z when there are milliseconds. Years outside
 * 0..9999 are clamped. At least RFC3339_TEXT_MAX bytes of room; returns a view of it. */
enum { RFC3339_TEXT_MAX = 32 };
struct str rfc3339_format(wall_t time, char *buffer);

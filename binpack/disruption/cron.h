/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schedules of disruption budgets: the five fields of cron (minute, hour, day of month, month, day
 * of week) or a macro such as "@daily", always in UTC.
 *
 * Numbers, names (jan..dec, sun..sat), lists, ranges and steps; "a/n" runs from a to the end of the
 * field. When both day fields are restricted, a day counts if either matches; else both must.
 * (karp: robfig/cron ParseStandard with "TZ=UTC".) */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

struct cron {
    uint64_t minutes, hours, days, months, weekdays; /* bit per value; days 1..31, months 1..12 */
    bool any_day, any_weekday;                       /* the field is "*" or "?" */
};

/* ERR_INVALID names the field and its text. */
MUST_CHECK bool cron_parse(struct str text, struct cron *ret_cron, struct err *err);

/* The last time at or before `now` at which the schedule fires; false when there is none within
 * twelve years (the 30th of February). */
bool cron_last(const struct cron *cron, wall_t now, wall_t *ret_time);

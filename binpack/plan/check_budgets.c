/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disruption budgets as their documentation has them
 * (https://karpenter.sh/docs/concepts/disruption/#nodepool-disruption-budgets), for the placement
 * checker: a schedule is looked at minute by minute, backwards over its duration. */
#include "binpack/plan/check_world.h"

#define MINUTE_MS INT64_C(60000)
#define DAYS_MAX  400 /* longer windows are as good as always open */

static const char *const month_names = "janfebmaraprmayjunjulaugsepoctnovdec";
static const char *const day_names = "sunmontuewedthufrisat";

/* A number, or the place of a name in `names` counted from `first`; -1: neither. */
static int64_t value_of(struct str text, const char *names, int64_t first)
{
    uint64_t n = 0;
    if (str_to_u64(text, &n)) {
        return n > 59 ? -1 : (int64_t)n;
    }
    for (int64_t i = 0; names != NULL && text.n == 3 && names[3 * i] != '\0'; i++) {
        bool same = true;
        for (size_t k = 0; k < 3; k++) {
            same = same && (text.p[k] | 0x20) == names[3 * (size_t)i + k];
        }
        if (same) {
            return first + i;
        }
    }
    return -1;
}

/* Does one field of a schedule hold for a value? -1: the field makes no sense. */
static int field_holds(struct str field, int64_t value, int64_t low, int64_t high,
                       const char *names)
{
    int holds = 0;
    for (size_t at = 0; at <= field.n;) {
        struct str rest = str_sub(field, at, field.n);
        size_t comma = str_find(rest, ',');
        struct str piece = str_sub(rest, 0, comma);
        size_t slash = str_find(piece, '/');
        struct str span = str_sub(piece, 0, slash);
        size_t dash = str_find(span, '-');
        int64_t from = low, to = high, step = 1;
        if (slash < piece.n) {
            step = value_of(str_sub(piece, slash + 1, piece.n), NULL, 0);
        }
        if (!str_eq(span, STR("*")) && !str_eq(span, STR("?"))) {
            from = value_of(str_sub(span, 0, dash), names, low);
            to = dash < span.n     ? value_of(str_sub(span, dash + 1, span.n), names, low)
                 : slash < piece.n ? high
                                   : from;
        }
        if (from < low || to > high || from > to || step < 1) {
            return -1;
        }
        holds = holds || (value >= from && value <= to && (value - from) % step == 0);
        at += comma + 1;
    }
    return holds;
}

static struct str expanded(struct str schedule)
{
    static const struct {
        struct str macro, fields;
    } rows[] = {{STR("@hourly"), STR("0 * * * *")},   {STR("@daily"), STR("0 0 * * *")},
                {STR("@midnight"), STR("0 0 * * *")}, {STR("@weekly"), STR("0 0 * * 0")},
                {STR("@monthly"), STR("0 0 1 * *")},  {STR("@yearly"), STR("0 0 1 1 *")},
                {STR("@annually"), STR("0 0 1 1 *")}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (str_eq(schedule, rows[i].macro)) {
            return rows[i].fields;
        }
    }
    return schedule;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Month and day of a day since 1970, by walking. */
static void date_of(int64_t day, int64_t *ret_month, int64_t *ret_day)
{
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = 1970;
    while (day < 0) {
        year--;
        day += is_leap(year) ? 366 : 365;
    }
    while (day >= (is_leap(year) ? 366 : 365)) {
        day -= is_leap(year) ? 366 : 365;
        year++;
    }
    int64_t month = 0;
    while (day >= lengths[month] + (month == 1 && is_leap(year))) {
        day -= lengths[month] + (month == 1 && is_leap(year));
        month++;
    }
    *ret_month = month + 1;
    *ret_day = day + 1;
}

/* Does the schedule fire in this minute (since 1970)? -1: it makes no sense. */
static int fires(struct str schedule, int64_t minute)
{
    struct str left = str_trim(expanded(str_trim(schedule))), words[5];
    int64_t day = minute >= 0 ? minute / 1440 : -((1439 - minute) / 1440), month, of_month;
    bool any[5];
    date_of(day, &month, &of_month);
    const int64_t values[5] = {(minute - day * 1440) % 60, (minute - day * 1440) / 60, of_month,
                               month, ((day + 4) % 7 + 7) % 7};
    static const int64_t lows[5] = {0, 0, 1, 1, 0}, highs[5] = {59, 23, 31, 12, 6};
    int holds[5];
    for (int i = 0; i < 5; i++) {
        size_t n = 0;
        while (n < left.n && left.p[n] != ' ' && left.p[n] != '\t') {
            n++;
        }
        words[i] = str_sub(left, 0, n);
        left = str_trim(str_sub(left, n, left.n));
        any[i] = str_eq(words[i], STR("*")) || str_eq(words[i], STR("?"));
        const char *names = i == 3 ? month_names : i == 4 ? day_names : NULL;
        holds[i] =
            words[i].n == 0 ? -1 : field_holds(words[i], values[i], lows[i], highs[i], names);
        if (holds[i] < 0) {
            return -1;
        }
    }
    bool days = any[2] || any[4] ? holds[2] && holds[4] : holds[2] || holds[4];
    return left.n > 0 ? -1 : holds[0] && holds[1] && holds[3] && days;
}

/* Is the budget in force? -1: its schedule makes no sense. */
static int in_force(const struct karp_budget *budget, wall_t now)
{
    if (budget->schedule.n == 0) {
        return 1;
    }
    int64_t last = now / MINUTE_MS - (now % MINUTE_MS < 0);
    int64_t lasts = budget->duration.has ? budget->duration.ms : 0;
    for (int64_t m = last; m * MINUTE_MS > now - lasts && m > last - DAYS_MAX * 1440; m--) {
        int fired = fires(budget->schedule, m);
        if (fired != 0) {
            return fired;
        }
    }
    return fires(budget->schedule, last) < 0 ? -1 : 0;
}

int64_t check_budget_allows(const struct check_world *world, const struct karp_nodepool *pool,
                            struct str reason, int64_t n_nodes)
{
    int64_t least = INT64_MAX;
    for (uint32_t i = 0; i < pool->n_budgets; i++) {
        const struct karp_budget *budget = &pool->budgets[i];
        bool concerns = budget->reasons.n == 0;
        for (uint32_t r = 0; r < budget->reasons.n; r++) {
            concerns = concerns || str_eq(strtab_str(world->tab, budget->reasons.v[r]), reason);
        }
        int active = in_force(budget, world->plan->now);
        if (active < 0) {
            return 0;
        }
        int64_t allows =
            budget->nodes_is_percent ? (n_nodes * budget->nodes + 99) / 100 : budget->nodes;
        least = active > 0 && concerns && allows < least ? allows : least;
    }
    return least;
}

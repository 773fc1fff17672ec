/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/disruption/cron.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS    (1440 * MINUTE_MS)

enum { LOOK_BACK_DAYS = 12 * 366, N_FIELDS = 5, MINUTES_OF_DAY = 1440 };

struct field {
    const char *name;
    uint32_t low, high;
    const char *words; /* names of the values from `low` on, three letters each, or NULL */
};
static const struct field fields[N_FIELDS] = {
    {"minute", 0, 59, NULL},
    {"hour", 0, 23, NULL},
    {"day of month", 1, 31, NULL},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"day of week", 0, 6, "sunmontuewedthufrisat"},
};

static const struct {
    struct str name, fields;
} macros[] = {
    {STR("@yearly"), STR("0 0 1 1 *")},  {STR("@annually"), STR("0 0 1 1 *")},
    {STR("@monthly"), STR("0 0 1 * *")}, {STR("@weekly"), STR("0 0 * * 0")},
    {STR("@daily"), STR("0 0 * * *")},   {STR("@midnight"), STR("0 0 * * *")},
    {STR("@hourly"), STR("0 * * * *")},
};

static bool fail(const struct field *field, struct str text, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s \"" STR_FMT "\": expected %u to %u, a range, a list or *",
                   field->name, STR_ARG(text), field->low, field->high);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool parse_value(const struct field *field, struct str text, uint32_t *ret_value)
{
    uint64_t number = 0;
    if (str_to_u64(text, &number)) {
        *ret_value = (uint32_t)number;
        return number >= field->low && number <= field->high;
    }
    for (uint32_t i = 0; field->words != NULL && text.n == 3 && i <= field->high - field->low;
         i++) {
        const char *word = field->words + 3 * (size_t)i;
        if (lower(text.p[0]) == word[0] && lower(text.p[1]) == word[1] &&
            lower(text.p[2]) == word[2]) {
            *ret_value = field->low + i;
            return true;
        }
    }
    return false;
}

/* One piece of a list: "*", "a", "a-b", each with an optional "/step". */
static bool parse_piece(const struct field *field, struct str text, uint64_t *bits)
{
    size_t slash = str_find(text, '/');
    struct str span = str_sub(text, 0, slash);
    uint64_t step = 1;
    bool stepped = slash < text.n;
    if (stepped && (!str_to_u64(str_sub(text, slash + 1, text.n), &step) || step == 0)) {
        return false;
    }
    uint32_t from = field->low, to = field->high;
    size_t dash = str_find(span, '-');
    if (!str_eq(span, STR("*")) && !str_eq(span, STR("?"))) {
        if (!parse_value(field, str_sub(span, 0, dash), &from)) {
            return false;
        }
        if (dash < span.n && !parse_value(field, str_sub(span, dash + 1, span.n), &to)) {
            return false;
        }
        to = dash == span.n && !stepped ? from : to;
    }
    if (from > to) {
        return false;
    }
    for (uint64_t v = from; v <= to; v += step) {
        *bits |= UINT64_C(1) << v;
    }
    return true;
}

static bool parse_field(const struct field *field, struct str text, uint64_t *ret_bits,
                        struct err *err)
{
    *ret_bits = 0;
    for (size_t at = 0; at <= text.n;) {
        struct str rest = str_sub(text, at, text.n);
        size_t comma = str_find(rest, ',');
        if (!parse_piece(field, str_sub(rest, 0, comma), ret_bits)) {
            return fail(field, text, err);
        }
        at += comma + 1;
    }
    return true;
}

static struct str next_word(struct str *text)
{
    *text = str_trim(*text);
    size_t n = 0;
    while (n < text->n && text->p[n] != ' ' && text->p[n] != '\t') {
        n++;
    }
    struct str word = str_sub(*text, 0, n);
    *text = str_sub(*text, n, text->n);
    return word;
}

static bool is_any(struct str text)
{
    return str_eq(text, STR("*")) || str_eq(text, STR("?"));
}

bool cron_parse(struct str text, struct cron *ret_cron, struct err *err)
{
    struct str left = str_trim(text);
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
        left = str_eq(left, macros[i].name) ? macros[i].fields : left;
    }
    struct cron cron = {0};
    uint64_t *const bits[N_FIELDS] = {&cron.minutes, &cron.hours, &cron.days, &cron.months,
                                      &cron.weekdays};
    for (int i = 0; i < N_FIELDS; i++) {
        struct str word = next_word(&left);
        if (word.n == 0) {
            return err_set(err, ERR_INVALID, "\"" STR_FMT "\": a schedule has five fields",
                           STR_ARG(text));
        }
        if (!parse_field(&fields[i], word, bits[i], err)) {
            return false;
        }
        cron.any_day = i == 2 ? is_any(word) : cron.any_day;
        cron.any_weekday = i == 4 ? is_any(word) : cron.any_weekday;
    }
    if (str_trim(left).n > 0) {
        return err_set(err, ERR_INVALID, "\"" STR_FMT "\": a schedule has five fields",
                       STR_ARG(text));
    }
    *ret_cron = cron;
    return true;
}

/* The civil date of a day since 1970-01-01 (days may be negative), after H. Hinnant's algorithm. */
static void civil(int64_t day, uint32_t *ret_month, uint32_t *ret_day)
{
    int64_t z = day + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* from March */
    *ret_day = (uint32_t)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (uint32_t)(month < 10 ? month + 3 : month - 9);
}

static bool has(uint64_t bits, uint32_t value)
{
    return ((bits >> value) & 1U) != 0;
}

static bool day_matches(const struct cron *cron, int64_t day)
{
    uint32_t month, of_month, weekday = (uint32_t)(((day + 4) % 7 + 7) % 7); /* a Thursday */
    civil(day, &month, &of_month);
    bool by_day = has(cron->days, of_month), by_weekday = has(cron->weekdays, weekday);
    bool either = !cron->any_day && !cron->any_weekday;
    return has(cron->months, month) && (either ? by_day || by_weekday : by_day && by_weekday);
}

bool cron_last(const struct cron *cron, wall_t now, wall_t *ret_time)
{
    int64_t day = now / DAY_MS - (now % DAY_MS < 0);
    int64_t minute = (now - day * DAY_MS) / MINUTE_MS;
    for (int back = 0; back < LOOK_BACK_DAYS; back++) {
        for (; day_matches(cron, day) && minute >= 0; minute--) {
            if (has(cron->minutes, (uint32_t)(minute % 60)) &&
                has(cron->hours, (uint32_t)(minute / 60))) {
                *ret_time = day * DAY_MS + minute * MINUTE_MS;
                return true;
            }
        }
        day--;
        minute = MINUTES_OF_DAY - 1;
    }
    return false;
}

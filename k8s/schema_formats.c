/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The patterns of the CRDs, as code: each takes exactly the texts that the pattern takes. */
#include <string.h>

#include "base/rfc3339.h"
#include "k8s/schema_impl.h"
#include "k8s/syntax.h"

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits from `at` on: how many. */
static size_t digits(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && digit(s.p[at + n])) {
        n++;
    }
    return n;
}

static char char_at(struct str s, size_t at)
{
    return at < s.n ? s.p[at] : '\0';
}

/* "12", "1.", "1.5", ".5": the length, or 0. */
static size_t number(struct str s, size_t at)
{
    size_t before = digits(s, at);
    if (before == 0) {
        size_t after = char_at(s, at) == '.' ? digits(s, at + 1) : 0;
        return after == 0 ? 0 : after + 1;
    }
    return char_at(s, at + before) == '.' ? before + 1 + digits(s, at + before + 1) : before;
}

static size_t sign(struct str s, size_t at)
{
    return char_at(s, at) == '+' || char_at(s, at) == '-' ? 1 : 0;
}

static bool one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool is_quantity(struct str s)
{
    size_t at = sign(s, 0), n = number(s, at);
    if (n == 0) {
        return false;
    }
    at += n;
    if (at == s.n) {
        return true;
    }
    char c = s.p[at];
    if (at + 1 == s.n) {
        return one_of(c, "numkMGTPE");
    }
    if (one_of(c, "KMGTPE") && at + 2 == s.n && s.p[at + 1] == 'i') {
        return true;
    }
    if (c != 'e' && c != 'E') {
        return false;
    }
    at += 1 + sign(s, at + 1);
    n = number(s, at);
    return n > 0 && at + n == s.n;
}

static bool id_letters(struct str s, size_t at)
{
    for (size_t i = at; i < s.n; i++) {
        if (!digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'z')) {
            return false;
        }
    }
    return at < s.n;
}

static bool prefixed(struct str s, struct str prefix)
{
    return str_starts(s, prefix) && id_letters(s, prefix.n);
}

/* Somewhere in the text: these patterns are not anchored. */
static bool contains_id(struct str s, struct str prefix)
{
    for (size_t i = 0; i < s.n; i++) {
        struct str rest = str_sub(s, i, s.n);
        if (str_starts(rest, prefix) && id_letters(str_sub(rest, 0, prefix.n + 1), prefix.n)) {
            return true;
        }
    }
    return false;
}

static bool is_ami(struct str s)
{
    return contains_id(s, STR("ami-"));
}

static bool is_group(struct str s)
{
    return contains_id(s, STR("sg-"));
}

static bool is_subnet(struct str s)
{
    return contains_id(s, STR("subnet-"));
}

static bool is_reservation(struct str s)
{
    return prefixed(s, STR("cr-"));
}

static bool is_placement(struct str s)
{
    return prefixed(s, STR("pg-"));
}

static bool is_account(struct str s)
{
    return s.n == 12 && digits(s, 0) == 12;
}

/* 1..59000Gi, 1..64000G, ..58Ti, ..64T; of the last two, no digits at all and 18, 19 .. 59 with an
 * 8 or 9 at the end are what the pattern makes of them. */
static bool is_volume_size(struct str s)
{
    size_t n = digits(s, 0);
    uint64_t value = 0;
    struct str unit = str_sub(s, n, s.n);
    bool has = n > 0 && n < 6 && s.p[0] != '0' && str_to_u64(str_sub(s, 0, n), &value);
    if (str_eq(unit, STR("Gi"))) {
        return has && value <= 59000;
    }
    if (str_eq(unit, STR("G"))) {
        return has && value <= 64000;
    }
    if (str_eq(unit, STR("Ti"))) {
        return n == 0 || (has && (value <= 9 || value == 58 || (value < 58 && value % 10 <= 7)));
    }
    if (str_eq(unit, STR("T"))) {
        return n == 0 || (has && value <= 64);
    }
    return false;
}

static bool is_percentage(struct str s)
{
    if (!str_ends(s, STR("%"))) {
        return false;
    }
    struct str text = str_sub(s, 0, s.n - 1);
    size_t n = digits(text, 0);
    size_t after = char_at(text, n) == '.' ? digits(text, n + 1) : 0;
    if (n + (char_at(text, n) == '.' ? after + 1 : 0) != text.n ||
        (char_at(text, n) == '.' && (after == 0 || after > 2))) {
        return false;
    }
    if (n == 3) {
        return str_starts(text, STR("100")) &&
               (after == 0 || str_eq(str_sub(text, 4, 2), str_sub(STR("00"), 0, after)));
    }
    return n == 1 || n == 2;
}

static bool is_eviction(struct str s)
{
    return s.n == 0 || is_percentage(s) || is_quantity(s);
}

static bool is_duration(struct str s)
{
    size_t at = 0;
    while (at < s.n) {
        size_t n = digits(s, at);
        if (n == 0 || !one_of(char_at(s, at + n), "smh")) {
            return false;
        }
        at += n + 1;
    }
    return s.n > 0;
}

static bool is_duration_or_never(struct str s)
{
    return is_duration(s) || str_eq(s, STR("Never"));
}

/* 8h, 30m, 1h30m, each with 0s behind if you like. */
static bool is_budget_duration(struct str s)
{
    size_t n = digits(s, 0);
    char unit = char_at(s, n);
    if (n == 0 || (unit != 'h' && unit != 'm')) {
        return false;
    }
    struct str rest = str_sub(s, n + 1, s.n);
    if (unit == 'h' && digits(rest, 0) > 0 && char_at(rest, digits(rest, 0)) == 'm') {
        rest = str_sub(rest, digits(rest, 0) + 1, rest.n);
    }
    return rest.n == 0 || str_eq(rest, STR("0s"));
}

static bool is_budget_nodes(struct str s)
{
    size_t n = digits(s, 0);
    if (n == 0) {
        return false;
    }
    if (n == s.n) {
        return true;
    }
    return n + 1 == s.n && s.p[n] == '%' && (n <= 2 || str_eq(s, STR("100%")));
}

static bool is_schedule(struct str s)
{
    static const char *const names[] = {"@annually", "@yearly",   "@monthly", "@weekly",
                                        "@daily",    "@midnight", "@hourly"};
    size_t parts = 1, length = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_starts(s, str_of(names[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < s.n; i++) {
        if (parts < 5 && length > 0 && one_of(s.p[i], " \t\n\r\f\v")) {
            parts++;
            length = 0;
        } else {
            length++;
        }
    }
    return parts == 5 && length > 0;
}

static bool has_no_slash(struct str s)
{
    return str_find(s, '/') == s.n;
}

static bool is_qualified(struct str s)
{
    return k8s_label_key_fault(s) == NULL;
}

static bool is_label_value(struct str s)
{
    return k8s_label_value_fault(s) == NULL;
}

static bool is_price(struct str s)
{
    size_t n = digits(s, 0);
    size_t after = char_at(s, n) == '.' ? digits(s, n + 1) : 0;
    return n > 0 && (n == s.n || (after > 0 && n + 1 + after == s.n));
}

/* "+0.5", "-1", "+10%", "-12.5%", "-100%". */
static bool is_change(struct str s)
{
    bool percent = str_ends(s, STR("%"));
    struct str text = percent ? str_sub(s, 0, s.n - 1) : s;
    if (sign(text, 0) == 0) {
        return false;
    }
    size_t n = digits(text, 1);
    size_t after = char_at(text, 1 + n) == '.' ? digits(text, 2 + n) : 0;
    bool decimal = after > 0 ? 2 + n + after == text.n : n > 0 && 1 + n == text.n;
    if (!percent || text.p[0] == '+') {
        return decimal;
    }
    return str_eq(text, STR("-100")) || (decimal && (n == 1 || n == 2));
}

static bool is_time(struct str s)
{
    wall_t time = 0;
    return rfc3339_parse(s, &time, NULL);
}

const struct schema_format
    format_quantity = {"3d44b6bc", is_quantity, "must be a quantity, such as 500m or 2Gi"},
    format_ami = {"8bd9bfc0", is_ami, "must be an image id, such as ami-0123"},
    format_volume_size = {"cf39799a", is_volume_size,
                          "must be a size from 1Gi to 64T, such as 100Gi"},
    format_reservation = {"31d77ef7", is_reservation, "must be a reservation id, such as cr-0123"},
    format_account = {"c5bc2dfe", is_account, "must be an account id of twelve digits"},
    format_eviction = {"1ddc5079", is_eviction, "must be a percentage or a quantity"},
    format_placement = {"5790db60", is_placement, "must be a placement group id, such as pg-0123"},
    format_group = {"1516b569", is_group, "must be a security group id, such as sg-0123"},
    format_subnet = {"c19da9cc", is_subnet, "must be a subnet id, such as subnet-0123"},
    format_duration = {"fb2ddbd1", is_duration, "must be a duration of h, m and s, such as 1h30m"},
    format_duration_never = {"cc872213", is_duration_or_never,
                             "must be a duration of h, m and s, such as 720h, or Never"},
    format_no_slash = {"8d0467b8", has_no_slash, "must not contain '/'"},
    format_qualified =
        {"1281684f", is_qualified,
         "must be a qualified name: [prefix/]name of letters, digits, '-', '_', '.'"},
    format_label_value = {"ee830ded", is_label_value,
                          "must be a label value: at most 63 letters, digits, '-', '_', '.'"},
    format_price = {"fb6df76f", is_price, "must be a price, such as 0.25"},
    format_change = {"1a04a733", is_change,
                     "must be a signed change, such as +0.5, -10% or +5%, not below -100%"},
    format_budget_duration = {"aa1c74eb", is_budget_duration,
                              "must be a duration of h and m, such as 8h or 1h30m"},
    format_budget_nodes = {"71f1c05f", is_budget_nodes,
                           "must be a number of nodes or a percentage up to 100%"},
    format_schedule = {"68aecdf8", is_schedule,
                       "must be a cron schedule of five fields, or a name such as @daily"},
    format_time = {"date-time", is_time, "must be a time, such as 2026-03-01T08:00:00Z"};

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

static bool is_duration_never(struct str s)
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

static bool is_no_slash(struct str s)
{
    return str_find(s, '/') == s.n;
}

/* [A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?, however long; likewise the next. */
static bool is_name_part(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (k8s_label_value_fault(str_sub(s, i, 1)) != NULL && !one_of(s.p[i], "-_.")) {
            return false;
        }
    }
    return s.n > 0 && !one_of(s.p[0], "-_.") && !one_of(s.p[s.n - 1], "-_.");
}

static bool is_dns_name(struct str s)
{
    for (size_t i = 0; i <= s.n; i++) {
        char c = char_at(s, i), before = i == 0 ? '.' : s.p[i - 1];
        bool edge = i == s.n || c == '.';
        if (edge ? before == '.' || before == '-'
                 : !one_of(c, "-abcdefghijklmnopqrstuvwxyz0123456789") ||
                       (c == '-' && before == '.')) {
            return false;
        }
    }
    return true;
}

static bool is_qualified(struct str s)
{
    size_t slash = str_find(s, '/');
    return slash == s.n
               ? is_name_part(s)
               : is_dns_name(str_sub(s, 0, slash)) && is_name_part(str_sub(s, slash + 1, s.n));
}

static bool is_label_text(struct str s)
{
    return s.n == 0 || is_name_part(s);
}

static bool is_label_key(struct str s)
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

#define QUANTITY                                                                                   \
    "[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)"                                                          \
    "([KMGTPE]i|[numkMGTPE]|[eE][+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+))?"
#define DNS_PART  "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define DNS_NAME  DNS_PART "(\\." DNS_PART ")*"
#define NAME_PART "[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"

#define FORMAT(name, hash, pattern, text)                                                          \
    const struct schema_format format_##name = {hash, is_##name, text, pattern, NULL}

FORMAT(quantity, "3d44b6bc", "^" QUANTITY "$", "must be a quantity, such as 500m or 2Gi");
FORMAT(ami, "8bd9bfc0", "ami-[0-9a-z]", "must be an image id, such as ami-0123");
FORMAT(volume_size, "cf39799a",
       "^(([1-9][0-9]{0,3}|[1-4][0-9]{4}|5[0-8][0-9]{3}|59000)Gi|"
       "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-3][0-9]{3}|64000)G|"
       "([1-9]?|[1-5][0-7]|58)Ti|([1-9]?|[1-5][0-9]|6[0-3]|64)T)$",
       "must be a size from 1Gi to 64T, such as 100Gi");
FORMAT(reservation, "31d77ef7", "^cr-[0-9a-z]+$", "must be a reservation id, such as cr-0123");
FORMAT(account, "c5bc2dfe", "^[0-9]{12}$", "must be an account id of twelve digits");
FORMAT(eviction, "1ddc5079", "^(([0-9]{1,2}(\\.[0-9]{1,2})?|100(\\.0{1,2})?)%|" QUANTITY ")?$",
       "must be a percentage or a quantity");
FORMAT(placement, "5790db60", "^pg-[0-9a-z]+$", "must be a placement group id, such as pg-0123");
FORMAT(group, "1516b569", "sg-[0-9a-z]", "must be a security group id, such as sg-0123");
FORMAT(subnet, "c19da9cc", "subnet-[0-9a-z]", "must be a subnet id, such as subnet-0123");
FORMAT(duration, "fb2ddbd1", "^([0-9]+[hms])+$", "must be a duration of h, m and s, such as 1h30m");
FORMAT(duration_never, "cc872213", "^(([0-9]+[hms])+|Never)$",
       "must be a duration of h, m and s, such as 720h, or Never");
FORMAT(no_slash, "8d0467b8", "^[^/]*$", "must not contain '/'");
FORMAT(price, "fb6df76f", "^[0-9]+(\\.[0-9]+)?$", "must be a price, such as 0.25");
FORMAT(change, "1a04a733",
       "^([+-][0-9]*\\.?[0-9]+|\\+[0-9]*\\.?[0-9]+%|-[0-9]{1,2}(\\.[0-9]+)?%|-100%)$",
       "must be a signed change, such as +0.5, -10% or +5%, not below -100%");
FORMAT(budget_duration, "aa1c74eb", "^([0-9]+[hm]|[0-9]+h[0-9]+m)(0s)?$",
       "must be a duration of h and m, such as 8h or 1h30m");
FORMAT(budget_nodes, "71f1c05f", "^([0-9]{1,2}%|100%|[0-9]+)$",
       "must be a number of nodes or a percentage up to 100%");
FORMAT(schedule, "68aecdf8",
       "^@(annually|yearly|monthly|weekly|daily|midnight|hourly)|.+\\s.+\\s.+\\s.+\\s.+$",
       "must be a cron schedule of five fields, or a name such as @daily");
const struct schema_format format_time = {
    "date-time", is_time, "must be a time, such as 2026-03-01T08:00:00Z", NULL, NULL};
const struct schema_format
    format_qualified = {"1281684f", is_qualified,
                        "must be a qualified name: [prefix/]name of letters, digits, '-', '_', '.'",
                        "^(" DNS_NAME "/)?" NAME_PART "$", is_label_key},
    format_label_value = {"ee830ded", is_label_text,
                          "must be a label value: letters, digits, '-', '_', '.'",
                          "^(" NAME_PART ")?$", NULL},
    format_value = {"ee830ded", NULL,
                    "must be a label value: at most 63 letters, digits, '-', '_', '.'", NULL,
                    is_label_value},
    format_reason = {"17a48b19", NULL, "must be a word in CamelCase",
                     "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", NULL},
    format_reason_or_none = {"72d32f4c", NULL, "must be a word in CamelCase, or empty",
                             "^([A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?)?$", NULL},
    format_condition = {"c3e4e12a", NULL, "must be a word in CamelCase",
                        "^(" DNS_NAME "/)?" NAME_PART "$", NULL};

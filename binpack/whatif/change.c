/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/whatif/change.h"

#include "base/arena.h"
#include "base/number.h"
#include "base/vec.h"
#include "binpack/whatif/impl.h"

#include <assert.h>

enum { NOTE_MAX = 2000, PPM_PER_PERCENT = 10000 };

const char *const whatif_kind_names[WHATIF_N_KINDS] = {
    [WHATIF_REMOVE_NODE] = "remove-node",
    [WHATIF_ZONE_DOWN] = "zone-down",
    [WHATIF_SCALE] = "scale",
    [WHATIF_DENY_TYPE] = "deny-type",
    [WHATIF_DENY_ARCH] = "deny-arch",
    [WHATIF_NO_SPOT] = "no-spot",
    [WHATIF_UNAVAILABLE] = "unavailable",
    [WHATIF_ONLY_ZONES] = "zones",
    [WHATIF_ONLY_FAMILIES] = "families",
    [WHATIF_PRICE_ADJUST] = "price-adjust",
    [WHATIF_NODE_SURCHARGE] = "node-surcharge",
    [WHATIF_WITHOUT_RULES] = "without",
};

bool whatif_is_of_catalog(enum whatif_kind kind)
{
    return whatif_closes(kind) || kind == WHATIF_PRICE_ADJUST || kind == WHATIF_NODE_SURCHARGE;
}

bool whatif_closes(enum whatif_kind kind)
{
    switch (kind) {
    case WHATIF_ZONE_DOWN:
    case WHATIF_DENY_TYPE:
    case WHATIF_DENY_ARCH:
    case WHATIF_NO_SPOT:
    case WHATIF_UNAVAILABLE:
    case WHATIF_ONLY_ZONES:
    case WHATIF_ONLY_FAMILIES:
        return true;
    case WHATIF_REMOVE_NODE:
    case WHATIF_SCALE:
    case WHATIF_PRICE_ADJUST:
    case WHATIF_NODE_SURCHARGE:
    case WHATIF_WITHOUT_RULES:
    case WHATIF_N_KINDS:
        break;
    }
    return false;
}

/* ---- parsing ---- */

static bool is_named(struct str text, struct whatif_change *change, struct err *err)
{
    change->name = text;
    return text.n > 0 || err_set(err, ERR_INVALID, "a name is missing");
}

static bool parse_list(struct str text, struct arena *arena, struct whatif_change *change,
                       struct err *err)
{
    VEC(struct str) list = {0};
    for (size_t at = 0; at <= text.n;) {
        struct str rest = str_sub(text, at, text.n);
        size_t comma = str_find(rest, ',');
        struct str item = str_trim(str_sub(rest, 0, comma));
        if (item.n == 0) {
            return err_set(err, ERR_INVALID, "\"" STR_FMT "\" is not a list such as a,b",
                           STR_ARG(str_sub(text, 0, 200)));
        }
        VEC_PUSH(arena, &list, item);
        at += comma + 1;
    }
    change->n_list = (uint32_t)list.n;
    change->list = list.v;
    return true;
}

static bool parse_scale(struct str text, struct whatif_change *change, struct err *err)
{
    size_t equals = str_find(text, '=');
    struct str who = str_sub(text, 0, equals);
    size_t first = str_find(who, '/');
    struct str rest = first < who.n ? str_sub(who, first + 1, who.n) : STR_EMPTY;
    size_t second = str_find(rest, '/');
    bool three = second < rest.n;
    uint64_t n = 0;
    change->workload_kind = three ? str_sub(who, 0, first) : STR_EMPTY;
    change->ns = three ? str_sub(rest, 0, second) : str_sub(who, 0, first);
    change->name = three ? str_sub(rest, second + 1, rest.n) : rest;
    if (equals == text.n || change->ns.n == 0 || change->name.n == 0 ||
        str_find(change->name, '/') < change->name.n ||
        !str_to_u64(str_sub(text, equals + 1, text.n), &n) || n > INT32_MAX) {
        return err_set(err, ERR_INVALID,
                       "\"" STR_FMT "\" is not NAMESPACE/NAME=N, such as shop/web=40",
                       STR_ARG(str_sub(text, 0, 200)));
    }
    change->number = (int64_t)n;
    return true;
}

static bool parse_unavailable(struct str text, struct whatif_change *change, struct err *err)
{
    static const char *const known[] = {"spot", "on-demand", "reserved", "*"};
    size_t first = str_find(text, ':');
    struct str rest = first < text.n ? str_sub(text, first + 1, text.n) : STR_EMPTY;
    size_t second = str_find(rest, ':');
    change->name = str_sub(text, 0, first);
    change->zone = str_sub(rest, 0, second);
    change->capacity_type = second < rest.n ? str_sub(rest, second + 1, rest.n) : STR_EMPTY;
    bool good = change->name.n > 0 && change->zone.n > 0;
    bool capacity = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        capacity = capacity || str_eq(change->capacity_type, str_of(known[i]));
    }
    return (good && capacity) || err_set(err, ERR_INVALID,
                                         "\"" STR_FMT "\" is not TYPE:ZONE:CAPACITY_TYPE, such as "
                                         "m5.large:us-east-1a:spot or c7g.*:*:spot",
                                         STR_ARG(str_sub(text, 0, 200)));
}

/* "family in (m7g,c7g): -28%" */
static bool parse_adjust(struct str text, struct arena *arena, struct whatif_change *change,
                         struct err *err)
{
    size_t colon = text.n;
    while (colon > 0 && text.p[colon - 1] != ':') {
        colon--;
    }
    struct str amount = str_trim(str_sub(text, colon, text.n));
    struct str what = colon > 0 ? str_trim(str_sub(text, 0, colon - 1)) : STR_EMPTY;
    bool percent = amount.n > 1 && amount.p[amount.n - 1] == '%';
    struct str digits = str_sub(amount, 0, percent ? amount.n - 1 : 0);
    if (str_starts(digits, STR("+"))) {
        digits = str_sub(digits, 1, digits.n);
    }
    if (colon == 0 || what.n == 0 || !number_parse_decimal(digits, 4, &change->number) ||
        change->number < -100 * PPM_PER_PERCENT || change->number > 100000 * PPM_PER_PERCENT) {
        return err_set(err, ERR_INVALID,
                       "\"" STR_FMT "\" is not SELECTOR: PERCENT, such as 'family in (m7g,c7g): "
                       "-28%%' or '*: -10%%'",
                       STR_ARG(str_sub(text, 0, 200)));
    }
    return str_eq(what, STR("*")) || label_selector_parse(what, arena, &change->selector, err);
}

static bool parse_rules(struct str text, struct arena *arena, struct whatif_change *change,
                        struct err *err)
{
    if (!parse_list(text, arena, change, err)) {
        return false;
    }
    for (uint32_t i = 0; i < change->n_list; i++) {
        int rule = 0;
        while (rule < WHATIF_N_RULES && !str_eq(change->list[i], str_of(whatif_rules[rule].name))) {
            rule++;
        }
        if (rule == WHATIF_N_RULES) {
            return err_set(err, ERR_INVALID, "\"" STR_FMT "\" is no family of rules",
                           STR_ARG(str_sub(change->list[i], 0, 200)));
        }
        change->rules |= 1U << rule;
    }
    return true;
}

static bool parse_usd(struct str text, struct whatif_change *change, struct err *err)
{
    return (number_parse_decimal(text, 9, &change->number) && change->number >= 0 &&
            change->number <= 1000000 * USD_PER_HOUR) ||
           err_set(err, ERR_INVALID, "\"" STR_FMT "\" is not US dollars per hour such as 0.02",
                   STR_ARG(str_sub(text, 0, 200)));
}

bool whatif_parse(enum whatif_kind kind, struct str text, struct arena *arena,
                  struct whatif_change *ret_change, struct err *err)
{
    struct whatif_change change = {.kind = kind, .text = text};
    bool good = true;
    switch (kind) {
    case WHATIF_REMOVE_NODE:
    case WHATIF_ZONE_DOWN:
    case WHATIF_DENY_TYPE:
    case WHATIF_DENY_ARCH:
        good = is_named(text, &change, err);
        break;
    case WHATIF_SCALE:
        good = parse_scale(text, &change, err);
        break;
    case WHATIF_UNAVAILABLE:
        good = parse_unavailable(text, &change, err);
        break;
    case WHATIF_ONLY_ZONES:
    case WHATIF_ONLY_FAMILIES:
        good = parse_list(text, arena, &change, err);
        break;
    case WHATIF_PRICE_ADJUST:
        good = parse_adjust(text, arena, &change, err);
        break;
    case WHATIF_NODE_SURCHARGE:
        good = parse_usd(text, &change, err);
        break;
    case WHATIF_WITHOUT_RULES:
        good = parse_rules(text, arena, &change, err);
        break;
    case WHATIF_NO_SPOT:
    case WHATIF_N_KINDS:
        break;
    }
    *ret_change = change;
    return good;
}

/* ---- applying ---- */

/* The last "*" takes as little as it can, and one more whenever the rest does not match: earlier
 * ones need not be looked at again. */
bool whatif_matches(struct str pattern, struct str text)
{
    size_t p = 0, t = 0, star = pattern.n, taken = 0; /* by the star at `star`: text up to there */
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            taken = t;
        } else if (p < pattern.n && pattern.p[p] == text.p[t]) {
            p++;
            t++;
        } else if (star < pattern.n) {
            p = star + 1;
            t = ++taken;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') {
        p++;
    }
    return p == pattern.n;
}

static bool apply_one(struct applying *a, const struct whatif_change *change, struct err *err)
{
    switch (change->kind) {
    case WHATIF_REMOVE_NODE:
        return whatif_remove_node(a, change, err);
    case WHATIF_SCALE:
        return whatif_scale(a, change, err);
    case WHATIF_WITHOUT_RULES:
        whatif_drop_rules(a, change->rules);
        return true;
    case WHATIF_ZONE_DOWN:
    case WHATIF_DENY_TYPE:
    case WHATIF_DENY_ARCH:
    case WHATIF_NO_SPOT:
    case WHATIF_UNAVAILABLE:
    case WHATIF_ONLY_ZONES:
    case WHATIF_ONLY_FAMILIES:
    case WHATIF_PRICE_ADJUST:
    case WHATIF_NODE_SURCHARGE:
    case WHATIF_N_KINDS:
        break;
    }
    return whatif_offerings(a, change, err);
}

/* A node can be taken out once; to ask for it again is harmless. */
static bool is_repeated(const struct whatif_change *changes, uint32_t i)
{
    bool repeated = false;
    for (uint32_t k = 0; k < i && changes[i].kind == WHATIF_REMOVE_NODE; k++) {
        repeated = repeated || (changes[k].kind == WHATIF_REMOVE_NODE &&
                                str_eq(changes[k].name, changes[i].name));
    }
    return repeated;
}

bool whatif_apply(const struct whatif_change *changes, uint32_t n, struct arena *arena,
                  struct whatif_world *world, struct err *err)
{
    struct str *notes = ARENA_ARRAY(arena, struct str, world->n_notes + (size_t)n + 1);
    for (uint32_t i = 0; i < world->n_notes; i++) {
        notes[i] = world->notes[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        assert(changes[i].kind < WHATIF_N_KINDS);
        if (is_repeated(changes, i)) {
            continue;
        }
        struct strbuf note = strbuf_new(arena, NOTE_MAX);
        struct applying a = {.arena = arena, .world = world, .note = &note};
        if (!apply_one(&a, &changes[i], err)) {
            return err_wrap(err, "%s", whatif_kind_names[changes[i].kind]);
        }
        notes[world->n_notes++] = strbuf_str(&note);
    }
    world->notes = notes;
    return true;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/selector_text.h"

#include "base/arena.h"
#include "base/vec.h"

struct terms {
    struct arena *arena;
    VEC(struct label_term) v;
};

/* The next part up to a comma that is not inside parentheses. */
static struct str next_part(struct str text)
{
    int depth = 0;
    size_t i = 0;
    for (; i < text.n; i++) {
        depth += text.p[i] == '(' ? 1 : text.p[i] == ')' ? -1 : 0;
        if (text.p[i] == ',' && depth <= 0) {
            break;
        }
    }
    return str_sub(text, 0, i);
}

static bool is_key(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '.' || c == '-' || c == '_' || c == '/';
        if (!plain) {
            return false;
        }
    }
    return s.n > 0;
}

static void put_values(struct arena *arena, struct str list, struct label_term *term)
{
    VEC(struct str) values = {0};
    for (size_t at = 0; at <= list.n;) {
        struct str rest = str_sub(list, at, list.n);
        size_t comma = str_find(rest, ',');
        struct str value = str_trim(str_sub(rest, 0, comma));
        VEC_PUSH(arena, &values, value);
        at += comma + 1;
    }
    term->n_values = (uint32_t)values.n;
    term->values = values.v;
}

/* `key in (a,b)` and `key notin (a,b)`. */
static bool parse_set(struct arena *arena, struct str part, struct label_term *ret_term)
{
    size_t blank = str_find(part, ' ');
    struct str key = str_sub(part, 0, blank);
    struct str rest = str_trim(str_sub(part, blank, part.n));
    bool in = str_starts(rest, STR("in"));
    bool not_in = str_starts(rest, STR("notin"));
    struct str list = str_trim(str_sub(rest, not_in ? 5 : 2, rest.n));
    if ((!in && !not_in) || !is_key(key) || list.n < 3 || list.p[0] != '(' ||
        list.p[list.n - 1] != ')') {
        return false;
    }
    *ret_term = (struct label_term){.key = key, .op = not_in ? K8S_NOT_IN : K8S_IN};
    put_values(arena, str_sub(list, 1, list.n - 2), ret_term);
    return true;
}

static bool parse_part(struct arena *arena, struct str part, struct label_term *ret_term)
{
    size_t equals = str_find(part, '=');
    if (str_find(part, '(') < part.n) {
        return parse_set(arena, part, ret_term);
    }
    if (equals < part.n) {
        bool negated = equals > 0 && part.p[equals - 1] == '!';
        bool doubled = equals + 1 < part.n && part.p[equals + 1] == '=';
        struct str key = str_trim(str_sub(part, 0, negated ? equals - 1 : equals));
        struct str value = str_trim(str_sub(part, equals + (doubled ? 2 : 1), part.n));
        *ret_term = (struct label_term){.key = key, .op = negated ? K8S_NOT_IN : K8S_IN};
        put_values(arena, value, ret_term);
        return is_key(key) && (value.n == 0 || is_key(value));
    }
    bool absent = part.n > 0 && part.p[0] == '!';
    struct str key = str_trim(str_sub(part, absent ? 1 : 0, part.n));
    *ret_term = (struct label_term){.key = key, .op = absent ? K8S_DOES_NOT_EXIST : K8S_EXISTS};
    return is_key(key);
}

bool label_selector_parse(struct str text, struct arena *arena, struct label_selector *ret_selector,
                          struct err *err)
{
    struct terms terms = {.arena = arena};
    for (size_t at = 0; at <= text.n;) {
        struct str part = next_part(str_sub(text, at, text.n));
        struct label_term term;
        at += part.n + 1;
        if (!parse_part(arena, str_trim(part), &term)) {
            return err_set(err, ERR_INVALID,
                           "\"" STR_FMT
                           "\" is no condition such as app=web, tier!=cache, env in (a,b) or !gpu",
                           STR_ARG(part));
        }
        VEC_PUSH(terms.arena, &terms.v, term);
    }
    *ret_selector = (struct label_selector){.n = (uint32_t)terms.v.n, .terms = terms.v.v};
    return true;
}

bool label_term_holds(const struct label_term *term, bool present, struct str value)
{
    bool listed = false;
    for (uint32_t i = 0; i < term->n_values && present && !listed; i++) {
        listed = str_eq(term->values[i], value);
    }
    return term->op == K8S_IN       ? listed
           : term->op == K8S_NOT_IN ? !listed
           : term->op == K8S_EXISTS ? present
                                    : !present;
}

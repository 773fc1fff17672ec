/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "k8s/schema_impl.h"

enum { PATH_BYTES = 512, TEXT_BYTES = 600, SHOWN_BYTES = 80, CLOSE_ENOUGH = 3 };

/* Where the walk stands: the value, and its path in the form of the tables. */
struct walk {
    struct arena *arena;
    const struct schema_kind *kind;
    struct k8s_violation *found; /* [K8S_SCHEMA_MAX_VIOLATIONS] */
    uint32_t n;
    bool accepted_by_server; /* what is found at this moment */
};

const struct schema_row *schema_find_row(const struct schema_kind *kind, struct str path)
{
    for (uint32_t i = 0; i < kind->n_rows; i++) {
        if (str_eq(str_of(kind->rows[i].path), path)) {
            return &kind->rows[i];
        }
    }
    return NULL;
}

static void report(struct walk *walk, const struct json_at *at, struct str rule, struct str text)
{
    char room[PATH_BYTES];
    if (walk->n == K8S_SCHEMA_MAX_VIOLATIONS) {
        return;
    }
    walk->found[walk->n++] =
        (struct k8s_violation){.path = str_copy(walk->arena, json_at_path(at, room, sizeof room)),
                               .rule = str_copy(walk->arena, rule),
                               .text = str_copy(walk->arena, text),
                               .accepted_by_server = walk->accepted_by_server};
}

/* With the value in front when it is a scalar, so that the text stands for itself. */
static void report_value(struct walk *walk, const struct json_at *at, const char *rule,
                         const char *text)
{
    struct strbuf out = strbuf_new(walk->arena, TEXT_BYTES);
    if (json_is_string(at->v)) {
        struct str value = {.p = json_string_value(at->v), .n = json_string_length(at->v)};
        struct str shown = str_sub(value, 0, SHOWN_BYTES);
        strbuf_addf(&out, "\"" STR_FMT "\"%s: ", STR_ARG(shown), shown.n < value.n ? "..." : "");
    } else if (json_is_integer(at->v)) {
        strbuf_addf(&out, "%lld: ", (long long)json_integer_value(at->v));
    }
    strbuf_add(&out, str_of(text));
    report(walk, at, str_of(rule), strbuf_str(&out));
}

/* ---- one value against its row ---- */

static const char *type_name(enum schema_type type)
{
    static const char *const names[] = {
        [SCHEMA_OBJECT] = "object", [SCHEMA_MAP] = "map",           [SCHEMA_ARRAY] = "array",
        [SCHEMA_STRING] = "string", [SCHEMA_BOOLEAN] = "boolean",   [SCHEMA_INTEGER] = "integer",
        [SCHEMA_INT32] = "int32",   [SCHEMA_QUANTITY] = "quantity",
    };
    return names[type];
}

/* An API server takes 3.0 for an integer. */
static bool is_whole(const json_t *value)
{
    double number = json_real_value(value);
    return json_is_integer(value) || (json_is_real(value) && number > -9e15 && number < 9e15 &&
                                      number == (double)(int64_t)number);
}

static int64_t whole_value(const json_t *value)
{
    return json_is_real(value) ? (int64_t)json_real_value(value) : json_integer_value(value);
}

static bool right_type(enum schema_type type, const json_t *value)
{
    switch (type) {
    case SCHEMA_OBJECT:
    case SCHEMA_MAP:
        return json_is_object(value);
    case SCHEMA_ARRAY:
        return json_is_array(value);
    case SCHEMA_STRING:
        return json_is_string(value);
    case SCHEMA_BOOLEAN:
        return json_is_boolean(value);
    case SCHEMA_INTEGER:
        return is_whole(value);
    case SCHEMA_INT32:
        return is_whole(value) && whole_value(value) >= INT32_MIN &&
               whole_value(value) <= INT32_MAX;
    case SCHEMA_QUANTITY:
        break;
    }
    return is_whole(value) || json_is_string(value);
}

/* What minimum and maximum count: of texts the characters, not their bytes, and of maps what is not
 * null. */
static int64_t size_of(const struct json_at *at)
{
    if (json_is_number(at->v)) {
        return whole_value(at->v);
    }
    int64_t n = 0;
    if (json_is_object(at->v)) {
        json_t *object = (json_t *)(uintptr_t)at->v;
        for (void *it = json_object_iter(object); it != NULL;
             it = json_object_iter_next(object, it)) {
            n += json_is_null(json_object_iter_value(it)) ? 0 : 1;
        }
        return n;
    }
    if (!json_is_string(at->v)) {
        return (int64_t)json_at_count(at);
    }
    for (size_t i = 0; i < json_string_length(at->v); i++) {
        n += ((unsigned char)json_string_value(at->v)[i] & 0xc0) != 0x80 ? 1 : 0;
    }
    return n;
}

const char *schema_limit_name(enum schema_type type, bool max)
{
    switch (type) {
    case SCHEMA_STRING:
        return max ? "maxLength" : "minLength";
    case SCHEMA_ARRAY:
        return max ? "maxItems" : "minItems";
    case SCHEMA_OBJECT:
    case SCHEMA_MAP:
        return max ? "maxProperties" : "minProperties";
    case SCHEMA_BOOLEAN:
    case SCHEMA_INTEGER:
    case SCHEMA_INT32:
    case SCHEMA_QUANTITY:
        break;
    }
    return max ? "maximum" : "minimum";
}

/* False: a list or map too long to look into. */
static bool check_limits(struct walk *walk, const struct schema_row *row, const struct json_at *at)
{
    char text[96];
    int64_t size = size_of(at);
    bool low = (row->flags & SCHEMA_MIN) != 0 && size < row->min;
    bool high = (row->flags & SCHEMA_MAX) != 0 && size > row->max;
    const char *unit = row->type == SCHEMA_STRING                             ? " characters"
                       : row->type == SCHEMA_ARRAY || row->type == SCHEMA_MAP ? " items"
                                                                              : "";
    if (low || high) {
        (void)snprintf(text, sizeof text, "must be at %s %lld%s", low ? "least" : "most",
                       (long long)(low ? row->min : row->max), unit);
        report_value(walk, at, schema_limit_name(row->type, high), text);
    }
    return !high || row->type == SCHEMA_STRING || json_is_number(at->v);
}

static void check_choices(struct walk *walk, const struct schema_row *row, const struct json_at *at)
{
    struct str value = {.p = json_string_value(at->v), .n = json_string_length(at->v)};
    struct strbuf text = strbuf_new(walk->arena, TEXT_BYTES);
    strbuf_add(&text, STR("must be "));
    for (size_t i = 0; row->choices[i] != NULL; i++) {
        if (str_eq(str_of(row->choices[i]), value)) {
            return;
        }
        strbuf_addf(&text, "%s%s", i == 0 ? "" : ", ", row->choices[i]);
    }
    strbuf_addc(&text, '\0');
    report_value(walk, at, "enum", text.p);
}

static void check_set(struct walk *walk, const struct json_at *at)
{
    size_t n = json_at_count(at);
    for (size_t i = 1; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (json_equal(json_array_get(at->v, i), json_array_get(at->v, j))) {
                struct json_at item = json_at_element(at, i);
                report_value(walk, &item, "set", "is there twice");
                return;
            }
        }
    }
}

static void check_rules(struct walk *walk, const struct schema_row *row, const struct json_at *at)
{
    for (size_t i = 0; row->rules != NULL && row->rules[i] != NULL; i++) {
        const struct schema_rule *rule = row->rules[i];
        if (rule->holds != NULL && !rule->holds(at, rule)) {
            char id[32];
            (void)snprintf(id, sizeof id, "cel:%s", rule->hash);
            report_value(walk, at, id, rule->text);
        }
    }
}

static void check_format(struct walk *walk, const struct schema_format *format,
                         const struct json_at *at)
{
    struct str value = {.p = json_string_value(at->v), .n = json_string_length(at->v)};
    bool fits = format->fits == NULL || format->fits(value);
    if (!fits || (format->suits != NULL && !format->suits(value))) {
        char id[32];
        (void)snprintf(id, sizeof id, "pattern:%s", format->hash);
        walk->accepted_by_server = fits;
        report_value(walk, at, id, format->text);
        walk->accepted_by_server = false;
    }
}

/* False: do not look inside. */
static bool check_value(struct walk *walk, const struct schema_row *row, const struct json_at *at)
{
    if (!check_limits(walk, row, at)) {
        return false;
    }
    if (row->choices != NULL) {
        check_choices(walk, row, at);
    }
    if (row->format != NULL && json_is_string(at->v)) {
        check_format(walk, row->format, at);
    }
    if ((row->flags & SCHEMA_SET) != 0) {
        check_set(walk, at);
    }
    check_rules(walk, row, at);
    return true;
}

/* ---- the walk ---- */

struct str schema_child_key(const struct schema_row *row, struct str path)
{
    struct str own = str_of(row->path);
    struct str key = str_sub(own, path.n + 1, own.n);
    bool child = own.n > path.n + 1 && str_starts(own, path) && own.p[path.n] == '.' &&
                 str_find(key, '.') == key.n && str_find(key, '[') == key.n &&
                 str_find(key, '{') == key.n;
    return child ? key : STR_EMPTY;
}

static void report_unknown(struct walk *walk, const struct json_at *at, struct str path)
{
    struct strbuf text = strbuf_new(walk->arena, TEXT_BYTES);
    struct str best = STR_EMPTY;
    size_t closest = CLOSE_ENOUGH;
    for (uint32_t i = 0; i < walk->kind->n_rows; i++) {
        struct str key = schema_child_key(&walk->kind->rows[i], path);
        size_t distance = key.n == 0 ? SIZE_MAX : str_distance(key, at->key);
        if (distance < closest) {
            closest = distance;
            best = key;
        }
    }
    strbuf_add(&text, STR("unknown field"));
    if (best.n > 0) {
        strbuf_addf(&text, "; did you mean " STR_FMT "?", STR_ARG(best));
    }
    report(walk, at, STR("unknown"), strbuf_str(&text));
}

static void visit(struct walk *walk, const struct json_at *at, const struct schema_row *row);

static void visit_members(struct walk *walk, const struct json_at *at, const struct schema_row *row)
{
    json_t *object = (json_t *)(uintptr_t)at->v;
    struct str path = str_of(row->path);
    for (uint32_t i = 0; row->type == SCHEMA_OBJECT && i < walk->kind->n_rows; i++) {
        const struct schema_row *child = &walk->kind->rows[i];
        if ((child->flags & SCHEMA_REQUIRED) != 0 && schema_child_key(child, path).n > 0) {
            struct json_at member = json_at_member(at, child->path + path.n + 1);
            if (member.v == NULL) {
                report(walk, &member, STR("required"), STR("required"));
            }
        }
    }
    for (void *it = json_object_iter(object); it != NULL; it = json_object_iter_next(object, it)) {
        struct str key = str_of(json_object_iter_key(it));
        struct json_at member = json_at_named(at, key, json_object_iter_value(it));
        struct strbuf inner = strbuf_new(walk->arena, PATH_BYTES);
        strbuf_add(&inner, path);
        strbuf_add(&inner, row->type == SCHEMA_MAP ? STR("{}") : STR("."));
        strbuf_add(&inner, row->type == SCHEMA_MAP ? STR_EMPTY : key);
        const struct schema_row *child =
            inner.overflow ? NULL : schema_find_row(walk->kind, strbuf_str(&inner));
        if (child == NULL || (row->type == SCHEMA_OBJECT && schema_child_key(child, path).n == 0)) {
            report_unknown(walk, &member, path);
        } else if (member.v != NULL) {
            visit(walk, &member, child);
        }
        if (walk->n == K8S_SCHEMA_MAX_VIOLATIONS) {
            return;
        }
    }
}

static void visit(struct walk *walk, const struct json_at *at, const struct schema_row *row)
{
    if (!right_type(row->type, at->v)) {
        char text[96];
        (void)snprintf(text, sizeof text, "expected %s, got %s",
                       row->type == SCHEMA_MAP ? "object" : type_name(row->type),
                       json_type_text(at->v));
        /* An API server does not look at the type where a list stands in the place of a time. */
        walk->accepted_by_server = row->format == &format_time && json_is_array(at->v);
        report_value(walk, at, "type", text);
        walk->accepted_by_server = false;
        return;
    }
    if (!check_value(walk, row, at)) {
        return;
    }
    if (row->type == SCHEMA_OBJECT || row->type == SCHEMA_MAP) {
        visit_members(walk, at, row);
        return;
    }
    if (row->type != SCHEMA_ARRAY) {
        return;
    }
    struct strbuf inner = strbuf_new(walk->arena, PATH_BYTES);
    strbuf_addf(&inner, "%s[]", row->path);
    const struct schema_row *element = schema_find_row(walk->kind, strbuf_str(&inner));
    for (size_t i = 0; i < json_at_count(at) && walk->n < K8S_SCHEMA_MAX_VIOLATIONS; i++) {
        struct json_at item = json_at_element(at, i);
        visit(walk, &item, element);
    }
}

bool k8s_schema_check(struct arena *arena, const json_t *object,
                      const struct k8s_violation **ret_violations, uint32_t *ret_n)
{
    struct walk walk = {.arena = arena};
    const char *kind = json_string_value(json_object_get(object, "kind"));
    for (uint32_t i = 0; kind != NULL && i < schema_n_kinds; i++) {
        walk.kind = strcmp(schema_kinds[i].kind, kind) == 0 ? &schema_kinds[i] : walk.kind;
    }
    if (walk.kind == NULL) {
        return false;
    }
    walk.found = ARENA_ARRAY(arena, struct k8s_violation, K8S_SCHEMA_MAX_VIOLATIONS);
    struct json_at root = json_at_root(object);
    struct json_at spec = json_at_member(&root, "spec");
    if (spec.v == NULL) {
        report(&walk, &spec, STR("required"), STR("required"));
    } else {
        visit(&walk, &spec, &walk.kind->rows[0]);
    }
    *ret_violations = walk.found;
    *ret_n = walk.n;
    return true;
}

/* ---- the list of rules ---- */

/* The rules of one row, counted down: *left is how many to pass over. True: this is the one. */
static bool pass(uint32_t *left)
{
    if (*left == 0) {
        return true;
    }
    (*left)--;
    return false;
}

static bool rule_of_row(const struct schema_row *row, uint32_t *left, struct k8s_schema_rule *ret)
{
    static const struct {
        unsigned flag;
        const char *rule;
    } lists[] = {{SCHEMA_SET, "set"}, {SCHEMA_ATOMIC, "atomic"}, {SCHEMA_BY_TYPE, "by type"}};
    size_t size = sizeof ret->rule;
    ret->text = NULL;
    if (pass(left)) {
        (void)snprintf(ret->rule, size, "type:%s", type_name(row->type));
        return true;
    }
    if ((row->flags & SCHEMA_REQUIRED) != 0 && pass(left)) {
        (void)snprintf(ret->rule, size, "required");
        return true;
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if ((row->flags & lists[i].flag) != 0 && pass(left)) {
            (void)snprintf(ret->rule, size, "%s", lists[i].rule);
            return true;
        }
    }
    if (row->otherwise != NULL && pass(left)) {
        (void)snprintf(ret->rule, size, "default:%s", row->otherwise);
        return true;
    }
    if ((row->flags & SCHEMA_MIN) != 0 && pass(left)) {
        (void)snprintf(ret->rule, size, "%s:%lld", schema_limit_name(row->type, false),
                       (long long)row->min);
        return true;
    }
    if ((row->flags & SCHEMA_MAX) != 0 && pass(left)) {
        (void)snprintf(ret->rule, size, "%s:%lld", schema_limit_name(row->type, true),
                       (long long)row->max);
        return true;
    }
    if (row->choices != NULL && pass(left)) {
        size_t n = (size_t)snprintf(ret->rule, size, "enum:");
        for (size_t i = 0; row->choices[i] != NULL && n < size; i++) {
            n += (size_t)snprintf(ret->rule + n, size - n, "%s%s", i == 0 ? "" : ",",
                                  row->choices[i]);
        }
        return true;
    }
    if (row->format != NULL && pass(left)) {
        (void)snprintf(ret->rule, size, "pattern:%s", row->format->hash);
        ret->text = row->format->text;
        return true;
    }
    for (size_t i = 0; row->rules != NULL && row->rules[i] != NULL; i++) {
        if (pass(left)) {
            (void)snprintf(ret->rule, size, "cel:%s", row->rules[i]->hash);
            ret->text = row->rules[i]->text;
            return true;
        }
    }
    return false;
}

bool k8s_schema_rule(uint32_t i, struct k8s_schema_rule *ret_rule)
{
    uint32_t left = i;
    for (uint32_t k = 0; k < schema_n_kinds; k++) {
        for (uint32_t r = 0; r < schema_kinds[k].n_rows; r++) {
            const struct schema_row *row = &schema_kinds[k].rows[r];
            ret_rule->kind = schema_kinds[k].kind;
            ret_rule->path = row->path;
            if (rule_of_row(row, &left, ret_rule)) {
                return true;
            }
        }
    }
    return false;
}

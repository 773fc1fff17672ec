/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"
#include "base/toml.h"

/* ---- trees ---- */

struct toml *toml_new(struct arena *arena, enum toml_kind kind)
{
    struct toml *value = ARENA_NEW(arena, struct toml);
    value->kind = kind;
    return value;
}

struct toml *toml_new_text(struct arena *arena, struct str text)
{
    struct toml *value = toml_new(arena, TOML_STRING);
    value->text = text;
    return value;
}

struct toml *toml_new_integer(struct arena *arena, int64_t integer)
{
    struct toml *value = toml_new(arena, TOML_INTEGER);
    value->integer = integer;
    return value;
}

struct toml *toml_new_bool(struct arena *arena, bool boolean)
{
    struct toml *value = toml_new(arena, TOML_BOOL);
    value->boolean = boolean;
    return value;
}

struct toml *toml_get(const struct toml *table, struct str key)
{
    for (const struct toml_entry *e = table->first; e != NULL; e = e->next) {
        if (str_eq(e->key, key)) {
            return e->value;
        }
    }
    return NULL;
}

static void append(struct arena *arena, struct toml *into, struct str key, struct toml *value)
{
    struct toml_entry *entry = ARENA_NEW(arena, struct toml_entry);
    *entry = (struct toml_entry){.key = key, .value = value};
    if (into->last == NULL) {
        into->first = entry;
    } else {
        into->last->next = entry;
    }
    into->last = entry;
    into->n++;
}

void toml_set(struct arena *arena, struct toml *table, struct str key, struct toml *value)
{
    for (struct toml_entry *e = table->first; e != NULL; e = e->next) {
        if (str_eq(e->key, key)) {
            e->value = value;
            return;
        }
    }
    append(arena, table, key, value);
}

void toml_push(struct arena *arena, struct toml *array, struct toml *value)
{
    append(arena, array, STR_EMPTY, value);
}

const char *toml_kind_text(enum toml_kind kind)
{
    static const char *const texts[] = {
        [TOML_STRING] = "a string", [TOML_INTEGER] = "an integer", [TOML_FLOAT] = "a float",
        [TOML_BOOL] = "a boolean",  [TOML_TIME] = "a time",        [TOML_ARRAY] = "an array",
        [TOML_TABLE] = "a table",
    };
    return texts[kind];
}

/* ---- writing ---- */

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool is_bare(struct str key)
{
    bool bare = key.n > 0;
    for (size_t i = 0; i < key.n && bare; i++) {
        char c = key.p[i];
        bare = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    }
    return bare;
}

static void put_string(struct strbuf *out, struct str text)
{
    bool literal = true;
    for (size_t i = 0; i < text.n && literal; i++) {
        literal = text.p[i] != '\'' && !is_control(text.p[i]);
    }
    strbuf_addc(out, literal ? '\'' : '"');
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (literal) {
            strbuf_addc(out, c);
        } else if (c == '"' || c == '\\') {
            strbuf_addc(out, '\\');
            strbuf_addc(out, c);
        } else if (c == '\n') {
            strbuf_add(out, STR("\\n"));
        } else if (is_control(c)) {
            strbuf_addf(out, "\\u%04x", (unsigned)(unsigned char)c);
        } else {
            strbuf_addc(out, c);
        }
    }
    strbuf_addc(out, literal ? '\'' : '"');
}

static void put_key(struct strbuf *out, struct str key)
{
    if (is_bare(key)) {
        strbuf_add(out, key);
    } else {
        put_string(out, key);
    }
}

static void put_value(struct strbuf *out, const struct toml *value)
{
    bool table = value->kind == TOML_TABLE;
    switch (value->kind) {
    case TOML_STRING:
        put_string(out, value->text);
        return;
    case TOML_INTEGER:
        strbuf_addf(out, "%lld", (long long)value->integer);
        return;
    case TOML_BOOL:
        strbuf_add(out, value->boolean ? STR("true") : STR("false"));
        return;
    case TOML_FLOAT:
    case TOML_TIME:
        strbuf_add(out, value->text);
        return;
    case TOML_ARRAY:
    case TOML_TABLE:
        break;
    }
    strbuf_addc(out, table ? '{' : '[');
    for (const struct toml_entry *e = value->first; e != NULL; e = e->next) {
        if (table) {
            put_key(out, e->key);
            strbuf_add(out, STR(" = "));
        }
        put_value(out, e->value);
        strbuf_add(out, e->next == NULL ? STR_EMPTY : STR(", "));
    }
    strbuf_addc(out, table ? '}' : ']');
}

/* Where a table lies, for its header. */
struct place {
    const struct place *up; /* NULL at the root, which has no key */
    struct str key;
};

static void put_path(struct strbuf *out, const struct place *place)
{
    if (place->up->up != NULL) {
        put_path(out, place->up);
        strbuf_addc(out, '.');
    }
    put_key(out, place->key);
}

static void put_table(struct strbuf *out, const struct toml *table, const struct place *place)
{
    bool blank = out->n > 0;
    bool only_tables = table->n > 0;
    for (const struct toml_entry *e = table->first; e != NULL; e = e->next) {
        only_tables = only_tables && e->value->kind == TOML_TABLE;
    }
    if (place->up != NULL && !only_tables) {
        strbuf_add(out, blank ? STR("\n[") : STR("["));
        put_path(out, place);
        strbuf_add(out, STR("]\n"));
    }
    for (const struct toml_entry *e = table->first; e != NULL; e = e->next) {
        if (e->value->kind != TOML_TABLE) {
            put_key(out, e->key);
            strbuf_add(out, STR(" = "));
            put_value(out, e->value);
            strbuf_addc(out, '\n');
        }
    }
    for (const struct toml_entry *e = table->first; e != NULL; e = e->next) {
        if (e->value->kind == TOML_TABLE) {
            struct place below = {.up = place, .key = e->key};
            put_table(out, e->value, &below);
        }
    }
}

void toml_write(const struct toml *table, struct strbuf *out)
{
    struct place root = {.up = NULL};
    put_table(out, table, &root);
}

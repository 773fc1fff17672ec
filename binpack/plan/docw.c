/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/docw.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "binpack/plan/utf8.h"

struct docw docw_new(struct strbuf *out, enum docw_format format)
{
    return (struct docw){.out = out, .format = format};
}

void docw_begin(struct docw *w)
{
    assert(w->depth == 0);
    if (w->format == DOCW_YAML) {
        strbuf_add(w->out, STR("---\n"));
    }
    w->n_documents++;
}

void docw_end(struct docw *w)
{
    assert(w->depth == 0 && !w->key_pending);
    if (w->out->n > 0 && w->out->p[w->out->n - 1] != '\n') {
        strbuf_addc(w->out, '\n');
    }
}

static struct docw_level *top(struct docw *w)
{
    return w->depth == 0 ? NULL : &w->levels[w->depth - 1];
}

/* Line break and indentation in front of a member of the innermost container. */
static void member_begin(struct docw *w, struct docw_level *level)
{
    size_t i = level->n++;
    if (level->flow) {
        strbuf_add(w->out, i == 0 ? STR_EMPTY : STR(", "));
        return;
    }
    if (w->format == DOCW_JSON) {
        strbuf_add(w->out, i == 0 ? STR("\n") : STR(",\n"));
        strbuf_pad(w->out, ' ', (size_t)w->depth * 2);
        return;
    }
    if (i == 0 && level->bare) {
        return; /* continues after "- " */
    }
    if (w->out->n > 0 && w->out->p[w->out->n - 1] != '\n') {
        strbuf_addc(w->out, '\n');
    }
    strbuf_pad(w->out, ' ', (size_t)(w->depth - 1) * 2);
}

/* To be called before any value is written: separators of an array's item, blank after a key. */
static void value_begin(struct docw *w, bool is_block)
{
    struct docw_level *level = top(w);
    if (level == NULL) {
        return;
    }
    if (level->is_array) {
        member_begin(w, level);
        if (w->format == DOCW_YAML && !level->flow) {
            strbuf_add(w->out, STR("- "));
        }
        return;
    }
    assert(w->key_pending);
    w->key_pending = false;
    if (w->format == DOCW_JSON || level->flow || !is_block) {
        strbuf_addc(w->out, ' ');
    }
}

void docw_flow(struct docw *w)
{
    w->flow_next = true;
}

static void container_begin(struct docw *w, bool is_array)
{
    struct docw_level *outer = top(w);
    bool flow = w->flow_next || (outer != NULL && outer->flow);
    bool in_array = outer != NULL && outer->is_array;
    w->flow_next = false;
    assert(w->depth < DOCW_DEPTH);
    value_begin(w, !flow);
    if (w->format == DOCW_JSON || flow) {
        strbuf_addc(w->out, is_array ? '[' : '{');
    }
    w->levels[w->depth++] =
        (struct docw_level){.is_array = is_array, .flow = flow, .bare = in_array && !flow};
}

static void container_end(struct docw *w, bool is_array)
{
    struct docw_level *level = top(w);
    assert(level != NULL && level->is_array == is_array && !w->key_pending);
    struct docw_level closed = *level;
    w->depth--;
    if (w->format == DOCW_JSON || closed.flow) {
        if (!closed.flow && closed.n > 0) {
            strbuf_addc(w->out, '\n');
            strbuf_pad(w->out, ' ', (size_t)w->depth * 2);
        }
        strbuf_addc(w->out, is_array ? ']' : '}');
        return;
    }
    if (closed.n == 0) {
        struct docw_level *outer = top(w);
        bool after_key = outer != NULL && !outer->is_array;
        strbuf_add(w->out, after_key ? STR(" ") : STR_EMPTY);
        strbuf_add(w->out, is_array ? STR("[]") : STR("{}"));
    }
}

void docw_object_begin(struct docw *w)
{
    container_begin(w, /* is_array= */ false);
}

void docw_object_end(struct docw *w)
{
    container_end(w, /* is_array= */ false);
}

void docw_array_begin(struct docw *w)
{
    container_begin(w, /* is_array= */ true);
}

void docw_array_end(struct docw *w)
{
    container_end(w, /* is_array= */ true);
}

static void quoted(struct strbuf *out, struct str s)
{
    strbuf_addc(out, '"');
    size_t n;
    for (size_t i = 0; i < s.n; i += n) {
        uint32_t c = utf8_next(s, i, &n);
        if (c == '"' || c == '\\') {
            strbuf_addc(out, '\\');
            strbuf_addc(out, (char)c);
        } else if (c == '\n' || c == '\t' || c == '\r') {
            strbuf_addc(out, '\\');
            strbuf_addc(out, c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        } else if (utf8_is_control(c)) {
            strbuf_addf(out, "\\u%04x", (unsigned)c);
        } else {
            utf8_add(out, c);
        }
    }
    strbuf_addc(out, '"');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool equals_ignoring_case(struct str s, const char *word)
{
    struct str w = str_of(word);
    if (s.n != w.n) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c + 32) : c) != w.p[i]) {
            return false;
        }
    }
    return true;
}

/* Whether every YAML reader takes the bare text for this very string. */
static bool plain_in_yaml(struct str s)
{
    static const char *const words[] = {"y",  "n",   "yes",  "no", "true", "false",
                                        "on", "off", "null", "~",  "nan",  "inf"};
    if (s.n == 0 || s.n > 120) {
        return false;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (equals_ignoring_case(s, words[i])) {
            return false;
        }
    }
    char first = s.p[0];
    char last = s.p[s.n - 1];
    if (is_digit(first)) {
        /* "15890m" and "6903Mi" are strings everywhere; numbers, dates, 0x10 and 1e5 are not. */
        if (!is_letter(last) || (first == '0' && s.n > 1 && is_letter(s.p[1]) && s.n > 2)) {
            return false;
        }
    } else if (!is_letter(first) && first != '_' && first != '/') {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '/' ||
            c == '@' || c == '+' || c == '=') {
            continue;
        }
        bool between = i + 1 < s.n && (is_letter(s.p[i + 1]) || is_digit(s.p[i + 1]));
        if ((c == ':' || c == ' ') && between) {
            continue;
        }
        return false;
    }
    return true;
}

static void text(struct docw *w, struct str s, bool flow)
{
    if (w->format == DOCW_YAML && plain_in_yaml(s) && !(flow && str_find(s, ':') < s.n)) {
        strbuf_add(w->out, s);
    } else {
        quoted(w->out, s);
    }
}

void docw_key(struct docw *w, struct str key)
{
    struct docw_level *level = top(w);
    assert(level != NULL && !level->is_array && !w->key_pending);
    member_begin(w, level);
    text(w, key, level->flow);
    strbuf_addc(w->out, ':');
    w->key_pending = true;
}

void docw_string(struct docw *w, struct str value)
{
    value_begin(w, /* is_block= */ false);
    text(w, value, w->depth > 0 && top(w)->flow);
}

void docw_int(struct docw *w, int64_t value)
{
    value_begin(w, /* is_block= */ false);
    strbuf_addf(w->out, "%" PRId64, value);
}

void docw_bool(struct docw *w, bool value)
{
    value_begin(w, /* is_block= */ false);
    strbuf_add(w->out, value ? STR("true") : STR("false"));
}

void docw_null(struct docw *w)
{
    value_begin(w, /* is_block= */ false);
    strbuf_add(w->out, STR("null"));
}

void docw_decimal(struct docw *w, int64_t value, unsigned digits)
{
    assert(digits <= 18);
    uint64_t scale = 1;
    for (unsigned i = 0; i < digits; i++) {
        scale *= 10;
    }
    uint64_t magnitude = value < 0 ? UINT64_C(0) - (uint64_t)value : (uint64_t)value;
    uint64_t fraction = magnitude % scale;
    value_begin(w, /* is_block= */ false);
    strbuf_addf(w->out, "%s%" PRIu64, value < 0 ? "-" : "", magnitude / scale);
    if (fraction == 0) {
        return;
    }
    while (fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    strbuf_addf(w->out, ".%0*" PRIu64, (int)digits, fraction);
}

void docw_usd(struct docw *w, usd_t price)
{
    docw_decimal(w, price, 9);
}

/* The shortest decimal that reads back as the same double. */
static void foreign_real(struct docw *w, double value)
{
    char buffer[40];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(buffer, sizeof(buffer), "%.*g", digits, value);
        if (strtod(buffer, NULL) == value) {
            break;
        }
    }
    value_begin(w, /* is_block= */ false);
    strbuf_add(w->out, str_of(buffer));
}

static void foreign_object(struct docw *w, const json_t *value)
{
    /* jansson's iterators take the object without const, but change nothing. */
    json_t *object = (json_t *)(uintptr_t)value;
    docw_object_begin(w);
    for (void *it = json_object_iter(object); it != NULL; it = json_object_iter_next(object, it)) {
        docw_key(w, str_of(json_object_iter_key(it)));
        docw_json(w, json_object_iter_value(it));
    }
    docw_object_end(w);
}

static void foreign_array(struct docw *w, const json_t *value)
{
    docw_array_begin(w);
    for (size_t i = 0; i < json_array_size(value); i++) {
        docw_json(w, json_array_get(value, i));
    }
    docw_array_end(w);
}

void docw_json(struct docw *w, const json_t *value)
{
    switch (value == NULL ? JSON_NULL : json_typeof(value)) {
    case JSON_OBJECT:
        foreign_object(w, value);
        break;
    case JSON_ARRAY:
        foreign_array(w, value);
        break;
    case JSON_STRING:
        docw_string(w, (struct str){.p = json_string_value(value), .n = json_string_length(value)});
        break;
    case JSON_INTEGER:
        docw_int(w, json_integer_value(value));
        break;
    case JSON_REAL:
        foreign_real(w, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        docw_bool(w, json_is_true(value));
        break;
    case JSON_NULL:
        docw_null(w);
        break;
    }
}

void docw_put_string(struct docw *w, const char *key, struct str value)
{
    docw_key(w, str_of(key));
    docw_string(w, value);
}

void docw_put_int(struct docw *w, const char *key, int64_t value)
{
    docw_key(w, str_of(key));
    docw_int(w, value);
}

void docw_put_usd(struct docw *w, const char *key, usd_t price)
{
    docw_key(w, str_of(key));
    docw_usd(w, price);
}

void docw_open_object(struct docw *w, const char *key)
{
    docw_key(w, str_of(key));
    docw_object_begin(w);
}

void docw_open_array(struct docw *w, const char *key)
{
    docw_key(w, str_of(key));
    docw_array_begin(w);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/jsonw.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/number.h"
#include "base/utf8.h"
#include "base/yaml_scalar.h"

struct jsonw jsonw_new(struct strbuf *out, enum jsonw_style style)
{
    return (struct jsonw){
        .out = out, .style = style, .depth = 0, .opened = 0, .has_key = false, .in_line = false};
}

static void quote_code(struct strbuf *out, uint32_t code)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i + 1 < sizeof shorts; i += 2) {
        if (code == (unsigned char)shorts[i]) {
            strbuf_addc(out, '\\');
            strbuf_addc(out, shorts[i + 1]);
            return;
        }
    }
    strbuf_addf(out, "\\u%04x", (unsigned)code);
}

/* Bytes up to the first that needs a closer look. */
static size_t plain_run(struct str text)
{
    size_t n = 0;
    while (n < text.n) {
        unsigned char c = (unsigned char)text.p[n];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') {
            break;
        }
        n++;
    }
    return n;
}

void jsonw_quote(struct strbuf *out, struct str text)
{
    strbuf_addc(out, '"');
    while (text.n > 0) {
        size_t run = plain_run(text);
        strbuf_add(out, str_sub(text, 0, run));
        text = str_sub(text, run, text.n);
        if (text.n == 0) {
            break;
        }
        uint32_t code = 0;
        size_t size = utf8_decode(text.p, text.n, &code);
        if (size == 0) {
            strbuf_add(out, STR("\\ufffd"));
            size = 1;
        } else if (code == '"' || code == '\\' || utf8_is_unsafe(code)) {
            quote_code(out, code);
        } else {
            strbuf_add(out, str_sub(text, 0, size));
        }
        text = str_sub(text, size, text.n);
    }
    strbuf_addc(out, '"');
}

static bool yaml(const struct jsonw *w)
{
    return w->style == JSONW_YAML;
}

static void new_line(struct jsonw *w, int indent)
{
    strbuf_addc(w->out, '\n');
    strbuf_pad(w->out, ' ', (size_t)indent);
}

/* YAML: the start of a line for a child of the innermost container, which thereby turns out not to
 * be empty. */
static void yaml_child_line(struct jsonw *w)
{
    int top = w->depth - 1;
    if (w->opened < w->depth) {
        w->opened = w->depth;
        bool after_key = top > 0 && !w->level[top - 1].is_array;
        if (after_key) {
            strbuf_addc(w->out, '\n');
        }
        if (after_key || top == 0) {
            strbuf_pad(w->out, ' ', (size_t)w->level[top].indent);
        }
        return; /* in a list: goes on behind the "- " */
    }
    strbuf_pad(w->out, ' ', (size_t)w->level[top].indent);
}

/* What stands before any value. */
static void before_value(struct jsonw *w)
{
    if (w->depth == 0) {
        assert(!w->has_key);
        if (yaml(w) && w->n_values > 0) {
            strbuf_add(w->out, STR("---\n"));
        }
        w->n_values++;
        return;
    }
    int top = w->depth - 1;
    if (!w->level[top].is_array) {
        assert(w->has_key);
        w->has_key = false;
        return;
    }
    if (yaml(w)) {
        yaml_child_line(w);
        strbuf_add(w->out, STR("- "));
    } else {
        if (w->level[top].n > 0) {
            strbuf_addc(w->out, ',');
        }
        if (w->style == JSONW_PRETTY) {
            new_line(w, 2 * w->depth);
        }
    }
    w->level[top].n++;
}

/* What stands after a scalar or an empty container. */
static void after_value(struct jsonw *w)
{
    if (w->depth == 0 || yaml(w)) {
        strbuf_addc(w->out, '\n');
    }
}

/* A scalar, ready as text. */
static void scalar(struct jsonw *w, struct str text)
{
    bool after_key = w->has_key;
    before_value(w);
    if (after_key && yaml(w)) {
        strbuf_addc(w->out, ' ');
    }
    strbuf_add(w->out, text);
    after_value(w);
}

void jsonw_key(struct jsonw *w, struct str key)
{
    assert(w->depth > 0 && !w->level[w->depth - 1].is_array && !w->has_key);
    int top = w->depth - 1;
    if (yaml(w)) {
        yaml_child_line(w);
        if (yaml_plain_is_safe(key)) {
            strbuf_add(w->out, key);
        } else {
            jsonw_quote(w->out, key);
        }
        strbuf_addc(w->out, ':');
    } else {
        if (w->level[top].n > 0) {
            strbuf_addc(w->out, ',');
        }
        if (w->style == JSONW_PRETTY) {
            new_line(w, 2 * w->depth);
        }
        jsonw_quote(w->out, key);
        strbuf_add(w->out, w->style == JSONW_PRETTY ? STR(": ") : STR(":"));
    }
    w->level[top].n++;
    w->has_key = true;
}

static void begin(struct jsonw *w, bool is_array)
{
    assert(w->depth < JSONW_MAX_DEPTH);
    bool after_key = w->has_key;
    before_value(w);
    int indent = 0;
    if (w->depth > 0) {
        indent = w->level[w->depth - 1].indent + (after_key && is_array ? 0 : 2);
    }
    w->level[w->depth].is_array = is_array;
    w->level[w->depth].indent = indent;
    w->level[w->depth].n = 0;
    w->depth++;
    if (!yaml(w)) {
        strbuf_addc(w->out, is_array ? '[' : '{');
    }
}

static void end(struct jsonw *w, bool is_array)
{
    assert(w->depth > 0 && w->level[w->depth - 1].is_array == is_array && !w->has_key);
    w->depth--;
    bool empty = w->level[w->depth].n == 0;
    w->opened = w->opened > w->depth ? w->depth : w->opened;
    if (yaml(w)) {
        if (empty) {
            bool after_key = w->depth > 0 && !w->level[w->depth - 1].is_array;
            strbuf_add(w->out, after_key ? STR(" ") : STR_EMPTY);
            strbuf_add(w->out, is_array ? STR("[]\n") : STR("{}\n"));
        }
        return;
    }
    if (w->style == JSONW_PRETTY && !empty) {
        new_line(w, 2 * w->depth);
    }
    strbuf_addc(w->out, is_array ? ']' : '}');
    after_value(w);
}

void jsonw_object_begin(struct jsonw *w)
{
    begin(w, /* is_array= */ false);
}

void jsonw_object_end(struct jsonw *w)
{
    end(w, /* is_array= */ false);
}

void jsonw_array_begin(struct jsonw *w)
{
    begin(w, /* is_array= */ true);
}

void jsonw_array_end(struct jsonw *w)
{
    end(w, /* is_array= */ true);
}

void jsonw_str(struct jsonw *w, struct str value)
{
    if (yaml(w) && yaml_plain_is_safe(value)) {
        scalar(w, value);
        return;
    }
    bool after_key = w->has_key;
    before_value(w);
    if (after_key && yaml(w)) {
        strbuf_addc(w->out, ' ');
    }
    jsonw_quote(w->out, value);
    after_value(w);
}

void jsonw_i64(struct jsonw *w, int64_t value)
{
    jsonw_decimal(w, value, 0);
}

void jsonw_bool(struct jsonw *w, bool value)
{
    scalar(w, value ? STR("true") : STR("false"));
}

void jsonw_null(struct jsonw *w)
{
    scalar(w, STR("null"));
}

void jsonw_decimal(struct jsonw *w, int64_t value, int n_decimals)
{
    char buffer[NUMBER_TEXT_MAX];
    scalar(w, number_format_decimal(value, n_decimals, buffer));
}

void jsonw_usd(struct jsonw *w, usd_t value)
{
    jsonw_decimal(w, value, 9);
}

struct member {
    const char *key;
    const json_t *value;
};

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void write_members(struct jsonw *w, const json_t *object)
{
    size_t n = 0;
    auto_arena scratch = ARENA_INIT;
    struct member *members = ARENA_ARRAY(&scratch, struct member, json_object_size(object));
    /* jansson's iterators want a mutable object and change nothing. */
    json_t *shape = (json_t *)(uintptr_t)object;
    for (void *at = json_object_iter(shape); at != NULL; at = json_object_iter_next(shape, at)) {
        members[n++] =
            (struct member){.key = json_object_iter_key(at), .value = json_object_iter_value(at)};
    }
    qsort(members, n, sizeof *members, compare_members);
    for (size_t i = 0; i < n; i++) {
        jsonw_key(w, str_of(members[i].key));
        jsonw_json(w, members[i].value);
    }
}

static void write_container(struct jsonw *w, const json_t *value)
{
    if (w->depth >= JSONW_MAX_DEPTH) {
        jsonw_null(w);
        return;
    }
    if (json_is_object(value)) {
        jsonw_object_begin(w);
        write_members(w, value);
        jsonw_object_end(w);
        return;
    }
    jsonw_array_begin(w);
    for (size_t i = 0; i < json_array_size(value); i++) {
        jsonw_json(w, json_array_get(value, i));
    }
    jsonw_array_end(w);
}

void jsonw_json(struct jsonw *w, const json_t *value)
{
    char buffer[NUMBER_TEXT_MAX];
    if (json_is_object(value) || json_is_array(value)) {
        write_container(w, value);
    } else if (json_is_string(value)) {
        jsonw_str(w, (struct str){.p = json_string_value(value), .n = json_string_length(value)});
    } else if (json_is_integer(value)) {
        jsonw_i64(w, json_integer_value(value));
    } else if (json_is_real(value)) {
        scalar(w, number_format_double(json_real_value(value), buffer));
    } else if (json_is_boolean(value)) {
        jsonw_bool(w, json_is_true(value));
    } else {
        jsonw_null(w);
    }
}

void jsonw_key_str(struct jsonw *w, const char *key, struct str value)
{
    jsonw_key(w, str_of(key));
    jsonw_str(w, value);
}

void jsonw_key_i64(struct jsonw *w, const char *key, int64_t value)
{
    jsonw_key(w, str_of(key));
    jsonw_i64(w, value);
}

void jsonw_key_i64s(struct jsonw *w, const char *key, const int64_t *v, size_t n)
{
    jsonw_key_array(w, key);
    for (size_t i = 0; i < n; i++) {
        jsonw_i64(w, v[i]);
    }
    jsonw_array_end(w);
}

void jsonw_key_bool(struct jsonw *w, const char *key, bool value)
{
    jsonw_key(w, str_of(key));
    jsonw_bool(w, value);
}

void jsonw_key_usd(struct jsonw *w, const char *key, usd_t value)
{
    jsonw_key(w, str_of(key));
    jsonw_usd(w, value);
}

void jsonw_key_object(struct jsonw *w, const char *key)
{
    jsonw_key(w, str_of(key));
    jsonw_object_begin(w);
}

void jsonw_key_array(struct jsonw *w, const char *key)
{
    jsonw_key(w, str_of(key));
    jsonw_array_begin(w);
}

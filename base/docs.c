/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/docs_impl.h"

#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"

enum { HEAD_BYTES = 4096 }; /* read ahead to tell the form */

struct docs {
    struct arena *arena;
    struct byte_source source;
    const struct json_drop *drop;
    struct byte_ahead ahead;
    struct docs_json *json; /* JSON is being read */
    struct docs_yaml *yaml; /* YAML is being read */
    uint64_t offset_base;   /* of the form at hand in the input */
};

static bool read_ahead(void *ctx, char *buffer, size_t size, size_t *ret_n, struct err *err)
{
    struct byte_ahead *ahead = ctx;
    if (ahead->text.n == 0) {
        return ahead->rest.read(ahead->rest.ctx, buffer, size, ret_n, err);
    }
    size_t n = ahead->text.n < size ? ahead->text.n : size;
    memcpy(buffer, ahead->text.p, n);
    ahead->text = str_sub(ahead->text, n, ahead->text.n);
    *ret_n = n;
    return true;
}

struct byte_source byte_ahead_source(struct byte_ahead *ahead)
{
    return (struct byte_source){.ctx = ahead, .read = read_ahead};
}

struct docs *docs_new(struct arena *arena, struct byte_source source, const struct json_drop *drop)
{
    struct docs *docs = ARENA_NEW(arena, struct docs);
    *docs = (struct docs){.arena = arena, .source = source, .drop = drop};
    return docs;
}

void docs_free(struct docs *docs)
{
    if (docs != NULL) {
        docs_json_free(docs->json);
        docs_yaml_free(docs->yaml);
        docs->json = NULL;
        docs->yaml = NULL;
    }
}

struct signature {
    struct str bytes;
    const char *what;
};

/* What people pass by mistake; the first bytes give it away. */
static const struct signature signatures[] = {
    {STR("\xff\xfe"),
     "UTF-16 text (convert it to UTF-8, for instance with iconv -f UTF-16 -t UTF-8)"},
    {STR("\xfe\xff"),
     "UTF-16 text (convert it to UTF-8, for instance with iconv -f UTF-16 -t UTF-8)"},
    {STR("\x1f\x8b"), "gzip data (packed twice?)"},
    {STR("\x28\xb5\x2f\xfd"), "zstd data (unpack it first, for instance with zstd -d)"},
    {STR("\xfd\x37zXZ"), "xz data (unpack it first, for instance with xz -d)"},
    {STR("PK\x03\x04"), "a zip archive (unpack it first)"},
    {STR("k8s\0"), "the protobuf encoding (ask for -o json)"},
};

static bool check_text(struct str head, bool complete, struct err *err)
{
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        if (str_starts(head, signatures[i].bytes)) {
            return err_set(err, ERR_PARSE, "expected JSON or YAML, got %s", signatures[i].what);
        }
    }
    const char *nul = head.n == 0 ? NULL : memchr(head.p, '\0', head.n);
    if (nul != NULL && nul - head.p < 4 && head.n >= 4) {
        return err_set(err, ERR_PARSE,
                       "expected JSON or YAML, got UTF-16 or UTF-32 text (convert it to UTF-8)");
    }
    if (nul != NULL) {
        return err_set(err, ERR_PARSE,
                       "expected JSON or YAML, got binary data (a NUL byte at offset %zu)",
                       (size_t)(nul - head.p));
    }
    size_t valid = utf8_valid_prefix(head);
    if (valid < head.n && (complete || head.n - valid >= UTF8_MAX_BYTES)) {
        return err_set(err, ERR_PARSE,
                       "expected JSON or YAML in UTF-8, got the byte 0x%02x at offset %zu",
                       (unsigned)(unsigned char)head.p[valid], valid);
    }
    return true;
}

/* JSON opens with a bracket, and so does YAML in flow style: there the first member's name stands
 * without double quotes, as JSON's never does. */
static bool opens_json(struct str text)
{
    char open = '\0';
    for (size_t at = 0; at < text.n; at++) {
        at += json_blanks(text.p + at, text.p + text.n);
        const char c = at < text.n ? text.p[at] : '\0';
        if (c != '{' && c != '[') {
            return open == '{'   ? c == '"' || c == '}' || c == '\0'
                   : open == '[' ? c == '\0' || strchr("\"-0123456789tfn]", c) != NULL
                                 : false;
        }
        if (open == '{') {
            return true; /* Neither form; JSON's reader says so best. */
        }
        open = c;
    }
    return open != '\0';
}

/* Reads the first bytes and decides. */
static bool open_form(struct docs *docs, struct err *err)
{
    char *head = arena_alloc(docs->arena, HEAD_BYTES);
    size_t n = 0, got = 1;
    while (n < HEAD_BYTES && got > 0) {
        if (!docs->source.read(docs->source.ctx, head + n, HEAD_BYTES - n, &got, err)) {
            return false;
        }
        n += got;
    }
    struct str text = {.p = head, .n = n};
    if (str_starts(text, STR("\xef\xbb\xbf"))) {
        text = str_sub(text, 3, text.n);
    }
    if (!check_text(text, /* complete= */ got == 0, err)) {
        return false;
    }
    docs->ahead = (struct byte_ahead){.text = text, .rest = docs->source};
    size_t blanks = text.n == 0 ? 0 : json_blanks(text.p, text.p + text.n);
    /* Nothing but blanks so far: JSON's reader goes on until there is something. */
    if (opens_json(text) || blanks == text.n) {
        docs->json = docs_json_new(docs->arena, byte_ahead_source(&docs->ahead), docs->drop);
    } else {
        docs->yaml = docs_yaml_new(docs->arena, byte_ahead_source(&docs->ahead), docs->drop, 0);
    }
    return true;
}

/* After the last JSON document: YAML that follows a mark. */
static void take_other_form(struct docs *docs)
{
    uint64_t line = 1;
    if (docs_json_other_form(docs->json, &docs->ahead, &line)) {
        docs->offset_base += docs_json_offset(docs->json);
        docs->yaml = docs_yaml_new(docs->arena, byte_ahead_source(&docs->ahead), docs->drop,
                                   (int64_t)line - 1);
        docs_json_free(docs->json);
        docs->json = NULL;
    }
}

bool docs_peek(struct docs *docs, enum docs_kind *ret_kind, struct err *err)
{
    if (docs->json == NULL && docs->yaml == NULL && !open_form(docs, err)) {
        return false;
    }
    if (docs->json != NULL) {
        if (!docs_json_peek(docs->json, ret_kind, err)) {
            return false;
        }
        if (*ret_kind == DOCS_END) {
            take_other_form(docs);
        }
        if (docs->json != NULL) {
            return true;
        }
    }
    return docs_yaml_peek(docs->yaml, ret_kind, err);
}

bool docs_enter(struct docs *docs, struct err *err)
{
    if (docs->json != NULL) {
        return docs_json_enter(docs->json, err);
    }
    return docs_yaml_enter(docs->yaml, err);
}

bool docs_member(struct docs *docs, bool *ret_has, struct str *ret_key, bool *ret_merged,
                 struct err *err)
{
    *ret_merged = false;
    if (docs->json != NULL) {
        return docs_json_member(docs->json, ret_has, ret_key, err);
    }
    return docs_yaml_member(docs->yaml, ret_has, ret_key, ret_merged, err);
}

bool docs_element(struct docs *docs, bool *ret_has, struct err *err)
{
    if (docs->json != NULL) {
        return docs_json_element(docs->json, ret_has, err);
    }
    return docs_yaml_element(docs->yaml, ret_has, err);
}

bool docs_value(struct docs *docs, json_t **ret_value, struct err *err)
{
    if (docs->json != NULL) {
        return docs_json_value(docs->json, ret_value, err);
    }
    return docs_yaml_value(docs->yaml, ret_value, err);
}

uint64_t docs_line(struct docs *docs)
{
    return docs->yaml != NULL   ? docs_yaml_line(docs->yaml)
           : docs->json != NULL ? docs_json_line(docs->json)
                                : 1;
}

uint64_t docs_offset(struct docs *docs)
{
    uint64_t offset = docs->yaml != NULL   ? docs_yaml_offset(docs->yaml)
                      : docs->json != NULL ? docs_json_offset(docs->json)
                                           : 0;
    return docs->offset_base + offset;
}

static bool read_one(struct docs *docs, json_t **ret_value, struct err *err)
{
    enum docs_kind kind = DOCS_END;
    if (!docs_peek(docs, &kind, err)) {
        return false;
    }
    if (kind == DOCS_END) {
        return err_set(err, ERR_PARSE, "expected a document, got nothing");
    }
    if (!docs_value(docs, ret_value, err)) {
        return false;
    }
    bool good = docs_peek(docs, &kind, err);
    if (good && kind != DOCS_END) {
        good = err_set(err, ERR_PARSE, "expected one document, got a second one");
    }
    if (!good) {
        json_decref(*ret_value);
        *ret_value = NULL;
    }
    return good;
}

bool docs_read_one(struct str text, json_t **ret_value, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct byte_memory memory = {.rest = text, .step = SIZE_MAX};
    struct docs *docs = docs_new(&arena, byte_memory_source(&memory), NULL);
    bool good = read_one(docs, ret_value, err) ||
                err_wrap(err, "line %llu", (unsigned long long)docs_line(docs));
    docs_free(docs);
    return good;
}

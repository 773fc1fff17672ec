/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON documents over a window of the input. */
#include <string.h>

#include "base/arena.h"
#include "base/docs_impl.h"
#include "base/window.h"

struct docs_json {
    const struct json_drop *drop;
    struct window w;
    bool started;    /* a document has begun */
    bool other_form; /* what follows is not JSON */
    int depth;
    struct {
        bool is_object, started;
    } level[DOCS_MAX_DEPTH];
    struct arena keys; /* the last key */
};

struct docs_json *docs_json_new(struct arena *arena, struct byte_source source,
                                const struct json_drop *drop)
{
    struct docs_json *json = ARENA_NEW(arena, struct docs_json);
    *json = (struct docs_json){
        .drop = drop, .w = window_new(arena, source), .depth = 0, .keys = ARENA_INIT};
    return json;
}

void docs_json_free(struct docs_json *json)
{
    if (json != NULL) {
        arena_done(&json->keys);
    }
}

uint64_t docs_json_line(struct docs_json *json)
{
    return window_line(&json->w);
}

uint64_t docs_json_offset(const struct docs_json *json)
{
    return window_offset(&json->w);
}

/* Skips blanks; *ret_c is the next byte, or '\0' at the end of the input. */
static bool next_byte(struct docs_json *json, char *ret_c, struct err *err)
{
    for (;;) {
        json->w.at += json_blanks(json->w.bytes + json->w.at, json->w.bytes + json->w.end);
        if (json->w.at < json->w.end) {
            *ret_c = json->w.bytes[json->w.at];
            return true;
        }
        if (json->w.eof) {
            *ret_c = '\0';
            return true;
        }
        if (!window_fill(&json->w, err)) {
            return false;
        }
    }
}

static bool unexpected(struct docs_json *json, const char *expected, struct err *err)
{
    struct str rest = window_ahead(&json->w);
    if (rest.n == 0) {
        return err_set(err, ERR_PARSE, "the input ends where %s was expected (is it truncated?)",
                       expected);
    }
    unsigned char c = (unsigned char)rest.p[0];
    if (c <= ' ' || c >= 0x7f) {
        return err_set(err, ERR_PARSE, "expected %s, got the byte 0x%02x", expected, c);
    }
    size_t n = 1;
    while (n < 24 && n < rest.n && rest.p[n] > ' ' && rest.p[n] < 0x7f) {
        n++;
    }
    return err_set(err, ERR_PARSE, "expected %s, got '%.*s'", expected, (int)n, rest.p);
}

/* A line "---" (or "...") between documents: skipped. */
static bool skip_mark(struct docs_json *json, bool *ret_skipped, struct err *err)
{
    while (json->w.end - json->w.at < 4 && !json->w.eof) {
        if (!window_fill(&json->w, err)) {
            return false;
        }
    }
    struct str rest = window_ahead(&json->w);
    bool mark = str_starts(rest, STR("---")) || str_starts(rest, STR("..."));
    *ret_skipped = mark && (rest.n == 3 || memchr(" \t\r\n", rest.p[3], 4) != NULL);
    json->w.at += *ret_skipped ? 3 : 0;
    return true;
}

static bool peek_document(struct docs_json *json, enum docs_kind *ret_kind, struct err *err)
{
    bool marked = false, skipped = false;
    char c = '\0';
    do {
        if (!next_byte(json, &c, err) || !skip_mark(json, &skipped, err)) {
            return false;
        }
        marked = marked || skipped;
    } while (skipped);
    if (json->w.at < json->w.end && c != '{' && c != '[') {
        if (!marked && json->started) {
            return unexpected(json, "'{' or '[' of a JSON document", err);
        }
        json->other_form = true;
        *ret_kind = DOCS_END;
        return true;
    }
    json->started = json->started || json->w.at < json->w.end;
    *ret_kind = json->w.at == json->w.end ? DOCS_END : c == '{' ? DOCS_OBJECT : DOCS_ARRAY;
    return true;
}

bool docs_json_peek(struct docs_json *json, enum docs_kind *ret_kind, struct err *err)
{
    char c = '\0';
    if (json->depth == 0) {
        return peek_document(json, ret_kind, err);
    }
    if (!next_byte(json, &c, err)) {
        return false;
    }
    if (json->w.at == json->w.end) {
        return unexpected(json, "a value", err);
    }
    *ret_kind = c == '{' ? DOCS_OBJECT : c == '[' ? DOCS_ARRAY : DOCS_SCALAR;
    return true;
}

bool docs_json_other_form(struct docs_json *json, struct byte_ahead *ret_ahead, uint64_t *ret_line)
{
    if (!json->other_form) {
        return false;
    }
    /* The source below may itself be the text read ahead that is replaced here; it is used up by
     * now. */
    struct byte_ahead *below = ARENA_NEW(json->w.arena, struct byte_ahead);
    *below = *ret_ahead;
    size_t line_start = json->w.at;
    while (line_start > 0 && json->w.bytes[line_start - 1] == ' ') {
        line_start--;
    }
    json->w.at = line_start;
    *ret_line = docs_json_line(json);
    *ret_ahead =
        (struct byte_ahead){.text = window_ahead(&json->w), .rest = byte_ahead_source(below)};
    return true;
}

bool docs_json_enter(struct docs_json *json, struct err *err)
{
    if (json->depth == DOCS_MAX_DEPTH) {
        return err_set(err, ERR_LIMIT, "lists nested more than %d deep", (int)DOCS_MAX_DEPTH);
    }
    json->level[json->depth].is_object = json->w.bytes[json->w.at] == '{';
    json->level[json->depth].started = false;
    json->depth++;
    json->w.at++;
    return true;
}

/* Past the comma to the next member or element, or past the closing bracket. */
static bool next_in_container(struct docs_json *json, char close, const char *expected,
                              bool *ret_has, struct err *err)
{
    char c = '\0';
    bool started = json->level[json->depth - 1].started;
    if (!next_byte(json, &c, err)) {
        return false;
    }
    if (c == close) {
        json->w.at++;
        json->depth--;
        *ret_has = false;
        return true;
    }
    if (started && c != ',') {
        return unexpected(json, expected, err);
    }
    json->w.at += started ? 1 : 0;
    json->level[json->depth - 1].started = true;
    *ret_has = true;
    return next_byte(json, &c, err);
}

/* The literal at the window's start, copied. */
static bool take_key(struct docs_json *json, struct str *ret_key, struct err *err)
{
    for (;;) {
        struct str key = STR_EMPTY;
        size_t used = 0;
        arena_reset(&json->keys);
        enum json_status status =
            json_decode_string(window_ahead(&json->w), json->w.eof, &json->keys, &key, &used, err);
        if (status == JSON_DONE) {
            *ret_key = str_copy(&json->keys, key);
        }
        if (status != JSON_MORE) {
            json->w.at += used;
            return status == JSON_DONE;
        }
        if (!window_fill(&json->w, err)) {
            return false;
        }
    }
}

bool docs_json_member(struct docs_json *json, bool *ret_has, struct str *ret_key, struct err *err)
{
    char c = '\0';
    if (!next_in_container(json, '}', "',' or '}' after a member", ret_has, err)) {
        return false;
    }
    if (!*ret_has) {
        return true;
    }
    if (!take_key(json, ret_key, err) || !next_byte(json, &c, err)) {
        return false;
    }
    if (c != ':') {
        return unexpected(json, "':' after a member's name", err);
    }
    json->w.at++;
    return true;
}

bool docs_json_element(struct docs_json *json, bool *ret_has, struct err *err)
{
    return next_in_container(json, ']', "',' or ']' after an element", ret_has, err);
}

bool docs_json_value(struct docs_json *json, json_t **ret_value, struct err *err)
{
    for (;;) {
        size_t used = 0;
        enum json_status status = json_decode(window_ahead(&json->w), json->w.eof, json->drop,
                                              json->w.arena, ret_value, &used, err);
        if (status != JSON_MORE) {
            json->w.at += used;
            return status == JSON_DONE;
        }
        if (!window_fill(&json->w, err)) {
            return false;
        }
    }
}

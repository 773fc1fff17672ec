/* SPDX-License-Identifier: GPL-3.0-or-later */
/* docs_value over any stream: values are within the limits, aliases expanded, and survive being
 * written as YAML and read again. The first byte says how many bytes the source gives at a time;
 * the result does not depend on it. */
#include "base/arena.h"
#include "base/docs.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "check.h"

enum { OUTPUT_MAX = 1024 * 1024 };

/* Counts values and checks depth; more than the cap is a failure. */
static void walk(const json_t *value, int depth, uint32_t *n)
{
    MUST(depth <= LIMIT_NESTING + 1);
    MUST(++*n <= LIMIT_YAML_EVENTS);
    for (size_t i = 0; i < json_array_size(value); i++) {
        walk(json_array_get(value, i), depth + 1, n);
    }
    json_t *members = (json_t *)(uintptr_t)value;
    for (void *at = json_object_iter(members); at != NULL;
         at = json_object_iter_next(members, at)) {
        walk(json_object_iter_value(at), depth + 1, n);
    }
}

static void check_written(const json_t *value, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, OUTPUT_MAX);
    struct jsonw w = jsonw_new(&out, JSONW_YAML);
    struct err err = {.code = ERR_NONE};
    json_t *again = NULL;
    jsonw_json(&w, value);
    if (out.overflow) {
        return;
    }
    bool read = docs_read_one(strbuf_str(&out), &again, &err);
    if (!read || !same_json(value, again)) {
        fprintf(stderr, "%s\n%.*s\n", err.text, (int)out.n, out.p);
    }
    MUST(read);
    MUST(same_json(value, again));
    json_decref(again);
}

/* Reads all documents into *all; the error's code. */
static enum err_code read_all(struct str text, size_t step, struct arena *arena, json_t *all)
{
    struct byte_memory memory = {.rest = text, .step = step};
    struct docs *docs = docs_new(arena, byte_memory_source(&memory), NULL);
    struct err err = {.code = ERR_NONE};
    enum docs_kind kind = DOCS_END;
    json_t *value = NULL;
    while (docs_peek(docs, &kind, &err) && kind != DOCS_END && docs_value(docs, &value, &err)) {
        (void)json_array_append_new(all, value);
    }
    MUST(docs_line(docs) >= 1);
    docs_free(docs);
    return err.code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena arena = ARENA_INIT;
    if (size == 0) {
        return 0;
    }
    struct str text = {.p = (const char *)data + 1, .n = size - 1};
    json_t *all = json_array(), *again = json_array();
    enum err_code code = read_all(text, (size_t)data[0] + 1, &arena, all);
    MUST(code == ERR_NONE || code == ERR_PARSE || code == ERR_LIMIT);
    MUST(read_all(text, SIZE_MAX, &arena, again) == code);
    MUST(json_array_size(all) == json_array_size(again));
    for (size_t i = 0; i < json_array_size(all); i++) {
        uint32_t n = 0;
        const json_t *value = json_array_get(all, i);
        walk(value, 0, &n);
        if (n < 10000) {
            MUST(same_json(value, json_array_get(again, i)));
        }
        if (n < 10000 && !json_is_null(value)) {
            check_written(value, &arena);
        }
    }
    json_decref(all);
    json_decref(again);
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain part of YAML against the full parser: documents read member by member and item by item
 * (which takes the fast way as far as it goes) equal those read whole (which never does). The first
 * byte says how many bytes the source gives at a time. */
#include "base/arena.h"
#include "base/docs.h"
#include "check.h"

static bool read_list(struct docs *docs, json_t *list, struct err *err)
{
    bool has = false;
    json_t *value = NULL;
    if (!docs_enter(docs, err)) {
        return false;
    }
    while (docs_element(docs, &has, err)) {
        if (!has) {
            return true;
        }
        if (!docs_value(docs, &value, err)) {
            return false;
        }
        (void)json_array_append_new(list, value);
    }
    return false;
}

static bool add_member(json_t *object, const char *key, bool merged, json_t *value, struct err *err)
{
    if (json_object_get(object, key) != NULL) {
        json_decref(value);
        return merged || err_set(err, ERR_PARSE, "twice");
    }
    (void)json_object_set_new_nocheck(object, key, value);
    return true;
}

static bool read_members(struct docs *docs, json_t *object, struct arena *arena, struct err *err)
{
    bool has = false, merged = false;
    struct str key = STR_EMPTY;
    enum docs_kind kind = DOCS_END;
    if (!docs_enter(docs, err)) {
        return false;
    }
    while (docs_member(docs, &has, &key, &merged, err)) {
        json_t *value = NULL;
        if (!has) {
            return true;
        }
        const char *name = str_cstr(arena, key);
        if (!docs_peek(docs, &kind, err)) {
            return false;
        }
        if (kind == DOCS_ARRAY) {
            value = json_array();
            if (!read_list(docs, value, err)) {
                json_decref(value);
                return false;
            }
        } else if (!docs_value(docs, &value, err)) {
            return false;
        }
        if (!add_member(object, name, merged, value, err)) {
            return false;
        }
    }
    return false;
}

/* All documents into `all`; the error's code. */
static enum err_code read_all(struct str text, size_t step, bool whole, json_t *all)
{
    auto_arena arena = ARENA_INIT;
    struct byte_memory memory = {.rest = text, .step = step};
    struct docs *docs = docs_new(&arena, byte_memory_source(&memory), NULL);
    struct err err = {.code = ERR_NONE};
    enum docs_kind kind = DOCS_END;
    bool good = true;
    while (good && docs_peek(docs, &kind, &err) && kind != DOCS_END) {
        json_t *value = NULL;
        if (whole || kind == DOCS_SCALAR) {
            good = docs_value(docs, &value, &err);
        } else if (kind == DOCS_OBJECT) {
            value = json_object();
            good = read_members(docs, value, &arena, &err);
        } else {
            value = json_array();
            good = read_list(docs, value, &err);
        }
        if (good) {
            (void)json_array_append_new(all, value);
        } else {
            json_decref(value);
        }
    }
    docs_free(docs);
    return err.code;
}

/* After a mistake the two may have stopped at different documents: the full parser looks further
 * ahead. */
static bool same_beginning(const json_t *a, const json_t *b, bool cut)
{
    bool same = cut || json_array_size(a) == json_array_size(b);
    for (size_t i = 0; same && i < json_array_size(a) && i < json_array_size(b); i++) {
        same = same_json(json_array_get(a, i), json_array_get(b, i));
    }
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct str text = {.p = (const char *)data + 1, .n = size - 1};
    json_t *whole = json_array(), *parts = json_array();
    enum err_code whole_code = read_all(text, SIZE_MAX, true, whole),
                  code = read_all(text, (size_t)data[0] + 1, false, parts);
    if (whole_code != ERR_LIMIT && code != ERR_LIMIT) {
        bool same = whole_code == code && same_beginning(whole, parts, whole_code != ERR_NONE);
        if (!same) {
            char *a = json_dumps(whole, JSON_COMPACT), *b = json_dumps(parts, JSON_COMPACT);
            fprintf(stderr, "whole: %s %s\nparts: %s %s\n", err_code_name(whole_code), a,
                    err_code_name(code), b);
            free(a);
            free(b);
        }
        MUST(same);
    }
    json_decref(whole);
    json_decref(parts);
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json_decode against jansson: what jansson takes we take, with the same result. What we take
 * survives being written and read again as JSON and as YAML, and no beginning of it is taken for
 * something else. */
#include <string.h>

#include "base/arena.h"
#include "base/docs.h"
#include "base/json_decode.h"
#include "base/jsonw.h"
#include "check.h"

enum { OUTPUT_MAX = 4 * 1024 * 1024, PREFIXES_MAX = 256 };

static void check_written(const json_t *value, enum jsonw_style style, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, OUTPUT_MAX);
    struct jsonw w = jsonw_new(&out, style);
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

/* Bytes up to the closing bracket. */
static size_t end_of_value(struct str text)
{
    size_t n = text.n;
    while (n > 0 && text.p[n - 1] != ']' && text.p[n - 1] != '}') {
        n--;
    }
    return n;
}

static void check_prefixes(struct str text, size_t used, struct arena *arena)
{
    size_t step = used / PREFIXES_MAX + 1;
    for (size_t n = 0; n < used; n += step) {
        struct err err = {.code = ERR_NONE};
        json_t *value = NULL;
        size_t prefix_used = 0;
        MUST(json_decode(str_sub(text, 0, n), false, NULL, arena, &value, &prefix_used, &err) ==
             JSON_MORE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena arena = ARENA_INIT;
    struct str text = {.p = (const char *)data, .n = size};
    struct err err = {.code = ERR_NONE};
    json_t *theirs = json_loadb(text.p == NULL ? "" : text.p, size,
                                JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    json_t *ours = NULL;
    bool good = json_decode_text(text, &arena, &ours, &err);
    MUST(good == (ours != NULL));
    MUST(good || err.code == ERR_PARSE || err.code == ERR_LIMIT);
    bool nul = size > 0 && memchr(data, 0, size) != NULL; /* jansson takes it for the end */
    MUST(theirs == NULL || good || nul || err.code == ERR_LIMIT);
    if (theirs != NULL && good) {
        MUST(same_json(theirs, ours));
    }
    if (good) {
        if (json_is_object(ours) || json_is_array(ours)) {
            check_prefixes(text, end_of_value(text), &arena);
            check_written(ours, JSONW_COMPACT, &arena);
            check_written(ours, JSONW_PRETTY, &arena);
        }
        if (!json_is_null(ours)) { /* a null document is no document in YAML */
            check_written(ours, JSONW_YAML, &arena);
        }
    }
    json_decref(theirs);
    json_decref(ours);
    return 0;
}

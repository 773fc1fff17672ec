/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "k8s/frames.h"

/* Writes each piece as "<piece>;", the rest of a list as "rest <piece>;". */
static bool note(void *ctx, struct str piece, bool is_rest, struct err *err)
{
    struct strbuf *out = ctx;
    if (str_eq(piece, STR("{\"stop\":1}"))) {
        return err_set(err, ERR_INVALID, "stopped");
    }
    strbuf_add(out, is_rest ? STR("rest ") : STR_EMPTY);
    strbuf_add(out, piece);
    strbuf_addc(out, ';');
    return true;
}

/* What the text gives in pieces of `step` bytes; '?' behind it: it may not end here. */
static const char *cut(struct arena *arena, enum k8s_frames_form form, struct str text, size_t step)
{
    struct strbuf out = strbuf_new(arena, 1 << 20);
    struct k8s_frames frames = k8s_frames_new(form);
    struct err err = {.code = ERR_NONE};
    bool good = true;
    for (size_t at = 0; good && at < text.n; at += step) {
        good = k8s_frames_feed(&frames, str_sub(text, at, step), note, &out, &err);
    }
    if (!good) {
        strbuf_addf(&out, "!%s", err.text);
    } else if (!k8s_frames_complete(&frames)) {
        strbuf_addc(&out, '?');
    }
    k8s_frames_done(&frames);
    return str_cstr(arena, strbuf_str(&out));
}

static const struct {
    const char *name;
    enum k8s_frames_form form;
    const char *text, *expected;
} rows[] = {
    {"nothing of a list", K8S_FRAMES_LIST, "", "?"},
    {"empty list", K8S_FRAMES_LIST, "{\"items\":[]}", "rest {\"items\":[]};"},
    {"items", K8S_FRAMES_LIST,
     "{\"kind\":\"L\",\"items\": [ {\"a\":[1,{}]} , {\"b\":\"}]\"} ],\"m\":{}}\n",
     "{\"a\":[1,{}]};{\"b\":\"}]\"};rest {\"kind\":\"L\",\"items\":[],\"m\":{}};"},
    {"items first, metadata last", K8S_FRAMES_LIST,
     "{\"items\":[{}],\"metadata\":{\"resourceVersion\":\"5\"}}",
     "{};rest {\"items\":[],\"metadata\":{\"resourceVersion\":\"5\"}};"},
    {"null items", K8S_FRAMES_LIST, "{\"items\":null,\"a\":[1]}",
     "rest {\"items\":null,\"a\":[1]};"},
    {"scalars among items", K8S_FRAMES_LIST, "{\"items\":[null,1, \"a,]\" ,[2]]}",
     "null;1;\"a,]\";[2];rest {\"items\":[]};"},
    {"items elsewhere are none", K8S_FRAMES_LIST,
     "{\"metadata\":{\"items\":[1]},\"x\":\"items\",\"y\":[2],\"items\":[{}]}",
     "{};rest {\"metadata\":{\"items\":[1]},\"x\":\"items\",\"y\":[2],\"items\":[]};"},
    {"keys that only begin or end like items", K8S_FRAMES_LIST, "{\"itemsX\":[1],\"item\":[2]}",
     "rest {\"itemsX\":[1],\"item\":[2]};"},
    {"strings keep their blanks", K8S_FRAMES_LIST, "{\"a b\\\"\":\"c \\\\\",\"items\":[]}",
     "rest {\"a b\\\"\":\"c \\\\\",\"items\":[]};"},
    {"a list that ends too early", K8S_FRAMES_LIST, "{\"items\":[{\"a\":1}", "{\"a\":1};?"},
    {"no object", K8S_FRAMES_LIST, "<html>", "!expected a list, got \"<\""},
    {"more behind a list", K8S_FRAMES_LIST, "{} {", "rest {};!expected a list, got \"{\""},
    {"the receiver stops", K8S_FRAMES_LIST, "{\"items\":[{\"a\":1},{\"stop\":1},{\"b\":1}]}",
     "{\"a\":1};!stopped"},
    {"nothing of a stream", K8S_FRAMES_STREAM, " \n", ""},
    {"events", K8S_FRAMES_STREAM, "{\"type\":\"{\"}\n{\"b\":[{}]} {\"c\":1}\n",
     "{\"type\":\"{\"};{\"b\":[{}]};{\"c\":1};"},
    {"half an event", K8S_FRAMES_STREAM, "{\"a\":1}\n{\"b\":", "{\"a\":1};?"},
    {"no event", K8S_FRAMES_STREAM, "{}\n7", "{};!expected a watch event, got \"7\""},
};

static void pieces_come_whole_however_the_bytes_come(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t step = 1; step < 40; step++) {
            auto_arena arena = ARENA_INIT;
            const char *got = cut(&arena, rows[i].form, str_of(rows[i].text), step);
            if (strcmp(got, rows[i].expected) != 0) {
                fail_msg("%s, %zu bytes at a time: %s, expected %s", rows[i].name, step, got,
                         rows[i].expected);
            }
        }
    }
}

static bool ignore(void *ctx, struct str piece, bool is_rest, struct err *err)
{
    (void)ctx;
    (void)piece;
    (void)is_rest;
    (void)err;
    return true;
}

static void what_grows_has_a_limit(void **state)
{
    (void)state;
    static const struct {
        enum k8s_frames_form form;
        const char *before, *again, *limit;
    } growing[] = {
        {K8S_FRAMES_STREAM, "{\"a\":\"", "xxxxxxxxxxxxxxxx", "LIMIT_OBJECT_BYTES"},
        {K8S_FRAMES_STREAM, "", "{\"a\":", "LIMIT_NESTING"},
        {K8S_FRAMES_LIST, "{\"items\":[", "[", "LIMIT_NESTING"},
        {K8S_FRAMES_LIST, "{\"items\":[\"", "xxxxxxxxxxxxxxxx", "LIMIT_OBJECT_BYTES"},
        {K8S_FRAMES_LIST, "{\"a\":\"", "xxxxxxxxxxxxxxxx", "LIMIT_LIST_HEAD_BYTES"},
        {K8S_FRAMES_LIST, "", "{\"a\":", "LIMIT_NESTING"},
    };
    for (size_t i = 0; i < sizeof growing / sizeof growing[0]; i++) {
        struct k8s_frames frames = k8s_frames_new(growing[i].form);
        struct err err = {.code = ERR_NONE};
        bool good = k8s_frames_feed(&frames, str_of(growing[i].before), ignore, NULL, &err);
        for (size_t n = 0; good && n < (size_t)LIMIT_OBJECT_BYTES / 8; n++) {
            good = k8s_frames_feed(&frames, str_of(growing[i].again), ignore, NULL, &err);
        }
        assert_false(good);
        assert_int_equal(err.code, ERR_LIMIT);
        assert_non_null(strstr(err.text, growing[i].limit));
        k8s_frames_done(&frames);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_come_whole_however_the_bytes_come),
        cmocka_unit_test(what_grows_has_a_limit),
    };
    return cmocka_run_group_tests_name("k8s/frames", tests, NULL, NULL);
}

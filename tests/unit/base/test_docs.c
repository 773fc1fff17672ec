/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/docs.h"
#include "base/json.h"
#include "base/limits.h"

/* All documents of a text, as one compact JSON array; `step` bytes at a time. NULL with err on
 * errors. */
static char *read_all(struct str text, size_t step, const struct json_drop *drop, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    auto_json *all = json_array();
    struct byte_memory memory = {.rest = text, .step = step};
    struct docs *docs = docs_new(&arena, byte_memory_source(&memory), drop);
    enum docs_kind kind = DOCS_END;
    json_t *value = NULL;
    bool good = true;
    while ((good = docs_peek(docs, &kind, err)) && kind != DOCS_END) {
        if (!(good = docs_value(docs, &value, err))) {
            break;
        }
        (void)json_array_append_new(all, value);
    }
    if (!good) {
        (void)err_wrap(err, "%llu", (unsigned long long)docs_line(docs));
    }
    docs_free(docs);
    return good ? json_dumps(all, JSON_COMPACT) : NULL;
}

struct row {
    const char *text, *expected; /* expected begins with "!": the error, with its line */
};

static const struct row rows[] = {
    /* JSON streams */
    {"", "[]"},
    {" \n\t", "[]"},
    {"{}", "[{}]"},
    {"{} {} []", "[{},{},[]]"},
    {"{\"a\":1}\n{\"a\":2}\n", "[{\"a\":1},{\"a\":2}]"},
    {"{\"a\":1}\n---\n{\"a\":2}\n---\n", "[{\"a\":1},{\"a\":2}]"},
    {"{\"a\":1}\n---\na: 2\n", "[{\"a\":1},{\"a\":2}]"},
    {"{\"a\":1}\n---\n  a: 2\n  b: 3\n", "[{\"a\":1},{\"a\":2,\"b\":3}]"},
    {"\xef\xbb\xbf{\"a\":1}", "[{\"a\":1}]"},
    {"{\"a\":1}x", "!1: expected '{' or '[' of a JSON document, got 'x'"},
    {"{\"a\":1},{}", "!1: expected '{' or '[' of a JSON document, got ',{}'"},
    {"{\n\"a\":\n", "!3: the input ends in the middle of a value (is it truncated?)"},
    /* YAML streams */
    {"a: 1\n", "[{\"a\":1}]"},
    {"\xef\xbb\xbf"
     "a: 1\n",
     "[{\"a\":1}]"},
    {"# only a comment\n", "[]"},
    {"---\n---\n# nothing\n---\na: 1\n...\n---\nb: 2\n", "[{\"a\":1},{\"b\":2}]"},
    {"%YAML 1.1\n---\na: 1\n", "[{\"a\":1}]"},
    {"- 1\n- a: b\n- [x, {k: z}]\n", "[[1,{\"a\":\"b\"},[\"x\",{\"k\":\"z\"}]]]"},
    {"a: yes\nb: 'yes'\nc: \"yes\"\nd: !!str yes\n",
     "[{\"a\":true,\"b\":\"yes\",\"c\":\"yes\",\"d\":\"yes\"}]"},
    {"a: !!int \"3\"\nb: !!float 3\nc: !custom 3\n", "[{\"a\":3,\"b\":3,\"c\":\"3\"}]"},
    {"a: 010\nb: 0x10\nc: 1e3\nd: .5\ne: ~\nf:\ng: .inf\n",
     "[{\"a\":8,\"b\":16,\"c\":1000,\"d\":0.5,\"e\":null,\"f\":null,\"g\":\".inf\"}]"},
    {"1: a\ntrue: b\nno: c\n1.5: d\n",
     "[{\"1\":\"a\",\"true\":\"b\",\"false\":\"c\",\"1.5\":\"d\"}]"},
    {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", "[{\"a\":\"x\\ny\\n\",\"b\":\"x y\"}]"},
    {"a: &x {k: 1}\nb: *x\n", "[{\"a\":{\"k\":1},\"b\":{\"k\":1}}]"},
    {"a: &x 1\nb: &x 2\nc: *x\n", "[{\"a\":1,\"b\":2,\"c\":2}]"},
    {"&k key: 1\nb: {*k : 2}\n", "[{\"key\":1,\"b\":{\"key\":2}}]"},
    {"a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\nc: {l: 3, <<: *x}\n",
     "[{\"a\":{\"k\":1,\"l\":2},\"b\":{\"l\":3,\"k\":1},\"c\":{\"l\":3,\"k\":1}}]"},
    {"a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc: {<<: [*x, *y]}\n",
     "[{\"a\":{\"k\":1},\"b\":{\"k\":2,\"l\":2},\"c\":{\"k\":1,\"l\":2}}]"},
    {"{a: 1, b: [x, 2]}\n---\n{\"c\": 3}\n", "[{\"a\":1,\"b\":[\"x\",2]},{\"c\":3}]"},
    {" [ { a : 1 } , b ]\n", "[[{\"a\":1},\"b\"]]"},
    {"[x, y]", "[[\"x\",\"y\"]]"},
    {"{'a': 1}", "[{\"a\":1}]"},
    {"[true, 1]", "[[true,1]]"},
    {"a: 1\n\"<<\": 2\n", "[{\"a\":1,\"<<\":2}]"},
    {"a: {b: 1}\nb: [1, 2]\nc: {env: [1], x: 2}\nenv: text\nmanagedFields: 1\n",
     "[{\"a\":{\"b\":1},\"b\":[1,2],\"c\":{\"x\":2},\"env\":\"text\"}]"},
    {"a: {env: &e [1, 2]}\nb: *e\n", "[{\"a\":{},\"b\":[1,2]}]"},
    {"a: 1\nb: 2\na: 3\n", "!3: the key \"a\" is there twice"},
    {"a: *x\n", "!1: the alias *x has no anchor before it in this document (or stands inside it)"},
    {"a: &x 1\n---\nb: *x\n",
     "!3: the alias *x has no anchor before it in this document (or stands inside it)"},
    {"a: &x [1, *x]\n",
     "!1: the alias *x has no anchor before it in this document (or stands inside it)"},
    {"a: !!int x\n", "!1: \"x\" is not what its tag tag:yaml.org,2002:int says"},
    {"? {a: 1}\n: 2\n", "!1: a key must be a string, not a mapping or a list"},
    {"~: 1\n", "!1: null cannot be a key"},
    {"a: {<<: 3}\n", "!1: a merge (<<) needs a mapping or a list of mappings"},
    {"a: {<<: [{}, 3]}\n", "!1: a merge (<<) needs a mapping or a list of mappings"},
    {"a: \"\\0\"\n", "!1: a NUL character in a string"},
    {"a: [1\nb: 2\n", "!2: not YAML: did not find expected ',' or ']', while parsing a flow "
                      "sequence that begins in line 1"},
    {"a: b: c\n", "!1: not YAML: mapping values are not allowed in this context"},
    {"a:\n\t- b\n", "!2: not YAML: found character that cannot start any token, while scanning for "
                    "the next token that begins in line 2"},
    {"a: \xff\xfe\n", "!1: expected JSON or YAML in UTF-8, got the byte 0xff at offset 3"},
    {"a: \x07\n", "!1: not YAML in UTF-8: control characters are not allowed (0x07 at offset 3)"},
    /* Neither */
    {"\xff\xfe{\x01}\x01", "!1: expected JSON or YAML, got UTF-16 text (convert it to UTF-8, for "
                           "instance with iconv -f UTF-16 -t UTF-8)"},
    {"\x28\xb5\x2f\xfdxxxx",
     "!1: expected JSON or YAML, got zstd data (unpack it first, for instance with zstd -d)"},
};

static void streams_give_their_documents(void **state)
{
    (void)state;
    static const struct str any[] = {STR("managedFields"), STR_EMPTY},
                            containers[] = {STR("env"), STR_EMPTY};
    static const struct json_drop drop = {.any = any, .containers = containers};
    static const size_t steps[] = {1, 2, 7, SIZE_MAX};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
            struct err err = {.code = ERR_NONE};
            char *got = read_all(str_of(rows[i].text), steps[k], &drop, &err);
            bool refused = rows[i].expected[0] == '!';
            const char *shown = got == NULL ? err.text : got;
            if ((got == NULL) != refused ||
                strcmp(shown, rows[i].expected + (refused ? 1 : 0)) != 0) {
                fail_msg("%s\nexpected %s\ngot %s", rows[i].text, rows[i].expected, shown);
            }
            assert_true(got != NULL || err.code == ERR_PARSE);
            free(got);
        }
    }
}

static void binary_data_is_named(void **state)
{
    (void)state;
    struct err err = {.code = ERR_NONE};
    assert_null(read_all(STR("{\0\"\0a\0\"\0"), 4, NULL, &err));
    assert_non_null(strstr(err.text, "UTF-16"));
    assert_null(read_all(STR("hello\0world"), 4, NULL, &err));
    assert_non_null(strstr(err.text, "NUL byte at offset 5"));
    assert_null(read_all(STR("k8s\0\n\0"), 4, NULL, &err));
    assert_non_null(strstr(err.text, "protobuf"));
}

/* Members and items one by one, in both forms. */
static void documents_are_read_from_the_outside(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"apiVersion\": \"v1\", \"items\": [{\"a\": 1}, {\"a\": 2}], \"k\\u0069nd\": \"List\"}",
        "apiVersion: v1\nitems:\n- a: 1\n- a: 2\nkind: List\n",
        "x: &x {kind: List, apiVersion: v2}\nitems: [{a: 1}, {a: 2}]\napiVersion: v1\n<<: *x\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        auto_arena arena = ARENA_INIT;
        struct byte_memory memory = {.rest = str_of(texts[i]), .step = 3};
        struct docs *docs = docs_new(&arena, byte_memory_source(&memory), NULL);
        enum docs_kind kind = DOCS_END;
        struct err err = {.code = ERR_NONE};
        bool has = false, merged = false, kind_seen = false;
        struct str key;
        int64_t sum = 0;
        assert_true(docs_peek(docs, &kind, &err));
        assert_int_equal(kind, DOCS_OBJECT);
        assert_true(docs_enter(docs, &err));
        for (;;) {
            assert_true(docs_member(docs, &has, &key, &merged, &err));
            if (!has) {
                break;
            }
            bool is_kind = str_eq(key, STR("kind"));
            assert_true(docs_peek(docs, &kind, &err));
            if (kind != DOCS_ARRAY) {
                auto_json *value = NULL;
                assert_true(docs_value(docs, &value, &err));
                if (is_kind) {
                    kind_seen = true;
                    assert_string_equal(json_string_value(value), "List");
                }
                continue;
            }
            assert_true(docs_enter(docs, &err));
            while (docs_element(docs, &has, &err) && has) {
                auto_json *item = NULL;
                assert_true(docs_value(docs, &item, &err));
                sum += json_integer_value(json_object_get(item, "a"));
            }
        }
        assert_int_equal(sum, 3);
        assert_true(kind_seen);
        assert_true(docs_peek(docs, &kind, &err));
        assert_int_equal(kind, DOCS_END);
        docs_free(docs);
    }
}

/* A text that repeats a piece, and what must come of it. */
static void hostile(const char *before, const char *piece, size_t n, const char *after,
                    enum err_code code, const char *limit)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf text = strbuf_new(&arena, 64 << 20);
    struct err err = {.code = ERR_NONE};
    strbuf_add(&text, str_of(before));
    for (size_t i = 0; i < n; i++) {
        strbuf_add(&text, str_of(piece));
    }
    strbuf_add(&text, str_of(after));
    char *got = read_all(strbuf_str(&text), 1 << 16, NULL, &err);
    if ((got == NULL) != (code != ERR_NONE) || err.code != code ||
        (limit != NULL && strstr(err.text, limit) == NULL)) {
        fail_msg("%s%s...: %s", before, piece, err.text);
    }
    free(got);
}

static void hostile_texts_meet_limits(void **state)
{
    (void)state;
    hostile("", "[", 200000, "", ERR_LIMIT, "LIMIT_NESTING");
    hostile("", "{\"a\":", 200000, "", ERR_LIMIT, "LIMIT_NESTING");
    hostile("x: ", "[", 200000, "", ERR_LIMIT, "LIMIT_NESTING");
    hostile("x: ", "{a: ", 200000, "", ERR_LIMIT, "LIMIT_NESTING");
    hostile("", "- ", 200000, "a", ERR_LIMIT, "LIMIT_NESTING");
    hostile("{\"a\":\"", "xxxxxxxxxxxxxxxx", 600000, "\"}", ERR_LIMIT, "LIMIT_OBJECT_BYTES");
    hostile("a: \"", "xxxxxxxxxxxxxxxx", 600000, "\"\n", ERR_LIMIT, "LIMIT_OBJECT_BYTES");
    hostile("a: ", "xxxxxxxxxxxxxxxx", 600000, "\n", ERR_LIMIT, "LIMIT_OBJECT_BYTES");
    hostile("a: |\n", "  xxxxxxxxxxxxx\n", 600000, "\n", ERR_LIMIT, "LIMIT_OBJECT_BYTES");
    hostile("a: 1\n#", "xxxxxxxxxxxxxxxx", 600000, "\n", ERR_LIMIT, "LIMIT_OBJECT_BYTES");
    hostile("a: &", "xxxxxxxxxxxxxxxx", 600000, " 1\n", ERR_LIMIT, "LIMIT_OBJECT_BYTES");
    hostile("a: [", "1, ", 2100000, "]\n", ERR_LIMIT, "LIMIT_YAML_EVENTS");
    hostile("a: [", "&a 1, ", 10001, "]\n", ERR_LIMIT, "LIMIT_YAML_ANCHORS");
    hostile("a: \"", "xxxxxxxxxxxxxxxx", 65536, "\"\n", ERR_NONE, NULL);
    hostile("{\"", "xxxxxxxxxxxxxxxx", 65536, "\":1}", ERR_NONE, NULL);
    hostile("", "\n", 9000000, "{}", ERR_NONE, NULL);
    hostile("", "{}\n", 100000, "", ERR_NONE, NULL);
}

static void alias_bombs_meet_limits(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct strbuf wide = strbuf_new(&arena, 1 << 20), deep = strbuf_new(&arena, 1 << 20);
    struct err err = {.code = ERR_NONE};
    strbuf_add(&wide, STR("a0: &a0 [x, x, x, x, x, x, x, x, x]\n"));
    strbuf_add(&deep, STR("a0: &a0 {x: 1}\n"));
    for (int i = 1; i < 100; i++) {
        strbuf_addf(&wide, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1,
                    i - 1, i - 1, i - 1, i - 1);
        strbuf_addf(&deep, "a%d: &a%d {x: *a%d}\n", i, i, i - 1);
    }
    assert_null(read_all(strbuf_str(&wide), 1000, NULL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.text, "LIMIT_YAML_EVENTS"));
    assert_null(read_all(strbuf_str(&deep), 1000, NULL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.text, "LIMIT_NESTING"));
}

static bool broken_source(void *ctx, char *buffer, size_t size, size_t *ret_n, struct err *err)
{
    int *left = ctx;
    (void)size;
    if ((*left)-- == 0) {
        return err_set(err, ERR_IO, "the disk is gone");
    }
    buffer[0] = ' ';
    *ret_n = 1;
    return true;
}

static void errors_of_the_source_come_through(void **state)
{
    (void)state;
    for (int n = 0; n < 10000; n += 999) {
        auto_arena arena = ARENA_INIT;
        int left = n;
        enum docs_kind kind = DOCS_END;
        struct err err = {.code = ERR_NONE};
        struct docs *docs =
            docs_new(&arena, (struct byte_source){.ctx = &left, .read = broken_source}, NULL);
        assert_false(docs_peek(docs, &kind, &err));
        assert_int_equal(err.code, ERR_IO);
        docs_free(docs);
    }
}

static void one_document_is_one(void **state)
{
    (void)state;
    struct err err = {.code = ERR_NONE};
    json_t *value = NULL;
    assert_true(docs_read_one(STR("a: 1"), &value, &err));
    json_decref(value);
    assert_false(docs_read_one(STR("a: 1\n---\nb: 1\n"), &value, &err));
    assert_non_null(strstr(err.text, "a second one"));
    assert_false(docs_read_one(STR(""), &value, &err));
    assert_non_null(strstr(err.text, "got nothing"));
    assert_false(docs_read_one(STR("{\"a\":1}\nx"), &value, &err));
    assert_non_null(strstr(err.text, "line 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_give_their_documents),
        cmocka_unit_test(binary_data_is_named),
        cmocka_unit_test(documents_are_read_from_the_outside),
        cmocka_unit_test(hostile_texts_meet_limits),
        cmocka_unit_test(alias_bombs_meet_limits),
        cmocka_unit_test(errors_of_the_source_come_through),
        cmocka_unit_test(one_document_is_one),
    };
    return cmocka_run_group_tests_name("docs", tests, NULL, NULL);
}

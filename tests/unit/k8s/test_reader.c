/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/limits.h"
#include "k8s/reader.h"

static struct str text_of(const json_t *value)
{
    return json_is_string(value)
               ? (struct str){.p = json_string_value(value), .n = json_string_length(value)}
               : STR_EMPTY;
}

/* Writes each object as "<line> [-]<kind or (list kind)> <name>;". */
static bool note(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    struct strbuf *out = ctx;
    struct str kind = text_of(json_object_get(object->value, "kind"));
    struct str name = text_of(json_object_get(json_object_get(object->value, "metadata"), "name"));
    if (!json_is_object(object->value)) {
        strbuf_addf(out, "%llu no object;", (unsigned long long)object->line);
        return true;
    }
    if (str_eq(name, STR("bad"))) {
        return err_set(err, ERR_INVALID, "Pod bad: refused");
    }
    strbuf_addf(out, "%llu %s", (unsigned long long)object->line, object->removed ? "-" : "");
    strbuf_addf(out, object->list_kind.n > 0 ? "(" STR_FMT ")" : STR_FMT,
                STR_ARG(object->list_kind.n > 0 ? object->list_kind : kind));
    strbuf_addf(out, " " STR_FMT ";", STR_ARG(name));
    return true;
}

/* What a text gives, or "!<error>"; in `arena`. */
static const char *read_text(struct arena *arena, struct str text, size_t step,
                             enum err_code *ret_code)
{
    struct strbuf out = strbuf_new(arena, 1 << 20);
    struct byte_memory memory = {.rest = text, .step = step};
    struct err err = {.code = ERR_NONE};
    if (!k8s_read("in", byte_memory_source(&memory), note, &out, NULL, &err)) {
        out.n = 0;
        strbuf_addf(&out, "!%s", err.text);
    }
    *ret_code = err.code;
    return str_cstr(arena, strbuf_str(&out));
}

struct row {
    const char *name, *text, *expected;
};

static const struct row rows[] = {
    {"nothing", "", ""},
    {"single object", "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}", "1 Pod a;"},
    {"list",
     "{\n\"apiVersion\":\"v1\",\n\"items\":[\n{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}},\n{"
     "\"kind\":\"Node\"}\n],"
     "\"kind\":\"List\",\"metadata\":{}}",
     "4 Pod a;5 Node ;"},
    {"typed list, kind first",
     "{\"kind\":\"PodList\",\"items\":[{\"metadata\":{\"name\":\"a\"}},{\"metadata\":{\"name\":"
     "\"b\"}}]}",
     "1 (Pod) a;1 (Pod) b;"},
    {"typed list, kind last",
     "{\"items\":[\n{\"metadata\":{\"name\":\"a\"}},\n{\"metadata\":{\"name\":\"b\"}}],\n\"kind\":"
     "\"PodList\"}",
     "2 (Pod) a;3 (Pod) b;"},
    {"typed list, some items with a kind",
     "{\"items\":[{\"metadata\":{\"name\":\"a\"}},{\"kind\":\"X\"}],\"kind\":\"PodList\"}",
     "1 X ;1 (Pod) a;"},
    {"empty lists",
     "{\"kind\":\"PodList\",\"items\":[]}{\"kind\":\"PodList\",\"items\":null}{\"kind\":\"List\"}",
     ""},
    {"items without any kind", "{\"items\":[{\"metadata\":{\"name\":\"a\"}}]}", "1  a;"},
    {"items of something that is no list",
     "{\"kind\":\"Menu\",\"items\":[1,2],\"metadata\":{\"name\":\"m\"}}", "1 Menu m;"},
    {"the same, kind last",
     "{\"items\":[{\"x\":1}],\"kind\":\"Menu\",\"metadata\":{\"name\":\"m\"}}", "1 Menu m;"},
    {"array", "[{\"kind\":\"A\"},\n{\"kind\":\"B\"}]", "1 A ;2 B ;"},
    {"array of lists", "[{\"kind\":\"NodeList\",\"items\":[{\"metadata\":{\"name\":\"n\"}}]},[]]",
     "1 (Node) n;1 no object;"},
    {"list in a list",
     "{\"kind\":\"List\",\"items\":[{\"kind\":\"NodeList\",\"items\":[{\"metadata\":{\"name\":"
     "\"n\"}}]}]}",
     "1 (Node) n;"},
    {"lines", "{\"kind\":\"A\"}\n{\"kind\":\"B\"}\n\n{\"kind\":\"C\"}\n", "1 A ;2 B ;4 C ;"},
    {"lines of lists", "{\"kind\":\"AList\",\"items\":[{}]}\n{\"kind\":\"BList\",\"items\":[{}]}\n",
     "1 (A) ;2 (B) ;"},
    {"watch events",
     "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}}\n"
     "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"b\"}}}\n"
     "{\"type\":\"DELETED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}}\n"
     "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"9\"}}"
     "}\n",
     "1 Pod a;2 Pod b;3 -Pod a;"},
    {"watch error",
     "{\"type\":\"ADDED\",\"object\":{\"kind\":\"A\"}}\n{\"type\":\"ERROR\",\"object\":{\"kind\":"
     "\"Status\",\"message\":\"too old\"}}",
     "!in:2: the watch ended with an error: \"too old\" (the recording is incomplete)"},
    {"unknown watch event", "{\"type\":\"GONE\",\"object\":{}}",
     "!in:1: type: \"GONE\" is not a watch event (ADDED, MODIFIED, DELETED, BOOKMARK or ERROR)"},
    {"an object with a type and an object",
     "{\"kind\":\"Event\",\"type\":\"Normal\",\"object\":{}}", "1 Event ;"},
    {"snapshot header",
     "{\"apiVersion\":\"binpack/v1\",\"kind\":\"Snapshot\",\"cluster\":\"c\"}\n{\"kind\":\"A\"}\n",
     "2 A ;"},
    {"a snapshot of somebody else",
     "{\"apiVersion\":\"snapshot.storage.k8s.io/v1\",\"kind\":\"Snapshot\"}", "1 Snapshot ;"},
    {"YAML documents", "kind: A\nmetadata:\n  name: a\n---\n# nothing\n---\nkind: B\n",
     "1 A a;7 B ;"},
    {"YAML list",
     "apiVersion: v1\nitems:\n- kind: Pod\n  metadata:\n    name: a\n- kind: Node\nkind: "
     "List\nmetadata: {}\n",
     "3 Pod a;6 Node ;"},
    {"YAML typed list", "items:\n- metadata: {name: a}\nkind: PodList\n", "2 (Pod) a;"},
    {"YAML sequence", "- kind: A\n- kind: B\n", "1 A ;2 B ;"},
    {"YAML list by alias", "x: &x\n- kind: A\nitems: *x\nkind: List\n", "1 A ;"},
    {"YAML watch event", "type: DELETED\nobject: {kind: A}\n", "1 -A ;"},
    {"JSON after a mark", "---\n{\"kind\": \"A\"}\n---\n{\"kind\": \"B\"}\n", "2 A ;4 B ;"},
    {"YAML after JSON", "{\"kind\":\"A\"}\n---\nkind: B\n", "1 A ;3 B ;"},
    {"a document that is no object", "kind: A\n---\nhello world\n",
     "!in:3: expected a Kubernetes object, got the text \"hello world\""},
    {"a number", "12", "!in:1: expected a Kubernetes object, got an integer"},
    {"items that are no objects",
     "{\"kind\":\"List\",\"items\":[null,7,\n{\"kind\":\"A\"},[],\"x\"]}",
     "1 no object;1 no object;2 A ;2 no object;2 no object;"},
    {"the same before the kind", "{\"items\":[null,{\"x\":1}],\"kind\":\"PodList\"}",
     "1 no object;1 (Pod) ;"},
    {"refused object",
     "{\"kind\":\"A\"}\n{\"kind\":\"Pod\",\"metadata\":{\"name\":\"bad\"}}\n{\"kind\":\"B\"}",
     "!in:2: Pod bad: refused"},
    {"truncated list", "{\"kind\":\"List\",\"items\":[\n{\"kind\":\"A\"},\n{\"kind\":\"B\"",
     "!in:3: the input ends in the middle of a value (is it truncated?)"},
    {"truncated after an item", "{\"kind\":\"List\",\"items\":[\n{\"kind\":\"A\"}",
     "!in:2: the input ends where ',' or ']' after an element was expected (is it truncated?)"},
    {"truncated after the items", "{\"items\":[]",
     "!in:1: the input ends where ',' or '}' after a member was expected (is it truncated?)"},
    {"items twice", "{\"items\":[],\"items\":[]}", "!in:1: the member \"items\" is there twice"},
    {"kind twice", "{\"kind\":\"A\",\n\"kind\":\"B\"}",
     "!in:2: the member \"kind\" is there twice"},
    {"YAML kind twice", "kind: A\nkind: B\n", "!in:2: the member \"kind\" is there twice"},
    {"bad JSON in an item", "{\"items\":[{\"kind\":\"A\"},\n{\"kind\":}]}",
     "!in:2: expected a value, got '}]}'"},
    {"escapes in keys", "{\"k\\u0069nd\":\"PodList\",\"it\\u0065ms\":[{}]}", "1 (Pod) ;"},
};

static void every_form_is_read(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 5, SIZE_MAX};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
            auto_arena arena = ARENA_INIT;
            enum err_code code = ERR_NONE;
            const char *got = read_text(&arena, str_of(rows[i].text), steps[k], &code);
            if (strcmp(got, rows[i].expected) != 0) {
                fail_msg("%s, %zu at a time\nexpected %s\ngot      %s", rows[i].name, steps[k],
                         rows[i].expected, got);
            }
        }
    }
}

/* Cut anywhere, a text gives a beginning of its objects or an error, and nothing bad happens. */
static void cut_texts_do_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t n = 0; n < strlen(rows[i].text); n++) {
            auto_arena arena = ARENA_INIT;
            enum err_code code = ERR_NONE;
            (void)read_text(&arena, (struct str){.p = rows[i].text, .n = n}, 3, &code);
            assert_true(code == ERR_NONE || code == ERR_PARSE || code == ERR_INVALID);
        }
    }
}

static void unread_fields_are_dropped(void **state)
{
    (void)state;
    static const char text[] =
        "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"managedFields\":[{\"x\":1}],\"labels\":{"
        "\"env\":\"prod\","
        "\"args\":\"x\"},\"annotations\":{\"kubectl.kubernetes.io/"
        "last-applied-configuration\":\"{}\"}},"
        "\"spec\":{\"containers\":[{\"name\":\"c\",\"env\":[{\"name\":\"A\"}],\"args\":[\"x\"],"
        "\"livenessProbe\":{},\"resources\":{}}]}}";
    auto_arena arena = ARENA_INIT;
    struct strbuf out = strbuf_new(&arena, 1 << 20);
    struct k8s_read_stats stats;
    struct err err = {.code = ERR_NONE};
    assert_true(k8s_read_memory("in", STR_EMPTY, note, &out, &stats, &err));
    assert_int_equal(stats.n_objects, 0);
    assert_true(k8s_read_memory("in", (struct str){.p = text, .n = sizeof text - 1}, note, &out,
                                &stats, &err));
    assert_int_equal(stats.n_objects, 1);
    assert_int_equal(stats.n_bytes, sizeof text - 1);
}

static bool keep(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    (void)err;
    *(char **)ctx = json_dumps(object->value, JSON_COMPACT);
    return true;
}

static void what_is_left_is_all_that_rules_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"metadata\":{\"managedFields\":[{\"x\":1}],\"labels\":{\"env\":\"prod\"}},\"spec\":{"
        "\"env\":[1],\"args\":[\"x\"],\"n\":1}}",
        "metadata: {managedFields: [{x: 1}], labels: {env: prod}}\nspec: {env: [1], args: [x], n: "
        "1}\n",
    };
    for (size_t i = 0; i < 2; i++) {
        char *got = NULL;
        struct err err = {.code = ERR_NONE};
        assert_true(k8s_read_memory("in", str_of(texts[i]), keep, &got, NULL, &err));
        assert_string_equal(got,
                            "{\"metadata\":{\"labels\":{\"env\":\"prod\"}},\"spec\":{\"n\":1}}");
        free(got);
    }
}

static void add_items(struct strbuf *text, int n)
{
    for (int i = 0; i < n; i++) {
        strbuf_addf(text, "%s{\"metadata\":{\"name\":\"%0200d\"}}", i == 0 ? "" : ",", i);
    }
}

static void items_wait_for_their_kind_within_limits(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct strbuf text = strbuf_new(&arena, 256 << 20);
    enum err_code code = ERR_NONE;
    strbuf_add(&text, STR("{\"items\":["));
    add_items(&text, 400000);
    strbuf_add(&text, STR("],\"kind\":\"PodList\"}"));
    const char *got = read_text(&arena, strbuf_str(&text), 1 << 16, &code);
    assert_int_equal(code, ERR_LIMIT);
    assert_non_null(strstr(got, "LIMIT_KINDLESS_BYTES"));
    text.n = 0;
    strbuf_add(&text, STR("{\"kind\":\"PodList\",\"items\":["));
    add_items(&text, 400000);
    strbuf_add(&text, STR("]}"));
    (void)read_text(&arena, strbuf_str(&text), 1 << 16, &code);
    assert_int_equal(code, ERR_NONE);
}

/* Members of one object, each small and all different, up to the cap of an object. */
static void large_objects_meet_limits(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct strbuf text = strbuf_new(&arena, 64 << 20);
    enum err_code code = ERR_NONE;
    strbuf_add(&text, STR("{\"kind\":\"A\""));
    for (int i = 0; i < 200000; i++) {
        strbuf_addf(&text, ",\"member-%08d\":\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\"", i);
    }
    strbuf_add(&text, STR("}"));
    const char *got = read_text(&arena, strbuf_str(&text), 1 << 16, &code);
    assert_int_equal(code, ERR_LIMIT);
    assert_non_null(strstr(got, "LIMIT_LIST_ITEMS"));
    text.n = 0;
    strbuf_add(&text, STR("{\"kind\":\"A\""));
    for (int i = 0; i < 100; i++) {
        strbuf_addf(&text, ",\"member-%d\":\"%0100000d\"", i, i);
    }
    strbuf_add(&text, STR("}"));
    got = read_text(&arena, strbuf_str(&text), 1 << 16, &code);
    assert_int_equal(code, ERR_LIMIT);
    assert_non_null(strstr(got, "LIMIT_OBJECT_BYTES"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(cut_texts_do_no_harm),
        cmocka_unit_test(unread_fields_are_dropped),
        cmocka_unit_test(what_is_left_is_all_that_rules_read),
        cmocka_unit_test(items_wait_for_their_kind_within_limits),
        cmocka_unit_test(large_objects_meet_limits),
    };
    return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}

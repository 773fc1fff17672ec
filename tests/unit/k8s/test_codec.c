/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The codec's engine on a struct of its own: every row type both ways, its defaults, its errors
 * with their paths, and that comparing and hashing notice each field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "k8s/codec.h"
#include "k8s/karpenter.h"
#include "k8s/objects.h"
#include "k8s/tables.h"

struct item {
    strid word;
    int32_t number;
};
struct thing {
    struct str text;
    strid word, optional_word, default_word;
    struct k8s_strids words, picked;
    struct k8s_pairs map, labels;
    struct k8s_resources up, down;
    int64_t quantity;
    struct opt_i64 opt_quantity, opt_i64;
    struct opt_i32 opt_i32;
    bool flag, flag_on, choice, present, seen;
    int32_t i32;
    int64_t i64;
    enum k8s_operator op;
    struct opt_wall time;
    struct karp_duration duration;
    struct k8s_int_or_percent portion;
    uint32_t n_items, n_counted;
    const struct item *items;
};

static const struct codec_choice ops[] = {{"In", K8S_IN}, {"Exists", K8S_EXISTS}, {NULL, 0}};
static const struct codec_choice on_off[] = {{"Off", 0}, {"On", 1}, {NULL, 0}};
static const struct codec_row item_rows[] = {
    ROW("word", CODEC_WORD, struct item, word, .flags = CODEC_REQUIRED),
    ROW("number", CODEC_I32, struct item, number, .check = CHECK_RANGE, .min = 1, .max = 9)};
static const struct codec_table item_table = {CODEC_ROWS(item_rows), .size = sizeof(struct item)};
static const struct codec_row inner_rows[] = {ROW("i64", CODEC_I64, struct thing, i64)};
static const struct codec_table inner_table = {CODEC_ROWS(inner_rows)};
static const struct codec_row thing_rows[] = {
    ROW("text", CODEC_TEXT, struct thing, text, .check = CHECK_PRINTABLE),
    ROW("word", CODEC_WORD, struct thing, word, .check = CHECK_LABEL_VALUE),
    ROW("optionalWord", CODEC_WORD, struct thing, optional_word, .flags = CODEC_NONE),
    ROW("defaultWord", CODEC_WORD, struct thing, default_word, .text = "usual"),
    ROW("words", CODEC_WORDS, struct thing, words, .check = CHECK_LABEL_KEY, .max_items = 3),
    ROW("picked", CODEC_PICK, struct thing, picked, .text = "alias"),
    ROW("map", CODEC_MAP, struct thing, map),
    ROW("labels", CODEC_MAP, struct thing, labels, .check = CHECK_LABELS),
    ROW("up", CODEC_RESOURCES, struct thing, up),
    ROW("down", CODEC_RESOURCES, struct thing, down, .flags = CODEC_FLOOR),
    ROW("quantity", CODEC_QUANTITY, struct thing, quantity),
    ROW("optQuantity", CODEC_OPT_QUANTITY, struct thing, opt_quantity),
    ROW("optI64", CODEC_OPT_I64, struct thing, opt_i64),
    ROW("optI32", CODEC_OPT_I32, struct thing, opt_i32),
    ROW("flag", CODEC_BOOL, struct thing, flag),
    ROW("flagOn", CODEC_BOOL, struct thing, flag_on, .absent = 1),
    ROW("choice", CODEC_CHOICE, struct thing, choice, .choices = on_off),
    ROW("present", CODEC_PRESENT, struct thing, present),
    ROW("i32", CODEC_I32, struct thing, i32, .absent = 30),
    ROW("op", CODEC_ENUM, struct thing, op, .choices = ops, .absent = K8S_EXISTS),
    ROW("time", CODEC_TIME, struct thing, time),
    ROW("duration", CODEC_DURATION, struct thing, duration, .absent = 60000),
    ROW("portion", CODEC_INT_OR_PERCENT, struct thing, portion),
    ROW("counted", CODEC_COUNT, struct thing, n_counted, .text = "gate"),
    ROW_LIST("items", struct thing, items, n_items, &item_table),
    ROW_SEEN("inner", &inner_table, struct thing, seen),
};
static const struct codec_table thing_table = {CODEC_ROWS(thing_rows),
                                               .size = sizeof(struct thing)};

struct world {
    struct arena arena, scratch;
    struct strtab *tab;
    struct k8s_words words;
    struct err err;
    struct opt_wall newest;
    struct codec_in in;
    struct codec_out out;
};

static int set_up(void **state)
{
    static struct world w;
    w = (struct world){.arena = ARENA_INIT, .scratch = ARENA_INIT};
    w.tab = strtab_new(&w.arena);
    k8s_words_init(&w.words, w.tab);
    w.in = (struct codec_in){.arena = &w.arena,
                             .scratch = &w.scratch,
                             .tab = w.tab,
                             .words = &w.words,
                             .newest = &w.newest,
                             .err = &w.err};
    w.out = (struct codec_out){.arena = &w.scratch, .tab = w.tab, .words = &w.words};
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    arena_done(&w->arena);
    arena_done(&w->scratch);
    return 0;
}

static bool decode(struct world *w, const char *text, struct thing *thing)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
    assert_non_null(json);
    struct json_at root = json_at_root(json);
    *thing = (struct thing){.flag = false};
    bool ok = codec_decode(&w->in, &thing_table, &root, thing) == CODEC_KEEP;
    json_decref(json);
    return ok;
}

#define FULL                                                                                       \
    "{\"text\": \"some text\", \"word\": \"w\", \"optionalWord\": \"o\", \"defaultWord\": \"d\","  \
    "\"words\": [\"a.b/c\", \"d\"], \"picked\": [{\"alias\": \"x\"}, {\"id\": \"7\"}],"            \
    "\"map\": {\"z\": \"26\", \"a\": \"1\"}, \"labels\": {\"app\": \"web\"},"                      \
    "\"up\": {\"cpu\": \"1500u\", \"memory\": \"1.5Gi\"}, \"down\": {\"cpu\": \"1500u\", "         \
    "\"pods\": 4},"                                                                                \
    "\"quantity\": \"2Ki\", \"optQuantity\": 7, \"optI64\": -5, \"optI32\": 6, \"flag\": true,"    \
    "\"flagOn\": false, \"choice\": \"On\", \"present\": {\"path\": \"/\"}, \"i32\": 0,"           \
    "\"op\": \"In\", \"time\": \"2026-03-01T08:00:00Z\", \"duration\": \"1h\", \"portion\": "      \
    "\"25%\","                                                                                     \
    "\"counted\": [{\"name\": \"gate-0\"}], \"items\": [{\"word\": \"one\", \"number\": 1},"       \
    "{\"word\": \"two\", \"number\": 2}], \"inner\": {\"i64\": 9}}"

static void test_reads_every_type(void **state)
{
    struct world *w = *state;
    struct thing t;
    if (!decode(w, FULL, &t)) {
        fail_msg("%s", w->err.text);
    }
    assert_true(str_eq(t.text, STR("some text")));
    assert_string_equal(strtab_str(w->tab, t.word).p, "w");
    assert_int_equal(t.words.n, 2);
    assert_int_equal(t.picked.n, 1);
    assert_int_equal(t.map.n, 2);
    assert_true(t.map.v[0].key < t.map.v[1].key);
    assert_int_equal(k8s_resources_get(&t.up, w->words.cpu), 2);
    assert_int_equal(k8s_resources_get(&t.up, w->words.memory), 1610612736);
    assert_int_equal(k8s_resources_get(&t.down, w->words.cpu), 1);
    assert_int_equal(k8s_resources_get(&t.down, w->words.pods), 4);
    assert_int_equal(t.quantity, 2048);
    assert_true(t.opt_quantity.has && t.opt_quantity.v == 7);
    assert_true(t.opt_i64.has && t.opt_i64.v == -5);
    assert_true(t.opt_i32.has && t.opt_i32.v == 6);
    assert_true(t.flag && !t.flag_on && t.choice && t.present && t.seen);
    assert_int_equal(t.i32, 0);
    assert_int_equal(t.i64, 9);
    assert_int_equal(t.op, K8S_IN);
    assert_int_equal(t.time.v, INT64_C(1772352000000));
    assert_int_equal(w->newest.v, INT64_C(1772352000000));
    assert_true(t.duration.has && t.duration.ms == 3600000);
    assert_true(t.portion.present && t.portion.is_percent && t.portion.value == 25);
    assert_int_equal(t.n_counted, 1);
    assert_int_equal(t.n_items, 2);
    assert_int_equal(t.items[1].number, 2);
}

static void test_absent_means_default(void **state)
{
    static const char *const texts[] = {
        "{}", "{\"text\": null, \"i32\": null, \"items\": null, \"inner\": null, \"op\": null, "
              "\"labels\": null, \"unknown\": [1, {}]}"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct thing t;
        assert_true(decode(w, texts[i], &t));
        assert_int_equal(t.optional_word, STRID_NONE);
        assert_string_equal(strtab_str(w->tab, t.default_word).p, "usual");
        assert_int_equal(t.i32, 30);
        assert_int_equal(t.op, K8S_EXISTS);
        assert_true(t.flag_on && !t.flag && !t.seen && !t.present && !t.portion.present);
        assert_true(t.duration.has && t.duration.ms == 60000);
        assert_int_equal(t.n_items, 0);
    }
}

static json_t *encode(struct world *w, const struct thing *t)
{
    json_t *json = json_object();
    codec_encode(&w->out, &thing_table, t, json);
    return json;
}

static void test_writes_what_it_read(void **state)
{
    static const char *const texts[] = {FULL, "{}",
                                        ("{\"duration\": \"Never\", \"portion\": 3, "
                                         "\"inner\": {}, \"optionalWord\": \"\"}")};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct thing t, back = {.flag = false};
        assert_true(decode(w, texts[i], &t));
        json_t *json = encode(w, &t);
        struct json_at root = json_at_root(json);
        if (codec_decode(&w->in, &thing_table, &root, &back) != CODEC_KEEP) {
            fail_msg("%s", w->err.text);
        }
        json_t *again = encode(w, &back);
        assert_true(codec_equal(&thing_table, &t, &back));
        assert_int_equal(codec_hash(&thing_table, &t, 1), codec_hash(&thing_table, &back, 1));
        assert_true(json_equal(json, again));
        json_decref(json);
        json_decref(again);
    }
}

static void test_notices_each_difference(void **state)
{
    static const char *const changes[] = {
        "\"text\": \"other\"",
        "\"word\": \"v\"",
        "\"optionalWord\": \"\"",
        "\"defaultWord\": \"e\"",
        "\"words\": [\"d\"]",
        "\"words\": [\"d\", \"a.b/c\"]",
        "\"picked\": []",
        "\"map\": {\"z\": \"26\"}",
        "\"labels\": {\"app\": \"api\"}",
        "\"up\": {\"cpu\": 2}",
        "\"down\": {\"cpu\": 2, \"pods\": 4}",
        "\"quantity\": 1",
        "\"optQuantity\": null",
        "\"optI64\": 5",
        "\"optI32\": 0",
        "\"flag\": false",
        "\"flagOn\": true",
        "\"choice\": \"Off\"",
        "\"present\": null",
        "\"i32\": 1",
        "\"op\": \"Exists\"",
        "\"time\": \"2026-03-01T08:00:01Z\"",
        "\"duration\": \"Never\"",
        "\"portion\": 25",
        "\"counted\": []",
        "\"items\": [{\"word\": \"one\", \"number\": 1}]",
        "\"items\": [{\"word\": \"one\", \"number\": 1}, {\"word\": \"two\", \"number\": 3}]",
        "\"inner\": {\"i64\": 8}",
        "\"inner\": null"};
    struct world *w = *state;
    struct thing full;
    assert_true(decode(w, FULL, &full));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char text[4096];
        struct thing changed;
        size_t n =
            strlen(FULL) - 1; /* without the closing brace; the last of two equal keys counts */
        memcpy(text, FULL, n);
        text[n] = ',';
        memcpy(text + n + 1, changes[i], strlen(changes[i]));
        memcpy(text + n + 1 + strlen(changes[i]), "}", 2);
        if (!decode(w, text, &changed)) {
            fail_msg("%s: %s", changes[i], w->err.text);
        }
        if (codec_equal(&thing_table, &full, &changed) ||
            codec_hash(&thing_table, &full, 1) == codec_hash(&thing_table, &changed, 1)) {
            fail_msg("%s makes no difference", changes[i]);
        }
    }
}

static const struct {
    const char *json, *error;
} faults[] = {
    {"[]", ".: expected an object, got a list"},
    {"{\"text\": 5}", "text: expected a string, got an integer"},
    {"{\"text\": \"a\\u001bb\"}", "text: \"a?b\": must not contain control characters"},
    {"{\"word\": \"-x\"}", "word: \"-x\": a label value consists of"},
    {"{\"words\": [\"a\", \"b c\"]}", "words[1]: \"b c\": the name part of a key consists of"},
    {"{\"words\": [\"a\", \"b\", \"c\", \"d\"]}", "words: 4 items, but at most 3 are allowed"},
    {"{\"words\": {}}", "words: expected a list, got an object"},
    {"{\"picked\": [5]}", "picked[0]: expected an object, got an integer"},
    {"{\"map\": {\"a\": 1}}", "map.a: expected a string, got an integer"},
    {"{\"labels\": {\"a b\": \"c\"}}", "labels: \"a b\": the name part of a key consists of"},
    {"{\"labels\": {\"a/b/c\": \"c\"}}", "labels: \"a/b/c\": the name part of a key"},
    {"{\"labels\": {\"A/b\": \"c\"}}", "labels: \"A/b\": the part of a key before '/' must be"},
    {"{\"labels\": {\"a\": \"b/c\"}}", "labels.a: \"b/c\": a label value consists of"},
    {"{\"up\": {\"cpu\": \"-1\"}}", "up.cpu: \"-1\": must not be negative"},
    {"{\"up\": {\"cpu\": -1}}", "up.cpu: -1: must not be negative"},
    {"{\"up\": {\"memory\": \"1e300\"}}", "up.memory: "},
    {"{\"up\": {\"memory\": \"NaN\"}}", "up.memory: "},
    {"{\"up\": {\"memory\": true}}", "up.memory: "},
    {"{\"up\": {\"nvidia.com/gpu\": \"1500m\"}}", "up[nvidia.com/gpu]: \"1500m\": must be a whole"},
    {"{\"up\": {\"a b\": 1}}", "up: \"a b\": the name part"},
    {"{\"quantity\": \"five\"}", "quantity: "},
    {"{\"flag\": \"yes\"}", "flag: expected true or false, got the string \"yes\""},
    {"{\"choice\": \"Maybe\"}", "choice: \"Maybe\": must be one of Off, On"},
    {"{\"present\": 1}", "present: expected an object, got an integer"},
    {"{\"i32\": 3000000000}", "i32: 3000000000 is out of range"},
    {"{\"i32\": 1.5}", "i32: expected an integer, got 1.5"},
    {"{\"op\": \"Near\"}", "op: \"Near\": must be one of In, Exists"},
    {"{\"time\": \"yesterday\"}", "time: "},
    {"{\"duration\": \"soon\"}", "duration: "},
    {"{\"duration\": \"-1h\"}", "duration: \"-1h\": must not be negative"},
    {"{\"portion\": -1}", "portion: -1 is out of range"},
    {"{\"portion\": \"101%\"}", "portion: \"101%\": must not be more than 100%"},
    {"{\"portion\": \"half\"}", "portion: \"half\": must be a count or a percentage"},
    {"{\"items\": [{\"word\": \"x\", \"number\": 1}, {\"word\": \"x\", \"number\": 10}]}",
     "items[1].number: 10 is out of range (1 to 9)"},
    {"{\"items\": [{}]}", "items[0].word: required"},
    {"{\"items\": [{\"word\": \"\"}]}", "items[0].word: must not be empty"},
    {"{\"items\": [null]}", "items[0]: expected an object, got null"},
    {"{\"inner\": []}", "inner: expected an object, got a list"},
};

static void test_errors_name_path_and_value(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct thing t;
        if (decode(w, faults[i].json, &t)) {
            fail_msg("%s was taken", faults[i].json);
        }
        if (strncmp(w->err.text, faults[i].error, strlen(faults[i].error)) != 0) {
            fail_msg("%s:\n  expected %s\n  got      %s", faults[i].json, faults[i].error,
                     w->err.text);
        }
    }
}

static void test_caps(void **state)
{
    struct world *w = *state;
    struct thing t;
    json_t *json = json_object(), *list = json_array();
    for (int i = 0; i <= LIMIT_LIST_ITEMS; i++) {
        (void)json_array_append_new(list, json_object());
    }
    (void)json_object_set_new(json, "counted", list);
    struct json_at root = json_at_root(json);
    t = (struct thing){.flag = false};
    assert_int_equal(codec_decode(&w->in, &thing_table, &root, &t), CODEC_FAIL);
    assert_int_equal(w->err.code, ERR_LIMIT);
    assert_non_null(strstr(w->err.text, "LIMIT_LIST_ITEMS"));
    (void)json_array_remove(list, 0);
    assert_int_equal(codec_decode(&w->in, &thing_table, &root, &t), CODEC_KEEP);

    char *megabyte = arena_alloc(&w->scratch, 1 << 20);
    memset(megabyte, 'x', 1 << 20);
    (void)json_object_set_new(json, "text", json_stringn(megabyte, 1 << 20));
    assert_int_equal(codec_decode(&w->in, &thing_table, &root, &t), CODEC_FAIL);
    assert_int_equal(w->err.code, ERR_LIMIT);
    (void)json_object_set_new(json, "text", json_stringn(megabyte, LIMIT_VALUE_BYTES));
    assert_int_equal(codec_decode(&w->in, &thing_table, &root, &t), CODEC_KEEP);
    json_decref(json);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reads_every_type),           TEST(test_absent_means_default),
        TEST(test_writes_what_it_read),        TEST(test_notices_each_difference),
        TEST(test_errors_name_path_and_value), TEST(test_caps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every folder of tests/data/view holds a cluster and a plan. The plan is read back, rendered in
 * every format and compared byte by byte with the files beside it; VIEW_UPDATE=1 writes them anew,
 * to be looked at before they are committed. */
#include "base/arena.h"
#include "base/jsonw.h"
#include "binpack/catalog/catalog.h"
#include "binpack/plan/nodeclaims.h"
#include "binpack/plan/plan_json.h"
#include "binpack/plan/read_plan.h"
#include "binpack/view/display.h"
#include "binpack/view/plan_csv.h"
#include "binpack/view/plan_markdown.h"
#include "binpack/view/plan_table.h"
#include "k8s/builder.h"
#include "k8s/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_LIMIT = 1 << 22 };

static const char *data_root;

static struct str read_file(const char *path, struct arena *arena)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return STR_EMPTY;
    }
    struct strbuf b = strbuf_new(arena, TEXT_LIMIT);
    char block[4096];
    size_t n;
    while ((n = fread(block, 1, sizeof(block), file)) > 0) {
        strbuf_add(&b, (struct str){.p = block, .n = n});
    }
    (void)fclose(file);
    return strbuf_str(&b);
}

static bool take(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    return k8s_builder_add(ctx, object->value, object->list_kind, 0, object->removed, NULL, err);
}

static struct plan *load(const char *name, struct arena *arena)
{
    char path[512];
    struct err err = {.code = ERR_NONE};
    struct strtab *tab = strtab_new(arena);
    struct k8s_builder *builder = k8s_builder_new(arena, tab);
    uint32_t n_made;
    (void)snprintf(path, sizeof(path), "%s/%s/cluster.yaml", data_root, name);
    if (!k8s_read_memory(path, read_file(path, arena), take, builder, NULL, &err) ||
        !k8s_builder_expand(builder, K8S_EXPAND_AUTO, &n_made, &err)) {
        fail_msg("%s", err.text);
    }
    const struct k8s_cluster *cluster = k8s_builder_finish(builder);
    (void)snprintf(path, sizeof(path), "%s/%s/plan.json", data_root, name);
    struct str text = read_file(path, arena);
    json_t *document = json_loadb(text.p, text.n, 0, NULL);
    assert_non_null(document);
    struct plan *plan = NULL;
    bool good = read_plan(document, cluster, cat_builtin(arena, tab), arena, &plan, &err);
    json_decref(document);
    if (!good) {
        fail_msg("%s: %s", path, err.text);
    }
    return plan;
}

static void compare(const char *name, const char *file, struct strbuf *b)
{
    auto_arena arena = ARENA_INIT;
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s/%s", data_root, name, file);
    assert_false(b->overflow);
    if (getenv("VIEW_UPDATE") != NULL) {
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        assert_true(b->n == 0 || fwrite(b->p, 1, b->n, out) == b->n);
        assert_int_equal(fclose(out), 0);
    }
    struct str expected = read_file(path, &arena);
    struct str got = strbuf_str(b);
    if (!str_eq(expected, got)) {
        size_t at = 0;
        while (at < expected.n && at < got.n && expected.p[at] == got.p[at]) {
            at++;
        }
        fail_msg("%s differs at byte %zu:\nexpected: " STR_FMT "\ngot:      " STR_FMT, path, at,
                 STR_ARG(str_sub(expected, at, 120)), STR_ARG(str_sub(got, at, 120)));
    }
}

enum { N_FORMATS = 9 };
static const char *const formats[N_FORMATS] = {"table.80.txt", "table.160.txt",   "table.color.txt",
                                               "wide.txt",     "plan.out.json",   "plan.out.yaml",
                                               "plan.csv",     "nodeclaims.yaml", "plan.md"};

static void render(const struct plan *plan, int format, struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    struct jsonw json = jsonw_new(b, JSONW_PRETTY);
    struct jsonw yaml = jsonw_new(b, JSONW_YAML);
    switch (format) {
    case 0:
        view_table(plan, &(struct text_look){.width = 80}, b);
        break;
    case 1:
        view_table(plan, &(struct text_look){.width = 160}, b);
        break;
    case 2:
        view_table(plan, &(struct text_look){.width = 100, .color = true}, b);
        break;
    case 3:
        view_wide(plan, &(struct text_look){.width = 0}, b);
        break;
    case 4:
        plan_json(plan, &json, &scratch);
        break;
    case 5:
        plan_json(plan, &yaml, &scratch);
        break;
    case 6:
        view_csv(plan, b);
        break;
    case 7:
        plan_nodeclaims(plan, &yaml, &scratch);
        break;
    default:
        view_markdown(plan, b);
        break;
    }
}

static void assert_width(struct str text, size_t width, const char *file)
{
    while (text.n > 0) {
        struct str line = str_sub(text, 0, str_find(text, '\n'));
        text = str_sub(text, line.n + 1, text.n);
        if (display_width(line) > width) {
            fail_msg("%s: a line is wider than %zu: " STR_FMT, file, width, STR_ARG(line));
        }
    }
}

/* Nothing that could steer a terminal, besides the colours asked for. */
static void assert_harmless(struct str text, bool color, const char *file)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((c < 0x20 && c != '\n' && !(color && c == 0x1b)) || c == 0x7f) {
            fail_msg("%s: control character 0x%02x at byte %zu", file, c, i);
        }
    }
}

static void check_case(const char *name)
{
    auto_arena arena = ARENA_INIT;
    struct plan *plan = load(name, &arena);
    for (int i = 0; i < N_FORMATS; i++) {
        struct strbuf b = strbuf_new(&arena, TEXT_LIMIT);
        render(plan, i, &b);
        compare(name, formats[i], &b);
        assert_harmless(strbuf_str(&b), i == 2, formats[i]);
        if (i < 2) {
            assert_width(strbuf_str(&b), i == 0 ? 80 : 160, formats[i]);
        }
    }
}

static void test_mixed(void **state)
{
    (void)state;
    check_case("mixed");
}

static void test_nothing_to_buy(void **state)
{
    (void)state;
    check_case("nothing-to-buy");
}

/* What was written reads back as the same document: JSON twice through the reader. */
static void test_round_trip(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    struct plan *plan = load("mixed", &arena);
    struct strbuf first = strbuf_new(&arena, TEXT_LIMIT);
    struct jsonw w = jsonw_new(&first, JSONW_PRETTY);
    plan_json(plan, &w, &scratch);
    json_t *document = json_loadb(first.p, first.n, 0, NULL);
    struct plan *again = NULL;
    struct err err;
    assert_true(read_plan(document, plan->cluster, plan->catalog, &arena, &again, &err));
    json_decref(document);
    struct strbuf second = strbuf_new(&arena, TEXT_LIMIT);
    w = jsonw_new(&second, JSONW_PRETTY);
    plan_json(again, &w, &scratch);
    assert_true(str_eq(strbuf_str(&first), strbuf_str(&second)));
}

/* Plans that do not belong to the cluster, or contradict themselves. */
static void test_refused(void **state)
{
    static const struct {
        const char *find, *replace, *text;
    } rows[] = {
        {"\"shop/web-5\"", "\"shop/web-9\"", "pod \"shop/web-9\" is not in the input"},
        {"\"shop/web-5\"", "\"shop/web-4\"", "pod shop/web-4 is in two places"},
        {"\"g5.48xlarge\"", "\"g5.49xlarge\"", "instance type \"g5.49xlarge\" is not in catalogue"},
        {"\"us-east-1b\"", "\"us-east-9z\"", "zone \"us-east-9z\" is not in catalogue"},
        {"\"nodePool\": \"gpu-training\"", "\"nodePool\": \"no-such\"",
         "NodePool \"no-such\" is not in the input"},
        {"\"usdPerHour\": 16.288,", "\"usdPerHour\": 16.287,", "but the nodes cost"},
        {"\"usdPerHour\": 16.288,", "\"usdPerHour\": \"16.288\",",
         "expected a number, got a string"},
        {"\"usdPerHour\": 16.288,", "\"usdPerHour\": -16.288,", "must be a number from 0 up"},
        {"\"kind\": \"Plan\"", "\"kind\": \"Pod\"", "expected a Plan of binpack/v1, got a Pod"},
        {"\"binpack/v1\"", "\"binpack/v9\"", "expected a Plan of binpack/v1"},
        {"\"mode\": \"provision\"", "\"mode\": \"fly\"", "inputs.mode: \"fly\""},
        {"\"now\": \"2026-01-01T00:00:00Z\"", "\"now\": \"noon\"", "inputs.now"},
        {"\"lowerBoundUsdPerHour\": 16.4", "\"lowerBoundUsdPerHour\": 99",
         "above totals.usdPerHour"},
        {"\"on-demand\"", "\"gifted\"",
         "capacityType \"gifted\" is not spot, on-demand or reserved"},
        {"\"191450m\"", "\"lots\"", "lots"},
    };
    (void)state;
    auto_arena arena = ARENA_INIT;
    char path[512];
    struct plan *plan = load("mixed", &arena);
    (void)snprintf(path, sizeof(path), "%s/mixed/plan.json", data_root);
    struct str text = read_file(path, &arena);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *begin = strstr(str_cstr(&arena, text), rows[i].find);
        assert_non_null(begin);
        char *whole = str_cstr(&arena, text);
        size_t at = (size_t)(strstr(whole, rows[i].find) - whole);
        struct strbuf b = strbuf_new(&arena, TEXT_LIMIT);
        strbuf_add(&b, str_sub(text, 0, at));
        strbuf_add(&b, str_of(rows[i].replace));
        strbuf_add(&b, str_sub(text, at + strlen(rows[i].find), text.n));
        json_t *document = json_loadb(b.p, b.n, 0, NULL);
        assert_non_null(document);
        struct plan *read = NULL;
        struct err err = {.code = ERR_NONE};
        bool good = read_plan(document, plan->cluster, plan->catalog, &arena, &read, &err);
        json_decref(document);
        if (good || strstr(err.text, rows[i].text) == NULL) {
            fail_msg("row %zu: expected \"%s\", got \"%s\"", i, rows[i].text,
                     good ? "no error" : err.text);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_nothing_to_buy),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
    };
    if (argc != 2) {
        return 2;
    }
    data_root = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

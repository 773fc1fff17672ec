/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What NodePools of an EC2NodeClass may buy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "binpack/catalog/catalog.h"
#include "provisioner/engine/engine.h"
#include "provisioner/nodeclass/dryrun.h"

#define CLASS_OF(group, name)                                                                      \
    "\"nodeClassRef\": {\"group\": \"" group "\", \"kind\": \"EC2NodeClass\", \"name\": \"" name   \
    "\"}"
#define OURS            CLASS_OF("karpenter.k8s.aws", "c")
#define IN(key, values) "{\"key\": \"" key "\", \"operator\": \"In\", \"values\": [" values "]}"
#define FAMILY          "karpenter.k8s.aws/instance-family"

/* NodePools of two objects at most: what stands in spec.template.spec, and template labels. */
static const struct {
    const char *name;
    const char *specs[2], *labels[2];
    const char *types; /* the first three, and how many there are beyond */
} rows[] = {
    {"none", {NULL}, {NULL}, ""},
    {"another class", {CLASS_OF("karpenter.k8s.aws", "d") ", \"requirements\": []"}, {""}, ""},
    {"a class of somebody else", {CLASS_OF("example.com", "c") ", \"requirements\": []"}, {""}, ""},
    {"a family",
     {OURS ", \"requirements\": [" IN(FAMILY, "\"m5\"") "]"},
     {""},
     "m5.large m5.xlarge m5.2xlarge +6"},
    {"zone and capacity type are not asked for",
     {OURS ", \"requirements\": [" IN("node.kubernetes.io/instance-type", "\"m5.xlarge\"") ", " IN(
         "topology.kubernetes.io/zone", "\"mars-1a\"") ", " IN("karpenter.sh/capacity-type",
                                                               "\"spot\"") "]"},
     {""},
     "m5.xlarge"},
    {"labels of the template ask too, but for those that no type has",
     {OURS ", \"requirements\": [" IN(FAMILY, "\"m5\", \"m6g\"") "]"},
     {"\"kubernetes.io/arch\": \"arm64\", \"team\": \"web\""},
     "m6g.medium m6g.large m6g.xlarge +6"},
    {"two NodePools",
     {OURS ", \"requirements\": [" IN("node.kubernetes.io/instance-type", "\"m5.xlarge\"") "]",
      OURS ", \"requirements\": [" IN("node.kubernetes.io/instance-type",
                                      "\"m5.large\", \"m5.xlarge\"") "]"},
     {"", ""},
     "m5.large m5.xlarge"},
};

static void put_pool(struct engine *engine, struct arena *step, size_t i, const char *spec,
                     const char *labels)
{
    char json[2048], name[16];
    json_error_t why;
    const struct k8s_kind *kind = NULL;
    (void)snprintf(name, sizeof name, "pool-%zu", i);
    (void)snprintf(json, sizeof json,
                   "{\"metadata\": {\"name\": \"%s\"}, \"spec\": {\"template\": {\"metadata\": "
                   "{\"labels\": {%s}}, \"spec\": {%s}}}}",
                   name, labels, spec);
    auto_json *object = json_loads(json, 0, &why);
    assert_non_null(object);
    assert_int_equal(k8s_kind_find(STR("NodePool"), STR_EMPTY, &kind), K8S_MATCH_YES);
    const struct event event = {
        .type = EVENT_DELTA,
        .kind = kind,
        .delta = {.change = K8S_ADDED, .id = {.name = str_of(name)}, .object = object}};
    const struct moment now = {.wall = INT64_C(1790000000000), .mono = 1000};
    struct actions actions = {.arena = step};
    engine_step(engine, &event, now, &actions);
}

static void test_types(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        auto_arena arena = ARENA_INIT;
        const struct engine_settings settings = {.mode = ENGINE_OBSERVE,
                                                 .batch_idle_ms = 1000,
                                                 .batch_max_ms = 10000,
                                                 .time_limit_ms = 60000,
                                                 .make = MAKE_SETTINGS_DEFAULT};
        struct engine *engine = engine_new(&settings);
        const struct nodeclass_type *types = NULL;
        struct strbuf text = strbuf_new(&arena, 1024);
        print_message("# %s\n", rows[r].name);
        engine_use_catalog(engine, cat_builtin(&arena, engine_tab(engine)));
        for (size_t i = 0; i < 2 && rows[r].specs[i] != NULL; i++) {
            put_pool(engine, &arena, i, rows[r].specs[i], rows[r].labels[i]);
        }
        const uint32_t n = engine_class_types(engine, STR("c"), &arena, &types);
        for (uint32_t i = 0; i < n && i < 3; i++) {
            strbuf_addf(&text, "%s" STR_FMT, i > 0 ? " " : "", STR_ARG(types[i].name));
            assert_true(types[i].max_pods > 0 && !types[i].has_gpus);
        }
        if (n > 3) {
            strbuf_addf(&text, " +%u", n - 3);
        }
        assert_string_equal(str_cstr(&arena, strbuf_str(&text)), rows[r].types);
        engine_free(engine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which pods an affinity term or a spread constraint finds; units of pods that share a host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "binpack/scheduling/bundles.h"
#include "binpack/scheduling/terms.h"
#include "world.h"

#define NAMESPACE(name, labels)                                                                    \
    "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: " name ", labels: {" labels "}}\n"
static const struct {
    const char *name, *term;
    const char *ns, *labels; /* of the other pod; the owner is in shop with app=web, rev=1 */
    bool found;
} term_rows[] = {
    {"same namespace", "labelSelector: {matchLabels: {app: web}}", "shop", "app: web", true},
    {"other labels", "labelSelector: {matchLabels: {app: web}}", "shop", "app: db", false},
    {"other namespace", "labelSelector: {matchLabels: {app: web}}", "other", "app: web", false},
    {"namespace listed", "labelSelector: {matchLabels: {app: web}}, namespaces: [other]", "other",
     "app: web", true},
    {"own namespace not listed", "labelSelector: {matchLabels: {app: web}}, namespaces: [other]",
     "shop", "app: web", false},
    {"namespace selected", "labelSelector: {}, namespaceSelector: {matchLabels: {team: red}}",
     "other", "app: web", true},
    {"namespace not selected", "labelSelector: {}, namespaceSelector: {matchLabels: {team: red}}",
     "shop", "app: web", false},
    {"every namespace", "labelSelector: {}, namespaceSelector: {}", "unknown", "app: web", true},
    {"namespace by its name",
     "labelSelector: {}, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: unknown}}",
     "unknown", "app: web", true},
    {"listed or selected",
     "labelSelector: {}, namespaces: [shop], namespaceSelector: {matchLabels: {team: red}}", "shop",
     "app: web", true},
    {"no selector finds nobody", "namespaces: [shop]", "shop", "app: web", false},
    {"an empty selector finds everybody", "labelSelector: {}", "shop", "x: y", true},
    {"matchLabelKeys, same value",
     "labelSelector: {matchLabels: {app: web}}, matchLabelKeys: [rev]", "shop",
     "app: web, rev: '1'", true},
    {"matchLabelKeys, other value",
     "labelSelector: {matchLabels: {app: web}}, matchLabelKeys: [rev]", "shop",
     "app: web, rev: '2'", false},
    {"matchLabelKeys that the owner lacks",
     "labelSelector: {matchLabels: {app: web}}, matchLabelKeys: [zone]", "shop", "app: web", true},
    {"mismatchLabelKeys, same value",
     "labelSelector: {matchLabels: {app: web}}, mismatchLabelKeys: [rev]", "shop",
     "app: web, rev: '1'", false},
    {"mismatchLabelKeys, other value",
     "labelSelector: {matchLabels: {app: web}}, mismatchLabelKeys: [rev]", "shop",
     "app: web, rev: '2'", true},
    {"mismatchLabelKeys, no value",
     "labelSelector: {matchLabels: {app: web}}, mismatchLabelKeys: [rev]", "shop", "app: web",
     true},
};

static void test_terms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof term_rows / sizeof term_rows[0]; i++) {
        struct world w;
        char yaml[4096];
        (void)snprintf(
            yaml, sizeof yaml,
            "%s---\napiVersion: v1\nkind: Pod\nmetadata: {name: owner, namespace: shop, labels: "
            "{app: web, rev: "
            "'1'}}\nspec:\n  containers: [{name: c}]\n  affinity: {podAffinity: "
            "{requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, %s}]}}\n"
            "---\napiVersion: v1\nkind: Pod\nmetadata: {name: other, namespace: %s, labels: {%s}}\n"
            "spec: {containers: [{name: c}]}\n",
            NAMESPACE("shop", "team: blue") NAMESPACE("other", "team: red"), term_rows[i].term,
            term_rows[i].ns, term_rows[i].labels);
        world_open(&w, yaml);
        char other_name[64];
        (void)snprintf(other_name, sizeof other_name, "%s/other", term_rows[i].ns);
        const struct k8s_pod *owner = world_pod(&w, "shop/owner");
        const struct k8s_pod *other = world_pod(&w, other_name);
        const bool found =
            sched_term_matches(w.vocab, w.cluster, &owner->shape->affinity[0], owner->ns,
                               &owner->shape->labels, other->ns, &other->shape->labels);
        if (found != term_rows[i].found) {
            fail_msg("%s: %d", term_rows[i].name, found);
        }
        world_close(&w);
    }
}

/* ---- bundles ---- */

/* Up to four classes and two ties, as strings of class numbers. */
static const struct {
    const char *name;
    uint32_t n_pods[4], spared[4];
    const char *carriers[2], *targets[2];
    bool running;
    uint32_t room; /* pods that one node holds */
    const char *expected;
} bundle_rows[] = {
    {"follower and target", {3, 1}, {0}, {"0"}, {"1"}, false, 9, "1x(0:3 1:1)"},
    {"as many units as targets", {6, 3}, {0}, {"0"}, {"1"}, false, 9, "3x(0:2 1:1)"},
    {"more targets than followers", {2, 5}, {0}, {"0"}, {"1"}, false, 9, "2x(0:1 1:1)"},
    {"uneven shares", {5, 2}, {0}, {"0"}, {"1"}, false, 9, "1x(0:3 1:1) 1x(0:2 1:1)"},
    {"what does not fit stays", {5, 1}, {0}, {"0"}, {"1"}, false, 3, "1x(0:2 1:1)"},
    {"itself", {4}, {0}, {"0"}, {"0"}, false, 9, "1x(0:4)"},
    {"itself, too many", {4}, {0}, {"0"}, {"0"}, false, 3, "1x(0:3)"},
    {"itself, but a target runs", {4}, {0}, {"0"}, {"0"}, true, 9, ""},
    {"pods that join running targets need no unit",
     {4, 2},
     {3},
     {"0"},
     {"1"},
     true,
     9,
     "1x(0:1 1:1)"},
    {"a chain", {2, 2, 1}, {0}, {"0", "1"}, {"1", "2"}, false, 9, "1x(0:2 1:2 2:1)"},
    {"two targets of one follower",
     {2, 2, 2},
     {0},
     {"0", "0"},
     {"1", "2"},
     false,
     9,
     "2x(0:1 1:1 2:1)"},
    {"each other, and nobody to lead", {1, 1}, {0}, {"0", "1"}, {"1", "0"}, false, 9, ""},
    {"itself or a target: who does not fit starts",
     {2, 1},
     {0},
     {"0"},
     {"01"},
     false,
     2,
     "1x(0:1 1:1) 1x(0:1)"},
};

static bool has_room(void *ctx, uint32_t node_i, uint32_t n_items,
                     const struct sched_bundle_item *items)
{
    uint32_t n = 0;
    (void)node_i;
    for (uint32_t i = 0; i < n_items; i++) {
        n += items[i].count;
    }
    return n <= *(const uint32_t *)ctx;
}

static uint64_t set_of(const char *digits)
{
    uint64_t set = 0;
    for (; digits != NULL && *digits != '\0'; digits++) {
        set |= UINT64_C(1) << (*digits - '0');
    }
    return set;
}

static void test_bundles(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof bundle_rows / sizeof bundle_rows[0]; r++) {
        struct arena arena = ARENA_INIT;
        struct sched_class classes_v[4] = {0};
        uint32_t max_per_node[4] = {BP_UNLIMITED, BP_UNLIMITED, BP_UNLIMITED, BP_UNLIMITED};
        struct sched_classes classes = {.v = classes_v};
        while (classes.n < 4 && bundle_rows[r].n_pods[classes.n] > 0) {
            classes_v[classes.n].n_pods = bundle_rows[r].n_pods[classes.n];
            classes.n++;
        }
        const uint64_t sets[2][2] = {
            {set_of(bundle_rows[r].carriers[0]), set_of(bundle_rows[r].targets[0])},
            {set_of(bundle_rows[r].carriers[1]), set_of(bundle_rows[r].targets[1])}};
        const struct sched_tie ties[2] = {
            {.carriers = &sets[0][0], .targets = &sets[0][1], .running = bundle_rows[r].running},
            {.carriers = &sets[1][0], .targets = &sets[1][1]}};
        const struct sched_rules rules = {0};
        struct sched_rows rows = {.arena = &arena, .max_per_node = max_per_node};
        const uint64_t placeable = UINT64_MAX;
        uint64_t started = 0;
        uint32_t room = bundle_rows[r].room;
        sched_bundles_add(&classes, &rules, bundle_rows[r].carriers[1] == NULL ? 1 : 2, ties,
                          &placeable, bundle_rows[r].spared, STRID_EMPTY, has_room, &room, &rows,
                          &started);
        struct strbuf text = strbuf_new(&arena, 1024);
        for (size_t b = 0; b < rows.bundles.n; b++) {
            strbuf_addf(&text, "%s%ux(", b == 0 ? "" : " ", rows.bundles.v[b].n_units);
            for (uint32_t k = 0; k < rows.bundles.v[b].n_items; k++) {
                strbuf_addf(&text, "%s%u:%u", k == 0 ? "" : " ", rows.bundles.v[b].items[k].class_i,
                            rows.bundles.v[b].items[k].count);
            }
            strbuf_addc(&text, ')');
        }
        const struct str got = strbuf_str(&text);
        if (!str_eq(got, str_of(bundle_rows[r].expected))) {
            fail_msg("%s: \"" STR_FMT "\", expected \"%s\"", bundle_rows[r].name, STR_ARG(got),
                     bundle_rows[r].expected);
        }
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_bundles),
    };
    return cmocka_run_group_tests_name("terms and bundles", tests, NULL, NULL);
}

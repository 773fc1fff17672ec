/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom default spread constraints count: what Services and owners of a pod select. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "binpack/scheduling/terms.h"
#include "tests/unit/scheduling/world.h"

#define POD(labels, more_meta, spec)                                                               \
    "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: default, labels: {" labels     \
    "}" more_meta "}\nspec:\n  containers: [{name: c}]\n" spec
#define SERVICE(name, ns, selector)                                                                \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: " ns                \
    "}\nspec: {selector: {" selector "}}\n"
#define SET(selector)                                                                              \
    "---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s, namespace: default}\n"       \
    "spec: {replicas: 1, serviceName: s, selector: {matchLabels: {" selector                       \
    "}}, template: {metadata: {labels: {" selector "}}, spec: {containers: [{name: c}]}}}\n"
#define OWNED                                                                                      \
    ", ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: s, uid: u, "               \
    "controller: true}]"

static void test_default_spread(void **state)
{
    (void)state;
    static const struct {
        const char *name, *yaml;
        uint32_t n_constraints, n_labels;
    } rows[] = {
        {"nobody selects the pod", POD("app: a", "", ""), 0, 0},
        {"a Service", POD("app: a", "", "") SERVICE("x", "default", "app: a"), 1, 1},
        {"a Service of another pod", POD("app: a", "", "") SERVICE("x", "default", "app: b"), 0, 0},
        {"a Service of another namespace", POD("app: a", "", "") SERVICE("x", "other", "app: a"), 0,
         0},
        {"a Service without selector", POD("app: a", "", "") SERVICE("x", "default", ""), 0, 0},
        {"two Services ask together",
         POD("app: a, tier: t", "", "") SERVICE("x", "default", "app: a")
             SERVICE("y", "default", "tier: t"),
         1, 2},
        {"its StatefulSet", POD("app: a", OWNED, "") SET("app: a"), 1, 1},
        {"another's StatefulSet", POD("app: a", "", "") SET("app: a"), 0, 0},
        {"it says how to spread",
         POD("app: a", "",
             "  topologySpreadConstraints: [{maxSkew: 1, topologyKey: "
             "topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, labelSelector: "
             "{matchLabels: {app: a}}}]\n") SERVICE("x", "default", "app: a"),
         0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world world;
        world_open(&world, rows[i].yaml);
        const struct k8s_spread defaults = {.key = world_id(&world, "topology.kubernetes.io/zone"),
                                            .max_skew = 3,
                                            .schedule_anyway = true};
        const struct k8s_spread *spread;
        uint32_t n;
        sched_default_spread(world.cluster, world_pod(&world, "default/p"), 1, &defaults,
                             &world.arena, &spread, &n);
        if (n != rows[i].n_constraints ||
            (n > 0 && spread[0].selector.match_labels.n != rows[i].n_labels)) {
            fail_msg("%s: %u constraints", rows[i].name, n);
        }
        if (n > 0) {
            assert_int_equal(spread[0].max_skew, 3);
            assert_true(spread[0].schedule_anyway);
        }
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_default_spread)};
    return cmocka_run_group_tests_name("default spread", tests, NULL, NULL);
}

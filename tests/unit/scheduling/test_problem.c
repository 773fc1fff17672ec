/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Classes, masks, offerings and rows: what the solver gets to see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "planner.h"

#define BASE               CLASS("default", ABC) POOL("default", "", ON_DEMAND, "")
#define SELECT(key, value) "  nodeSelector: {" key ": " value "}\n"
#define ZONE               "topology.kubernetes.io/zone"
#define APART                                                                                      \
    "  affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "              \
    "[{topologyKey: kubernetes.io/hostname, "                                                      \
    "labelSelector: {matchLabels: {app: web}}}]}}\n"
#define PORT(name, ip, port)                                                                       \
    "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name                                       \
    ", namespace: default}\nspec: {containers: [{name: c, ports: "                                 \
    "[{containerPort: 80, hostPort: " port ", hostIP: \"" ip "\"}]}]}\n"

/* Pods that no rule can tell apart are one class; what a rule sees separates them. */
static void test_classes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *yaml;
        uint32_t n_classes;
    } rows[] = {
        {"labels nobody looks at", PENDING("p", "app: a", "1", "") PENDING("q", "app: b", "1", ""),
         1},
        {"a selector looks at them",
         PENDING("p", "app: web", "1", APART) PENDING("q", "app: b", "1", "")
             PENDING("r", "app: web", "1", ""),
         3},
        {"requests", PENDING("p", "", "1", "") PENDING("q", "", "2", ""), 2},
        {"equal requests, written differently",
         PENDING("p", "", "1", "") PENDING("q", "", "1000m", ""), 1},
        {"zone", PENDING("p", "", "1", SELECT(ZONE, "a")) PENDING("q", "", "1", SELECT(ZONE, "b")),
         2},
        {"every zone there is",
         PENDING("p", "", "1", "") PENDING("q", "", "1",
                                           "  affinity: {nodeAffinity: "
                                           "{requiredDuringSchedulingIgnoredDuringExecution: "
                                           "{nodeSelectorTerms: [{matchExpressions: [{key: " ZONE
                                           ", operator: In, values: [a, b, c, d]}]}]}}}\n"),
         1},
        {"a toleration without a taint",
         PENDING("p", "", "1", "") PENDING("q", "", "1", "  tolerations: [{operator: Exists}]\n"),
         1},
        {"priority", PENDING("p", "", "1", "  priority: 5\n") PENDING("q", "", "1", ""), 2},
    };
    struct sched_settings settings = PLANNER_SETTINGS;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char yaml[8192];
        struct planner p;
        (void)snprintf(yaml, sizeof yaml, "%s%s", BASE, rows[i].yaml);
        planner_open(&p, yaml, &settings);
        if (p.problem->classes.n != rows[i].n_classes) {
            fail_msg("%s: %u classes, expected %u", rows[i].name, p.problem->classes.n,
                     rows[i].n_classes);
        }
        planner_close(&p);
    }
}

/* Offerings that the class of pod p may use, counted by hand. */
static uint32_t n_allowed(const struct planner *p, const char *pod)
{
    const struct bp_problem *bp = &p->problem->bp;
    uint32_t class_i = planner_class(p, pod), n = 0;
    for (uint32_t u = 0; u < bp->n_classes; u++) {
        for (uint32_t k = 0;
             p->problem->units[u].items[0].class_i == class_i && k < bp->n_offerings; k++) {
            n += bits_get(bp->mask + u * bits_words(bp->n_domains), bp->offerings[k].domain);
        }
    }
    return n;
}

static void test_masks(void **state)
{
    (void)state;
    static const struct {
        const char *name, *spec;
        uint32_t n; /* of 4 types x 3 zones on demand and 3 x 3 - 1 spot */
    } rows[] = {
        {"anything", "", 12 + 8},
        {"one zone", SELECT(ZONE, "c"), 4 + 2},
        {"zone by id", SELECT("topology.k8s.aws/zone-id", "z1"), 4 + 3},
        {"zone by its old name", SELECT("failure-domain.beta.kubernetes.io/zone", "a"), 4 + 3},
        {"spot", SELECT("karpenter.sh/capacity-type", "spot"), 8},
        {"one type", SELECT("node.kubernetes.io/instance-type", "x1.small"), 3 + 2},
        {"family by NotIn",
         "  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
         "{nodeSelectorTerms: "
         "[{matchExpressions: [{key: karpenter.k8s.aws/instance-family, operator: NotIn, values: "
         "[x1]}]}]}}}\n",
         3},
        {"more than 4 cpu",
         "  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
         "{nodeSelectorTerms: "
         "[{matchExpressions: [{key: karpenter.k8s.aws/instance-cpu, operator: Gt, values: "
         "[\"4\"]}]}]}}}\n",
         6 + 3},
        {"two terms",
         "  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
         "{nodeSelectorTerms: "
         "[{matchExpressions: [{key: " ZONE
         ", operator: In, values: [a]}, {key: karpenter.sh/capacity-type, operator: In, "
         "values: [spot]}]}, {matchExpressions: [{key: karpenter.k8s.aws/instance-family, "
         "operator: In, values: [g1]}]}]}}}\n",
         3 + 3},
        {"a label nobody has, by DoesNotExist",
         "  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
         "{nodeSelectorTerms: [{matchExpressions: [{key: example.com/x, operator: "
         "DoesNotExist}]}]}}}\n",
         12 + 8},
    };
    struct sched_settings settings = PLANNER_SETTINGS;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char yaml[8192];
        struct planner p;
        (void)snprintf(yaml, sizeof yaml, "%s" PENDING("p", "", "100m", "%s"),
                       CLASS("default", ABC) POOL("default", "", "", ""), rows[i].spec);
        planner_open(&p, yaml, &settings);
        if (n_allowed(&p, "default/p") != rows[i].n) {
            fail_msg("%s: %u offerings, expected %u", rows[i].name, n_allowed(&p, "default/p"),
                     rows[i].n);
        }
        planner_close(&p);
    }
}

/* A class uses the heaviest pools that can hold it, and no others. */
static void test_tiers(void **state)
{
    (void)state;
    struct planner p;
    struct sched_settings settings = PLANNER_SETTINGS;
    planner_open(&p,
                 CLASS("default", ABC)
                     POOL("heavy", "  weight: 9\n",
                          "      requirements: [{key: karpenter.k8s.aws/instance-family, "
                          "operator: In, values: [x1]}]\n",
                          "") POOL("light", "", "", "") PENDING("any", "", "1", "")
                         PENDING("gpu", "", "1", SELECT("karpenter.k8s.aws/instance-family", "g1")),
                 &settings);
    assert_int_equal(n_allowed(&p, "default/any"), 9 + 8);
    assert_int_equal(n_allowed(&p, "default/gpu"), 3);
    planner_close(&p);
}

static void test_ports(void **state)
{
    (void)state;
    static const struct {
        const char *name, *yaml;
        uint32_t n_caps, n_classes;
    } rows[] = {
        {"one port", PORT("p", "", "80") PORT("q", "", "80"), 0, 1},
        {"two ports", PORT("p", "", "80") PORT("q", "", "81"), 0, 2},
        {"open and named address", PORT("p", "", "80") PORT("q", "10.0.0.1", "80"), 1, 2},
        {"two named addresses", PORT("p", "10.0.0.2", "80") PORT("q", "10.0.0.1", "80"), 0, 2},
        {"two named and an open one",
         PORT("p", "10.0.0.2", "80") PORT("q", "10.0.0.1", "80") PORT("r", "", "80"), 2, 3},
    };
    struct sched_settings settings = PLANNER_SETTINGS;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char yaml[8192];
        struct planner p;
        (void)snprintf(yaml, sizeof yaml, "%s%s", BASE, rows[i].yaml);
        planner_open(&p, yaml, &settings);
        if (p.problem->bp.n_caps < rows[i].n_caps || p.problem->bp.n_classes != rows[i].n_classes) {
            fail_msg("%s: %u caps, %u classes", rows[i].name, p.problem->bp.n_caps,
                     p.problem->bp.n_classes);
        }
        for (uint32_t u = 0; u < p.problem->bp.n_classes; u++) {
            assert_int_equal(p.problem->bp.classes[u].max_per_node, 1);
        }
        for (uint32_t c = 0; c < p.problem->bp.n_caps; c++) {
            assert_int_equal(p.problem->bp.caps[c].max, 1);
            assert_true(p.problem->bp.caps[c].necessary);
            assert_int_equal(bits_count(p.problem->bp.caps[c].members, 1), 2);
        }
        planner_close(&p);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct planner p;
    struct sched_settings settings = PLANNER_SETTINGS;
    settings.reserved_capacity = true;
    planner_open(&p,
                 CLASS("default", ABC) POOL("default", "  limits: {cpu: 8, nodes: 5}\n", "", "")
                     NODE("n1", "a", ", karpenter.sh/nodepool: default", "2")
                         PENDING("p", "", "1", ""),
                 &settings);
    const struct bp_problem *bp = &p.problem->bp;
    assert_int_equal(bp->n_limits, 2);
    for (uint32_t r = 0; r < bp->n_limits; r++) {
        assert_true(bp->limits[r].max == 6000 || bp->limits[r].max == 4);
        assert_int_equal(bp->limits[r].use[0], 0); /* the running node is counted already */
    }
    bool reserved = false;
    for (uint32_t k = 0; k < bp->n_offerings; k++) {
        const struct sched_problem_offering *ref = &p.problem->offerings[k];
        if (ref->node_i != SCHED_NONE) {
            assert_true(bp->offerings[k].running && bp->offerings[k].stock == 1 &&
                        bp->offerings[k].price == 0);
            continue;
        }
        const struct sched_offer *offer = &p.base->offers->v[ref->offer_i];
        assert_int_not_equal(p.catalog->types[offer->type_i].vcpu,
                             8); /* more than the limit leaves */
        if (offer->capacity_type == CAT_RESERVED) {
            reserved = true;
            assert_int_equal(bp->offerings[k].stock, 2);
        }
    }
    assert_true(reserved);
    planner_close(&p);
}

static void test_variants(void **state)
{
    (void)state;
    static const struct {
        const char *name, *requirement, *spec;
        uint32_t n;
    } rows[] = {
        {"nobody looks", "{key: ring, operator: In, values: [x, y, z]}", "", 1},
        {"one value is wanted", "{key: ring, operator: In, values: [x, y, z]}", SELECT("ring", "x"),
         2},
        {"a value it does not have", "{key: ring, operator: In, values: [x, y, z]}",
         SELECT("ring", "q"), 1},
        {"any value at all", "{key: ring, operator: Exists}", SELECT("ring", "q"), 2},
        {"a number", "{key: ring, operator: Gt, values: [\"5\"]}", SELECT("ring", "\"7\""), 2},
        {"a number too small", "{key: ring, operator: Gt, values: [\"5\"]}",
         SELECT("ring", "\"5\""), 1},
        {"contradiction",
         "{key: ring, operator: In, values: [x]}, {key: ring, operator: NotIn, values: [x]}", "",
         0},
        {"never there", "{key: ring, operator: DoesNotExist}", SELECT("ring", "x"), 1},
    };
    struct sched_settings settings = PLANNER_SETTINGS;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char yaml[8192];
        struct planner p;
        (void)snprintf(yaml, sizeof yaml,
                       "%s" POOL("default", "", "      requirements: [%s]\n", "")
                           PENDING("p", "", "1", "%s"),
                       CLASS("default", ABC), rows[i].requirement, rows[i].spec);
        planner_open(&p, yaml, &settings);
        if (p.base->offers->variants.n != rows[i].n) {
            fail_msg("%s: %u variants, expected %u", rows[i].name, p.base->offers->variants.n,
                     rows[i].n);
        }
        planner_close(&p);
    }
}

/* Preferences that leave a pod no place even alone are dropped before anything is solved. */
static void test_descent(void **state)
{
    (void)state;
    struct planner p;
    struct sched_settings settings = PLANNER_SETTINGS;
    planner_open(
        &p,
        BASE PENDING("keeps", "", "1",
                     "  affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: "
                     "[{weight: 1, preference: {matchExpressions: [{key: " ZONE
                     ", operator: In, values: [b]}]}}]}}\n")
            PENDING("drops", "", "1",
                    "  affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: "
                    "[{weight: 1, preference: {matchExpressions: [{key: " ZONE
                    ", operator: In, values: [q]}]}}]}}\n")
                PENDING("hopeless", "", "1", SELECT(ZONE, "q")),
        &settings);
    for (uint32_t i = 0; i < p.snapshot->n_pending; i++) {
        struct str name = p.snapshot->cluster->pods[p.snapshot->pending[i]].name;
        uint32_t expected = str_eq(name, STR("keeps"))   ? 0
                            : str_eq(name, STR("drops")) ? 1
                                                         : SCHED_RUNG_OUT;
        assert_int_equal(p.descent.rung[i], expected);
    }
    assert_int_equal(n_allowed(&p, "default/keeps"), 4);
    assert_int_equal(n_allowed(&p, "default/drops"), 12);
    planner_close(&p);
}

static void test_too_many_resources(void **state)
{
    (void)state;
    char yaml[8192];
    size_t n = (size_t)snprintf(
        yaml, sizeof yaml,
        "%s---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: default}\n"
        "spec: {containers: [{name: c, resources: {requests: {",
        BASE);
    for (int i = 0; i < 30; i++) {
        n += (size_t)snprintf(yaml + n, sizeof yaml - n, "%sexample.com/r%d: 1", i == 0 ? "" : ", ",
                              i);
    }
    (void)snprintf(yaml + n, sizeof yaml - n, "}}}]}\n");
    struct planner p;
    struct err err = {0};
    struct sched_settings settings = PLANNER_SETTINGS;
    planner_read(&p, yaml);
    assert_true(sched_snapshot_new(p.world.cluster, p.catalog, &settings, NULL, &p.world.arena,
                                   &p.snapshot, &err));
    assert_false(sched_base_new(p.snapshot, &p.world.arena, &p.base, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    planner_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes), cmocka_unit_test(test_masks),
        cmocka_unit_test(test_tiers),   cmocka_unit_test(test_ports),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_variants),
        cmocka_unit_test(test_descent), cmocka_unit_test(test_too_many_resources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

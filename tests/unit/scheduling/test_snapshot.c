/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cluster as the planner sees it: states of pods, effective nodes, free room, pools and their
 * limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "planner.h"

#define BASE CLASS("default", ABC) POOL("default", "", ON_DEMAND, "")
#define CLAIM(name, provider, rest)                                                                \
    "---\napiVersion: karpenter.sh/v1\nkind: NodeClaim\nmetadata: {name: " name                    \
    ", labels: {karpenter.sh/nodepool: default, "                                                  \
    "topology.kubernetes.io/zone: c, node.kubernetes.io/instance-type: x1.large, "                 \
    "karpenter.sh/capacity-type: spot}" rest                                                       \
    "}\nspec:\n  nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}\n  "  \
    "taints: [{key: own, effect: "                                                                 \
    "NoSchedule}]\n  startupTaints: [{key: agent, effect: NoSchedule}]\nstatus: "                  \
    "{providerID: " provider ", allocatable: {cpu: 8, memory: 16Gi, pods: 20}, capacity: {cpu: "   \
    "8, memory: 16Gi, pods: 20}}\n"
#define JOINING(name, provider, labels, taints, cpu)                                               \
    "---\napiVersion: v1\nkind: Node\nmetadata: {name: " name ", labels: {a: b" labels             \
    "}}\nspec: {providerID: " provider ", taints: [" taints "]}\nstatus: {allocatable: {cpu: " cpu \
    ", memory: 16Gi, pods: 20}}\n"

static void test_pod_states(void **state)
{
    (void)state;
    struct planner p;
    struct sched_settings settings = PLANNER_SETTINGS;
    static const struct {
        const char *pod;
        enum sched_pod_state state;
    } rows[] = {
        {"default/waits", SCHED_POD_PENDING},        {"default/runs", SCHED_POD_BOUND},
        {"default/comes-back", SCHED_POD_PENDING},   {"default/protected", SCHED_POD_IGNORED},
        {"default/unknown-node", SCHED_POD_IGNORED}, {"default/no-claim", SCHED_POD_BLOCKED},
        {"default/finished", SCHED_POD_IGNORED},
    };
    planner_open(
        &p,
        BASE NODE(
            "n1", "a", "",
            "4") "---\napiVersion: v1\nkind: Node\nmetadata: {name: going, deletionTimestamp: "
                 "\"2026-01-01T00:00:00Z\"}\nstatus: {allocatable: {cpu: 4, memory: 4Gi, pods: "
                 "9}}\n" PENDING("waits", "", "1", "") BOUND("runs", "", "n1", "1", "")
                     BOUND("comes-back", "", "going", "1", "")
                         BOUND("protected", "app: keep", "going", "1", "")
                             BOUND("unknown-node", "", "n9", "1", "")
                                 PENDING("no-claim", "", "1",
                                         "  volumes: [{name: v, persistentVolumeClaim: {claimName: "
                                         "data}}]\n") "---\napiVersion: v1\nkind: Pod\nmetadata: "
                                                      "{name: finished, namespace: default}\nspec: "
                                                      "{nodeName: n1, containers: "
                                                      "[{name: c}]}\nstatus: {phase: Succeeded}\n"
                                                      "---\napiVersion: policy/v1\nkind: "
                                                      "PodDisruptionBudget\nmetadata: {name: keep, "
                                                      "namespace: default}\nspec: "
                                                      "{maxUnavailable: 0, selector: {matchLabels: "
                                                      "{app: keep}}}\n",
        &settings);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t pod = (uint32_t)(world_pod(&p.world, rows[i].pod) - p.world.cluster->pods);
        if (p.snapshot->pods[pod].state != rows[i].state) {
            fail_msg("%s: state %d", rows[i].pod, (int)p.snapshot->pods[pod].state);
        }
    }
    assert_int_equal(p.snapshot->n_pending, 2);
    assert_int_equal(p.snapshot->n_nodes, 1); /* the one that goes away is no place */
    planner_close(&p);
}

static void test_repack(void **state)
{
    (void)state;
    struct planner p;
    struct sched_settings settings = PLANNER_SETTINGS;
    settings.repack = true;
    planner_open(&p,
                 BASE NODE("n1", "a", "", "4") BOUND("runs", "", "n1", "1", "")
                     PENDING("waits", "", "1", ""),
                 &settings);
    assert_int_equal(p.snapshot->n_nodes, 0);
    assert_int_equal(p.snapshot->n_pending, 2);
    planner_close(&p);
}

static void test_room(void **state)
{
    (void)state;
    struct planner p;
    struct sched_settings settings = PLANNER_SETTINGS;
    planner_open(&p,
                 BASE NODE("n1", "a", "", "4")
                     BOUND("old", "", "n1", "1500m",
                           "") "---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d, "
                               "namespace: default}\nspec: {selector: {matchLabels: "
                               "{d: d}}, template: {metadata: {labels: {d: d}}, spec: {containers: "
                               "[{name: c, resources: {requests: {cpu: "
                               "250m}}}]}}}\n" PENDING("waits", "", "1", ""),
                 &settings);
    const struct sched_node *node = planner_node(&p, "n1");
    assert_int_equal(k8s_resources_get(&node->free, p.snapshot->words->cpu), 4000 - 1500 - 250);
    assert_int_equal(k8s_resources_get(&node->free, p.snapshot->words->pods), 20 - 2);
    assert_int_equal(node->n_pods, 1);
    planner_close(&p);
}

/* Nodes that are coming up: labels and figures of the claim until registered, startup and ephemeral
 * taints do not count. */
static void test_joining(void **state)
{
    (void)state;
    struct planner p;
    struct sched_settings settings = PLANNER_SETTINGS;
    planner_open(
        &p,
        BASE CLAIM("c1", "p1", "")
            JOINING("n1", "p1", "",
                    "{key: karpenter.sh/unregistered, effect: NoExecute}, {key: "
                    "agent, effect: NoSchedule}",
                    "0") CLAIM("c2", "p2", "") CLAIM("c3", "p3", "")
                JOINING("n3", "p3",
                        ", karpenter.sh/registered: \"true\", karpenter.sh/initialized: \"true\"",
                        "{key: agent, effect: NoSchedule}", "0"),
        &settings);
    const struct sched_node *joining = planner_node(&p, "n1"), *flying = planner_node(&p, "c2"),
                            *up = planner_node(&p, "n3");
    assert_int_equal(p.snapshot->n_nodes, 3);
    assert_false(joining->initialized);
    assert_int_equal(k8s_pairs_get(&joining->labels, p.snapshot->words->zone),
                     world_id(&p.world, "c"));
    assert_int_equal(k8s_resources_get(&joining->free, p.snapshot->words->cpu), 8000);
    assert_int_equal(joining->n_taints, 1); /* of the claim's spec, until it is registered */
    assert_int_equal(joining->taints[0].key, world_id(&p.world, "own"));
    assert_null(flying->node);
    assert_int_equal(k8s_resources_get(&flying->free, p.snapshot->words->cpu), 8000);
    assert_true(up->initialized);
    assert_int_equal(k8s_resources_get(&up->free, p.snapshot->words->cpu),
                     0); /* zero means zero now */
    assert_int_equal(up->n_taints, 1);
    assert_int_equal(up->taints[0].key, world_id(&p.world, "agent"));
    planner_close(&p);
}

static void test_pools(void **state)
{
    (void)state;
    struct planner p;
    struct sched_settings settings = PLANNER_SETTINGS;
    planner_open(
        &p,
        CLASS("default", ABC) POOL("z-light", "", ON_DEMAND, "") POOL("a-light", "", ON_DEMAND, "")
            POOL("heavy", "  weight: 7\n  limits: {cpu: 10, nodes: 3}\n", ON_DEMAND, "")
                POOL("static", "  replicas: 2\n", ON_DEMAND, "")
                    NODE("n1", "a", ", karpenter.sh/nodepool: heavy", "4")
                        NODE("n2", "a", ", karpenter.sh/nodepool: heavy", "8"),
        &settings);
    assert_int_equal(p.snapshot->n_pools, 4);
    assert_true(str_eq(p.snapshot->pools[0].pool->meta.name, STR("heavy")));
    assert_true(str_eq(p.snapshot->pools[1].pool->meta.name, STR("a-light")));
    assert_int_equal(p.snapshot->pools[0].tier, 0);
    assert_int_equal(planner_pool(&p, "z-light")->tier, 1);
    assert_string_equal(planner_pool(&p, "static")->code, "POOL_STATIC");
    assert_null(planner_pool(&p, "a-light")->code);
    const struct k8s_resources *left = &planner_pool(&p, "heavy")->limits_left;
    assert_int_equal(k8s_resources_get(left, p.snapshot->words->cpu), 0); /* exceeded already */
    assert_int_equal(k8s_resources_get(left, p.snapshot->words->nodes), 1);
    assert_false(planner_pool(&p, "heavy")->exhausted); /* its limit is not 0 */
    planner_close(&p);
}

/* Pods by namespace and name, whatever their number and order. */
static void test_sort(void **state)
{
    (void)state;
    enum { N = 3000 };
    static struct k8s_pod pods[N];
    static char names[N][64];
    struct arena arena = ARENA_INIT;
    struct strtab *tab = strtab_new(&arena);
    strid spaces[3] = {strtab_add(tab, STR("zoo")), strtab_add(tab, STR("bar")),
                       strtab_add(tab, STR("a"))};
    uint32_t order[N];
    for (uint32_t i = 0; i < N; i++) {
        (void)snprintf(names[i], sizeof names[i], "a-rather-long-workload-name-%u-%0*u", i % 7,
                       (int)(i % 5), (i * 7919) % N);
        pods[i] = (struct k8s_pod){.name = str_of(names[i]), .ns = spaces[i % 3]};
        order[i] = i;
    }
    struct k8s_cluster cluster = {.tab = tab, .n_pods = N, .pods = pods};
    sched_pods_sort(&cluster, &arena, order, N);
    for (uint32_t i = 1; i < N; i++) {
        const struct k8s_pod *a = &pods[order[i - 1]], *b = &pods[order[i]];
        int by_ns = strtab_cmp(tab, a->ns, b->ns);
        if (by_ns > 0 || (by_ns == 0 && str_cmp(a->name, b->name) > 0)) {
            fail_msg(STR_FMT " before " STR_FMT, STR_ARG(a->name), STR_ARG(b->name));
        }
    }
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pod_states), cmocka_unit_test(test_repack),
        cmocka_unit_test(test_room),       cmocka_unit_test(test_joining),
        cmocka_unit_test(test_pools),      cmocka_unit_test(test_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

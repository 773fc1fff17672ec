/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DaemonSets: where they run and what they take; capacity buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "binpack/scheduling/buffers.h"
#include "binpack/scheduling/daemons.h"
#include "binpack/scheduling/resources.h"
#include "world.h"

#define DAEMON(name, spec)                                                                         \
    "---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: " name                            \
    ", namespace: kube-system}\nspec:\n  selector: {matchLabels: {d: " name                        \
    "}}\n  template:\n    metadata: {labels: {d: " name "}}\n    spec:\n" spec
#define CPU(amount) "      containers: [{name: c, resources: {requests: {cpu: " amount "}}}]\n"
#define POD(name, of, created, cpu, rest)                                                          \
    "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: " name                                     \
    "\n  namespace: kube-system\n  creationTimestamp: " created                                    \
    "\n  ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: " of                       \
    ", uid: u, controller: true}]\nspec:\n  nodeName: n1\n  containers: [{name: c, resources: "    \
    "{requests: {cpu: " cpu "}}}]\n" rest

static const char objects[] = DAEMON("everywhere", CPU("100m"))
    DAEMON("gpu", "      nodeSelector: {gpu: \"true\"}\n" CPU("200m"))
        DAEMON("tolerant", "      tolerations: [{operator: Exists}]\n" CPU("300m")) DAEMON(
            "limits", "      containers: [{name: c, resources: {limits: {cpu: 400m}}, ports: "
                      "[{containerPort: 1, hostPort: 9100}]}]\n") DAEMON("real", CPU("5"))
            DAEMON("either", "      affinity: {nodeAffinity: "
                             "{requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
                             "[{matchExpressions: [{key: gpu, operator: Exists}]}, "
                             "{matchExpressions: [{key: ssd, operator: Exists}]}]}}}\n" CPU("1"))
                POD("real-old", "real", "2026-01-01T00:00:00Z", "7", "")
                    POD("real-new", "real", "2026-02-01T00:00:00Z", "600m", "");

static const struct sched_daemon *find(const struct sched_daemons *daemons, const char *name)
{
    for (uint32_t i = 0; i < daemons->n; i++) {
        if (str_eq(daemons->v[i].workload->meta.name, str_of(name))) {
            return &daemons->v[i];
        }
    }
    fail_msg("no DaemonSet %s", name);
    return NULL;
}

static void test_requests(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t cpu_milli;
        uint32_t n_ports;
    } rows[] = {{"everywhere", 100, 0}, {"limits", 400, 1}, {"real", 600, 0}};
    struct world w;
    world_open(&w, objects);
    const struct sched_daemons daemons = sched_daemons_new(&w.arena, w.vocab, w.cluster);
    assert_int_equal(daemons.n, 6);
    for (uint32_t i = 1; i < daemons.n; i++) {
        assert_true(
            str_cmp(daemons.v[i - 1].workload->meta.name, daemons.v[i].workload->meta.name) < 0);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct sched_daemon *daemon = find(&daemons, rows[i].name);
        assert_non_null(daemon);
        if (daemon == NULL) {
            continue; /* for the compiler: assert_non_null has failed the test */
        }
        assert_int_equal(k8s_resources_get(&daemon->requests, w.cluster->words.cpu),
                         rows[i].cpu_milli);
        assert_int_equal(k8s_resources_get(&daemon->requests, w.cluster->words.pods), 1);
        assert_int_equal(daemon->n_host_ports, rows[i].n_ports);
    }
    world_close(&w);
}

static void test_runs(void **state)
{
    (void)state;
    static const struct {
        const char *name, *label, *taint;
        enum k8s_effect effect;
        bool runs;
    } rows[] = {
        {"everywhere", NULL, NULL, K8S_NO_SCHEDULE, true},
        {"everywhere", NULL, "team", K8S_NO_SCHEDULE, false},
        {"everywhere", NULL, "team", K8S_PREFER_NO_SCHEDULE, true},
        {"everywhere", NULL, "node.kubernetes.io/disk-pressure", K8S_NO_SCHEDULE, true},
        {"everywhere", NULL, "node.kubernetes.io/unschedulable", K8S_NO_SCHEDULE, true},
        {"everywhere", NULL, "node.kubernetes.io/not-ready", K8S_NO_EXECUTE, true},
        {"everywhere", NULL, "node.kubernetes.io/not-ready", K8S_NO_SCHEDULE, false},
        {"tolerant", NULL, "team", K8S_NO_EXECUTE, true},
        {"gpu", NULL, NULL, K8S_NO_SCHEDULE, false},
        {"gpu", "gpu", NULL, K8S_NO_SCHEDULE, true},
        {"either", "ssd", NULL, K8S_NO_SCHEDULE, true},
        {"either", "hdd", NULL, K8S_NO_SCHEDULE, false},
    };
    struct world w;
    world_open(&w, objects);
    const struct sched_daemons daemons = sched_daemons_new(&w.arena, w.vocab, w.cluster);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct k8s_pair label = {
            .key = world_id(&w, rows[i].label == NULL ? "none" : rows[i].label),
            .value = world_id(&w, "true")};
        const struct k8s_pairs labels = {.n = 1, .v = &label};
        const struct k8s_taint taint = {
            .key = world_id(&w, rows[i].taint == NULL ? "none" : rows[i].taint),
            .effect = rows[i].effect};
        const bool runs = sched_daemon_runs(w.vocab, find(&daemons, rows[i].name), &labels,
                                            STR("n1"), rows[i].taint == NULL ? 0 : 1, &taint);
        if (runs != rows[i].runs) {
            fail_msg("row %zu, %s: %d", i, rows[i].name, runs);
        }
    }
    world_close(&w);
}

static void test_to_come(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, objects);
    const struct sched_daemons daemons = sched_daemons_new(&w.arena, w.vocab, w.cluster);
    const struct k8s_pairs labels = {0};
    const struct k8s_pod *bound[] = {world_pod(&w, "kube-system/real-new"),
                                     world_pod(&w, "kube-system/real-old")};
    const struct {
        uint32_t n_bound;
        int64_t cpu_milli, pods;
    } rows[] = {
        {0, 100 + 300 + 400 + 600, 4},
        {1, 100 + 300 + 400, 3},
        {2, 0, 2}, /* a large unexpected daemon pod hides the rest, but never goes below zero */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct k8s_resources rest =
            sched_daemons_to_come(w.vocab, &w.arena, w.cluster, &daemons, &labels, STR("n1"), 0,
                                  NULL, rows[i].n_bound, bound);
        assert_int_equal(k8s_resources_get(&rest, w.cluster->words.cpu), rows[i].cpu_milli);
        assert_int_equal(k8s_resources_get(&rest, w.cluster->words.pods), rows[i].pods);
    }
    world_close(&w);
}

/* ---- capacity buffers ---- */

static void test_buffers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *spec;
        int n; /* -1: broken */
    } rows[] = {
        {"replicas of a template", "podTemplateRef: {name: t}, replicas: 3", 3},
        {"none", "podTemplateRef: {name: t}, replicas: 0", 0},
        {"unknown template", "podTemplateRef: {name: nope}, replicas: 3", -1},
        {"share of a workload, rounded up",
         "scalableRef: {apiGroup: apps, kind: Deployment, name: web}, percentage: 25", 3},
        {"a small share is one",
         "scalableRef: {apiGroup: apps, kind: Deployment, name: web}, percentage: 1", 1},
        {"the larger of both",
         "scalableRef: {apiGroup: apps, kind: Deployment, name: web}, percentage: 25, replicas: 5",
         5},
        {"unknown workload",
         "scalableRef: {apiGroup: apps, kind: Deployment, name: nope}, percentage: 25", -1},
        {"other kind of that name",
         "scalableRef: {apiGroup: apps, kind: StatefulSet, name: web}, percentage: 25", -1},
        {"cut by limits", "podTemplateRef: {name: t}, replicas: 9, limits: {cpu: 5}", 2},
        {"limits alone", "podTemplateRef: {name: t}, limits: {cpu: 9, memory: 1Ti}", 4},
        {"limits that do not bind",
         "podTemplateRef: {name: t}, replicas: 2, limits: {nvidia.com/gpu: 0}", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w;
        char yaml[4096];
        (void)snprintf(yaml, sizeof yaml,
                       "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: t, namespace: "
                       "shop}\ntemplate: {metadata: {labels: {a: "
                       "b}}, spec: {priority: 7, containers: [{name: c, resources: {requests: "
                       "{cpu: 2}}}], volumes: [{name: v, "
                       "persistentVolumeClaim: {claimName: x}}]}}\n"
                       "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, "
                       "namespace: shop}\nspec:\n"
                       "  replicas: 10\n  selector: {matchLabels: {a: b}}\n  template: {metadata: "
                       "{labels: {a: b}}, spec: "
                       "{containers: [{name: c}]}}\n"
                       "---\napiVersion: autoscaling.x-k8s.io/v1beta1\nkind: CapacityBuffer\n"
                       "metadata: {name: b, namespace: shop, uid: u}\nspec: {%s}\n",
                       rows[i].spec);
        world_open(&w, yaml);
        assert_int_equal(w.cluster->n_buffers, 1);
        const struct sched_buffer_pods got = sched_buffers_of(&w.arena, w.cluster);
        if (got.n_broken != (rows[i].n < 0 ? 1U : 0U) ||
            got.n != (uint32_t)(rows[i].n < 0 ? 0 : rows[i].n)) {
            fail_msg("%s: %u pods, %u broken", rows[i].name, got.n, got.n_broken);
        }
        const struct k8s_cluster *with = sched_cluster_with_buffers(&w.arena, w.cluster, &got);
        assert_int_equal(with->n_pods, w.cluster->n_pods + got.n);
        for (uint32_t p = 0; p < got.n; p++) {
            const struct k8s_pod *pod = &with->pods[w.cluster->n_pods + p];
            char name[64];
            (void)snprintf(name, sizeof name, "capacity-buffer-b-%u", p);
            assert_true(str_eq(pod->name, str_of(name)));
            assert_int_equal(pod->shape->n_volumes, 0);
            assert_int_equal(pod->shape->priority.v, INT32_MIN);
            assert_int_equal(pod->shape->labels.n, 1);
            assert_false(pod->has_status);
        }
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_to_come),
        cmocka_unit_test(test_buffers),
    };
    return cmocka_run_group_tests_name("daemons and buffers", tests, NULL, NULL);
}

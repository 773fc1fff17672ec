/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Effective requests of pods: rows of pod specs and what kube-scheduler counts for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "binpack/scheduling/resources.h"
#include "world.h"

static const char pod_head[] =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec:\n";

struct row {
    const char *name, *spec;
    int64_t cpu_milli, memory_mib;
    const char *other;
    int64_t other_value;
};

static const struct row rows[] = {
    {"one container",
     "  containers: [{name: a, resources: {requests: {cpu: 500m, memory: 1Gi}}}]\n", 500, 1024,
     NULL, 0},
    {"sum of containers",
     "  containers:\n  - {name: a, resources: {requests: {cpu: 500m, memory: 1Gi}}}\n"
     "  - {name: b, resources: {requests: {cpu: 1, memory: 256Mi}}}\n",
     1500, 1280, NULL, 0},
    {"nothing asked", "  containers: [{name: a}]\n", 0, 0, NULL, 0},
    {"limits stand in", "  containers: [{name: a, resources: {limits: {cpu: 2, memory: 1Gi}}}]\n",
     2000, 1024, NULL, 0},
    {"limits stand in per resource",
     "  containers: [{name: a, resources: {requests: {cpu: 1}, limits: {cpu: 2, memory: 1Gi}}}]\n",
     1000, 1024, NULL, 0},
    {"a smaller init container does not count",
     "  initContainers: [{name: i, resources: {requests: {cpu: 200m, memory: 1Gi}}}]\n"
     "  containers: [{name: a, resources: {requests: {cpu: 500m, memory: 2Gi}}}]\n",
     500, 2048, NULL, 0},
    {"a larger init container counts, per resource",
     "  initContainers: [{name: i, resources: {requests: {cpu: 2, memory: 1Gi}}}]\n"
     "  containers: [{name: a, resources: {requests: {cpu: 500m, memory: 2Gi}}}]\n",
     2000, 2048, NULL, 0},
    {"init containers run one after the other",
     "  initContainers:\n  - {name: i, resources: {requests: {cpu: 2}}}\n  - {name: j, resources: "
     "{requests: {cpu: 3}}}\n"
     "  containers: [{name: a, resources: {requests: {cpu: 1}}}]\n",
     3000, 0, NULL, 0},
    {"a sidecar runs beside the containers",
     "  initContainers: [{name: s, restartPolicy: Always, resources: {requests: {cpu: 1}}}]\n"
     "  containers: [{name: a, resources: {requests: {cpu: 2}}}]\n",
     3000, 0, NULL, 0},
    {"an init container after a sidecar needs both",
     "  initContainers:\n  - {name: s, restartPolicy: Always, resources: {requests: {cpu: 1}}}\n"
     "  - {name: i, resources: {requests: {cpu: 5}}}\n"
     "  containers: [{name: a, resources: {requests: {cpu: 2}}}]\n",
     6000, 0, NULL, 0},
    {"an init container before a sidecar does not",
     "  initContainers:\n  - {name: i, resources: {requests: {cpu: 5}}}\n"
     "  - {name: s, restartPolicy: Always, resources: {requests: {cpu: 1}}}\n"
     "  containers: [{name: a, resources: {requests: {cpu: 2}}}]\n",
     5000, 0, NULL, 0},
    {"two sidecars around an init container",
     "  initContainers:\n  - {name: s, restartPolicy: Always, resources: {requests: {cpu: 1}}}\n"
     "  - {name: i, resources: {requests: {cpu: 5}}}\n"
     "  - {name: t, restartPolicy: Always, resources: {requests: {cpu: 4}}}\n"
     "  containers: [{name: a, resources: {requests: {cpu: 2}}}]\n",
     7000, 0, NULL, 0},
    {"overhead is added to the larger one",
     "  overhead: {cpu: 250m, memory: 64Mi}\n"
     "  initContainers: [{name: i, resources: {requests: {cpu: 2}}}]\n"
     "  containers: [{name: a, resources: {requests: {cpu: 500m, memory: 2Gi}}}]\n",
     2250, 2112, NULL, 0},
    {"pod-level requests replace the sum",
     "  resources: {requests: {cpu: 1, memory: 1Gi}}\n"
     "  containers: [{name: a, resources: {requests: {cpu: 100m}}}, {name: b, resources: "
     "{requests: {cpu: 100m}}}]\n",
     1000, 1024, NULL, 0},
    {"pod-level requests replace only what they name",
     "  resources: {requests: {cpu: 1}}\n  containers: [{name: a, resources: {requests: {cpu: "
     "100m, memory: 3Gi}}}]\n",
     1000, 3072, NULL, 0},
    {"pod-level limits stand in",
     "  resources: {limits: {cpu: 4}}\n  containers: [{name: a, resources: {requests: {memory: "
     "1Gi}}}]\n",
     4000, 1024, NULL, 0},
    {"pod-level and overhead",
     "  overhead: {cpu: 250m}\n  resources: {requests: {cpu: 1}}\n  containers: [{name: a}]\n",
     1250, 0, NULL, 0},
    {"huge pages",
     "  containers: [{name: a, resources: {limits: {hugepages-2Mi: 100Mi, memory: 1Gi}}}]\n", 0,
     1024, "hugepages-2Mi", 104857600},
    {"extended resources",
     "  containers:\n  - {name: a, resources: {limits: {nvidia.com/gpu: 1}}}\n"
     "  - {name: b, resources: {limits: {nvidia.com/gpu: 2}}}\n",
     0, 0, "nvidia.com/gpu", 3},
    {"tiny requests round up",
     "  containers: [{name: a, resources: {requests: {cpu: 100u, memory: 1.5Gi}}}]\n", 1, 1536,
     NULL, 0},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w;
        char yaml[4096];
        (void)snprintf(yaml, sizeof yaml, "%s%s", pod_head, rows[i].spec);
        world_open(&w, yaml);
        const struct k8s_pod *pod = world_pod(&w, "shop/p");
        const struct k8s_resources got = sched_shape_requests(w.cluster, &w.arena, pod->shape);
        const struct k8s_words *words = &w.cluster->words;
        const int64_t cpu = k8s_resources_get(&got, words->cpu);
        const int64_t memory = k8s_resources_get(&got, words->memory);
        const int64_t other =
            rows[i].other == NULL ? 0 : k8s_resources_get(&got, world_id(&w, rows[i].other));
        if (cpu != rows[i].cpu_milli || memory != rows[i].memory_mib << 20 ||
            other != rows[i].other_value || k8s_resources_get(&got, words->pods) != 1) {
            fail_msg("%s: cpu %lld, memory %lld, other %lld", rows[i].name, (long long)cpu,
                     (long long)(memory >> 20), (long long)other);
        }
        world_close(&w);
    }
}

static void test_fit(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, "");
    const strid cpu = w.cluster->words.cpu;
    const strid gpu = world_id(&w, "nvidia.com/gpu");
    const struct k8s_quantity room_v[] = {{cpu, 1000}};
    const struct k8s_resources room = {.n = 1, .v = room_v};
    const struct {
        const char *name;
        struct k8s_quantity asked[2];
        bool fits;
        strid missing;
    } fit_rows[] = {
        {"exactly", {{cpu, 1000}, {gpu, 0}}, true, STRID_NONE},
        {"one too much", {{cpu, 1001}, {gpu, 0}}, false, cpu},
        {"a resource the node lacks", {{cpu, 1}, {gpu, 1}}, false, gpu},
    };
    for (size_t i = 0; i < sizeof fit_rows / sizeof fit_rows[0]; i++) {
        strid missing = STRID_NONE;
        const struct k8s_resources asked = {.n = 2, .v = fit_rows[i].asked};
        if (sched_resources_fit(asked, room, &missing) != fit_rows[i].fits ||
            missing != fit_rows[i].missing) {
            fail_msg("%s", fit_rows[i].name);
        }
    }
    const struct k8s_quantity more_v[] = {{cpu, 300}, {gpu, 2}};
    const struct k8s_resources more = {.n = 2, .v = more_v};
    const struct k8s_resources sum = sched_resources_sum(&w.arena, room, more);
    assert_int_equal(k8s_resources_get(&sum, cpu), 1300);
    assert_int_equal(k8s_resources_get(&sum, gpu), 2);
    const struct k8s_resources rest = sched_resources_less(&w.arena, more, room);
    assert_int_equal(k8s_resources_get(&rest, cpu), 0);
    assert_int_equal(k8s_resources_get(&rest, gpu), 2);
    assert_true(sched_resources_equal(sum, sched_resources_sum(&w.arena, more, room)));
    assert_false(sched_resources_equal(sum, more));
    world_close(&w);
}

/* Pods that do not exist yet get the defaults of their namespace's LimitRanges. */
static void test_template(void **state)
{
    (void)state;
    struct world w;
    world_open(
        &w,
        "apiVersion: v1\nkind: LimitRange\nmetadata: {name: lr, namespace: shop}\n"
        "spec: {limits: [{type: Container, defaultRequest: {cpu: 200m}, default: {memory: 512Mi, "
        "cpu: 2}}]}\n"
        "---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: lr, namespace: other}\n"
        "spec: {limits: [{type: Container, defaultRequest: {cpu: 7}}]}\n"
        "---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d, namespace: shop}\n"
        "spec:\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n"
        "    spec: {containers: [{name: a, resources: {requests: {memory: 1Gi}}}, {name: b}]}\n");
    const struct k8s_workload *workload = &w.cluster->workloads[0];
    const struct k8s_resources got =
        sched_template_requests(w.cluster, &w.arena, workload->template_shape, workload->meta.ns);
    assert_int_equal(k8s_resources_get(&got, w.cluster->words.cpu), 400);
    assert_int_equal(k8s_resources_get(&got, w.cluster->words.memory) >> 20, 1536);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_template),
    };
    return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}

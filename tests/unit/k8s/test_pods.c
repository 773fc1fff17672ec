/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is read of a pod, its defaults, and what an API server would refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "object_fixture.h"

static struct fixture f;

static int set_up(void **state UNUSED)
{
    fixture_begin(&f);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    fixture_end(&f);
    return 0;
}

static const struct k8s_pod_shape *only_shape(const char *yaml)
{
    fixture_add(&f, yaml);
    if (f.n_refused > 0) {
        fail_msg("%s", f.err.text);
    }
    fixture_finish(&f, K8S_EXPAND_AUTO);
    assert_int_equal(f.cluster->n_pods, 1);
    return f.cluster->pods[0].shape;
}

static void test_defaults(void **state UNUSED)
{
    const struct k8s_pod_shape *s = only_shape(
        "kind: Pod\nmetadata: {name: a}\nspec:\n"
        "  tolerations: [{key: k, value: v}, {operator: Exists}]\n"
        "  topologySpreadConstraints: [{maxSkew: 2, topologyKey: zone, whenUnsatisfiable: "
        "DoNotSchedule, labelSelector: {}}]\n"
        "  containers: [{name: c, ports: [{containerPort: 80, hostPort: 8080}, "
        "{containerPort: 81}]}]\n");
    assert_string_equal(fixture_text(&f, s->scheduler_name), "default-scheduler");
    assert_int_equal(s->termination_grace_seconds, 30);
    assert_int_equal(s->tolerations[0].op, K8S_IN);
    assert_int_equal(s->tolerations[0].effect, K8S_EFFECT_ANY);
    assert_int_equal(s->tolerations[1].op, K8S_EXISTS);
    assert_true(s->spread[0].affinity_honor && !s->spread[0].taints_honor);
    assert_false(s->spread[0].schedule_anyway);
    assert_true(s->spread[0].selector.present);
    assert_int_equal(s->n_host_ports, 1);
    assert_int_equal(s->host_ports[0].port, 8080);
    assert_string_equal(fixture_text(&f, s->host_ports[0].protocol), "TCP");
    assert_true(s->priority.has && s->priority.v == 0);
    assert_int_equal(s->preemption, K8S_PREEMPT_LOWER);
    assert_int_equal(s->owner_kind, STRID_EMPTY);
    assert_false(f.cluster->pods[0].has_status);
}

static void test_requests_default_to_limits(void **state UNUSED)
{
    const struct k8s_pod_shape *s = only_shape(
        "kind: Pod\nmetadata: {name: a}\nspec:\n"
        "  containers: [{name: c, resources: {requests: {cpu: 100m}, limits: {cpu: 2, "
        "memory: 1Gi, nvidia.com/gpu: 1}}}]\n"
        "  initContainers:\n"
        "  - {name: s, restartPolicy: Always, ports: [{containerPort: 1, hostPort: 9}]}\n"
        "  - {name: i, restartPolicy: OnFailure, ports: [{containerPort: 1, hostPort: 8}]}\n");
    const struct k8s_resources *r = &s->containers[0].requests;
    assert_int_equal(fixture_amount(&f, r, "cpu"), 100);
    assert_int_equal(fixture_amount(&f, r, "memory"), 1 << 30);
    assert_int_equal(fixture_amount(&f, r, "nvidia.com/gpu"), 1);
    assert_true(s->init_containers[0].restart_always && !s->init_containers[1].restart_always);
    assert_int_equal(s->n_host_ports, 1); /* init containers come and go */
    assert_int_equal(s->host_ports[0].port, 9);
}

static void test_host_network(void **state UNUSED)
{
    const struct k8s_pod_shape *s =
        only_shape("kind: Pod\nmetadata: {name: a}\nspec:\n  hostNetwork: true\n"
                   "  containers: [{name: c, ports: [{containerPort: 80, hostIP: 10.0.0.1, "
                   "protocol: UDP}]}, {name: d, ports: [{containerPort: 81}]}]\n");
    assert_int_equal(s->n_host_ports, 2);
    assert_int_equal(s->host_ports[0].port, 80);
    assert_string_equal(fixture_text(&f, s->host_ports[0].ip), "10.0.0.1");
    assert_string_equal(fixture_text(&f, s->host_ports[0].protocol), "UDP");
    assert_int_equal(s->host_ports[1].port, 81);
}

static void test_pod_level_resources(void **state UNUSED)
{
    const struct k8s_pod_shape *s = only_shape(
        "kind: Pod\nmetadata: {name: a}\nspec:\n"
        "  resources: {limits: {cpu: 4, memory: 8Gi}, requests: {memory: 2Gi}}\n"
        "  containers: [{name: c, resources: {requests: {cpu: 1}}}, {name: d, resources: "
        "{requests: "
        "{cpu: 500m}}}]\n"
        "  initContainers: [{name: s, restartPolicy: Always, resources: {requests: {cpu: 250m}}},\n"
        "    {name: i, resources: {requests: {cpu: 1600m}}}]\n");
    assert_true(s->has_pod_resources);
    /* Containers and sidecar 1750m, init container with the sidecar 1850m. */
    assert_int_equal(fixture_amount(&f, &s->pod_requests, "cpu"), 1850);
    assert_int_equal(fixture_amount(&f, &s->pod_requests, "memory"), INT64_C(2) << 30);
}

static void test_pod_level_limit_alone(void **state UNUSED)
{
    const struct k8s_pod_shape *s =
        only_shape("kind: Pod\nmetadata: {name: a}\nspec:\n"
                   "  resources: {limits: {cpu: 4}}\n  containers: [{name: c}]\n");
    assert_int_equal(fixture_amount(&f, &s->pod_requests, "cpu"), 4000);
}

static void test_affinity(void **state UNUSED)
{
    const struct k8s_pod_shape *s = only_shape(
        "kind: Pod\nmetadata: {name: a}\nspec:\n  affinity:\n    nodeAffinity:\n"
        "      requiredDuringSchedulingIgnoredDuringExecution:\n        nodeSelectorTerms:\n"
        "        - matchExpressions: [{key: a, operator: In, values: [x, y]}, {key: b, operator: "
        "Gt, "
        "values: ['4']}]\n"
        "        - matchFields: [{key: metadata.name, operator: In, values: [n1]}]\n"
        "      preferredDuringSchedulingIgnoredDuringExecution:\n"
        "      - {weight: 7, preference: {matchExpressions: [{key: c, operator: Exists}]}}\n"
        "    podAffinity:\n      requiredDuringSchedulingIgnoredDuringExecution:\n"
        "      - {topologyKey: zone, namespaces: [x], labelSelector: {matchLabels: {app: db}}}\n"
        "    podAntiAffinity:\n      preferredDuringSchedulingIgnoredDuringExecution:\n"
        "      - {weight: 100, podAffinityTerm: {topologyKey: host, namespaceSelector: {}, "
        "matchLabelKeys: [v], mismatchLabelKeys: [w], labelSelector: {matchExpressions: [{key: "
        "app, "
        "operator: NotIn, values: [z]}]}}}\n");
    assert_true(s->has_required_node_terms);
    assert_int_equal(s->n_node_terms, 2);
    assert_int_equal(s->node_terms[0].n_expressions, 2);
    assert_int_equal(s->node_terms[0].expressions[1].op, K8S_GT);
    assert_int_equal(s->node_terms[1].n_fields, 1);
    assert_int_equal(s->preferred_node_terms[0].weight, 7);
    assert_int_equal(s->n_affinity, 1);
    assert_int_equal(s->affinity[0].namespaces.n, 1);
    assert_false(s->affinity[0].ns_selector.present);
    assert_int_equal(s->n_anti_affinity, 0);
    assert_int_equal(s->n_preferred_anti_affinity, 1);
    const struct k8s_pod_term *term = &s->preferred_anti_affinity[0];
    assert_int_equal(term->weight, 100);
    assert_true(term->ns_selector.present && term->selector.n_expressions == 1);
    assert_int_equal(term->match_label_keys.n, 1);
    assert_int_equal(term->mismatch_label_keys.n, 1);
}

static void test_volumes(void **state UNUSED)
{
    const struct k8s_pod_shape *s = only_shape(
        "kind: Pod\nmetadata: {name: a}\nspec:\n  volumes:\n"
        "  - {name: x, emptyDir: {}}\n"
        "  - {name: claim, persistentVolumeClaim: {claimName: data, readOnly: true}}\n"
        "  - {name: e, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: gp3, resources: "
        "{requests: {storage: 5Gi}}}}}}\n"
        "  - {name: e2, ephemeral: {volumeClaimTemplate: {spec: {}}}}\n"
        "  - {name: i, csi: {driver: s.example.com}}\n"
        "  - {name: b, awsElasticBlockStore: {volumeID: vol-1}}\n");
    assert_int_equal(s->n_volumes, 5);
    assert_int_equal(s->volumes[0].kind, K8S_VOLUME_CLAIM);
    assert_true(s->volumes[0].read_only && str_eq(s->volumes[0].claim_name, STR("data")));
    assert_int_equal(s->volumes[1].kind, K8S_VOLUME_EPHEMERAL);
    assert_int_equal(s->volumes[1].size_bytes.v, INT64_C(5) << 30);
    assert_string_equal(fixture_text(&f, s->volumes[1].storage_class), "gp3");
    assert_int_equal(s->volumes[2].storage_class, STRID_NONE);
    assert_false(s->volumes[2].size_bytes.has);
    assert_int_equal(s->volumes[3].kind, K8S_VOLUME_CSI);
    assert_string_equal(fixture_text(&f, s->volumes[3].driver), "s.example.com");
    assert_int_equal(s->volumes[4].kind, K8S_VOLUME_AWS_EBS);
    assert_true(str_eq(s->volumes[4].claim_name, STR("vol-1")));
}

static void test_status(void **state UNUSED)
{
    fixture_add(
        &f, "kind: Pod\nmetadata: {name: a, ownerReferences: [{apiVersion: v1, kind: X, name: "
            "first}, {apiVersion: apps/v1, kind: ReplicaSet, name: rs, controller: true}]}\n"
            "spec: {priority: -10, schedulingGates: [{name: g}], resourceClaims: [{name: r}]}\n"
            "status: {phase: Pending, nominatedNodeName: n1, conditions: [{type: PodScheduled, "
            "status: 'False', reason: Unschedulable}]}\n"
            "---\nkind: Pod\nmetadata: {name: b, ownerReferences: [{apiVersion: v1, kind: X, name: "
            "first}]}\nstatus: {phase: Running, startTime: '2026-03-01T08:00:00Z', conditions: "
            "[{type: Ready, status: 'True'}]}\n"
            "---\nkind: Pod\nmetadata: {name: c}\nstatus: {}\n"
            "---\nkind: Pod\nmetadata: {name: d}\nstatus: {phase: CrashLoopBackOff}\n");
    assert_int_equal(f.n_refused, 0);
    fixture_finish(&f, K8S_EXPAND_AUTO);
    const struct k8s_pod *a = fixture_pod(&f, "a"), *b = fixture_pod(&f, "b");
    assert_true(a->has_status && a->phase == K8S_PENDING && !a->ready);
    assert_int_equal(a->scheduled_status, f.cluster->words.s_false);
    assert_int_equal(a->scheduled_reason, f.cluster->words.unschedulable);
    assert_true(str_eq(a->nominated_node_name, STR("n1")));
    assert_true(str_eq(a->owner_name, STR("rs")));
    assert_string_equal(fixture_text(&f, a->shape->owner_kind), "ReplicaSet");
    assert_true(a->shape->priority.has && a->shape->priority.v == -10);
    assert_int_equal(a->shape->n_scheduling_gates, 1);
    assert_int_equal(a->shape->n_resource_claims, 1);
    assert_true(b->phase == K8S_RUNNING && b->ready && b->started.has);
    assert_true(str_eq(b->owner_name, STR("first")));
    assert_int_equal(b->scheduled_reason, STRID_EMPTY);
    assert_false(fixture_pod(&f, "c")->has_status);
    assert_int_equal(fixture_pod(&f, "d")->phase, K8S_PHASE_UNKNOWN);
}

static void test_resize_in_place(void **state UNUSED)
{
    static const char pod[] = "kind: Pod\nmetadata: {name: %s}\nspec: {containers: [{name: c, "
                              "resources: {requests: {cpu: 1, "
                              "memory: 1Gi}}}, {name: d, resources: {requests: {cpu: 1}}}]}\n"
                              "status: {phase: Running, conditions: [%s], containerStatuses: "
                              "[{name: c, allocatedResources: "
                              "{cpu: 2}, resources: {requests: {cpu: 1500m, memory: 512Mi}}}]}\n";
    char text[1024];
    (void)snprintf(text, sizeof text, pod, "a", "");
    fixture_add(&f, text);
    (void)snprintf(text, sizeof text, pod, "b",
                   "{type: PodResizePending, status: 'True', reason: Infeasible}");
    fixture_add(&f, text);
    assert_int_equal(f.n_refused, 0);
    fixture_finish(&f, K8S_EXPAND_AUTO);
    const struct k8s_pod_shape *a = fixture_pod(&f, "a")->shape, *b = fixture_pod(&f, "b")->shape;
    assert_int_equal(fixture_amount(&f, &a->containers[0].requests, "cpu"), 2000);
    assert_int_equal(fixture_amount(&f, &a->containers[0].requests, "memory"), 1 << 30);
    assert_int_equal(fixture_amount(&f, &a->containers[1].requests, "cpu"), 1000);
    assert_int_equal(fixture_amount(&f, &b->containers[0].requests, "cpu"), 2000);
    assert_int_equal(fixture_amount(&f, &b->containers[0].requests, "memory"), 512 << 20);
}

/* One broken field each: the text behind `spec: `, and the error behind `Pod default/a: `. */
static const struct {
    const char *spec, *error;
} refused[] = {
    {"{containers: 5}", "spec.containers: expected a list"},
    {"{containers: [{resources: {requests: {cpu: '-1'}}}]}",
     "spec.containers[0].resources.requests.cpu: \"-1\": must not be negative"},
    {"{containers: [{}, {resources: {limits: {memory: 1e300}}}]}",
     "spec.containers[1].resources.limits.memory: "},
    {"{containers: [{resources: {requests: {memory: .nan}}}]}",
     "spec.containers[0].resources.requests.memory: "},
    {"{initContainers: [{resources: {requests: {memory: 5Q}}}]}",
     "spec.initContainers[0].resources.requests.memory: "},
    {"{initContainers: [{restartPolicy: Sometimes}]}",
     "spec.initContainers[0].restartPolicy: \"Sometimes\": must be one of"},
    {"{containers: [{ports: [{hostPort: 70000}]}]}",
     "spec.containers[0].ports[0].hostPort: 70000 is out of range (0 to 65535)"},
    {"{containers: [{ports: [{containerPort: 0}]}]}",
     "spec.containers[0].ports[0].containerPort: 0 is out of range (1 to 65535)"},
    {"{overhead: {cpu: '-5m'}}", "spec.overhead.cpu: \"-5m\": must not be negative"},
    {"{nodeSelector: {a: b c}}", "spec.nodeSelector.a: \"b c\": a label value"},
    {"{nodeSelector: {a: true}}", "spec.nodeSelector.a: expected a string, got true"},
    {"{nodeName: N_1}", "spec.nodeName: \"N_1\": a name consists of"},
    {"{priorityClassName: 'A'}", "spec.priorityClassName: \"A\""},
    {"{priority: 3000000000}", "spec.priority: 3000000000 is out of range"},
    {"{preemptionPolicy: Later}", "spec.preemptionPolicy: \"Later\": must be one of"},
    {"{terminationGracePeriodSeconds: -1}", "spec.terminationGracePeriodSeconds: -1 is out of"},
    {"{tolerations: [{key: a, operator: Near}]}",
     "spec.tolerations[0].operator: \"Near\": must be"},
    {"{tolerations: [{value: a}]}",
     "spec.tolerations[0].operator: must be Exists when `key` is empty"},
    {"{tolerations: [{key: a, operator: Exists, value: b}]}", "spec.tolerations[0].value: must be"},
    {"{tolerations: [{key: a, effect: Never}]}",
     "spec.tolerations[0].effect: \"Never\": must be one"},
    {"{tolerations: [{key: a, operator: Gt, value: b}]}",
     "spec.tolerations[0].value: Gt and Lt need"},
    {"{tolerations: [{key: a, tolerationSeconds: 5, effect: NoSchedule}]}",
     "spec.tolerations[0].effect: must be NoExecute when"},
    {"{tolerations: [{key: a b}]}", "spec.tolerations[0].key: \"a b\""},
    {"{topologySpreadConstraints: [{maxSkew: 0, topologyKey: z}]}",
     "spec.topologySpreadConstraints[0].maxSkew: 0 is out of range (1 to"},
    {"{topologySpreadConstraints: [{topologyKey: z}]}",
     "spec.topologySpreadConstraints[0].maxSkew: required"},
    {"{topologySpreadConstraints: [{maxSkew: 1}]}",
     "spec.topologySpreadConstraints[0].topologyKey: required"},
    {"{topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: Maybe}]}",
     "spec.topologySpreadConstraints[0].whenUnsatisfiable: \"Maybe\": must be one of"},
    {"{topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, minDomains: 0}]}",
     "spec.topologySpreadConstraints[0].minDomains: 0 is out of range"},
    {"{topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, minDomains: 2, whenUnsatisfiable: "
     "ScheduleAnyway}]}",
     "spec.topologySpreadConstraints[0].minDomains: can only be used with"},
    {"{topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, matchLabelKeys: [a]}]}",
     "spec.topologySpreadConstraints[0].matchLabelKeys: needs a labelSelector"},
    {"{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
     "{nodeSelectorTerms: "
     "[]}}}}",
     "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: "
     "must "
     "not be empty"},
    {"{affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: "
     "101}]}}}",
     "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: 101 is "
     "out"},
    {"{affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0}]}}}",
     "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: 0 is "
     "out"},
    {"{affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{}]}}}",
     "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: "
     "req"},
    {"{affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
     "z, "
     "labelSelector: {matchExpressions: [{key: a, operator: Gt, values: ['1']}]}}]}}}",
     "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
     "labelSelector."
     "matchExpressions[0].operator: \"Gt\": must be one of In, NotIn, Exists, DoesNotExist"},
    {"{volumes: [{name: a, persistentVolumeClaim: {}}]}",
     "spec.volumes[0].persistentVolumeClaim.claimName: required"},
    {"{volumes: [{name: a, csi: {}}]}", "spec.volumes[0].csi.driver: required"},
    {"{volumes: [{name: a, ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: "
     "{storage: "
     "-1Gi}}}}}}]}",
     "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests.storage: \"-1Gi\""},
    {"{schedulingGates: {}}", "spec.schedulingGates: expected a list, got an object"},
    {"{hostNetwork: 'true'}", "spec.hostNetwork: expected true or false"},
};

#define TERM                                                                                       \
    "requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: "
static const struct {
    const char *expression, *error; /* error NULL: taken */
} expressions[] = {
    {"{key: a, operator: In, values: [b]}", NULL},
    {"{key: a, operator: In}", "values: In and NotIn need at least one value"},
    {"{key: a, operator: NotIn, values: []}", "values: In and NotIn need at least one value"},
    {"{key: a, operator: Exists}", NULL},
    {"{key: a, operator: Exists, values: [b]}", "values: Exists and DoesNotExist take no values"},
    {"{key: a, operator: DoesNotExist, values: [b]}", "values: Exists and DoesNotExist take no"},
    {"{key: a, operator: Gt, values: ['1']}", NULL},
    {"{key: a, operator: Lt, values: ['1', '2']}", "values: Gt and Lt need exactly one value"},
    {"{key: a, operator: Gt}", "values: Gt and Lt need exactly one value"},
    {"{key: a, operator: Gte, values: ['1']}", "operator: \"Gte\": must be one of"},
    {"{key: a, operator: in, values: [b]}", "operator: \"in\": must be one of"},
    {"{key: a, values: [b]}", "operator: required"},
    {"{operator: Exists}", "key: required"},
    {"{key: 'a b', operator: Exists}", "key: \"a b\": the name part"},
    {"{key: a, operator: In, values: [5]}", "values[0]: expected a string, got an integer"},
};

static void test_refused(void **state UNUSED)
{
    char text[2048];
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        uint32_t before = f.n_refused;
        (void)snprintf(text, sizeof text, "kind: Pod\nmetadata: {name: a}\nspec: %s\n",
                       refused[i].spec);
        fixture_add(&f, text);
        if (f.n_refused == before) {
            fail_msg("%s was taken", refused[i].spec);
        }
        (void)snprintf(text, sizeof text, "Pod default/a: %s", refused[i].error);
        if (strncmp(f.err.text, text, strlen(text)) != 0) {
            fail_msg("%s:\n  expected %s\n  got      %s", refused[i].spec, text, f.err.text);
        }
    }
    for (size_t i = 0; i < sizeof expressions / sizeof expressions[0]; i++) {
        uint32_t before = f.n_refused;
        (void)snprintf(text, sizeof text,
                       "kind: Pod\nmetadata: {name: a}\nspec: {affinity: {nodeAffinity: {" TERM
                       "[%s]}]}}}}\n",
                       expressions[i].expression);
        fixture_add(&f, text);
        bool taken = f.n_refused == before;
        if (taken != (expressions[i].error == NULL) ||
            (!taken && strstr(f.err.text, expressions[i].error) == NULL)) {
            fail_msg("%s: %s", expressions[i].expression, taken ? "taken" : f.err.text);
        }
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),
        TEST(test_requests_default_to_limits),
        TEST(test_host_network),
        TEST(test_pod_level_resources),
        TEST(test_pod_level_limit_alone),
        TEST(test_affinity),
        TEST(test_volumes),
        TEST(test_status),
        TEST(test_resize_in_place),
        TEST(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Karpenter's gauges of nodes, pods, NodePools and offerings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "binpack/catalog/catalog.h"
#include "provisioner/observe/cluster.h"
#include "tests/unit/k8s/object_fixture.h"

#define NOON (INT64_C(1780315200) * 1000) /* 2026-06-01T12:00:00Z */

static const char shop[] =
    "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: general}\n"
    "spec: {template: {spec: {nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: "
    "d}, requirements: []}}}\n"
    "status: {conditions: [{type: Ready, status: 'True', reason: Ready, lastTransitionTime: "
    "'2026-06-01T11:00:00Z'}]}\n"
    "---\n"
    "apiVersion: karpenter.sh/v1\nkind: NodeClaim\nmetadata: {name: general-2, finalizers: "
    "[karpenter.sh/termination], deletionTimestamp: '2026-06-01T11:59:00Z'}\n"
    "spec: {nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: d}, requirements: "
    "[]}\n"
    "status: {conditions: [{type: Initialized, status: 'False', reason: NodeNotReady}]}\n"
    "---\n"
    "apiVersion: karpenter.sh/v1\nkind: NodeClaim\nmetadata: {name: general-1}\n"
    "spec: {nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: d}, requirements: "
    "[]}\n"
    "status: {providerID: 'aws:///us-east-1a/i-1', nodeName: n1}\n"
    "---\n"
    "apiVersion: v1\nkind: Node\n"
    "metadata: {name: n1, creationTimestamp: '2026-06-01T10:00:00Z', labels: "
    "{karpenter.sh/nodepool: general, karpenter.sh/capacity-type: on-demand,\n"
    "  node.kubernetes.io/instance-type: m5.large, topology.kubernetes.io/zone: us-east-1a, "
    "kubernetes.io/arch: amd64}}\n"
    "spec: {providerID: 'aws:///us-east-1a/i-1'}\n"
    "status: {capacity: {cpu: '2', memory: 8Gi, ephemeral-storage: 20Gi, pods: '29'},\n"
    "  allocatable: {cpu: 1930m, memory: 7Gi, ephemeral-storage: 18Gi, pods: '29'}}\n"
    "---\n"
    "apiVersion: v1\nkind: Node\nmetadata: {name: own}\n"
    "status: {capacity: {cpu: '2'}, allocatable: {cpu: '2'}}\n"
    "---\n"
    "apiVersion: v1\nkind: Pod\n"
    "metadata: {name: web-1, namespace: shop, ownerReferences: [{apiVersion: apps/v1, kind: "
    "ReplicaSet, name: web, uid: u, controller: true}]}\n"
    "spec: {nodeName: n1, containers: [{name: c, resources: {requests: {cpu: 500m, memory: 1Gi}, "
    "limits: {memory: 2Gi}}}]}\n"
    "status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}\n"
    "---\n"
    "apiVersion: v1\nkind: Pod\n"
    "metadata: {name: agent-1, namespace: kube-system, ownerReferences: [{apiVersion: apps/v1, "
    "kind: DaemonSet, name: agent, uid: d, controller: true}]}\n"
    "spec: {nodeName: n1, containers: [{name: c, resources: {requests: {cpu: 100m}}}]}\n"
    "status: {phase: Running}\n"
    "---\n"
    "apiVersion: v1\nkind: Pod\nmetadata: {name: over, namespace: shop}\n"
    "spec: {nodeName: n1, containers: [{name: c, resources: {requests: {cpu: 900m}}}]}\n"
    "status: {phase: Succeeded}\n"
    "---\n"
    "apiVersion: v1\nkind: Pod\nmetadata: {name: 'waits', namespace: shop}\n"
    "spec: {containers: [{name: c, resources: {requests: {cpu: 900m}}}]}\n"
    "status: {phase: Pending}\n";

static struct fixture f;
static const char *text;

static int begin(void **state)
{
    (void)state;
    fixture_begin(&f);
    fixture_add(&f, shop);
    assert_int_equal(f.n_refused, 0);
    fixture_finish(&f, K8S_EXPAND_AUTO);
    text = str_cstr(&f.arena,
                    cluster_metrics_text(f.cluster, cat_builtin(&f.arena, f.tab), NOON, &f.arena));
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&f);
    return 0;
}

/* The one line of a family whose labels include all of `parts`, NULL-terminated; its value. */
static const char *value_of(const char *family, const char *const *parts, char *buffer, size_t size)
{
    uint32_t n = 0;
    buffer[0] = '\0';
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        const size_t length = (size_t)(strchr(line, '\n') - line);
        char copy[4096];
        bool all = strncmp(line, family, strlen(family)) == 0 && line[strlen(family)] == '{';
        assert_true(length < sizeof copy);
        memcpy(copy, line, length);
        copy[length] = '\0';
        for (int i = 0; all && parts[i] != NULL; i++) {
            all = strstr(copy, parts[i]) != NULL;
        }
        if (all) {
            n++;
            (void)snprintf(buffer, size, "%s", strrchr(copy, ' ') + 1);
        }
    }
    if (n > 1) {
        fail_msg("%u lines of %s", (unsigned)n, family);
    }
    return buffer;
}

#define VALUE(family, ...)                                                                         \
    value_of(family, (const char *const[]){__VA_ARGS__, NULL}, (char[64]){0}, 64)

static void nodes_have_what_their_pods_ask_for(void **state)
{
    (void)state;
    const char *const n1 = "node_name=\"n1\"", *const cpu = "resource_type=\"cpu\"";
    assert_string_equal(VALUE("karpenter_nodes_allocatable", n1, cpu), "1.93");
    assert_string_equal(VALUE("karpenter_nodes_allocatable", n1, "\"ephemeral_storage\""),
                        "19327352832");
    assert_string_equal(VALUE("karpenter_nodes_system_overhead", n1, cpu), "0.07");
    assert_string_equal(VALUE("karpenter_nodes_total_pod_requests", n1, cpu), "0.6");
    assert_string_equal(VALUE("karpenter_nodes_total_pod_requests", n1, "\"pods\""), "2");
    assert_string_equal(VALUE("karpenter_nodes_total_pod_limits", n1, "\"memory\""), "2147483648");
    assert_string_equal(VALUE("karpenter_nodes_total_pod_limits", n1, cpu), "");
    assert_string_equal(VALUE("karpenter_nodes_total_daemon_requests", n1, cpu), "0.1");
    assert_string_equal(VALUE("karpenter_nodes_current_lifetime_seconds", n1), "7200");
    assert_string_equal(VALUE("karpenter_nodes_total_pod_requests", "\"own\"", cpu), "");
}

static void labels_of_nodes_are_all_well_known_ones(void **state)
{
    (void)state;
    assert_string_equal(VALUE("karpenter_nodes_current_lifetime_seconds", "nodepool=\"general\"",
                              "instance_type=\"m5.large\"", "zone=\"us-east-1a\"",
                              "capacity_type=\"on-demand\"", "arch=\"amd64\"", "instance_cpu=\"\"",
                              "phase=\"\"", "managed=\"true\""),
                        "7200");
    assert_string_equal(VALUE("karpenter_nodes_allocatable", "\"own\"", "managed=\"false\""), "2");
}

static void conditions_have_their_status_and_age(void **state)
{
    (void)state;
    const char *const of = "kind=\"NodePool\",namespace=\"\",name=\"general\",type=\"Ready\"";
    assert_string_equal(
        VALUE("operator_status_condition_count", of, "status=\"True\"", "reason=\"Ready\""), "1");
    assert_string_equal(VALUE("operator_status_condition_current_status_seconds", of), "3600");
    assert_string_equal(VALUE("operator_status_condition_count", "kind=\"NodeClaim\"",
                              "type=\"Initialized\"", "status=\"False\""),
                        "1");
    /* Without a time nobody knows since when. */
    assert_string_equal(VALUE("operator_status_condition_current_status_seconds",
                              "kind=\"NodeClaim\"", "type=\"Initialized\""),
                        "");
    assert_string_equal(VALUE("operator_termination_current_time_seconds", "kind=\"NodeClaim\""),
                        "60");
}

static void the_cluster_is_used_in_part(void **state)
{
    (void)state;
    /* 0.6 of 3.93 cores */
    assert_string_equal(VALUE("karpenter_cluster_utilization_percent", "\"cpu\""), "15.267176");
}

static void pods_say_where_they_are(void **state)
{
    (void)state;
    assert_string_equal(VALUE("karpenter_pods_state", "{name=\"web-1\",namespace=\"shop\"",
                              "owner=\"/apis/apps/v1/namespaces/shop/replicasets/web\"",
                              "node=\"n1\"", "scheduled=\"true\"", "nodepool=\"general\"",
                              "zone=\"us-east-1a\"", "phase=\"Running\"", "ready=\"true\"",
                              "managed=\"true\""),
                        "1");
    assert_string_equal(VALUE("karpenter_pods_state", "\"waits\"", "owner=\"\"",
                              "scheduled=\"false\"", "phase=\"Pending\"", "ready=\"false\"",
                              "managed=\"false\""),
                        "1");
    assert_string_equal(VALUE("karpenter_pods_state", "\"over\"", "phase=\"Succeeded\""), "1");
}

static void offerings_have_a_price(void **state)
{
    (void)state;
    const char *const m5 = "instance_type=\"m5.large\"", *const a = "zone=\"us-east-1a\"";
    assert_string_equal(VALUE("karpenter_cloudprovider_instance_type_cpu_cores", m5), "2");
    assert_string_equal(VALUE("karpenter_cloudprovider_instance_type_memory_bytes", m5),
                        "8589934592");
    const char *price = VALUE("karpenter_cloudprovider_instance_type_offering_price_estimate", m5,
                              a, "\"on-demand\"");
    assert_string_equal(price, "0.096");
    assert_string_equal(
        VALUE("karpenter_cloudprovider_instance_type_offering_available", m5, a, "\"on-demand\""),
        "1");
    assert_string_equal(VALUE("karpenter_nodepools_cost_total", "nodepool=\"general\""), price);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_have_what_their_pods_ask_for),
        cmocka_unit_test(labels_of_nodes_are_all_well_known_ones),
        cmocka_unit_test(the_cluster_is_used_in_part),
        cmocka_unit_test(conditions_have_their_status_and_age),
        cmocka_unit_test(pods_say_where_they_are),
        cmocka_unit_test(offerings_have_a_price),
    };
    return cmocka_run_group_tests_name("provisioner/cluster metrics", tests, begin, end);
}

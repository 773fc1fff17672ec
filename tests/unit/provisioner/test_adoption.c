/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Started on a cluster that Karpenter has run: nothing is launched, deleted or drifts, and what is
 * written is counted. The objects are as Karpenter v1.14 leaves them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "awsapi/service_ec2.h"
#include "engine_bench.h"

enum { N_NODES = 1000 };

#define HASH "6821555240594823858" /* of the NodePool below */
#define CONDITION(type)                                                                            \
    "{\"type\": \"" type "\", \"status\": \"True\", \"reason\": \"" type                           \
    "\", \"message\": \"\", \"observedGeneration\": 1, \"lastTransitionTime\": "                   \
    "\"2026-09-20T10:00:00Z\"}"

static void put_pool(struct engine_bench *b, const char *resources)
{
    char json[4096];
    (void)
        snprintf(json, sizeof json,
                 "{\"metadata\": {\"name\": \"general\", \"uid\": \"p-1\", \"generation\": 1, "
                 "\"creationTimestamp\": \"2026-09-01T10:00:00Z\", \"annotations\": "
                 "{\"karpenter.sh/nodepool-hash\": \"" HASH
                 "\", \"karpenter.sh/nodepool-hash-version\": "
                 "\"v3\"}}, \"spec\": {\"template\": {\"spec\": {\"nodeClassRef\": {\"group\": "
                 "\"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", \"name\": \"default\"}, "
                 "\"requirements\": [{\"key\": \"kubernetes.io/arch\", \"operator\": \"In\", "
                 "\"values\": "
                 "[\"amd64\"]}], \"expireAfter\": \"720h\"}}}, \"status\": {%s, "
                 "\"nodeClassObservedGeneration\": 1, \"conditions\": [" CONDITION("NodeClassReady") ", " CONDITION(
                     "NodeRegistrationHealthy") ", " CONDITION("ValidationSucceeded") ","
                                                                                      " " CONDITION(
                                                                                          "Ready") "]}}",
                 resources);
    bench_put(b, "NodePool", json);
}

static void put_class(struct engine_bench *b)
{
    bench_put(
        b, "EC2NodeClass",
        "{\"metadata\": {\"name\": \"default\", \"generation\": 1, \"annotations\": "
        "{\"karpenter.k8s.aws/ec2nodeclass-hash\": \"77\", "
        "\"karpenter.k8s.aws/ec2nodeclass-hash-version\": \"v5\"}}, \"spec\": {}, \"status\": "
        "{\"conditions\": [" CONDITION("Ready") "]}}");
}

#define LABELS                                                                                     \
    "\"karpenter.sh/nodepool\": \"general\", \"karpenter.sh/capacity-type\": \"on-demand\", "      \
    "\"node.kubernetes.io/instance-type\": \"m5.xlarge\", \"topology.kubernetes.io/zone\": "       \
    "\"us-east-1a\", \"topology.kubernetes.io/region\": \"us-east-1\", \"kubernetes.io/arch\": "   \
    "\"amd64\", \"kubernetes.io/os\": \"linux\", \"karpenter.k8s.aws/ec2nodeclass\": \"default\""
#define ROOM                                                                                       \
    "{\"cpu\": \"4\", \"memory\": \"15896588Ki\", \"pods\": \"58\", \"ephemeral-storage\": "       \
    "\"20Gi\"}"

/* `version`: of the claim's hash. */
static void put_claim(struct engine_bench *b, int i, const char *hash, const char *version)
{
    char json[8192];
    (void)snprintf(
        json, sizeof json,
        "{\"metadata\": {\"name\": \"general-%04d\", \"uid\": \"c-%d\", \"generation\": 1, "
        "\"creationTimestamp\": \"2026-09-20T10:00:00Z\", \"labels\": {" LABELS "}, "
        "\"annotations\": {\"karpenter.sh/nodepool-hash\": \"%s\", "
        "\"karpenter.sh/nodepool-hash-version\": \"%s\", \"karpenter.k8s.aws/ec2nodeclass-hash\": "
        "\"77\", \"karpenter.k8s.aws/ec2nodeclass-hash-version\": \"v5\", "
        "\"karpenter.k8s.aws/tagged\": \"true\"}, \"finalizers\": [\"karpenter.sh/termination\"], "
        "\"ownerReferences\": [{\"apiVersion\": \"karpenter.sh/v1\", \"kind\": \"NodePool\", "
        "\"name\": \"general\", \"uid\": \"p-1\", \"blockOwnerDeletion\": true}]}, \"spec\": "
        "{\"nodeClassRef\": {\"group\": \"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", "
        "\"name\": \"default\"}, \"expireAfter\": \"720h\", \"requirements\": [{\"key\": "
        "\"node.kubernetes.io/instance-type\", \"operator\": \"In\", \"values\": "
        "[\"m5.xlarge\"]}], "
        "\"resources\": {\"requests\": {\"cpu\": \"3\", \"pods\": \"5\"}}}, \"status\": "
        "{\"nodeName\": \"n-%04d\", \"providerID\": \"aws:///us-east-1a/i-%017d\", \"imageID\": "
        "\"ami-1\", \"capacity\": " ROOM ", \"allocatable\": " ROOM
        ", \"conditions\": [" CONDITION("Launched") ", " CONDITION("Registered") ", " CONDITION(
            "Initialized") ", " CONDITION("Consolidatable") ", " CONDITION("Ready") "]}}",
        i, i, hash, version, i, i);
    bench_put(b, "NodeClaim", json);
}

static void put_node(struct engine_bench *b, int i)
{
    char json[4096];
    (void)snprintf(
        json, sizeof json,
        "{\"metadata\": {\"name\": \"n-%04d\", \"uid\": \"n-%d\", \"labels\": {" LABELS ", "
        "\"karpenter.sh/registered\": \"true\", \"karpenter.sh/initialized\": \"true\"}, "
        "\"finalizers\": [\"karpenter.sh/termination\"], \"ownerReferences\": [{\"apiVersion\": "
        "\"karpenter.sh/v1\", \"kind\": \"NodeClaim\", \"name\": \"general-%04d\", \"uid\": "
        "\"c-%d\", \"blockOwnerDeletion\": true}]}, \"spec\": {\"providerID\": "
        "\"aws:///us-east-1a/i-%017d\"}, \"status\": {\"capacity\": " ROOM
        ", \"allocatable\": " ROOM
        ", \"conditions\": [{\"type\": \"Ready\", \"status\": \"True\"}]}}",
        i, i, i, i, i);
    bench_put(b, "Node", json);
}

static void put_pod(struct engine_bench *b, int i)
{
    char json[1024];
    (void)snprintf(json, sizeof json,
                   "{\"metadata\": {\"name\": \"web-%04d\", \"namespace\": \"shop\", \"uid\": "
                   "\"w-%d\"}, \"spec\": {\"nodeName\": \"n-%04d\", \"containers\": [{\"name\": "
                   "\"a\", \"resources\": {\"requests\": {\"cpu\": \"3\"}}}]}, \"status\": "
                   "{\"phase\": \"Running\"}}",
                   i, i, i);
    bench_put(b, "Pod", json);
}

static void put_cluster(struct engine_bench *b, const char *hash, const char *version)
{
    put_class(b);
    put_pool(b, "\"resources\": {\"cpu\": \"4\", \"memory\": \"15896588k\", \"pods\": \"58\", "
                "\"ephemeral-storage\": \"20Gi\", \"nodes\": \"1\"}, \"nodes\": 1");
    for (int i = 0; i < N_NODES; i++) {
        put_claim(b, i, hash, version);
        put_node(b, i);
        put_pod(b, i);
    }
}

/* Ten minutes, and nothing but the counters of the NodePool, which Karpenter left behind by 999
 * nodes here, is written; EC2 is asked what there is, and for nothing else. */
static void a_thousand_nodes_of_karpenter_are_left_alone(void **state)
{
    struct engine_bench b;
    (void)state;
    bench_open(&b);
    put_cluster(&b, HASH, "v3");
    bench_sync(&b);
    bench_pass(&b, 1000);
    assert_int_equal(b.writes.n, 1);
    assert_true(str_eq(b.writes.v[0].name, STR("general")));
    assert_true(str_eq(b.writes.v[0].subresource, STR("status")));
    assert_true(str_has(b.writes.v[0].body, STR("\"nodes\":1000")));
    bench_answer(&b, b.writes.v[0].id, K8S_WRITE_DONE);
    put_pool(&b, "\"resources\": {\"cpu\": \"4000\", \"memory\": \"15896588000Ki\", \"pods\": "
                 "\"58000\", \"ephemeral-storage\": \"20000Gi\", \"nodes\": \"1000\"}, \"nodes\": "
                 "1000");
    bench_pass(&b, 600 * 1000);
    assert_int_equal(b.writes.n, 1);
    for (size_t i = 0; i < b.calls.n; i++) {
        assert_ptr_equal(b.calls.v[i], &aws_ec2_describe_instances);
    }
    print_message("# %d nodes and NodeClaims: %zu write, %zu calls of DescribeInstances, 0 "
                  "launches, 0 deletions\n",
                  N_NODES, b.writes.n, b.calls.n);
    bench_close(&b);
}

/* Of a cluster whose Karpenter hashed otherwise each claim is stamped once, before the NodePool. */
static void hashes_of_another_version_are_stamped(void **state)
{
    struct engine_bench b;
    (void)state;
    bench_open(&b);
    put_class(&b);
    for (int i = 0; i < 3; i++) {
        put_claim(&b, i, "12", "v2");
        put_node(&b, i);
    }
    bench_put(&b, "NodePool",
              "{\"metadata\": {\"name\": \"general\", \"uid\": \"p-1\", \"annotations\": "
              "{\"karpenter.sh/nodepool-hash\": \"12\", \"karpenter.sh/nodepool-hash-version\": "
              "\"v2\"}}, \"spec\": {\"template\": {\"spec\": {\"nodeClassRef\": {\"group\": "
              "\"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", \"name\": \"default\"}, "
              "\"requirements\": []}}}}");
    bench_sync(&b);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bench_count(&b, "NodeClaim"), i + 1);
        assert_int_equal(bench_count(&b, "NodePool"), 0);
        const struct bench_write *write = &b.writes.v[b.writes.n - 1];
        assert_true(str_has(write->body, STR("\"karpenter.sh/nodepool-hash\":\"" HASH "\"")));
        bench_answer(&b, write->id, K8S_WRITE_DONE);
        put_claim(&b, i, HASH, "v3"); /* and at once the next */
    }
    assert_int_equal(bench_count(&b, "NodeClaim"), 3);
    assert_int_equal(bench_count(&b, "NodePool"), 1);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_nodes_of_karpenter_are_left_alone),
        cmocka_unit_test(hashes_of_another_version_are_stamped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

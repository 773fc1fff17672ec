/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events on pods and NodeClaims: their words, and how few they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine_bench.h"

static void put_pod(struct engine_bench *b, const char *name, const char *cpu)
{
    char json[1024];
    (void)snprintf(json, sizeof json,
                   "{\"metadata\": {\"name\": \"%s\", \"namespace\": \"shop\", \"uid\": \"u-%s\"}, "
                   "\"spec\": {\"containers\": [{\"name\": \"a\", \"resources\": {\"requests\": "
                   "{\"cpu\": \"%s\"}}}]}, \"status\": {\"phase\": \"Pending\", \"conditions\": "
                   "[{\"type\": \"PodScheduled\", \"status\": \"False\", \"reason\": "
                   "\"Unschedulable\"}]}}",
                   name, name, cpu);
    bench_put(b, "Pod", json);
}

static void open_world(struct engine_bench *b)
{
    bench_open(b);
    bench_put(b, "NodePool",
              "{\"metadata\": {\"name\": \"general\", \"uid\": \"p-1\"}, \"spec\": {\"template\": "
              "{\"spec\": {\"nodeClassRef\": {\"group\": \"karpenter.k8s.aws\", \"kind\": "
              "\"EC2NodeClass\", \"name\": \"default\"}, \"requirements\": []}}}}");
    bench_put(b, "EC2NodeClass",
              "{\"metadata\": {\"name\": \"default\"}, \"spec\": {}, \"status\": {\"conditions\": "
              "[{\"type\": \"Ready\", \"status\": \"True\"}]}}");
}

#define BODY_OF_FAILED                                                                             \
    "\"involvedObject\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"namespace\":\"shop\",\"name\":"  \
    "\"big\",\"uid\":\"u-big\"},\"type\":\"Warning\",\"reason\":\"FailedScheduling\",\"message\":" \
    "\"Failed to schedule pod, NodePool general: "

static void a_pod_without_a_place_is_told_why(void **state)
{
    struct engine_bench b;
    (void)state;
    open_world(&b);
    put_pod(&b, "big", "5000");
    bench_sync(&b);
    bench_pass(&b, 1000);
    assert_int_equal(bench_count(&b, "Event"), 1);
    const struct bench_write *write = bench_find(&b, "Event", BODY_OF_FAILED);
    assert_non_null(write);
    assert_int_equal(write->verb, K8S_WRITE_CREATE);
    assert_true(str_eq(write->ns, STR("shop")));
    bench_answer(&b, write->id, K8S_WRITE_DONE);
    /* Within its five minutes it is not said again. */
    for (int i = 0; i < 20; i++) {
        put_pod(&b, "big", "5000");
        bench_pass(&b, 12000);
    }
    assert_int_equal(bench_count(&b, "Event"), 1);
    bench_close(&b);
}

/* Thousands that wait are not thousands of Events: so many at once, and five a second. */
static void many_pods_are_few_events(void **state)
{
    struct engine_bench b;
    char name[32];
    (void)state;
    open_world(&b);
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(name, sizeof name, "p-%04d", i);
        put_pod(&b, name, "5000");
    }
    bench_sync(&b);
    bench_pass(&b, 1000);
    assert_in_range(bench_count(&b, "Event"), 60, 64);
    for (size_t i = 0, n = b.writes.n; i < n; i++) {
        bench_answer(&b, b.writes.v[i].id, K8S_WRITE_DONE);
    }
    const uint32_t first = bench_count(&b, "Event");
    put_pod(&b, "p-0000", "5000"); /* something has changed: it is planned anew */
    bench_pass(&b, 11000);
    /* Others than those of the first round: none of them falls into a window. */
    assert_in_range(bench_count(&b, "Event") - first, 50, 64);
    bench_close(&b);
}

static void a_pod_is_nominated_to_its_claim(void **state)
{
    struct engine_bench b;
    (void)state;
    open_world(&b);
    put_pod(&b, "web", "1");
    bench_sync(&b);
    bench_pass(&b, 1000);
    assert_int_equal(bench_count(&b, "NodeClaim"), 1);
    assert_int_equal(bench_count(&b, "Event"), 1);
    const struct bench_write *write =
        bench_find(&b, "Event",
                   "\"type\":\"Normal\",\"reason\":\"Nominated\",\"message\":\"Pod should schedule "
                   "on: nodeclaim/general-");
    assert_non_null(write);
    /* The name is another's: the same again, under another. */
    bench_answer(&b, write->id, K8S_WRITE_ALREADY_EXISTS);
    assert_int_equal(bench_count(&b, "Event"), 2);
    bench_close(&b);
}

static void put_claim(struct engine_bench *b, const char *launched)
{
    char json[1024];
    (void)snprintf(json, sizeof json,
                   "{\"metadata\": {\"name\": \"general-1\", \"uid\": \"c-1\", \"labels\": "
                   "{\"karpenter.sh/nodepool\": \"general\"}, \"finalizers\": "
                   "[\"karpenter.sh/termination\"]}, \"spec\": {\"nodeClassRef\": {\"group\": "
                   "\"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", \"name\": \"default\"}, "
                   "\"requirements\": []}, \"status\": {\"providerID\": \"aws:///us-east-1a/i-1\", "
                   "\"conditions\": [{\"type\": \"Launched\", \"status\": \"%s\"}]}}",
                   launched);
    bench_put(b, "NodeClaim", json);
}

static void a_condition_that_becomes_true_is_told_once(void **state)
{
    struct engine_bench b;
    (void)state;
    open_world(&b);
    bench_sync(&b);
    put_claim(&b, "Unknown");
    assert_int_equal(bench_count(&b, "Event"), 0);
    put_claim(&b, "True");
    put_claim(&b, "True");
    assert_int_equal(bench_count(&b, "Event"), 1);
    assert_non_null(bench_find(
        &b, "Event",
        "\"reason\":\"Launched\",\"message\":\"Status condition transitioned, Type: Launched, "
        "Status: Unknown -> True, Reason: Launched\""));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pod_without_a_place_is_told_why),
        cmocka_unit_test(many_pods_are_few_events),
        cmocka_unit_test(a_pod_is_nominated_to_its_claim),
        cmocka_unit_test(a_condition_that_becomes_true_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

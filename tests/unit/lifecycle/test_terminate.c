/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A claim that is being deleted, and the pods of its node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bench.h"

/* What the claim says of itself already. */
#define CONDITION(type, status, reason)                                                            \
    "{\"type\": \"" type "\", \"status\": \"" status "\", \"reason\": \"" reason "\"}"
#define LAUNCHED                                                                                   \
    CONDITION("Launched", "True", "Launched")                                                      \
    ", " CONDITION("Registered", "True", "Registered") ", " CONDITION("Initialized", "True",       \
                                                                      "Initialized")
#define DRAINING LAUNCHED ", " CONDITION("Drained", "Unknown", "Draining")
#define WAITING                                                                                    \
    LAUNCHED ", " CONDITION("Drained", "True", "Drained") ", " CONDITION(                          \
        "VolumesDetached", "Unknown", "AwaitingVolumeDetachment")
#define DETACHED                                                                                   \
    LAUNCHED ", " CONDITION("Drained", "True", "Drained") ", " CONDITION(                          \
        "VolumesDetached", "True", "VolumesDetached")
static const char *said = DRAINING;

/* The clock of the bench starts at 14:13:20. */
static void put_claim(struct bench *b, const char *grace, const char *annotations)
{
    char json[2048];
    (void)snprintf(json, sizeof json,
                   "{\"metadata\": {\"name\": \"a-1\", \"uid\": \"u-1\", \"deletionTimestamp\": "
                   "\"2026-09-21T14:13:20Z\", \"annotations\": {%s}, \"finalizers\": "
                   "[\"karpenter.sh/termination\"]}, \"spec\": {\"nodeClassRef\": {\"group\": "
                   "\"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", \"name\": \"default\"}%s, "
                   "\"requirements\": []}, \"status\": {\"providerID\": \"aws:///us-east-1a/i-1\", "
                   "\"conditions\": [%s]}}",
                   annotations, grace, said);
    bench_put(b, "NodeClaim", json);
}

static void put_node(struct bench *b)
{
    bench_put(b, "Node",
              "{\"metadata\": {\"name\": \"n-1\", \"deletionTimestamp\": \"2026-09-21T14:13:20Z\", "
              "\"finalizers\": [\"karpenter.sh/termination\"]}, \"spec\": {\"providerID\": "
              "\"aws:///us-east-1a/i-1\", \"taints\": [{\"key\": \"karpenter.sh/disrupted\", "
              "\"effect\": \"NoSchedule\"}]}}");
}

/* Protected, so that nothing but a deadline moves it; it asks for a minute. */
static void put_pod(struct bench *b, const char *deleted)
{
    char json[1024];
    (void)snprintf(json, sizeof json,
                   "{\"metadata\": {\"name\": \"p-1\", \"namespace\": \"default\", \"uid\": "
                   "\"p-u\"%s, \"annotations\": {\"karpenter.sh/do-not-disrupt\": \"true\"}}, "
                   "\"spec\": {\"nodeName\": \"n-1\", \"terminationGracePeriodSeconds\": 60, "
                   "\"containers\": [{\"name\": \"c\"}]}, \"status\": {\"phase\": \"Running\"}}",
                   deleted);
    bench_put(b, "Pod", json);
}

static void pass(struct bench *b, int64_t s)
{
    b->now.mono += s * 1000;
    b->now.wall += s * 1000;
    bench_step(b);
}

#define BY "\"karpenter.sh/nodeclaim-termination-timestamp\": \"2026-09-21T14:18:20Z\""

static void the_grace_of_a_claim_counts_from_its_deletion(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    put_claim(&b, ", \"terminationGracePeriod\": \"5m\"", "");
    bench_step(&b);
    const struct k8s_write *write = &bench_only(&b, ACTION_WRITE)->write;
    assert_int_equal(write->verb, K8S_WRITE_MERGE_PATCH);
    assert_true(str_eq(write->name, STR("a-1")));
    assert_true(str_has(write->body, STR(BY)));
    bench_close(&b);
}

/* Without a grace period a protected pod has all the time that it wants. */
static void without_it_a_protected_pod_is_waited_for(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    put_node(&b);
    put_pod(&b, "");
    put_claim(&b, "", "");
    bench_step(&b);
    assert_int_equal(b.out.v.n, 0);
    pass(&b, 24 * 3600);
    assert_int_equal(b.out.v.n, 0);
    bench_close(&b);
}

/* Four minutes after the deletion the minute that the pod asks for is what is left. */
static void near_its_end_pods_are_deleted_with_what_is_left(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    put_node(&b);
    put_pod(&b, "");
    put_claim(&b, ", \"terminationGracePeriod\": \"5m\"", BY);
    bench_step(&b);
    assert_int_equal(b.out.v.n, 0);
    pass(&b, 240);
    assert_int_equal(b.out.v.n, 0);
    pass(&b, 10);
    const struct action *action = bench_only(&b, ACTION_WRITE);
    assert_int_equal(action->write.verb, K8S_WRITE_DELETE);
    assert_true(str_eq(action->write.name, STR("p-1")));
    assert_true(str_eq(action->write.uid, STR("p-u")));
    assert_int_equal(action->write.grace_s, 50);
    const uint64_t id = action->id;
    put_pod(&b, ", \"deletionTimestamp\": \"2026-09-21T14:18:20Z\"");
    bench_written(&b, id, K8S_WRITE_DONE);
    pass(&b, 1);
    assert_int_equal(b.out.v.n, 0); /* it is going, and in time */
    bench_close(&b);
}

/* One that somebody deletes with a grace beyond the deadline has it cut, once. */
static void a_grace_beyond_the_end_is_cut(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    put_node(&b);
    put_pod(&b, ", \"deletionTimestamp\": \"2026-09-21T15:13:20Z\"");
    put_claim(&b, ", \"terminationGracePeriod\": \"5m\"", BY);
    pass(&b, 400);
    const struct action *action = bench_only(&b, ACTION_WRITE);
    assert_int_equal(action->write.verb, K8S_WRITE_DELETE);
    assert_int_equal(action->write.grace_s, 1);
    const uint64_t id = action->id;
    put_pod(&b, ", \"deletionTimestamp\": \"2026-09-21T14:20:01Z\"");
    bench_written(&b, id, K8S_WRITE_DONE);
    pass(&b, 1);
    assert_int_equal(b.out.v.n, 0);
    bench_close(&b);
}

/* ---- volumes ---- */

static void put_attachment(struct bench *b, const char *node)
{
    char json[512];
    (void)snprintf(json, sizeof json,
                   "{\"metadata\": {\"name\": \"va-1\"}, \"spec\": {\"attacher\": "
                   "\"ebs.csi.aws.com\", \"nodeName\": \"%s\", \"source\": "
                   "{\"persistentVolumeName\": \"pv-1\"}}, \"status\": {\"attached\": true}}",
                   node);
    bench_put(b, "VolumeAttachment", json);
}

/* Of a DaemonSet that tolerates everything, with the claim of the volume. */
static void put_daemon(struct bench *b)
{
    bench_put(b, "PersistentVolumeClaim",
              "{\"metadata\": {\"name\": \"data\", \"namespace\": \"default\"}, \"spec\": "
              "{\"volumeName\": \"pv-1\"}}");
    bench_put(b, "Pod",
              "{\"metadata\": {\"name\": \"d-1\", \"namespace\": \"default\"}, \"spec\": "
              "{\"nodeName\": \"n-1\", \"containers\": [{\"name\": \"c\"}], \"tolerations\": "
              "[{\"operator\": \"Exists\"}], \"volumes\": [{\"name\": \"v\", "
              "\"persistentVolumeClaim\": {\"claimName\": \"data\"}}]}, \"status\": {\"phase\": "
              "\"Running\"}}");
}

static void is_written(const struct bench *b, const char *condition)
{
    const struct k8s_write *write = &bench_only(b, ACTION_WRITE)->write;
    assert_true(str_eq(write->subresource, STR("status")));
    if (!str_has(write->body, str_of(condition))) {
        fail_msg("no %s in " STR_FMT, condition, STR_ARG(write->body));
    }
}

/* One step at a time: drained, volumes off, and only then the machine. */
static void volumes_come_off_before_the_machine_ends(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    put_node(&b);
    put_attachment(&b, "n-1");
    said = LAUNCHED;
    put_claim(&b, "", "");
    bench_step(&b);
    is_written(&b, "{\"type\":\"Drained\",\"status\":\"Unknown\",\"reason\":\"Draining\"");
    bench_written(&b, bench_only(&b, ACTION_WRITE)->id, K8S_WRITE_DONE);
    said = DRAINING;
    put_claim(&b, "", "");
    bench_step(&b);
    is_written(&b, "{\"type\":\"VolumesDetached\",\"status\":\"Unknown\",\"reason\":"
                   "\"AwaitingVolumeDetachment\"");
    is_written(&b, "{\"type\":\"Drained\",\"status\":\"True\"");
    bench_written(&b, bench_only(&b, ACTION_WRITE)->id, K8S_WRITE_DONE);
    said = WAITING;
    put_claim(&b, "", "");
    for (int i = 0; i < 3600; i++) {
        pass(&b, 1);
        assert_int_equal(b.out.v.n, 0);
    }
    put_attachment(&b, "n-2"); /* elsewhere now */
    pass(&b, 1);
    is_written(&b, "{\"type\":\"VolumesDetached\",\"status\":\"True\"");
    bench_written(&b, bench_only(&b, ACTION_WRITE)->id, K8S_WRITE_DONE);
    said = DETACHED;
    put_claim(&b, "", "");
    bench_step(&b);
    assert_ptr_equal(bench_only(&b, ACTION_CALL)->operation, &aws_ec2_terminate_instances);
    const struct ec2_terminate_instances_result result = {.terminating_instances = {.n = 0}};
    bench_reply(&b, bench_only(&b, ACTION_CALL)->id, &result);
    pass(&b, 5);
    is_written(&b, "{\"type\":\"InstanceTerminating\",\"status\":\"True\"");
    said = DRAINING;
    bench_close(&b);
}

static void volumes_of_pods_that_stay_are_not_waited_for(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    put_node(&b);
    put_attachment(&b, "n-1");
    put_daemon(&b);
    put_claim(&b, "", "");
    bench_step(&b);
    is_written(&b, "{\"type\":\"VolumesDetached\",\"status\":\"True\"");
    bench_close(&b);
}

static void nothing_is_waited_for_after_the_end(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    put_node(&b);
    put_attachment(&b, "n-1");
    said = WAITING;
    put_claim(&b, ", \"terminationGracePeriod\": \"5m\"", BY);
    pass(&b, 299);
    assert_int_equal(b.out.v.n, 0);
    pass(&b, 2);
    is_written(&b, "{\"type\":\"VolumesDetached\",\"status\":\"False\",\"reason\":"
                   "\"TerminationGracePeriodElapsed\"");
    said = DRAINING;
    bench_close(&b);
}

/* ---- nothing that anybody has noted ---- */

/* A run before this one has launched, or not; EC2 shows nothing of it. What takes two minutes right
 * after the deletion takes one look long after it. */
static void long_after_its_deletion_one_look_is_enough(void **state)
{
    static const char claim[] =
        "{\"metadata\": {\"name\": \"a-1\", \"uid\": \"u-1\", \"deletionTimestamp\": "
        "\"2026-09-21T14:13:20Z\", \"annotations\": {\"binpack/launch\": \"1 0123456789abcdef\"}, "
        "\"finalizers\": [\"karpenter.sh/termination\"]}, \"spec\": {\"nodeClassRef\": "
        "{\"group\": \"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", \"name\": \"default\"}, "
        "\"requirements\": []}}";
    const struct ec2_describe_instances_result nothing = {.reservations = {.n = 0}};
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct bench b;
        bench_open(&b);
        b.now.wall += late * 130 * 1000;
        bench_put(&b, "NodeClaim", claim);
        bench_step(&b);
        assert_ptr_equal(bench_only(&b, ACTION_CALL)->operation, &aws_ec2_describe_instances);
        bench_reply(&b, bench_only(&b, ACTION_CALL)->id, &nothing);
        bench_step(&b);
        if (late == 0) {
            assert_int_equal(b.out.v.n, 0);
            pass(&b, 5); /* and again */
            assert_ptr_equal(bench_only(&b, ACTION_CALL)->operation, &aws_ec2_describe_instances);
        } else {
            assert_int_equal(bench_only(&b, ACTION_WRITE)->write.verb, K8S_WRITE_JSON_PATCH);
        }
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_grace_of_a_claim_counts_from_its_deletion),
        cmocka_unit_test(without_it_a_protected_pod_is_waited_for),
        cmocka_unit_test(near_its_end_pods_are_deleted_with_what_is_left),
        cmocka_unit_test(a_grace_beyond_the_end_is_cut),
        cmocka_unit_test(volumes_come_off_before_the_machine_ends),
        cmocka_unit_test(volumes_of_pods_that_stay_are_not_waited_for),
        cmocka_unit_test(nothing_is_waited_for_after_the_end),
        cmocka_unit_test(long_after_its_deletion_one_look_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

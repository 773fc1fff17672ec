/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bench.h"

static void open_bench(struct bench *b)
{
    bench_open(b);
    b->claims_known = true;
    bench_step(b);
}

/* Launched ten minutes ago, with a node that is not there. */
static void put_claim(struct bench *b, const char *deleted)
{
    char json[2048];
    (void)snprintf(
        json, sizeof json,
        "{\"metadata\": {\"name\": \"a-1\", \"uid\": \"u-1\", \"finalizers\": "
        "[\"karpenter.sh/termination\"]%s}, \"spec\": {\"nodeClassRef\": {\"group\": "
        "\"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", \"name\": \"default\"}, "
        "\"requirements\": []}, \"status\": {\"providerID\": "
        "\"aws:///us-east-1a/i-1\", \"conditions\": [{\"type\": \"Launched\", \"status\": "
        "\"True\", \"reason\": \"Launched\", \"lastTransitionTime\": "
        "\"2026-09-21T14:03:20Z\"}, {\"type\": \"Registered\", \"status\": \"True\", "
        "\"reason\": \"Registered\"}, {\"type\": \"Initialized\", \"status\": \"True\", "
        "\"reason\": \"Initialized\"}]}}",
        deleted);
    bench_put(b, "NodeClaim", json);
}

static void put_node(struct bench *b, const char *ready)
{
    char json[1024];
    (void)snprintf(
        json, sizeof json,
        "{\"metadata\": {\"name\": \"n-1\"}, \"spec\": {\"providerID\": "
        "\"aws:///us-east-1a/i-1\"}, \"status\": {\"conditions\": [{\"type\": \"Ready\", "
        "\"status\": \"%s\"}]}}",
        ready);
    bench_put(b, "Node", json);
}

/* The next list, up to its call. */
static const struct action *next_list(struct bench *b)
{
    b->now.mono += 121 * 1000;
    b->now.wall += 121 * 1000;
    bench_step(b);
    const struct action *action = bench_only(b, ACTION_CALL);
    assert_ptr_equal(action->operation, &aws_ec2_describe_instances);
    return action;
}

/* One instance; `uid`: empty for what others have launched. */
static void answer(struct bench *b, uint64_t id, const char *instance_id, const char *uid,
                   const char *token)
{
    struct ec2_tag tags[] = {{.key = STR("karpenter.sh/nodepool"), .value = STR("a")},
                             {.key = STR("binpack/nodeclaim-uid"), .value = str_of(uid)}};
    struct ec2_instance_state running = {.name = STR("running")};
    struct ec2_group_identifier groups[] = {{.group_id = STR("sg-1")}, {.group_id = STR("sg-2")}};
    struct ec2_instance instance = {.instance_id = str_of(instance_id),
                                    .subnet_id = STR("subnet-1"),
                                    .security_groups = {.v = groups, .n = 2},
                                    .state = &running,
                                    .tags = {.v = tags, .n = uid[0] == '\0' ? 1 : 2}};
    struct ec2_reservation reservation = {
        .instances = {.v = &instance, .n = instance_id[0] == '\0' ? 0 : 1}};
    const struct ec2_describe_instances_result page = {.next_token = str_of(token),
                                                       .reservations = {.v = &reservation, .n = 1}};
    bench_reply(b, id, &page);
}

static void a_claim_whose_instance_is_gone_goes_after_two_lists(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    put_claim(&b, "");
    bench_step(&b);
    answer(&b, next_list(&b)->id, "i-2", "", "");
    assert_int_equal(b.out.v.n, 0);
    answer(&b, next_list(&b)->id, "i-2", "", "");
    const struct action *action = bench_only(&b, ACTION_WRITE);
    assert_int_equal(action->write.verb, K8S_WRITE_DELETE);
    assert_true(str_eq(action->write.name, STR("a-1")));
    assert_true(str_eq(action->write.uid, STR("u-1")));
    bench_close(&b);
}

/* The instance is there and its Node is not: a quarter of an hour for the kubelet to come back. */
static void a_claim_whose_node_is_gone_goes_in_a_while(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    put_claim(&b, "");
    for (int i = 0; i < 7; i++) { /* 14 minutes and 7 seconds */
        answer(&b, next_list(&b)->id, "i-1", "u-1", "");
    }
    put_node(&b, "True");
    bench_step(&b);
    b.now.mono += 60 * 1000; /* there it is again: the time begins anew when it goes */
    bench_step(&b);
    assert_int_equal(b.out.v.n, 0);
    bench_drop(&b, "Node", "n-1");
    bench_step(&b);
    for (int i = 0; i < 7; i++) {
        answer(&b, next_list(&b)->id, "i-1", "u-1", "");
    }
    b.now.mono += 60 * 1000;
    bench_step(&b);
    const struct action *action = bench_only(&b, ACTION_WRITE);
    assert_int_equal(action->write.verb, K8S_WRITE_DELETE);
    assert_true(str_eq(action->write.name, STR("a-1")));
    bench_close(&b);
}

static void lists_in_between_and_ready_nodes_hold_it(void **state)
{
    const struct aws_fault failed = {.kind = AWS_FAULT_TRANSIENT, .status = 503};
    struct bench b;
    (void)state;
    open_bench(&b);
    put_claim(&b, "");
    bench_step(&b);
    answer(&b, next_list(&b)->id, "i-2", "", "");
    answer(&b, next_list(&b)->id, "i-1", "", ""); /* there again: EC2 shows late */
    answer(&b, next_list(&b)->id, "i-2", "", "");
    bench_fault(&b, next_list(&b)->id, &failed); /* no list: says nothing */
    assert_int_equal(b.out.v.n, 0);
    put_node(&b, "True");
    bench_step(&b);
    answer(&b, next_list(&b)->id, "i-2", "", "");
    assert_int_equal(b.out.v.n, 0);
    put_node(&b, "Unknown");
    bench_step(&b);
    answer(&b, next_list(&b)->id, "i-2", "", "");
    assert_int_equal(b.out.v.n, 0);
    answer(&b, next_list(&b)->id, "i-2", "", "");
    assert_int_equal(bench_only(&b, ACTION_WRITE)->write.verb, K8S_WRITE_DELETE);
    bench_close(&b);
}

static void a_list_is_read_to_its_last_page(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    put_claim(&b, "");
    bench_step(&b);
    for (int list = 0; list < 3; list++) {
        answer(&b, next_list(&b)->id, "i-2", "", "more");
        const struct action *action = bench_only(&b, ACTION_CALL);
        const struct ec2_describe_instances_request *request = action->request;
        assert_true(str_eq(request->next_token, STR("more")));
        answer(&b, action->id, "i-1", "", "");
        assert_int_equal(b.out.v.n, 0);
    }
    bench_close(&b);
}

static void an_instance_without_claim_goes_after_two_lists(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    answer(&b, next_list(&b)->id, "i-9", "u-9", "");
    assert_int_equal(b.out.v.n, 0);
    answer(&b, next_list(&b)->id, "i-9", "u-9", "");
    const struct action *action = bench_only(&b, ACTION_CALL);
    const struct ec2_terminate_instances_request *request = action->request;
    assert_ptr_equal(action->operation, &aws_ec2_terminate_instances);
    assert_int_equal(request->instance_ids.n, 1);
    assert_true(str_eq(request->instance_ids.v[0], STR("i-9")));
    bench_close(&b);
}

static void what_is_not_ours_is_never_touched(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    put_claim(&b, "");
    bench_step(&b);
    for (int list = 0; list < 4; list++) {
        answer(&b, next_list(&b)->id, "i-7", "", "more"); /* Karpenter's, without a claim */
        answer(&b, bench_only(&b, ACTION_CALL)->id, "i-1", "u-1", "");
        assert_int_equal(b.out.v.n, 0);
    }
    bench_close(&b);
}

/* NodeClaims cannot be read any more: nobody knows which there are. */
static void nothing_is_collected_blindly(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    answer(&b, next_list(&b)->id, "i-9", "u-9", "");
    const uint64_t id = next_list(&b)->id;
    b.claims_known = false;
    answer(&b, id, "i-9", "u-9", "");
    assert_int_equal(b.out.v.n, 0);
    b.now.mono += 1000 * 1000;
    bench_step(&b);
    assert_int_equal(b.out.v.n, 0);
    bench_close(&b);
}

/* Between two times of leading others may have taken it over. */
static void what_was_seen_before_is_forgotten(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    answer(&b, next_list(&b)->id, "i-9", "u-9", "");
    const uint64_t id = next_list(&b)->id;
    lifecycle_restart(b.lifecycle);
    answer(&b, id, "i-9", "u-9", "");
    assert_int_equal(b.out.v.n, 0);
    bench_step(&b);
    answer(&b, next_list(&b)->id, "i-9", "u-9", "");
    assert_int_equal(b.out.v.n, 0);
    bench_close(&b);
}

/* One that is going already is not drained, as there is nobody left to drain. */
static void a_claim_that_is_going_need_not_be_terminated(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    put_claim(&b, ", \"deletionTimestamp\": \"2026-09-21T14:10:00Z\"");
    bench_step(&b);
    const uint64_t id = bench_only(&b, ACTION_CALL)->id; /* TerminateInstances; slow */
    answer(&b, next_list(&b)->id, "i-2", "", "");
    answer(&b, next_list(&b)->id, "i-2", "", "");
    bench_reply(&b, id, &(struct ec2_terminate_instances_result){0});
    b.now.mono += 6000;
    bench_step(&b);
    const struct action *action = bench_only(&b, ACTION_WRITE);
    assert_int_equal(action->write.verb, K8S_WRITE_JSON_PATCH); /* the finalizer goes */
    bench_close(&b);
}

static uint32_t listed(struct bench *b, const struct aws_instance **ret)
{
    arena_reset(&b->step);
    return lifecycle_instances(b->lifecycle, &b->step, ret);
}

/* Where each instance is and what guards it is known from the last whole list, until another run
 * may have acted. */
static void instances_are_as_the_last_whole_list_says(void **state)
{
    struct bench b;
    const struct aws_instance *at = NULL;
    (void)state;
    open_bench(&b);
    put_claim(&b, "");
    bench_step(&b);
    assert_int_equal(listed(&b, &at), 0);
    answer(&b, next_list(&b)->id, "i-2", "", "more");
    assert_int_equal(listed(&b, &at), 0); /* not read to its end */
    b.out.v.n = 0;
    answer(&b, b.last_id, "i-1", "u-1", "");
    assert_int_equal(listed(&b, &at), 2);
    assert_true(str_eq(at[0].id, STR("i-1")) && str_eq(at[1].id, STR("i-2")));
    assert_true(str_eq(at[0].subnet_id, STR("subnet-1")) && at[0].n_groups == 2);
    assert_true(str_eq(at[0].groups[1], STR("sg-2")));
    answer(&b, next_list(&b)->id, "i-1", "u-1", "");
    assert_int_equal(listed(&b, &at), 1);
    lifecycle_restart(b.lifecycle);
    assert_int_equal(listed(&b, &at), 0);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_whose_instance_is_gone_goes_after_two_lists),
        cmocka_unit_test(a_claim_whose_node_is_gone_goes_in_a_while),
        cmocka_unit_test(lists_in_between_and_ready_nodes_hold_it),
        cmocka_unit_test(a_list_is_read_to_its_last_page),
        cmocka_unit_test(an_instance_without_claim_goes_after_two_lists),
        cmocka_unit_test(what_is_not_ours_is_never_touched),
        cmocka_unit_test(nothing_is_collected_blindly),
        cmocka_unit_test(what_was_seen_before_is_forgotten),
        cmocka_unit_test(a_claim_that_is_going_need_not_be_terminated),
        cmocka_unit_test(instances_are_as_the_last_whole_list_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

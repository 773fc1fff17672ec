/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a NodeClaim to what EC2 says, and what follows: each code of karpenter-aws' table, in an
 * answer and as the end of a call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "bench.h"
#include "provisioner/lifecycle/fleet_error.h"
#include "provisioner/provisioning/round.h"

static const char class_json[] =
    "{\"metadata\": {\"name\": \"default\", \"uid\": \"c-1\", \"annotations\": "
    "{\"karpenter.k8s.aws/ec2nodeclass-hash\": \"42\", "
    "\"karpenter.k8s.aws/ec2nodeclass-hash-version\": \"v5\"}}, \"spec\": {\"role\": \"nodes\", "
    "\"amiSelectorTerms\": [{\"alias\": \"al2023@latest\"}], \"subnetSelectorTerms\": [{\"id\": "
    "\"subnet-a\"}], \"securityGroupSelectorTerms\": [{\"id\": \"sg-1\"}]}, \"status\": "
    "{\"subnets\": [{\"id\": \"subnet-a\", \"zone\": \"us-east-1a\", \"zoneID\": \"use1-az1\"}], "
    "\"securityGroups\": [{\"id\": \"sg-1\", \"name\": \"nodes\"}], \"instanceProfile\": "
    "\"nodes\", \"amis\": [{\"id\": \"ami-1\", \"name\": \"al2023\", \"requirements\": [{\"key\": "
    "\"kubernetes.io/arch\", \"operator\": \"In\", \"values\": [\"amd64\"]}]}], \"conditions\": "
    "[{\"type\": \"Ready\", \"status\": \"True\", \"reason\": \"Ready\"}]}}";

static void put_claim_as(struct bench *b, int number, const char *note, const char *more)
{
    char json[4096];
    (void)snprintf(
        json, sizeof json,
        "{\"metadata\": {\"name\": \"a-%d\", \"uid\": \"u-%d\", \"creationTimestamp\": "
        "\"2026-09-21T14:13:20Z\"%s, \"finalizers\": [\"karpenter.sh/termination\"], \"labels\": "
        "{\"karpenter.sh/nodepool\": \"a\"}, \"annotations\": {%s%s%s}}, \"spec\": "
        "{\"nodeClassRef\": {\"group\": \"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", "
        "\"name\": \"default\"}, \"requirements\": [{\"key\": "
        "\"node.kubernetes.io/instance-type\", "
        "\"operator\": \"In\", \"values\": [\"m5.large\", \"m5.xlarge\"]}, {\"key\": "
        "\"topology.kubernetes.io/zone\", \"operator\": \"In\", \"values\": [\"us-east-1a\"]}, "
        "{\"key\": \"karpenter.sh/capacity-type\", \"operator\": \"In\", \"values\": "
        "[\"spot\"]}]}}",
        number, number, more, note[0] == '\0' ? "" : "\"binpack/launch\": \"", note,
        note[0] == '\0' ? "" : "\"");
    bench_put(b, "NodeClaim", json);
}

static void put_claim(struct bench *b, const char *note)
{
    put_claim_as(b, 1, note, "");
}

static void note_from(const struct action *action, char *note, size_t size)
{
    static const char key[] = "\"binpack/launch\":\"";
    char body[1024];
    assert_true(action->write.body.n < sizeof body);
    memcpy(body, action->write.body.p, action->write.body.n);
    body[action->write.body.n] = '\0';
    const char *at = strstr(body, key);
    assert_non_null(at);
    (void)snprintf(note, size, "%s", at + sizeof key - 1);
    *strchr(note, '"') = '\0';
}

/* Up to the CreateFleet of a fresh claim; templates are made on the way. */
static const struct action *until_fleet(struct bench *b)
{
    char note[128];
    bench_put(b, "EC2NodeClass", class_json);
    put_claim(b, "");
    bench_step(b);
    const struct action *action = bench_only(b, ACTION_WRITE);
    const uint64_t id = action->id;
    note_from(action, note, sizeof note);
    bench_written(b, id, K8S_WRITE_DONE);
    put_claim(b, note);
    for (bench_step(b);; bench_step(b)) {
        action = bench_only(b, ACTION_CALL);
        if (action->operation == &aws_ec2_create_fleet) {
            return action;
        }
        assert_ptr_equal(action->operation, &aws_ec2_create_launch_template);
        /* One with a token would not be made again under it after it was removed. */
        const struct ec2_create_launch_template_request *template = action->request;
        assert_int_equal(template->client_token.n, 0);
        const struct ec2_create_launch_template_result made = {0};
        bench_reply(b, action->id, &made);
    }
}

static uint32_t n_gone(struct bench *b)
{
    const struct lifecycle_view view = bench_view(b);
    const struct round_gone *gone = NULL;
    return lifecycle_gone(b->lifecycle, &view, &b->arena, &gone);
}

/* ---- the table ---- */

enum follows {
    CLAIM_GOES,    /* nothing can be had: planned anew */
    CLAIM_SAYS,    /* Launched: Unknown with the reason; later again */
    TEMPLATE_AGAIN /* the launch template is made again, then the same call */
};
enum goes { /* what cannot be had then */
            GOES_NOTHING,
            GOES_TWO, /* the two offerings of the claim, and what follows from two of a family */
            GOES_MORE /* all that shares the quota, or all of spot */
};

static const struct {
    const char *code, *message;
    enum follows in_answer, as_fault;
    enum goes goes;
    const char *reason;
} rows[] = {
    {"InsufficientInstanceCapacity", "x", CLAIM_GOES, CLAIM_GOES, GOES_TWO, ""},
    {"UnfulfillableCapacity", "x", CLAIM_GOES, CLAIM_GOES, GOES_TWO, ""},
    {"Unsupported", "x", CLAIM_GOES, CLAIM_GOES, GOES_TWO, ""},
    {"ReservationCapacityExceeded", "x", CLAIM_GOES, CLAIM_GOES, GOES_TWO, ""},
    {"InsufficientFreeAddressesInSubnet", "x", CLAIM_GOES, CLAIM_GOES, GOES_TWO, ""},
    {"MaxFleetCountExceeded", "x", CLAIM_GOES, CLAIM_GOES, GOES_TWO, ""},
    {"MaxSpotInstanceCountExceeded", "x", CLAIM_GOES, CLAIM_GOES, GOES_MORE, ""},
    {"VcpuLimitExceeded", "x", CLAIM_GOES, CLAIM_GOES, GOES_MORE, ""},
    {"AuthFailure.ServiceLinkedRoleCreationNotPermitted", "x", CLAIM_GOES, CLAIM_GOES, GOES_MORE,
     ""},
    {"InvalidLaunchTemplateName.NotFoundException", "x", CLAIM_SAYS, TEMPLATE_AGAIN, GOES_NOTHING,
     "LaunchFailed"},
    {"InvalidLaunchTemplateId.NotFound", "x", CLAIM_SAYS, TEMPLATE_AGAIN, GOES_NOTHING,
     "LaunchTemplateNotFound"},
    {"UnauthorizedOperation", "x", CLAIM_SAYS, CLAIM_SAYS, GOES_NOTHING, "Unauthorized"},
    {"UnauthorizedOperation", "with an explicit deny in a permissions boundary", CLAIM_SAYS,
     CLAIM_SAYS, GOES_NOTHING, "Unauthorized"},
    {"UnauthorizedOperation", "with an explicit deny in a service control policy", CLAIM_SAYS,
     CLAIM_SAYS, GOES_NOTHING, "Unauthorized"},
    {"UnauthorizedOperation", "Not authorized for images: [ami-1]", CLAIM_SAYS, CLAIM_SAYS,
     GOES_NOTHING, "AMIAuthorizationFailure"},
    {"AuthFailure", "Not authorized for images: [ami-1]", CLAIM_SAYS, CLAIM_SAYS, GOES_NOTHING,
     "AMIAuthorizationFailure"},
    {"AuthFailure", "x", CLAIM_SAYS, CLAIM_SAYS, GOES_NOTHING, "Unauthorized"},
    {"AccessDenied", "x", CLAIM_SAYS, CLAIM_SAYS, GOES_NOTHING, "Unauthorized"},
    {"InvalidParameter", "sg-1 and subnet-a belong to different networks.", CLAIM_SAYS, CLAIM_SAYS,
     GOES_NOTHING, "SecurityGroupSubnetVPCMismatch"},
    {"InvalidParameterValue", "Value (x) for parameter iamInstanceProfile.name is invalid.",
     CLAIM_SAYS, CLAIM_SAYS, GOES_NOTHING, "InstanceProfileNameInvalid"},
    {"InvalidUserData.Malformed", "User data is limited to 16384 bytes", CLAIM_SAYS, CLAIM_SAYS,
     GOES_NOTHING, "UserDataSizeLimitExceeded"},
    {"InvalidAMIID.Malformed", "x", CLAIM_SAYS, CLAIM_SAYS, GOES_NOTHING, "InvalidAMIID"},
    {"InvalidAMIID.NotFound", "x", CLAIM_SAYS, CLAIM_SAYS, GOES_NOTHING, "AMINotFound"},
    {"RequestLimitExceeded", "x", CLAIM_SAYS, CLAIM_SAYS, GOES_NOTHING, "RequestLimitExceeded"},
    {"InternalError", "x", CLAIM_SAYS, CLAIM_SAYS, GOES_NOTHING, "InternalError"},
    {"InvalidParameterCombination", "The type is not eligible for Free Tier.", CLAIM_SAYS,
     CLAIM_SAYS, GOES_NOTHING, "FreeTierIneligible"},
    {"PendingVerification", "x", CLAIM_SAYS, CLAIM_SAYS, GOES_NOTHING,
     "AccountPendingVerification"},
    {"SomethingNew", "x", CLAIM_SAYS, CLAIM_SAYS, GOES_NOTHING, "LaunchFailed"},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

/* The same error for both types. */
static void answer_with(struct bench *b, uint64_t id, size_t row)
{
    struct ec2_fleet_launch_template_overrides o[] = {
        {.instance_type = STR("m5.large"), .availability_zone = STR("us-east-1a")},
        {.instance_type = STR("m5.xlarge"), .availability_zone = STR("us-east-1a")}};
    struct ec2_launch_template_and_overrides_response of[] = {{.overrides = &o[0]},
                                                              {.overrides = &o[1]}};
    struct ec2_create_fleet_error errors[2];
    for (size_t i = 0; i < 2; i++) {
        errors[i] = (struct ec2_create_fleet_error){.launch_template_and_overrides = &of[i],
                                                    .lifecycle = STR("spot"),
                                                    .error_code = str_of(rows[row].code),
                                                    .error_message = str_of(rows[row].message)};
    }
    const struct ec2_create_fleet_result result = {.errors = {.v = errors, .n = 2}};
    bench_reply(b, id, &result);
}

static void expect(struct bench *b, size_t row, enum follows follows, const char *how)
{
    char wanted[128];
    const struct action *action = b->out.v.n == 0 ? NULL : bench_only(b, ACTION_WRITE);
    const uint32_t n = n_gone(b);
    const bool goes = rows[row].goes == GOES_NOTHING ? n == 0
                      : rows[row].goes == GOES_TWO   ? n >= 2 && n < 20
                                                     : n > 100;
    bool good = false;
    (void)snprintf(wanted, sizeof wanted, "\"status\":\"Unknown\",\"reason\":\"%s\"",
                   rows[row].reason);
    if (follows == CLAIM_GOES) {
        good = action != NULL && action->write.verb == K8S_WRITE_DELETE && goes;
    } else if (follows == CLAIM_SAYS) {
        char body[4096] = "";
        if (action != NULL && action->write.body.n < sizeof body) {
            memcpy(body, action->write.body.p, action->write.body.n);
        }
        good = action != NULL && str_eq(action->write.subresource, STR("status")) &&
               strstr(body, wanted) != NULL && goes;
    } else {
        b->now.mono += 61 * 1000;
        bench_step(b);
        good = goes && bench_only(b, ACTION_CALL)->operation == &aws_ec2_create_launch_template;
    }
    if (!good) {
        fail_msg("%s, %s %s: %zu actions, %u offerings gone", rows[row].code, rows[row].message,
                 how, b->out.v.n, n);
    }
}

static void each_code_is_answered_as_the_table_says(void **state)
{
    bool seen[64] = {false};
    (void)state;
    for (size_t i = 0; i < N_ROWS; i++) {
        struct bench b;
        bench_open(&b);
        answer_with(&b, until_fleet(&b)->id, i);
        expect(&b, i, rows[i].in_answer, "in the answer");
        bench_close(&b);

        bench_open(&b);
        const struct aws_fault fault = {.kind = aws_fault_kind_of_code(str_of(rows[i].code)),
                                        .status = 400,
                                        .code = str_of(rows[i].code),
                                        .message = str_of(rows[i].message)};
        bench_fault(&b, until_fleet(&b)->id, &fault);
        expect(&b, i, rows[i].as_fault, "as the end of the call");
        bench_close(&b);
        const uint32_t row = fleet_error_find(str_of(rows[i].code), str_of(rows[i].message));
        assert_true(row < 64);
        seen[row] = true;
    }
    for (uint32_t i = 0; i < fleet_error_n_rows; i++) {
        if (!seen[i]) {
            fail_msg("no row of this test is about %s (%s)", fleet_error_rows[i].code,
                     fleet_error_rows[i].message);
        }
    }
}

/* ---- what is not an error ---- */

static const struct ec2_create_fleet_instance *instance(struct bench *b)
{
    struct ec2_create_fleet_instance *got =
        ARENA_ARRAY(&b->arena, struct ec2_create_fleet_instance, 1);
    struct str *ids = ARENA_ARRAY(&b->arena, struct str, 1);
    ids[0] = STR("i-1");
    got->instance_ids = (struct aws_texts){.v = ids, .n = 1};
    got->instance_type = STR("m5.xlarge");
    got->lifecycle = STR("spot");
    got->launch_template_and_overrides =
        ARENA_NEW(&b->arena, struct ec2_launch_template_and_overrides_response);
    got->launch_template_and_overrides->overrides =
        ARENA_NEW(&b->arena, struct ec2_fleet_launch_template_overrides);
    got->launch_template_and_overrides->overrides->availability_zone = STR("us-east-1a");
    got->launch_template_and_overrides->overrides->image_id = STR("ami-1");
    return got;
}

/* An instance, and an error for the other type: launched, and the error is remembered. */
static void errors_that_come_with_an_instance_are_remembered(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    const uint64_t id = until_fleet(&b)->id;
    struct ec2_fleet_launch_template_overrides o = {.instance_type = STR("m5.large"),
                                                    .availability_zone = STR("us-east-1a")};
    struct ec2_launch_template_and_overrides_response of = {.overrides = &o};
    struct ec2_create_fleet_error error = {.launch_template_and_overrides = &of,
                                           .error_code = STR("InsufficientInstanceCapacity")};
    const struct ec2_create_fleet_result result = {
        .errors = {.v = &error, .n = 1},
        .instances = {.v = (struct ec2_create_fleet_instance *)instance(&b), .n = 1}};
    bench_reply(&b, id, &result);
    assert_int_equal(n_gone(&b), 1);
    bench_step(&b);
    const struct k8s_write *write = &bench_only(&b, ACTION_WRITE)->write;
    assert_true(write->subresource.n == 0); /* labels first, and what the class was like */
    assert_true(str_has(write->body,
                        STR("{\"karpenter.k8s.aws/ec2nodeclass-hash\":\"42\",\"karpenter.k8s.aws/"
                            "ec2nodeclass-hash-version\":\"v5\",\"karpenter.k8s.aws/"
                            "instance-profile-name\":\"nodes\"}")));
    bench_close(&b);
}

static void an_empty_answer_is_said(void **state)
{
    const struct ec2_create_fleet_result result = {.fleet_id = STR("f-1")};
    struct bench b;
    (void)state;
    bench_open(&b);
    bench_reply(&b, until_fleet(&b)->id, &result);
    assert_int_equal(n_gone(&b), 0);
    assert_true(str_eq(bench_only(&b, ACTION_WRITE)->write.subresource, STR("status")));
    bench_close(&b);
}

/* Nobody knows whether it was done: looked for page by page, then asked for with the same token. */
static void a_lost_call_is_looked_for_on_all_pages(void **state)
{
    const struct aws_fault lost = {.kind = AWS_FAULT_TRANSIENT, .maybe_done = true};
    struct ec2_describe_instances_result page = {.next_token = STR("more")};
    struct bench b;
    char token[256];
    (void)state;
    bench_open(&b);
    const struct action *action = until_fleet(&b);
    const struct ec2_create_fleet_request *fleet = action->request;
    (void)snprintf(token, sizeof token, STR_FMT, STR_ARG(fleet->client_token));
    bench_fault(&b, action->id, &lost);
    b.now.mono += 2000;
    bench_step(&b);
    action = bench_only(&b, ACTION_CALL);
    assert_ptr_equal(action->operation, &aws_ec2_describe_instances);
    bench_reply(&b, action->id, &page);
    action = bench_only(&b, ACTION_CALL);
    const struct ec2_describe_instances_request *look = action->request;
    assert_ptr_equal(action->operation, &aws_ec2_describe_instances);
    assert_true(str_eq(look->next_token, STR("more")));
    page.next_token = STR_EMPTY;
    bench_reply(&b, action->id, &page);
    bench_step(&b);
    action = bench_only(&b, ACTION_CALL);
    fleet = action->request;
    assert_ptr_equal(action->operation, &aws_ec2_create_fleet);
    assert_true(str_eq(fleet->client_token, str_of(token)));
    bench_close(&b);
}

/* A launch template that may not have been made is made again. */
static void a_template_is_remembered_when_ec2_has_it(void **state)
{
    const struct aws_fault failed = {.kind = AWS_FAULT_TRANSIENT, .status = 503};
    struct bench b;
    char note[128];
    (void)state;
    bench_open(&b);
    bench_put(&b, "EC2NodeClass", class_json);
    put_claim(&b, "");
    bench_step(&b);
    const struct action *action = bench_only(&b, ACTION_WRITE);
    const uint64_t id = action->id;
    note_from(action, note, sizeof note);
    bench_written(&b, id, K8S_WRITE_DONE);
    put_claim(&b, note);
    bench_step(&b);
    bench_fault(&b, bench_only(&b, ACTION_CALL)->id, &failed);
    b.now.mono += 2000;
    bench_step(&b);
    assert_ptr_equal(bench_only(&b, ACTION_CALL)->operation, &aws_ec2_create_launch_template);
    bench_close(&b);
}

/* Several claims that need the same template have it made once. */
static void a_template_is_made_once(void **state)
{
    struct bench b;
    uint64_t ids[2];
    char notes[2][128];
    (void)state;
    bench_open(&b);
    bench_put(&b, "EC2NodeClass", class_json);
    put_claim_as(&b, 1, "", "");
    put_claim_as(&b, 2, "", "");
    bench_step(&b);
    assert_int_equal(b.out.v.n, 2);
    for (int i = 0; i < 2; i++) {
        ids[i] = b.out.v.v[i].id;
        note_from(&b.out.v.v[i], notes[i], sizeof notes[i]);
    }
    for (int i = 0; i < 2; i++) {
        bench_written(&b, ids[i], K8S_WRITE_DONE);
        put_claim_as(&b, i + 1, notes[i], "");
    }
    for (int n_made = 0;; n_made++) {
        bench_step(&b);
        if (b.out.v.n == 2) { /* both go on at once */
            assert_true(n_made > 0);
            break;
        }
        const struct action *made = bench_only(&b, ACTION_CALL);
        assert_ptr_equal(made->operation, &aws_ec2_create_launch_template);
        const struct ec2_create_launch_template_result result = {.launch_template = NULL};
        bench_reply(&b, made->id, &result);
        b.now.mono += 100;
    }
    for (int i = 0; i < 2; i++) {
        assert_ptr_equal(b.out.v.v[i].operation, &aws_ec2_create_fleet);
    }
    bench_close(&b);
}

/* Deleted between the note and the call: who has written the note knows that nothing was launched;
 * anybody else looks first. */
static void a_claim_that_was_not_asked_for_goes_at_once(void **state)
{
    static const char deleted[] = ", \"deletionTimestamp\": \"2026-09-21T14:13:21Z\"";
    struct bench b;
    char note[128];
    (void)state;
    for (int own = 0; own < 2; own++) {
        bench_open(&b);
        bench_put(&b, "EC2NodeClass", class_json);
        put_claim(&b, "");
        bench_step(&b);
        const struct action *action = bench_only(&b, ACTION_WRITE);
        const uint64_t id = action->id;
        note_from(action, note, sizeof note);
        bench_written(&b, id, K8S_WRITE_DONE);
        if (!own) {
            lifecycle_restart(b.lifecycle);
        }
        put_claim_as(&b, 1, note, deleted);
        bench_step(&b);
        if (own) {
            assert_int_equal(bench_only(&b, ACTION_WRITE)->write.verb, K8S_WRITE_JSON_PATCH);
        } else {
            assert_ptr_equal(bench_only(&b, ACTION_CALL)->operation, &aws_ec2_describe_instances);
        }
        bench_close(&b);
    }
    bench_open(&b);
    const uint64_t fleet = until_fleet(&b)->id; /* once it is called, nobody knows */
    const struct aws_fault lost = {.kind = AWS_FAULT_TRANSIENT, .maybe_done = true};
    bench_fault(&b, fleet, &lost);
    put_claim_as(&b, 1, note, deleted);
    bench_step(&b);
    assert_ptr_equal(bench_only(&b, ACTION_CALL)->operation, &aws_ec2_describe_instances);
    bench_close(&b);
}

/* What another claim has found out is not asked again. */
static void a_claim_without_hope_goes_without_a_call(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    answer_with(&b, until_fleet(&b)->id, 0);
    bench_put(&b, "NodeClaim",
              "{\"metadata\": {\"name\": \"a-2\", \"uid\": \"u-2\", \"finalizers\": "
              "[\"karpenter.sh/termination\"]}, \"spec\": {\"nodeClassRef\": {\"group\": "
              "\"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", \"name\": \"default\"}, "
              "\"requirements\": [{\"key\": \"node.kubernetes.io/instance-type\", \"operator\": "
              "\"In\", \"values\": [\"m5.large\"]}, {\"key\": \"topology.kubernetes.io/zone\", "
              "\"operator\": \"In\", \"values\": [\"us-east-1a\"]}, {\"key\": "
              "\"karpenter.sh/capacity-type\", \"operator\": \"In\", \"values\": [\"spot\"]}]}}");
    bench_step(&b);
    const struct action *action = bench_only(&b, ACTION_WRITE);
    assert_int_equal(action->write.verb, K8S_WRITE_DELETE);
    assert_true(str_eq(action->write.name, STR("a-2")));
    bench_close(&b);
}

/* ---- what may be launched ---- */

/* A claim of its own: its requirements, and its requests. */
static const struct action *launch_of(struct bench *b, const char *requirements,
                                      const char *requests)
{
    char json[4096], note[128];
    static const char *const head =
        "{\"metadata\": {\"name\": \"own\", \"uid\": \"u-1\", \"creationTimestamp\": "
        "\"2026-09-21T14:13:20Z\", \"finalizers\": [\"karpenter.sh/termination\"], "
        "\"annotations\": {%s%s%s}}, \"spec\": {\"nodeClassRef\": {\"group\": "
        "\"karpenter.k8s.aws\", \"kind\": \"EC2NodeClass\", \"name\": \"default\"}, "
        "\"requirements\": [%s], \"resources\": {\"requests\": {%s}}}}";
    bench_put(b, "EC2NodeClass", class_json);
    (void)snprintf(json, sizeof json, head, "", "", "", requirements, requests);
    bench_put(b, "NodeClaim", json);
    bench_step(b);
    const struct action *action = bench_only(b, ACTION_WRITE);
    if (str_eq(action->write.subresource, STR("status"))) {
        return action;
    }
    const uint64_t id = action->id;
    note_from(action, note, sizeof note);
    bench_written(b, id, K8S_WRITE_DONE);
    (void)snprintf(json, sizeof json, head, "\"binpack/launch\": \"", note, "\"", requirements,
                   requests);
    bench_put(b, "NodeClaim", json);
    for (bench_step(b);; bench_step(b)) {
        action = bench_only(b, ACTION_CALL);
        if (action->operation == &aws_ec2_create_fleet) {
            return action;
        }
        const struct ec2_create_launch_template_result made = {0};
        bench_reply(b, action->id, &made);
    }
}

#define IN(key, values) "{\"key\": \"" key "\", \"operator\": \"In\", \"values\": [" values "]}"
#define OTHER(key, op, values)                                                                     \
    "{\"key\": \"" key "\", \"operator\": \"" op "\", \"values\": [" values "]}"
#define TYPES(values) IN("node.kubernetes.io/instance-type", values)
#define ON_DEMAND     IN("karpenter.sh/capacity-type", "\"on-demand\"")
#define TWO           TYPES("\"m5.large\", \"m5.4xlarge\"") ", " ON_DEMAND

static const struct {
    const char *requirements, *requests;
    const char *types;         /* of all overrides, in order; "": the claim goes */
    const char *capacity_type; /* that the fleet asks for */
} claims[] = {
    {TWO, "", "m5.large m5.4xlarge", "on-demand"},
    {TWO ", " OTHER("karpenter.k8s.aws/instance-cpu", "Gt", "\"8\""), "", "m5.4xlarge",
     "on-demand"},
    {TWO ", " OTHER("karpenter.k8s.aws/instance-cpu", "Lt", "\"8\""), "", "m5.large", "on-demand"},
    {TWO ", " IN("karpenter.k8s.aws/instance-cpu", "\"16\""), "", "m5.4xlarge", "on-demand"},
    {TWO ", " OTHER("node.kubernetes.io/instance-type", "NotIn", "\"m5.large\""), "", "m5.4xlarge",
     "on-demand"},
    {TWO, "\"cpu\": \"12\"", "m5.4xlarge", "on-demand"},
    {TWO, "\"cpu\": \"17\"", "", ""},
    {TWO, "\"example.com/unheard-of\": \"1\"", "", ""},
    {TWO ", " OTHER("topology.kubernetes.io/zone", "NotIn", "\"us-east-1a\""), "", "", ""},
    {TWO ", " OTHER("topology.kubernetes.io/zone", "NotIn", "\"us-east-1b\""), "",
     "m5.large m5.4xlarge", "on-demand"},
    {TWO ", " IN("topology.k8s.aws/zone-id", "\"use1-az1\""), "", "m5.large m5.4xlarge",
     "on-demand"},
    {TWO ", " IN("topology.k8s.aws/zone-id", "\"use1-az9\""), "", "", ""},
    {TWO ", " IN("kubernetes.io/arch", "\"arm64\""), "", "", ""},
    {TWO ", " IN("kubernetes.io/os", "\"windows\""), "", "", ""},
    {TWO ", " OTHER("karpenter.k8s.aws/instance-gpu-count", "Exists", ""), "", "", ""},
    {TWO ", " OTHER("karpenter.k8s.aws/instance-gpu-count", "DoesNotExist", ""), "",
     "m5.large m5.4xlarge", "on-demand"},
    /* what the node is given, and no type has */
    {TWO ", " IN("team", "\"a\""), "", "m5.large m5.4xlarge", "on-demand"},
    {TYPES("\"m5.large\""), "", "m5.large", "spot"},
    {TYPES("\"m5.large\"") ", " OTHER("karpenter.sh/capacity-type", "NotIn", "\"on-demand\""), "",
     "m5.large", "spot"},
    {TYPES("\"m5.large\"") ", " OTHER("karpenter.sh/capacity-type", "NotIn", "\"spot\""), "",
     "m5.large", "on-demand"},
    {TYPES("\"m5.large\"") ", " IN("karpenter.sh/capacity-type", "\"reserved\""), "", "", ""},
    {TYPES("\"m5.large\"") ", " IN("karpenter.sh/capacity-type", "\"reserved\", \"on-demand\""), "",
     "m5.large", "on-demand"},
    /* without a list of types: the cheapest first, and bare metal only for those who name it */
    {IN("karpenter.k8s.aws/instance-family", "\"m5\"") ", " ON_DEMAND, "\"cpu\": \"12\"",
     "m5.4xlarge m5.8xlarge m5.12xlarge m5.16xlarge m5.24xlarge", "on-demand"},
    {IN("karpenter.k8s.aws/instance-family", "\"m5\"") ", " IN("karpenter.k8s.aws/instance-size",
                                                               "\"metal\"") ", " ON_DEMAND,
     "", "m5.metal", "on-demand"},
};

static void text_of_types(const struct ec2_create_fleet_request *fleet, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t c = 0; c < fleet->launch_template_configs.n; c++) {
        const struct ec2_fleet_launch_template_config_request *config =
            &fleet->launch_template_configs.v[c];
        for (size_t i = 0; i < config->overrides.n; i++) {
            const size_t n = strlen(text);
            (void)snprintf(text + n, size - n, "%s" STR_FMT, n > 0 ? " " : "",
                           STR_ARG(config->overrides.v[i].instance_type));
        }
    }
}

static void a_claim_is_launched_as_what_all_of_it_allows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        struct bench b;
        char types[1024] = "";
        struct str capacity_type = STR_EMPTY;
        bench_open(&b);
        const struct action *action = launch_of(&b, claims[i].requirements, claims[i].requests);
        if (action->type == ACTION_CALL) {
            const struct ec2_create_fleet_request *fleet = action->request;
            text_of_types(fleet, types, sizeof types);
            capacity_type = fleet->target_capacity_specification->default_target_capacity_type;
        }
        if (strcmp(types, claims[i].types) != 0 ||
            !str_eq(capacity_type, str_of(claims[i].capacity_type))) {
            fail_msg("%s, requests {%s}: %s of " STR_FMT, claims[i].requirements,
                     claims[i].requests, types, STR_ARG(capacity_type));
        }
        bench_close(&b);
    }
}

/* It says why, and goes; no call is made. */
static void a_claim_that_nothing_suits_says_so_and_goes(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    const struct action *action = launch_of(&b, TWO, "\"cpu\": \"17\"");
    assert_true(str_has(action->write.body, STR("\"reason\":\"InsufficientCapacity\"")));
    assert_int_equal(lifecycle_counts(b.lifecycle).n_no_capacity, 1);
    bench_written(&b, action->id, K8S_WRITE_DONE);
    b.now.mono += 6000;
    bench_step(&b);
    action = bench_only(&b, ACTION_WRITE);
    assert_int_equal(action->write.verb, K8S_WRITE_DELETE);
    assert_true(str_eq(action->write.name, STR("own")));
    bench_close(&b);
}

/* No more than sixty, and those the cheapest. */
static void an_open_claim_asks_for_sixty_types(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b);
    const struct ec2_create_fleet_request *fleet =
        launch_of(&b, IN("kubernetes.io/arch", "\"amd64\"") ", " ON_DEMAND, "")->request;
    size_t n = 0;
    for (size_t c = 0; c < fleet->launch_template_configs.n; c++) {
        n += fleet->launch_template_configs.v[c].overrides.n;
    }
    assert_int_equal(n, 60);
    bench_close(&b);
}

/* In a cluster of IPv6, known by the address of kube-dns, interfaces have theirs, and nodes are
 * told where to ask for names. */
static void nodes_of_an_ipv6_cluster_have_such_addresses(void **state)
{
    static const char *const dns[] = {"10.100.0.10", "fd30:1c53:5f8a::a"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bench b;
        char note[128];
        bench_open(&b);
        b.dns_ip = str_of(dns[i]);
        bench_put(&b, "EC2NodeClass", class_json);
        put_claim(&b, "");
        bench_step(&b);
        const struct action *action = bench_only(&b, ACTION_WRITE);
        const uint64_t id = action->id;
        note_from(action, note, sizeof note);
        bench_written(&b, id, K8S_WRITE_DONE);
        put_claim(&b, note);
        bench_step(&b);
        action = bench_only(&b, ACTION_CALL);
        assert_ptr_equal(action->operation, &aws_ec2_create_launch_template);
        const struct ec2_create_launch_template_request *template = action->request;
        const struct ec2_request_launch_template_data *data = template->launch_template_data;
        struct str user_data;
        assert_int_equal(data->network_interfaces.v[0].primary_ipv6.has, i);
        assert_int_equal(data->network_interfaces.v[0].ipv6_address_count.v, i);
        assert_true(base64_decode(data->user_data, &b.arena, &user_data));
        assert_true(str_has(user_data, str_of(dns[i])));
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_is_answered_as_the_table_says),
        cmocka_unit_test(errors_that_come_with_an_instance_are_remembered),
        cmocka_unit_test(an_empty_answer_is_said),
        cmocka_unit_test(a_lost_call_is_looked_for_on_all_pages),
        cmocka_unit_test(a_template_is_remembered_when_ec2_has_it),
        cmocka_unit_test(a_template_is_made_once),
        cmocka_unit_test(a_claim_that_was_not_asked_for_goes_at_once),
        cmocka_unit_test(a_claim_without_hope_goes_without_a_call),
        cmocka_unit_test(a_claim_is_launched_as_what_all_of_it_allows),
        cmocka_unit_test(a_claim_that_nothing_suits_says_so_and_goes),
        cmocka_unit_test(an_open_claim_asks_for_sixty_types),
        cmocka_unit_test(nodes_of_an_ipv6_cluster_have_such_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

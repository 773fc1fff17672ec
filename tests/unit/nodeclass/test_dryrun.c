/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dry runs against an EC2 that gives the answers of a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "awsapi/service_ec2.h"
#include "base/arena.h"
#include "provisioner/nodeclass/dryrun.h"

enum { ANSWERS_MAX = 6, ASKED_MAX = 256 };

struct answer {
    enum aws_fault_kind kind;
    const char *code, *message;
};

#define OK                                                                                         \
    {                                                                                              \
        AWS_FAULT_NONE, "", ""                                                                     \
    }
#define DRY                                                                                        \
    {                                                                                              \
        AWS_FAULT_DRY_RUN, "DryRunOperation", "it would"                                           \
    }
#define DENIED                                                                                     \
    {                                                                                              \
        AWS_FAULT_UNAUTHORIZED, "UnauthorizedOperation", "not you"                                 \
    }
#define SLOW                                                                                       \
    {                                                                                              \
        AWS_FAULT_THROTTLED, "RequestLimitExceeded", "slow down"                                   \
    }
#define NOBODY                                                                                     \
    "User is not authorized to perform this operation because no identity-based policy allows it"
#define PROFILE                                                                                    \
    {                                                                                              \
        AWS_FAULT_INVALID, "InvalidParameterValue",                                                \
            "Value (p) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance "    \
            "Profile name"                                                                         \
    }

static const struct row {
    const char *name;
    const char *spec; /* besides what every class here has */
    struct answer answers[ANSWERS_MAX];
    const char *asked, *status, *reason, *message;
    bool keep;
} rows[] = {
    {"would work", "", {OK, DRY, DRY, OK}, "make fleet run-1 remove", "True", "", "", true},
    {"the template is there",
     "",
     {{AWS_FAULT_ALREADY, "InvalidLaunchTemplateName.AlreadyExistsException", ""}, DRY, DRY, OK},
     "make fleet run-1 remove",
     "True",
     "",
     "",
     true},
    {"no template",
     "",
     {DENIED},
     "make",
     "False",
     "CreateLaunchTemplateAuthCheckFailed",
     "Controller isn't authorized to call ec2:CreateLaunchTemplate: " NOBODY,
     true},
    {"no fleet",
     "",
     {OK, DENIED, OK},
     "make fleet remove",
     "False",
     "CreateFleetAuthCheckFailed",
     "Controller isn't authorized to call ec2:CreateFleet: " NOBODY,
     true},
    {"no instance",
     "",
     {OK, DRY, DENIED, DENIED, OK},
     "make fleet run-1 run-2 remove",
     "False",
     "RunInstancesAuthCheckFailed",
     "Controller isn't authorized to call ec2:RunInstances: " NOBODY,
     true},
    {"one subnet will do",
     "",
     {OK, DRY, DENIED, DRY, OK},
     "make fleet run-1 run-2 remove",
     "True",
     "",
     "",
     true},
    {"the first one counts",
     "",
     {OK, DRY, SLOW, DENIED, OK},
     "make fleet run-1 run-2 remove",
     "Unknown",
     "AwaitingReconciliation",
     "text of 2",
     false},
    {"a boundary",
     "",
     {OK,
      {AWS_FAULT_UNAUTHORIZED, "UnauthorizedOperation",
       "x with an explicit deny in a permissions boundary"},
      OK},
     "make fleet remove",
     "False",
     "CreateFleetAuthCheckFailed",
     "Controller isn't authorized to call ec2:CreateFleet: User is not authorized to perform this "
     "operation due to a permission boundary",
     true},
    {"a control policy",
     "",
     {OK,
      {AWS_FAULT_UNAUTHORIZED, "UnauthorizedOperation",
       "x with an explicit deny in a service control policy"},
      OK},
     "make fleet remove",
     "False",
     "CreateFleetAuthCheckFailed",
     "Controller isn't authorized to call ec2:CreateFleet: User is not authorized to perform this "
     "operation due to a service control policy",
     true},
    {"the image",
     "",
     {OK, {AWS_FAULT_UNAUTHORIZED, "AuthFailure", "Not authorized for images: [ami-1]"}, OK},
     "make fleet remove",
     "False",
     "CreateFleetAuthCheckFailed",
     "Controller isn't authorized to call ec2:CreateFleet: User is not authorized for AMI used in "
     "instance launch",
     true},
    {"too much user data",
     "",
     {{AWS_FAULT_INVALID, "InvalidUserData.Malformed", "User data is limited to 16384 bytes"}},
     "make",
     "False",
     "UserDataSizeLimitExceeded",
     "ec2:CreateLaunchTemplate rejected the rendered user data as too large: Rendered user data "
     "exceeds the EC2 user data size limit",
     true},
    {"throttled at once",
     "",
     {SLOW},
     "make",
     "Unknown",
     "AwaitingReconciliation",
     "text of 0",
     false},
    {"throttled later",
     "",
     {OK, SLOW, OK},
     "make fleet remove",
     "Unknown",
     "AwaitingReconciliation",
     "text of 1",
     false},
    {"removing fails", "", {OK, DRY, DRY, DENIED}, "make fleet run-1 remove", "True", "", "", true},
    {"a profile that is not seen yet",
     "",
     {OK, DRY, PROFILE, PROFILE, OK},
     "make fleet run-1 run-2 remove",
     "False",
     "InstanceProfileNotFound",
     "Instance profile \"p\" not found",
     false},
    {"one that was made for a role",
     ", \"instanceProfile\": null, \"role\": \"r\"",
     {OK, DRY, PROFILE, PROFILE, OK},
     "make fleet run-1 run-2 remove",
     "Unknown",
     "AwaitingReconciliation",
     "text of 2",
     false},
    {"user data that cannot be",
     ", \"amiFamily\": \"Bottlerocket\", \"userData\": \"[\"",
     {OK},
     "",
     "Unknown",
     "AwaitingReconciliation",
     NULL,
     false},
};

static void resolve(struct nodeclass_status *status)
{
    static struct nodeclass_subnet subnets[] = {{.id = STR("subnet-1"), .zone = STR("a")},
                                                {.id = STR("subnet-2"), .zone = STR("b")}};
    static struct nodeclass_group group = {.id = STR("sg-1")};
    static struct nodeclass_image images[] = {
        {.id = STR("ami-0"), .arch = STR("amd64"), .variant = NODECLASS_NVIDIA},
        {.id = STR("ami-1"), .arch = STR("arm64"), .variant = NODECLASS_STANDARD}};
    *status = (struct nodeclass_status){.n_subnets = 2,
                                        .subnets = subnets,
                                        .n_groups = 1,
                                        .groups = &group,
                                        .n_images = 2,
                                        .images = images,
                                        .instance_profile = STR("p")};
}

/* What is asked, in a word; and that it is asked as it must be. */
static void note(const struct nodeclass_question *question, char *asked)
{
    const size_t n = strlen(asked);
    const char *blank = n > 0 ? " " : "";
    if (question->operation == &aws_ec2_create_launch_template) {
        const struct ec2_create_launch_template_request *r = question->input;
        assert_false(r->dry_run.has);
        assert_true(
            str_eq(r->launch_template_data->image_id, STR("ami-1"))); /* not the one for GPUs */
        (void)snprintf(asked + n, ASKED_MAX - n, "%smake", blank);
    } else if (question->operation == &aws_ec2_create_fleet) {
        const struct ec2_create_fleet_request *r = question->input;
        assert_true(r->dry_run.has && r->dry_run.v);
        assert_int_equal(r->launch_template_configs.v[0].overrides.n, 2);
        assert_true(
            str_eq(r->launch_template_configs.v[0].overrides.v[1].instance_type, STR("m6g.large")));
        assert_true(str_eq(r->tag_specifications.v[2].resource_type, STR("fleet")));
        (void)snprintf(asked + n, ASKED_MAX - n, "%sfleet", blank);
    } else if (question->operation == &aws_ec2_run_instances) {
        const struct ec2_run_instances_request *r = question->input;
        assert_true(r->dry_run.has && r->dry_run.v && r->subnet_id.n == 0);
        assert_true(str_eq(r->tag_specifications.v[2].resource_type, STR("network-interface")));
        (void)snprintf(asked + n, ASKED_MAX - n, "%srun-%c", blank,
                       r->network_interfaces.v[0].subnet_id.p[7]);
    } else {
        assert_ptr_equal(question->operation, &aws_ec2_delete_launch_template);
        (void)snprintf(asked + n, ASKED_MAX - n, "%sremove", blank);
    }
}

static void test_row(const struct row *row)
{
    auto_arena arena = ARENA_INIT;
    struct err err;
    struct nodeclass class;
    struct nodeclass_status status;
    struct nodeclass_question question;
    char asked[ASKED_MAX] = "", text[32];
    int answer_i = 0;
    struct strbuf b = strbuf_new(&arena, 4096);
    strbuf_addf(
        &b,
        "{\"metadata\": {\"name\": \"c\", \"uid\": \"u\"}, \"spec\": {\"amiFamily\": \"AL2023\", "
        "\"instanceProfile\": \"p\", \"amiSelectorTerms\": [{\"id\": \"ami-1\"}], "
        "\"subnetSelectorTerms\": [{\"id\": \"subnet-1\"}], \"securityGroupSelectorTerms\": "
        "[{\"id\": \"sg-1\"}]%s}}",
        row->spec);
    json_t *object = json_loads(str_cstr(&arena, strbuf_str(&b)), 0, NULL);
    assert_non_null(object);
    assert_true(nodeclass_decode(object, &arena, &class, &err));
    resolve(&status);
    struct nodeclass_dryrun_facts facts = {.class = &class,
                                           .status = &status,
                                           .cluster = {.name = STR("shop"),
                                                       .endpoint = STR("https://e"),
                                                       .ca = STR("Y2E="),
                                                       .cidr = STR("10.0.0.0/16")},
                                           .region = STR("eu-west-1")};
    assert_true(nodeclass_family(&class, &facts.family, &err));
    facts.trial = nodeclass_dryrun_choose(facts.family, &status, NULL, 0);
    struct nodeclass_dryrun *d = nodeclass_dryrun_new(&facts, &arena);
    while (nodeclass_dryrun_next(d, &question)) {
        const struct answer *a = &row->answers[answer_i];
        const struct aws_fault fault = {
            .kind = a->kind, .code = str_of(a->code), .message = str_of(a->message)};
        struct nodeclass_question again;
        assert_false(nodeclass_dryrun_next(d, &again)); /* one at a time */
        note(&question, asked);
        (void)snprintf(text, sizeof text, "text of %d", answer_i++);
        nodeclass_dryrun_end(d, &fault, str_of(text));
    }
    assert_true(nodeclass_dryrun_is_over(d));
    const struct nodeclass_verdict verdict = nodeclass_dryrun_verdict(d);
    assert_string_equal(asked, row->asked);
    assert_string_equal(str_cstr(&arena, nodeclass_truth_name(verdict.condition.status)),
                        row->status);
    assert_string_equal(str_cstr(&arena, verdict.condition.reason), row->reason);
    if (row->message != NULL) {
        assert_string_equal(str_cstr(&arena, verdict.condition.message), row->message);
    } else {
        assert_true(str_has(verdict.condition.message, STR("userData")));
    }
    assert_int_equal(verdict.keep, row->keep);
    json_decref(object);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("# %s\n", rows[i].name);
        test_row(&rows[i]);
    }
}

/* ---- what is tried ---- */

static const struct nodeclass_type gpu = {
    .name = STR("g5.xlarge"), .arch = STR("amd64"), .has_gpus = true, .max_pods = 58};
static const struct nodeclass_type intel = {
    .name = STR("c7i.large"), .arch = STR("amd64"), .max_pods = 20};
static const struct nodeclass_type arm = {
    .name = STR("c7g.large"), .arch = STR("arm64"), .max_pods = 21};

static void test_choice(void **state)
{
    static const struct {
        const char *name;
        enum nodeclass_family family;
        const struct nodeclass_type *types[3];
        const char *type, *image;
    } choices[] = {
        {"no NodePool", NODECLASS_AL2023, {NULL}, "m6g.large", "ami-1"},
        {"the first with a standard image", NODECLASS_AL2023, {&gpu, &arm}, "c7g.large", "ami-1"},
        {"no image for its architecture", NODECLASS_AL2023, {&intel, &arm}, "c7g.large", "ami-1"},
        {"GPUs and nothing else", NODECLASS_AL2023, {&intel, &gpu}, "g5.xlarge", "ami-0"},
        {"no image for any", NODECLASS_AL2023, {&intel}, "m6g.large", "ami-1"},
        {"Windows", NODECLASS_WINDOWS2022, {&arm}, "m6g.large", "ami-1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        struct nodeclass_status status;
        struct nodeclass_type types[3];
        uint32_t n = 0;
        resolve(&status);
        print_message("# %s\n", choices[i].name);
        while (choices[i].types[n] != NULL) {
            types[n] = *choices[i].types[n];
            n++;
        }
        const struct nodeclass_trial trial =
            nodeclass_dryrun_choose(choices[i].family, &status, types, n);
        assert_true(str_eq(trial.type.name, str_of(choices[i].type)));
        assert_true(str_eq(trial.image->id, str_of(choices[i].image)));
    }
}

/* In a cluster of IPv6 the interface is asked to have its address. */
static void test_ipv6(void **state)
{
    static const bool both[] = {false, true};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        auto_arena arena = ARENA_INIT;
        struct nodeclass class;
        struct nodeclass_status status;
        struct nodeclass_question question;
        struct err err;
        json_t *object = json_loads(
            "{\"metadata\": {\"name\": \"c\"}, \"spec\": {\"instanceProfile\": \"p\"}}", 0, NULL);
        assert_true(nodeclass_decode(object, &arena, &class, &err));
        resolve(&status);
        const struct nodeclass_dryrun_facts facts = {
            .class = &class,
            .family = NODECLASS_BOTTLEROCKET,
            .status = &status,
            .cluster = {.name = STR("shop"), .endpoint = STR("https://e"), .ca = STR("Y2E=")},
            .region = STR("eu-west-1"),
            .trial = {.type = arm, .image = &status.images[1]},
            .ipv6 = both[i]};
        struct nodeclass_dryrun *d = nodeclass_dryrun_new(&facts, &arena);
        assert_true(nodeclass_dryrun_next(d, &question));
        const struct ec2_create_launch_template_request *r = question.input;
        assert_int_equal(r->launch_template_data->network_interfaces.v[0].primary_ipv6.has,
                         both[i]);
        assert_int_equal(r->launch_template_data->network_interfaces.v[0].ipv6_address_count.v,
                         both[i]);
        json_decref(object);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_choice),
                                       cmocka_unit_test(test_ipv6)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

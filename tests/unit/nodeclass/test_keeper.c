/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keeper of EC2NodeClasses against an API server and an AWS of a few lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "awsapi/service_ec2.h"
#include "awsapi/service_eks.h"
#include "awsapi/service_iam.h"
#include "awsapi/service_ssm.h"
#include "base/arena.h"
#include "base/json.h"
#include "provisioner/nodeclass/dryrun.h"
#include "provisioner/nodeclass/keeper.h"

struct world {
    struct keeper *keeper;
    json_t *object; /* as the API server has it; NULL: gone */
    int version;
    mono_t now;
    const char *fails; /* an operation of AWS that is throttled */
    int n_conflicts;   /* writes that are to be refused as too late */
    bool has_claim;    /* a NodeClaim holds the class */
    bool claim_fails;  /* it cannot be written */
    uint32_t n_claim_patches;
    const char *denied;   /* an operation of AWS that IAM refuses */
    uint32_t n_templates; /* that were made to try a launch */
    uint32_t type_i;      /* that NodePools may buy */
    char tried[64];       /* the type of the last fleet that was tried */
    uint32_t n_listed;    /* questions for old templates */
    uint32_t n_asked, n_patched, n_said, n_parameters;
    char said[256];
};

static bool claim_next(void *ctx, struct str name, uint32_t *at, struct keeper_claim *ret)
{
    const struct world *w = ctx;
    if (!w->has_claim || *at > 0 || !str_eq(name, STR("c"))) {
        return false;
    }
    (*at)++;
    *ret = (struct keeper_claim){.name = STR("claim")};
    return true;
}

static uint32_t types_of(void *ctx, struct str name, struct arena *arena,
                         const struct nodeclass_type **ret_types)
{
    const struct world *w = ctx;
    static const struct nodeclass_type types[] = {
        {.name = STR("c7i.large"), .arch = STR("amd64"), .max_pods = 29},
        {.name = STR("m5.large"), .arch = STR("amd64"), .max_pods = 29}};
    (void)arena;
    assert_true(str_eq(name, STR("c")));
    *ret_types = &types[w->type_i];
    return 1;
}

static struct keeper_moment moment(const struct world *w)
{
    return (struct keeper_moment){.mono = w->now, .wall = INT64_C(1790000000000) + w->now};
}

/* Single quotes stand for double ones. */
static json_t *parse(const char *text)
{
    auto_arena arena = ARENA_INIT;
    char *copy = str_cstr(&arena, str_of(text));
    for (char *p = copy; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    json_t *value = json_loads(copy, 0, NULL);
    assert_non_null(value);
    return value;
}

static json_t *meta_of(const struct world *w)
{
    return json_object_get(w->object, "metadata");
}

static void tell(struct world *w)
{
    char version[16];
    (void)snprintf(version, sizeof version, "%d", ++w->version);
    (void)json_object_set_new(meta_of(w), "resourceVersion", json_string(version));
    keeper_class(w->keeper, w->object);
}

static void world_begin(struct world *w, bool dry_run)
{
    const struct keeper_settings settings = {.cluster_name = STR("shop"),
                                             .region = STR("eu-west-1"),
                                             .refresh_ms = 60000,
                                             .dry_run = dry_run,
                                             .endpoint = STR("https://e"),
                                             .claim_next = claim_next,
                                             .types_of = types_of,
                                             .ctx = w};
    *w = (struct world){.keeper = keeper_new(&settings)};
    keeper_set_version(w->keeper, STR("1.33"));
    w->object = parse(
        "{'apiVersion': 'karpenter.k8s.aws/v1', 'kind': 'EC2NodeClass', 'metadata': {'name': 'c', "
        "'uid': 'u', 'generation': 1, 'creationTimestamp': '2026-01-01T00:00:00Z', 'finalizers': "
        "['of/another']}, 'spec': {'amiFamily': 'AL2023', 'instanceProfile': 'p', "
        "'amiSelectorTerms': [{'id': 'ami-1'}], 'subnetSelectorTerms': [{'id': 'subnet-1'}], "
        "'securityGroupSelectorTerms': [{'id': 'sg-1'}]}}");
    tell(w);
}

static void world_init(struct world *w)
{
    world_begin(w, /* dry_run= */ false);
}

static void world_done(struct world *w)
{
    keeper_free(w->keeper);
    json_decref(w->object);
}

static void page(struct world *w, const struct keeper_want *want)
{
    if (want->operation == &aws_ec2_describe_subnets) {
        struct ec2_subnet s = {.subnet_id = STR("subnet-1"),
                               .availability_zone = STR("eu-west-1a"),
                               .availability_zone_id = STR("euw1-az1")};
        const struct ec2_describe_subnets_result out = {.subnets = {.v = &s, .n = 1}};
        keeper_page(w->keeper, want->id, &out, moment(w));
    } else if (want->operation == &aws_ec2_describe_security_groups) {
        struct ec2_security_group g = {.group_id = STR("sg-1"), .group_name = STR("g")};
        const struct ec2_describe_security_groups_result out = {
            .security_groups = {.v = &g, .n = 1}};
        keeper_page(w->keeper, want->id, &out, moment(w));
    } else if (want->operation == &aws_ec2_describe_images) {
        struct ec2_image i = {
            .image_id = STR("ami-1"), .name = STR("i"), .architecture = STR("x86_64")};
        const struct ec2_describe_images_result out = {.images = {.v = &i, .n = 1}};
        keeper_page(w->keeper, want->id, &out, moment(w));
    } else if (want->operation == &aws_ssm_get_parameter) {
        struct ssm_parameter p = {.value = STR("ami-1")};
        const struct ssm_get_parameter_result out = {.parameter = &p};
        w->n_parameters++;
        keeper_page(w->keeper, want->id, &out, moment(w));
    } else if (want->operation == &aws_eks_describe_cluster) {
        struct eks_kubernetes_network_config_response n = {.service_ipv4_cidr = STR("10.0.0.0/16")};
        struct eks_cluster c = {.kubernetes_network_config = &n};
        const struct eks_describe_cluster_response out = {.cluster = &c};
        keeper_page(w->keeper, want->id, &out, moment(w));
    }
}

static void ask(struct world *w, const struct keeper_want *want)
{
    const bool fails = w->fails != NULL && strcmp(w->fails, want->operation->name) == 0;
    const bool absent = want->operation == &aws_iam_get_instance_profile;
    const bool denied = w->denied != NULL && strcmp(w->denied, want->operation->name) == 0;
    const bool tried =
        want->operation == &aws_ec2_create_fleet || want->operation == &aws_ec2_run_instances;
    const struct aws_fault fault = {.kind = fails    ? AWS_FAULT_THROTTLED
                                            : denied ? AWS_FAULT_UNAUTHORIZED
                                            : absent ? AWS_FAULT_NOT_FOUND
                                            : tried  ? AWS_FAULT_DRY_RUN
                                                     : AWS_FAULT_NONE};
    w->n_asked++;
    w->n_templates += want->operation == &aws_ec2_create_launch_template;
    if (want->operation == &aws_ec2_create_fleet) {
        const struct ec2_create_fleet_request *fleet = want->input;
        (void)snprintf(w->tried, sizeof w->tried, STR_FMT,
                       STR_ARG(fleet->launch_template_configs.v[0].overrides.v[0].instance_type));
    }
    w->n_listed += want->operation == &aws_ec2_describe_launch_templates;
    if (fault.kind == AWS_FAULT_NONE) {
        page(w, want);
    }
    keeper_end(w->keeper, want->id, &fault,
               fails    ? STR("slow down")
               : denied ? STR("allow it")
                        : STR_EMPTY,
               moment(w));
}

/* RFC 7386, as far as the patches here go. */
static void merge(json_t *target, const json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)patch, key, value)
    {
        if (json_is_object(value)) {
            if (!json_is_object(json_object_get(target, key))) {
                (void)json_object_set_new(target, key, json_object());
            }
            merge(json_object_get(target, key), value);
        } else if (json_is_null(value)) {
            (void)json_object_del(target, key);
        } else {
            (void)json_object_set(target, key, value);
        }
    }
}

static void patch(struct world *w, const struct keeper_want *want)
{
    auto_arena arena = ARENA_INIT;
    const char *version = json_string_value(json_object_get(meta_of(w), "resourceVersion"));
    if (want->target == KEEPER_CLAIM) {
        w->n_claim_patches++;
        keeper_patched(w->keeper, want->id, w->claim_fails ? KEEPER_FAILED : KEEPER_DONE, STR("9"),
                       STR("403"), moment(w));
        return;
    }
    if (w->n_conflicts > 0 || !str_eq(want->version, str_of(version))) {
        w->n_conflicts -= w->n_conflicts > 0;
        keeper_patched(w->keeper, want->id, KEEPER_AGAIN, STR_EMPTY, STR("409"), moment(w));
        return;
    }
    json_t *body = json_loads(str_cstr(&arena, want->body), 0, NULL);
    assert_non_null(body);
    merge(w->object, body);
    json_decref(body);
    w->n_patched++;
    char next[16];
    (void)snprintf(next, sizeof next, "%d", w->version + 1);
    keeper_patched(w->keeper, want->id, KEEPER_DONE, str_of(next), STR_EMPTY, moment(w));
    if (json_object_get(meta_of(w), "deletionTimestamp") != NULL &&
        json_array_size(json_object_get(meta_of(w), "finalizers")) == 1) {
        json_decref(w->object);
        w->object = NULL;
        keeper_class_gone(w->keeper, STR("c"));
        return;
    }
    tell(w);
}

/* Does everything that is wanted now. */
static void turn(struct world *w)
{
    struct keeper_want want;
    for (int i = 0; keeper_next(w->keeper, moment(w), &want); i++) {
        assert_true(i < 1000); /* it comes to rest */
        if (want.type == KEEPER_ASK) {
            ask(w, &want);
        } else if (want.type == KEEPER_PATCH) {
            patch(w, &want);
        } else {
            w->n_said++;
            (void)snprintf(w->said, sizeof w->said, "%s: " STR_FMT, want.message,
                           STR_ARG(want.text));
        }
    }
}

static const char *condition(const struct world *w, const char *type, const char *key)
{
    const json_t *list = json_object_get(json_object_get(w->object, "status"), "conditions");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);
        if (strcmp(json_string_value(json_object_get(c, "type")), type) == 0) {
            return json_string_value(json_object_get(c, key));
        }
    }
    return "absent";
}

static void test_ready_and_at_rest(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    turn(&w);
    assert_string_equal(condition(&w, "Ready", "status"), "True");
    assert_string_equal(condition(&w, "Ready", "lastTransitionTime"), "2026-01-01T00:00:00Z");
    assert_string_equal(condition(&w, "CapacityReservationsReady", "status"), "absent"); /* gate */
    assert_int_equal(w.n_patched, 2); /* metadata, status */
    assert_int_equal(json_array_size(json_object_get(meta_of(&w), "finalizers")), 2);
    const uint32_t n_asked = w.n_asked;
    turn(&w);
    assert_int_equal(w.n_asked, n_asked);
    assert_int_equal(keeper_due(w.keeper), 60000);
    w.now = 60000;
    turn(&w); /* looked at, and nothing to write */
    assert_true(w.n_asked > n_asked);
    assert_int_equal(w.n_patched, 2);
    assert_int_equal(w.n_said, 1);
    world_done(&w);
}

static void test_what_was_true_stays(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.fails = "DescribeSubnets";
    turn(&w);
    assert_string_equal(condition(&w, "SubnetsReady", "status"), "Unknown");
    assert_string_equal(condition(&w, "SubnetsReady", "message"), "slow down");
    assert_string_equal(condition(&w, "Ready", "reason"), "ReconcilingDependents");
    assert_true(keeper_due(w.keeper) < 60000); /* sooner than usual */
    w.fails = NULL;
    w.now = keeper_due(w.keeper);
    turn(&w);
    assert_string_equal(condition(&w, "Ready", "status"), "True");
    assert_string_equal(condition(&w, "Ready", "lastTransitionTime") + 10,
                        "T14:13:22Z"); /* when it changed: 1790000000 + 2 s */
    const uint32_t n_patched = w.n_patched;
    w.fails = "DescribeSubnets";
    w.now += 60000;
    turn(&w);
    assert_string_equal(condition(&w, "Ready", "status"), "True"); /* and its subnets are there */
    assert_int_equal(w.n_patched, n_patched);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(w.object, "status"), "subnets")), 1);
    /* A new spec has to be answered anew. */
    (void)json_object_set_new(meta_of(&w), "generation", json_integer(2));
    tell(&w);
    turn(&w);
    assert_string_equal(condition(&w, "Ready", "status"), "Unknown");
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(w.object, "status"), "subnets")), 1);
    world_done(&w);
}

static void later(struct world *w, mono_t ms)
{
    w->now += ms;
    turn(w);
}

static void test_dry_runs(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, /* dry_run= */ true);
    w.fails = "CreateFleet";
    turn(&w);
    assert_string_equal(condition(&w, "ValidationSucceeded", "status"), "Unknown");
    assert_string_equal(w.said, "nodeclass is not ready: ValidationSucceeded=Unknown: slow down");
    assert_int_equal(w.n_said, 2); /* what failed, and what that means */
    w.fails = NULL;
    w.now = keeper_due(w.keeper);
    turn(&w);
    assert_string_equal(condition(&w, "Ready", "status"), "True");
    assert_int_equal(w.n_templates, 2);
    /* It holds for half an hour, or until a person changes an annotation. */
    w.denied = "RunInstances";
    later(&w, 60000);
    assert_int_equal(w.n_templates, 2);
    (void)json_object_set_new(json_object_get(meta_of(&w), "annotations"), "try",
                              json_string("again"));
    tell(&w);
    later(&w, 60000);
    assert_int_equal(w.n_templates, 3);
    assert_string_equal(condition(&w, "ValidationSucceeded", "reason"),
                        "RunInstancesAuthCheckFailed");
    const uint32_t n_said = w.n_said;
    w.denied = NULL;
    later(&w, 60000);
    assert_int_equal(w.n_templates, 3);
    assert_int_equal(w.n_said, n_said); /* nobody asked, so nothing went well either */
    assert_string_equal(condition(&w, "Ready", "status"), "False");
    later(&w, 30 * 60000);
    assert_int_equal(w.n_templates, 4);
    assert_string_equal(condition(&w, "Ready", "status"), "True");
    assert_string_equal(w.tried, "c7i.large");
    /* NodePools buy something else: what was tried says nothing of that. */
    w.type_i = 1;
    later(&w, 60000);
    assert_int_equal(w.n_templates, 5);
    assert_string_equal(w.tried, "m5.large");
    /* What nobody could find out leaves what is true of this spec. */
    w.fails = "CreateLaunchTemplate";
    later(&w, 31 * 60000);
    assert_int_equal(w.n_templates, 6);
    assert_string_equal(condition(&w, "Ready", "status"), "True");
    assert_true(keeper_due(w.keeper) < w.now + 60000);
    world_done(&w);
}

/* Once an hour, and what it says of failures. */
static void test_sweeps(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    turn(&w);
    assert_int_equal(w.n_listed, 1);
    later(&w, 30 * 60000);
    assert_int_equal(w.n_listed, 1);
    w.fails = "DescribeLaunchTemplates";
    later(&w, 31 * 60000);
    assert_int_equal(w.n_listed, 2);
    assert_string_equal(w.said, "cannot remove what an EC2NodeClass needs no more: slow down");
    assert_string_equal(condition(&w, "Ready", "status"), "True");
    assert_int_equal(keeper_due(w.keeper), w.now + 60000); /* it can wait */
    w.fails = NULL;
    later(&w, 61 * 60000);
    assert_int_equal(w.n_listed, 3);
    assert_string_equal(w.said, "what an EC2NodeClass needs no more can be removed: ");
    world_done(&w);
}

static void test_conflicts(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.n_conflicts = 3;
    for (int i = 0; i < 10; i++) {
        turn(&w);
        w.now = keeper_due(w.keeper);
    }
    assert_string_equal(condition(&w, "Ready", "status"), "True");
    assert_int_equal(w.n_patched, 2);
    world_done(&w);
}

static void test_removal(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.has_claim = true;
    turn(&w);
    (void)json_object_set_new(meta_of(&w), "deletionTimestamp",
                              json_string("2026-01-02T00:00:00Z"));
    tell(&w);
    const uint32_t n_asked = w.n_asked;
    turn(&w);
    assert_int_equal(w.n_asked, n_asked); /* nothing is removed yet */
    assert_string_equal(w.said, "waiting on nodeclaim termination: claim");
    w.has_claim = false;
    keeper_claim_gone(w.keeper, STR("c"));
    w.fails = "ListInstanceProfiles";
    turn(&w);
    assert_non_null(w.object); /* nor is the finalizer, as long as something may be left */
    w.fails = NULL;
    w.now = keeper_due(w.keeper);
    turn(&w);
    assert_null(w.object);
    assert_int_equal(keeper_due(w.keeper), INT64_MAX);
    world_done(&w);
}

static void test_gone_in_between(void **state)
{
    (void)state;
    struct world w;
    struct keeper_want want;
    world_init(&w);
    while (keeper_next(w.keeper, moment(&w), &want) && want.type != KEEPER_ASK) {
        patch(&w, &want);
    }
    assert_int_equal(want.type, KEEPER_ASK);
    keeper_class_gone(w.keeper, STR("c"));
    ask(&w, &want);
    turn(&w);
    assert_int_equal(w.n_patched, 1); /* no status for what is gone */
    assert_int_equal(keeper_due(w.keeper), INT64_MAX);
    tell(&w); /* and there again */
    turn(&w);
    assert_string_equal(condition(&w, "Ready", "status"), "True");
    keeper_restart(w.keeper);
    turn(&w);
    assert_int_equal(keeper_due(w.keeper), INT64_MAX);
    world_done(&w);
}

/* Parameters of AWS's own are asked for once a day, a person's every five minutes. */
static void test_parameters_are_remembered(void **state)
{
    (void)state;
    struct world w;
    static const struct {
        const char *terms;
        uint32_t n_first; /* parameters */
        mono_t stays, ends;
    } rows[] = {{"[{'alias': 'al2023@latest'}]", 5, 23 * 3600 * 1000, 24 * 3600 * 1000},
                {"[{'ssmParameter': '/my/ami'}]", 1, 4 * 60 * 1000, 5 * 60 * 1000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_init(&w);
        (void)json_object_set_new(json_object_get(w.object, "spec"), "amiSelectorTerms",
                                  parse(rows[i].terms));
        tell(&w);
        turn(&w);
        assert_string_equal(condition(&w, "Ready", "status"), "True");
        assert_int_equal(w.n_parameters, rows[i].n_first);
        const uint32_t n_asked = w.n_asked;
        w.now = rows[i].stays;
        turn(&w);
        assert_true(w.n_asked > n_asked);
        assert_int_equal(w.n_parameters, rows[i].n_first);
        w.now = rows[i].ends;
        turn(&w);
        assert_int_equal(w.n_parameters, 2 * rows[i].n_first);
        world_done(&w);
    }
}

static void test_what_cannot_be_read(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    (void)json_object_set_new(json_object_get(w.object, "spec"), "amiFamily", json_string("AL9"));
    tell(&w);
    turn(&w);
    assert_int_equal(w.n_asked + w.n_patched, 0);
    assert_non_null(strstr(w.said, "cannot read an EC2NodeClass"));
    assert_int_equal(w.n_said, 1);
    /* It can go all the same. */
    (void)json_array_append_new(json_object_get(meta_of(&w), "finalizers"),
                                json_string("karpenter.k8s.aws/termination"));
    (void)json_object_set_new(meta_of(&w), "deletionTimestamp",
                              json_string("2026-01-02T00:00:00Z"));
    tell(&w);
    turn(&w);
    assert_null(w.object);
    world_done(&w);
}

/* Up to the first question to AWS, which is not answered. */
static struct keeper_want first_question(struct world *w)
{
    struct keeper_want want;
    while (keeper_next(w->keeper, moment(w), &want) && want.type != KEEPER_ASK) {
        patch(w, &want);
    }
    assert_int_equal(want.type, KEEPER_ASK);
    return want;
}

static void test_a_dropped_look_begins_anew(void **state)
{
    (void)state;
    struct world w;
    struct keeper_want next;
    world_init(&w);
    struct keeper_want want = first_question(&w);
    keeper_drop(w.keeper);
    assert_false(keeper_next(w.keeper, moment(&w), &next)); /* as long as that is under way */
    w.fails = want.operation->name;
    ask(&w, &want); /* what comes of it counts no more */
    w.fails = NULL;
    turn(&w);
    assert_string_equal(condition(&w, "Ready", "status"), "True");
    assert_int_equal(w.n_said, 1); /* ready */
    assert_int_equal(w.n_patched, 2);
    world_done(&w);
}

static void test_another_spec_ends_a_look(void **state)
{
    (void)state;
    static const char *const keys[] = {"generation", "uid"};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        struct keeper_want next;
        world_init(&w);
        struct keeper_want want = first_question(&w);
        (void)json_object_set_new(meta_of(&w), keys[i],
                                  i == 0 ? json_integer(2) : json_string("another"));
        tell(&w);
        assert_false(keeper_next(w.keeper, moment(&w), &next));
        ask(&w, &want);
        turn(&w);
        assert_string_equal(condition(&w, "Ready", "status"), "True");
        world_done(&w);
    }
}

/* A write names the version that its look rests on, not one that came meanwhile. */
static void test_a_write_names_what_it_rests_on(void **state)
{
    (void)state;
    struct world w;
    struct keeper_want want;
    world_init(&w);
    want = first_question(&w);
    tell(&w); /* somebody has written a label */
    ask(&w, &want);
    while (keeper_next(w.keeper, moment(&w), &want) && want.type != KEEPER_PATCH) {
        if (want.type == KEEPER_ASK) {
            ask(&w, &want);
        }
    }
    assert_int_equal(want.type, KEEPER_PATCH);
    assert_true(str_eq(want.version, STR("2")));
    patch(&w, &want);
    assert_string_equal(condition(&w, "Ready", "status"), "absent"); /* refused */
    w.now = keeper_due(w.keeper);
    turn(&w);
    assert_string_equal(condition(&w, "Ready", "status"), "True");
    world_done(&w);
}

static void test_a_fault_that_comes_back_is_said_again(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    turn(&w);
    assert_int_equal(w.n_said, 1);
    for (uint32_t i = 0; i < 2; i++) {
        w.fails = "DescribeSubnets";
        w.now = keeper_due(w.keeper);
        turn(&w);
        w.now = keeper_due(w.keeper);
        turn(&w);
        assert_non_null(strstr(w.said, "cannot ask AWS"));
        assert_int_equal(w.n_said, 2 + 2 * i);
        w.fails = NULL;
        w.now = keeper_due(w.keeper);
        turn(&w);
        assert_non_null(strstr(w.said, "AWS answers again"));
        assert_int_equal(w.n_said, 3 + 2 * i);
    }
    world_done(&w);
}

static void test_a_claim_that_cannot_be_written(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.has_claim = w.claim_fails = true;
    turn(&w);
    assert_string_equal(condition(&w, "Ready", "status"), "True"); /* the class is kept */
    assert_null(json_object_get(meta_of(&w), "annotations"));      /* its hash is not written */
    assert_int_equal(json_array_size(json_object_get(meta_of(&w), "finalizers")), 2);
    assert_int_equal(w.n_claim_patches, 1);
    assert_true(keeper_due(w.keeper) < 60000);
    w.claim_fails = false;
    w.now = keeper_due(w.keeper);
    turn(&w);
    assert_int_equal(w.n_claim_patches, 2);
    assert_non_null(json_object_get(meta_of(&w), "annotations"));
    assert_non_null(strstr(w.said, "can be written"));
    world_done(&w);
}

/* A cluster that is said to have no NodeClaims at all is not believed of a class that had some. */
static void test_nodeclaims_that_are_nowhere(void **state)
{
    (void)state;
    for (int had = 0; had < 2; had++) {
        struct world w;
        world_init(&w);
        w.has_claim = had == 1;
        turn(&w);
        w.has_claim = false;
        if (had == 1) {
            keeper_claim_gone(w.keeper, STR("c"));
        }
        keeper_claims_absent(w.keeper, /* absent= */ true);
        (void)json_object_set_new(meta_of(&w), "deletionTimestamp",
                                  json_string("2026-01-02T00:00:00Z"));
        tell(&w);
        const uint32_t n_asked = w.n_asked;
        turn(&w);
        if (had == 1) {
            assert_int_equal(w.n_asked, n_asked);
            assert_non_null(w.object);
            keeper_claims_absent(w.keeper, /* absent= */ false);
            turn(&w);
        }
        assert_null(w.object);
        world_done(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready_and_at_rest),
        cmocka_unit_test(test_what_was_true_stays),
        cmocka_unit_test(test_dry_runs),
        cmocka_unit_test(test_sweeps),
        cmocka_unit_test(test_conflicts),
        cmocka_unit_test(test_removal),
        cmocka_unit_test(test_gone_in_between),
        cmocka_unit_test(test_what_cannot_be_read),
        cmocka_unit_test(test_parameters_are_remembered),
        cmocka_unit_test(test_a_dropped_look_begins_anew),
        cmocka_unit_test(test_another_spec_ends_a_look),
        cmocka_unit_test(test_a_write_names_what_it_rests_on),
        cmocka_unit_test(test_a_fault_that_comes_back_is_said_again),
        cmocka_unit_test(test_a_claim_that_cannot_be_written),
        cmocka_unit_test(test_nodeclaims_that_are_nowhere),
    };
    return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}

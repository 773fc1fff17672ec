/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drift of a running instance from its EC2NodeClass, as a round of disruption shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "binpack/catalog/catalog.h"
#include "k8s/kinds.h"
#include "provisioner/provisioning/round.h"

/* Single quotes stand for double ones. */
static const struct {
    const char *kind, *json;
} objects[] = {
    {"NodePool",
     "{'metadata': {'name': 'p'}, 'spec': {'disruption': {'consolidationPolicy': 'WhenEmpty', "
     "'consolidateAfter': 'Never'}, 'template': {'spec': {'nodeClassRef': {'group': "
     "'karpenter.k8s.aws', 'kind': 'EC2NodeClass', 'name': 'c'}, 'requirements': []}}}}"},
    {"EC2NodeClass",
     "{'metadata': {'name': 'c'}, 'spec': {'amiFamily': 'AL2023'}, 'status': {'subnets': [{'id': "
     "'subnet-1', 'zone': 'us-east-1a'}, {'id': 'subnet-2', 'zone': 'us-east-1a'}], "
     "'securityGroups': [{'id': 'sg-1'}, {'id': 'sg-2'}]}}"},
    {"NodeClaim",
     "{'metadata': {'name': 'p-1', 'labels': {'karpenter.sh/nodepool': 'p', "
     "'node.kubernetes.io/instance-type': 'm5.large', 'topology.kubernetes.io/zone': "
     "'us-east-1a', 'karpenter.sh/capacity-type': 'on-demand'}}, 'spec': {'nodeClassRef': "
     "{'group': 'karpenter.k8s.aws', 'kind': 'EC2NodeClass', 'name': 'c'}, 'requirements': []}, "
     "'status': {'nodeName': 'n-1', 'providerID': 'aws:///us-east-1a/i-1', 'conditions': "
     "[{'type': 'Launched', 'status': 'True', 'reason': 'Launched'}, {'type': 'Registered', "
     "'status': 'True', 'reason': 'Registered'}, {'type': 'Initialized', 'status': 'True', "
     "'reason': 'Initialized'}]}}"},
    {"Node",
     "{'metadata': {'name': 'n-1', 'labels': {'karpenter.sh/nodepool': 'p', "
     "'karpenter.sh/registered': 'true', 'karpenter.sh/initialized': 'true', "
     "'node.kubernetes.io/instance-type': 'm5.large', 'topology.kubernetes.io/zone': "
     "'us-east-1a', 'karpenter.sh/capacity-type': 'on-demand'}}, 'spec': {'providerID': "
     "'aws:///us-east-1a/i-1'}, 'status': {'capacity': {'cpu': '2', 'memory': '7Gi', 'pods': "
     "'29'}, 'allocatable': {'cpu': '1930m', 'memory': '6Gi', 'pods': '29'}, 'conditions': "
     "[{'type': 'Ready', 'status': 'True'}]}}"},
};

static const struct {
    const char *name;
    const char *id, *subnet, *groups[3];
    const char *drift; /* NULL: none */
} rows[] = {
    {"EC2 has not been asked", NULL, NULL, {NULL}, NULL},
    {"the list has another", "i-2", "subnet-9", {"sg-9"}, NULL},
    {"as the class says", "i-1", "subnet-2", {"sg-2", "sg-1"}, NULL},
    {"one group less", "i-1", "subnet-2", {"sg-1"}, "SecurityGroupDrift"},
    {"one group more", "i-1", "subnet-2", {"sg-1", "sg-2", "sg-3"}, "SecurityGroupDrift"},
    {"another group", "i-1", "subnet-1", {"sg-1", "sg-3"}, "SecurityGroupDrift"},
    {"another subnet of the zone", "i-1", "subnet-3", {"sg-1", "sg-2"}, "SubnetDrift"},
    {"groups are said before subnets", "i-1", "subnet-3", {"sg-1"}, "SecurityGroupDrift"},
    {"EC2 names neither", "i-1", "", {NULL}, NULL},
};

static void put(struct k8s_state *state, const char *kind_name, const char *json)
{
    char text[2048];
    const struct k8s_kind *kind = NULL;
    struct err err;
    (void)snprintf(text, sizeof text, "%s", json);
    for (char *p = text; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    auto_json *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    assert_int_equal(k8s_kind_find(str_of(kind_name), STR_EMPTY, &kind), K8S_MATCH_YES);
    const struct k8s_identity id = {.name = str_of(json_string_value(json_object_get(
                                        json_object_get(object, "metadata"), "name")))};
    if (!k8s_state_put(state, kind, &id, object, &err)) {
        fail_msg("%s", err.text);
    }
}

static void test_row(struct k8s_state *state, const struct catalog *catalog, size_t r)
{
    struct str groups[3];
    struct aws_instance instance = {.groups = groups};
    struct round_job job = {.catalog = catalog,
                            .settings = MAKE_SETTINGS_DEFAULT,
                            .now = INT64_C(1790000000000),
                            .disrupts = true,
                            .instances = &instance,
                            .n_instances = rows[r].id != NULL};
    struct round_result result;
    char member[64];
    for (; instance.n_groups < 3 && rows[r].groups[instance.n_groups] != NULL;
         instance.n_groups++) {
        groups[instance.n_groups] = str_of(rows[r].groups[instance.n_groups]);
    }
    instance.id = str_of(rows[r].id);
    instance.subnet_id = str_of(rows[r].subnet);
    k8s_state_freeze(state, &job.frozen, NULL);
    round_run(&job, NULL, &result);
    k8s_state_thaw(state);
    assert_true(result.good);
    (void)snprintf(member, sizeof member, "\"drift\": \"%s\"",
                   rows[r].drift == NULL ? "" : rows[r].drift);
    if (str_has(result.document, STR("\"drift\"")) != (rows[r].drift != NULL) ||
        (rows[r].drift != NULL && !str_has(result.document, str_of(member)))) {
        fail_msg("%s: %.*s", rows[r].name, (int)result.document.n, result.document.p);
    }
    round_result_done(&result);
}

static void test_rows(void **state)
{
    auto_arena arena = ARENA_INIT;
    (void)state;
    struct k8s_state *objects_of = k8s_state_new();
    const struct catalog *catalog = cat_builtin(&arena, k8s_state_tab(objects_of));
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        put(objects_of, objects[i].kind, objects[i].json);
    }
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        print_message("# %s\n", rows[r].name);
        test_row(objects_of, catalog, r);
    }
    k8s_state_free(objects_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of the CRDs: a right object of each kind, and for each rule a wrong one beside a right
 * one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "k8s/schema.h"

#define REF                                                                                        \
    "'nodeClassRef': {'group': 'karpenter.k8s.aws', 'kind': 'EC2NodeClass', 'name': 'default'}"

/* Single quotes stand for double ones. */
static const struct {
    const char *kind, *spec;
} right[] = {
    {"NodePool",
     "{'template': {'metadata': {'labels': {'team': 'a', 'karpenter.sh/capacity-type': 'spot', "
     "'karpenter.k8s.aws/instance-family': 'm5'}, 'annotations': {'any': 'thing at all'}}, 'spec': "
     "{" REF ", 'requirements': [{'key': 'karpenter.k8s.aws/instance-cpu', 'operator': 'Gte', "
     "'values': ['4']}, "
     "{'key': 'a', 'operator': 'In', 'values': ['x', 'y'], 'minValues': 2}], 'taints': [{'key': "
     "'k', "
     "'value': 'v', 'effect': 'NoSchedule', 'timeAdded': '2026-03-01T08:00:00Z'}], "
     "'startupTaints': [], "
     "'expireAfter': 'Never', 'terminationGracePeriod': '1h30m'}}, 'disruption': "
     "{'consolidateAfter': "
     "'30s', 'consolidationPolicy': 'Balanced', 'budgets': [{'nodes': '100%', 'reasons': ['Empty', "
     "'Drifted']}, {'nodes': '5', 'schedule': '0 9 * * 1-5', 'duration': '1h30m0s'}]}, 'limits': "
     "{'cpu': "
     "1000, 'memory': '1Ti'}, 'weight': 10}"},
    {"NodeClaim",
     "{" REF
     ", 'requirements': [{'key': 'karpenter.sh/nodepool', 'operator': 'Exists'}], 'resources': "
     "{'requests': {'cpu': '100m'}}, 'expireAfter': '720h', 'taints': [{'key': 'a/b', 'effect': "
     "'NoExecute'}]}"},
    {"NodeOverlay", "{'requirements': [{'key': 'a', 'operator': 'NotIn', 'values': ['b']}], "
                    "'priceAdjustment': '-12.5%', "
                    "'capacity': {'example.com/x': 3}, 'weight': 10000}"},
    {"CapacityBuffer", "{'podTemplateRef': {'name': 't'}, 'replicas': 3, 'provisioningStrategy': "
                       "'x', 'limits': {'cpu': 1}}"},
    {"EC2NodeClass",
     "{'role': 'r', 'amiFamily': 'AL2023', 'amiSelectorTerms': [{'alias': 'al2023@v1'}], "
     "'subnetSelectorTerms': [{'tags': {'a': 'b'}}, {'id': 'subnet-0'}], "
     "'securityGroupSelectorTerms': "
     "[{'name': 'n'}, {'id': 'sg-0a'}], 'kubelet': {'maxPods': 20, 'evictionHard': "
     "{'memory.available': "
     "'5%'}, 'evictionSoft': {'pid.available': '10.55%'}, 'evictionSoftGracePeriod': "
     "{'pid.available': "
     "'1m'}, 'kubeReserved': {'cpu': '1'}, 'imageGCHighThresholdPercent': 80, "
     "'imageGCLowThresholdPercent': 70}, 'blockDeviceMappings': [{'deviceName': '/dev/xvda', "
     "'rootVolume': "
     "true, 'ebs': {'volumeSize': '100Gi', 'volumeType': 'gp3', 'encrypted': true}}, {'ebs': "
     "{'snapshotID': "
     "'s', 'volumeInitializationRate': 100}}], 'tags': {'a': ''}, 'metadataOptions': "
     "{'httpPutResponseHopLimit': 2}, 'networkInterfaces': [{'networkCardIndex': 0, 'deviceIndex': "
     "0, "
     "'interfaceType': 'interface'}, {'networkCardIndex': 0, 'deviceIndex': 1, 'interfaceType': "
     "'efa-only'}], 'placementGroupSelector': {'id': 'pg-0'}, 'connectionTracking': {'udpTimeout': "
     "30}, "
     "'capacityReservationSelectorTerms': [{'id': 'cr-0'}, {'tags': {'a': 'b'}, 'ownerID': "
     "'123456789012'}]}"},
};

/* `change` is merged into the right spec; null takes a field away. */
static const struct {
    const char *kind, *change, *path, *rule; /* path NULL: still right */
} rows[] = {
    {"NodePool", "{'template': null}", "spec.template", "required"},
    {"NodePool", "{'template': {'spec': {'requirments': []}}}", "spec.template.spec.requirments",
     "unknown"},
    {"NodePool", "{'weight': '10'}", "spec.weight", "type"},
    {"NodePool", "{'weight': 0}", "spec.weight", "minimum"},
    {"NodePool", "{'weight': 101}", "spec.weight", "maximum"},
    {"NodePool", "{'weight': 100}", NULL, NULL},
    {"NodePool", "{'replicas': 2}", "spec", "cel:deb2bd9c"},
    {"NodePool", "{'replicas': 2, 'limits': null}", "spec", "cel:baf63be4"},
    {"NodePool",
     "{'replicas': 2, 'weight': null, 'limits': {'cpu': null, 'memory': null, 'nodes': 3}}", NULL,
     NULL}, /* a null in a map is no member */
    {"NodePool", "{'replicas': 2, 'weight': null, 'limits': null}", NULL, NULL},
    {"NodePool", "{'replicas': -1, 'weight': null, 'limits': null}", "spec.replicas", "minimum"},
    {"NodePool", "{'limits': {'cpu': 'many'}}", "spec.limits.cpu", "pattern:3d44b6bc"},
    {"NodePool", "{'limits': {'cpu': true}}", "spec.limits.cpu", "type"},
    {"NodePool", "{'disruption': {'consolidateAfter': null}}", "spec.disruption.consolidateAfter",
     "required"},
    {"NodePool", "{'disruption': {'consolidateAfter': 'soon'}}", "spec.disruption.consolidateAfter",
     "pattern:cc872213"},
    {"NodePool", "{'disruption': {'consolidationPolicy': 'Never'}}",
     "spec.disruption.consolidationPolicy", "enum"},
    {"NodePool", "{'disruption': {'budgets': [{'nodes': '101%'}]}}",
     "spec.disruption.budgets[0].nodes", "pattern:71f1c05f"},
    {"NodePool", "{'disruption': {'budgets': [{'nodes': 10}]}}", "spec.disruption.budgets[0].nodes",
     "type"},
    {"NodePool", "{'disruption': {'budgets': [{'nodes': '1', 'reasons': ['Empty', 'Empty']}]}}",
     "spec.disruption.budgets[0].reasons[1]", "set"},
    {"NodePool", "{'disruption': {'budgets': [{'nodes': '1', 'schedule': '@daily'}]}}",
     "spec.disruption.budgets", "cel:a18a6e92"},
    {"NodePool",
     "{'disruption': {'budgets': [{'nodes': '1', 'schedule': 'daily', 'duration': '8h'}]}}",
     "spec.disruption.budgets[0].schedule", "pattern:68aecdf8"},
    {"NodePool",
     "{'disruption': {'budgets': [{'nodes': '1', 'schedule': '@daily', 'duration': '90s'}]}}",
     "spec.disruption.budgets[0].duration", "pattern:aa1c74eb"},
    {"NodePool", "{'template': {'spec': {'terminationGracePeriod': 'Never'}}}",
     "spec.template.spec.terminationGracePeriod", "pattern:fb2ddbd1"},
    {"NodePool", "{'template': {'spec': {'nodeClassRef': {'group': 'a/b'}}}}",
     "spec.template.spec.nodeClassRef.group", "pattern:8d0467b8"},
    {"NodePool", "{'template': {'spec': {'nodeClassRef': {'name': ''}}}}",
     "spec.template.spec.nodeClassRef.name", "cel:53f953b3"},
    {"NodePool", "{'template': {'metadata': {'labels': {'a': 'b c'}}}}",
     "spec.template.metadata.labels.a", "pattern:ee830ded"},
    {"NodePool", "{'template': {'metadata': {'labels': {'karpenter.sh/x': 'b'}}}}",
     "spec.template.metadata.labels", "cel:263336ec"},
    {"NodePool", "{'template': {'metadata': {'labels': {'karpenter.sh/nodepool': 'b'}}}}",
     "spec.template.metadata.labels", "cel:3f7f93e4"},
    {"NodePool", "{'template': {'metadata': {'labels': {'kubernetes.io/hostname': 'b'}}}}",
     "spec.template.metadata.labels", "cel:0ff8e93e"},
    {"NodePool", "{'template': {'metadata': {'labels': {'karpenter.k8s.aws/x': 'b'}}}}",
     "spec.template.metadata.labels", "cel:c1b23e39"},
    {"NodePool", "{'template': {'spec': {'taints': [{'key': 'a b', 'effect': 'NoSchedule'}]}}}",
     "spec.template.spec.taints[0].key", "pattern:1281684f"},
    {"NodePool",
     "{'template': {'spec': {'taints': [{'key': 'a', 'effect': 'NoSchedule', 'timeAdded': "
     "'now'}]}}}",
     "spec.template.spec.taints[0].timeAdded", "pattern:date-time"},
    {"NodePool", "{'template': {'spec': {'requirements': [{'key': 'a', 'operator': 'In'}]}}}",
     "spec.template.spec.requirements", "cel:a691217b"},
    {"NodePool",
     "{'template': {'spec': {'requirements': [{'key': 'a', 'operator': 'Gt', 'values': ['b']}]}}}",
     "spec.template.spec.requirements", "cel:66332da9"},
    {"NodePool",
     "{'template': {'spec': {'requirements': [{'key': 'a', 'operator': 'In', 'values': ['b'], "
     "'minValues': 2}]}}}",
     "spec.template.spec.requirements", "cel:5d46cdd5"},
    {"NodePool",
     "{'template': {'spec': {'requirements': [{'key': 'a', 'operator': 'Exists', 'minValues': "
     "51}]}}}",
     "spec.template.spec.requirements[0].minValues", "maximum"},
    {"NodePool",
     "{'template': {'spec': {'requirements': [{'key': 'a.karpenter.sh/x', 'operator': "
     "'Exists'}]}}}",
     "spec.template.spec.requirements[0].key", "cel:d7ad786a"},
    {"NodePool",
     "{'template': {'spec': {'requirements': [{'key': 'karpenter.sh/nodepool', 'operator': "
     "'Exists'}]}}}",
     "spec.template.spec.requirements[0].key", "cel:4a7937fb"},
    {"NodePool",
     "{'template': {'spec': {'requirements': [{'key': 'kubernetes.io/hostname', 'operator': "
     "'Exists'}]}}}",
     "spec.template.spec.requirements[0].key", "cel:d815b0a1"},
    {"NodePool",
     "{'template': {'spec': {'requirements': [{'key': 'karpenter.k8s.aws/x', 'operator': "
     "'Exists'}]}}}",
     "spec.template.spec.requirements[0].key", "cel:2000e204"},
    {"NodePool",
     "{'template': {'spec': {'requirements': [{'key': 'karpenter.k8s.aws/instance-tenancy', "
     "'operator': 'Exists'}]}}}",
     NULL, NULL},
    {"NodeClaim", "{'requirements': null}", "spec.requirements", "required"},
    {"NodeClaim", "{'resources': {'requests': {'cpu': '1x'}}}", "spec.resources.requests.cpu",
     "pattern:3d44b6bc"},
    {"NodeOverlay", "{'price': '1'}", "spec", "cel:5f47908d"},
    {"NodeOverlay", "{'priceAdjustment': null, 'price': '-1'}", "spec.price", "pattern:fb6df76f"},
    {"NodeOverlay", "{'priceAdjustment': null, 'price': '0.25'}", NULL, NULL},
    {"NodeOverlay", "{'priceAdjustment': '5'}", "spec.priceAdjustment", "pattern:1a04a733"},
    {"NodeOverlay", "{'capacity': {'cpu': 3}}", "spec.capacity", "cel:a8e05184"},
    {"NodeOverlay", "{'requirements': [{'key': 'a', 'operator': 'NotIn'}]}", "spec.requirements",
     "cel:297215f4"},
    {"NodeOverlay",
     "{'requirements': [{'key': 'karpenter.k8s.aws/instance-tenancy', 'operator': "
     "'Exists'}]}",
     "spec.requirements[0].key", "cel:e268d46b"},
    {"NodeOverlay", "{'requirements': [{'key': 'a', 'operator': 'Exists', 'minValues': 2}]}",
     "spec.requirements[0].minValues", "unknown"},
    {"NodeOverlay", "{'weight': 10001}", "spec.weight", "maximum"},
    {"CapacityBuffer", "{'replicas': null, 'limits': null}", "spec", "cel:25d88f46"},
    {"CapacityBuffer", "{'scalableRef': {'kind': 'Deployment', 'name': 'w'}}", "spec",
     "cel:42bd51fe"},
    {"CapacityBuffer", "{'podTemplateRef': {'name': ''}}", "spec.podTemplateRef.name", "minLength"},
    {"CapacityBuffer", "{'replicas': 3000000000}", "spec.replicas", "type"},
    {"EC2NodeClass", "{'instanceProfile': 'p'}", "spec", "cel:fb0a921a"},
    {"EC2NodeClass", "{'role': null}", "spec", "cel:fb0a921a"},
    {"EC2NodeClass", "{'role': ''}", "spec.role", "cel:53f953b3"},
    {"EC2NodeClass", "{'amiSelectorTerms': [{'alias': 'al2@v1'}]}", "spec", "cel:5b05d40e"},
    {"EC2NodeClass", "{'amiFamily': 'AL2'}", "spec", "cel:6834c85d"},
    {"EC2NodeClass", "{'amiFamily': 'Custom'}", NULL, NULL},
    {"EC2NodeClass", "{'amiSelectorTerms': [{'alias': 'bottlerocket@v1'}]}", "spec",
     "cel:c44baa12"},
    {"EC2NodeClass", "{'amiSelectorTerms': [{'alias': 'windows2019@latest'}]}", "spec",
     "cel:38a01e23"},
    {"EC2NodeClass", "{'amiSelectorTerms': [{'alias': 'windows2022@latest'}]}", "spec",
     "cel:7ebdc823"},
    {"EC2NodeClass", "{'amiSelectorTerms': [{'alias': 'windows2025@latest'}]}", "spec",
     "cel:80d0d919"},
    {"EC2NodeClass", "{'amiFamily': null, 'amiSelectorTerms': [{'id': 'ami-0'}]}", "spec",
     "cel:182be956"},
    {"EC2NodeClass", "{'amiSelectorTerms': []}", "spec.amiSelectorTerms", "minItems"},
    {"EC2NodeClass", "{'amiSelectorTerms': [{'owner': 'self'}]}", "spec.amiSelectorTerms",
     "cel:10128c39"},
    {"EC2NodeClass", "{'amiSelectorTerms': [{'id': 'ami-0', 'name': 'n'}]}",
     "spec.amiSelectorTerms", "cel:d9336651"},
    {"EC2NodeClass", "{'amiSelectorTerms': [{'alias': 'al2023@v1', 'name': 'n'}]}",
     "spec.amiSelectorTerms", "cel:ca1070cc"},
    {"EC2NodeClass", "{'amiSelectorTerms': [{'alias': 'al2023@v1'}, {'name': 'n'}]}",
     "spec.amiSelectorTerms", "cel:f4a3d781"},
    {"EC2NodeClass", "{'amiSelectorTerms': [{'alias': 'al2023'}]}",
     "spec.amiSelectorTerms[0].alias", "cel:df2d9476"},
    {"EC2NodeClass", "{'amiSelectorTerms': [{'alias': 'ubuntu@v1'}]}",
     "spec.amiSelectorTerms[0].alias", "cel:43e13ab6"},
    {"EC2NodeClass",
     "{'amiFamily': 'Windows2022', 'amiSelectorTerms': [{'alias': 'windows2022@v1'}]}",
     "spec.amiSelectorTerms[0].alias", "cel:c37d2166"},
    {"EC2NodeClass",
     "{'amiFamily': 'Windows2022', 'amiSelectorTerms': [{'alias': 'windows2022@latest'}]}", NULL,
     NULL},
    {"EC2NodeClass", "{'amiSelectorTerms': [{'id': 'AMI-0'}]}", "spec.amiSelectorTerms[0].id",
     "pattern:8bd9bfc0"},
    {"EC2NodeClass", "{'subnetSelectorTerms': [{'tags': {'a': ''}}]}",
     "spec.subnetSelectorTerms[0].tags", "cel:67e37bc5"},
    {"EC2NodeClass", "{'subnetSelectorTerms': []}", "spec.subnetSelectorTerms", "cel:640ba693"},
    {"EC2NodeClass", "{'subnetSelectorTerms': [{}]}", "spec.subnetSelectorTerms", "cel:f421da07"},
    {"EC2NodeClass", "{'subnetSelectorTerms': [{'id': 'subnet-0', 'tags': {'a': 'b'}}]}",
     "spec.subnetSelectorTerms", "cel:7987af8a"},
    {"EC2NodeClass",
     "{'subnetSelectorTerms': [{'id': 'subnet-0', 'tags': {'a': 'b'}}, {'id': 'subnet-1'}]}", NULL,
     NULL},
    {"EC2NodeClass", "{'subnetSelectorTerms': [{'id': 'net-0'}]}", "spec.subnetSelectorTerms[0].id",
     "pattern:c19da9cc"},
    {"EC2NodeClass", "{'securityGroupSelectorTerms': [{}]}", "spec.securityGroupSelectorTerms",
     "cel:6ed3e3b1"},
    {"EC2NodeClass", "{'securityGroupSelectorTerms': [{'id': 'sg-0', 'tags': {'a': 'b'}}]}",
     "spec.securityGroupSelectorTerms", "cel:97c305fc"},
    {"EC2NodeClass", "{'securityGroupSelectorTerms': [{'name': 'n', 'tags': {'a': 'b'}}]}",
     "spec.securityGroupSelectorTerms", "cel:bf2d46a2"},
    {"EC2NodeClass", "{'securityGroupSelectorTerms': [{'id': 'g-0'}]}",
     "spec.securityGroupSelectorTerms[0].id", "pattern:1516b569"},
    {"EC2NodeClass", "{'capacityReservationSelectorTerms': [{'ownerID': '123456789012'}]}",
     "spec.capacityReservationSelectorTerms", "cel:5ba24c02"},
    {"EC2NodeClass",
     "{'capacityReservationSelectorTerms': [{'id': 'cr-0', 'ownerID': '123456789012'}]}",
     "spec.capacityReservationSelectorTerms", "cel:5615f3b7"},
    {"EC2NodeClass",
     "{'capacityReservationSelectorTerms': [{'id': 'x-cr-0'}, {'tags': {'a': 'b'}}]}",
     "spec.capacityReservationSelectorTerms[0].id", "pattern:31d77ef7"},
    {"EC2NodeClass",
     "{'capacityReservationSelectorTerms': [{'tags': {'a': 'b'}, 'ownerID': '12345678901'}]}",
     "spec.capacityReservationSelectorTerms[0].ownerID", "pattern:c5bc2dfe"},
    {"EC2NodeClass", "{'kubelet': {'evictionHard': {'memory': '5%'}}}", "spec.kubelet.evictionHard",
     "cel:344672bc"},
    {"EC2NodeClass", "{'kubelet': {'evictionHard': {'memory.available': '101%'}}}",
     "spec.kubelet.evictionHard[memory.available]", "pattern:1ddc5079"},
    {"EC2NodeClass", "{'kubelet': {'evictionSoft': {'memory.available': '5%'}}}", "spec.kubelet",
     "cel:d380ee2d"},
    {"EC2NodeClass", "{'kubelet': {'evictionSoftGracePeriod': {'memory.available': '1m'}}}",
     "spec.kubelet", "cel:0babc5d0"},
    {"EC2NodeClass", "{'kubelet': {'kubeReserved': {'gpu': '1'}}}", "spec.kubelet.kubeReserved",
     "cel:4b8d0b0f"},
    {"EC2NodeClass", "{'kubelet': {'systemReserved': {'cpu': '-1'}}}",
     "spec.kubelet.systemReserved", "cel:54a4d68c"},
    {"EC2NodeClass", "{'kubelet': {'imageGCHighThresholdPercent': 70}}", "spec.kubelet",
     "cel:cd6eb1c2"},
    {"EC2NodeClass", "{'kubelet': {'maxPods': -1}}", "spec.kubelet.maxPods", "minimum"},
    {"EC2NodeClass", "{'blockDeviceMappings': [{'rootVolume': true}, {'rootVolume': true}]}",
     "spec.blockDeviceMappings", "cel:86eff2ba"},
    {"EC2NodeClass", "{'blockDeviceMappings': [{'ebs': {}}]}", "spec.blockDeviceMappings[0].ebs",
     "cel:ebf7525c"},
    {"EC2NodeClass",
     "{'blockDeviceMappings': [{'ebs': {'volumeSize': '1Gi', 'volumeInitializationRate': "
     "100}}]}",
     "spec.blockDeviceMappings[0].ebs", "cel:ed2ac0da"},
    {"EC2NodeClass", "{'blockDeviceMappings': [{'ebs': {'volumeSize': '65T'}}]}",
     "spec.blockDeviceMappings[0].ebs.volumeSize", "pattern:cf39799a"},
    {"EC2NodeClass", "{'tags': {'': 'a'}}", "spec.tags", "cel:b223f8b9"},
    {"EC2NodeClass", "{'tags': {'eks:eks-cluster-name': 'a'}}", "spec.tags", "cel:046d8b80"},
    {"EC2NodeClass", "{'tags': {'kubernetes.io/cluster/x': 'a'}}", "spec.tags", "cel:2052d57d"},
    {"EC2NodeClass", "{'tags': {'karpenter.sh/nodepool': 'a'}}", "spec.tags", "cel:4129eeab"},
    {"EC2NodeClass", "{'tags': {'karpenter.sh/nodeclaim': 'a'}}", "spec.tags", "cel:9aab54f2"},
    {"EC2NodeClass", "{'tags': {'karpenter.k8s.aws/ec2nodeclass': 'a'}}", "spec.tags",
     "cel:d8e08895"},
    {"EC2NodeClass",
     "{'networkInterfaces': [{'networkCardIndex': 0, 'deviceIndex': 1, 'interfaceType': "
     "'interface'}]}",
     "spec.networkInterfaces", "cel:eaefa347"},
    {"EC2NodeClass",
     "{'networkInterfaces': [{'networkCardIndex': 0, 'deviceIndex': 0, 'interfaceType': "
     "'interface'}, {'networkCardIndex': 0, 'deviceIndex': 0, 'interfaceType': 'efa-only'}]}",
     "spec.networkInterfaces", "cel:af4a3007"},
    {"EC2NodeClass", "{'placementGroupSelector': {'name': 'n'}}", "spec.placementGroupSelector",
     "cel:c06758db"},
    {"EC2NodeClass", "{'placementGroupSelector': {'id': null}}", "spec.placementGroupSelector",
     "cel:5d8111df"},
    {"EC2NodeClass", "{'placementGroupSelector': {'id': 'pg-A'}}", "spec.placementGroupSelector.id",
     "pattern:5790db60"},
    {"EC2NodeClass", "{'connectionTracking': {'udpTimeout': null}}", "spec.connectionTracking",
     "cel:a51434d8"},
    {"EC2NodeClass", "{'metadataOptions': {'httpTokens': 'maybe'}}",
     "spec.metadataOptions.httpTokens", "enum"},
    {"EC2NodeClass", "{'associatePublicIPAddress': 'yes'}", "spec.associatePublicIPAddress",
     "type"},
};

static json_t *parse(const char *text)
{
    char copy[8192];
    json_error_t error;
    size_t n = strlen(text);
    assert_true(n < sizeof copy);
    for (size_t i = 0; i <= n; i++) {
        copy[i] = text[i] == '\'' ? '"' : text[i];
    }
    json_t *value = json_loads(copy, 0, &error);
    if (value == NULL) {
        fail_msg("%s: %s", text, error.text);
    }
    return value;
}

static json_t *right_object(const char *kind)
{
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        if (strcmp(right[i].kind, kind) == 0) {
            json_t *object = json_object();
            (void)json_object_set_new(object, "kind", json_string(kind));
            (void)json_object_set_new(object, "spec", parse(right[i].spec));
            return object;
        }
    }
    fail_msg("no right %s", kind);
    return NULL;
}

static void test_right_objects(void **state UNUSED)
{
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        auto_arena arena = ARENA_INIT;
        const struct k8s_violation *found;
        uint32_t n = 0;
        json_t *object = right_object(right[i].kind);
        assert_true(k8s_schema_check(&arena, object, &found, &n));
        if (n > 0) {
            fail_msg("%s: " STR_FMT ": " STR_FMT, right[i].kind, STR_ARG(found[0].path),
                     STR_ARG(found[0].text));
        }
        json_decref(object);
    }
}

static void check_row(size_t i)
{
    auto_arena arena = ARENA_INIT;
    const struct k8s_violation *found;
    uint32_t n = 0;
    bool hit = rows[i].path == NULL;
    json_t *object = right_object(rows[i].kind), *change = parse(rows[i].change);
    (void)json_object_update_recursive(json_object_get(object, "spec"), change);
    assert_true(k8s_schema_check(&arena, object, &found, &n));
    for (uint32_t v = 0; v < n; v++) {
        hit = hit || (str_eq(found[v].path, str_of(rows[i].path)) &&
                      str_eq(found[v].rule, str_of(rows[i].rule)) && found[v].text.n > 0);
    }
    if (!hit || (rows[i].path == NULL && n > 0)) {
        fail_msg(
            "%s %s: expected %s %s, got %u, " STR_FMT " " STR_FMT ": " STR_FMT, rows[i].kind,
            rows[i].change, rows[i].path == NULL ? "nothing" : rows[i].path,
            rows[i].path == NULL ? "" : rows[i].rule, n, STR_ARG(n == 0 ? STR("-") : found[0].path),
            STR_ARG(n == 0 ? STR("-") : found[0].rule), STR_ARG(n == 0 ? STR("-") : found[0].text));
    }
    json_decref(change);
    json_decref(object);
}

static void test_each_rule(void **state UNUSED)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(i);
    }
}

/* Rules about changes cannot fail here; all the others must be in the table above. */
static void test_no_rule_is_left_out(void **state UNUSED)
{
    static const char *const on_updates[] = {"cel:f4f4adcf", "cel:ba3785a7", "cel:941736dc",
                                             "cel:54871a1c"};
    struct k8s_schema_rule rule;
    uint32_t n = 0;
    for (; k8s_schema_rule(n, &rule); n++) {
        bool seen = strncmp(rule.path, "status", 6) == 0 || /* for our CRDs only */
                    (strncmp(rule.rule, "cel:", 4) != 0 && strncmp(rule.rule, "pattern:", 8) != 0);
        for (size_t i = 0; i < sizeof on_updates / sizeof on_updates[0]; i++) {
            seen = seen || strcmp(on_updates[i], rule.rule) == 0;
        }
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            seen = seen || (rows[i].rule != NULL && strcmp(rows[i].rule, rule.rule) == 0);
        }
        if (!seen) {
            fail_msg("no row breaks %s %s %s", rule.kind, rule.path, rule.rule);
        }
    }
    assert_true(n > 400);
}

static void test_texts(void **state UNUSED)
{
    auto_arena arena = ARENA_INIT;
    const struct k8s_violation *found;
    uint32_t n = 0;
    json_t *object = parse("{'kind': 'NodePool', 'spec': {'weight': 500, 'tempate': {}}}");
    assert_true(k8s_schema_check(&arena, object, &found, &n));
    assert_int_equal(n, 3);
    assert_true(str_eq(found[0].path, STR("spec.template")));
    assert_true(str_eq(found[1].text, STR("500: must be at most 100")));
    assert_true(str_eq(found[2].text, STR("unknown field; did you mean template?")));
    json_decref(object);
    object = parse("{'kind': 'NodePool'}");
    assert_true(k8s_schema_check(&arena, object, &found, &n));
    assert_true(n == 1 && str_eq(found[0].rule, STR("required")));
    json_decref(object);
    object = parse("{'kind': 'Pod', 'spec': {}}");
    assert_false(k8s_schema_check(&arena, object, &found, &n));
    json_decref(object);
    object = parse("{'kind': 5}");
    assert_false(k8s_schema_check(&arena, object, &found, &n));
    json_decref(object);
}

/* What an API server takes and Karpenter refuses later says so; what the server refuses does not.
 */
static void test_who_refuses(void **state UNUSED)
{
    static const struct {
        const char *value, *rule;
        bool accepted_by_server;
    } values[] = {
        {"{'template': {'spec': {'requirements': [{'key': 'a', 'operator': 'In', 'values': ['b "
         "c']}]}}}",
         "pattern:ee830ded", true},
        {"{'template': {'spec': {'taints': [{'key': 'a', 'effect': 'NoSchedule', 'timeAdded': "
         "[]}]}}}",
         "type", true},
        {"{'template': {'spec': {'taints': [{'key': 'a', 'effect': 'NoSchedule', 'timeAdded': "
         "5}]}}}",
         "type", false},
        {"{'template': {'metadata': {'labels': {'a': 'b c'}}}}", "pattern:ee830ded", false},
        {"{'template': {'spec': {'taints': [{'effect': 'NoSchedule', 'key': "
         "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}]}}}",
         "pattern:1281684f", true},
        {"{'template': {'spec': {'taints': [{'key': 'a b', 'effect': 'NoSchedule'}]}}}",
         "pattern:1281684f", false},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        auto_arena arena = ARENA_INIT;
        const struct k8s_violation *found;
        uint32_t n = 0;
        json_t *object = right_object("NodePool"), *change = parse(values[i].value);
        (void)json_object_update_recursive(json_object_get(object, "spec"), change);
        assert_true(k8s_schema_check(&arena, object, &found, &n));
        if (n != 1 || !str_eq(found[0].rule, str_of(values[i].rule)) ||
            found[0].accepted_by_server != values[i].accepted_by_server) {
            fail_msg("%s: %u violations", values[i].value, n);
        }
        json_decref(change);
        json_decref(object);
    }
}

static void test_many_violations(void **state UNUSED)
{
    auto_arena arena = ARENA_INIT;
    const struct k8s_violation *found;
    uint32_t n = 0;
    json_t *object = json_object(), *spec = json_object();
    for (int i = 0; i < 1000; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "field%d", i);
        (void)json_object_set_new(spec, key, json_integer(i));
    }
    (void)json_object_set_new(object, "kind", json_string("EC2NodeClass"));
    (void)json_object_set_new(object, "spec", spec);
    assert_true(k8s_schema_check(&arena, object, &found, &n));
    assert_int_equal(n, K8S_SCHEMA_MAX_VIOLATIONS);
    json_decref(object);
}

/* A list longer than its limit is not looked into, however long. */
static void test_long_lists(void **state UNUSED)
{
    auto_arena arena = ARENA_INIT;
    const struct k8s_violation *found;
    uint32_t n = 0;
    json_t *object = right_object("EC2NodeClass"), *list = json_array();
    for (int i = 0; i < 100000; i++) {
        (void)json_array_append_new(list, json_object());
    }
    (void)json_object_set_new(json_object_get(object, "spec"), "networkInterfaces", list);
    assert_true(k8s_schema_check(&arena, object, &found, &n));
    assert_int_equal(n, 1);
    assert_true(str_eq(found[0].rule, STR("maxItems")));
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_objects), cmocka_unit_test(test_each_rule),
        cmocka_unit_test(test_who_refuses),   cmocka_unit_test(test_no_rule_is_left_out),
        cmocka_unit_test(test_texts),         cmocka_unit_test(test_many_violations),
        cmocka_unit_test(test_long_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

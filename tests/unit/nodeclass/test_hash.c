/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hashes of node classes, against those that Karpenter's own tests state
 * (aws/karpenter-provider-aws, pkg/apis/v1/ec2nodeclass_hash_test.go), and against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "provisioner/nodeclass/hash.h"

/* Single quotes stand for double ones. */
static json_t *parse(struct arena *arena, const char *text)
{
    char *copy = str_cstr(arena, str_of(text));
    for (char *p = copy; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    json_t *value = json_loads(copy, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

static const char base_spec[] =
    "{'role': 'role-1', 'tags': {'keyTag-1': 'valueTag-1', 'keyTag-2': 'valueTag-2'}, 'context': "
    "'fake-context', 'detailedMonitoring': false, 'associatePublicIPAddress': false, "
    "'metadataOptions': {'httpEndpoint': 'disabled', 'httpProtocolIPv6': 'disabled', "
    "'httpPutResponseHopLimit': 1, 'httpTokens': 'optional'}, 'blockDeviceMappings': "
    "[{'deviceName': 'map-device-1', 'rootVolume': false, 'ebs': {'deleteOnTermination': false, "
    "'encrypted': false, 'iops': 0, 'kmsKeyID': 'fakeKMSKeyID', 'snapshotID': 'fakeSnapshot', "
    "'throughput': 0, 'volumeSize': '2G', 'volumeType': 'standard'}}, {'deviceName': "
    "'map-device-2'}], 'userData': 'userdata-test-1'}";

#define BASE UINT64_C(11148166120438674859)

/* A change of the spec, or of its first block device, and the hash of version 6 after it. */
static const struct {
    const char *name, *spec, *device;
    uint64_t hash;
} rows[] = {
    {"base", NULL, NULL, BASE},
    {"userData", "{'userData': 'userdata-test-2'}", NULL, UINT64_C(11774429238106843388)},
    {"tags", "{'tags': {'keyTag-test-3': 'valueTag-test-3'}}", NULL, UINT64_C(9327338697296909506)},
    {"context", "{'context': 'context-2'}", NULL, UINT64_C(2279761750428738028)},
    {"detailedMonitoring", "{'detailedMonitoring': true}", NULL, UINT64_C(1936848126751988570)},
    {"instanceStorePolicy", "{'instanceStorePolicy': 'RAID0'}", NULL,
     UINT64_C(16697988646989909967)},
    {"associatePublicIPAddress", "{'associatePublicIPAddress': true}", NULL,
     UINT64_C(16141801171825097963)},
    {"httpEndpoint", "{'metadataOptions': {'httpEndpoint': 'enabled'}}", NULL,
     UINT64_C(14969742554812447671)},
    {"httpProtocolIPv6", "{'metadataOptions': {'httpProtocolIPv6': 'enabled'}}", NULL,
     UINT64_C(1581716956216772561)},
    {"httpPutResponseHopLimit", "{'metadataOptions': {'httpPutResponseHopLimit': 10}}", NULL,
     UINT64_C(14046948658064232764)},
    {"httpTokens", "{'metadataOptions': {'httpTokens': 'required'}}", NULL,
     UINT64_C(1346719102507290084)},
    {"deviceName", NULL, "{'deviceName': 'map-device-test-3'}", UINT64_C(8979166653850509463)},
    {"rootVolume", NULL, "{'rootVolume': true}", UINT64_C(8875796205856543692)},
    {"deleteOnTermination", NULL, "{'ebs': {'deleteOnTermination': true}}",
     UINT64_C(1470935115846151531)},
    {"encrypted", NULL, "{'ebs': {'encrypted': true}}", UINT64_C(5252376125396833097)},
    {"iops", NULL, "{'ebs': {'iops': 10}}", UINT64_C(11651419893470054855)},
    {"kmsKeyID", NULL, "{'ebs': {'kmsKeyID': 'test'}}", UINT64_C(1488385067008138755)},
    {"snapshotID", NULL, "{'ebs': {'snapshotID': 'test'}}", UINT64_C(12786013539168652330)},
    {"throughput", NULL, "{'ebs': {'throughput': 10}}", UINT64_C(1873429003468556999)},
    {"volumeType", NULL, "{'ebs': {'volumeType': 'io1'}}", UINT64_C(6743466905516550702)},
    {"volumeSize", NULL, "{'ebs': {'volumeSize': '10G'}}", UINT64_C(10372902467896351912)},
    {"volumeSize, spelled otherwise", NULL, "{'ebs': {'volumeSize': '2000M'}}", BASE},
    {"tcpEstablishedTimeout", "{'connectionTracking': {'tcpEstablishedTimeout': 300}}", NULL,
     UINT64_C(1619669030802245540)},
    {"udpStreamTimeout", "{'connectionTracking': {'udpStreamTimeout': 120}}", NULL,
     UINT64_C(13743705849402595405)},
    {"udpTimeout", "{'connectionTracking': {'udpTimeout': 45}}", NULL,
     UINT64_C(17941926745862994490)},
    {"nestedVirtualization", "{'cpuOptions': {'nestedVirtualization': 'enabled'}}", NULL,
     UINT64_C(6157846767212910604)},
    {"instanceProfile", "{'role': null, 'instanceProfile': 'test-instance-profile'}", NULL,
     UINT64_C(10323991363677716244)},
    {"amiSelectorTerms", "{'amiSelectorTerms': [{'tags': {'': 'ami-test-value'}}]}", NULL, BASE},
    {"subnetSelectorTerms", "{'subnetSelectorTerms': [{'tags': {'a': 'b'}}]}", NULL, BASE},
    {"securityGroupSelectorTerms", "{'securityGroupSelectorTerms': [{'tags': {'a': 'b'}}]}", NULL,
     BASE},
    {"capacityReservationSelectorTerms",
     "{'capacityReservationSelectorTerms': [{'tags': {'a': 'b'}}]}", NULL, BASE},
    {"ipPrefixCount", "{'ipPrefixCount': 3}", NULL, BASE},
    {"kubelet, empty", "{'kubelet': {}}", NULL, BASE},
    {"family, as without", "{'amiFamily': 'Custom'}", NULL, BASE},
};

static json_t *object_of(struct arena *arena, const char *spec, const char *device)
{
    json_t *object =
        json_pack("{s:{s:s},s:o}", "metadata", "name", "c", "spec", parse(arena, base_spec));
    json_t *first =
        json_array_get(json_object_get(json_object_get(object, "spec"), "blockDeviceMappings"), 0);
    auto_json *spec_change = parse(arena, spec == NULL ? "{}" : spec);
    auto_json *device_change = parse(arena, device == NULL ? "{}" : device);
    assert_int_equal(0, json_object_update_recursive(json_object_get(object, "spec"), spec_change));
    assert_int_equal(0, json_object_update_recursive(first, device_change));
    return object;
}

static uint64_t hash_of(struct arena *arena, const json_t *object,
                        enum nodeclass_hash_version version, const char *ca)
{
    struct nodeclass class;
    struct err err = {.code = ERR_NONE};
    uint64_t hash = 0;
    if (!nodeclass_decode(object, arena, &class, &err) ||
        !nodeclass_hash(&class, version, str_of(ca), arena, &hash, &err)) {
        fail_msg("%s", err.text);
    }
    return hash;
}

static void test_stated_hashes(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_json *object = object_of(&arena, rows[i].spec, rows[i].device);
        uint64_t hash = hash_of(&arena, object, NODECLASS_HASH_V6, "test-ca-bundle");
        if (hash != rows[i].hash) {
            fail_msg("%s: expected %llu, got %llu", rows[i].name, (unsigned long long)rows[i].hash,
                     (unsigned long long)hash);
        }
    }
}

static void test_versions(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    auto_json *object = object_of(&arena, NULL, NULL);
    assert_true(hash_of(&arena, object, NODECLASS_HASH_V4, "test-ca-bundle") ==
                UINT64_C(4950366118253097694));
    assert_true(hash_of(&arena, object, NODECLASS_HASH_V5, "test-ca-bundle") ==
                UINT64_C(2608468723537941485));
    assert_true(hash_of(&arena, object, NODECLASS_HASH_V5, "other") !=
                UINT64_C(2608468723537941485));
}

/* Pairs of changes: must their hashes be equal? Of every version. */
static void test_what_counts(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {
        {"{'kubelet': {'maxPods': 12}}", "{'kubelet': {'maxPods': 21}}", false},
        {"{'kubelet': {'maxPods': 12}}", NULL, false},
        {"{'kubelet': {'clusterDNS': ['a', 'b']}}", "{'kubelet': {'clusterDNS': ['a', 'c']}}",
         false},
        {"{'kubelet': {'evictionSoftGracePeriod': {'memory.available': '60s'}}}",
         "{'kubelet': {'evictionSoftGracePeriod': {'memory.available': '61s'}}}", false},
        {"{'kubelet': {'cpuCFSQuota': false}}", "{'kubelet': {'cpuCFSQuota': true}}", false},
        {"{'kubelet': {'kubeReserved': {'cpu': '1', 'memory': '2'}}}",
         "{'kubelet': {'kubeReserved': {'memory': '2', 'cpu': '1'}}}", true},
        {"{'amiSelectorTerms': [{'alias': 'al2023@latest'}]}", "{'amiFamily': 'AL2023'}", true},
        {"{'amiSelectorTerms': [{'alias': 'al2023@latest'}]}",
         "{'amiSelectorTerms': [{'alias': 'al2@latest'}]}", false},
        {"{'userData': ''}", "{'userData': null}", false},
        {"{'instanceProfile': ''}", NULL, false},
        {"{'placementGroupSelector': {'name': 'a'}}", "{'placementGroupSelector': {'id': 'a'}}",
         false},
        {"{'networkInterfaces': [{'networkCardIndex': 0, 'deviceIndex': 0, 'interfaceType': "
         "'interface'}, {'networkCardIndex': 1, 'deviceIndex': 1, 'interfaceType': 'efa-only'}]}",
         "{'networkInterfaces': [{'networkCardIndex': 1, 'deviceIndex': 1, 'interfaceType': "
         "'efa-only'}, {'networkCardIndex': 0, 'deviceIndex': 0, 'interfaceType': 'interface'}]}",
         true},
    };
    (void)state;
    for (int version = NODECLASS_HASH_V4; version <= NODECLASS_HASH_V6; version++) {
        for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
            auto_arena arena = ARENA_INIT;
            auto_json *a = object_of(&arena, pairs[i].a, NULL);
            auto_json *b = object_of(&arena, pairs[i].b, NULL);
            bool same = hash_of(&arena, a, (enum nodeclass_hash_version)version, "ca") ==
                        hash_of(&arena, b, (enum nodeclass_hash_version)version, "ca");
            if (same != pairs[i].same) {
                fail_msg("version %d: %s and %s: %s", version, pairs[i].a,
                         pairs[i].b == NULL ? "nothing" : pairs[i].b,
                         same ? "the same hash" : "different hashes");
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stated_hashes),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_what_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

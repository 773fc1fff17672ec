/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is read of NodePools, NodeClaims, NodeOverlays, CapacityBuffers and EC2NodeClasses, and of
 * the objects around volumes and nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "object_fixture.h"

static struct fixture f;

static int set_up(void **state UNUSED)
{
    fixture_begin(&f);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    fixture_end(&f);
    return 0;
}

static void finish(const char *yaml)
{
    fixture_add(&f, yaml);
    if (f.n_refused > 0) {
        fail_msg("%s", f.err.text);
    }
    fixture_finish(&f, K8S_EXPAND_AUTO);
}

#define REF "nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}"

static void test_node_pool(void **state UNUSED)
{
    finish(
        "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: p}\nspec:\n"
        "  weight: 10\n  limits: {cpu: 1500500u, memory: 1Ti, nodes: 5}\n"
        "  template:\n    metadata: {labels: {team: a}, annotations: {example.com/x: 'y z'}}\n"
        "    spec:\n      " REF "\n      expireAfter: Never\n      terminationGracePeriod: 48h\n"
        "      taints: [{key: t, value: v, effect: NoSchedule}]\n"
        "      startupTaints: [{key: s, effect: NoExecute}]\n"
        "      requirements:\n"
        "      - {key: karpenter.sh/capacity-type, operator: In, values: [spot, on-demand]}\n"
        "      - {key: karpenter.k8s.aws/instance-cpu, operator: Gte, values: ['4'], minValues: "
        "3}\n"
        "      - {key: x, operator: NotIn}\n"
        "  disruption:\n    consolidateAfter: 1m30s\n    consolidationPolicy: WhenEmpty\n"
        "    budgets:\n    - {nodes: '0', schedule: '@daily', duration: 8h, reasons: [Drifted]}\n"
        "    - {nodes: 20%}\n    - {}\n"
        "status: {conditions: [{type: Ready, status: 'False', reason: X}]}\n");
    const struct karp_nodepool *p = f.cluster->nodepools;
    assert_int_equal(p->weight, 10);
    assert_int_equal(fixture_amount(&f, &p->limits, "cpu"), 1500); /* rounded down */
    assert_int_equal(fixture_amount(&f, &p->limits, "nodes"), 5);
    assert_string_equal(fixture_label(&f, &p->template_labels, "team"), "a");
    assert_string_equal(fixture_label(&f, &p->template_annotations, "example.com/x"), "y z");
    assert_string_equal(fixture_text(&f, p->class_ref.kind), "EC2NodeClass");
    assert_true(str_eq(p->class_ref.name, STR("default")));
    assert_true(p->expire_after.never && !p->expire_after.has);
    assert_true(p->termination_grace.has && p->termination_grace.ms == INT64_C(48) * 3600000);
    assert_int_equal(p->n_taints, 1);
    assert_int_equal(p->startup_taints[0].effect, K8S_NO_EXECUTE);
    assert_int_equal(p->n_requirements, 3);
    assert_int_equal(p->requirements[1].op, K8S_GTE);
    assert_int_equal(p->requirements[1].min_values.v, 3);
    assert_int_equal(p->consolidate_after.ms, 90000);
    assert_int_equal(p->consolidation, KARP_WHEN_EMPTY);
    assert_int_equal(p->n_budgets, 3);
    assert_true(!p->budgets[0].nodes_is_percent && p->budgets[0].nodes == 0);
    assert_int_equal(p->budgets[0].reasons.n, 1);
    assert_int_equal(p->budgets[0].duration.ms, INT64_C(8) * 3600000);
    assert_true(p->budgets[1].nodes_is_percent && p->budgets[1].nodes == 20);
    assert_true(p->budgets[2].nodes_is_percent && p->budgets[2].nodes == 10);
    assert_non_null(k8s_conditions_find(&p->conditions, f.cluster->words.ready));
}

static void test_node_pool_defaults(void **state UNUSED)
{
    finish(
        "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: p}\nspec: {template: {spec: "
        "{requirements: [], " REF "}}}\n"
        "---\napiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: q}\nspec: {replicas: "
        "0, "
        "template: {spec: {requirements: [], " REF "}}, disruption: {budgets: []}}\n");
    const struct karp_nodepool *p = &f.cluster->nodepools[0], *q = &f.cluster->nodepools[1];
    assert_true(p->expire_after.has && p->expire_after.ms == INT64_C(720) * 3600000);
    assert_false(p->termination_grace.has || p->termination_grace.never);
    assert_true(p->consolidate_after.has && p->consolidate_after.ms == 0);
    assert_int_equal(p->consolidation, KARP_WHEN_EMPTY_OR_UNDERUTILIZED);
    assert_int_equal(p->n_budgets, 1);
    assert_true(p->budgets[0].nodes_is_percent && p->budgets[0].nodes == 10);
    assert_false(p->replicas.has);
    assert_true(q->replicas.has && q->replicas.v == 0);
    assert_int_equal(q->n_budgets, 0);
}

static void test_overlays(void **state UNUSED)
{
    static const struct {
        const char *spec;
        bool has_price, has_change, percent;
        int64_t value;
    } rows[] = {
        {"price: '0.0421'", true, false, false, 42100000},
        {"priceAdjustment: '+0.5'", false, true, false, 500000000},
        {"priceAdjustment: '-1'", false, true, false, -1000000000},
        {"priceAdjustment: '+10%'", false, true, true, 10000000},
        {"priceAdjustment: '-12.5%'", false, true, true, -12500000},
        {"priceAdjustment: '-100%'", false, true, true, -100000000},
        {"capacity: {example.com/x: 3}", false, false, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        (void)snprintf(
            text, sizeof text,
            "apiVersion: karpenter.sh/v1alpha1\nkind: NodeOverlay\nmetadata: {name: o%zu}\n"
            "spec: {weight: 5, requirements: [{key: a, operator: Exists}], %s}\n",
            i, rows[i].spec);
        fixture_add(&f, text);
    }
    finish("");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct karp_overlay *o = &f.cluster->overlays[i];
        int64_t value = o->has_price ? o->price : o->adjustment;
        if (o->has_price != rows[i].has_price || o->has_adjustment != rows[i].has_change ||
            o->adjustment_is_percent != rows[i].percent || value != rows[i].value) {
            fail_msg("%s: got %lld", rows[i].spec, (long long)value);
        }
        assert_int_equal(o->weight, 5);
    }
}

static void test_node_class(void **state UNUSED)
{
    finish(
        "apiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: c}\nspec:\n"
        "  amiFamily: AL2023\n  amiSelectorTerms: [{alias: al2023@latest}, {id: ami-1}]\n"
        "  kubelet: {maxPods: 50, podsPerCore: 4, kubeReserved: {cpu: 100m}, evictionHard: "
        "{memory.available: 5%}}\n"
        "  instanceStorePolicy: RAID0\n"
        "  blockDeviceMappings: [{deviceName: /dev/xvda, rootVolume: true, ebs: {volumeSize: "
        "100Gi}}, "
        "{deviceName: /dev/xvdb, ebs: {snapshotID: s}}]\n"
        "  networkInterfaces: [{networkCardIndex: 0, deviceIndex: 0, interfaceType: interface}]\n"
        "status:\n  subnets: [{id: subnet-1, zone: us-west-2a, zoneID: usw2-az1}]\n"
        "  capacityReservations: [{id: cr-1, instanceType: m5.large, availabilityZone: "
        "us-west-2a}]\n"
        "---\napiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: d}\nspec: {}\n"
        "status: {subnets: []}\n"
        "---\napiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: e}\nspec: "
        "{kubelet: {}}\n");
    const struct aws_nodeclass *c = f.cluster->nodeclasses;
    assert_true(str_eq(c->ami_family, STR("AL2023")));
    assert_int_equal(c->ami_aliases.n, 1);
    assert_true(c->kubelet.present && c->kubelet.max_pods.v == 50 &&
                c->kubelet.pods_per_core.v == 4);
    assert_int_equal(fixture_amount(&f, &c->kubelet.kube_reserved, "cpu"), 100);
    assert_string_equal(fixture_label(&f, &c->kubelet.eviction_hard, "memory.available"), "5%");
    assert_true(c->instance_store_raid0 && c->has_subnets);
    assert_int_equal(c->n_block_devices, 2);
    assert_true(c->block_devices[0].root_volume);
    assert_int_equal(c->block_devices[0].size_bytes.v, INT64_C(100) << 30);
    assert_false(c->block_devices[1].size_bytes.has);
    assert_int_equal(c->n_network_interfaces, 1);
    assert_string_equal(fixture_text(&f, c->subnets[0].zone_id), "usw2-az1");
    assert_true(str_eq(c->reservations[0].id, STR("cr-1")));
    assert_true(c[1].has_subnets && c[1].n_subnets == 0 && !c[1].kubelet.present);
    assert_true(!c[2].has_subnets && c[2].kubelet.present);
}

static void test_buffers(void **state UNUSED)
{
    finish(
        "apiVersion: autoscaling.x-k8s.io/v1beta1\nkind: CapacityBuffer\nmetadata: {name: a}\n"
        "spec: {podTemplateRef: {name: t}, limits: {cpu: 10}}\nstatus: {replicas: 4}\n"
        "---\napiVersion: autoscaling.x-k8s.io/v1beta1\nkind: CapacityBuffer\nmetadata: {name: b}\n"
        "spec: {scalableRef: {kind: Deployment, name: web}, percentage: 20}\n"
        "---\napiVersion: v1\nkind: PodTemplate\nmetadata: {name: t}\ntemplate: {spec: "
        "{containers: "
        "[{name: c, resources: {requests: {cpu: 1}}}]}}\n");
    const struct karp_buffer *a = &f.cluster->buffers[0], *b = &f.cluster->buffers[1];
    assert_true(str_eq(a->template_name, STR("t")) && a->status_replicas.v == 4);
    assert_string_equal(fixture_text(&f, b->scalable_group), "apps");
    assert_true(b->percentage.has && b->percentage.v == 20 && !b->replicas.has);
    assert_int_equal(f.cluster->pod_templates[0].shape->n_containers, 1);
}

static void test_nodes_and_claims(void **state UNUSED)
{
    finish(
        "kind: Node\nmetadata: {name: n1, labels: {a: b}, finalizers: [x/y]}\nspec: {providerID: "
        "'aws:///us-west-2a/i-1', unschedulable: true, taints: [{key: k, effect: NoExecute}]}\n"
        "status: {capacity: {cpu: 4, memory: 16Gi, pods: 58}, allocatable: {cpu: 3920500u, memory: "
        "15Gi}}\n"
        "---\napiVersion: karpenter.sh/v1\nkind: NodeClaim\nmetadata: {name: c1, labels: "
        "{karpenter.sh/nodepool: p}, ownerReferences: [{apiVersion: karpenter.sh/v1, kind: "
        "NodePool, "
        "name: p, uid: u}]}\nspec: {requirements: [], " REF
        ", resources: {requests: {cpu: 1500u}}}\n"
        "status: {providerID: 'aws:///us-west-2a/i-1', nodeName: n1, imageID: ami-1, "
        "lastPodEventTime: "
        "'2026-03-01T08:00:00Z', allocatable: {cpu: 3}}\n"
        "---\nkind: CSINode\napiVersion: storage.k8s.io/v1\nmetadata: {name: n1}\nspec: {drivers: "
        "[{name: ebs.csi.aws.com, allocatable: {count: 25}}, {name: efs.csi.aws.com}]}\n"
        "---\nkind: VolumeAttachment\napiVersion: storage.k8s.io/v1\nmetadata: {name: va}\nspec: "
        "{attacher: ebs.csi.aws.com, nodeName: n1, source: {persistentVolumeName: pv-1}}\nstatus: "
        "{attached: true}\n");
    const struct k8s_node *n = f.cluster->nodes;
    assert_true(n->unschedulable && n->n_taints == 1 && n->meta.n_finalizers == 1);
    assert_int_equal(fixture_amount(&f, &n->allocatable, "cpu"), 3920); /* rounded down */
    const struct karp_nodeclaim *c = f.cluster->nodeclaims;
    assert_int_equal(fixture_amount(&f, &c->requests, "cpu"), 2); /* rounded up */
    assert_true(str_eq(c->node_name, STR("n1")) && c->last_pod_event.has);
    assert_null(k8s_meta_controller(&c->meta));
    assert_int_equal(c->meta.n_owners, 1);
    assert_int_equal(f.cluster->csi_nodes->drivers[0].count.v, 25);
    assert_false(f.cluster->csi_nodes->drivers[1].count.has);
    assert_true(f.cluster->attachments->attached);
}

static void test_volumes(void **state UNUSED)
{
    finish(
        "kind: PersistentVolume\nmetadata: {name: a}\nspec: {storageClassName: gp3, capacity: "
        "{storage: "
        "10Gi}, csi: {driver: ebs.csi.aws.com, volumeHandle: vol-1}, claimRef: {namespace: shop, "
        "name: "
        "c}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: "
        "topology.kubernetes.io/zone, operator: In, values: [us-west-2a]}]}]}}}\nstatus: {phase: "
        "Bound}\n"
        "---\nkind: PersistentVolume\nmetadata: {name: b}\nspec: {awsElasticBlockStore: {volumeID: "
        "vol-2}}\n"
        "---\nkind: PersistentVolume\nmetadata: {name: c}\nspec: {local: {path: /x}}\n"
        "---\nkind: PersistentVolume\nmetadata: {name: d}\nspec: {nfs: {server: s, path: /}}\n"
        "---\nkind: PersistentVolumeClaim\nmetadata: {name: c, annotations: "
        "{pv.kubernetes.io/bind-completed: 'yes', other: x}}\nspec: {storageClassName: gp3, "
        "volumeName: a, accessModes: [ReadWriteOnce], resources: {requests: {storage: 9.5Gi}}}\n"
        "---\nkind: StorageClass\nmetadata: {name: gp3}\nprovisioner: ebs.csi.aws.com\n"
        "volumeBindingMode: WaitForFirstConsumer\nallowedTopologies: [{matchLabelExpressions: "
        "[{key: "
        "z, values: [a, b]}]}]\n");
    const struct k8s_pv *pv = f.cluster->pvs;
    assert_int_equal(pv[0].n_terms, 1);
    assert_int_equal(pv[0].capacity_bytes, INT64_C(10) << 30);
    assert_true(str_eq(pv[0].claim_ns, STR("shop")) && str_eq(pv[0].claim_name, STR("c")));
    assert_string_equal(fixture_text(&f, pv[1].driver), "kubernetes.io/aws-ebs");
    assert_true(str_eq(pv[1].volume_handle, STR("vol-2")));
    assert_true(pv[2].is_local && !pv[2].is_host_path && pv[3].is_nfs);
    const struct k8s_pvc *pvc = f.cluster->pvcs;
    assert_true(pvc->bind_completed && pvc->meta.annotations.n == 1);
    assert_int_equal(pvc->request_bytes, INT64_C(10200547328));
    assert_string_equal(fixture_text(&f, pvc->phase), "Pending");
    const struct k8s_storage_class *class = f.cluster->storage_classes;
    assert_true(class->wait_for_consumer && !class->is_default);
    assert_int_equal(class->topologies[0].expressions[0].op, K8S_IN);
    assert_int_equal(class->topologies[0].expressions[0].values.n, 2);
}

#define POOL(text)                                                                                 \
    "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: p}\nspec: " text "\n"
#define POOL_SPEC(text) POOL("{template: {spec: {" REF ", " text "}}}")
#define POOL_REQ(text)  POOL_SPEC("requirements: [" text "]")
#define OVERLAY(text)                                                                              \
    "apiVersion: karpenter.sh/v1alpha1\nkind: NodeOverlay\nmetadata: {name: p}\nspec: {" text "}"  \
    "\n"
#define BUFFER(text)                                                                               \
    "apiVersion: autoscaling.x-k8s.io/v1beta1\nkind: CapacityBuffer\nmetadata: {name: p}\nspec: "  \
    "{" text "}\n"
#define CLASS(text)                                                                                \
    "apiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: p}\nspec: {" text "}"  \
    "\n"

static const struct {
    const char *yaml, *error;
} refused[] = {
    {POOL("{}"), "NodePool p: spec.template: required"},
    {POOL("{template: {spec: {requirements: []}}}"), "spec.template.spec.nodeClassRef: required"},
    {POOL("{template: {spec: {nodeClassRef: {group: a, kind: b}}}}"),
     "spec.template.spec.nodeClassRef.name: required"},
    {POOL_REQ("{key: a, operator: In}"), "requirements[0].values: In and NotIn need at least one"},
    {POOL_REQ("{key: a, operator: Is, values: [b]}"),
     "requirements[0].operator: \"Is\": must be one of"},
    {POOL_REQ("{key: a, operator: Gt, values: [b]}"),
     "requirements[0].values[0]: \"b\": Gt, Lt, Gte"},
    {POOL_REQ("{key: a, operator: Lte, values: ['-1']}"), "requirements[0].values[0]: \"-1\""},
    {POOL_REQ("{key: a, operator: Gt, values: ['1', '2']}"),
     "requirements[0].values: Gt and Lt need"},
    {POOL_REQ("{key: a, operator: In, values: [b], minValues: 2}"),
     "requirements[0].minValues: 2, but"},
    {POOL_REQ("{key: a, operator: Exists, minValues: 51}"),
     "requirements[0].minValues: 51 is out of"},
    {POOL_REQ("{key: a, operator: Exists, minValues: 0}"),
     "requirements[0].minValues: 0 is out of"},
    {POOL_REQ("{key: 'a b', operator: Exists}"), "requirements[0].key: \"a b\""},
    {POOL_SPEC("expireAfter: soon"), "spec.template.spec.expireAfter: "},
    {POOL_SPEC("expireAfter: -1h"),
     "spec.template.spec.expireAfter: \"-1h\": must not be negative"},
    {POOL_SPEC("taints: [{key: a}]"), "taints[0].effect: required"},
    {POOL_SPEC("taints: [{key: a, effect: Sometimes}]"),
     "taints[0].effect: \"Sometimes\": must be one"},
    {POOL("{weight: 101, template: {spec: {" REF "}}}"),
     "spec.weight: 101 is out of range (1 to 100)"},
    {POOL("{replicas: -1, template: {spec: {" REF "}}}"), "spec.replicas: -1 is out of range"},
    {POOL("{limits: {cpu: -5}, template: {spec: {" REF "}}}"),
     "spec.limits.cpu: -5: must not be negative"},
    {POOL("{disruption: {consolidationPolicy: Always}, template: {spec: {" REF "}}}"),
     "spec.disruption.consolidationPolicy: \"Always\": must be one of WhenEmpty"},
    {POOL("{disruption: {budgets: [{nodes: 200%}]}, template: {spec: {" REF "}}}"),
     "spec.disruption.budgets[0].nodes: \"200%\": must not be more than 100%"},
    {POOL("{disruption: {budgets: [{nodes: 5}]}, template: {spec: {" REF "}}}"),
     "spec.disruption.budgets[0].nodes: expected a string"},
    {POOL("{disruption: {budgets: [{reasons: [Old]}]}, template: {spec: {" REF "}}}"),
     "spec.disruption.budgets[0].reasons[0]: \"Old\": must be one of"},
    {POOL("{disruption: {budgets: [{schedule: '@daily'}]}, template: {spec: {" REF "}}}"),
     "spec.disruption.budgets[0]: schedule and duration must be set together"},
    {OVERLAY("price: cheap"), "spec.price: \"cheap\": must be a price"},
    {OVERLAY("price: '-1'"), "spec.price: \"-1\": must be a price"},
    {OVERLAY("price: '1', priceAdjustment: '+1'"), "spec.priceAdjustment: cannot be set together"},
    {OVERLAY("priceAdjustment: '5'"), "spec.priceAdjustment: \"5\": must be a signed change"},
    {OVERLAY("priceAdjustment: '-101%'"),
     "spec.priceAdjustment: \"-101%\": must be a signed change"},
    {OVERLAY("capacity: {cpu: 4}"), "spec.capacity: \"cpu\" cannot be changed by an overlay"},
    {OVERLAY("weight: 10001"), "spec.weight: 10001 is out of range"},
    {OVERLAY("requirements: [{key: a, operator: NotIn}]"),
     "spec.requirements[0]: NotIn needs at least"},
    {OVERLAY("requirements: [{key: a, operator: Exists, minValues: 2}]"),
     "an overlay knows no minValues"},
    {BUFFER("podTemplateRef: {name: t}"), "spec: podTemplateRef needs replicas or limits"},
    {BUFFER("podTemplateRef: {name: t}, scalableRef: {kind: a, name: b}, replicas: 1"),
     "spec: podTemplateRef and scalableRef cannot both be set"},
    {CLASS("kubelet: {maxPods: -1}"), "spec.kubelet.maxPods: -1 is out of range"},
    {CLASS("instanceStorePolicy: RAID5"), "spec.instanceStorePolicy: \"RAID5\": must be RAID0"},
    {CLASS("blockDeviceMappings: [{ebs: {volumeSize: large}}]"),
     "spec.blockDeviceMappings[0].ebs.volumeSize: "},
    {"kind: Node\nmetadata: {name: n}\nstatus: {allocatable: {cpu: -1}}\n",
     "Node n: status.allocatable.cpu: -1: must not be negative"},
    {"kind: PersistentVolumeClaim\nmetadata: {name: n}\nspec: {resources: {requests: {storage: "
     "NaN}}}\n",
     "PersistentVolumeClaim default/n: spec.resources.requests.storage: "},
    {"kind: StorageClass\nmetadata: {name: n}\nprovisioner: x\nvolumeBindingMode: Later\n",
     "StorageClass n: volumeBindingMode: \"Later\": must be one of Immediate, "
     "WaitForFirstConsumer"},
    {"kind: StorageClass\nmetadata: {name: n}\n", "StorageClass n: provisioner: required"},
    {"kind: PodDisruptionBudget\nmetadata: {name: n}\nspec: {minAvailable: -1}\n",
     "PodDisruptionBudget default/n: all but its selector, which now allows no eviction: "
     "spec.minAvailable: -1 is out of range"},
    {"kind: PodDisruptionBudget\nmetadata: {name: n}\nspec: {minAvailable: 1, maxUnavailable: 1}\n",
     "spec: minAvailable and maxUnavailable cannot both be set"},
    {"kind: PriorityClass\nmetadata: {name: n}\nvalue: high\n",
     "PriorityClass n: value: expected an integer, got the string \"high\""},
    {"kind: LimitRange\nmetadata: {name: n}\nspec: {limits: [{default: {cpu: 1}}]}\n",
     "LimitRange default/n: spec.limits[0].type: required"},
    {"kind: CSINode\nmetadata: {name: n}\nspec: {drivers: [{name: a, allocatable: {count: -1}}]}\n",
     "CSINode n: spec.drivers[0].allocatable.count: -1 is out of range"},
};

static void test_refused(void **state UNUSED)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        uint32_t before = f.n_refused;
        fixture_add(&f, refused[i].yaml);
        if (f.n_refused == before || strstr(f.err.text, refused[i].error) == NULL) {
            fail_msg("%s\n  expected %s\n  got      %s", refused[i].yaml, refused[i].error,
                     f.n_refused == before ? "nothing" : f.err.text);
        }
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_node_pool), TEST(test_node_pool_defaults),
        TEST(test_overlays),  TEST(test_node_class),
        TEST(test_buffers),   TEST(test_nodes_and_claims),
        TEST(test_volumes),   TEST(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

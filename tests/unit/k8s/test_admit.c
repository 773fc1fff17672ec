/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What admission would have added: priority, RuntimeClass, LimitRange, default StorageClass. Each
 * is looked up when all objects are in, whatever their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static void test_priority(void **state UNUSED)
{
    static const struct {
        const char *pod;
        int32_t priority;
        enum k8s_preemption preemption;
    } expected[] = {
        {"named", 1000, K8S_PREEMPT_LOWER},        {"quiet", 5, K8S_PREEMPT_NEVER},
        {"given", 7, K8S_PREEMPT_LOWER},           {"none", -3, K8S_PREEMPT_LOWER},
        {"system", 2000001000, K8S_PREEMPT_LOWER}, {"missing", 0, K8S_PREEMPT_LOWER},
    };
    finish("kind: Pod\nmetadata: {name: named}\nspec: {priorityClassName: high}\n"
           "---\nkind: Pod\nmetadata: {name: quiet}\nspec: {priorityClassName: quiet}\n"
           "---\nkind: Pod\nmetadata: {name: given}\nspec: {priorityClassName: high, priority: 7}\n"
           "---\nkind: Pod\nmetadata: {name: none}\nspec: {}\n"
           "---\nkind: Pod\nmetadata: {name: system}\nspec: {priorityClassName: "
           "system-node-critical}\n"
           "---\nkind: Pod\nmetadata: {name: missing}\nspec: {priorityClassName: nowhere}\n"
           "---\nkind: PriorityClass\nmetadata: {name: high}\nvalue: 1000\n"
           "---\nkind: PriorityClass\nmetadata: {name: quiet}\nvalue: 5\npreemptionPolicy: Never\n"
           "---\nkind: PriorityClass\nmetadata: {name: usual}\nvalue: 10\nglobalDefault: true\n"
           "---\nkind: PriorityClass\nmetadata: {name: usual2}\nvalue: -3\nglobalDefault: true\n");
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct k8s_pod_shape *s = fixture_pod(&f, expected[i].pod)->shape;
        if (!s->priority.has || s->priority.v != expected[i].priority ||
            s->preemption != expected[i].preemption) {
            fail_msg("%s: priority %d", expected[i].pod, s->priority.v);
        }
    }
}

static void test_runtime_class(void **state UNUSED)
{
    finish(
        "kind: Pod\nmetadata: {name: bare}\nspec: {runtimeClassName: vm, nodeSelector: {a: mine}, "
        "tolerations: [{key: vm, operator: Exists}]}\n"
        "---\nkind: Pod\nmetadata: {name: own}\nspec: {runtimeClassName: vm, overhead: {cpu: 1}}\n"
        "---\nkind: Pod\nmetadata: {name: admitted}\nspec: {runtimeClassName: vm}\n"
        "status: {phase: Pending}\n"
        "---\nkind: RuntimeClass\nmetadata: {name: vm}\nhandler: vm\noverhead: {podFixed: {cpu: "
        "250m, memory: 64Mi}}\nscheduling: {nodeSelector: {a: theirs, b: c}, tolerations: [{key: "
        "vm, "
        "operator: Exists}, {key: x}]}\n"
        "---\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {template: "
        "{spec: "
        "{runtimeClassName: vm}}}\n");
    const struct k8s_pod_shape *bare = fixture_pod(&f, "bare")->shape;
    assert_int_equal(fixture_amount(&f, &bare->overhead, "cpu"), 250);
    assert_int_equal(fixture_amount(&f, &bare->overhead, "memory"), 64 << 20);
    assert_string_equal(fixture_label(&f, &bare->node_selector, "a"), "mine");
    assert_string_equal(fixture_label(&f, &bare->node_selector, "b"), "c");
    assert_int_equal(bare->n_tolerations, 2);
    const struct k8s_pod_shape *own = fixture_pod(&f, "own")->shape;
    assert_int_equal(fixture_amount(&f, &own->overhead, "cpu"), 1000);
    assert_int_equal(fixture_amount(&f, &own->overhead, "memory"), -1);
    const struct k8s_pod_shape *admitted = fixture_pod(&f, "admitted")->shape;
    assert_int_equal(admitted->overhead.n, 0);
    assert_int_equal(admitted->n_tolerations, 0);
    assert_int_equal(fixture_amount(&f, &fixture_pod(&f, "web-0")->shape->overhead, "cpu"), 250);
}

#define CONTAINER "containers: [{name: c, resources: {requests: {cpu: 100m}}}]"

static void test_limit_ranges(void **state UNUSED)
{
    finish(
        "kind: Pod\nmetadata: {name: bare, namespace: shop}\nspec: {" CONTAINER "}\n"
        "---\nkind: Pod\nmetadata: {name: elsewhere, namespace: other}\nspec: {" CONTAINER "}\n"
        "---\nkind: Pod\nmetadata: {name: admitted, namespace: shop}\nspec: {" CONTAINER
        "}\nstatus: {phase: Pending}\n"
        "---\nkind: LimitRange\nmetadata: {name: b, namespace: shop}\nspec: {limits: [{type: Pod, "
        "max: {cpu: 9}}, {type: Container, default: {memory: 1Gi}, min: {cpu: 50m, "
        "ephemeral-storage: 1Mi}, max: {cpu: 2}}]}\n"
        "---\nkind: LimitRange\nmetadata: {name: a, namespace: shop}\nspec: {limits: [{type: "
        "Container, defaultRequest: {memory: 256Mi}}]}\n"
        "---\nkind: DaemonSet\napiVersion: apps/v1\nmetadata: {name: agent, namespace: shop}\n"
        "spec: {template: {spec: {containers: [{name: c}], initContainers: [{name: i}]}}}\n");
    const struct k8s_container *bare = fixture_pod(&f, "bare")->shape->containers;
    assert_int_equal(fixture_amount(&f, &bare->requests, "cpu"), 100);
    assert_int_equal(fixture_amount(&f, &bare->requests, "memory"), 256 << 20);
    assert_int_equal(fixture_amount(&f, &bare->requests, "ephemeral-storage"), 1 << 20);
    assert_int_equal(fixture_amount(&f, &bare->limits, "cpu"), 2000);
    assert_int_equal(fixture_amount(&f, &bare->limits, "memory"), 1 << 30);
    const char *const untouched[] = {"elsewhere", "admitted"};
    for (size_t i = 0; i < 2; i++) {
        const struct k8s_container *c = fixture_pod(&f, untouched[i])->shape->containers;
        assert_int_equal(c->requests.n, 1);
        assert_int_equal(c->limits.n, 0);
    }
    const struct k8s_pod_shape *agent = f.cluster->workloads[0].template_shape;
    assert_int_equal(fixture_amount(&f, &agent->containers[0].requests, "cpu"), 2000);
    assert_int_equal(fixture_amount(&f, &agent->init_containers[0].requests, "memory"), 256 << 20);
    for (uint32_t i = 0; i < f.cluster->n_shapes; i++) {
        assert_int_equal(f.cluster->shapes[i]->id, i);
    }
}

static void test_default_storage_class(void **state UNUSED)
{
    finish(
        "kind: PersistentVolumeClaim\nmetadata: {name: open}\nspec: {}\n"
        "---\nkind: PersistentVolumeClaim\nmetadata: {name: empty}\nspec: {storageClassName: ''}\n"
        "---\nkind: PersistentVolumeClaim\nmetadata: {name: bound}\nspec: {volumeName: pv-1}\n"
        "---\nkind: PersistentVolumeClaim\nmetadata: {name: old, annotations: "
        "{volume.beta.kubernetes.io/storage-class: gp2}}\nspec: {}\n"
        "---\nkind: Pod\nmetadata: {name: p}\nspec: {volumes: [{name: e, ephemeral: "
        "{volumeClaimTemplate: {spec: {}}}}]}\n"
        "---\nkind: StatefulSet\napiVersion: apps/v1\nmetadata: {name: db}\nspec: {template: {}, "
        "volumeClaimTemplates: [{metadata: {name: data}}]}\n"
        "---\nkind: StorageClass\nmetadata: {name: gp2, creationTimestamp: '2025-01-01T00:00:00Z', "
        "annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}\nprovisioner: x\n"
        "---\nkind: StorageClass\nmetadata: {name: gp4, creationTimestamp: '2026-01-01T00:00:00Z', "
        "annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}\nprovisioner: x\n"
        "---\nkind: StorageClass\nmetadata: {name: gp3, creationTimestamp: '2026-01-01T00:00:00Z', "
        "annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}\nprovisioner: x\n"
        "---\nkind: StorageClass\nmetadata: {name: z, creationTimestamp: '2026-02-01T00:00:00Z', "
        "annotations: {storageclass.kubernetes.io/is-default-class: 'false'}}\nprovisioner: x\n");
    static const char *const classes[] = {"gp3", "", NULL, "gp2", "gp3"};
    assert_int_equal(f.cluster->n_pvcs, 5);
    for (uint32_t i = 0; i < 5; i++) {
        strid class = f.cluster->pvcs[i].storage_class;
        if (classes[i] == NULL) {
            assert_int_equal(class, STRID_NONE);
        } else {
            assert_string_equal(fixture_text(&f, class), classes[i]);
        }
    }
    const struct k8s_pod_shape *shape = fixture_pod(&f, "p")->shape;
    assert_string_equal(fixture_text(&f, shape->volumes[0].storage_class), "gp3");
    const struct k8s_claim_template *claim = f.cluster->workloads[0].claim_templates;
    assert_string_equal(fixture_text(&f, claim->storage_class), "gp3");
}

static void test_no_default_storage_class(void **state UNUSED)
{
    finish("kind: PersistentVolumeClaim\nmetadata: {name: open}\nspec: {}\n"
           "---\nkind: StorageClass\nmetadata: {name: gp2}\nprovisioner: x\n");
    assert_int_equal(f.cluster->pvcs[0].storage_class, STRID_NONE);
}

static void test_namespaces_carry_their_name(void **state UNUSED)
{
    finish("kind: Namespace\nmetadata: {name: shop, labels: {zz: top, a: b}}\n"
           "---\nkind: Namespace\nmetadata: {name: other, namespace: nonsense}\n");
    assert_string_equal(
        fixture_label(&f, &f.cluster->namespaces[0].meta.labels, "kubernetes.io/metadata.name"),
        "shop");
    assert_string_equal(fixture_label(&f, &f.cluster->namespaces[0].meta.labels, "zz"), "top");
    assert_string_equal(fixture_label(&f, &f.cluster->namespaces[0].meta.labels, "a"), "b");
    assert_int_equal(f.cluster->namespaces[1].meta.ns, STRID_EMPTY);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_priority),
        TEST(test_runtime_class),
        TEST(test_limit_ranges),
        TEST(test_default_storage_class),
        TEST(test_no_default_storage_class),
        TEST(test_namespaces_carry_their_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

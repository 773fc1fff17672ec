/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the builder takes, replaces, counts and refuses. */
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

#define POD(name, extra)                                                                           \
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"" name                       \
    "\",\"namespace\":\"shop\"" extra                                                              \
    "},\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":1}}}]}}"

static void test_pods_of_one_shape_share_it(void **state UNUSED)
{
    fixture_add(
        &f, "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: '1', y: '2'}}\n"
            "spec: {nodeName: n1, containers: [{name: c, image: one,\n"
            "  resources: {requests: {cpu: 500m, memory: 1Gi}}}]}\n"
            "---\n"
            "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - resources: {requests: "
            "{memory: 1024Mi, cpu: '0.5'}}\n    name: c\n    image: two\n"
            "  tolerations: []\n"
            "metadata: {labels: {y: '2', x: '1'}, name: b}\n"
            "---\n"
            "apiVersion: v1\nkind: Pod\nmetadata: {name: c, labels: {x: '1', y: '3'}}\n"
            "spec: {containers: [{name: c, resources: {requests: {cpu: 500m, memory: 1Gi}}}]}\n"
            "---\n"
            "apiVersion: v1\nkind: Pod\nmetadata: {name: d, labels: {x: '1', y: '2'}}\n"
            "spec: {containers: [{name: c, resources: {requests: {cpu: 501m, memory: 1Gi}}}]}\n");
    assert_int_equal(f.n_refused, 0);
    fixture_finish(&f, K8S_EXPAND_AUTO);
    const struct k8s_pod *a = fixture_pod(&f, "a"), *b = fixture_pod(&f, "b");
    const struct k8s_pod *c = fixture_pod(&f, "c"), *d = fixture_pod(&f, "d");
    assert_ptr_equal(a->shape, b->shape);
    assert_ptr_not_equal(a->shape, c->shape);
    assert_ptr_equal(a->shape->containers, c->shape->containers); /* only the labels differ */
    assert_ptr_not_equal(a->shape->containers, d->shape->containers);
    assert_int_equal(f.cluster->n_shapes, 3);
    for (uint32_t i = 0; i < f.cluster->n_shapes; i++) {
        assert_int_equal(f.cluster->shapes[i]->id, i);
    }
    assert_true(str_eq(a->node_name, STR("n1")));
    assert_int_equal(b->node_name.n, 0);
}

static void test_the_last_of_two_counts(void **state UNUSED)
{
    assert_true(fixture_add_json(&f, POD("a", ",\"uid\":\"one\""), "", false));
    assert_true(fixture_add_json(&f, POD("b", ""), "", false));
    assert_int_equal(f.n_replaced, 0);
    assert_true(fixture_add_json(&f, POD("a", ",\"uid\":\"two\""), "", false));
    assert_int_equal(f.n_replaced, 1);
    /* The same name in another namespace or of another kind is another object. */
    assert_true(fixture_add_json(&f, "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"spec\":{}}",
                                 "", false));
    assert_true(fixture_add_json(
        &f, "{\"kind\":\"Service\",\"metadata\":{\"name\":\"a\",\"namespace\":\"shop\"}}", "",
        false));
    assert_int_equal(f.n_replaced, 1);
    fixture_finish(&f, K8S_EXPAND_AUTO);
    assert_int_equal(f.cluster->n_pods, 3);
    assert_true(str_eq(f.cluster->pods[0].uid, STR("two")));
    assert_string_equal(fixture_text(&f, f.cluster->pods[2].ns), "default");
}

static void test_deleted_objects_go(void **state UNUSED)
{
    assert_true(fixture_add_json(&f, POD("a", ""), "", false));
    assert_true(fixture_add_json(&f, POD("b", ""), "", false));
    assert_true(fixture_add_json(&f, POD("c", ""), "", false));
    assert_true(fixture_add_json(&f, POD("b", ""), "", true));
    assert_true(fixture_add_json(&f, POD("b", ""), "", true));     /* twice */
    assert_true(fixture_add_json(&f, POD("ghost", ""), "", true)); /* never there */
    assert_true(fixture_add_json(&f, POD("a", ""), "", true));
    assert_true(fixture_add_json(&f, POD("a", ",\"uid\":\"new\""), "", false)); /* back again */
    assert_int_equal(f.n_replaced, 0);
    assert_false(fixture_add_json(&f, "{\"kind\":\"Pod\",\"metadata\":{}}", "", true));
    fixture_finish(&f, K8S_EXPAND_AUTO);
    assert_int_equal(f.cluster->n_pods, 2);
    assert_true(str_eq(fixture_pod(&f, "a")->uid, STR("new")));
    assert_true(str_eq(fixture_pod(&f, "c")->name, STR("c")));
}

static void test_counts_add_up(void **state UNUSED)
{
    static const struct {
        const char *kind;
        uint32_t n, rejected, replaced;
        bool known;
    } expected[] = {{"", 3, 3, 0, false},          {"AWSNodeTemplate", 1, 1, 0, false},
                    {"ConfigMap", 2, 0, 0, false}, {"Node.example.com", 1, 0, 0, false},
                    {"Pod", 4, 1, 1, true},        {"Service.serving.knative.dev", 1, 0, 0, false},
                    {"Status", 1, 1, 0, false},    {"nodes", 1, 1, 0, false},
                    {"pods", 1, 0, 0, false}};
    const struct k8s_kind_count *counts;
    uint32_t n = 0, sum = 0;
    assert_true(fixture_add_json(&f, POD("a", ""), "", false));
    assert_true(fixture_add_json(&f, POD("a", ""), "", false));
    assert_true(fixture_add_json(&f, "{\"metadata\":{\"name\":\"i\"}}", "Pod", false));
    assert_false(fixture_add_json(&f, POD("A", ""), "", false));
    assert_true(fixture_add_json(&f, "{\"kind\":\"ConfigMap\"}", "", false));
    assert_true(fixture_add_json(&f, "{\"kind\":\"ConfigMap\",\"metadata\":7}", "", false));
    assert_true(fixture_add_json(
        &f, "{\"kind\":\"Service\",\"apiVersion\":\"serving.knative.dev/v1\"}", "", false));
    assert_true(
        fixture_add_json(&f, "{\"kind\":\"Node\",\"apiVersion\":\"example.com/v1\"}", "", false));
    assert_false(fixture_add_json(&f, "{}", "", false));
    assert_false(fixture_add_json(
        &f, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"message\":\"forbidden\"}", "", false));
    assert_string_equal(f.err.text, "an error of the API server instead of objects: forbidden");
    assert_false(fixture_add_json(&f, "{\"kind\":\"nodes\",\"apiVersion\":\"v1\"}", "", false));
    assert_string_equal(f.err.text, "kind: \"nodes\" is not known; use Node");
    assert_true(
        fixture_add_json(&f, "{\"kind\":\"pods\",\"apiVersion\":\"example.com/v1\"}", "", false));
    assert_false(fixture_add_json(
        &f, "{\"kind\":\"AWSNodeTemplate\",\"apiVersion\":\"karpenter.k8s.aws/v1alpha1\"}", "",
        false));
    assert_false(fixture_add_json(&f, "{\"kind\":5}", "", false));
    assert_false(fixture_add_json(&f, "[]", "", false));
    k8s_builder_counts(f.builder, &counts, &n);
    assert_int_equal(n, sizeof expected / sizeof expected[0]);
    for (uint32_t i = 0; i < n; i++) {
        if (!str_eq(counts[i].kind, str_of(expected[i].kind)) || counts[i].n != expected[i].n ||
            counts[i].n_rejected != expected[i].rejected ||
            counts[i].n_replaced != expected[i].replaced || counts[i].known != expected[i].known) {
            fail_msg("%s: got " STR_FMT " %u %u %u", expected[i].kind, STR_ARG(counts[i].kind),
                     counts[i].n, counts[i].n_rejected, counts[i].n_replaced);
        }
        sum += counts[i].n;
    }
    assert_int_equal(sum, 15);
}

static void test_many_unknown_kinds(void **state UNUSED)
{
    const struct k8s_kind_count *counts;
    uint32_t n = 0;
    uint64_t sum = 0;
    for (int i = 0; i < 12000; i++) {
        char json[64];
        (void)snprintf(json, sizeof json, "{\"kind\":\"Kind%d\"}", i);
        assert_true(fixture_add_json(&f, json, "", false));
    }
    k8s_builder_counts(f.builder, &counts, &n);
    assert_true(n <= 10001);
    for (uint32_t i = 0; i < n; i++) {
        sum += counts[i].n;
    }
    assert_int_equal(sum, 12000);
}

static void test_versions(void **state UNUSED)
{
    static const struct {
        const char *api, *kind, *rest, *error; /* error NULL: taken */
    } rows[] = {
        {"apps/v1beta1", "Deployment", ",\"spec\":{\"template\":{}}", NULL},
        {"extensions/v1beta1", "DaemonSet", ",\"spec\":{\"template\":{}}", NULL},
        {"batch/v1beta1", "CronJob", ",\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{}}}}",
         NULL},
        {"policy/v1beta1", "PodDisruptionBudget", "", NULL},
        {"autoscaling.x-k8s.io/v1alpha1", "CapacityBuffer",
         ",\"spec\":{\"podTemplateRef\":{\"name\":\"t\"},\"replicas\":1}", NULL},
        {"karpenter.sh/v1beta1", "NodePool", "",
         "NodePool x: apiVersion karpenter.sh/v1beta1 is not supported; convert the object to "
         "karpenter.sh/v1"},
        {"karpenter.k8s.aws/v1beta1", "EC2NodeClass", "",
         "EC2NodeClass x: apiVersion karpenter.k8s.aws/v1beta1 is not supported"},
        {"v2", "Pod", "",
         "Pod default/x: apiVersion v2 is not supported; convert the object to v1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[512];
        (void)snprintf(json, sizeof json,
                       "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"x\"}%s}",
                       rows[i].api, rows[i].kind, rows[i].rest);
        bool ok = fixture_add_json(&f, json, "", false);
        if (ok != (rows[i].error == NULL) ||
            (!ok && (f.err.code != ERR_UNSUPPORTED ||
                     strncmp(f.err.text, rows[i].error, strlen(rows[i].error)) != 0))) {
            fail_msg("%s %s: %s", rows[i].api, rows[i].kind, ok ? "taken" : f.err.text);
        }
    }
}

static void test_old_budgets_select_nothing(void **state UNUSED)
{
    fixture_add(&f, "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: old}\n"
                    "spec: {selector: {}, maxUnavailable: 0}\n"
                    "---\n"
                    "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: new}\n"
                    "spec: {selector: {}, maxUnavailable: 25%}\n");
    fixture_finish(&f, K8S_EXPAND_AUTO);
    assert_int_equal(f.cluster->n_pdbs, 2);
    assert_false(f.cluster->pdbs[0].selector.present);
    assert_true(f.cluster->pdbs[1].selector.present);
    assert_true(f.cluster->pdbs[1].max_unavailable.is_percent);
}

static void test_names(void **state UNUSED)
{
    static char megabyte[1 << 20];
    static char json[(1 << 20) + 200];
    memset(megabyte, 'n', sizeof megabyte - 1);
    (void)snprintf(json, sizeof json, "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\"}}",
                   megabyte);
    assert_false(fixture_add_json(&f, json, "", false));
    assert_int_equal(f.err.code, ERR_LIMIT);
    assert_non_null(strstr(f.err.text, "metadata.name"));
    (void)snprintf(json, sizeof json, "{\"kind\":\"%s\"}", megabyte);
    assert_false(fixture_add_json(&f, json, "", false));
    assert_false(fixture_add_json(
        &f, "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"\\u001b[31mred\"}}", "", false));
    assert_null(strchr(f.err.text, '\x1b'));
    assert_non_null(strstr(f.err.text, "metadata.name: \"?[31mred\""));
    assert_false(fixture_add_json(
        &f, "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"namespace\":\"A\"}}", "", false));
    assert_string_equal(f.err.text,
                        "Pod A/a: metadata.namespace: \"A\": must consist of lower case letters, "
                        "digits and '-', and begin and end with a letter or digit");
    assert_false(fixture_add_json(&f, "{\"kind\":\"Node\"}", "", false));
    assert_string_equal(f.err.text, "Node (no name): metadata: required");
    fixture_finish(&f, K8S_EXPAND_AUTO);
    assert_int_equal(f.cluster->n_pods, 0);
    assert_int_equal(f.cluster->n_nodes, 0);
}

static void test_a_refused_object_leaves_nothing(void **state UNUSED)
{
    assert_true(fixture_add_json(&f, POD("a", ",\"uid\":\"one\""), "", false));
    assert_false(
        fixture_add_json(&f,
                         POD("a", ",\"uid\":\"two\",\"creationTimestamp\":\"2030-01-01T00:00:00Z\","
                                  "\"labels\":{\"a b\":\"\"}"),
                         "", false));
    assert_int_equal(f.n_replaced, 0);
    fixture_finish(&f, K8S_EXPAND_AUTO);
    assert_int_equal(f.cluster->n_pods, 1);
    assert_true(str_eq(f.cluster->pods[0].uid, STR("one")));
    assert_false(f.cluster->newest.has);
}

static void test_the_newest_time_is_the_clock(void **state UNUSED)
{
    fixture_add(&f, "kind: Pod\nmetadata: {name: a, creationTimestamp: '2026-03-01T08:00:00Z',\n"
                    "  deletionTimestamp: '2026-03-05T08:00:00Z'}\n"
                    "status: {startTime: '2026-03-01T09:00:00Z'}\n"
                    "---\n"
                    "kind: Node\nmetadata: {name: n, creationTimestamp: '2026-02-01T08:00:00Z'}\n"
                    "status: {conditions: [{type: Ready, status: 'True', lastTransitionTime: "
                    "'2026-03-02T00:00:00Z'}]}\n");
    fixture_finish(&f, K8S_EXPAND_AUTO);
    assert_true(f.cluster->newest.has);
    assert_int_equal(f.cluster->newest.v, INT64_C(1772409600000));
    assert_int_equal(f.cluster->pods[0].deleted.v, INT64_C(1772697600000));
}

static void test_order_of_input_is_kept(void **state UNUSED)
{
    for (int i = 0; i < 3000; i++) {
        char json[512];
        (void)snprintf(json, sizeof json, POD("p-%d", ",\"labels\":{\"i\":\"%d\"}"), i, i % 7);
        assert_true(fixture_add_json(&f, json, "", false));
    }
    fixture_finish(&f, K8S_EXPAND_AUTO);
    assert_int_equal(f.cluster->n_pods, 3000);
    assert_int_equal(f.cluster->n_shapes, 7);
    for (uint32_t i = 0; i < 3000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "p-%u", i);
        assert_true(str_eq(f.cluster->pods[i].name, str_of(name)));
        assert_int_equal(f.cluster->pods[i].shape->id, i % 7);
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pods_of_one_shape_share_it),
        TEST(test_the_last_of_two_counts),
        TEST(test_deleted_objects_go),
        TEST(test_counts_add_up),
        TEST(test_many_unknown_kinds),
        TEST(test_versions),
        TEST(test_old_budgets_select_nothing),
        TEST(test_names),
        TEST(test_a_refused_object_leaves_nothing),
        TEST(test_the_newest_time_is_the_clock),
        TEST(test_order_of_input_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

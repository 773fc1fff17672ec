/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pods that workloads without pods would have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "object_fixture.h"

#define TEMPLATE                                                                                   \
    "template: {metadata: {labels: {app: x}}, spec: {containers: [{name: c, resources: "           \
    "{requests: {cpu: 1}}}]}}"
#define OWNED(kind, api, name)                                                                     \
    "ownerReferences: [{apiVersion: " api ", kind: " kind ", name: " name ", controller: true}]"

static const struct {
    const char *name, *yaml;
    const char *pods[6]; /* made, besides those of the input */
} rows[] = {
    {"deployment",
     "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {replicas: 3, " TEMPLATE
     "}",
     {"web-0", "web-1", "web-2"}},
    {"one replica is the default",
     "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {" TEMPLATE "}",
     {"web-0"}},
    {"no replicas",
     "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {replicas: 0, " TEMPLATE
     "}",
     {NULL}},
    {"a workload that is being deleted",
     "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web, deletionTimestamp: "
     "'2026-03-01T08:00:00Z'}\nspec: {" TEMPLATE "}",
     {NULL}},
    {"stateful set from an ordinal on",
     "kind: StatefulSet\napiVersion: apps/v1\nmetadata: {name: db}\nspec: {replicas: 2, ordinals: "
     "{start: 5}, " TEMPLATE "}",
     {"db-5", "db-6"}},
    {"replication controller",
     "kind: ReplicationController\napiVersion: v1\nmetadata: {name: rc}\nspec: {replicas: 2, "
     "selector: "
     "{app: x}, " TEMPLATE "}",
     {"rc-0", "rc-1"}},
    {"daemon sets have no pods of their own to place",
     "kind: DaemonSet\napiVersion: apps/v1\nmetadata: {name: d}\nspec: {" TEMPLATE "}",
     {NULL}},
    {"a deployment stands for its replica sets",
     "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {replicas: 2, " TEMPLATE
     "}\n"
     "---\nkind: ReplicaSet\napiVersion: apps/v1\nmetadata: {name: web-abc, " OWNED(
         "Deployment", "apps/v1", "web") "}\nspec: {replicas: 2, " TEMPLATE "}",
     {"web-0", "web-1"}},
    {"a replica set whose deployment is not there",
     "kind: ReplicaSet\napiVersion: apps/v1\nmetadata: {name: web-abc, " OWNED(
         "Deployment", "apps/v1", "web") "}\nspec: {replicas: 2, " TEMPLATE "}",
     {"web-abc-0", "web-abc-1"}},
    {"a pod down the chain",
     "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {replicas: 2, " TEMPLATE
     "}\n"
     "---\nkind: ReplicaSet\napiVersion: apps/v1\nmetadata: {name: web-abc, " OWNED(
         "Deployment", "apps/v1", "web") "}\nspec: {replicas: 2, " TEMPLATE "}\n"
                                         "---\nkind: Pod\nmetadata: {name: web-abc-1, " OWNED(
                                             "ReplicaSet", "apps/v1", "web-abc") "}\nspec: {}",
     {NULL}},
    {"a pod whose replica set is not there",
     "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {replicas: 2, " TEMPLATE
     "}\n"
     "---\nkind: Pod\nmetadata: {name: web-abc-1, " OWNED("ReplicaSet", "apps/v1",
                                                          "web-abc") "}\nspec: {}",
     {NULL}},
    {"a pod of the same name in another namespace",
     "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {replicas: 1, " TEMPLATE
     "}\n"
     "---\nkind: Pod\nmetadata: {name: web-0, namespace: other, " OWNED("ReplicaSet", "apps/v1",
                                                                        "web-abc") "}\nspec: {}",
     {"web-0"}},
    {"a bare pod has the name",
     "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {replicas: 2, " TEMPLATE
     "}\n"
     "---\nkind: Pod\nmetadata: {name: web-0}\nspec: {}",
     {"web-1", "web-2"}},
    {"job: parallelism",
     "kind: Job\napiVersion: batch/v1\nmetadata: {name: j}\nspec: {parallelism: 3, " TEMPLATE "}",
     {"j-0", "j-1", "j-2"}},
    {"job: fewer completions than lanes",
     "kind: Job\napiVersion: batch/v1\nmetadata: {name: j}\nspec: {parallelism: 3, completions: "
     "2, " TEMPLATE "}",
     {"j-0", "j-1"}},
    {"job: one lane at a time",
     "kind: Job\napiVersion: batch/v1\nmetadata: {name: j}\nspec: {completions: 5, " TEMPLATE "}",
     {"j-0"}},
    {"job: what is left",
     "kind: Job\napiVersion: batch/v1\nmetadata: {name: j}\nspec: {parallelism: 3, completions: "
     "5, " TEMPLATE "}\nstatus: {succeeded: 4}",
     {"j-0"}},
    {"job: suspended",
     "kind: Job\napiVersion: batch/v1\nmetadata: {name: j}\nspec: {suspend: true, " TEMPLATE "}",
     {NULL}},
    {"job: over",
     "kind: Job\napiVersion: batch/v1\nmetadata: {name: j}\nspec: {" TEMPLATE
     "}\nstatus: {conditions: [{type: Failed, status: 'True'}]}",
     {NULL}},
    {"cron job: one run",
     "kind: CronJob\napiVersion: batch/v1\nmetadata: {name: c}\nspec: {schedule: '* * * * *', "
     "jobTemplate: {spec: {parallelism: 2, " TEMPLATE "}}}",
     {"c-0", "c-1"}},
    {"cron job: suspended",
     "kind: CronJob\napiVersion: batch/v1\nmetadata: {name: c}\nspec: {suspend: true, jobTemplate: "
     "{spec: {" TEMPLATE "}}}",
     {NULL}},
    {"cron job with a run that is over",
     "kind: CronJob\napiVersion: batch/v1\nmetadata: {name: c}\nspec: {jobTemplate: {spec: "
     "{" TEMPLATE "}}}\n"
     "---\nkind: Job\napiVersion: batch/v1\nmetadata: {name: c-1, " OWNED(
         "CronJob", "batch/v1", "c") "}\n"
                                     "spec: {" TEMPLATE "}\nstatus: {succeeded: 1}",
     {NULL}},
    {"cron job with a run to come",
     "kind: CronJob\napiVersion: batch/v1\nmetadata: {name: c}\nspec: {jobTemplate: {spec: "
     "{" TEMPLATE "}}}\n"
     "---\nkind: Job\napiVersion: batch/v1\nmetadata: {name: c-1, " OWNED(
         "CronJob", "batch/v1", "c") "}\n"
                                     "spec: {" TEMPLATE "}",
     {"c-1-0"}},
};

static void test_who_gets_pods(void **state UNUSED)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        uint32_t n = 0;
        fixture_begin(&f);
        fixture_add(&f, rows[i].yaml);
        if (f.n_refused > 0) {
            fail_msg("%s: %s", rows[i].name, f.err.text);
        }
        fixture_finish(&f, K8S_EXPAND_AUTO);
        for (; n < 6 && rows[i].pods[n] != NULL; n++) {
            const struct k8s_pod *pod = fixture_pod(&f, rows[i].pods[n]);
            assert_false(pod->has_status);
            assert_int_equal(pod->node_name.n, 0);
            assert_int_equal(pod->phase, K8S_PHASE_NONE);
        }
        if (f.n_made != n) {
            fail_msg("%s: %u pods were made, not %u", rows[i].name, f.n_made, n);
        }
        fixture_end(&f);
    }
}

static void test_order_of_input_does_not_show(void **state UNUSED)
{
    static const char *const texts[] = {"kind: StatefulSet\napiVersion: apps/v1\nmetadata: {name: "
                                        "web}\nspec: {replicas: 2, " TEMPLATE "}",
                                        "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: "
                                        "web}\nspec: {replicas: 2, " TEMPLATE "}",
                                        "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: "
                                        "api}\nspec: {replicas: 1, " TEMPLATE "}"};
    static const char *const names[] = {"api-0", "web-0", "web-1", "web-2", "web-3"};
    static const char *const owners[] = {"ReplicaSet", "StatefulSet", "StatefulSet", "ReplicaSet",
                                         "ReplicaSet"};
    for (size_t turn = 0; turn < 2; turn++) {
        struct fixture f;
        fixture_begin(&f);
        for (size_t i = 0; i < 3; i++) {
            fixture_add(&f, texts[turn == 0 ? i : 2 - i]);
        }
        fixture_finish(&f, K8S_EXPAND_AUTO);
        assert_int_equal(f.cluster->n_pods, 5);
        for (uint32_t i = 0; i < 5; i++) {
            assert_true(str_eq(f.cluster->pods[i].name, str_of(names[i])));
            assert_string_equal(fixture_text(&f, f.cluster->pods[i].shape->owner_kind), owners[i]);
        }
        fixture_end(&f);
    }
}

static void test_never(void **state UNUSED)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_add(&f, rows[0].yaml);
    fixture_finish(&f, K8S_EXPAND_NEVER);
    assert_int_equal(f.cluster->n_pods, 0);
    assert_int_equal(f.cluster->n_workloads, 1);
    fixture_end(&f);
}

static void test_labels_and_owners(void **state UNUSED)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_add(&f, rows[0].yaml);
    fixture_add(&f, "kind: Job\napiVersion: batch/v1\nmetadata: {name: j}\nspec: {" TEMPLATE "}");
    fixture_add(&f, "kind: StatefulSet\napiVersion: apps/v1\nmetadata: {name: db}\nspec: {" TEMPLATE
                    "}");
    fixture_finish(&f, K8S_EXPAND_AUTO);
    const struct k8s_pod *web = fixture_pod(&f, "web-0"), *job = fixture_pod(&f, "j-0");
    const struct k8s_pod *db = fixture_pod(&f, "db-0");
    assert_string_equal(fixture_text(&f, web->shape->owner_kind), "ReplicaSet");
    assert_string_equal(fixture_text(&f, web->shape->owner_api_version), "apps/v1");
    assert_string_equal(fixture_label(&f, &web->shape->labels, "app"), "x");
    const char *hash = fixture_label(&f, &web->shape->labels, "pod-template-hash");
    assert_non_null(hash);
    assert_true(str_starts(web->owner_name, STR("web-")) &&
                str_ends(web->owner_name, str_of(hash)));
    assert_ptr_equal(web->shape, fixture_pod(&f, "web-2")->shape);
    assert_string_equal(fixture_text(&f, job->shape->owner_kind), "Job");
    assert_string_equal(fixture_label(&f, &job->shape->labels, "batch.kubernetes.io/job-name"),
                        "j");
    assert_string_equal(fixture_text(&f, db->shape->owner_kind), "StatefulSet");
    assert_true(str_eq(db->owner_name, STR("db")));
    fixture_end(&f);
}

static void test_claims_of_stateful_sets(void **state UNUSED)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_add(&f,
                "kind: StatefulSet\napiVersion: apps/v1\nmetadata: {name: db, namespace: shop}\n"
                "spec:\n  replicas: 2\n  template: {spec: {containers: [], volumes: [{name: data, "
                "persistentVolumeClaim: {claimName: old}}, {name: more, persistentVolumeClaim: "
                "{claimName: more}}]}}\n"
                "  volumeClaimTemplates:\n"
                "  - {metadata: {name: data}, spec: {storageClassName: gp3, resources: {requests: "
                "{storage: 10Gi}}}}\n"
                "---\nkind: PersistentVolumeClaim\nmetadata: {name: data-db-1, namespace: shop}\n"
                "spec: {storageClassName: gp2, volumeName: pv-1}\nstatus: {phase: Bound}\n");
    fixture_finish(&f, K8S_EXPAND_AUTO);
    assert_int_equal(f.n_refused, 0);
    assert_int_equal(f.cluster->n_pvcs, 2);
    const struct k8s_pvc *kept = &f.cluster->pvcs[0], *made = &f.cluster->pvcs[1];
    assert_true(str_eq(kept->volume_name, STR("pv-1")));
    assert_true(str_eq(made->meta.name, STR("data-db-0")));
    assert_string_equal(fixture_text(&f, made->meta.ns), "shop");
    assert_string_equal(fixture_text(&f, made->storage_class), "gp3");
    assert_int_equal(made->request_bytes, INT64_C(10) << 30);
    const struct k8s_pod_shape *shape = fixture_pod(&f, "db-1")->shape;
    assert_int_equal(shape->n_volumes, 2);
    assert_true(str_eq(shape->volumes[0].claim_name, STR("more")));
    assert_true(str_eq(shape->volumes[1].claim_name, STR("data-db-1")));
    assert_true(str_eq(shape->volumes[1].name, STR("data")));
    fixture_end(&f);
}

static void test_limits(void **state UNUSED)
{
    static const struct {
        const char *yaml, *error;
    } too_many[] = {
        {"kind: StatefulSet\napiVersion: apps/v1\nmetadata: {name: s}\n"
         "spec: {replicas: 500000, volumeClaimTemplates: [{metadata: {name: a}}, {metadata: {name: "
         "b}}, {metadata: {name: c}}, {metadata: {name: d}}, {metadata: {name: e}}, {metadata: "
         "{name: "
         "f}}, {metadata: {name: g}}, {metadata: {name: h}}, {metadata: {name: i}}, {metadata: "
         "{name: "
         "j}}, {metadata: {name: k}}], " TEMPLATE "}",
         "StatefulSet default/s: 500000 replicas with 11 volumes each are too many"},
    };
    for (size_t i = 0; i < sizeof too_many / sizeof too_many[0]; i++) {
        struct fixture f;
        struct err err;
        uint32_t n = 0;
        fixture_begin(&f);
        fixture_add(&f, too_many[i].yaml);
        assert_int_equal(f.n_refused, 0);
        assert_false(k8s_builder_expand(f.builder, K8S_EXPAND_AUTO, &n, &err));
        assert_int_equal(err.code, ERR_LIMIT);
        if (strncmp(err.text, too_many[i].error, strlen(too_many[i].error)) != 0) {
            fail_msg("%s", err.text);
        }
        fixture_end(&f);
    }
}

/* While it is read: then it is known where it stands, and the rest of the input goes on. */
static void test_too_many_replicas_are_refused(void **state UNUSED)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_add(&f,
                "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web, namespace: shop}\n"
                "spec: {replicas: 1000000000, " TEMPLATE "}");
    assert_int_equal(f.n_refused, 1);
    assert_int_equal(f.err.code, ERR_LIMIT);
    assert_non_null(strstr(f.err.text, "spec.replicas: 1000000000 replicas are too many "
                                       "(LIMIT_REPLICAS is 500000)"));
    fixture_add(&f, "kind: Job\napiVersion: batch/v1\nmetadata: {name: j}\n"
                    "spec: {parallelism: 500001, completions: 500001, " TEMPLATE "}");
    assert_int_equal(f.n_refused, 2);
    assert_non_null(strstr(f.err.text, "spec.parallelism: 500001 replicas are too many"));
    fixture_add(&f, "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: most}\n"
                    "spec: {replicas: 500000, " TEMPLATE "}");
    assert_int_equal(f.n_refused, 2);
    fixture_end(&f);
}

static void test_negative_replicas_are_refused(void **state UNUSED)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_add(&f, "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: "
                    "{replicas: -1, " TEMPLATE "}");
    assert_int_equal(f.n_refused, 1);
    assert_non_null(
        strstr(f.err.text, "Deployment default/web: spec.replicas: -1 is out of range"));
    fixture_add(&f, "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {}");
    assert_int_equal(f.n_refused, 2);
    assert_non_null(strstr(f.err.text, "spec.template: required"));
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_gets_pods),
        cmocka_unit_test(test_order_of_input_does_not_show),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_labels_and_owners),
        cmocka_unit_test(test_claims_of_stateful_sets),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_too_many_replicas_are_refused),
        cmocka_unit_test(test_negative_replicas_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which pods need a place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "binpack/scheduling/eligibility.h"
#include "world.h"

#define UNSCHEDULABLE                                                                              \
    "status: {phase: Pending, conditions: [{type: PodScheduled, status: \"False\", reason: "       \
    "Unschedulable}]}\n"
#define OWNER(api, kind)                                                                           \
    "  ownerReferences: [{apiVersion: " api ", kind: " kind                                        \
    ", name: o, uid: u, controller: true}]\n"

static const struct {
    const char *name, *meta, *spec, *status;
    bool offline;
    enum sched_verdict expected;
} rows[] = {
    {"unschedulable", "", "", UNSCHEDULABLE, false, SCHED_NEEDS_PLACE},
    {"bound", "", "  nodeName: n1\n", UNSCHEDULABLE, false, SCHED_BOUND},
    {"succeeded", "", "  nodeName: n1\n", "status: {phase: Succeeded}\n", false, SCHED_FINISHED},
    {"failed before it was bound", "", "", "status: {phase: Failed}\n", false, SCHED_FINISHED},
    {"of a DaemonSet", OWNER("apps/v1", "DaemonSet"), "", UNSCHEDULABLE, false, SCHED_DAEMON},
    {"of another kind that is called DaemonSet", OWNER("example.com/v1", "DaemonSet"), "",
     UNSCHEDULABLE, false, SCHED_NEEDS_PLACE},
    {"of a ReplicaSet", OWNER("apps/v1", "ReplicaSet"), "", UNSCHEDULABLE, false,
     SCHED_NEEDS_PLACE},
    {"static", OWNER("v1", "Node"), "", UNSCHEDULABLE, false, SCHED_MIRROR},
    {"nominated", "", "",
     "status: {nominatedNodeName: n1, conditions: [{type: PodScheduled, status: \"False\", reason: "
     "Unschedulable}]}\n",
     false, SCHED_NOMINATED},
    {"gated", "", "  schedulingGates: [{name: g}]\n",
     "status: {conditions: [{type: PodScheduled, status: \"False\", reason: SchedulingGated}]}\n",
     false, SCHED_GATED},
    {"gated, with an old status", "", "  schedulingGates: [{name: g}]\n", UNSCHEDULABLE, false,
     SCHED_GATED},
    {"gated, without status", "", "  schedulingGates: [{name: g}]\n", "", true, SCHED_GATED},
    {"not seen", "", "", "status: {phase: Pending}\n", false, SCHED_UNSEEN},
    {"not seen, offline", "", "", "status: {phase: Pending}\n", true, SCHED_UNSEEN},
    {"a bare manifest, offline", "", "", "", true, SCHED_NEEDS_PLACE},
    {"a bare manifest, in a cluster", "", "", "", false, SCHED_UNSEEN},
    {"another reason", "", "",
     "status: {conditions: [{type: PodScheduled, status: \"False\", reason: SchedulerError}]}\n",
     false, SCHED_OTHER_REASON},
    {"scheduled", "", "", "status: {conditions: [{type: PodScheduled, status: \"True\"}]}\n", false,
     SCHED_SCHEDULED},
    {"another scheduler, same reason", "", "  schedulerName: mine\n", UNSCHEDULABLE, false,
     SCHED_NEEDS_PLACE},
    {"terminating and never placed", "  deletionTimestamp: 2026-03-01T00:00:00Z\n", "",
     UNSCHEDULABLE, false, SCHED_NEEDS_PLACE},
};

static void open_pod(struct world *w, const char *meta, const char *spec, const char *status)
{
    char yaml[4096];
    (void)snprintf(yaml, sizeof yaml,
                   "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  namespace: shop\n%sspec:\n"
                   "  containers: [{name: a}]\n%s%s",
                   meta, spec, status);
    world_open(w, yaml);
}

static void test_pods(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w;
        open_pod(&w, rows[i].meta, rows[i].spec, rows[i].status);
        const enum sched_verdict got =
            sched_pod_verdict(w.vocab, world_pod(&w, "shop/p"), rows[i].offline);
        if (got != rows[i].expected) {
            const struct str text = sched_verdict_text(got);
            fail_msg("%s: " STR_FMT, rows[i].name, STR_ARG(text));
        }
        world_close(&w);
    }
}

#define AFFINITY(terms)                                                                            \
    "  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "                 \
    "{nodeSelectorTerms: [" terms "]}}}\n"
#define REFUSES "{matchExpressions: [{key: karpenter.sh/nodepool, operator: DoesNotExist}]}"

static void test_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *spec;
        bool ignore_dra;
        enum sched_verdict expected;
    } shape_rows[] = {
        {"plain", "", true, SCHED_NEEDS_PLACE},
        {"own label", "  nodeSelector: {example.com/ring: a}\n", true, SCHED_NEEDS_PLACE},
        {"restricted label", "  nodeSelector: {karpenter.sh/registered: \"true\"}\n", true,
         SCHED_BAD_REQUIREMENT},
        {"host name of a running node", "  nodeSelector: {kubernetes.io/hostname: n1}\n", true,
         SCHED_NEEDS_PLACE},
        {"restricted label in one of two terms",
         AFFINITY("{matchExpressions: [{key: a, operator: Exists}]}, {matchExpressions: [{key: "
                  "karpenter.sh/x, operator: "
                  "Exists}]}"),
         true, SCHED_BAD_REQUIREMENT},
        {"refuses managed nodes", AFFINITY(REFUSES), true, SCHED_REFUSES_MANAGED},
        {"refuses managed nodes in one of two terms",
         AFFINITY(REFUSES ", {matchExpressions: [{key: a, operator: Exists}]}"), true,
         SCHED_NEEDS_PLACE},
        {"wants a pool",
         AFFINITY("{matchExpressions: [{key: karpenter.sh/nodepool, operator: Exists}]}"), true,
         SCHED_NEEDS_PLACE},
        {"matchFields",
         AFFINITY("{matchFields: [{key: metadata.name, operator: In, values: [n1]}]}"), true,
         SCHED_NEEDS_PLACE},
        {"matchFields of something else",
         AFFINITY("{matchFields: [{key: metadata.uid, operator: In, values: [n1]}]}"), true,
         SCHED_MATCH_FIELDS},
        {"matchFields in another way",
         AFFINITY("{matchFields: [{key: metadata.name, operator: Exists}]}"), true,
         SCHED_MATCH_FIELDS},
        {"resource claims", "  resourceClaims: [{name: gpu, resourceClaimName: c}]\n", true,
         SCHED_DRA},
        {"resource claims, not ignored", "  resourceClaims: [{name: gpu, resourceClaimName: c}]\n",
         false, SCHED_NEEDS_PLACE},
    };
    for (size_t i = 0; i < sizeof shape_rows / sizeof shape_rows[0]; i++) {
        struct world w;
        struct err err = {0};
        open_pod(&w, "", shape_rows[i].spec, UNSCHEDULABLE);
        const enum sched_verdict got = sched_shape_verdict(w.vocab, world_pod(&w, "shop/p")->shape,
                                                           shape_rows[i].ignore_dra, &err);
        const bool explained = err.code != ERR_NONE;
        const bool blocked = got >= SCHED_MATCH_FIELDS;
        if (got != shape_rows[i].expected || explained != blocked) {
            const struct str text = sched_verdict_text(got);
            fail_msg("%s: " STR_FMT " (%s)", shape_rows[i].name, STR_ARG(text), err.text);
        }
        world_close(&w);
    }
}

static void test_comes_back(void **state)
{
    (void)state;
    static const char deleted[] = "  deletionTimestamp: 2026-03-01T00:00:00Z\n";
    static const struct {
        const char *name, *owner, *status;
        bool terminating, comes_back, counts;
    } back_rows[] = {
        {"running", OWNER("apps/v1", "ReplicaSet"), "status: {phase: Running}\n", false, true,
         true},
        {"terminating", OWNER("apps/v1", "ReplicaSet"), "status: {phase: Running}\n", true, false,
         false},
        {"terminating, of a StatefulSet", OWNER("apps/v1", "StatefulSet"),
         "status: {phase: Running}\n", true, true, false},
        {"finished", OWNER("batch/v1", "Job"), "status: {phase: Succeeded}\n", false, false, false},
        {"of a DaemonSet", OWNER("apps/v1", "DaemonSet"), "status: {phase: Running}\n", false,
         false, true},
        {"static", OWNER("v1", "Node"), "status: {phase: Running}\n", false, false, true},
        {"alone", "", "status: {phase: Running}\n", false, true, true},
    };
    for (size_t i = 0; i < sizeof back_rows / sizeof back_rows[0]; i++) {
        struct world w;
        char meta[512];
        (void)snprintf(meta, sizeof meta, "%s%s", back_rows[i].owner,
                       back_rows[i].terminating ? deleted : "");
        open_pod(&w, meta, "  nodeName: n1\n", back_rows[i].status);
        const struct k8s_pod *pod = world_pod(&w, "shop/p");
        if (sched_pod_comes_back(w.vocab, pod) != back_rows[i].comes_back ||
            sched_pod_counts(pod) != back_rows[i].counts) {
            fail_msg("%s", back_rows[i].name);
        }
        world_close(&w);
    }
}

static void test_words(void **state)
{
    (void)state;
    for (int v = 0; v < SCHED_N_VERDICTS; v++) {
        assert_true(sched_verdict_text((enum sched_verdict)v).n > 0);
        assert_true(sched_verdict_code((enum sched_verdict)v).n > 0);
    }
    assert_true(sched_verdict_is_ignored(SCHED_REFUSES_MANAGED));
    assert_true(sched_verdict_is_ignored(SCHED_BOUND));
    assert_false(sched_verdict_is_ignored(SCHED_DRA));
    assert_false(sched_verdict_is_ignored(SCHED_NEEDS_PLACE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pods),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests_name("eligibility", tests, NULL, NULL);
}

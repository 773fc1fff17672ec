/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rounds that tell Karpenter's disruption from others. Each row is worked out by hand from its
 * methods (emptiness, drift, longest prefix, single nodes) and its price filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../scheduling/planner.h"
#include "base/arena.h"
#include "base/rfc3339.h"
#include "binpack/plan/disrupt.h"

#define HOST "kubernetes.io/hostname"
#define T0   "\"2026-01-01T00:00:00Z\""
#define POOL_OF(budget, capacity)                                                                  \
    CLASS("default", ABC)                                                                          \
    POOL("default",                                                                                \
         "  disruption: {consolidateAfter: 0s, consolidationPolicy: WhenEmptyOrUnderutilized, "    \
         "budgets: [{nodes: \"" budget "\"}]}\n",                                                  \
         capacity, "")
#define POOL_WITH_SPOT POOL_OF("100%", "")
#define POOL_PLAIN     POOL_OF("100%", ON_DEMAND)

/* A node of the pool with its claim; `drift`: another condition. */
#define MANAGED(name, type, capacity_type, cpu, memory, drift)                                     \
    "---\napiVersion: v1\nkind: Node\nmetadata: {name: " name                                      \
    ", labels: {topology.kubernetes.io/zone: a, node.kubernetes.io/instance-type: " type           \
    ", karpenter.sh/capacity-type: " capacity_type ", kubernetes.io/hostname: " name               \
    ", kubernetes.io/arch: amd64, kubernetes.io/os: linux, karpenter.sh/nodepool: default, "       \
    "karpenter.sh/registered: \"true\", karpenter.sh/initialized: \"true\"}}\nspec: {providerID: " \
    "aws:///a/" name "}\nstatus: {allocatable: {cpu: " cpu ", memory: " memory                     \
    ", pods: 20}, capacity: {cpu: " cpu ", memory: " memory                                        \
    ", pods: 20}, conditions: [{type: Ready, status: \"True\"}]}\n"                                \
    "---\napiVersion: karpenter.sh/v1\nkind: NodeClaim\nmetadata: {name: claim-" name              \
    ", labels: {karpenter.sh/nodepool: default}, creationTimestamp: " T0                           \
    "}\nspec: {nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}, "      \
    "requirements: []}\nstatus: {nodeName: " name ", providerID: aws:///a/" name                   \
    ", lastPodEventTime: " T0 ", conditions: [" READY("Launched") ", " READY(                      \
        "Registered") ", " READY("Initialized") ", " READY("Consolidatable") drift "]}\n"
#define READY(type)             "{type: " type ", status: \"True\", reason: x, lastTransitionTime: " T0 "}"
#define DRIFTED                 ", " READY("Drifted")
#define SMALL(name, ct)         MANAGED(name, "x1.small", ct, "2", "4Gi", "")
#define LARGE(name, ct)         MANAGED(name, "x1.large", ct, "8", "16Gi", "")
#define LARGE_DRIFTED(name, ct) MANAGED(name, "x1.large", ct, "8", "16Gi", DRIFTED)
#define APART                                                                                      \
    "  affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "              \
    "[{topologyKey: " HOST ", labelSelector: {matchLabels: {app: web}}}]}}\n"
#define WEB "app: web"

struct row {
    const char *name, *yaml;
    int64_t max_moved; /* < 0: any number */
    uint32_t n_gone, n_new, n_moved;
    int64_t mills; /* saved, thousandths of a dollar per hour */
};

static const struct row rows[] = {
    {"empty nodes go at once", POOL_PLAIN LARGE("a", "on-demand") LARGE("b", "on-demand"), -1, 2, 0,
     0, 720},
    {"budgets hold over the whole round",
     POOL_OF("1", ON_DEMAND) LARGE("a", "on-demand") LARGE("b", "on-demand"), -1, 1, 0, 0, 360},
    {"a node goes when another takes its pods: two are not replaced by one of their own type",
     POOL_PLAIN LARGE("a", "on-demand") LARGE("b", "on-demand") BOUND("p", "", "a", "3", "")
         BOUND("q", "", "b", "3", ""),
     -1, 1, 0, 1, 360},
    {"the longest prefix goes at once: of three half-full ones two move onto the third",
     POOL_PLAIN LARGE("a", "on-demand") LARGE("b", "on-demand") LARGE("c", "on-demand")
         BOUND("p", "", "a", "2", "") BOUND("q", "", "b", "2", "") BOUND("r", "", "c", "2500m", ""),
     -1, 2, 0, 2, 720},
    {"one node is replaced by a cheaper one",
     POOL_PLAIN LARGE("a", "on-demand") BOUND("p", "", "a", "2", ""), -1, 1, 1, 1, 260},
    {"one node is not replaced by two, which would save 0.16",
     POOL_PLAIN LARGE("a", "on-demand") BOUND("p", WEB, "a", "2", APART)
         BOUND("q", WEB, "a", "2", APART),
     -1, 0, 0, 0, 0},
    {"many are replaced by one",
     POOL_PLAIN SMALL("a", "on-demand") SMALL("b", "on-demand") SMALL("c", "on-demand")
         BOUND("p", "", "a", "1300m", "") BOUND("q", "", "b", "1300m", "")
             BOUND("r", "", "c", "1300m", ""),
     -1, 3, 1, 3, 110},
    {"on demand becomes spot where the pool allows both",
     POOL_WITH_SPOT LARGE("a", "on-demand") BOUND("p", "", "a", "2", ""), -1, 1, 1, 1, 320},
    {"spot does not become spot", POOL_WITH_SPOT LARGE("a", "spot") BOUND("p", "", "a", "2", ""),
     -1, 0, 0, 0, 0},
    {"drifted nodes go at whatever price",
     POOL_PLAIN LARGE_DRIFTED("a", "on-demand") BOUND("p", "", "a", "7", ""), -1, 1, 1, 1, 0},
    {"new nodes are consolidated again: the drifted one's replacement takes the other's pod",
     POOL_PLAIN LARGE_DRIFTED("a", "on-demand") SMALL("b", "on-demand") BOUND("p", "", "a", "5", "")
         BOUND("q", "", "b", "1500m", ""),
     -1, 2, 1, 2, 100},
    {"pods that wait go first: the room is taken",
     POOL_PLAIN LARGE("a", "on-demand") LARGE("b", "on-demand") BOUND("p", "", "a", "6", "")
         BOUND("q", "", "b", "6", "") PENDING("w", "", "2", ""),
     -1, 0, 0, 0, 0},
    {"moves are counted",
     POOL_PLAIN LARGE("a", "on-demand") LARGE("b", "on-demand") LARGE("c", "on-demand")
         BOUND("p", "", "a", "2", "") BOUND("q", "", "b", "2", "") BOUND("r", "", "c", "2500m", ""),
     1, 1, 0, 1, 360},
};

static bool run_to_end(void *ctx, struct make *make)
{
    (void)ctx;
    while (make_step(make, 20000)) {
    }
    return true;
}

static bool is_as_expected(const struct row *row, const struct plan *plan)
{
    const struct plan_disruption *d = plan->disruption;
    uint32_t n_gone = 0;
    for (uint32_t c = 0; c < d->n_commands; c++) {
        n_gone += d->commands[c].n_nodes;
    }
    if (n_gone == row->n_gone && plan->n_nodes == row->n_new && d->n_moved == row->n_moved &&
        d->saves == row->mills * 1000000 && plan->emulated) {
        return true;
    }
    print_error(
        "%s: %u gone, %u new, %u moved, saves %lld thousandths; expected %u, %u, %u, %lld\n",
        row->name, n_gone, plan->n_nodes, d->n_moved, (long long)(d->saves / 1000000), row->n_gone,
        row->n_new, row->n_moved, (long long)row->mills);
    return false;
}

static void test_rows(void **state)
{
    (void)state;
    uint32_t n_wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct planner planner;
        struct plan *plan = NULL;
        struct arena arena = ARENA_INIT;
        struct err err = {0};
        struct make_settings settings = MAKE_SETTINGS_DEFAULT;
        struct disrupt_options options = DISRUPT_OPTIONS_DEFAULT;
        settings.mode = PLAN_DISRUPT;
        settings.emulates = PLAN_KARPENTER;
        settings.gate_reserved_capacity = false;
        assert_true(rfc3339_parse(STR("2026-01-02T00:00:00Z"), &settings.now, &err));
        options.max_moved_pods =
            (struct opt_i64){.has = rows[i].max_moved >= 0, .v = rows[i].max_moved};
        const struct disrupt_port port = {.work = run_to_end};
        planner_read(&planner, rows[i].yaml);
        if (!disrupt_plan(planner.world.cluster, planner.catalog, &settings, &options, &port,
                          &arena, &plan, &err)) {
            fail_msg("%s: %s", rows[i].name, err.text);
        }
        n_wrong += !is_as_expected(&rows[i], plan);
        arena_done(&arena);
        planner_close(&planner);
    }
    assert_int_equal(n_wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

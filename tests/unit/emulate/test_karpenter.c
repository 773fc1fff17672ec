/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decisions that tell Karpenter's greedy from others. Each row is worked out by hand from its rules
 * (queue, order of claims, order of pools, domains, relaxation, launch). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../scheduling/planner.h"
#include "base/arena.h"
#include "binpack/emulate/karpenter.h"

#define ZONE "topology.kubernetes.io/zone"
#define HOST "kubernetes.io/hostname"
#define BASE CLASS("default", ABC) POOL("default", "", ON_DEMAND, "")
#define SPOT                                                                                       \
    "      requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [spot]}]\n"
#define SPREAD(key, when)                                                                          \
    "  topologySpreadConstraints: [{maxSkew: 1, topologyKey: " key ", whenUnsatisfiable: " when    \
    ", labelSelector: {matchLabels: {app: web}}}]\n"
#define APART(key)                                                                                 \
    "  affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "              \
    "[{topologyKey: " key ", labelSelector: {matchLabels: {app: web}}}]}}\n"
#define TOGETHER(key)                                                                              \
    "  affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "                  \
    "[{topologyKey: " key ", labelSelector: {matchLabels: {app: web}}}]}}\n"
#define WEB      "app: web"
#define IN(zone) "  nodeSelector: {" ZONE ": " zone "}\n"
#define TWO_TERMS                                                                                  \
    "  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "                 \
    "{nodeSelectorTerms: [{matchExpressions: [{key: " ZONE ", operator: In, values: [nowhere]}]}," \
    " {matchExpressions: [{key: " ZONE ", operator: In, values: [b]}]}]}}}\n"
#define LIMIT_9 "  limits: {cpu: 9}\n"

struct row {
    const char *name, *yaml;
    uint32_t n_nodes, n_unplaced;
    int64_t mills; /* thousandths of a dollar per hour */
};

static const struct row rows[] = {
    {"a pod goes on the cheapest type that holds it", BASE PENDING("a", "", "1", ""), 1, 0, 100},
    {"a claim grows by size, whatever that costs: 5 cpu are a large, not a medium and a small",
     BASE PENDING("a", "", "1", "") PENDING("b", "", "1", "") PENDING("c", "", "1", "")
         PENDING("d", "", "1", "") PENDING("e", "", "1", ""),
     1, 0, 360},
    {"what does not fit the claim opens another",
     BASE PENDING("a", "", "5", "") PENDING("b", "", "5", ""), 2, 0, 720},
    {"the fewest pods first: a 2-cpu pod joins the emptier claim",
     BASE PENDING("a", "", "6", "") PENDING("b", "", "4", "") PENDING("c", "", "1", "")
         PENDING("d", "", "1", ""),
     2, 0, 720},
    {"among equal weights the last name wins, not the price",
     CLASS("default", ABC) POOL("aa", "", SPOT, "") POOL("zz", "", ON_DEMAND, "")
         PENDING("a", "", "1", ""),
     1, 0, 100},
    {"the heaviest pool first",
     CLASS("default", ABC) POOL("aa", "  weight: 2\n", SPOT, "") POOL("zz", "", ON_DEMAND, "")
         PENDING("a", "", "1", ""),
     1, 0, 40},
    {"spot when both are allowed",
     CLASS("default", ABC) POOL("default", "", "", "") PENDING("a", "", "1", ""), 1, 0, 40},
    {"spot dearer than any on-demand is not asked for: small spot is sold out in c, medium spot is "
     "cheaper than small on demand",
     CLASS("default", ABC) POOL("default", "", "", "") PENDING("a", "", "1", IN("c")), 1, 0, 76},
    {"running nodes first", BASE NODE("n", "a", "", "2") PENDING("a", "", "1", ""), 0, 0, 0},
    {"spread over zones opens a claim in each",
     BASE PENDING("a", WEB, "1", SPREAD(ZONE, "DoNotSchedule"))
         PENDING("b", WEB, "1", SPREAD(ZONE, "DoNotSchedule"))
             PENDING("c", WEB, "1", SPREAD(ZONE, "DoNotSchedule")),
     3, 0, 300},
    {"ScheduleAnyway is hard while it can be kept",
     BASE PENDING("a", WEB, "1", SPREAD(HOST, "ScheduleAnyway"))
         PENDING("b", WEB, "1", SPREAD(HOST, "ScheduleAnyway")),
     2, 0, 200},
    {"pods that avoid each other over zones: an open claim could be anywhere, so the second waits "
     "for the next pass",
     BASE PENDING("a", WEB, "1", APART(ZONE)) PENDING("b", WEB, "1", APART(ZONE)), 2, 0, 200},
    {"three zones hold three of them",
     BASE PENDING("a", WEB, "1", APART(ZONE)) PENDING("b", WEB, "1", APART(ZONE))
         PENDING("c", WEB, "1", APART(ZONE)) PENDING("d", WEB, "1", APART(ZONE)),
     3, 1, 300},
    {"over hosts each has its own",
     BASE PENDING("a", WEB, "1", APART(HOST)) PENDING("b", WEB, "1", APART(HOST)), 2, 0, 200},
    {"affinity to itself starts somewhere and stays there",
     BASE PENDING("a", WEB, "5", TOGETHER(ZONE)) PENDING("b", WEB, "5", TOGETHER(ZONE)), 2, 0, 720},
    {"affinity to nobody has no place", BASE PENDING("a", "", "1", TOGETHER(ZONE)), 0, 1, 0},
    {"required terms are tried one after the other", BASE PENDING("a", "", "1", TWO_TERMS), 1, 0,
     100},
    {"a limit counts the largest type that a claim may become; the pass after that knows better",
     CLASS("default", ABC) POOL("default", LIMIT_9, ON_DEMAND, "")
         PENDING("a", WEB, "1", APART(HOST)) PENDING("b", WEB, "1", APART(HOST)),
     2, 0, 200},
    {"too large for any type", BASE PENDING("a", "", "9", ""), 0, 1, 0},
};

static void test_rows(void **state)
{
    (void)state;
    uint32_t n_wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct planner planner;
        struct emu_plan plan;
        struct err err = {0};
        struct sched_settings settings = PLANNER_SETTINGS;
        settings.reserved_capacity = false;
        planner_open(&planner, rows[i].yaml, &settings);
        struct arena arena = ARENA_INIT;
        const struct emu_settings emu = {.options_max = 60};
        if (!emu_karpenter(planner.base, &emu, &arena, &plan, &err)) {
            fail_msg("%s: %s", rows[i].name, err.text);
        }
        usd_t cost = 0;
        uint32_t n_unplaced = 0;
        for (uint32_t n = 0; n < plan.n_nodes; n++) {
            cost += planner.base->offers->v[plan.nodes[n].offer_i].price;
        }
        for (uint32_t p = 0; p < planner.snapshot->n_pending; p++) {
            n_unplaced += plan.descent.rung[p] == SCHED_RUNG_OUT;
        }
        if (plan.n_nodes != rows[i].n_nodes || n_unplaced != rows[i].n_unplaced ||
            cost != rows[i].mills * 1000000) {
            print_error("%s: %u nodes, %u unplaced, %lld thousandths; expected %u, %u, %lld\n",
                        rows[i].name, plan.n_nodes, n_unplaced, (long long)(cost / 1000000),
                        rows[i].n_nodes, rows[i].n_unplaced, (long long)rows[i].mills);
            n_wrong++;
        }
        arena_done(&arena);
        planner_close(&planner);
    }
    assert_int_equal(n_wrong, 0);
}

/* A machine of the reservation is kept for every claim that could use one; the third waits and
 * finds the room that the launched ones have. */
static void test_reservations(void **state)
{
    (void)state;
    struct planner planner;
    struct emu_plan plan;
    struct err err = {0};
    struct sched_settings settings = PLANNER_SETTINGS;
    settings.reserved_capacity = true;
    planner_open(&planner,
                 CLASS("default", ABC) POOL("default", "", "", "")
                     PENDING("a", WEB, "1", APART(HOST)) PENDING("b", WEB, "1", APART(HOST))
                         PENDING("c", WEB, "1", APART(HOST)),
                 &settings);
    struct arena arena = ARENA_INIT;
    const struct emu_settings emu = {.options_max = 60};
    assert_true(emu_karpenter(planner.base, &emu, &arena, &plan, &err));
    assert_int_equal(plan.n_nodes, 3);
    uint32_t n_reserved = 0;
    for (uint32_t n = 0; n < plan.n_nodes; n++) {
        n_reserved += planner.base->offers->v[plan.nodes[n].offer_i].capacity_type == CAT_RESERVED;
    }
    assert_int_equal(n_reserved, 2);
    arena_done(&arena);
    planner_close(&planner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_reservations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decisions that tell the Cluster Autoscaler from others. Each row is worked out by hand from its
 * rules: one group a loop, the one that wastes least, whatever it costs; balanced over zones. The
 * pods ask for no memory, so all of that is wasted everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../scheduling/planner.h"
#include "base/arena.h"
#include "binpack/emulate/autoscaler.h"

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
#define WEB      "app: web"
#define IN(zone) "  nodeSelector: {" ZONE ": " zone "}\n"
#define LIMIT_9  "  limits: {cpu: 9}\n"

struct row {
    const char *name, *yaml;
    uint32_t n_nodes, n_unplaced, n_zones;
    int64_t mills; /* thousandths of a dollar per hour */
};

static const struct row rows[] = {
    {"the type that wastes least", BASE PENDING("a", "", "1", ""), 1, 0, 1, 100},
    {"of equal waste the cheapest: two small or one medium",
     BASE PENDING("a", "", "2", "") PENDING("b", "", "2", ""), 1, 0, 1, 190},
    {"the least waste though another type costs less: small on demand, not medium spot",
     CLASS("default", ABC) POOL("default", "", "", "") PENDING("a", "", "1", IN("c")), 1, 0, 1,
     100},
    {"of equal waste the cheapest: spot, whatever the weights say",
     CLASS("default", ABC) POOL("aa", "  weight: 2\n", ON_DEMAND, "") POOL("zz", "", SPOT, "")
         PENDING("a", "", "1", ""),
     1, 0, 1, 40},
    {"a group that helps one pod without waste goes before one that helps both",
     BASE PENDING("a", "", "8", "") PENDING("b", "", "2", ""), 2, 0, 1, 460},
    {"largest first, on the first node that takes it: 5 and 3, 4 and 4 fill two large",
     BASE PENDING("a", "", "4", "") PENDING("b", "", "3", "") PENDING("c", "", "4", "")
         PENDING("d", "", "5", ""),
     2, 0, 2, 720},
    {"nodes are dealt out over the zones",
     BASE PENDING("a", "", "2", "") PENDING("b", "", "2", "") PENDING("c", "", "2", ""), 3, 0, 3,
     300},
    {"but not to where a pod may not go",
     BASE PENDING("a", "", "2", IN("b")) PENDING("b", "", "2", IN("b"))
         PENDING("c", "", "2", IN("b")),
     3, 0, 1, 300},
    {"running nodes first", BASE NODE("n", "a", "", "2") PENDING("a", "", "1", ""), 0, 0, 0, 0},
    {"preferences play no part: ScheduleAnyway parts nobody",
     BASE PENDING("a", WEB, "1", SPREAD(HOST, "ScheduleAnyway"))
         PENDING("b", WEB, "1", SPREAD(HOST, "ScheduleAnyway")),
     1, 0, 1, 100},
    {"a spread over zones takes a loop for each zone",
     BASE PENDING("a", WEB, "1", SPREAD(ZONE, "DoNotSchedule"))
         PENDING("b", WEB, "1", SPREAD(ZONE, "DoNotSchedule"))
             PENDING("c", WEB, "1", SPREAD(ZONE, "DoNotSchedule")),
     3, 0, 3, 300},
    {"pods that avoid each other over hosts have a node each",
     BASE PENDING("a", WEB, "1", APART(HOST)) PENDING("b", WEB, "1", APART(HOST)), 2, 0, 2, 200},
    {"three zones hold three that avoid each other",
     BASE PENDING("a", WEB, "1", APART(ZONE)) PENDING("b", WEB, "1", APART(ZONE))
         PENDING("c", WEB, "1", APART(ZONE)) PENDING("d", WEB, "1", APART(ZONE)),
     3, 1, 3, 300},
    {"the limit of the NodePool ends the group",
     CLASS("default", ABC) POOL("default", LIMIT_9, ON_DEMAND, "") PENDING("a", "", "8", "")
         PENDING("b", "", "8", ""),
     1, 1, 1, 360},
    {"reservations are unknown to it: medium in a is spot",
     CLASS("default", ABC) POOL("default", "", "", "") PENDING("a", "", "4", IN("a")), 1, 0, 1, 76},
    {"too large for any type", BASE PENDING("a", "", "9", ""), 0, 1, 0, 0},
};

static uint32_t count_zones(const struct planner *planner, const struct emu_plan *plan)
{
    uint32_t n = 0, seen = 0;
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        const uint32_t bit = 1U << planner->base->offers->v[plan->nodes[i].offer_i].zone_i;
        n += (seen & bit) == 0;
        seen |= bit;
    }
    return n;
}

static bool is_as_expected(const struct row *row)
{
    struct planner planner;
    struct emu_plan plan;
    struct err err = {0};
    struct sched_settings settings = PLANNER_SETTINGS;
    settings.reserved_capacity = true;
    planner_open(&planner, row->yaml, &settings);
    struct arena arena = ARENA_INIT;
    const struct emu_settings emu = {.options_max = 60};
    if (!emu_autoscaler(planner.base, &emu, &arena, &plan, &err)) {
        fail_msg("%s: %s", row->name, err.text);
    }
    usd_t cost = 0;
    uint32_t n_unplaced = 0;
    for (uint32_t n = 0; n < plan.n_nodes; n++) {
        cost += planner.base->offers->v[plan.nodes[n].offer_i].price;
        assert_int_equal(plan.nodes[n].n_options, 1);
    }
    for (uint32_t p = 0; p < planner.snapshot->n_pending; p++) {
        n_unplaced += plan.descent.rung[p] == SCHED_RUNG_OUT;
    }
    const uint32_t n_zones = count_zones(&planner, &plan);
    const bool good = plan.n_nodes == row->n_nodes && n_unplaced == row->n_unplaced &&
                      n_zones == row->n_zones && cost == row->mills * 1000000;
    if (!good) {
        print_error("%s: %u nodes in %u zones, %u unplaced, %lld thousandths; expected %u, %u, %u, "
                    "%lld\n",
                    row->name, plan.n_nodes, n_zones, n_unplaced, (long long)(cost / 1000000),
                    row->n_nodes, row->n_zones, row->n_unplaced, (long long)row->mills);
    }
    arena_done(&arena);
    planner_close(&planner);
    return good;
}

static void test_rows(void **state)
{
    (void)state;
    uint32_t n_wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        n_wrong += !is_as_expected(&rows[i]);
    }
    assert_int_equal(n_wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

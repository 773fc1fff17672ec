/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ladder of preferences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "binpack/scheduling/prefs.h"
#include "world.h"

static const char pod[] =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec:\n  containers: [{name: "
    "a}]\n"
    "  affinity:\n"
    "    nodeAffinity:\n      preferredDuringSchedulingIgnoredDuringExecution:\n"
    "      - {weight: 10, preference: {matchExpressions: [{key: a, operator: Exists}]}}\n"
    "      - {weight: 90, preference: {matchExpressions: [{key: b, operator: Exists}]}}\n"
    "      - {weight: 10, preference: {matchExpressions: [{key: c, operator: Exists}]}}\n"
    "    podAffinity:\n      preferredDuringSchedulingIgnoredDuringExecution:\n"
    "      - {weight: 1, podAffinityTerm: {topologyKey: x, labelSelector: {}}}\n"
    "      - {weight: 2, podAffinityTerm: {topologyKey: y, labelSelector: {}}}\n"
    "    podAntiAffinity:\n      preferredDuringSchedulingIgnoredDuringExecution:\n"
    "      - {weight: 5, podAffinityTerm: {topologyKey: x, labelSelector: {}}}\n"
    "  topologySpreadConstraints:\n"
    "  - {maxSkew: 1, topologyKey: s0, whenUnsatisfiable: ScheduleAnyway, labelSelector: {}}\n"
    "  - {maxSkew: 1, topologyKey: s1, whenUnsatisfiable: DoNotSchedule, labelSelector: {}}\n"
    "  - {maxSkew: 1, topologyKey: s2, whenUnsatisfiable: ScheduleAnyway, labelSelector: {}}\n"
    "  - {maxSkew: 1, topologyKey: s3, whenUnsatisfiable: ScheduleAnyway, labelSelector: {}}\n";

static const struct sched_rung expected[] = {
    {SCHED_SOFT_AFFINITY, 1},
    {SCHED_SOFT_AFFINITY, 0},
    {SCHED_SOFT_ANTI_AFFINITY, 0},
    {SCHED_SOFT_NODE, 1},
    {SCHED_SOFT_NODE, 0},
    {SCHED_SOFT_NODE, 2},
    /* The first goes and the last takes its place: 0, then 3 (now first), then 2. */
    {SCHED_SOFT_SPREAD, 0},
    {SCHED_SOFT_SPREAD, 3},
    {SCHED_SOFT_SPREAD, 2},
    {SCHED_SOFT_TAINT, 0},
};
enum { N_EXPECTED = sizeof expected / sizeof expected[0] };

static void test_order(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, pod);
    const struct k8s_pod_shape *shape = world_pod(&w, "shop/p")->shape;
    const struct sched_ladder ladder = sched_ladder_of(&w.arena, shape, true, false);
    assert_int_equal(ladder.n, N_EXPECTED);
    for (uint32_t i = 0; i < ladder.n; i++) {
        if (ladder.rungs[i].kind != expected[i].kind ||
            ladder.rungs[i].term_i != expected[i].term_i) {
            fail_msg("rung %u: kind %d term %u", i, (int)ladder.rungs[i].kind,
                     ladder.rungs[i].term_i);
        }
    }
    world_close(&w);
}

static void test_in_force(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, pod);
    const struct k8s_pod_shape *shape = world_pod(&w, "shop/p")->shape;
    const struct sched_ladder ladder = sched_ladder_of(&w.arena, shape, true, false);
    for (uint32_t dropped = 0; dropped <= ladder.n; dropped++) {
        const struct k8s_node_term *term = sched_ladder_node_term(&ladder, shape, dropped);
        const int term_i = dropped <= 3 ? 1 : dropped == 4 ? 0 : dropped == 5 ? 2 : -1;
        const struct k8s_node_term *wanted =
            term_i < 0 ? NULL : &shape->preferred_node_terms[term_i].term;
        assert_ptr_equal(term, wanted);
        assert_int_equal(sched_ladder_taints_count(&ladder, dropped), dropped < ladder.n);
    }
    world_close(&w);
}

static void test_policies(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, pod);
    const struct k8s_pod_shape *shape = world_pod(&w, "shop/p")->shape;
    const struct sched_ladder no_taints = sched_ladder_of(&w.arena, shape, false, false);
    assert_int_equal(no_taints.n, N_EXPECTED - 1);
    assert_false(sched_ladder_taints_count(&no_taints, 0));
    const struct sched_ladder ignore = sched_ladder_of(&w.arena, shape, false, true);
    assert_int_equal(ignore.n, 0);
    assert_null(sched_ladder_node_term(&ignore, shape, 0));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_in_force),
        cmocka_unit_test(test_policies),
    };
    return cmocka_run_group_tests_name("preferences", tests, NULL, NULL);
}

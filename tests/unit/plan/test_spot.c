/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spot spread over pools: what is exchanged, what caps do, and that the checker sees what is not
 * spread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../scheduling/planner.h"
#include "binpack/plan/check.h"
#include "binpack/plan/diversify.h"

#define PPB INT64_C(1000000000)
#define WEB "app: web"
#define APART                                                                                      \
    "  affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "              \
    "[{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}}\n"
/* Four pods that each need a node: of a small, 0.04 on spot in a and b, 0.10 on demand. */
#define FOUR                                                                                       \
    CLASS("default", ABC)                                                                          \
    POOL("default", "",                                                                            \
         "      requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [spot, "    \
         "on-demand]}]\n",                                                                         \
         "")                                                                                       \
    PENDING("a", WEB, "1", APART)                                                                  \
    PENDING("b", WEB, "1", APART) PENDING("c", WEB, "1", APART) PENDING("d", WEB, "1", APART)

struct outcome {
    struct planner planner;
    struct arena arena;
    struct plan *plan;
};

static void run(struct outcome *o, const struct plan_spot_rules *rules,
                const struct sched_spot_caps *caps)
{
    struct err err = {0};
    struct make *make = NULL;
    struct make_settings settings = MAKE_SETTINGS_DEFAULT;
    settings.gate_reserved_capacity = false;
    settings.spot_rules = *rules;
    settings.spot_caps = *caps;
    planner_read(&o->planner, FOUR);
    o->arena = ARENA_INIT;
    if (!make_new(o->planner.world.cluster, o->planner.catalog, &settings, &make, &err)) {
        fail_msg("make_new: %s", err.text);
    }
    while (make_step(make, 20000)) {
    }
    if (!make_finish(make, &o->arena, &o->plan, &err)) {
        fail_msg("make_finish: %s", err.text);
    }
    make_free(make);
    struct check_settings checks = {.catalog = settings.catalog};
    struct arena scratch = ARENA_INIT;
    if (!check_plan(o->plan, &checks, &scratch, &err)) {
        fail_msg("check_plan: %s", err.text);
    }
    arena_done(&scratch);
}

static void done(struct outcome *o)
{
    arena_done(&o->arena);
    planner_close(&o->planner);
}

static bool holds(const struct outcome *o, const struct plan_spot_rules *rules)
{
    struct arena scratch = ARENA_INIT;
    struct err err = {0};
    bool good = check_spot(o->plan, rules, &scratch, &err);
    arena_done(&scratch);
    return good;
}

struct row {
    const char *name;
    struct plan_spot_rules rules;
    struct sched_spot_caps caps;
    bool holds_freely; /* without being asked for */
    int64_t mills;
};

static const struct row rows[] = {
    {"no rule", {.min_pools = 0}, {.per_pool = 0}, true, 160},
    {"two pools: the same type in another zone costs nothing",
     {.min_pools = 2},
     {.per_pool = 0},
     false,
     160},
    {"three: the cheapest other pool is a medium", {.min_pools = 3}, {.per_pool = 0}, false, 196},
    {"one each: two smalls, two mediums", {.min_pools = 4}, {.per_pool = 0}, false, 232},
    {"more pools than nodes: one each", {.min_pools = 9}, {.per_pool = 0}, false, 232},
    {"half of the nodes in one pool",
     {.max_per_pool = {true, PPB / 2}},
     {.per_pool = 0},
     false,
     160},
    {"a quarter", {.max_per_pool = {true, PPB / 4}}, {.per_pool = 0}, false, 232},
    {"less than a node: one may be alone",
     {.max_per_pool = {true, PPB / 100}},
     {.per_pool = 0},
     false,
     232},
    {"four vCPU of spot", {.max_share = {true, PPB / 2}}, {.vcpu = {true, 4}}, false, 280},
    {"no spot", {.max_share = {true, 0}}, {.vcpu = {true, 0}}, false, 400},
    {"one node of each pool by caps", {.min_pools = 4}, {.per_pool = 1}, false, 232},
};

static void test_rows(void **state)
{
    (void)state;
    const struct plan_spot_rules none = {.min_pools = 0};
    const struct sched_spot_caps no_caps = {.per_pool = 0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome o, freely;
        run(&freely, &none, &no_caps);
        run(&o, &rows[i].rules, &rows[i].caps);
        if (o.plan->cost != rows[i].mills * 1000000 || !holds(&o, &rows[i].rules) ||
            holds(&freely, &rows[i].rules) != rows[i].holds_freely || o.plan->n_unplaced > 0) {
            fail_msg("%s: %lld thousandths, expected %lld; kept %d, freely %d", rows[i].name,
                     (long long)(o.plan->cost / 1000000), (long long)rows[i].mills,
                     holds(&o, &rows[i].rules), holds(&freely, &rows[i].rules));
        }
        assert_true(o.plan->bound <= o.plan->cost);
        done(&o);
        done(&freely);
    }
}

/* From the shares of a plan to caps, and tighter each time. */
static void test_tighten(void **state)
{
    (void)state;
    struct outcome o;
    const struct plan_spot_rules none = {.min_pools = 0};
    const struct plan_spot_rules half = {.max_share = {true, PPB / 2}}, pools = {.min_pools = 3};
    struct sched_spot_caps caps = {.per_pool = 0};
    run(&o, &none, &caps);
    assert_true(diversify_tighten(o.plan, &half, &o.arena, &caps));
    assert_int_equal(caps.vcpu.v, 4);
    assert_true(diversify_tighten(o.plan, &half, &o.arena, &caps));
    assert_true(caps.vcpu.v < 4);
    assert_true(diversify_tighten(o.plan, &pools, &o.arena, &caps));
    assert_int_equal(caps.per_pool, 1);
    /* All four are in one pool, so it gets a row over all NodePools; then nothing is left to do. */
    assert_true(diversify_tighten(o.plan, &pools, &o.arena, &caps));
    assert_int_equal(caps.n_tight, 1);
    assert_false(diversify_tighten(o.plan, &pools, &o.arena, &caps));
    done(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_tighten)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

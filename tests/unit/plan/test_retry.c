/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans that the checker refuses are made again, more carefully each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../scheduling/planner.h"
#include "binpack/plan/retry.h"

#define ZONE "topology.kubernetes.io/zone"
/* `pinned` may go to zone a only. */
#define WORLD                                                                                      \
    CLASS("default", ABC)                                                                          \
    POOL("default", "", ON_DEMAND, "")                                                             \
    PENDING("free", "", "1", "")                                                                   \
    PENDING("pinned", "", "1", "  nodeSelector: {" ZONE ": a}\n")

enum spoil { NOTHING, UNTIL_WAY, UNLESS_HELD, ALWAYS_PRICES, FAIL_HARD };

struct script {
    struct planner planner;
    struct arena arena;
    enum spoil spoil;
    uint32_t until, n_calls; /* UNTIL_WAY: attempts before this one are spoilt */
    uint32_t patience;       /* attempts after which somebody interrupts */
};

/* Moves the node of `pinned` to a zone that it refuses. */
static void move_pinned(struct script *s, struct plan *plan)
{
    const struct k8s_pod *pods = s->planner.world.cluster->pods;
    const uint32_t pinned = (uint32_t)(world_pod(&s->planner.world, "default/pinned") - pods);
    struct plan_node *nodes = ARENA_ARRAY(&s->arena, struct plan_node, plan->n_nodes);
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        nodes[i] = plan->nodes[i];
        for (uint32_t k = 0; k < nodes[i].n_pods; k++) {
            if (nodes[i].pods[k] == pinned) {
                nodes[i].zone_i = (nodes[i].zone_i + 1) % plan->catalog->n_zones;
            }
        }
    }
    plan->nodes = nodes;
}

static bool once(void *ctx, const struct make_settings *settings, struct plan **ret_plan,
                 struct err *err)
{
    struct script *s = ctx;
    struct make *make = NULL;
    const uint32_t call = s->n_calls++;
    if (s->spoil == FAIL_HARD) {
        return err_set(err, ERR_LIMIT, "too much");
    }
    if (!make_new(s->planner.world.cluster, s->planner.catalog, settings, &make, err)) {
        return false;
    }
    while (make_step(make, 20000)) {
    }
    bool good = make_finish(make, &s->arena, ret_plan, err);
    make_free(make);
    if (good && ((s->spoil == UNTIL_WAY && call < s->until) || s->spoil == UNLESS_HELD)) {
        move_pinned(s, *ret_plan);
    }
    if (good && s->spoil == ALWAYS_PRICES) {
        (*ret_plan)->cost++;
    }
    return good;
}

static bool stopped(void *ctx, bool needed)
{
    const struct script *s = ctx;
    return needed && s->n_calls >= s->patience;
}

static bool run_script(struct script *s, struct plan **ret_plan, struct err *err)
{
    planner_read(&s->planner, WORLD);
    const struct make_settings settings = MAKE_SETTINGS_DEFAULT;
    const struct check_settings checks = {
        .respect_strict_min_values = true, .complete = true, .catalog = settings.catalog};
    struct arena scratch = ARENA_INIT;
    uint32_t attempts = 0;
    const struct retry retry = {.once = once,
                                .stopped = stopped,
                                .ctx = s,
                                .settings = &settings,
                                .checks = &checks,
                                .scratch = &scratch};
    bool good = retry_plan(&retry, ret_plan, &attempts, err);
    assert_int_equal(attempts, s->n_calls);
    arena_done(&scratch);
    return good;
}

static bool run(struct script *s, enum spoil spoil, uint32_t until, struct plan **ret_plan,
                struct err *err)
{
    *s = (struct script){
        .spoil = spoil, .until = until, .patience = UINT32_MAX, .arena = ARENA_INIT};
    return run_script(s, ret_plan, err);
}

static void done(struct script *s)
{
    arena_done(&s->arena);
    planner_close(&s->planner);
}

static void test_way_by_way(void **state)
{
    (void)state;
    for (uint32_t until = 0; until < RETRY_WAYS; until++) {
        struct script s;
        struct plan *plan = NULL;
        struct err err = {0};
        assert_true(run(&s, UNTIL_WAY, until, &plan, &err));
        assert_int_equal(s.n_calls, until + 1);
        assert_int_equal(plan->n_unplaced, 0);
        done(&s);
    }
}

static void test_ways_differ(void **state)
{
    (void)state;
    const struct make_settings asked = MAKE_SETTINGS_DEFAULT;
    const struct make_settings no_repair = retry_way(&asked, 1), any = retry_way(&asked, 2),
                               exact = retry_way(&asked, 3);
    assert_true(no_repair.no_repair && !no_repair.any_order && !no_repair.one_by_one);
    assert_true(any.no_repair && any.any_order && !any.one_by_one);
    assert_true(!exact.no_repair && !exact.any_order && exact.one_by_one);
}

/* No attempt finds a place for the pod, so the others get theirs without it. */
static void test_held_back(void **state)
{
    (void)state;
    struct script s;
    struct plan *plan = NULL;
    struct err err = {0};
    assert_true(run(&s, UNLESS_HELD, 0, &plan, &err));
    assert_int_equal(s.n_calls, RETRY_WAYS + 1);
    assert_int_equal(plan->n_unplaced, 1);
    assert_true(str_eq(plan->cluster->pods[plan->unplaced[0].pod].name, STR("pinned")));
    assert_int_equal(plan->unplaced[0].n_reasons, 1);
    assert_true(str_eq(plan->unplaced[0].reasons[0].code, STR("NO_ORDER_FOUND")));
    assert_int_equal(plan->n_nodes, 1);
    done(&s);
}

/* What no pod is to blame for is reported as the checker said it first. */
static void test_not_about_pods(void **state)
{
    (void)state;
    struct script s;
    struct plan *plan = NULL;
    struct err err = {0};
    assert_false(run(&s, ALWAYS_PRICES, 0, &plan, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_non_null(strstr(err.text, "the plan does not hold, so it is not shown"));
    assert_int_equal(s.n_calls, RETRY_WAYS);
    done(&s);
}

/* Nobody waits for attempts after an interrupt. */
static void test_interrupted(void **state)
{
    (void)state;
    struct script s = {.spoil = UNTIL_WAY, .until = 3, .patience = 2, .arena = ARENA_INIT};
    struct plan *plan = NULL;
    struct err err = {0};
    assert_false(run_script(&s, &plan, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_int_equal(s.n_calls, 2);
    done(&s);
}

/* Errors that planning anew would not mend. */
static void test_hard_errors(void **state)
{
    (void)state;
    struct script s;
    struct plan *plan = NULL;
    struct err err = {0};
    assert_false(run(&s, FAIL_HARD, 0, &plan, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(s.n_calls, 1);
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_way_by_way),  cmocka_unit_test(test_ways_differ),
        cmocka_unit_test(test_held_back),   cmocka_unit_test(test_not_about_pods),
        cmocka_unit_test(test_hard_errors), cmocka_unit_test(test_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

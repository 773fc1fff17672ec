/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine against the exact optimum of tiny random problems, and its promises: the same answer
 * on any number of lanes and for any size of step, cancel at any boundary, a plan whatever GLPK
 * does. */
#include "exhaustive.h"
#include "random_problem.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/solver/engine.h"
#include "binpack/solver/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct random_shape tiny = {.max_classes = 4,
                                         .max_units = 6,
                                         .max_offerings = 4,
                                         .max_dims = 3,
                                         .max_domains = 3,
                                         .rules_percent = 30};
static const struct random_shape medium = {.max_classes = 24,
                                           .max_units = 160,
                                           .max_offerings = 40,
                                           .max_dims = 4,
                                           .max_domains = 6,
                                           .rules_percent = 25};

static const struct random_shape plain = {
    .max_classes = 40, .max_units = 400, .max_offerings = 40, .max_dims = 4, .max_domains = 1};

static void solve(const struct bp_problem *problem, const struct bp_options *options, uint64_t step,
                  struct arena *arena, struct bp_solution *ret)
{
    struct err err;
    struct bp_engine *engine = NULL;
    if (!bp_engine_new(problem, options, &engine, &err)) {
        fail_msg("%s", err.text);
    }
    while (bp_engine_step(engine, step)) {
    }
    assert_string_equal(bp_engine_warning(engine), "");
    bp_engine_result(engine, arena, ret);
    bp_engine_free(engine);
}

static void check(const struct bp_problem *problem, const struct bp_solution *solution,
                  struct arena *arena, uint64_t seed)
{
    struct err err;
    if (!bp_verify(problem, solution, arena, &err)) {
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
    }
}

static void test_against_exhaustive(void **state)
{
    (void)state;
    struct bp_options options = BP_OPTIONS_DEFAULT;
    options.gap = 0;
    options.effort = 1;
    uint32_t n_runs = 0, n_optimal = 0, n_fewest = 0, n_proven = 0, n_strict = 0;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        auto_arena arena = ARENA_INIT;
        struct rng rng = {.state = seed};
        struct bp_problem problem;
        random_problem(&rng, &arena, &tiny, &problem);
        struct bp_solution solution;
        solve(&problem, &options, 20000, &arena, &solution);
        check(&problem, &solution, &arena, seed);
        uint32_t placed[8] = {0};
        for (uint32_t i = 0; i < problem.n_classes; i++) {
            placed[i] = problem.classes[i].demand - solution.unplaced[i];
        }
        struct exhaustive exact;
        if (!exhaustive_solve(&problem, placed, 400000, &arena, &exact)) {
            continue;
        }
        n_runs++;
        if (exact.cost_of_placed < 0 || exact.cost_of_placed > solution.cost ||
            solution.certificate.bound > exact.cost_of_placed) {
            fail_msg("seed %llu: bound %lld, optimum %lld, cost %lld", (unsigned long long)seed,
                     (long long)solution.certificate.bound, (long long)exact.cost_of_placed,
                     (long long)solution.cost);
        }
        bool fewest = true;
        for (uint32_t i = 0; i < problem.n_classes; i++) {
            fewest &= exact.unplaced[i] == solution.unplaced[i];
        }
        bool relaxed = solution.certificate.relaxed_caps ||
                       solution.certificate.relaxed_exclusions ||
                       solution.certificate.relaxed_varieties;
        n_fewest += fewest;
        n_optimal += solution.cost == exact.cost_of_placed;
        n_strict += !relaxed;
        n_proven += !relaxed && solution.status == BP_OPTIMAL;
        if (getenv("BP_TEST_TRACE") != NULL && (!fewest || solution.cost != exact.cost_of_placed)) {
            printf("seed %llu: cost %lld optimum %lld bound %lld fewest %d\n",
                   (unsigned long long)seed, (long long)solution.cost,
                   (long long)exact.cost_of_placed, (long long)solution.certificate.bound, fewest);
        }
    }
    printf("%u problems: cheapest for what is placed %u, placed as the best plan does %u, proven "
           "%u of %u without relaxed rules\n",
           n_runs, n_optimal, n_fewest, n_proven, n_strict);
    assert_true(n_runs > 2500);
    assert_true(n_optimal >= n_runs - n_runs / 50);
    assert_true(n_fewest >= n_runs - n_runs / 20);
}

static bool same_solution(const struct bp_problem *problem, const struct bp_solution *a,
                          const struct bp_solution *b)
{
    bool same = a->n_nodes == b->n_nodes && a->cost == b->cost && a->status == b->status &&
                a->work == b->work && a->certificate.bound == b->certificate.bound &&
                memcmp(a->certificate.dual, b->certificate.dual,
                       problem->n_classes * sizeof(int64_t)) == 0 &&
                memcmp(a->certificate.best_value, b->certificate.best_value,
                       problem->n_offerings * sizeof(int64_t)) == 0;
    for (uint32_t n = 0; same && n < a->n_nodes; n++) {
        same = a->nodes[n].offering_i == b->nodes[n].offering_i &&
               a->nodes[n].n_items == b->nodes[n].n_items &&
               memcmp(a->nodes[n].items, b->nodes[n].items,
                      a->nodes[n].n_items * sizeof(struct bp_item)) == 0;
    }
    return same;
}

/* Runs tasks backwards, so that nothing can depend on the order. */
static void run_backwards(void *port_ctx, uint32_t n, void (*fn)(void *ctx, uint32_t i), void *ctx)
{
    (void)port_ctx;
    while (n-- > 0) {
        fn(ctx, n);
    }
}

static void test_lanes_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        auto_arena arena = ARENA_INIT;
        struct rng rng = {.state = seed * 77};
        struct bp_problem problem;
        random_problem(&rng, &arena, &medium, &problem);
        struct bp_options options = BP_OPTIONS_DEFAULT;
        options.effort = 1;
        struct bp_solution one, other;
        solve(&problem, &options, 10000, &arena, &one);
        check(&problem, &one, &arena, seed);
        for (uint32_t lanes = 2; lanes <= 7; lanes += 5) {
            struct parallel parallel = {.run = run_backwards, .n_lanes = lanes};
            options.parallel = &parallel;
            solve(&problem, &options, 10000, &arena, &other);
            assert_true(same_solution(&problem, &one, &other));
        }
    }
}

static void test_steps_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        auto_arena arena = ARENA_INIT;
        struct rng rng = {.state = seed * 1013};
        struct bp_problem problem;
        random_problem(&rng, &arena, &medium, &problem);
        struct bp_options options = BP_OPTIONS_DEFAULT;
        options.effort = 1;
        struct bp_solution one, other;
        solve(&problem, &options, 100000000, &arena, &one);
        solve(&problem, &options, 3000, &arena, &other);
        assert_int_equal(one.cost, other.cost);
        assert_int_equal(one.certificate.bound, other.certificate.bound);
    }
}

static void test_cancel_at_every_boundary(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct rng rng = {.state = 5};
    struct bp_problem problem;
    random_problem(&rng, &arena, &medium, &problem);
    struct bp_options options = BP_OPTIONS_DEFAULT;
    options.gap = 0;
    options.effort = 1;
    for (uint32_t steps = 0; steps < 40; steps++) {
        struct err err;
        struct bp_engine *engine = NULL;
        assert_true(bp_engine_new(&problem, &options, &engine, &err));
        bool more = true;
        for (uint32_t s = 0; s < steps && more; s++) {
            more = bp_engine_step(engine, 500);
        }
        bp_engine_cancel(engine);
        assert_false(bp_engine_step(engine, 500));
        struct bp_solution solution;
        bp_engine_result(engine, &arena, &solution);
        check(&problem, &solution, &arena, steps);
        assert_true(!more || solution.status == BP_STOPPED || solution.status == BP_OPTIMAL);
        bp_engine_free(engine);
    }
}

static void test_medium_problems_verify(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        auto_arena arena = ARENA_INIT;
        struct rng rng = {.state = seed * 31 + 7};
        struct bp_problem problem;
        random_problem(&rng, &arena, &medium, &problem);
        struct bp_options options = BP_OPTIONS_DEFAULT;
        options.effort = 1;
        struct bp_solution first, solution;
        options.algorithm = BP_FFD;
        solve(&problem, &options, 20000, &arena, &first);
        check(&problem, &first, &arena, seed);
        options.algorithm = BP_COLGEN;
        solve(&problem, &options, 20000, &arena, &solution);
        check(&problem, &solution, &arena, seed);
        /* Its own answer as a start is never lost. */
        options.start_nodes = solution.nodes;
        options.n_start_nodes = solution.n_nodes;
        struct bp_solution again;
        solve(&problem, &options, 20000, &arena, &again);
        check(&problem, &again, &arena, seed);
        bool same_left =
            memcmp(again.unplaced, solution.unplaced, problem.n_classes * sizeof(uint32_t)) == 0;
        assert_true(!same_left || again.cost <= solution.cost);
    }
}

/* After some pods have changed: the plan and the prices of before, and nonsense in their place. */
static void test_start_prices(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        auto_arena arena = ARENA_INIT;
        struct rng rng = {.state = seed * 57 + 11};
        struct bp_problem problem;
        random_problem(&rng, &arena, seed % 2 == 0 ? &plain : &medium, &problem);
        struct bp_options options = BP_OPTIONS_DEFAULT;
        options.effort = 1;
        struct bp_solution before, after;
        solve(&problem, &options, 20000, &arena, &before);
        struct bp_class *classes = ARENA_ARRAY(&arena, struct bp_class, problem.n_classes);
        int64_t *nonsense = ARENA_ARRAY(&arena, int64_t, problem.n_classes);
        for (uint32_t i = 0; i < problem.n_classes; i++) {
            classes[i] = problem.classes[i];
            classes[i].demand += classes[i].demand / 16;
            nonsense[i] = rng_below(&rng, 3) == 0 ? INT64_MAX : (int64_t)rng_below(&rng, 1000);
        }
        problem.classes = classes;
        options.start_nodes = before.nodes;
        options.n_start_nodes = before.n_nodes;
        options.start_dual = nonsense;
        solve(&problem, &options, 20000, &arena, &after);
        check(&problem, &after, &arena, seed);
        options.start_dual = before.certificate.dual;
        solve(&problem, &options, 20000, &arena, &after);
        check(&problem, &after, &arena, seed);
    }
}

/* A caller who wants the bound gets no worse one for less work, and one who knows a bound gets a
 * plan within the gap of it as soon as there is one. */
static void test_bounds_first(void **state)
{
    (void)state;
    uint64_t all = 0, work_of_bound = 0, work_of_known = 0;
    usd_t bound = 0, bound_alone = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        auto_arena arena = ARENA_INIT;
        struct rng rng = {.state = seed * 71 + 5};
        struct bp_problem problem;
        random_problem(&rng, &arena, seed % 2 == 0 ? &plain : &medium, &problem);
        struct bp_options options = BP_OPTIONS_DEFAULT;
        struct bp_solution plan, only, known;
        options.effort = 1;
        options.gap = 0.01;
        solve(&problem, &options, 20000, &arena, &plan);
        options.bound_only = true;
        solve(&problem, &options, 20000, &arena, &only);
        check(&problem, &only, &arena, seed);
        options.bound_only = false;
        options.known_bound = plan.cost;
        solve(&problem, &options, 20000, &arena, &known);
        check(&problem, &known, &arena, seed);
        all += plan.work;
        work_of_bound += only.work;
        work_of_known += known.work;
        bound += plan.certificate.bound;
        bound_alone += only.certificate.bound;
        bool same_left =
            memcmp(known.unplaced, plan.unplaced, problem.n_classes * sizeof(uint32_t)) == 0;
        assert_true(!same_left || (double)known.cost <= (double)plan.cost * 1.011);
    }
    assert_true(work_of_bound < all && work_of_known < all);
    assert_true((double)bound_alone > (double)bound * 0.99);
}

static void test_empty_problems(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct bp_options options = BP_OPTIONS_DEFAULT;
    struct bp_problem nothing = {.n_dims = 0};
    struct bp_solution solution;
    solve(&nothing, &options, 1000, &arena, &solution);
    assert_int_equal(solution.n_nodes, 0);
    assert_int_equal(solution.cost, 0);

    /* A class that fits nowhere stays unplaced and costs nothing. */
    struct bp_class classes[] = {{3, 1, BP_UNLIMITED, 0}};
    int64_t size[] = {10}, capacity[] = {9};
    uint64_t mask[] = {1};
    struct bp_offering offerings[] = {{.price = 5, .stock = BP_UNLIMITED}};
    struct bp_problem misfit = {.n_dims = 1,
                                .n_classes = 1,
                                .n_offerings = 1,
                                .n_domains = 1,
                                .classes = classes,
                                .size = size,
                                .mask = mask,
                                .offerings = offerings,
                                .capacity = capacity};
    solve(&misfit, &options, 1000, &arena, &solution);
    check(&misfit, &solution, &arena, 0);
    assert_int_equal(solution.unplaced[0], 3);
    assert_int_equal(solution.status, BP_OPTIMAL);

    /* A bad problem is refused with the field's name. */
    struct err err;
    struct bp_engine *engine = NULL;
    offerings[0].price = -1;
    assert_false(bp_engine_new(&misfit, &options, &engine, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.text, "offerings[0].price"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_problems),
        cmocka_unit_test(test_against_exhaustive),
        cmocka_unit_test(test_medium_problems_verify),
        cmocka_unit_test(test_start_prices),
        cmocka_unit_test(test_bounds_first),
        cmocka_unit_test(test_lanes_change_nothing),
        cmocka_unit_test(test_steps_change_nothing),
        cmocka_unit_test(test_cancel_at_every_boundary),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}

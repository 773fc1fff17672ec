/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds that know that nodes are whole: a problem where prices alone see a third of a node, and a
 * proof in which every field matters. */
#include "base/arena.h"
#include "binpack/solver/solve.h"
#include "binpack/solver/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MILLION = 1000000 };

/* Seven pods, three on a node of 100 or one on a node of 45: 245 is the least, 233.4 without whole
 * nodes. */
static const uint64_t everywhere[] = {1};
static const struct bp_class classes[] = {
    {.demand = 7, .weight = 1, .max_per_node = BP_UNLIMITED},
};
static const int64_t size[] = {3};
static const struct bp_offering offerings[] = {
    {.price = 100 * MILLION, .stock = BP_UNLIMITED},
    {.price = 45 * MILLION, .stock = BP_UNLIMITED},
};
static const int64_t capacity[] = {10, 4};

static const struct bp_problem problem = {.n_dims = 1,
                                          .n_classes = 1,
                                          .n_offerings = 2,
                                          .n_domains = 1,
                                          .classes = classes,
                                          .size = size,
                                          .mask = everywhere,
                                          .offerings = offerings,
                                          .capacity = capacity};

/* A proof by hand, scaled: one cut, worth 1 a pod; at most one node of 100, two, or more. */
struct fixture {
    int64_t dual[1], best_value[2], no_dual[1], no_value[2];
    uint32_t family[2];
    int64_t weight[3][1];
    struct bp_count_cut cut;
    struct bp_count_step steps[5];
    struct bp_count_proof proof;
    struct bp_item items[3];
    struct bp_node nodes[3];
    uint32_t unplaced[1];
    struct bp_solution solution;
};

static int64_t weight_of(double nano_per_unit)
{
    return (int64_t)(nano_per_unit * (double)(1 << BP_WEIGHT_BITS));
}

static void build(struct fixture *f)
{
    const int64_t unit = (int64_t)MILLION << BP_DUAL_BITS;
    *f = (struct fixture){.dual = {45 * unit},
                          .best_value = {135 * unit, 45 * unit},
                          .family = {0, 1},
                          .weight = {{weight_of(1)}, {weight_of(1)}, {weight_of(0.7)}}};
    f->cut = (struct bp_count_cut){.dual = f->dual, .best_value = f->best_value};
    f->steps[0] = (struct bp_count_step){.family = 0, .split = 1, .above = 2};
    f->steps[1] = (struct bp_count_step){.family = UINT32_MAX, .weight = f->weight[0]};
    f->steps[2] = (struct bp_count_step){.family = 0, .split = 2, .above = 4};
    f->steps[3] = (struct bp_count_step){.family = UINT32_MAX, .weight = f->weight[1]};
    f->steps[4] = (struct bp_count_step){.family = UINT32_MAX, .weight = f->weight[2]};
    f->proof = (struct bp_count_proof){.n_cuts = 1,
                                       .n_families = 2,
                                       .n_steps = 5,
                                       .cuts = &f->cut,
                                       .family = f->family,
                                       .steps = f->steps};
    f->items[0] = f->items[1] = (struct bp_item){.class_i = 0, .count = 3};
    f->items[2] = (struct bp_item){.class_i = 0, .count = 1};
    for (uint32_t n = 0; n < 3; n++) {
        f->nodes[n] = (struct bp_node){.offering_i = n == 2, .n_items = 1, .items = &f->items[n]};
    }
    f->solution = (struct bp_solution){.n_nodes = 3,
                                       .nodes = f->nodes,
                                       .unplaced = f->unplaced,
                                       .cost = 245 * (usd_t)MILLION,
                                       .status = BP_EFFORT_DONE};
    /* <= 1 node: 315 - 35; 2: 315 - 70; >= 3: 0.7 * 315 + 3 * (100 - 94.5) = 237. */
    f->solution.certificate = (struct bp_certificate){.bound = 237 * (usd_t)MILLION - 1,
                                                      .dual = f->no_dual,
                                                      .limit_dual = f->no_dual,
                                                      .best_value = f->no_value,
                                                      .counts = &f->proof};
}

static bool holds(struct fixture *f)
{
    auto_arena scratch = ARENA_INIT;
    struct err err;
    return bp_verify(&problem, &f->solution, &scratch, &err);
}

static void test_proof_holds(void **state)
{
    (void)state;
    struct fixture f;
    build(&f);
    assert_true(holds(&f));
}

static void more_bound(struct fixture *f)
{
    f->solution.certificate.bound += MILLION;
}
static void less_value(struct fixture *f)
{
    f->best_value[0] -= 1;
}
static void less_value_of_small(struct fixture *f)
{
    f->best_value[1] -= 1;
}
static void negative_dual(struct fixture *f)
{
    f->dual[0] = -1;
}
static void gain_without_end(struct fixture *f)
{
    f->weight[2][0] = weight_of(0.8);
}
static void negative_weight(struct fixture *f)
{
    f->weight[0][0] = -1;
}
static void no_weight(struct fixture *f)
{
    f->weight[1][0] = 0;
}
static void wrong_above(struct fixture *f)
{
    f->steps[0].above = 3;
}
static void endless(struct fixture *f)
{
    f->steps[4] = (struct bp_count_step){.family = 0, .split = 3, .above = 5};
}
static void left_over(struct fixture *f)
{
    f->steps[2] = f->steps[3];
}
static void no_such_family(struct fixture *f)
{
    f->steps[0].family = 2;
}
static void offering_without_family(struct fixture *f)
{
    f->family[1] = 2;
}
static void split_too_high(struct fixture *f)
{
    f->steps[0].split = 3; /* three nodes of 100 then are in a leaf that gains by each */
}

static const struct {
    const char *name;
    void (*change)(struct fixture *f);
} mutants[] = {
    {"bound above the leaves", more_bound},
    {"value of a cut too low", less_value},
    {"value of a small node too low", less_value_of_small},
    {"dual of a cut below 0", negative_dual},
    {"a leaf gains without end", gain_without_end},
    {"multiplier below 0", negative_weight},
    {"a leaf proves nothing", no_weight},
    {"upper half elsewhere", wrong_above},
    {"tree without end", endless},
    {"steps outside the tree", left_over},
    {"split of no family", no_such_family},
    {"offering of no family", offering_without_family},
    {"split too high", split_too_high},
};

static void test_every_field_matters(void **state)
{
    (void)state;
    for (size_t m = 0; m < sizeof mutants / sizeof *mutants; m++) {
        struct fixture f;
        build(&f);
        mutants[m].change(&f);
        if (holds(&f)) {
            fail_msg("%s: accepted", mutants[m].name);
        }
    }
}

/* The solver finds such a proof, and it holds. */
static void test_solver_proves(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    struct bp_options options = BP_OPTIONS_DEFAULT;
    struct bp_solve *solve = NULL;
    struct bp_solution solution;
    struct err err;
    options.gap = 0;
    assert_true(bp_solve_new(&problem, &options, &solve, &err));
    while (bp_solve_step(solve, 10000)) {
    }
    bp_solve_result(solve, &arena, &solution);
    bp_solve_free(solve);
    assert_int_equal(solution.cost, 245 * MILLION);
    assert_true(solution.certificate.bound > 244999 * (usd_t)1000);
    assert_non_null(solution.certificate.counts);
    assert_true(bp_verify(&problem, &solution, &scratch, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proof_holds),
        cmocka_unit_test(test_every_field_matters),
        cmocka_unit_test(test_solver_proves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Classes that only soft rules about hosts tell apart: packed as one, named anew, every rule kept.
 */
#include "base/arena.h"
#include "base/bitset.h"
#include "base/rng.h"
#include "binpack/solver/solve.h"
#include "binpack/solver/spread_twins.h"
#include "binpack/solver/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N_SIZES = 8, N_LABELS = 20, N_CLASSES = N_SIZES * N_LABELS, N_OFFERINGS = 4, N_WORDS = 3 };

struct fixture {
    struct bp_class classes[N_CLASSES];
    int64_t size[N_CLASSES * 2];
    uint64_t mask[N_CLASSES];
    struct bp_offering offerings[N_OFFERINGS];
    int64_t capacity[N_OFFERINGS * 2];
    uint64_t members[N_LABELS + 1][N_WORDS];
    struct bp_cap caps[N_LABELS + 1];
    struct bp_problem problem;
};

/* Every class is one of 8 sizes and 20 labels; a node takes one pod of each label, and three of the
 * largest size at most. */
static void make(struct fixture *f, uint64_t seed)
{
    struct rng rng = {.state = seed};
    *f = (struct fixture){.offerings = {{0, 1, 1, true},
                                        {40000000, BP_UNLIMITED, 0, false},
                                        {90000000, BP_UNLIMITED, 0, false},
                                        {50000000, BP_UNLIMITED, 1, false}},
                          .capacity = {3000, 2000, 2000, 4000, 4500, 9000, 2000, 8000}};
    for (uint32_t i = 0; i < N_CLASSES; i++) {
        uint32_t size = i / N_LABELS, label = i % N_LABELS;
        f->classes[i] = (struct bp_class){
            .demand = 1 + rng_below(&rng, 4), .weight = 1, .max_per_node = BP_UNLIMITED};
        f->size[i * 2] = 100 * (1 + size);
        f->size[i * 2 + 1] = 128 * (1 + size * 5 % N_SIZES);
        f->mask[i] = size == 0 ? 1 : 3;
        bits_set(f->members[label], i);
        if (size == N_SIZES - 1) {
            bits_set(f->members[N_LABELS], i);
        }
    }
    for (uint32_t c = 0; c <= N_LABELS; c++) {
        f->caps[c] = (struct bp_cap){
            .max = c < N_LABELS ? 1 : 3, .necessary = c == N_LABELS, .members = f->members[c]};
    }
    f->problem = (struct bp_problem){.n_dims = 2,
                                     .n_classes = N_CLASSES,
                                     .n_offerings = N_OFFERINGS,
                                     .n_domains = 2,
                                     .n_caps = N_LABELS + 1,
                                     .classes = f->classes,
                                     .size = f->size,
                                     .mask = f->mask,
                                     .offerings = f->offerings,
                                     .capacity = f->capacity,
                                     .caps = f->caps};
}

static void solve_coarse(const struct bp_problem *problem, struct bp_solution *ret_solution,
                         struct arena *arena)
{
    struct bp_options options = BP_OPTIONS_DEFAULT;
    options.algorithm = BP_FFD;
    struct bp_solve *solve;
    struct err err = {0};
    if (!bp_solve_new(problem, &options, &solve, &err)) {
        fail_msg("%s", err.text);
        return;
    }
    bp_solve_result(solve, arena, ret_solution);
    bp_solve_free(solve);
}

static void check_naming(const struct fixture *f, uint64_t seed, uint32_t n_sets)
{
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    struct bp_twins twins;
    struct bp_solution coarse, plan;
    struct err err = {0};
    assert_true(bp_twins_build(&twins, &f->problem, &arena));
    assert_int_equal(twins.n_sets, n_sets);
    assert_int_equal(twins.n_brands, N_LABELS);
    assert_int_equal(twins.coarse.n_caps, 2);
    solve_coarse(&twins.coarse, &coarse, &arena);
    bp_twins_restore(&twins, &coarse, &plan, &arena, &scratch);
    /* The certificate is of no interest here: prices of zero prove a bound of zero. */
    static const int64_t zero[N_CLASSES];
    plan.certificate =
        (struct bp_certificate){.dual = zero, .limit_dual = zero, .best_value = zero};
    plan.status = BP_EFFORT_DONE;
    if (!bp_verify(&f->problem, &plan, &scratch, &err)) {
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
    }
    for (uint32_t i = 0; i < N_CLASSES; i++) {
        assert_int_equal(plan.unplaced[i], 0);
    }
    assert_true(plan.cost <= coarse.cost + coarse.cost / 2);
}

static void names_anew_within_all_caps(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        static struct fixture f;
        make(&f, seed);
        check_naming(&f, seed, N_SIZES);
    }
}

/* Necessary caps are soft where another one needs many more nodes, and exclusions always are: two
 * labels keep away from each other, and a node takes one pod of the largest size. */
static void softens_what_hardly_binds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        static struct fixture f;
        make(&f, seed);
        for (uint32_t c = 0; c < N_LABELS; c++) {
            f.caps[c].necessary = true;
        }
        f.caps[N_LABELS].max = 1;
        for (uint32_t i = N_CLASSES - N_LABELS; i < N_CLASSES; i++) {
            f.classes[i].demand = 60;
        }
        f.classes[0].max_per_node = 1; /* its label's cap says so too */
        const struct bp_exclusion exclusion = {.a = f.members[0], .b = f.members[1]};
        f.problem.n_exclusions = 1;
        f.problem.exclusions = &exclusion;
        check_naming(&f, seed, N_SIZES);
    }
}

static void leaves_alone_what_it_cannot_help(void **state)
{
    (void)state;
    static struct fixture f;
    auto_arena arena = ARENA_INIT;
    struct bp_twins twins;
    make(&f, 1);
    for (uint32_t c = 0; c < N_LABELS; c++) {
        f.caps[c].necessary = true; /* nothing to soften */
    }
    assert_false(bp_twins_build(&twins, &f.problem, &arena));
    make(&f, 1);
    f.problem.n_classes = 100;
    assert_false(bp_twins_build(&twins, &f.problem, &arena));
    make(&f, 1);
    const int64_t use[N_OFFERINGS] = {1, 1, 1, 1};
    const struct bp_limit limit = {.max = 5, .use = use};
    f.problem.n_limits = 1;
    f.problem.limits = &limit;
    assert_false(bp_twins_build(&twins, &f.problem, &arena));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_anew_within_all_caps),
        cmocka_unit_test(softens_what_hardly_binds),
        cmocka_unit_test(leaves_alone_what_it_cannot_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

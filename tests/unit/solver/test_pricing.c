/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pricing against brute force: the proven bound never falls below the best pattern, and the exact
 * searches find it. */
#include "random_problem.h"

#include "base/arena.h"
#include "binpack/solver/pattern.h"
#include "binpack/solver/pricing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct random_shape shape = {.max_classes = 7,
                                          .max_units = 28,
                                          .max_offerings = 6,
                                          .max_dims = 4,
                                          .max_domains = 2,
                                          .rules_percent = 40};

/* The best value over all count vectors. */
static double brute_force(const struct bp_red *red, uint32_t kind, const double *value)
{
    struct bp_item items[8];
    uint32_t count[8] = {0};
    double best = 0;
    for (;;) {
        uint32_t i = 0;
        while (i < red->n_classes && count[i] == (uint32_t)red->per_node[i]) {
            count[i++] = 0;
        }
        if (i == red->n_classes) {
            return best;
        }
        count[i]++;
        uint32_t n = 0;
        double worth = 0;
        for (i = 0; i < red->n_classes; i++) {
            if (count[i] > 0) {
                items[n++] = (struct bp_item){.class_i = i, .count = count[i]};
                worth += value[i] * count[i];
            }
        }
        if (worth > best && bp_pattern_fits(red, kind, items, n)) {
            best = worth;
        }
    }
}

static void check_found(const struct bp_red *red, const struct bp_knap *knap, uint32_t kind)
{
    struct bp_item items[8];
    for (uint32_t f = 0; f < bp_knap_n_found(knap); f++) {
        uint32_t n = bp_knap_items(knap, f, items);
        assert_true(bp_pattern_fits(red, kind, items, n));
    }
}

static void check_kind(const struct bp_red *red, struct bp_knap *knap, uint32_t kind,
                       const double *value, uint64_t seed)
{
    double best = brute_force(red, kind, value);
    bp_knap_load(knap, kind, value, red->demand, BP_RULES_PLAN);
    bool proven = bp_knap_run(knap, 0, 1e-9, 2);
    check_found(red, knap, kind);
    if (bp_knap_bound(knap) < best) {
        fail_msg("seed %llu kind %u: bound %.12g below %.12g", (unsigned long long)seed, kind,
                 bp_knap_bound(knap), best);
    }
    if (!proven) {
        bp_knap_deepen(knap, 0, 1e-9, 100000);
        check_found(red, knap, kind);
        assert_true(bp_knap_bound(knap) >= best);
    }
    bp_knap_load(knap, kind, value, red->demand, BP_RULES_PLAN);
    proven = bp_knap_run(knap, 0, 1e-9, 100000);
    check_found(red, knap, kind);
    assert_true(proven);
    double found = bp_knap_n_found(knap) > 0 ? bp_knap_value(knap, bp_knap_n_found(knap) - 1) : 0;
    if (found < best * (1 - 1e-6) || bp_knap_bound(knap) < best) {
        fail_msg("seed %llu kind %u: found %.12g of %.12g", (unsigned long long)seed, kind, found,
                 best);
    }
    double lambda[BP_MAX_DIMS];
    bp_knap_lambda(knap, lambda);
    assert_true(bp_knap_quick_bound(red, kind, value, red->demand, lambda) >= best);
}

static void test_brute_force(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        auto_arena arena = ARENA_INIT;
        struct rng rng = {.state = seed * 7919};
        struct bp_problem problem;
        random_problem(&rng, &arena, &shape, &problem);
        struct bp_red red;
        bp_red_build(&red, &problem, &arena);
        struct bp_knap *knap = bp_knap_new(&arena, &red, 20000);
        double value[8];
        for (uint32_t i = 0; i < red.n_classes; i++) {
            value[i] = rng_below(&rng, 10) == 0 ? 0 : 0.1 + rng_below(&rng, 1000) / 37.0;
        }
        for (uint32_t k = 0; k < red.n_kinds; k++) {
            check_kind(&red, knap, k, value, seed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_brute_force)};
    return cmocka_run_group_tests_name("pricing", tests, NULL, NULL);
}

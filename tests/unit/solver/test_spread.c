/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the pods of groups go: three zones with one offering each, and what each rule makes of
 * them. */
#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/solver/solve.h"
#include "binpack/solver/spread.h"
#include "binpack/solver/spread_exact.h"
#include "binpack/solver/spread_split.h"
#include "binpack/solver/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MILLION  INT64_C(1000000)
#define SPREAD   BP_GROUP_SPREAD
#define TOGETHER BP_GROUP_TOGETHER
#define APART    BP_GROUP_APART

enum { N_ZONES = 3, MAX_CLASSES = 4, MAX_GROUPS = 2 };

/* Zone 1 is the cheapest, then 2, then 0. A node holds ten units. */
static const int64_t prices[N_ZONES] = {30 * MILLION, 10 * MILLION, 20 * MILLION};

static const struct row {
    const char *name;
    uint32_t n_classes, n_groups;
    struct {
        uint32_t demand;
        uint64_t mask;
        int32_t priority;
    } classes[MAX_CLASSES];
    struct {
        enum bp_group_kind kind;
        uint32_t max_skew, min_domains;
        bool self_start;
        uint64_t carriers, targets, eligible;
        uint32_t base[N_ZONES];
        uint32_t value; /* 1 + the value to choose, 0: any */
    } groups[MAX_GROUPS];
    int64_t free_room; /* of a running node in zone 0 */
    uint32_t units[MAX_CLASSES][N_ZONES];
    uint32_t left[MAX_CLASSES];
} rows[] = {
    {"spread: the remainder goes to the cheapest zone",
     1,
     1,
     {{7, 7}},
     {{SPREAD, 1, 0, false, 1, 1, 7}},
     0,
     {{2, 3, 2}},
     {0}},
    {"spread: a larger skew goes to the cheap zones",
     1,
     1,
     {{7, 7}},
     {{SPREAD, 2, 0, false, 1, 1, 7}},
     0,
     {{1, 3, 3}},
     {0}},
    {"spread: running pods count",
     1,
     1,
     {{4, 7}},
     {{SPREAD, 1, 0, false, 1, 1, 7, {2, 0, 0}}},
     0,
     {{0, 2, 2}},
     {0}},
    {"spread: a zone that is not eligible has no part in the minimum",
     1,
     1,
     {{5, 3}},
     {{SPREAD, 1, 0, false, 1, 1, 3}},
     0,
     {{2, 3, 0}},
     {0}},
    {"spread: too few domains make the minimum zero",
     1,
     1,
     {{5, 7}},
     {{SPREAD, 1, 4, false, 1, 1, 7}},
     0,
     {{1, 1, 1}},
     {2}},
    {"spread: an eligible zone where nothing can be placed holds the others back",
     1,
     1,
     {{5, 6}},
     {{SPREAD, 1, 0, false, 1, 1, 7}},
     0,
     {{0, 1, 1}},
     {3}},
    {"spread: the class with one zone leads, the other follows",
     2,
     1,
     {{6, 7}, {3, 1}},
     {{SPREAD, 1, 0, false, 3, 3, 7}},
     0,
     {{0, 3, 3}, {3, 0, 0}},
     {0}},
    {"spread: targets that carry nothing are balanced too",
     2,
     1,
     {{3, 7}, {6, 7}},
     {{SPREAD, 1, 0, false, 1, 3, 7}},
     0,
     {{1, 1, 1}, {2, 2, 2}},
     {0}},
    {"spread: high priority first",
     2,
     1,
     {{3, 7, 0}, {2, 7, 10}},
     {{SPREAD, 1, 4, false, 3, 3, 7}},
     0,
     {{1, 0, 0}, {0, 1, 1}},
     {2, 0}},
    {"spread: free room is used first",
     1,
     1,
     {{4, 7}},
     {{SPREAD, 4, 0, false, 1, 1, 7}},
     200,
     {{2, 2, 0}},
     {0}},
    {"together: starts in the cheapest zone",
     1,
     1,
     {{5, 7}},
     {{TOGETHER, 0, 0, true, 1, 1, 0}},
     0,
     {{0, 5, 0}},
     {0}},
    {"together: the cheapest zone that all can use",
     2,
     1,
     {{5, 7}, {1, 5}},
     {{TOGETHER, 0, 0, true, 3, 3, 0, {0}, 3}},
     0,
     {{0, 0, 5}, {0, 0, 1}},
     {0}},
    {"together: joins what runs",
     1,
     1,
     {{5, 7}},
     {{TOGETHER, 0, 0, false, 1, 1, 0, {1, 0, 1}}},
     0,
     {{0, 0, 5}},
     {0}},
    {"together: without start or target there is no place",
     1,
     1,
     {{5, 7}},
     {{TOGETHER, 0, 0, false, 1, 1, 0}},
     0,
     {{0, 0, 0}},
     {5}},
    {"together: follows a target of another class",
     2,
     1,
     {{5, 7}, {1, 1}},
     {{TOGETHER, 0, 0, false, 1, 2, 0}},
     0,
     {{5, 0, 0}, {1, 0, 0}},
     {0}},
    {"apart: carriers take one zone, targets another",
     2,
     1,
     {{2, 7}, {4, 7}},
     {{APART, 0, 0, false, 1, 2, 0}},
     0,
     {{0, 2, 0}, {0, 0, 4}},
     {0}},
    {"apart: carriers gather in the chosen zone",
     2,
     1,
     {{2, 7}, {4, 7}},
     {{APART, 0, 0, false, 1, 2, 0, {0}, 1}},
     0,
     {{2, 0, 0}, {0, 4, 0}},
     {0}},
    {"apart from itself: one for each zone",
     1,
     1,
     {{5, 7}},
     {{APART, 0, 0, false, 1, 1, 0}},
     0,
     {{1, 1, 1}},
     {2}},
    {"apart: not where a target runs",
     1,
     1,
     {{2, 7}},
     {{APART, 0, 0, false, 1, 1, 0, {0, 1, 0}}},
     0,
     {{1, 0, 1}},
     {0}},
    {"two spreads that count each other's carriers gather them",
     4,
     2,
     {{3, 7}, {3, 7}, {6, 7}, {6, 7}},
     {{SPREAD, 1, 0, false, 1, 6, 7, {0}, 3}, {SPREAD, 1, 0, false, 2, 9, 7, {0}, 3}},
     0,
     {{0, 0, 3}, {0, 0, 3}, {3, 3, 0}, {3, 3, 0}},
     {0}},
};

struct fixture {
    struct bp_class classes[MAX_CLASSES];
    int64_t size[MAX_CLASSES];
    uint64_t mask[MAX_CLASSES];
    struct bp_offering offerings[N_ZONES + 1];
    int64_t capacity[N_ZONES + 1];
    uint32_t n_axis_values[1], axis_value[N_ZONES];
    struct bp_group groups[MAX_GROUPS];
    struct bp_problem problem;
};

static void make(struct fixture *f, const struct row *row)
{
    static const char *const families[] = {"zone"};
    *f = (struct fixture){.n_axis_values = {N_ZONES}, .axis_value = {0, 1, 2}};
    for (uint32_t i = 0; i < row->n_classes; i++) {
        f->classes[i] = (struct bp_class){.demand = row->classes[i].demand,
                                          .weight = 1,
                                          .max_per_node = BP_UNLIMITED,
                                          .priority = row->classes[i].priority};
        f->size[i] = 100;
        f->mask[i] = row->classes[i].mask;
    }
    for (uint32_t z = 0; z < N_ZONES; z++) {
        f->offerings[z] =
            (struct bp_offering){.price = prices[z], .stock = BP_UNLIMITED, .domain = z};
        f->capacity[z] = 1000;
    }
    f->offerings[N_ZONES] = (struct bp_offering){.stock = 1, .domain = 0, .running = true};
    f->capacity[N_ZONES] = row->free_room;
    for (uint32_t g = 0; g < row->n_groups; g++) {
        f->groups[g] = (struct bp_group){.kind = row->groups[g].kind,
                                         .max_skew = row->groups[g].max_skew,
                                         .min_domains = row->groups[g].min_domains,
                                         .self_start = row->groups[g].self_start,
                                         .carriers = &row->groups[g].carriers,
                                         .targets = &row->groups[g].targets,
                                         .base = row->groups[g].base,
                                         .eligible = &row->groups[g].eligible};
    }
    f->problem = (struct bp_problem){.n_dims = 1,
                                     .n_classes = row->n_classes,
                                     .n_offerings = row->free_room > 0 ? N_ZONES + 1 : N_ZONES,
                                     .n_domains = N_ZONES,
                                     .n_axes = 1,
                                     .n_groups = row->n_groups,
                                     .n_families = 1,
                                     .classes = f->classes,
                                     .size = f->size,
                                     .mask = f->mask,
                                     .offerings = f->offerings,
                                     .capacity = f->capacity,
                                     .n_axis_values = f->n_axis_values,
                                     .axis_value = f->axis_value,
                                     .groups = f->groups,
                                     .family_names = families};
}

static void choose(const struct row *row, uint32_t *value)
{
    for (uint32_t g = 0; g < row->n_groups; g++) {
        value[g] = row->groups[g].value == 0 ? BP_NO_VALUE : row->groups[g].value - 1;
    }
}

static void places_as_each_rule_says(void **state)
{
    (void)state;
    for (size_t x = 0; x < sizeof rows / sizeof rows[0]; x++) {
        struct fixture f;
        auto_arena arena = ARENA_INIT;
        auto_arena scratch = ARENA_INIT;
        struct bp_spread spread;
        struct bp_split split;
        uint32_t value[MAX_GROUPS];
        make(&f, &rows[x]);
        choose(&rows[x], value);
        bp_spread_build(&spread, &f.problem, &arena);
        struct bp_spread_choice choice = {.value = value};
        bp_spread_place(&spread, &choice, &split, &arena, &scratch);
        for (uint32_t i = 0; i < rows[x].n_classes; i++) {
            for (uint32_t z = 0; z < N_ZONES; z++) {
                uint32_t units = split.units[i * spread.n_tuples + z];
                if (units != rows[x].units[i][z]) {
                    fail_msg("%s: %u of class %u in zone %u, expected %u", rows[x].name, units, i,
                             z, rows[x].units[i][z]);
                }
            }
            if (split.left[i] != rows[x].left[i]) {
                fail_msg("%s: %u of class %u left, expected %u", rows[x].name, split.left[i], i,
                         rows[x].left[i]);
            }
        }
        assert_int_equal(split.n_careless, 0);
    }
}

/* The solver leaves out no more than the placement, at every effort, and the checker accepts. */
static void solves_every_row(void **state)
{
    (void)state;
    for (size_t x = 0; x < 3 * sizeof rows / sizeof rows[0]; x++) {
        const struct row *row = &rows[x / 3];
        struct fixture f;
        auto_arena arena = ARENA_INIT;
        struct bp_options options = BP_OPTIONS_DEFAULT;
        options.effort = (uint32_t)(1 + x % 3);
        options.algorithm = options.effort == 3 ? BP_FFD : BP_COLGEN;
        struct bp_solve *solve;
        struct bp_solution solution;
        struct err err = {0};
        make(&f, row);
        if (!bp_solve_new(&f.problem, &options, &solve, &err)) {
            fail_msg("%s: %s", row->name, err.text);
        }
        while (bp_solve_step(solve, 10000)) {
        }
        bp_solve_result(solve, &arena, &solution);
        bp_solve_free(solve);
        if (bp_spread_compare_left(&f.problem, solution.unplaced, row->left) > 0) {
            fail_msg("%s: more left out than need be", row->name);
        }
        if (!bp_verify(&f.problem, &solution, &arena, &err)) {
            fail_msg("%s: %s", row->name, err.text);
        }
    }
}

static void splits_classes_and_rules(void **state)
{
    (void)state;
    struct fixture f;
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    make(&f, &rows[6]);
    uint64_t both = 3, second = 2;
    struct bp_cap cap = {.max = 4, .members = &second};
    struct bp_exclusion exclusion = {.a = &both, .b = &second};
    f.problem.n_caps = 1;
    f.problem.caps = &cap;
    f.problem.n_exclusions = 1;
    f.problem.exclusions = &exclusion;
    struct bp_spread spread;
    struct bp_split split;
    struct bp_split_problem out;
    bp_spread_build(&spread, &f.problem, &arena);
    struct bp_spread_choice choice = {.value = NULL};
    bp_spread_place(&spread, &choice, &split, &arena, &scratch);
    bp_split_problem_build(&spread, &split, &out, &arena);
    assert_int_equal(out.problem.n_classes, 3); /* class 0 in zones 1 and 2, class 1 in zone 0 */
    assert_int_equal(out.problem.n_groups, 0);
    const uint32_t class_of[] = {0, 0, 1}, tuple_of[] = {1, 2, 0};
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(out.class_of[i], class_of[i]);
        assert_int_equal(out.tuple_of[i], tuple_of[i]);
        assert_int_equal(out.problem.classes[i].demand, 3);
        assert_int_equal(out.problem.mask[i], UINT64_C(1) << tuple_of[i]);
        assert_int_equal(out.problem.size[i], 100);
    }
    assert_int_equal(out.problem.caps[0].members[0], 4);
    assert_int_equal(out.problem.exclusions[0].a[0], 7);
    assert_int_equal(out.problem.exclusions[0].b[0], 4);
}

static void repairs_what_has_no_order(void **state)
{
    (void)state;
    struct fixture f;
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    make(&f, &rows[0]);
    const struct bp_item items[] = {{0, 5}, {0, 1}, {0, 1}};
    const struct bp_node nodes[] = {{0, 1, &items[0]}, {1, 1, &items[1]}, {2, 1, &items[2]}};
    const uint32_t unplaced[] = {0};
    struct bp_solution plan = {
        .n_nodes = 3, .nodes = nodes, .unplaced = unplaced, .cost = 60 * MILLION};
    assert_true(bp_split_repair(&f.problem, &plan, &arena, &scratch));
    assert_int_equal(plan.unplaced[0], 3); /* 2, 1, 1 stay */
    assert_int_equal(plan.nodes[0].items[0].count, 2);
    assert_int_equal(plan.n_nodes, 3);
    assert_false(bp_split_repair(&f.problem, &plan, &arena, &scratch));

    const struct bp_node one[] = {{0, 1, &items[0]}};
    f.groups[0].kind = BP_GROUP_TOGETHER; /* no start, no target: nothing may stay */
    plan = (struct bp_solution){
        .n_nodes = 1, .nodes = one, .unplaced = unplaced, .cost = 30 * MILLION};
    assert_true(bp_split_repair(&f.problem, &plan, &arena, &scratch));
    assert_int_equal(plan.n_nodes, 0);
    assert_int_equal(plan.cost, 0);
    assert_int_equal(plan.unplaced[0], 5);
}

static void compares_what_is_left_by_priority(void **state)
{
    (void)state;
    const struct bp_class classes[] = {{9, 1, 1, 5}, {9, 3, 1, 5}, {9, 1, 1, -1}, {9, 1, 1, 100}};
    const struct bp_problem problem = {.n_classes = 4, .classes = classes};
    static const struct {
        const char *name;
        uint32_t a[4], b[4];
        int sign;
    } cases[] = {
        {"equal", {1, 2, 3, 4}, {1, 2, 3, 4}, 0},
        {"high priority decides", {9, 9, 9, 0}, {0, 0, 0, 1}, -1},
        {"then the next", {0, 0, 9, 1}, {1, 0, 0, 1}, -1},
        {"pods, not units", {2, 0, 0, 0}, {0, 1, 0, 0}, -1},
        {"one priority sums up", {3, 0, 1, 0}, {0, 1, 0, 0}, 1},
    };
    for (size_t x = 0; x < sizeof cases / sizeof cases[0]; x++) {
        int sign = bp_spread_compare_left(&problem, cases[x].a, cases[x].b);
        if (sign != cases[x].sign ||
            bp_spread_compare_left(&problem, cases[x].b, cases[x].a) != -cases[x].sign) {
            fail_msg("%s: %d, expected %d", cases[x].name, sign, cases[x].sign);
        }
    }
}

static void ranks_values_by_price(void **state)
{
    (void)state;
    struct fixture f;
    auto_arena arena = ARENA_INIT;
    struct bp_spread spread;
    make(&f, &rows[10]);
    bp_spread_build(&spread, &f.problem, &arena);
    const uint32_t expected[] = {1, 2, 0, BP_NO_VALUE};
    for (uint32_t rank = 0; rank < 4; rank++) {
        assert_int_equal(bp_spread_cheapest_value(&spread, 0, rank), expected[rank]);
    }
}

/* Two zones with half-used large nodes: the exact search sees that the dearer offering of the other
 * zone saves a node. */
static void solves_tiny_problems_exactly(void **state)
{
    (void)state;
    struct fixture f;
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    make(&f, &rows[10]);
    f.classes[0].demand = 11; /* two nodes in any zone, but one and a running one in zone 0 */
    f.problem.n_offerings = N_ZONES + 1;
    f.capacity[N_ZONES] = 100;
    f.offerings[0].price = 15 * MILLION;
    struct bp_spread spread;
    bp_spread_build(&spread, &f.problem, &arena);
    const uint32_t none[] = {11};
    const struct bp_solution known = {.unplaced = none};
    struct bp_solution plan;
    uint64_t work;
    assert_int_equal(bp_spread_exact(&spread, &known, &plan, &work, &arena, &scratch),
                     BP_EXACT_FOUND);
    assert_int_equal(plan.cost, 15 * MILLION);
    assert_int_equal(plan.unplaced[0], 0);
    assert_int_equal(plan.n_nodes, 2);
    assert_int_equal(plan.nodes[0].offering_i, N_ZONES);
    struct bp_solution again;
    assert_int_equal(bp_spread_exact(&spread, &plan, &again, &work, &arena, &scratch),
                     BP_EXACT_NONE);
    f.classes[0].demand = 5000;
    bp_spread_build(&spread, &f.problem, &arena);
    assert_int_equal(bp_spread_exact(&spread, &known, &plan, &work, &arena, &scratch),
                     BP_EXACT_GAVE_UP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_as_each_rule_says),
        cmocka_unit_test(solves_every_row),
        cmocka_unit_test(splits_classes_and_rules),
        cmocka_unit_test(repairs_what_has_no_order),
        cmocka_unit_test(compares_what_is_left_by_priority),
        cmocka_unit_test(ranks_values_by_price),
        cmocka_unit_test(solves_tiny_problems_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

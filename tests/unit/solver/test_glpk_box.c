/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GLPK aborts on misuse; in the box that is an error, and the next LP works again. */
#include "base/arena.h"
#include "binpack/solver/glpk_box.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* min 3 x + 2 y  with  x + y >= 4, x + 3 y >= 6: 8 at (0, 4). */
static void build(struct bp_glp *glp)
{
    struct err err;
    const double bound[] = {4, 6}, cost[] = {3, 2}, value[] = {1, 1, 1, 3};
    const uint32_t start[] = {0, 2, 4}, row[] = {0, 1, 0, 1};
    struct bp_glp_columns columns = {
        .n = 2, .cost = cost, .start = start, .row = row, .value = value};
    assert_true(bp_glp_add_rows(glp, 2, BP_ROW_AT_LEAST, bound, &err));
    assert_true(bp_glp_add_columns(glp, &columns, &err));
}

static void solve(struct bp_glp *glp, double expected)
{
    struct err err;
    enum bp_glp_status status;
    uint32_t pivots = 0;
    double cost = 0, x[2], dual[2];
    assert_true(bp_glp_simplex(glp, BP_PRIMAL, 100, &status, &pivots, &err));
    assert_int_equal(status, BP_GLP_OPTIMAL);
    assert_true(bp_glp_read(glp, &cost, x, dual, NULL, NULL, &err));
    assert_true(fabs(cost - expected) < 1e-9);
}

static void test_solve_and_integer(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    struct err err;
    struct bp_glp *glp = NULL;
    assert_true(bp_glp_new(&arena, &glp, &err));
    build(glp);
    solve(glp, 8); /* y alone: 4 units cover both rows */
    struct bp_glp_mip mip = {.nodes = 100, .cut_off = INFINITY};
    double x[2] = {0, 0};
    assert_true(bp_glp_integer(glp, &mip, x, &err));
    assert_true(mip.found && mip.proven);
    assert_true(fabs(mip.cost - 8) < 1e-9);
    bp_glp_free(glp);
    bp_glp_free(NULL);
}

static void test_abort_is_an_error(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    for (int turn = 0; turn < 5; turn++) {
        struct err err;
        struct bp_glp *glp = NULL, *other = NULL;
        assert_true(bp_glp_new(&arena, &glp, &err));
        assert_true(bp_glp_new(&arena, &other, &err));
        build(glp);
        build(other);
        /* A row that does not exist: GLPK would call abort(). */
        assert_false(bp_glp_set_row(glp, 77, BP_ROW_AT_LEAST, 1, &err));
        assert_int_equal(err.code, ERR_SOLVER);
        assert_false(bp_glp_is_alive(glp));
        /* The neighbour died with the environment and says so. */
        assert_false(bp_glp_is_alive(other));
        enum bp_glp_status status;
        uint32_t pivots;
        assert_false(bp_glp_simplex(other, BP_DUAL, 10, &status, &pivots, &err));
        assert_int_equal(err.code, ERR_SOLVER);
        bp_glp_free(glp);
        bp_glp_free(other);
        assert_true(bp_glp_new(&arena, &glp, &err));
        build(glp);
        solve(glp, 8);
        bp_glp_free(glp);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_solve_and_integer),
                                       cmocka_unit_test(test_abort_is_an_error)};
    return cmocka_run_group_tests_name("glpk_box", tests, NULL, NULL);
}

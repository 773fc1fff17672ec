/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provisioner/provisioning/launch_budget.h"

static void a_number_a_minute(void **state)
{
    struct launch_budget budget = {.n_most = 3};
    mono_t at = 0;
    (void)state;
    for (int minute = 0; minute < 3; minute++) {
        const mono_t began = 1000 + minute * 60000;
        for (int i = 0; i < 3; i++) {
            assert_true(launch_budget_take(&budget, 1, began + i, &at));
        }
        assert_false(launch_budget_take(&budget, 1, began + 59999, &at));
        assert_int_equal(at, began + 60000);
    }
}

static void dollars_a_minute(void **state)
{
    struct launch_budget budget = {.price_most = 10 * USD_PER_HOUR};
    mono_t at = 0;
    (void)state;
    assert_true(launch_budget_take(&budget, 6 * USD_PER_HOUR, 0, &at));
    assert_false(launch_budget_take(&budget, 5 * USD_PER_HOUR, 1, &at));
    assert_true(launch_budget_take(&budget, 4 * USD_PER_HOUR, 2, &at)); /* what fits still goes */
    assert_false(launch_budget_take(&budget, 1, 3, &at));
    assert_true(launch_budget_take(&budget, 98 * USD_PER_HOUR, 60000, &at)); /* alone */
    assert_false(launch_budget_take(&budget, 1, 60001, &at));
    assert_false(launch_budget_take(&budget, INT64_MAX, 60002, &at));
}

static void none_is_none(void **state)
{
    struct launch_budget budget = {.n_most = 0};
    mono_t at = 0;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        assert_true(launch_budget_take(&budget, INT64_MAX / 4, i, &at));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_a_minute),
        cmocka_unit_test(dollars_a_minute),
        cmocka_unit_test(none_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

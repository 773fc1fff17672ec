/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "provisioner/lifecycle/pause.h"

static void one_failure_is_none(void **state)
{
    struct pause *pause = pause_new();
    (void)state;
    pause_failed(pause, STR("a"), false, 1000);
    assert_true(pause_until(pause, STR("a")) <= 1000);
    assert_int_equal(pause_at_once(pause, STR("a")), 2);
    pause_free(pause);
}

static void what_teaches_may_go_on_for_a_while(void **state)
{
    struct pause *pause = pause_new();
    (void)state;
    for (int i = 0; i < 11; i++) {
        pause_failed(pause, STR("a"), true, 1000);
        assert_true(pause_until(pause, STR("a")) <= 1000);
        assert_int_equal(pause_at_once(pause, STR("a")), i < 2 ? UINT32_MAX : 2);
    }
    pause_failed(pause, STR("a"), true, 1000);
    assert_int_equal(pause_at_once(pause, STR("a")), 1);
    assert_true(pause_until(pause, STR("a")) > 1000);
    pause_free(pause);
}

static void it_waits_longer_each_time_and_not_for_ever(void **state)
{
    struct pause *pause = pause_new();
    mono_t now = 5000;
    int64_t longest = 0;
    (void)state;
    pause_failed(pause, STR("a"), false, now);
    for (int i = 0; i < 20; i++) {
        pause_failed(pause, STR("a"), false, now);
        const int64_t waits = pause_until(pause, STR("a")) - now;
        assert_int_equal(pause_at_once(pause, STR("a")), 1);
        assert_true(waits >= 1000 && waits <= 180 * 1000);
        assert_true(i > 2 || waits <= 3000 << i);
        pause_failed(pause, STR("a"), false, now + waits / 2); /* of the same time: no news */
        assert_int_equal(pause_until(pause, STR("a")) - now, waits);
        longest = waits > longest ? waits : longest;
        now += waits;
    }
    assert_true(longest >= 90 * 1000);
    pause_free(pause);
}

static void a_launch_ends_it_and_others_are_not_held(void **state)
{
    struct pause *pause = pause_new();
    (void)state;
    for (int i = 0; i < 3; i++) {
        pause_failed(pause, STR("a"), false, 100000 * i);
    }
    pause_failed(pause, STR("b"), false, 0);
    assert_true(pause_until(pause, STR("a")) > 200000);
    assert_true(pause_until(pause, STR("b")) <= 0);
    pause_launched(pause, STR("a"));
    pause_launched(pause, STR("never failed"));
    assert_true(pause_until(pause, STR("a")) <= 0);
    assert_int_equal(pause_at_once(pause, STR("a")), UINT32_MAX);
    pause_free(pause);
}

/* Two NodePools that fail at the same moment do not come back at the same moment. */
static void pools_do_not_go_in_step(void **state)
{
    struct pause *pause = pause_new();
    (void)state;
    for (int i = 0; i < 6; i++) {
        pause_failed(pause, STR("a"), false, 1000000 * i);
        pause_failed(pause, STR("b"), false, 1000000 * i);
    }
    assert_int_not_equal(pause_until(pause, STR("a")), pause_until(pause, STR("b")));
    pause_free(pause);
}

static void what_grows_has_an_end(void **state)
{
    struct pause *pause = pause_new();
    char name[300];
    (void)state;
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(name, sizeof name, "pool-%d", i);
        pause_failed(pause, str_of(name), false, 0);
        pause_failed(pause, str_of(name), false, 0);
    }
    assert_int_equal(pause_at_once(pause, STR("pool-1000")), 1);
    assert_int_equal(pause_at_once(pause, STR("pool-2000")), UINT32_MAX);
    (void)snprintf(name, sizeof name, "%0290d", 1);
    pause_failed(pause, str_of(name), false, 0);
    pause_failed(pause, STR_EMPTY, false, 0);
    pause_free(pause);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_failure_is_none),
        cmocka_unit_test(what_teaches_may_go_on_for_a_while),
        cmocka_unit_test(it_waits_longer_each_time_and_not_for_ever),
        cmocka_unit_test(a_launch_ends_it_and_others_are_not_held),
        cmocka_unit_test(pools_do_not_go_in_step),
        cmocka_unit_test(what_grows_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

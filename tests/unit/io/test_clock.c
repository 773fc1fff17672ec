/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/clock.h"

static void clocks_go_on(void **state)
{
    (void)state;
    int64_t before = io_clock_mono_us(), cpu = io_clock_cpu_us();
    mono_t mono = io_clock_mono();
    for (int i = 0; i < 1000; i++) {
        int64_t now = io_clock_mono_us();
        assert_true(now >= before);
        before = now;
    }
    assert_true(io_clock_mono() >= mono);
    assert_true(io_clock_cpu_us() >= cpu);
    assert_true(io_clock_wall() > INT64_C(1700000000000));
    assert_true(io_peak_memory_kib() > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(clocks_go_on)};
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}

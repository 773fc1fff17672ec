/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitset.h"
#include "base/rng.h"
#include "base/units.h"

enum { BITS = 200, WORDS = 4 };

static void sets_agree_with_plain_arrays(void **state)
{
    (void)state;
    struct rng rng = {.state = 3};
    for (int round = 0; round < 200; round++) {
        uint64_t a[WORDS] = {0}, b[WORDS] = {0};
        bool in_a[BITS] = {false}, in_b[BITS] = {false};
        for (int i = 0; i < BITS; i++) {
            in_a[i] = rng_below(&rng, 3) == 0;
            in_b[i] = rng_below(&rng, 1 + (uint32_t)round % 5) == 0;
            if (in_a[i]) {
                bits_set(a, (size_t)i);
            }
            if (in_b[i]) {
                bits_set(b, (size_t)i);
            }
        }
        size_t n = 0, next = bits_next(a, BITS, 0);
        bool subset = true, intersects = false;
        for (int i = 0; i < BITS; i++) {
            assert_int_equal(bits_get(a, (size_t)i), in_a[i]);
            if (in_a[i]) {
                assert_int_equal(next, i);
                next = bits_next(a, BITS, next + 1);
                n++;
            }
            subset = subset && (!in_a[i] || in_b[i]);
            intersects = intersects || (in_a[i] && in_b[i]);
        }
        assert_int_equal(next, BITS);
        assert_int_equal(bits_count(a, WORDS), n);
        assert_int_equal(bits_any(a, WORDS), n > 0);
        assert_int_equal(bits_subset(a, b, WORDS), subset);
        assert_int_equal(bits_intersects(a, b, WORDS), intersects);
        uint64_t both[WORDS], either[WORDS];
        memcpy(both, a, sizeof both);
        memcpy(either, a, sizeof either);
        bits_and(both, b, WORDS);
        bits_or(either, b, WORDS);
        for (int i = 0; i < BITS; i++) {
            assert_int_equal(bits_get(both, (size_t)i), in_a[i] && in_b[i]);
            assert_int_equal(bits_get(either, (size_t)i), in_a[i] || in_b[i]);
        }
        assert_true(bits_equal(a, a, WORDS));
    }
}

static void filling_leaves_the_rest_of_the_last_word(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 192; n++) {
        uint64_t set[4] = {0};
        bits_fill(set, n);
        assert_int_equal(bits_count(set, 4), n);
        if (n > 0) {
            bits_clear(set, n - 1);
            assert_int_equal(bits_count(set, 4), n - 1);
        }
    }
}

static void sums_saturate(void **state)
{
    (void)state;
    assert_true(sat_add(INT64_MAX, 1) == INT64_MAX);
    assert_true(sat_add(INT64_MIN, -1) == INT64_MIN);
    assert_true(sat_sub(INT64_MIN, 1) == INT64_MIN);
    assert_true(sat_sub(0, INT64_MIN) == INT64_MAX);
    assert_true(sat_mul(INT64_MAX, -2) == INT64_MIN);
    assert_true(sat_mul(INT64_MIN, -1) == INT64_MAX);
    assert_true(sat_mul(-3, 4) == -12);
    assert_true(muldiv_floor(7, 3, 2) == 10);
    assert_true(muldiv_ceil(7, 3, 2) == 11);
    assert_true(muldiv_floor(-7, 3, 2) == -11);
    assert_true(muldiv_ceil(-7, 3, 2) == -10);
    assert_true(muldiv_floor(INT64_MAX, INT64_MAX, INT64_MAX) == INT64_MAX);
    assert_true(muldiv_floor(INT64_MAX, INT64_MAX, 1) == INT64_MAX);
    assert_true(muldiv_floor(INT64_MAX, INT64_MIN, 1) == INT64_MIN);
}

static void numbers_repeat_and_stay_below(void **state)
{
    (void)state;
    struct rng a = {.state = 42}, b = {.state = 42};
    uint32_t seen = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(rng_next(&a) == rng_next(&b));
        uint32_t small = rng_below(&a, 7);
        assert_int_equal(small, rng_below(&b, 7));
        assert_true(small < 7);
        seen |= 1U << small;
    }
    assert_int_equal(seen, 0x7f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_agree_with_plain_arrays),
        cmocka_unit_test(filling_leaves_the_rest_of_the_last_word),
        cmocka_unit_test(sums_saturate),
        cmocka_unit_test(numbers_repeat_and_stay_below),
    };
    return cmocka_run_group_tests_name("sets", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/pace.h"
#include "base/rng.h"

static void a_bucket_gives_its_burst_and_then_its_rate(void **state)
{
    (void)state;
    struct bucket bucket = {.per_s = 200, .burst = 300};
    mono_t at = 0;
    for (int i = 0; i < 300; i++) {
        assert_true(bucket_take(&bucket, 1000, &at));
    }
    assert_false(bucket_take(&bucket, 1000, &at));
    assert_int_equal(at, 1005);
    assert_false(bucket_take(&bucket, 1004, &at));
    assert_int_equal(at, 1005);
    assert_true(bucket_take(&bucket, 1005, &at));
    assert_false(bucket_take(&bucket, 500, &at)); /* a clock that jumps back gives nothing */
    int n = 0;
    for (mono_t now = 1005; now <= 3005; now++) {
        n += bucket_take(&bucket, now, &at) ? 1 : 0;
    }
    assert_int_equal(n, 400);
    n = 0;
    while (bucket_take(&bucket, INT64_MAX - 1, &at)) {
        n++;
    }
    assert_int_equal(n, 300);
    bucket_give_back(&bucket);
    assert_true(bucket_take(&bucket, INT64_MAX - 1, &at));
}

static void pauses_double_up_to_their_maximum_and_scatter(void **state)
{
    (void)state;
    struct rng rng = {.state = 7};
    for (uint32_t n = 1; n < 40; n++) {
        int64_t expected = n > 6 ? 30000 : INT64_C(500) << (n - 1);
        int64_t least = INT64_MAX, most = 0;
        for (int i = 0; i < 500; i++) {
            int64_t pause = pace_pause(n, 500, 30000, &rng);
            least = pause < least ? pause : least;
            most = pause > most ? pause : most;
        }
        assert_true(least >= expected / 2 && most <= expected + expected / 2);
        assert_true(most - least > expected / 2);
    }
    assert_true(pace_pause(UINT32_MAX, 500, INT64_MAX, &rng) > 0);
}

static void base64_is_rfc_4648(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe?", "//4/"},
    };
    static const char *const lenient[][2] = {
        {"Zg", "f"}, {" Zm9v\n YmFy \n", "foobar"}, {"Zm8", "fo"}};
    static const char *const wrong[] = {"Z", "Zg=", "Zg===", "Z=g=", "Zm9vY", "Zm-v", "Zg==Zg=="};
    auto_arena arena = ARENA_INIT;
    struct str got;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(base64_decode(str_of(rows[i][1]), &arena, &got));
        assert_true(str_eq(got, str_of(rows[i][0])));
        assert_true(str_eq(base64_encode(str_of(rows[i][0]), &arena), str_of(rows[i][1])));
    }
    for (size_t i = 0; i < sizeof lenient / sizeof lenient[0]; i++) {
        assert_true(base64_decode(str_of(lenient[i][0]), &arena, &got));
        assert_true(str_eq(got, str_of(lenient[i][1])));
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(base64_decode(str_of(wrong[i]), &arena, &got));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_gives_its_burst_and_then_its_rate),
        cmocka_unit_test(pauses_double_up_to_their_maximum_and_scatter),
        cmocka_unit_test(base64_is_rfc_4648),
    };
    return cmocka_run_group_tests_name("base/pace", tests, NULL, NULL);
}

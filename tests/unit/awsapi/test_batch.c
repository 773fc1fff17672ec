/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows: when groups close, what travels together, and that nothing is lost or doubled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "awsapi/batch.h"
#include "base/arena.h"
#include "base/rng.h"

static const struct aws_batch_window window = {.idle_ms = 100, .max_ms = 1000, .max_items = 3};

static void test_idle(void **state)
{
    auto_arena arena = ARENA_INIT;
    struct aws_batch *batch = aws_batch_new(&window);
    struct aws_batch_group group;
    mono_t at = 0;
    (void)state;
    assert_false(aws_batch_due(batch, &at));
    assert_false(aws_batch_take(batch, 0, &arena, &group));
    aws_batch_add(batch, STR("k"), STR("i-1"), 1, 1000);
    aws_batch_add(batch, STR("k"), STR("i-2"), 2, 1050);
    aws_batch_add(batch, STR("k"), STR("i-1"), 3, 1060);
    assert_true(aws_batch_due(batch, &at));
    assert_int_equal(at, 1160);
    assert_false(aws_batch_take(batch, 1159, &arena, &group));
    assert_true(aws_batch_take(batch, 1160, &arena, &group));
    assert_true(str_eq(group.key, STR("k")));
    assert_int_equal(group.n_items, 2);
    assert_true(str_eq(group.items[0].name, STR("i-1")));
    assert_int_equal(group.items[0].n_tickets, 2);
    assert_int_equal(group.items[0].tickets[1], 3);
    assert_int_equal(group.items[1].tickets[0], 2);
    assert_false(aws_batch_take(batch, 99999, &arena, &group));
    aws_batch_free(batch);
    aws_batch_free(NULL);
}

/* Something is added again and again: the group closes all the same. */
static void test_longest(void **state)
{
    auto_arena arena = ARENA_INIT;
    struct aws_batch *batch = aws_batch_new(&window);
    struct aws_batch_group group;
    mono_t at = 0;
    (void)state;
    for (mono_t now = 0; now <= 990; now += 90) {
        aws_batch_add(batch, STR_EMPTY, STR("i-1"), (uint64_t)now, now);
        assert_false(aws_batch_take(batch, now, &arena, &group));
    }
    assert_true(aws_batch_due(batch, &at));
    assert_int_equal(at, 1000);
    assert_true(aws_batch_take(batch, 1000, &arena, &group));
    assert_int_equal(group.items[0].n_tickets, 12);
    aws_batch_free(batch);
}

static void test_full_and_keys(void **state)
{
    auto_arena arena = ARENA_INIT;
    struct aws_batch *batch = aws_batch_new(&window);
    struct aws_batch_group group;
    (void)state;
    aws_batch_add(batch, STR("other"), STR("x"), 9, 0);
    aws_batch_add(batch, STR("k"), STR("a"), 1, 10);
    aws_batch_add(batch, STR("k"), STR("b"), 2, 10);
    aws_batch_add(batch, STR("k"), STR("c"), 3, 10);
    aws_batch_add(batch, STR("k"), STR("d"), 4, 10); /* the first group is full */
    assert_true(aws_batch_take(batch, 10, &arena, &group));
    assert_int_equal(group.n_items, 3);
    assert_false(aws_batch_take(batch, 10, &arena, &group));
    assert_true(aws_batch_take(batch, 5000, &arena, &group));
    assert_true(str_eq(group.key, STR("other")));
    assert_true(aws_batch_take(batch, 5000, &arena, &group));
    assert_true(str_eq(group.key, STR("k")));
    assert_true(str_eq(group.items[0].name, STR("d")));
    assert_false(aws_batch_take(batch, 5000, &arena, &group));
    aws_batch_free(batch);
}

/* Random traffic: every ticket comes back exactly once, no later than the longest window. */
static void test_nothing_lost(void **state)
{
    enum { N = 5000 };
    static unsigned char seen[N];
    static mono_t added[N];
    struct rng rng = {.state = 7};
    struct aws_batch *batch = aws_batch_new(&window);
    mono_t now = 0;
    (void)state;
    for (uint64_t ticket = 0; ticket < N || now < 1000000;) {
        auto_arena arena = ARENA_INIT;
        struct aws_batch_group group;
        static const char names[] = "abcdefghij";
        now += rng_below(&rng, 200);
        while (aws_batch_take(batch, now, &arena, &group)) {
            assert_in_range(group.n_items, 1, window.max_items);
            for (size_t i = 0; i < group.n_items; i++) {
                for (size_t k = 0; k < group.items[i].n_tickets; k++) {
                    uint64_t got = group.items[i].tickets[k];
                    assert_int_equal(seen[got]++, 0);
                    assert_true(now - added[got] < window.max_ms + 200);
                }
            }
        }
        if (ticket < N) {
            added[ticket] = now;
            aws_batch_add(batch, (struct str){.p = names + rng_below(&rng, 3), .n = 1},
                          (struct str){.p = names + rng_below(&rng, 10), .n = 1}, ticket, now);
            ticket++;
        }
    }
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(seen[i], 1);
    }
    aws_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_full_and_keys),
        cmocka_unit_test(test_nothing_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The best set within a number of moves, against every set of random small problems. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "base/rng.h"
#include "binpack/disruption/pick.h"

enum { N_PROBLEMS = 500, N = 9 };

static int64_t worth(const int64_t *value, const uint32_t *moves, uint64_t set, int64_t max)
{
    int64_t sum = 0, moved = 0;
    for (uint32_t i = 0; i < N; i++) {
        if (((set >> i) & 1U) != 0) {
            sum += value[i];
            moved += moves[i];
        }
    }
    return moved > max ? -1 : sum;
}

static void test_best(void **state)
{
    (void)state;
    struct rng rng = {.state = 7};
    for (uint32_t round = 0; round < N_PROBLEMS; round++) {
        struct arena arena = ARENA_INIT;
        int64_t value[N], best = 0;
        uint32_t moves[N];
        uint64_t picked[1];
        const int64_t max = rng_below(&rng, 25);
        for (uint32_t i = 0; i < N; i++) {
            value[i] = (int64_t)rng_below(&rng, 40) - 5;
            moves[i] = rng_below(&rng, 12);
        }
        for (uint64_t set = 0; set < (1U << N); set++) {
            const int64_t is = worth(value, moves, set, max);
            best = is > best ? is : best;
        }
        pick_best(N, value, moves, max, &arena, picked);
        if (worth(value, moves, picked[0], max) != best) {
            fail_msg("problem %u: set %llx is worth %lld, the best %lld", round,
                     (unsigned long long)picked[0], (long long)worth(value, moves, picked[0], max),
                     (long long)best);
        }
        arena_done(&arena);
    }
}

/* Too large for the table: by value per move, and within the limit. */
static void test_large(void **state)
{
    (void)state;
    struct arena arena = ARENA_INIT;
    enum { MANY = 20000 };
    int64_t *value = ARENA_ARRAY(&arena, int64_t, MANY);
    uint32_t *moves = ARENA_ARRAY(&arena, uint32_t, MANY);
    uint64_t *picked = ARENA_ARRAY(&arena, uint64_t, bits_words(MANY));
    int64_t sum = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        value[i] = i;
        moves[i] = 100;
    }
    pick_best(MANY, value, moves, 100 * 12345 + 99, &arena, picked);
    for (uint32_t i = 0; i < MANY; i++) {
        sum += bits_get(picked, i);
        assert_true(bits_get(picked, i) == (i >= MANY - 12345));
    }
    assert_int_equal(sum, 12345);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_best), cmocka_unit_test(test_large)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

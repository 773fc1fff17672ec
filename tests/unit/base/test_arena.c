/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/vec.h"

static void blocks_are_zero_and_aligned(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    for (size_t size = 0; size < 5000; size += 37) {
        unsigned char *block = arena_alloc(&arena, size);
        assert_int_equal((uintptr_t)block % 16, 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(block[i], 0);
        }
        memset(block, 0xee, size);
    }
}

static void reset_reuses_memory_and_zeroes_it(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    memset(arena_alloc(&arena, 10000), 0xee, 10000);
    arena_reset(&arena);
    assert_int_equal(arena.used_bytes, 0);
    const unsigned char *again = arena_alloc(&arena, 10000);
    for (size_t i = 0; i < 10000; i++) {
        assert_int_equal(again[i], 0);
    }
}

static void rewind_gives_back_what_came_after(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    char *kept = arena_copy(&arena, "kept", 4);
    struct arena_mark mark = arena_mark(&arena);
    for (int i = 0; i < 100; i++) {
        (void)arena_alloc(&arena, 100000);
    }
    arena_rewind(&arena, mark);
    assert_int_equal(arena.used_bytes, 16);
    assert_string_equal(kept, "kept");
    assert_ptr_equal((char *)arena_alloc(&arena, 1), kept + 16);
}

static void grow_extends_the_newest_block_and_copies_others(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    char *block = arena_alloc(&arena, 10);
    memcpy(block, "0123456789", 10);
    char *same = arena_grow(&arena, block, 10, 100);
    assert_ptr_equal(same, block);
    assert_int_equal(same[99], 0);
    (void)arena_alloc(&arena, 1);
    char *moved = arena_grow(&arena, same, 100, 200);
    assert_ptr_not_equal(moved, same);
    assert_memory_equal(moved, "0123456789", 10);
    assert_int_equal(moved[199], 0);
}

static void vectors_keep_their_elements(void **state)
{
    (void)state;
    auto_arena arena = ARENA_INIT;
    VEC(int) numbers = {0};
    for (int i = 0; i < 1000; i++) {
        VEC_PUSH(&arena, &numbers, i);
        if (i % 10 == 0) {
            (void)arena_alloc(&arena, 1);
        }
    }
    assert_int_equal(numbers.n, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(numbers.v[i], i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zero_and_aligned),
        cmocka_unit_test(reset_reuses_memory_and_zeroes_it),
        cmocka_unit_test(rewind_gives_back_what_came_after),
        cmocka_unit_test(grow_extends_the_newest_block_and_copies_others),
        cmocka_unit_test(vectors_keep_their_elements),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}

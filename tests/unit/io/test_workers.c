/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "io/workers.h"

enum { PIECES = 10000 };

struct job {
    atomic_uint done[PIECES];
    uint64_t result[PIECES];
};

static void piece(void *ctx, uint32_t i)
{
    struct job *job = ctx;
    uint64_t x = i + 1;
    for (int k = 0; k < 50; k++) {
        x = x * 6364136223846793005U + 1442695040888963407U;
    }
    job->result[i] = x;
    atomic_fetch_add(&job->done[i], 1);
}

static void every_piece_is_done_once_on_any_number_of_lanes(void **state)
{
    (void)state;
    static struct job jobs[2];
    for (uint32_t lanes = 1; lanes <= 7; lanes += 2) {
        struct io_workers *workers = io_workers_new(lanes);
        assert_true(io_workers_lanes(workers) <= lanes);
        for (uint32_t round = 0; round < 50; round++) {
            uint32_t n = round == 0 ? (uint32_t)PIECES : round * 7 % 100;
            memset(&jobs[1], 0, sizeof jobs[1]);
            io_workers_run(workers, n, piece, &jobs[1]);
            for (uint32_t i = 0; i < PIECES; i++) {
                assert_int_equal(jobs[1].done[i], i < n ? 1 : 0);
            }
            if (lanes == 1 && round == 0) {
                memcpy(jobs[0].result, jobs[1].result, sizeof jobs[0].result);
            }
            assert_memory_equal(jobs[0].result, jobs[1].result, n * sizeof jobs[0].result[0]);
        }
        io_workers_free(workers);
    }
    io_workers_free(NULL);
}

static void lanes_have_limits(void **state)
{
    (void)state;
    struct io_workers *none = io_workers_new(0), *many = io_workers_new(100000);
    assert_int_equal(io_workers_lanes(none), 1);
    assert_true(io_workers_lanes(many) <= 64);
    assert_true(io_workers_processors() >= 1);
    io_workers_free(none);
    io_workers_free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_done_once_on_any_number_of_lanes),
        cmocka_unit_test(lanes_have_limits),
    };
    return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}

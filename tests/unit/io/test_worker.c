/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/loop.h"
#include "io/worker.h"

struct job {
    uint64_t n, sum;
    bool done;
};

static void run(void *ctx)
{
    struct job *job = ctx;
    for (uint64_t i = 1; i <= job->n; i++) {
        job->sum += i;
    }
}

static void done(void *ctx)
{
    struct job *job = ctx;
    job->done = true;
}

static void jobs_come_back_on_the_loop(void **state)
{
    struct io_loop *loop = NULL;
    struct io_worker *worker = NULL;
    struct err err;
    (void)state;
    assert_true(io_loop_new(&loop, &err));
    assert_true(io_worker_new(loop, &worker, &err));
    for (uint64_t n = 1; n < 50; n++) {
        struct job job = {.n = n * 1000};
        const struct io_job handed = {.ctx = &job, .run = run, .done = done};
        io_worker_start(worker, &handed);
        assert_true(io_worker_is_busy(worker));
        assert_false(job.done);
        while (io_worker_is_busy(worker)) {
            assert_true(io_loop_turn(loop, &err));
        }
        assert_true(job.done);
        assert_int_equal(job.sum, n * 1000 * (n * 1000 + 1) / 2);
    }
    io_worker_free(worker);
    io_loop_free(loop);
}

static void freeing_waits_for_the_job(void **state)
{
    struct io_loop *loop = NULL;
    struct io_worker *worker = NULL;
    struct err err;
    struct job job = {.n = 10 * 1000 * 1000};
    const struct io_job handed = {.ctx = &job, .run = run, .done = done};
    (void)state;
    assert_true(io_loop_new(&loop, &err));
    assert_true(io_worker_new(loop, &worker, &err));
    io_worker_start(worker, &handed);
    io_worker_free(worker);
    assert_int_equal(job.sum, job.n * (job.n + 1) / 2);
    assert_false(job.done);
    io_worker_free(NULL);
    io_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_come_back_on_the_loop),
        cmocka_unit_test(freeing_waits_for_the_job),
    };
    return cmocka_run_group_tests_name("io/worker", tests, NULL, NULL);
}

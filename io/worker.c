/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/worker.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "io/loop.h"

/* The two descriptors carry the job over and back, and order the memory that goes with it. */
struct io_worker {
    struct arena arena;
    struct io_loop *loop;
    pthread_t thread;
    int start_fd, done_fd; /* -1 until open */
    struct io_job job;     /* run NULL: the thread is to end */
    bool busy, has_thread;
};

static void wait_for(int fd)
{
    uint64_t n = 0;
    while (read(fd, &n, sizeof n) < 0 && errno == EINTR) {
    }
}

static void signal_to(int fd)
{
    const uint64_t one = 1;
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

static void *work(void *ctx)
{
    struct io_worker *worker = ctx;
    for (;;) {
        wait_for(worker->start_fd);
        if (worker->job.run == NULL) {
            return NULL;
        }
        worker->job.run(worker->job.ctx);
        signal_to(worker->done_fd);
    }
}

static void on_done(void *ctx, unsigned ready)
{
    struct io_worker *worker = ctx;
    const struct io_job job = worker->job;
    (void)ready;
    wait_for(worker->done_fd);
    worker->busy = false;
    job.done(job.ctx);
}

bool io_worker_new(struct io_loop *loop, struct io_worker **ret_worker, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct io_worker *worker = ARENA_NEW(&arena, struct io_worker);
    worker->arena = arena;
    worker->loop = loop;
    worker->start_fd = eventfd(0, EFD_CLOEXEC);
    worker->done_fd = eventfd(0, EFD_CLOEXEC);
    bool good = worker->start_fd >= 0 && worker->done_fd >= 0;
    int fault = good ? 0 : errno;
    if (good && io_loop_watch(loop, worker->done_fd, IO_READABLE, on_done, worker, err)) {
        fault = pthread_create(&worker->thread, NULL, work, worker);
        worker->has_thread = fault == 0;
    }
    if (!worker->has_thread) {
        io_worker_free(worker);
        if (fault != 0) {
            (void)err_set(err, ERR_IO, "no thread for plans: %s", strerror(fault));
        }
        return false;
    }
    *ret_worker = worker;
    return true;
}

void io_worker_free(struct io_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    if (worker->has_thread) {
        if (worker->busy) {
            wait_for(worker->done_fd);
        }
        worker->job = (struct io_job){.run = NULL};
        signal_to(worker->start_fd);
        (void)pthread_join(worker->thread, NULL);
    }
    io_loop_unwatch(worker->loop, worker->done_fd);
    if (worker->start_fd >= 0) {
        (void)close(worker->start_fd);
    }
    if (worker->done_fd >= 0) {
        (void)close(worker->done_fd);
    }
    struct arena arena = worker->arena;
    arena_done(&arena);
}

void io_worker_start(struct io_worker *worker, const struct io_job *job)
{
    assert(!worker->busy && job->run != NULL);
    worker->job = *job;
    worker->busy = true;
    signal_to(worker->start_fd);
}

bool io_worker_is_busy(const struct io_worker *worker)
{
    return worker->busy;
}

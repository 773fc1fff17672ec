/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* sched_getaffinity */
#include "io/workers.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"

enum { LANES_MAX = 64 };

struct io_workers {
    struct arena arena; /* holds this struct */
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    pthread_t threads[LANES_MAX];
    uint32_t n_threads;
    uint64_t round;  /* counts runs; a thread works once for each */
    uint32_t n_busy; /* threads that have not finished the round */
    bool stop;
    void (*fn)(void *ctx, uint32_t i);
    void *ctx;
    uint32_t n;
    atomic_uint next; /* the first piece nobody has taken */
};

static void work(struct io_workers *workers)
{
    for (;;) {
        uint32_t i = atomic_fetch_add_explicit(&workers->next, 1, memory_order_relaxed);
        if (i >= workers->n) {
            return;
        }
        workers->fn(workers->ctx, i);
    }
}

static void *lane(void *arg)
{
    struct io_workers *workers = arg;
    uint64_t seen = 0;
    (void)pthread_mutex_lock(&workers->lock);
    for (;;) {
        while (!workers->stop && workers->round == seen) {
            (void)pthread_cond_wait(&workers->wake, &workers->lock);
        }
        if (workers->stop) {
            break;
        }
        seen = workers->round;
        (void)pthread_mutex_unlock(&workers->lock);
        work(workers);
        (void)pthread_mutex_lock(&workers->lock);
        if (--workers->n_busy == 0) {
            (void)pthread_cond_signal(&workers->done);
        }
    }
    (void)pthread_mutex_unlock(&workers->lock);
    return NULL;
}

/* Processors that the control group's quota amounts to, rounded up; 0 when there is none. */
static uint32_t quota_processors(void)
{
    long long quota = 0, period = 0;
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (file == NULL) {
        return 0;
    }
    int n = fscanf(file, "%lld %lld", &quota, &period);
    (void)fclose(file);
    return n == 2 && quota > 0 && period > 0 && quota / period < LANES_MAX
               ? (uint32_t)((quota + period - 1) / period)
               : 0;
}

uint32_t io_workers_processors(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    uint32_t quota = quota_processors(), processors = n < 1 ? 1 : (uint32_t)n;
    return quota > 0 && quota < processors ? quota : processors;
}

struct io_workers *io_workers_new(uint32_t n_lanes)
{
    struct arena arena = ARENA_INIT;
    struct io_workers *workers = ARENA_NEW(&arena, struct io_workers);
    workers->arena = arena;
    (void)pthread_mutex_init(&workers->lock, NULL);
    (void)pthread_cond_init(&workers->wake, NULL);
    (void)pthread_cond_init(&workers->done, NULL);
    n_lanes = n_lanes > LANES_MAX ? (uint32_t)LANES_MAX : n_lanes;
    /* Signals are for the main thread. */
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (workers->n_threads + 1 < n_lanes &&
           pthread_create(&workers->threads[workers->n_threads], NULL, lane, workers) == 0) {
        workers->n_threads++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return workers;
}

uint32_t io_workers_lanes(const struct io_workers *workers)
{
    return workers->n_threads + 1;
}

void io_workers_run(void *port_ctx, uint32_t n, void (*fn)(void *ctx, uint32_t i), void *ctx)
{
    struct io_workers *workers = port_ctx;
    if (workers->n_threads == 0 || n < 2) {
        for (uint32_t i = 0; i < n; i++) {
            fn(ctx, i);
        }
        return;
    }
    (void)pthread_mutex_lock(&workers->lock);
    assert(workers->n_busy == 0);
    workers->fn = fn;
    workers->ctx = ctx;
    workers->n = n;
    atomic_store_explicit(&workers->next, 0, memory_order_relaxed);
    workers->n_busy = workers->n_threads;
    workers->round++;
    (void)pthread_cond_broadcast(&workers->wake);
    (void)pthread_mutex_unlock(&workers->lock);
    work(workers);
    (void)pthread_mutex_lock(&workers->lock);
    while (workers->n_busy > 0) {
        (void)pthread_cond_wait(&workers->done, &workers->lock);
    }
    (void)pthread_mutex_unlock(&workers->lock);
}

struct parallel io_workers_port(struct io_workers *workers)
{
    return (struct parallel){
        .run = io_workers_run, .port_ctx = workers, .n_lanes = workers->n_threads + 1};
}

void io_workers_free(struct io_workers *workers)
{
    if (workers == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&workers->lock);
    workers->stop = true;
    (void)pthread_cond_broadcast(&workers->wake);
    (void)pthread_mutex_unlock(&workers->lock);
    for (uint32_t i = 0; i < workers->n_threads; i++) {
        (void)pthread_join(workers->threads[i], NULL);
    }
    (void)pthread_cond_destroy(&workers->done);
    (void)pthread_cond_destroy(&workers->wake);
    (void)pthread_mutex_destroy(&workers->lock);
    struct arena arena = workers->arena;
    arena_done(&arena);
}

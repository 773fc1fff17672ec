/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* sched_getaffinity */
#include "io/workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"

enum { LANES_MAX = 64 };

/* A run is a round. Pieces are handed out by one atomic word, the round above and the next piece
 * below, so that a thread that wakes up late cannot take a piece of a later round by mistake; and
 * the run is over when all pieces are done, not when all threads have looked: on a busy machine the
 * caller does what a sleeping thread would have done. */
struct io_workers {
    struct arena arena; /* holds this struct */
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    pthread_t threads[LANES_MAX];
    uint32_t n_threads;
    uint32_t n_asleep; /* under lock */
    bool stop;         /* under lock */
    /* The round: written under lock, read under lock by threads that join it. */
    void (*fn)(void *ctx, uint32_t i);
    void *ctx;
    uint32_t n;
    atomic_uint round;
    _Atomic uint64_t next;  /* round << 32 | the first piece nobody has taken */
    atomic_uint n_done;     /* pieces of this round */
    atomic_bool is_waiting; /* the caller sleeps until n_done == n */
};

enum {
    SPINS = 2000
}; /* looks before going to sleep: rounds often follow each other within microseconds */

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* Takes the next piece of `round`; false when there is none left. */
static bool take(struct io_workers *workers, uint32_t round, uint32_t n, uint32_t *ret_i)
{
    uint64_t next = atomic_load(&workers->next);
    do {
        if ((uint32_t)(next >> 32) != round || (uint32_t)next >= n) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&workers->next, &next, next + 1));
    *ret_i = (uint32_t)next;
    return true;
}

static void work(struct io_workers *workers, uint32_t round, uint32_t n,
                 void (*fn)(void *ctx, uint32_t i), void *ctx)
{
    uint32_t i = 0;
    while (take(workers, round, n, &i)) {
        fn(ctx, i);
        if (atomic_fetch_add(&workers->n_done, 1) + 1 == n && atomic_load(&workers->is_waiting)) {
            (void)pthread_mutex_lock(&workers->lock);
            (void)pthread_cond_signal(&workers->done);
            (void)pthread_mutex_unlock(&workers->lock);
        }
    }
}

static void *lane(void *arg)
{
    struct io_workers *workers = arg;
    uint32_t seen = 0;
    for (;;) {
        for (uint32_t spin = 0; spin < SPINS && atomic_load(&workers->round) == seen; spin++) {
            pause_briefly();
        }
        (void)pthread_mutex_lock(&workers->lock);
        while (!workers->stop && atomic_load(&workers->round) == seen) {
            workers->n_asleep++;
            (void)pthread_cond_wait(&workers->wake, &workers->lock);
            workers->n_asleep--;
        }
        bool stop = workers->stop;
        seen = atomic_load(&workers->round);
        uint32_t n = workers->n;
        void (*fn)(void *ctx, uint32_t i) = workers->fn;
        void *ctx = workers->ctx;
        (void)pthread_mutex_unlock(&workers->lock);
        if (stop) {
            return NULL;
        }
        work(workers, seen, n, fn, ctx);
    }
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
    uint32_t round = atomic_load(&workers->round) + 1;
    workers->fn = fn;
    workers->ctx = ctx;
    workers->n = n;
    atomic_store(&workers->n_done, 0);
    atomic_store(&workers->next, (uint64_t)round << 32);
    atomic_store(&workers->round, round);
    if (workers->n_asleep > 0) {
        (void)pthread_cond_broadcast(&workers->wake);
    }
    (void)pthread_mutex_unlock(&workers->lock);
    work(workers, round, n, fn, ctx);
    for (uint32_t spin = 0; spin < SPINS && atomic_load(&workers->n_done) < n; spin++) {
        pause_briefly();
    }
    if (atomic_load(&workers->n_done) == n) {
        return;
    }
    (void)pthread_mutex_lock(&workers->lock);
    atomic_store(&workers->is_waiting, true);
    while (atomic_load(&workers->n_done) < n) {
        (void)pthread_cond_wait(&workers->done, &workers->lock);
    }
    atomic_store(&workers->is_waiting, false);
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

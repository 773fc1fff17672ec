/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/vec.h"
#include "io/clock.h"
#include "io/signals.h"

enum { EVENTS_A_TURN = 64 };

struct watched {
    io_ready_fn fn; /* NULL: not watched */
    void *ctx;
    uint32_t generation; /* tells a descriptor from an earlier one of the same number */
};

struct io_loop {
    struct arena arena;
    int epoll_fd, timer_fd, wake_fd, signal_fd; /* -1 until open */
    mono_t now;
    wall_t wall;
    struct watched *watched; /* [n_watched] by descriptor */
    size_t n_watched;
    uint32_t n_generations;
    VEC(struct io_timer *) timers;
    int64_t work_us; /* of the last turn */
    mono_t armed;    /* what timer_fd is set to; 0: nothing */
};

static void read_clocks(struct io_loop *loop)
{
    loop->now = io_clock_mono();
    loop->wall = io_clock_wall();
}

mono_t io_loop_now(const struct io_loop *loop)
{
    return loop->now;
}

wall_t io_loop_wall(const struct io_loop *loop)
{
    return loop->wall;
}

/* ---- descriptors ---- */

bool io_loop_watch(struct io_loop *loop, int fd, unsigned want, io_ready_fn fn, void *ctx,
                   struct err *err)
{
    if (fd < 0 || fd >= LIMIT_DESCRIPTORS) {
        return err_set(err, ERR_LIMIT, "descriptor %d is beyond %d (LIMIT_DESCRIPTORS)", fd,
                       (int)LIMIT_DESCRIPTORS);
    }
    if ((size_t)fd >= loop->n_watched) {
        size_t n = (size_t)fd + 64;
        loop->watched =
            arena_grow(&loop->arena, loop->watched, loop->n_watched * sizeof(*loop->watched),
                       n * sizeof(*loop->watched));
        loop->n_watched = n;
    }
    struct watched *slot = &loop->watched[fd];
    bool known = slot->fn != NULL;
    uint32_t generation = known ? slot->generation : ++loop->n_generations;
    struct epoll_event event = {
        .events = ((want & IO_READABLE) != 0 ? (uint32_t)EPOLLIN : 0) |
                  ((want & IO_WRITABLE) != 0 ? (uint32_t)EPOLLOUT : 0),
        .data.u64 = (uint64_t)generation << 32 | (uint32_t)fd,
    };
    if (epoll_ctl(loop->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0) {
        return err_set(err, ERR_IO, "cannot wait for descriptor %d: %s", fd, strerror(errno));
    }
    *slot = (struct watched){.fn = fn, .ctx = ctx, .generation = generation};
    return true;
}

void io_loop_unwatch(struct io_loop *loop, int fd)
{
    if (fd >= 0 && (size_t)fd < loop->n_watched && loop->watched[fd].fn != NULL) {
        /* May have been closed already, which took it out of the set. */
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        loop->watched[fd].fn = NULL;
    }
}

static void dispatch(struct io_loop *loop, const struct epoll_event *event)
{
    uint32_t fd = (uint32_t)event->data.u64;
    uint32_t generation = (uint32_t)(event->data.u64 >> 32);
    const struct watched *slot = &loop->watched[fd];
    if (slot->fn == NULL || slot->generation != generation) {
        return; /* an earlier callback of this turn has closed it */
    }
    bool broken = (event->events & (EPOLLERR | EPOLLHUP)) != 0;
    unsigned ready = ((event->events & EPOLLIN) != 0 || broken ? (unsigned)IO_READABLE : 0) |
                     ((event->events & EPOLLOUT) != 0 || broken ? (unsigned)IO_WRITABLE : 0);
    slot->fn(slot->ctx, ready);
}

/* ---- timers: few, so the nearest is looked for ---- */

void io_timer_set(struct io_loop *loop, struct io_timer *timer, mono_t at)
{
    timer->at = at;
    if (timer->place == 0) {
        VEC_PUSH(&loop->arena, &loop->timers, timer);
        timer->place = (uint32_t)loop->timers.n;
    }
}

void io_timer_stop(struct io_loop *loop, struct io_timer *timer)
{
    if (timer->place == 0) {
        return;
    }
    size_t i = timer->place - 1;
    struct io_timer *last = loop->timers.v[--loop->timers.n];
    loop->timers.v[i] = last;
    last->place = (uint32_t)i + 1;
    timer->place = 0;
}

static struct io_timer *nearest(const struct io_loop *loop)
{
    struct io_timer *best = NULL;
    for (size_t i = 0; i < loop->timers.n; i++) {
        struct io_timer *timer = loop->timers.v[i];
        best = best == NULL || timer->at < best->at ? timer : best;
    }
    return best;
}

static void run_timers(struct io_loop *loop)
{
    struct io_timer *timer = nearest(loop);
    /* Those that callbacks set for now are for the next turn: no callback can keep the loop here.
     */
    for (size_t n = loop->timers.n; n > 0 && timer != NULL && timer->at <= loop->now; n--) {
        io_timer_stop(loop, timer);
        timer->fn(timer->ctx, loop->now);
        timer = nearest(loop);
    }
}

static bool arm(struct io_loop *loop, struct err *err)
{
    const struct io_timer *timer = nearest(loop);
    mono_t at = timer == NULL ? 0 : timer->at <= 0 ? 1 : timer->at;
    if (at == loop->armed) {
        return true;
    }
    struct itimerspec when = {.it_value = {.tv_sec = at / 1000, .tv_nsec = (at % 1000) * 1000000}};
    if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) != 0) {
        return err_set(err, ERR_IO, "cannot set a timer: %s", strerror(errno));
    }
    loop->armed = at;
    return true;
}

static void on_timer(void *ctx, unsigned ready)
{
    struct io_loop *loop = ctx;
    uint64_t n = 0;
    (void)ready;
    if (read(loop->timer_fd, &n, sizeof n) > 0) {
        loop->armed = 0;
    }
}

/* ---- wakes and interrupts ---- */

void io_loop_wake(struct io_loop *loop)
{
    uint64_t one = 1;
    ssize_t n = write(loop->wake_fd, &one, sizeof one);
    (void)n; /* a full counter wakes as well */
}

static void on_wake(void *ctx, unsigned ready)
{
    struct io_loop *loop = ctx;
    uint64_t n = 0;
    (void)ready;
    ssize_t got = read(loop->wake_fd, &n, sizeof n);
    (void)got;
}

static void on_signal(void *ctx, unsigned ready)
{
    struct io_loop *loop = ctx;
    (void)ready;
    io_signals_take(loop->signal_fd);
}

/* ---- all of it ---- */

bool io_loop_new(struct io_loop **ret_loop, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct io_loop *loop = ARENA_NEW(&arena, struct io_loop);
    loop->arena = arena;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->signal_fd = io_signals_open();
    if (loop->epoll_fd < 0 || loop->timer_fd < 0 || loop->wake_fd < 0 || loop->signal_fd < 0) {
        (void)err_set(err, ERR_IO, "cannot make an event loop: %s", strerror(errno));
        io_loop_free(loop);
        return false;
    }
    if (!io_loop_watch(loop, loop->timer_fd, IO_READABLE, on_timer, loop, err) ||
        !io_loop_watch(loop, loop->wake_fd, IO_READABLE, on_wake, loop, err) ||
        !io_loop_watch(loop, loop->signal_fd, IO_READABLE, on_signal, loop, err)) {
        io_loop_free(loop);
        return false;
    }
    read_clocks(loop);
    *ret_loop = loop;
    return true;
}

void io_loop_free(struct io_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    const int fds[] = {loop->epoll_fd, loop->timer_fd, loop->wake_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    io_signals_close(loop->signal_fd);
    struct arena arena = loop->arena; /* the loop itself lies in it */
    arena_done(&arena);
}

bool io_loop_turn(struct io_loop *loop, struct err *err)
{
    struct epoll_event events[EVENTS_A_TURN];
    if (!arm(loop, err)) {
        return false;
    }
    int n = epoll_wait(loop->epoll_fd, events, EVENTS_A_TURN, -1);
    if (n < 0 && errno != EINTR) {
        return err_set(err, ERR_IO, "cannot wait for events: %s", strerror(errno));
    }
    const int64_t begun_us = io_clock_mono_us();
    read_clocks(loop);
    for (int i = 0; i < n; i++) {
        dispatch(loop, &events[i]);
    }
    run_timers(loop);
    loop->work_us = io_clock_mono_us() - begun_us;
    return true;
}

int64_t io_loop_work_us(const struct io_loop *loop)
{
    return loop->work_us;
}

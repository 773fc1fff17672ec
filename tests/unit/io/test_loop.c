/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "io/child.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/signals.h"

struct order {
    struct io_loop *loop;
    char text[64];
    size_t n;
    struct io_timer timers[4];
    int pipe[2];
};

struct due {
    struct order *order;
    char name;
};

static void note(struct order *order, char c)
{
    order->text[order->n++] = c;
}

static void on_due(void *ctx, mono_t now)
{
    struct due *due = ctx;
    (void)now;
    note(due->order, due->name);
    if (due->name ==
        'b') { /* stops one that is due in the same turn, and sets itself for the next */
        io_timer_stop(due->order->loop, &due->order->timers[2]);
        due->name = 'B';
        io_timer_set(due->order->loop, &due->order->timers[1], 0);
    }
}

static void timers_fire_in_order_and_once(void **state)
{
    (void)state;
    struct order order = {.n = 0};
    struct err err;
    assert_true(io_loop_new(&order.loop, &err));
    struct due dues[] = {{&order, 'a'}, {&order, 'b'}, {&order, 'c'}, {&order, 'd'}};
    mono_t now = io_clock_mono();
    for (size_t i = 0; i < 4; i++) {
        order.timers[i] = (struct io_timer){.fn = on_due, .ctx = &dues[i]};
        io_timer_set(order.loop, &order.timers[i], now + 500);
        io_timer_set(order.loop, &order.timers[i], now - 10 + (mono_t)i);
    }
    io_timer_set(order.loop, &order.timers[3], now + 30);
    while (order.n < 4) {
        assert_true(io_loop_turn(order.loop, &err));
    }
    assert_string_equal(order.text, "abBd");
    assert_true(io_loop_now(order.loop) >= now + 30);
    io_loop_free(order.loop);
}

static void on_pipe(void *ctx, unsigned ready)
{
    struct order *order = ctx;
    char c = 0;
    assert_true((ready & IO_READABLE) != 0);
    if (read(order->pipe[0], &c, 1) == 1) {
        note(order, c);
        return;
    }
    note(order, '.');
    io_loop_unwatch(order->loop, order->pipe[0]);
}

static void *write_and_wake(void *ctx)
{
    struct order *order = ctx;
    assert_int_equal(write(order->pipe[1], "xy", 2), 2);
    (void)close(order->pipe[1]);
    io_loop_wake(order->loop);
    return NULL;
}

static void descriptors_and_other_threads_end_the_wait(void **state)
{
    (void)state;
    struct order order = {.n = 0};
    struct err err;
    pthread_t thread;
    assert_true(io_loop_new(&order.loop, &err));
    assert_int_equal(pipe(order.pipe), 0);
    assert_true(io_loop_watch(order.loop, order.pipe[0], IO_READABLE, on_pipe, &order, &err));
    assert_int_equal(pthread_create(&thread, NULL, write_and_wake, &order), 0);
    while (order.n < 3) {
        assert_true(io_loop_turn(order.loop, &err));
    }
    assert_string_equal(order.text, "xy.");
    assert_int_equal(pthread_join(thread, NULL), 0);
    io_loop_wake(order.loop);
    assert_true(io_loop_turn(order.loop, &err));
    (void)close(order.pipe[0]);
    assert_false(io_loop_watch(order.loop, 1 << 20, IO_READABLE, on_pipe, &order, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_false(io_loop_watch(order.loop, order.pipe[0], IO_READABLE, on_pipe, &order, &err));
    assert_int_equal(err.code, ERR_IO);
    io_loop_free(order.loop);
}

static void interrupts_are_events(void **state)
{
    (void)state;
    struct io_loop *loop = NULL;
    struct err err;
    assert_true(io_loop_new(&loop, &err));
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    assert_true(io_loop_turn(loop, &err));
    assert_true(io_signals_interrupted());
    io_signals_clear();
    io_loop_free(loop);
}

static void programs_are_run_for_what_they_print(void **state)
{
    (void)state;
    static const struct {
        const char *argv[4];
        enum err_code code;
        const char *text; /* of the output, or in the error */
    } rows[] = {
        {{"sh", "-c", "printf \"$A\"; read x; printf \"$x.\""}, ERR_NONE, "b."},
        {{"sh", "-c", "head -c 5000 /dev/zero"}, ERR_LIMIT, "more than 1000 bytes"},
        {{"sh", "-c", "exit 3"}, ERR_IO, "exit status 3"},
        {{"sh", "-c", "kill -9 $$"}, ERR_IO, "signal 9"},
        {{"sh", "-c", "exec sleep 60"}, ERR_IO, "has not ended"},
        {{"sh", "-c", "sleep 20 2>&1 & printf quick"}, ERR_NONE, "quick"},
        {{"no-such-program"}, ERR_NOT_FOUND, "no-such-program"},
    };
    static const char *const env[] = {"A=b", NULL};
    struct io_loop *loop = NULL;
    struct err err;
    assert_true(io_loop_new(&loop, &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        auto_arena arena = ARENA_INIT;
        struct str output = STR_EMPTY;
        struct io_child_command command = {
            .argv = rows[i].argv, .env = env, .timeout_ms = 2000, .output_max = 1000};
        err.code = ERR_NONE;
        bool good = io_child_run(loop, &command, &arena, &output, &err);
        if (good != (rows[i].code == ERR_NONE) || err.code != rows[i].code ||
            (good ? !str_eq(output, str_of(rows[i].text))
                  : strstr(err.text, rows[i].text) == NULL)) {
            fail_msg("row %zu: %d \"%s\" \"" STR_FMT "\"", i, (int)err.code, good ? "" : err.text,
                     STR_ARG(output));
        }
    }
    io_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_and_once),
        cmocka_unit_test(descriptors_and_other_threads_end_the_wait),
        cmocka_unit_test(interrupts_are_events),
        cmocka_unit_test(programs_are_run_for_what_they_print),
    };
    return cmocka_run_group_tests_name("io/loop", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Following a running cluster, for `binpack record --watch`. */
#include <inttypes.h>

#include "base/arena.h"
#include "binpack/cli/live.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/signals.h"
#include "k8s/kinds.h"
#include "k8s/roster.h"

enum { TRIES = 2, WORRY = 3 }; /* failures in a row: before anything has been read; afterwards */

struct following;

struct followed {
    struct following *all;
    const struct k8s_kind *kind;
    struct k8s_roster *roster;
    bool synced, warned;
};

struct following {
    struct console *console;
    struct live_session session;
    struct followed *kinds; /* [k8s_n_kinds] */
    live_delta_fn fn;
    live_pause_fn pause;
    void *ctx;
    struct err *err;
    struct io_timer timer; /* of --time-limit */
    bool stopped, over;
    bool any_synced;            /* the server has been there: from now on it is waited for */
    uint64_t n_changes, n_told; /* all; when `pause` was called last */
};

static void on_delta(void *ctx, const struct k8s_delta *delta)
{
    struct followed *kind = ctx;
    struct following *f = kind->all;
    f->n_changes++;
    f->stopped = f->stopped || !f->fn(f->ctx, kind->kind, delta, f->err);
}

static void on_time_limit(void *ctx, mono_t now)
{
    struct following *f = ctx;
    (void)now;
    f->over = true;
}

static void add_all(struct following *f, struct str ns, struct arena *arena)
{
    f->kinds = ARENA_ARRAY(arena, struct followed, k8s_n_kinds);
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        f->kinds[i] = (struct followed){.all = f, .kind = &k8s_kinds[i]};
        f->kinds[i].roster = k8s_roster_new(on_delta, &f->kinds[i]);
        struct k8s_receiver receiver = k8s_roster_receiver(f->kinds[i].roster);
        struct k8s_watch_settings settings = {
            .kind = &k8s_kinds[i], .ns = ns, .seed = (uint64_t)io_clock_mono_us() + i};
        (void)live_feed_add(f->session.feed, &settings, &receiver);
    }
}

/* Says what is wrong with a kind, once; false when nothing can come of it. */
static bool look_at(struct following *f, uint32_t i, struct err *err)
{
    const struct k8s_watch *watch = live_feed_watch(f->session.feed, i);
    struct k8s_watch_state state = k8s_watch_state(watch);
    struct followed *kind = &f->kinds[i];
    struct err why;
    kind->synced = kind->synced || state.synced;
    f->any_synced = f->any_synced || (kind->synced && !state.absent);
    if (!k8s_watch_error(watch, &why) || state.absent) {
        kind->warned = false;
        return true;
    }
    if (state.status != 403 && !f->any_synced && state.n_failures >= TRIES) {
        *err = why;
        if (state.status == 401) {
            (void)live_feed_renewal_error(f->session.feed, err);
        }
        return live_session_wrap(&f->session, err);
    }
    if (!kind->warned && (state.status == 403 || state.n_failures >= WORRY)) {
        kind->warned = true;
        console_warn(f->console, "%s (it is tried again)", why.text);
    }
    return true;
}

static bool run(struct following *f, struct err *err)
{
    while (!f->over && !io_signals_interrupted()) {
        if (!live_feed_turn(f->session.feed, err) || f->stopped) {
            return false;
        }
        for (uint32_t i = 0; i < k8s_n_kinds; i++) {
            if (!look_at(f, i, err)) {
                return false;
            }
        }
        if (f->n_told != f->n_changes) {
            f->n_told = f->n_changes;
            if (!f->pause(f->ctx, err)) {
                return false;
            }
        }
        console_progress(f->console, io_clock_mono(), "following the cluster: %" PRIu64 " changes",
                         f->n_changes);
    }
    return true;
}

bool live_follow(const struct options *options, struct str ns, struct console *console,
                 live_delta_fn fn, live_pause_fn pause, void *ctx, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct following f = {.console = console, .fn = fn, .pause = pause, .ctx = ctx, .err = err};
    struct live_access_settings access = live_settings(options);
    struct live_feed_settings feed = {.per_s = 0};
    if (!live_session_open(&access, &feed, LIVE_AGENT, &f.session, err)) {
        return false;
    }
    f.timer = (struct io_timer){.fn = on_time_limit, .ctx = &f};
    if (options->time_limit.has) {
        io_timer_set(f.session.loop, &f.timer,
                     sat_add(io_loop_now(f.session.loop), options->time_limit.v));
    }
    add_all(&f, ns, &arena);
    bool good = run(&f, err);
    console_progress_done(console);
    io_timer_stop(f.session.loop, &f.timer);
    live_session_close(&f.session);
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        k8s_roster_free(f.kinds[i].roster);
    }
    return good;
}

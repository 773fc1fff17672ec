/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/live.h"

#include <inttypes.h>

#include "base/arena.h"
#include "io/clock.h"
#include "io/signals.h"
#include "k8s/kinds.h"

struct reading {
    struct console *console;
    struct live_session session;
    live_object_fn fn;
    void *ctx;
    struct err *err;
    bool stopped; /* fn said so */
    uint64_t n_objects;
};

static void on_begin(void *ctx)
{
    (void)ctx;
}

static void on_object(void *ctx, json_t *object, bool removed)
{
    struct reading *r = ctx;
    (void)removed; /* lists do not remove */
    r->n_objects++;
    r->stopped = r->stopped || !r->fn(r->ctx, object, r->err);
}

static void show_progress(const struct reading *r)
{
    for (uint32_t i = 0; i < live_feed_count(r->session.feed); i++) {
        struct k8s_watch_state state = k8s_watch_state(live_feed_watch(r->session.feed, i));
        if (!live_feed_is_done(r->session.feed, i) && state.n_listed > 0 && state.n_remaining > 0) {
            console_progress(r->console, io_clock_mono(),
                             "reading %s: %" PRIu64 " of %" PRIu64 "; %" PRIu64 " objects in all",
                             k8s_kinds[i].resource, state.n_listed,
                             state.n_listed + (uint64_t)state.n_remaining, r->n_objects);
            return;
        }
    }
    console_progress(r->console, io_clock_mono(), "reading the cluster: %" PRIu64 " objects",
                     r->n_objects);
}

/* Refused for this kind only: the others may be readable. */
static bool is_forbidden(const struct k8s_watch_state *state)
{
    return state->status == 403;
}

/* Somebody has given up for a reason that goes for all. */
static bool is_lost(const struct reading *r)
{
    struct err ignored;
    for (uint32_t i = 0; i < live_feed_count(r->session.feed); i++) {
        const struct k8s_watch *watch = live_feed_watch(r->session.feed, i);
        struct k8s_watch_state state = k8s_watch_state(watch);
        if (live_feed_is_done(r->session.feed, i) && k8s_watch_error(watch, &ignored) &&
            !state.absent && !is_forbidden(&state)) {
            return true;
        }
    }
    return false;
}

static bool run(struct reading *r, struct str ns, struct err *err)
{
    struct k8s_receiver receiver = {
        .ctx = r, .begin = on_begin, .object = on_object, .end = on_begin};
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        struct k8s_watch_settings settings = {
            .kind = &k8s_kinds[i], .ns = ns, .once = true, .seed = i};
        (void)live_feed_add(r->session.feed, &settings, &receiver);
    }
    while (!live_feed_all_done(r->session.feed) && !is_lost(r)) {
        if (!live_feed_turn(r->session.feed, err)) {
            return false;
        }
        if (r->stopped) {
            return false;
        }
        if (io_signals_interrupted()) {
            return err_set(err, ERR_CANCELLED, "interrupted");
        }
        show_progress(r);
    }
    return true;
}

/* ---- what became of it ---- */

/* `why` is more telling when the credentials could not be renewed. */
static bool give_up(const struct reading *r, const struct err *why, int status, struct err *err)
{
    *err = *why;
    if (status == 401) {
        (void)live_feed_renewal_error(r->session.feed, err);
    }
    return live_session_wrap(&r->session, err);
}

static bool judge(const struct reading *r, struct arena *arena, struct live_result *result,
                  struct err *err)
{
    struct live_kind *kinds =
        ARENA_ARRAY(arena, struct live_kind, live_feed_count(r->session.feed));
    struct err why = {.code = ERR_NONE};
    result->n_kinds = live_feed_count(r->session.feed);
    for (uint32_t i = 0; i < result->n_kinds; i++) {
        const struct k8s_watch *watch = live_feed_watch(r->session.feed, i);
        struct k8s_watch_state state = k8s_watch_state(watch);
        kinds[i] = (struct live_kind){
            .kind = &k8s_kinds[i],
            .version = str_copy(arena, state.version),
            .api_version = str_copy(arena, state.api_version),
            .n_objects = state.n_listed,
            .absent = state.absent,
        };
        result->n_absent += state.absent;
        bool failed = live_feed_is_done(r->session.feed, i) && k8s_watch_error(watch, &why);
        if (!failed || state.absent) {
            continue;
        }
        if (!is_forbidden(&state)) {
            return give_up(r, &why, state.status, err);
        }
        kinds[i].refusal = str_copy(arena, str_of(why.text));
        result->n_unreadable++;
    }
    if (result->n_unreadable + result->n_absent == result->n_kinds) {
        return give_up(r, &why, 0, err);
    }
    result->kinds = kinds;
    return true;
}

struct live_access_settings live_settings(const struct options *options)
{
    return (struct live_access_settings){
        .kubeconfig = options->kubeconfig, .context = options->context, .may_ask = true};
}

bool live_read(const struct options *options, struct str ns, struct console *console,
               live_object_fn fn, void *ctx, struct arena *arena, struct live_result *ret_result,
               struct err *err)
{
    struct reading r = {.console = console, .fn = fn, .ctx = ctx, .err = err};
    struct live_result result = {.at = io_clock_wall()};
    struct live_access_settings access = live_settings(options);
    struct live_feed_settings feed = {.per_s = 0};
    bool good = live_session_open(&access, &feed, LIVE_AGENT, &r.session, err) &&
                run(&r, ns, err) && judge(&r, arena, &result, err);
    console_progress_done(console);
    if (good) {
        result.address = str_copy(arena, live_access_address(r.session.access));
        result.source = str_copy(arena, live_access_source(r.session.access));
        result.n_objects = r.n_objects;
        for (uint32_t i = 0; i < result.n_kinds; i++) {
            if (result.kinds[i].refusal.n > 0) {
                console_warn(console, "left out: " STR_FMT, STR_ARG(result.kinds[i].refusal));
            }
        }
        if (result.n_unreadable > 0) {
            console_warn(console, "the rights that reading takes: deploy/binpack-reader.yaml");
        }
        *ret_result = result;
    }
    live_session_close(&r.session);
    return good;
}

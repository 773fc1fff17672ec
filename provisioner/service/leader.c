/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/leader.h"

#include "base/arena.h"
#include "base/jsonw.h"
#include "io/clock.h"
#include "io/environment.h"
#include "io/loop.h"
#include "k8s/lease.h"
#include "live/calls.h"
#include "provisioner/service/log.h"

struct leader {
    struct arena arena;
    struct io_loop *loop;
    struct live_calls *calls;
    struct log *log;
    struct k8s_lease *lease; /* NULL: there is no election */
    struct io_timer timer;
    bool held, releasing, released;
};

static void on_due(void *ctx, mono_t now)
{
    (void)ctx; /* the turn that follows does it */
    (void)now;
}

static void on_answer(void *ctx, const struct live_answer *answer)
{
    struct leader *leader = ctx;
    k8s_lease_answer(leader->lease, io_clock_mono(), io_clock_wall(), answer->end, answer->status,
                     answer->body);
}

/* The name of the pod, and the moment: the same pod started again is another replica. */
static struct str identity(struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, 512);
    const struct str host = io_environment("HOSTNAME");
    strbuf_addf(&b, STR_FMT "_%llx%llx", STR_ARG(host.n > 0 ? host : STR("provisioner")),
                (unsigned long long)io_clock_wall(), (unsigned long long)io_clock_mono_us());
    return strbuf_str(&b);
}

struct leader *leader_new(struct io_loop *loop, struct live_calls *calls, struct log *log,
                          const struct leader_settings *settings)
{
    struct arena arena = ARENA_INIT;
    struct leader *leader = ARENA_NEW(&arena, struct leader);
    leader->loop = loop;
    leader->calls = calls;
    leader->log = log;
    leader->timer = (struct io_timer){.fn = on_due};
    if (!settings->alone) {
        const struct k8s_lease_settings lease = {.ns = settings->ns,
                                                 .name = settings->name,
                                                 .identity = identity(&arena),
                                                 .seed = (uint64_t)io_clock_mono_us()};
        leader->lease = k8s_lease_new(&lease);
    }
    leader->arena = arena;
    return leader;
}

void leader_free(struct leader *leader)
{
    if (leader == NULL) {
        return;
    }
    io_timer_stop(leader->loop, &leader->timer);
    k8s_lease_free(leader->lease);
    struct arena arena = leader->arena;
    arena_done(&arena);
}

bool leader_holds(const struct leader *leader)
{
    return leader->lease == NULL ||
           k8s_lease_holds(leader->lease, io_clock_mono(), io_clock_wall());
}

static void say_change(struct leader *leader, bool holds)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf b = strbuf_new(&arena, 1024);
    leader->held = holds;
    strbuf_add(&b, STR("\"holder\":"));
    jsonw_quote(&b, k8s_lease_state(leader->lease).holder);
    log_line(leader->log, io_clock_wall(), ACTION_INFO,
             holds ? "this replica acts now" : "this replica acts no longer", "leader",
             strbuf_str(&b));
}

void leader_turn(struct leader *leader)
{
    struct http_request request;
    mono_t at = io_clock_mono();
    struct err err;
    if (leader->lease == NULL) {
        return;
    }
    const bool holds = leader_holds(leader);
    if (holds != leader->held) {
        say_change(leader, holds);
    }
    switch (k8s_lease_next(leader->lease, io_clock_mono(), io_clock_wall(), &request, &at)) {
    case K8S_LEASE_ASK:
        if (!live_calls_start(leader->calls, &request, on_answer, leader, &err)) {
            const struct live_answer none = {.end = HTTP_OTHER};
            on_answer(leader, &none);
        }
        return;
    case K8S_LEASE_WAIT:
        io_timer_set(leader->loop, &leader->timer, at);
        return;
    case K8S_LEASE_BUSY:
        return;
    case K8S_LEASE_DONE:
        leader->released = true;
        return;
    }
}

bool leader_release(struct leader *leader)
{
    if (leader->lease != NULL && !leader->releasing) {
        leader->releasing = true;
        k8s_lease_release(leader->lease);
    }
    leader_turn(leader);
    return leader->lease == NULL || leader->released;
}

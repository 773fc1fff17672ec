/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/leader.h"

#include "base/arena.h"
#include "base/jsonw.h"
#include "io/clock.h"
#include "io/environment.h"
#include "io/loop.h"
#include "k8s/lease.h"
#include "k8s/rest.h"
#include "live/calls.h"
#include "provisioner/service/log.h"

enum { SAY_AGAIN_MS = 60 * 1000 };

struct leader {
    struct arena arena;
    struct str path; /* NAMESPACE/NAME of the Lease */
    struct io_loop *loop;
    struct live_calls *calls;
    struct log *log;
    struct k8s_lease *lease; /* NULL: there is no election */
    struct io_timer timer;
    bool held, releasing, released;
    const char *verb; /* of the request under way */
    struct err why;   /* of the last answer; ERR_NONE: it was a usable one */
    bool said;        /* an answer that was none, */
    int said_status;  /* this one, */
    mono_t said_at;   /* then */
};

static void on_due(void *ctx, mono_t now)
{
    (void)ctx; /* the turn that follows does it */
    (void)now;
}

/* A replica without the Lease does nothing, and one that cannot write it will do nothing soon. Said
 * when the answer is another, and once a minute. */
static void say_failure(struct leader *leader)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf b = strbuf_new(&arena, 4 * ERR_TEXT_MAX * 6);
    const int status = k8s_lease_state(leader->lease).status;
    const mono_t now = io_clock_mono();
    if (leader->said && status == leader->said_status && now - leader->said_at < SAY_AGAIN_MS) {
        return;
    }
    leader->said = true;
    leader->said_status = status;
    leader->said_at = now;
    strbuf_add(&b, STR("\"lease\":"));
    jsonw_quote(&b, leader->path);
    strbuf_add(&b, STR(",\"error\":"));
    jsonw_quote(&b, str_of(leader->why.text));
    log_line(leader->log, io_clock_wall(), ACTION_ERROR,
             leader_holds(leader) ? "cannot renew the Lease"
                                  : "cannot take the Lease; this replica does not act",
             "leader", strbuf_str(&b));
}

static void on_answer(void *ctx, const struct live_answer *answer)
{
    struct leader *leader = ctx;
    k8s_lease_answer(leader->lease, io_clock_mono(), io_clock_wall(), answer->end, answer->status,
                     answer->body);
    if (k8s_lease_state(leader->lease).n_failures == 0) {
        leader->why = (struct err){.code = ERR_NONE};
        return;
    }
    if (answer->end == HTTP_COMPLETE && answer->status >= 200 && answer->status < 300) {
        (void)err_set(&leader->why, ERR_PARSE, "cannot %s leases: the answer is no Lease",
                      leader->verb);
    } else if (answer->end == HTTP_COMPLETE) {
        (void)k8s_refused(&leader->why, leader->verb, "leases", answer->status, answer->body);
    } else {
        (void)k8s_unanswered(&leader->why, leader->verb, "leases", answer->end, answer->why);
    }
    if (!leader->releasing) {
        say_failure(leader);
    }
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
    struct strbuf path = strbuf_new(&arena, 1024);
    strbuf_addf(&path, STR_FMT "/" STR_FMT, STR_ARG(settings->ns), STR_ARG(settings->name));
    leader->path = strbuf_str(&path);
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
        leader->verb = request.method == HTTP_GET    ? "get"
                       : request.method == HTTP_POST ? "create"
                                                     : "patch";
        if (!live_calls_start(leader->calls, &request, on_answer, leader, &err)) {
            const struct live_answer none = {.end = HTTP_OTHER, .why = str_of(err.text)};
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

void leader_put(const struct leader *leader, struct jsonw *w)
{
    jsonw_key_object(w, "leader");
    jsonw_key_bool(w, "holds", leader_holds(leader));
    if (leader->lease != NULL) {
        jsonw_key_str(w, "lease", leader->path);
        jsonw_key_str(w, "holder", k8s_lease_state(leader->lease).holder);
    }
    if (leader->why.code != ERR_NONE) {
        jsonw_key_str(w, "error", str_of(leader->why.text));
    }
    jsonw_object_end(w);
}

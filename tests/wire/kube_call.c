/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changes a cluster, driven by tests/e2e and calls.py: the program has no mode that writes
 * yet. Clusters are found as kubectl finds them.
 *
 * `kube_call lease NAMESPACE NAME IDENTITY` takes part in the election until SIGTERM, then gives
 * the Lease up. It prints a line of JSON whenever it begins or ceases to hold, and after a pause.
 *
 * `kube_call writes` reads a line of JSON for each change, with "verb", "kind", "namespace",
 * "name", "subresource", "body", "version", "uid", "grace", "dryRun" and "times", or for an Event:
 * "event" with "kind", "apiVersion", "namespace", "name", "uid", "warning", "reason", "message",
 * "sameAs" and "windowMs". It prints a line for what became of each, in the same order. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json_decode.h"
#include "base/jsonw.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/signals.h"
#include "k8s/events.h"
#include "k8s/kinds.h"
#include "k8s/lease.h"
#include "live/calls.h"
#include "live/session.h"

enum { PAUSE_MS = 2000 }; /* it looks more often than that by itself */

struct program {
    struct live_session session;
    struct live_calls *calls;
    struct k8s_lease *lease;
    struct k8s_events *events;
};

static bool say(struct strbuf *out)
{
    return fwrite(out->p, 1, out->n, stdout) == out->n && fflush(stdout) == 0;
}

/* ---- the Lease ---- */

static void on_lease_answer(void *ctx, const struct live_answer *answer)
{
    struct program *program = ctx;
    k8s_lease_answer(program->lease, io_clock_mono(), io_clock_wall(), answer->end, answer->status,
                     answer->body);
}

static bool say_holding(const struct program *program, bool holds)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf out = strbuf_new(&arena, 4096);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    struct k8s_lease_state state = k8s_lease_state(program->lease);
    jsonw_object_begin(&w);
    jsonw_key_bool(&w, "holds", holds);
    jsonw_key_i64(&w, "ms", io_clock_mono());
    jsonw_key_str(&w, "holder", state.holder);
    jsonw_key_i64(&w, "status", state.status);
    jsonw_object_end(&w);
    return say(&out);
}

static void on_due(void *ctx, mono_t now)
{
    (void)ctx;
    (void)now;
}

static bool elect(struct program *program, char **argv, struct err *err)
{
    struct k8s_lease_settings settings = {.ns = str_of(argv[2]),
                                          .name = str_of(argv[3]),
                                          .identity = str_of(argv[4]),
                                          .seed = (uint64_t)io_clock_mono_us()};
    struct io_timer timer = {.fn = on_due};
    struct http_request request;
    bool held = false, released = false;
    mono_t looked = io_clock_mono();
    program->lease = k8s_lease_new(&settings);
    for (;;) {
        mono_t now = io_clock_mono(), at = now;
        /* Read just now, as before every act: this is what a pause must not get around. */
        bool holds = k8s_lease_holds(program->lease, now, io_clock_wall());
        bool paused = now - looked > PAUSE_MS;
        if ((holds != held || paused) && !say_holding(program, holds)) {
            return err_set(err, ERR_IO, "standard output");
        }
        held = holds;
        looked = now;
        if (io_signals_interrupted() && !released) {
            k8s_lease_release(program->lease);
            released = true;
        }
        enum k8s_lease_want want =
            k8s_lease_next(program->lease, now, io_clock_wall(), &request, &at);
        if (want == K8S_LEASE_DONE) {
            return true;
        }
        if (want == K8S_LEASE_ASK &&
            !live_calls_start(program->calls, &request, on_lease_answer, program, err)) {
            return false;
        }
        /* A holder looks at the clock often enough to say when it ceases to hold. */
        mono_t look_at = now + (held ? 50 : PAUSE_MS / 2);
        io_timer_set(program->session.loop, &timer,
                     want == K8S_LEASE_WAIT && at < look_at ? at : look_at);
        bool good = live_calls_turn(program->calls, err);
        io_timer_stop(program->session.loop, &timer);
        if (!good) {
            return false;
        }
    }
}

/* ---- changes ---- */

struct change {
    struct k8s_write write;
    struct arena *arena;
    struct k8s_written written;
    struct err err;
    uint32_t n_waiting, n_done;
};

static void on_answer(void *ctx, const struct live_answer *answer)
{
    struct change *change = ctx;
    change->written =
        k8s_write_outcome(&change->write, answer->end, answer->status, answer->retry_after_ms,
                          answer->body, answer->why, change->arena, &change->err);
    change->n_done += change->written.outcome == K8S_WRITE_DONE;
    change->n_waiting--;
}

static struct str text_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value)
               ? (struct str){.p = json_string_value(value), .n = json_string_length(value)}
               : STR_EMPTY;
}

static int64_t number_at(const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static bool read_write(const json_t *line, struct arena *arena, struct k8s_write *ret_write,
                       struct err *err)
{
    static const char *const verbs[] = {[K8S_WRITE_CREATE] = "create",
                                        [K8S_WRITE_MERGE_PATCH] = "merge",
                                        [K8S_WRITE_JSON_PATCH] = "json",
                                        [K8S_WRITE_DELETE] = "delete",
                                        [K8S_WRITE_EVICT] = "evict"};
    const json_t *body = json_object_get(line, "body");
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    *ret_write = (struct k8s_write){.ns = text_at(line, "namespace"),
                                    .name = text_at(line, "name"),
                                    .subresource = text_at(line, "subresource"),
                                    .body = str_copy(arena, str_of(text)),
                                    .version = text_at(line, "version"),
                                    .uid = text_at(line, "uid"),
                                    .grace_s = number_at(line, "grace", -1),
                                    .dry_run = json_is_true(json_object_get(line, "dryRun"))};
    free(text);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (str_eq(text_at(line, "verb"), str_of(verbs[i]))) {
            ret_write->verb = (enum k8s_write_verb)i;
            return k8s_kind_find(text_at(line, "kind"), STR_EMPTY, &ret_write->kind) ==
                       K8S_MATCH_YES ||
                   err_set(err, ERR_INVALID, "no such kind");
        }
    }
    return err_set(err, ERR_INVALID, "no such verb");
}

static bool run(struct program *program, struct change *change, int64_t times, struct err *err)
{
    struct http_request request;
    if (!k8s_write_request(&change->write, change->arena, &request, err)) {
        return false;
    }
    change->n_done = 0;
    for (int64_t i = 0; i < times; i++) {
        change->n_waiting++;
        if (!live_calls_start(program->calls, &request, on_answer, change, err)) {
            return false;
        }
    }
    while (change->n_waiting > 0) {
        if (!live_calls_turn(program->calls, err)) {
            return false;
        }
    }
    return true;
}

static bool say_outcome(const struct change *change, const char *fate, int64_t ms)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf out = strbuf_new(&arena, 65536);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    bool done = change->written.outcome == K8S_WRITE_DONE;
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "fate", str_of(fate));
    jsonw_key_str(&w, "outcome", str_of(k8s_outcome_name(change->written.outcome)));
    jsonw_key_str(&w, "error", done ? STR_EMPTY : str_of(change->err.text));
    jsonw_key_str(&w, "name", change->written.name);
    jsonw_key_str(&w, "uid", change->written.uid);
    jsonw_key_str(&w, "version", change->written.version);
    jsonw_key_i64(&w, "retryAfterMs", change->written.retry_after_ms);
    jsonw_key_i64(&w, "done", change->n_done);
    jsonw_key_i64(&w, "ms", ms);
    jsonw_object_end(&w);
    return say(&out);
}

/* Says an Event, again when it has to be made anew. */
static bool say_event(struct program *program, const json_t *line, struct change *change,
                      const char **ret_fate, struct err *err)
{
    static const char *const fates[] = {[K8S_EVENT_DROPPED] = "dropped",
                                        [K8S_EVENT_CREATE] = "create",
                                        [K8S_EVENT_COUNT] = "count"};
    struct k8s_event event = {
        .about = {.kind = json_string_value(json_object_get(line, "kind")),
                  .api_version = json_string_value(json_object_get(line, "apiVersion")),
                  .ns = text_at(line, "namespace"),
                  .name = text_at(line, "name"),
                  .uid = text_at(line, "uid")},
        .warning = json_is_true(json_object_get(line, "warning")),
        .reason = json_string_value(json_object_get(line, "reason")),
        .message = text_at(line, "message"),
        .same_as = text_at(line, "sameAs"),
        .window_ms = number_at(line, "windowMs", 0)};
    bool again = true;
    while (again) {
        enum k8s_event_fate fate = k8s_events_say(program->events, &event, io_clock_mono(),
                                                  io_clock_wall(), change->arena, &change->write);
        *ret_fate = fates[fate];
        if (fate == K8S_EVENT_DROPPED) {
            return true;
        }
        if (!run(program, change, 1, err)) {
            return false;
        }
        again = k8s_events_answer(program->events, &event, change->written.outcome);
    }
    return true;
}

static bool handle(struct program *program, struct str text, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    auto_json *line = NULL;
    struct change change = {.arena = &arena, .written = {.outcome = K8S_WRITE_DONE}};
    const char *fate = "";
    mono_t begun = io_clock_mono();
    if (!json_decode_text(text, &arena, &line, err)) {
        return false;
    }
    const json_t *event = json_object_get(line, "event");
    bool good = event != NULL ? say_event(program, event, &change, &fate, err)
                              : read_write(line, &arena, &change.write, err) &&
                                    run(program, &change, number_at(line, "times", 1), err);
    return good && say_outcome(&change, fate, io_clock_mono() - begun);
}

static bool write_all(struct program *program, struct err *err)
{
    static char line[1 << 20];
    program->events = k8s_events_new(STR("karpenter"), (uint64_t)io_clock_mono_us());
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (!handle(program, str_trim(str_of(line)), err)) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct program program = {.calls = NULL};
    struct live_access_settings access = {.may_ask = false};
    struct live_feed_settings feed = {.per_s = 0};
    struct live_calls_settings calls = {.per_s = 0};
    struct err err = {.code = ERR_NONE};
    bool lease = argc == 5 && strcmp(argv[1], "lease") == 0;
    if (!lease && !(argc == 2 && strcmp(argv[1], "writes") == 0)) {
        (void)fprintf(stderr, "kube_call lease NAMESPACE NAME IDENTITY | kube_call writes\n");
        return 2;
    }
    bool good = live_session_open(&access, &feed, "kube_call", &program.session, &err);
    if (good) {
        program.calls = live_calls_new(program.session.loop, program.session.http,
                                       program.session.access, &calls);
        good = lease ? elect(&program, argv, &err) : write_all(&program, &err);
    }
    if (!good) {
        (void)fprintf(stderr, "kube_call: %s\n", err.text);
    }
    live_calls_free(program.calls);
    k8s_lease_free(program.lease);
    k8s_events_free(program.events);
    live_session_close(&program.session);
    return good ? 0 : 1;
}

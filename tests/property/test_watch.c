/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Long random histories: a watch with its roster follows a model server through changes, cuts,
 * refusals, lost answers and compaction. At the end the roster equals the model, and on the way
 * every object has come once, gone once and changed only in between: no deletion is missed, none
 * invented.
 *
 *   test_watch            50 histories of 400 steps
 *   BINPACK_HISTORIES=N   that many; BINPACK_STEPS=N of that length
 *   test_watch SEED       one history again
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "k8s/kinds.h"
#include "k8s/roster.h"
#include "watch_model.h"

enum { UIDS = 400 * 1000 };

struct history {
    struct rng rng;
    struct model model;
    struct arena arena, answers; /* answers: reset with each request */
    struct k8s_watch *watch;
    struct k8s_roster *roster;
    mono_t now;
    struct model_answer answer;
    char *state; /* [UIDS] by uid: 0 never seen, 1 there, 2 gone */
    const char *fault;
    uint64_t n_deltas, n_silent_deletions;
    uint64_t seed;
};

static void on_delta(void *ctx, const struct k8s_delta *delta)
{
    struct history *h = ctx;
    uint64_t uid = 0;
    if (!str_to_u64(str_sub(delta->id.uid, 1, delta->id.uid.n), &uid) || uid >= UIDS) {
        h->fault = "a uid that is none";
        return;
    }
    h->n_deltas++;
    switch (delta->change) {
    case K8S_ADDED:
        h->fault = h->state[uid] != 0 ? "added twice" : h->fault;
        h->state[uid] = 1;
        break;
    case K8S_MODIFIED:
        h->fault = h->state[uid] != 1 ? "changed without being there" : h->fault;
        break;
    case K8S_DELETED:
        h->fault = h->state[uid] != 1 ? "deleted without being there" : h->fault;
        h->state[uid] = 2;
        h->n_silent_deletions += delta->object == NULL;
        break;
    }
}

static bool chance(struct history *h, uint32_t percent)
{
    return rng_below(&h->rng, 100) < percent;
}

/* ---- the connection ---- */

static void ask(struct history *h, const struct http_request *request)
{
    arena_reset(&h->answers);
    h->fault = request->silence_ms <= 0 ? "waits for ever" : h->fault;
    h->answer = model_ask(&h->model, request->path, &h->answers);
    if (!h->model.calm && chance(h, 5)) {
        k8s_watch_end(h->watch, h->now, chance(h, 50) ? HTTP_REFUSED : HTTP_TIMEOUT, STR("gone"));
        return;
    }
    struct http_head head = {.status = h->answer.status,
                             .retry_after_ms = h->answer.retry_after_ms};
    k8s_watch_head(h->watch, h->now, &head);
}

/* Hands over some bytes of the answer, or ends it. */
static void deliver(struct history *h)
{
    struct model_answer *answer = &h->answer;
    if (answer->is_watch) {
        model_feed(&h->model, answer);
    }
    struct str rest = str_sub(strbuf_str(&answer->body), answer->at, answer->body.n);
    size_t n = h->model.calm ? rest.n : rng_below(&h->rng, (uint32_t)rest.n + 2);
    struct str part = str_sub(rest, 0, n);
    answer->at += part.n;
    bool breaks =
        !h->model.calm && (chance(h, 3) || (answer->cut && answer->at * 2 > answer->body.n));
    if (part.n > 0 && !k8s_watch_body(h->watch, h->now, part)) {
        k8s_watch_end(h->watch, h->now, HTTP_STOPPED, STR("stopped"));
    } else if (breaks) {
        k8s_watch_end(h->watch, h->now, HTTP_CUT, STR("cut"));
    } else if (answer->at == answer->body.n &&
               (!answer->is_watch || (!h->model.calm && chance(h, 5)))) {
        k8s_watch_end(h->watch, h->now, HTTP_COMPLETE, STR_EMPTY);
    }
}

static void step(struct history *h)
{
    struct http_request request;
    mono_t at = h->now;
    switch (k8s_watch_next(h->watch, h->now, &request, &at)) {
    case K8S_WATCH_ASK:
        ask(h, &request);
        break;
    case K8S_WATCH_WAIT:
        if (at <= h->now || at - h->now > 11 * 60 * 1000) {
            h->fault = "a pause that is none, or too long";
        }
        h->now = at;
        break;
    case K8S_WATCH_BUSY:
        deliver(h);
        break;
    case K8S_WATCH_DONE:
        h->fault = "a watch that follows is done";
        break;
    }
    h->now += rng_below(&h->rng, 400);
}

/* ---- the end ---- */

static bool caught_up(struct history *h)
{
    struct k8s_watch_state state = k8s_watch_state(h->watch);
    uint64_t version = 0;
    return state.synced && str_to_u64(state.version, &version) && version == h->model.version;
}

static void compare(struct history *h)
{
    uint32_t at = 0, n_alive = 0;
    struct k8s_identity id;
    for (uint32_t i = 0; i < MODEL_NAMES; i++) {
        n_alive += h->model.objects[i].alive;
    }
    if (k8s_roster_count(h->roster) != n_alive) {
        h->fault = "another number of objects than the server has";
    }
    while (k8s_roster_next(h->roster, &at, &id)) {
        char expected[128], got[128];
        uint64_t name = 0;
        if (!str_to_u64(str_sub(id.name, 1, id.name.n), &name) || name >= MODEL_NAMES ||
            !h->model.objects[name].alive) {
            h->fault = "an object that the server does not have";
            continue;
        }
        (void)snprintf(expected, sizeof expected, "n%llu u%llu %llu", (unsigned long long)name % 3,
                       (unsigned long long)h->model.objects[name].uid,
                       (unsigned long long)h->model.objects[name].version);
        (void)snprintf(got, sizeof got, STR_FMT " " STR_FMT " " STR_FMT, STR_ARG(id.ns),
                       STR_ARG(id.uid), STR_ARG(id.version));
        h->fault = strcmp(expected, got) != 0 ? "an object in another state" : h->fault;
    }
    for (uint64_t uid = 1; uid <= h->model.last_uid; uid++) {
        bool alive = false;
        for (uint32_t i = 0; i < MODEL_NAMES; i++) {
            alive = alive || (h->model.objects[i].alive && h->model.objects[i].uid == uid);
        }
        h->fault = (h->state[uid] == 1) != alive ? "a deletion that nobody was told of" : h->fault;
    }
}

static void begin(struct history *h, uint64_t seed)
{
    h->seed = seed;
    h->rng = (struct rng){.state = seed};
    h->arena = h->answers = ARENA_INIT;
    model_init(&h->model, &h->rng, &h->arena);
    h->model.streams = chance(h, 50);
    h->state = ARENA_ARRAY(&h->arena, char, UIDS);
    h->roster = k8s_roster_new(on_delta, h);
    struct k8s_receiver receiver = k8s_roster_receiver(h->roster);
    struct k8s_watch_settings settings = {.kind = &k8s_kinds[0],
                                          .in_pages = chance(h, 50),
                                          .page = 1 + rng_below(&h->rng, 12),
                                          .seed = seed};
    h->watch = k8s_watch_new(&settings, &receiver);
    h->now = 1000;
}

static void run(struct history *h, uint64_t seed, uint32_t n_steps)
{
    begin(h, seed);
    uint32_t changes = 1 + rng_below(&h->rng, 60), compactions = rng_below(&h->rng, 12);
    for (uint32_t i = 0; i < n_steps && h->fault == NULL; i++) {
        if (chance(h, changes)) {
            model_change(&h->model);
        }
        if (chance(h, compactions)) {
            model_compact(&h->model);
        }
        step(h);
    }
    h->model.calm = true;
    model_change(&h->model);
    for (uint32_t i = 0; i < 2000 && h->fault == NULL && !caught_up(h); i++) {
        step(h);
    }
    if (h->fault == NULL && !caught_up(h)) {
        h->fault = "never caught up with the server";
    }
    if (h->fault == NULL) {
        compare(h);
    }
}

static void done(struct history *h)
{
    k8s_watch_free(h->watch);
    k8s_roster_free(h->roster);
    arena_done(&h->answers);
    arena_done(&h->arena);
}

static uint32_t from_environment(const char *name, uint32_t fallback)
{
    const char *text = getenv(name);
    return text == NULL ? fallback : (uint32_t)strtoul(text, NULL, 10);
}

static uint64_t only_seed;

static void every_deletion_is_seen_and_the_roster_equals_the_server(void **state)
{
    (void)state;
    uint32_t n = from_environment("BINPACK_HISTORIES", 50);
    uint32_t n_steps = from_environment("BINPACK_STEPS", 400);
    uint64_t n_deltas = 0, n_silent = 0, n_lists = 0, n_expired = 0, n_watches = 0, n_changes = 0;
    for (uint64_t seed = only_seed > 0 ? only_seed : 1; seed <= (only_seed > 0 ? only_seed : n);
         seed++) {
        struct history h = {.fault = NULL};
        run(&h, seed, n_steps);
        struct k8s_watch_state watched = k8s_watch_state(h.watch);
        n_deltas += h.n_deltas;
        n_silent += h.n_silent_deletions;
        n_lists += watched.n_lists;
        n_expired += watched.n_expired;
        n_watches += watched.n_watches;
        n_changes += h.model.n_events;
        const char *fault = h.fault;
        done(&h);
        if (fault != NULL) {
            fail_msg("seed %llu: %s", (unsigned long long)seed, fault);
        }
    }
    (void)fprintf(
        stderr,
        "%u histories from seed 1: %llu changes, %llu told, %llu deletions seen by their absence, "
        "%llu lists, %llu watches, %llu times expired\n",
        n, (unsigned long long)n_changes, (unsigned long long)n_deltas,
        (unsigned long long)n_silent, (unsigned long long)n_lists, (unsigned long long)n_watches,
        (unsigned long long)n_expired);
    /* The histories must be worth something: all of it happens. */
    assert_true(only_seed > 0 || n < 50 ||
                (n_silent > 0 && n_expired > 0 && n_lists > n && n_watches > n && n_deltas > 1000));
}

int main(int argc, char **argv)
{
    only_seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_deletion_is_seen_and_the_roster_equals_the_server),
    };
    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}

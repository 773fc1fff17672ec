/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A watch that is answered with any bytes: it ends every answer in a state from which it goes on,
 * begins and ends lists in turn, and what it hands over does not depend on how the bytes come.
 *
 * The first byte says the statuses and how many bytes come at a time; the rest is answers separated
 * by a byte of 1. */
#include <string.h>

#include "base/arena.h"
#include "check.h"
#include "k8s/kinds.h"
#include "k8s/watch.h"

struct seen {
    uint64_t hash, n;
    bool in_list;
};

static void begin(void *ctx)
{
    struct seen *seen = ctx;
    seen->in_list = true;
    seen->hash = seen->hash * 31 + 1;
}

static void object(void *ctx, json_t *value, bool removed)
{
    struct seen *seen = ctx;
    MUST(json_is_object(value));
    MUST(json_object_get(value, "kind") != NULL && json_object_get(value, "apiVersion") != NULL);
    seen->n++;
    seen->hash = seen->hash * 31 + json_object_size(value) + (removed ? 1000 : 0);
}

static void end(void *ctx)
{
    struct seen *seen = ctx;
    MUST(seen->in_list);
    seen->in_list = false;
    seen->hash = seen->hash * 31 + 2;
}

/* Feeds one answer; `step` bytes at a time. */
static void answer(struct k8s_watch *watch, struct str body, int status, size_t step, mono_t now)
{
    struct http_head head = {.status = status};
    enum http_end how = HTTP_COMPLETE;
    k8s_watch_head(watch, now, &head);
    for (size_t at = 0; at < body.n && how == HTTP_COMPLETE; at += step) {
        how = k8s_watch_body(watch, now, str_sub(body, at, step)) ? HTTP_COMPLETE : HTTP_STOPPED;
    }
    k8s_watch_end(watch, now + 5000, how, STR("over"));
}

static uint64_t run(struct str text, uint8_t mode, size_t step)
{
    static const int statuses[] = {200, 200, 200, 200, 410, 422, 503, 404};
    struct seen seen = {.hash = 0};
    struct k8s_receiver receiver = {.ctx = &seen, .begin = begin, .object = object, .end = end};
    struct k8s_watch_settings settings = {.kind = &k8s_kinds[24], /* one with two versions */
                                          .once = (mode & 1) != 0,
                                          .in_pages = (mode & 2) != 0};
    struct k8s_watch *watch = k8s_watch_new(&settings, &receiver);
    mono_t now = 0, at = 0;
    struct http_request request;
    for (int turn = 0; turn < 200 && text.n > 0; turn++) {
        enum k8s_watch_want want = k8s_watch_next(watch, now, &request, &at);
        MUST(want != K8S_WATCH_BUSY);
        if (want == K8S_WATCH_DONE) {
            break;
        }
        if (want == K8S_WATCH_WAIT) {
            MUST(at > now && at - now <= 15 * 60 * 1000);
            now = at;
            continue;
        }
        MUST(request.path.n > 0 && request.path.p[0] == '/');
        MUST(memchr(request.path.p, ' ', request.path.n) == NULL);
        struct str body = str_sub(text, 0, str_find(text, '\1'));
        text = str_sub(text, body.n + 1, text.n);
        answer(watch, body, statuses[(size_t)(mode >> 2) * (size_t)(turn + 1) % 8], step, now);
    }
    struct k8s_watch_state state = k8s_watch_state(watch);
    uint64_t hash = seen.hash + state.n_events * 7 + state.n_expired * 11 + state.n_failures;
    k8s_watch_free(watch);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct str text = {.p = (const char *)data + 1, .n = size - 1};
    MUST(run(text, data[0], SIZE_MAX / 2) == run(text, data[0], 1 + data[0] % 5));
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/watch.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/pace.h"
#include "base/rng.h"
#include "k8s/frames.h"
#include "k8s/kinds.h"
#include "k8s/reader.h"
#include "k8s/rest.h"

enum {
    PAGE = 500,
    PAGE_SILENCE_MS = 60 * 1000,
    WATCH_MIN_S = 300, /* asked for: between this and twice this, so that not all end together */
    WATCH_GRACE_MS = 30 * 1000,
    /* Servers send a bookmark about every minute. A watch that has heard nothing for longer is
     * asked for anew, which costs little: connections that share a stream have been seen to lose
     * one. */
    WATCH_SILENCE_MS = 90 * 1000,
    SHORT_WATCH_MS = 1000,
    FIRST_PAUSE_MS = 500,
    MAX_PAUSE_MS = 30 * 1000,
    ABSENT_PAUSE_MS = 60 * 1000,
    /* A kind that was there is gone when the server has said so this often, in a row. */
    ABSENT_TIMES = 3,
    ABSENT_AGAIN_MS = 10 * 1000, /* between two of them; twice that before the third */
    MAX_RETRY_AFTER_MS = 10 * 60 * 1000,
    ONCE_TRIES = 6,
    FIRST_TRIES = 2, /* of a list that is made once, while the server has not answered at all */
    VERSION_MAX = 128,
    TOKEN_MAX = 16 * 1024
};

enum doing { LISTING, STREAMING /* the list as a watch */, WATCHING, DONE };

/* A text of bounded length that is replaced often. */
struct slot {
    char *p;
    size_t n, max;
};

struct k8s_watch {
    struct arena arena;   /* the machine itself and its settings */
    struct arena scratch; /* of one piece */
    struct k8s_watch_settings settings;
    struct k8s_receiver receiver;
    struct rng rng;
    enum doing doing;
    bool in_pages, busy, begun_list, had_answer;
    mono_t retry_at, asked_at;
    struct strbuf path;
    struct str api_version;
    size_t next_version; /* offset in kind->also of the version to try after this one */
    struct slot version, list_version; /* to go on from; of the list at hand */
    struct slot token, next_token;     /* of the page asked for, and of the one after it */
    struct k8s_frames frames;
    json_t *page;              /* objects of the page at hand */
    struct strbuf refusal;     /* body of an answer that is not 200 */
    uint64_t events_before;    /* n_events when the watch was asked for */
    uint32_t n_expired_in_row; /* since something came of a watch */
    uint32_t n_absent_in_row;  /* times that the server knew none of the kind's versions */
    bool expired, piece_failed, stopped;
    bool has_error;
    struct err error, piece_error;
    struct k8s_watch_state state;
};

/* ---- small things ---- */

static struct slot slot_new(struct arena *arena, size_t max)
{
    return (struct slot){.p = arena_alloc(arena, max), .n = 0, .max = max};
}

static bool slot_set(struct slot *slot, struct str text)
{
    if (text.n > slot->max) {
        return false;
    }
    if (text.n > 0) {
        memmove(slot->p, text.p, text.n);
    }
    slot->n = text.n;
    return true;
}

static struct str slot_str(const struct slot *slot)
{
    return (struct str){.p = slot->p, .n = slot->n};
}

static struct str text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value)
               ? (struct str){.p = json_string_value(value), .n = json_string_length(value)}
               : STR_EMPTY;
}

static const char *verb_of(const struct k8s_watch *watch)
{
    return watch->doing == WATCHING || watch->doing == STREAMING ? "watch" : "list";
}

/* The kind's own version, then others of its group that read the same. */
static void first_version(struct k8s_watch *watch)
{
    const struct k8s_kind *kind = watch->settings.kind;
    struct strbuf b = strbuf_new(&watch->arena, 256);
    strbuf_addf(&b, "%s%s%s", kind->group, kind->group[0] == '\0' ? "" : "/", kind->version);
    watch->api_version = strbuf_str(&b);
    watch->next_version = 0;
}

static bool other_version(struct k8s_watch *watch)
{
    const struct k8s_kind *kind = watch->settings.kind;
    struct str all = str_of(kind->also);
    while (watch->next_version < all.n) {
        struct str rest = str_sub(all, watch->next_version, all.n);
        struct str word = str_sub(rest, 0, str_find(rest, ' '));
        watch->next_version += word.n + 1;
        if (str_eq(str_sub(word, 0, str_find(word, '/')), str_of(kind->group))) {
            watch->api_version = word;
            return true;
        }
    }
    return false;
}

struct k8s_watch *k8s_watch_new(const struct k8s_watch_settings *settings,
                                const struct k8s_receiver *receiver)
{
    struct arena arena = ARENA_INIT;
    struct k8s_watch *watch = ARENA_NEW(&arena, struct k8s_watch);
    watch->scratch = ARENA_INIT;
    watch->settings = *settings;
    watch->settings.ns = str_copy(&arena, settings->ns);
    watch->settings.page = settings->page == 0 ? (uint32_t)PAGE : settings->page;
    watch->receiver = *receiver;
    watch->rng = (struct rng){.state = settings->seed};
    watch->in_pages = settings->once || settings->in_pages;
    watch->doing = watch->in_pages ? LISTING : STREAMING;
    watch->version = slot_new(&arena, VERSION_MAX);
    watch->list_version = slot_new(&arena, VERSION_MAX);
    watch->token = slot_new(&arena, TOKEN_MAX);
    watch->next_token = slot_new(&arena, TOKEN_MAX);
    watch->frames = k8s_frames_new(K8S_FRAMES_LIST);
    watch->page = json_array();
    watch->state.n_remaining = -1;
    watch->arena = arena;
    watch->path = strbuf_new(&watch->arena, 4 * TOKEN_MAX);
    watch->refusal = strbuf_new(&watch->arena, LIMIT_STATUS_BYTES);
    first_version(watch);
    return watch;
}

void k8s_watch_free(struct k8s_watch *watch)
{
    if (watch != NULL) {
        json_decref(watch->page);
        k8s_frames_done(&watch->frames);
        arena_done(&watch->scratch);
        struct arena arena = watch->arena;
        arena_done(&arena);
    }
}

/* ---- asking ---- */

static void query_number(struct strbuf *b, const char *key, uint32_t value)
{
    strbuf_addf(b, "&%s=%u", key, value);
}

static void make_request(struct k8s_watch *watch, struct http_request *request)
{
    struct strbuf *b = &watch->path;
    b->n = 0;
    k8s_path(b, watch->settings.kind, watch->api_version, watch->settings.ns, STR_EMPTY, STR_EMPTY);
    *request = (struct http_request){.method = HTTP_GET, .accept = STR("application/json")};
    if (watch->doing == LISTING) {
        k8s_query(b, "resourceVersion", STR_EMPTY); /* the newest state there is */
        query_number(b, "limit", watch->settings.page);
        if (watch->token.n > 0) {
            k8s_query(b, "continue", slot_str(&watch->token));
        }
        request->silence_ms = PAGE_SILENCE_MS;
        request->body_max = LIMIT_PAGE_BYTES;
    } else {
        uint32_t seconds = (uint32_t)WATCH_MIN_S + rng_below(&watch->rng, WATCH_MIN_S);
        k8s_query(b, "watch", STR("true"));
        k8s_query(b, "allowWatchBookmarks", STR("true"));
        query_number(b, "timeoutSeconds", seconds);
        if (watch->doing == STREAMING) {
            k8s_query(b, "sendInitialEvents", STR("true"));
            k8s_query(b, "resourceVersionMatch", STR("NotOlderThan"));
        } else {
            k8s_query(b, "resourceVersion", slot_str(&watch->version));
        }
        request->silence_ms = WATCH_SILENCE_MS;
        request->total_ms = (int64_t)seconds * 1000 + WATCH_GRACE_MS;
    }
    request->path = strbuf_str(b);
}

enum k8s_watch_want k8s_watch_next(struct k8s_watch *watch, mono_t now,
                                   struct http_request *ret_request, mono_t *ret_at)
{
    if (watch->doing == DONE) {
        return K8S_WATCH_DONE;
    }
    if (watch->busy) {
        return K8S_WATCH_BUSY;
    }
    if (now < watch->retry_at) {
        *ret_at = watch->retry_at;
        return K8S_WATCH_WAIT;
    }
    make_request(watch, ret_request);
    k8s_frames_done(&watch->frames);
    watch->frames = k8s_frames_new(watch->doing == LISTING ? K8S_FRAMES_LIST : K8S_FRAMES_STREAM);
    (void)json_array_clear(watch->page);
    watch->refusal.n = 0;
    watch->refusal.overflow = false;
    watch->busy = true;
    watch->expired = watch->piece_failed = watch->stopped = false;
    watch->asked_at = now;
    watch->events_before = watch->state.n_events;
    watch->state.status = 0;
    watch->state.n_lists += watch->doing != WATCHING && watch->token.n == 0;
    watch->state.n_watches += watch->doing == WATCHING;
    return K8S_WATCH_ASK;
}

/* ---- pieces ---- */

static void begin_list(struct k8s_watch *watch)
{
    watch->begun_list = true;
    watch->state.n_listed = 0;
    watch->receiver.begin(watch->receiver.ctx);
}

static void end_list(struct k8s_watch *watch)
{
    watch->begun_list = false;
    watch->state.synced = true;
    watch->state.n_failures = 0;
    watch->state.n_remaining = -1;
    watch->token.n = 0;
    watch->has_error = false;
    watch->receiver.end(watch->receiver.ctx);
}

static void hand_over(struct k8s_watch *watch, json_t *object, bool removed)
{
    if (json_object_get(object, "kind") == NULL) {
        (void)json_object_set_new(object, "kind", json_string(watch->settings.kind->name));
    }
    if (json_object_get(object, "apiVersion") == NULL) {
        (void)json_object_set_new(object, "apiVersion",
                                  json_stringn(watch->api_version.p, watch->api_version.n));
    }
    watch->state.n_listed += watch->begun_list;
    watch->receiver.object(watch->receiver.ctx, object, removed);
}

static bool take_list_rest(struct k8s_watch *watch, const json_t *rest, struct err *err)
{
    const json_t *metadata = json_object_get(rest, "metadata");
    const json_t *remaining = json_object_get(metadata, "remainingItemCount");
    if (!json_is_object(metadata)) {
        return err_set(err, ERR_PARSE, "metadata: required");
    }
    watch->state.n_remaining =
        json_is_integer(remaining) ? (int64_t)json_integer_value(remaining) : -1;
    if (!slot_set(&watch->list_version, text_of(metadata, "resourceVersion")) ||
        !slot_set(&watch->next_token, text_of(metadata, "continue"))) {
        return err_set(err, ERR_LIMIT, "metadata: resourceVersion or continue is too long");
    }
    return true;
}

static bool see_version(struct k8s_watch *watch, const json_t *object, struct err *err)
{
    struct str version = text_of(json_object_get(object, "metadata"), "resourceVersion");
    if (version.n == 0 || !slot_set(&watch->version, version)) {
        return err_set(err, ERR_PARSE, "metadata.resourceVersion: %s",
                       version.n == 0 ? "required" : "too long");
    }
    return true;
}

static bool take_bookmark(struct k8s_watch *watch, const json_t *object, struct err *err)
{
    const json_t *annotations = json_object_get(json_object_get(object, "metadata"), "annotations");
    watch->state.n_bookmarks++;
    if (!see_version(watch, object, err)) {
        return false;
    }
    if (watch->doing == STREAMING &&
        str_eq(text_of(annotations, "k8s.io/initial-events-end"), STR("true"))) {
        watch->doing = WATCHING;
        end_list(watch);
    }
    return true;
}

static bool take_error(struct k8s_watch *watch, const json_t *object, struct err *err)
{
    json_int_t code = json_integer_value(json_object_get(object, "code"));
    struct str message = text_of(object, "message");
    watch->expired = code == 410 || str_eq(text_of(object, "reason"), STR("Expired"));
    watch->stopped = true; /* the server says no more after this */
    return err_set(err, ERR_IO, "the server ends the watch: %lld: " STR_FMT, (long long)code,
                   STR_ARG(str_sub(message, 0, 500)));
}

static bool take_event(struct k8s_watch *watch, json_t *event, struct err *err)
{
    struct str type = text_of(event, "type");
    json_t *object = json_object_get(event, "object");
    bool removed = str_eq(type, STR("DELETED"));
    if (!json_is_object(object)) {
        return err_set(err, ERR_PARSE, "object: expected an object, got %s",
                       json_type_text(object));
    }
    if (str_eq(type, STR("BOOKMARK"))) {
        return take_bookmark(watch, object, err);
    }
    if (str_eq(type, STR("ERROR"))) {
        return take_error(watch, object, err);
    }
    if (!removed && !str_eq(type, STR("ADDED")) && !str_eq(type, STR("MODIFIED"))) {
        return err_set(err, ERR_PARSE, "type: \"%.*s\" is not a watch event",
                       (int)(type.n > 64 ? 64 : type.n), type.n > 0 ? type.p : "");
    }
    if (!see_version(watch, object, err)) {
        return false;
    }
    watch->state.n_events++;
    watch->n_expired_in_row = 0;
    hand_over(watch, object, removed);
    return true;
}

static bool take_piece(void *ctx, struct str piece, bool is_rest, struct err *err)
{
    struct k8s_watch *watch = ctx;
    auto_json *value = NULL;
    size_t used = 0;
    arena_reset(&watch->scratch);
    if (json_decode(piece, /* final= */ true, &k8s_dropped, &watch->scratch, &value, &used, err) !=
        JSON_DONE) {
        return false;
    }
    if (watch->doing != LISTING) {
        return take_event(watch, value, err);
    }
    if (is_rest) {
        return take_list_rest(watch, value, err);
    }
    if (json_is_object(value)) { /* a null among the items is nobody's object */
        (void)json_array_append(watch->page, value);
    }
    return true;
}

/* ---- the answer ---- */

void k8s_watch_head(struct k8s_watch *watch, mono_t now, const struct http_head *head)
{
    assert(watch->busy);
    watch->had_answer = true;
    watch->state.status = head->status;
    watch->retry_at =
        now + (head->retry_after_ms < MAX_RETRY_AFTER_MS ? head->retry_after_ms
                                                         : (int64_t)MAX_RETRY_AFTER_MS);
    if (head->status == 200) {
        watch->state.absent = false;
        watch->n_absent_in_row = 0;
        if (watch->doing == STREAMING) {
            begin_list(watch);
        }
    }
}

bool k8s_watch_body(struct k8s_watch *watch, mono_t now, struct str bytes)
{
    (void)now;
    assert(watch->busy);
    if (watch->state.status != 200) {
        strbuf_add(&watch->refusal, str_sub(bytes, 0, LIMIT_STATUS_BYTES - watch->refusal.n));
        return true;
    }
    if (watch->piece_failed) {
        return false;
    }
    watch->piece_failed =
        !k8s_frames_feed(&watch->frames, bytes, take_piece, watch, &watch->piece_error);
    return !watch->piece_failed;
}

/* ---- afterwards ---- */

static void start_over(struct k8s_watch *watch)
{
    watch->doing = watch->in_pages ? LISTING : STREAMING;
    watch->begun_list = false;
    watch->token.n = 0;
    watch->version.n = 0;
}

static void give_up(struct k8s_watch *watch)
{
    if (watch->settings.once) {
        watch->doing = DONE;
    }
}

/* Tries again later; `error` is set. */
static void fail(struct k8s_watch *watch, mono_t now)
{
    mono_t at = now;
    watch->has_error = true;
    watch->state.n_failures++;
    at += pace_pause(watch->state.n_failures, FIRST_PAUSE_MS, MAX_PAUSE_MS, &watch->rng);
    watch->retry_at = watch->retry_at > at ? watch->retry_at : at;
    if (watch->settings.once && watch->state.n_failures >= ONCE_TRIES) {
        watch->doing = DONE;
    }
}

/* The version to go on from, or the list at hand, is too old for the server. */
static void fail_expired(struct k8s_watch *watch, mono_t now)
{
    auto_arena arena = ARENA_INIT;
    struct k8s_status status;
    watch->state.n_expired++;
    if (watch->settings.once && watch->begun_list) {
        /* Go on from where the list is, at a newer version: what nobody has seen both ways is
         * seen one way. A server that gives no token for that leaves the list unfinished. */
        if (k8s_status_read(strbuf_str(&watch->refusal), &arena, &status) &&
            status.continue_token.n > 0 && slot_set(&watch->token, status.continue_token)) {
            return;
        }
        watch->has_error = true;
        watch->doing = DONE;
        return;
    }
    start_over(watch);
    watch->n_expired_in_row++;
    if (watch->n_expired_in_row > 1) { /* the new list was of no use: do not list without a pause */
        watch->state.n_failures = watch->n_expired_in_row - 2;
        fail(watch, now);
    }
}

/* Whether an API server says that it does not know the kind. Of a group or a definition that is not
 * there it says the first (its mux, net/http), of a resource of a group that is there the second.
 * Anybody else on the way may say 404 too: a load balancer, a proxy. */
static bool is_word_of_server(struct str body)
{
    auto_arena arena = ARENA_INIT;
    struct k8s_status status;
    return str_eq(str_trim(body), STR("404 page not found")) ||
           (k8s_status_read(body, &arena, &status) && status.code == 404 &&
            str_eq(status.reason, STR("NotFound")));
}

/* Kinds of Kubernetes itself are everywhere. Their groups have no dot, or are of k8s.io. */
static bool is_built_in(const struct k8s_kind *kind)
{
    const struct str group = str_of(kind->group);
    return str_find(group, '.') == group.n || str_ends(group, STR(".k8s.io"));
}

/* Whoever believes that a kind is gone believes that its objects are. */
static bool is_doubtful(struct k8s_watch *watch)
{
    if (watch->settings.once || watch->state.absent) {
        return false;
    }
    watch->n_absent_in_row++;
    return is_built_in(watch->settings.kind) ||
           (watch->state.synced && watch->n_absent_in_row < ABSENT_TIMES);
}

static void fail_absent(struct k8s_watch *watch, mono_t now)
{
    if (!is_word_of_server(strbuf_str(&watch->refusal))) {
        fail(watch, now);
        give_up(watch);
        return;
    }
    if (other_version(watch)) {
        start_over(watch);
        return;
    }
    if (is_doubtful(watch)) {
        first_version(watch);
        start_over(watch);
        fail(watch, now);
        const mono_t at = now + (mono_t)ABSENT_AGAIN_MS * watch->n_absent_in_row;
        watch->retry_at = at > now + MAX_PAUSE_MS ? now + MAX_PAUSE_MS : at;
        return;
    }
    watch->state.absent = true;
    watch->has_error = true;
    if (!watch->settings.once) {
        /* A kind that is not there has no objects; it may come later. */
        begin_list(watch);
        end_list(watch);
        first_version(watch);
        start_over(watch);
        watch->retry_at = now + ABSENT_PAUSE_MS;
    }
    give_up(watch);
}

static void fail_refused(struct k8s_watch *watch, mono_t now)
{
    int status = watch->state.status;
    bool may_help = status == 408 || status == 429 || status >= 500;
    (void)k8s_refused(&watch->error, verb_of(watch), watch->settings.kind->resource, status,
                      strbuf_str(&watch->refusal));
    if (status == 410) {
        fail_expired(watch, now);
    } else if (status == 404) {
        fail_absent(watch, now);
    } else if (watch->doing == STREAMING && (status == 400 || status == 422)) {
        watch->in_pages = true; /* this server cannot stream a list */
        start_over(watch);
    } else if (status == 401 && watch->state.n_failures == 0) {
        watch->has_error = true; /* at once: the credentials may have been renewed meanwhile */
        watch->state.n_failures++;
    } else {
        fail(watch, now);
        if (!may_help) {
            give_up(watch);
        }
    }
}

static void fail_unanswered(struct k8s_watch *watch, mono_t now, enum http_end end, struct str why)
{
    bool hopeless = end == HTTP_TLS || end == HTTP_NO_ADDRESS || end == HTTP_REFUSED;
    (void)k8s_unanswered(&watch->error, verb_of(watch), watch->settings.kind->resource, end, why);
    fail(watch, now);
    /* Where nobody ever answered, somebody waits for a word about it. */
    if (end == HTTP_LIMIT ||
        (!watch->had_answer && (hopeless || watch->state.n_failures >= FIRST_TRIES))) {
        give_up(watch);
    }
}

static void fail_piece(struct k8s_watch *watch, mono_t now)
{
    watch->error = watch->piece_error;
    (void)err_wrap(&watch->error, "cannot %s %s", verb_of(watch), watch->settings.kind->resource);
    if (watch->expired) {
        fail_expired(watch, now);
        return;
    }
    if (!watch->stopped) {
        start_over(watch); /* what came in between is not known */
        give_up(watch);
    }
    fail(watch, now);
}

static void finish_page(struct k8s_watch *watch, mono_t now)
{
    if (!watch->begun_list) {
        begin_list(watch);
    }
    for (size_t i = 0; i < json_array_size(watch->page); i++) {
        hand_over(watch, json_array_get(watch->page, i), /* removed= */ false);
    }
    (void)json_array_clear(watch->page);
    watch->retry_at = now;
    watch->state.n_failures = 0;
    (void)slot_set(&watch->token, slot_str(&watch->next_token));
    if (watch->token.n == 0) {
        (void)slot_set(&watch->version, slot_str(&watch->list_version));
        watch->doing = watch->settings.once ? DONE : WATCHING;
        end_list(watch);
    }
}

/* The stream is over, with or without a word. Whatever came of it has been handed over. */
static void finish_watch(struct k8s_watch *watch, mono_t now, enum http_end end, struct str why)
{
    bool is_short = now - watch->asked_at < SHORT_WATCH_MS;
    bool had_events = watch->state.n_events > watch->events_before;
    watch->retry_at = now;
    if (watch->doing == STREAMING) {
        fail_unanswered(watch, now, end, why);
    } else if (is_short && !had_events) {
        fail_unanswered(watch, now, end, why);
    } else {
        watch->state.n_failures = 0;
        watch->has_error = false;
    }
}

void k8s_watch_end(struct k8s_watch *watch, mono_t now, enum http_end end, struct str why)
{
    assert(watch->busy);
    watch->busy = false;
    if (watch->state.status == 0) {
        fail_unanswered(watch, now, end, why);
    } else if (watch->state.status != 200) {
        fail_refused(watch, now);
    } else if (watch->piece_failed) {
        fail_piece(watch, now);
    } else if (watch->doing != LISTING) {
        finish_watch(watch, now, end, why);
    } else if (end == HTTP_COMPLETE && k8s_frames_complete(&watch->frames)) {
        finish_page(watch, now);
    } else {
        fail_unanswered(watch, now, end, why);
    }
}

struct k8s_watch_state k8s_watch_state(const struct k8s_watch *watch)
{
    struct k8s_watch_state state = watch->state;
    state.version = slot_str(&watch->version);
    state.api_version = watch->api_version;
    return state;
}

bool k8s_watch_error(const struct k8s_watch *watch, struct err *ret_err)
{
    if (watch->has_error) {
        *ret_err = watch->error;
    }
    return watch->has_error;
}

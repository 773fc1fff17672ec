/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/lease.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/json_decode.h"
#include "base/jsonw.h"
#include "base/rfc3339.h"
#include "base/rng.h"
#include "k8s/kinds.h"
#include "k8s/rest.h"

enum {
    DURATION_MS = 15000,
    DEADLINE_MS = 10000,
    RETRY_MS = 2000,
    MAX_DURATION_S = 3600, /* of what others write */
    NAME_BYTES = 254,
    VERSION_BYTES = 128,
    PATH_BYTES = 1024,
    BODY_BYTES = 4096,
    ANSWER_BYTES = 1 << 20,
    TRANSITIONS_MAX = 1 << 30,
    MAX_RELEASES = 3
};

enum step { LOOK, CREATE, WRITE, RELEASE };

struct text {
    char p[NAME_BYTES];
    size_t n;
};

struct k8s_lease {
    struct k8s_lease_settings settings; /* its texts are in `arena` */
    struct arena arena;                 /* for good */
    struct arena scratch;               /* of the request under way */
    struct rng rng;

    /* What was last seen, and since when it has been so. */
    bool seen, absent;
    struct text holder;
    char version[VERSION_BYTES];
    size_t version_n;
    wall_t acquired;
    int64_t transitions, duration_ms;
    mono_t seen_at;

    /* What is under way. */
    bool busy;
    enum step step;
    mono_t asked_at;
    wall_t asked_wall;

    /* What follows from it. */
    bool has_held; /* a write of ours has succeeded and nobody else has been seen since */
    mono_t held_from;
    wall_t held_wall; /* wall clock at that moment */
    mono_t next_at;
    bool begun, releasing, released;
    uint32_t n_releases, n_failures;
    int status;
    uint64_t n_taken, n_lost;
};

static const struct k8s_kind lease_kind = {.name = "Lease",
                                           .resource = "leases",
                                           .group = "coordination.k8s.io",
                                           .version = "v1",
                                           .also = "",
                                           .namespaced = true,
                                           .workload = -1};

struct k8s_lease *k8s_lease_new(const struct k8s_lease_settings *settings)
{
    struct arena arena = ARENA_INIT;
    struct k8s_lease *lease = ARENA_NEW(&arena, struct k8s_lease);
    lease->settings = *settings;
    lease->settings.ns = str_copy(&arena, settings->ns);
    lease->settings.name = str_copy(&arena, settings->name);
    lease->settings.identity = str_copy(&arena, str_sub(settings->identity, 0, NAME_BYTES));
    if (lease->settings.duration_ms == 0) {
        lease->settings.duration_ms = DURATION_MS;
    }
    if (lease->settings.deadline_ms == 0) {
        lease->settings.deadline_ms = DEADLINE_MS;
    }
    if (lease->settings.retry_ms == 0) {
        lease->settings.retry_ms = RETRY_MS;
    }
    assert(lease->settings.retry_ms < lease->settings.deadline_ms &&
           lease->settings.deadline_ms < lease->settings.duration_ms &&
           lease->settings.identity.n > 0);
    lease->rng = (struct rng){settings->seed};
    lease->arena = arena;
    return lease;
}

void k8s_lease_free(struct k8s_lease *lease)
{
    if (lease != NULL) {
        struct arena arena = lease->arena;
        arena_done(&lease->scratch);
        arena_done(&arena);
    }
}

static bool is_ours(const struct k8s_lease *lease)
{
    struct str holder = {.p = lease->holder.p, .n = lease->holder.n};
    return lease->seen && !lease->absent && str_eq(holder, lease->settings.identity);
}

bool k8s_lease_holds(const struct k8s_lease *lease, mono_t now, wall_t wall)
{
    int64_t deadline = lease->settings.deadline_ms;
    return lease->has_held && !lease->releasing && now - lease->held_from < deadline &&
           wall - lease->held_wall < deadline;
}

void k8s_lease_release(struct k8s_lease *lease)
{
    lease->releasing = true;
    lease->next_at = INT64_MIN; /* at once */
}

/* ---- what to ask ---- */

/* With six digits of fraction, as the API server wants it (metav1.MicroTime). */
static void key_time(struct jsonw *w, const char *key, wall_t time)
{
    char text[RFC3339_TEXT_MAX], micro[RFC3339_TEXT_MAX + 8];
    struct str plain = rfc3339_format(time, text);
    bool has_fraction = str_find(plain, '.') < plain.n;
    int n = snprintf(micro, sizeof micro, STR_FMT "%sZ", STR_ARG(str_sub(plain, 0, plain.n - 1)),
                     has_fraction ? "000" : ".000000");
    jsonw_key_str(w, key, (struct str){.p = micro, .n = (size_t)n});
}

/* The Lease as it shall be. Patches name the version that they are for. */
static struct str body_of(struct k8s_lease *lease, wall_t wall)
{
    bool ours = is_ours(lease), release = lease->step == RELEASE;
    struct strbuf out = strbuf_new(&lease->scratch, BODY_BYTES);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    jsonw_object_begin(&w);
    if (lease->step == CREATE) {
        jsonw_key_str(&w, "apiVersion", STR("coordination.k8s.io/v1"));
        jsonw_key_str(&w, "kind", STR("Lease"));
    }
    jsonw_key_object(&w, "metadata");
    if (lease->step == CREATE) {
        jsonw_key_str(&w, "name", lease->settings.name);
        jsonw_key_str(&w, "namespace", lease->settings.ns);
    } else {
        struct str version = {.p = lease->version, .n = lease->version_n};
        jsonw_key_str(&w, "resourceVersion", version);
    }
    jsonw_object_end(&w);
    jsonw_key_object(&w, "spec");
    jsonw_key_str(&w, "holderIdentity", release ? STR_EMPTY : lease->settings.identity);
    jsonw_key_i64(&w, "leaseDurationSeconds", release ? 1 : lease->settings.duration_ms / 1000);
    key_time(&w, "acquireTime", ours && !release ? lease->acquired : wall);
    key_time(&w, "renewTime", wall);
    jsonw_key_i64(&w, "leaseTransitions",
                  lease->step == CREATE ? 0 : lease->transitions + (ours ? 0 : 1));
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    return strbuf_str(&out);
}

static struct http_request request_of(struct k8s_lease *lease, wall_t wall)
{
    struct strbuf path = strbuf_new(&lease->scratch, PATH_BYTES);
    struct http_request request = {.method = HTTP_GET, .accept = STR("application/json")};
    k8s_path(&path, &lease_kind, STR_EMPTY, lease->settings.ns,
             lease->step == CREATE ? STR_EMPTY : lease->settings.name, STR_EMPTY);
    request.path = strbuf_str(&path);
    request.total_ms = lease->settings.deadline_ms / 2; /* one failure is not the end */
    request.body_max = ANSWER_BYTES;
    if (lease->step != LOOK) {
        request.method = lease->step == CREATE ? HTTP_POST : HTTP_PATCH;
        request.content_type =
            lease->step == CREATE ? STR("application/json") : STR("application/merge-patch+json");
        request.body = body_of(lease, wall);
    }
    return request;
}

/* What is to be done by what was last seen; LOOK when it may have changed meanwhile. */
static enum step step_of(const struct k8s_lease *lease, mono_t now)
{
    if (!lease->seen) {
        return LOOK;
    }
    if (lease->releasing) {
        return RELEASE;
    }
    if (lease->absent) {
        return CREATE;
    }
    bool free = lease->holder.n == 0 || now - lease->seen_at >= lease->duration_ms;
    return is_ours(lease) || free ? WRITE : LOOK;
}

enum k8s_lease_want k8s_lease_next(struct k8s_lease *lease, mono_t now, wall_t wall,
                                   struct http_request *ret_request, mono_t *ret_at)
{
    if (lease->busy) {
        return K8S_LEASE_BUSY;
    }
    /* Only what is ours can be given up; what may be is looked at. */
    bool given_up = lease->releasing && (lease->seen ? !is_ours(lease) : !lease->has_held);
    if (lease->released || given_up) {
        return K8S_LEASE_DONE;
    }
    if (lease->begun && now < lease->next_at) {
        *ret_at = lease->next_at;
        return K8S_LEASE_WAIT;
    }
    arena_done(&lease->scratch);
    lease->step = step_of(lease, now);
    lease->busy = lease->begun = true;
    lease->asked_at = now;
    lease->asked_wall = wall;
    *ret_request = request_of(lease, wall);
    return K8S_LEASE_ASK;
}

/* ---- what was answered ---- */

static struct str text_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value)
               ? (struct str){.p = json_string_value(value), .n = json_string_length(value)}
               : STR_EMPTY;
}

static void keep(char *into, size_t size, size_t *n, struct str text)
{
    *n = text.n < size ? text.n : size;
    for (size_t i = 0; i < *n; i++) {
        into[i] = text.p[i];
    }
}

/* True: it is a Lease, and what is kept of it is as it says. The time since when it has been so
 * begins anew only when something has changed. */
static bool read_lease(struct k8s_lease *lease, mono_t now, struct str body)
{
    auto_json *root = NULL;
    struct err ignored;
    if (!json_decode_text(body, &lease->scratch, &root, &ignored)) {
        return false;
    }
    const json_t *spec = json_object_get(root, "spec");
    struct str version = text_at(json_object_get(root, "metadata"), "resourceVersion");
    struct str had = {.p = lease->version, .n = lease->version_n};
    if (version.n == 0 || version.n > VERSION_BYTES) {
        return false;
    }
    json_int_t seconds = json_integer_value(json_object_get(spec, "leaseDurationSeconds"));
    json_int_t transitions = json_integer_value(json_object_get(spec, "leaseTransitions"));
    if (!lease->seen || lease->absent || !str_eq(version, had)) {
        lease->seen_at = now;
    }
    keep(lease->version, VERSION_BYTES, &lease->version_n, version);
    keep(lease->holder.p, NAME_BYTES, &lease->holder.n, text_at(spec, "holderIdentity"));
    if (!rfc3339_parse(text_at(spec, "acquireTime"), &lease->acquired, NULL)) {
        lease->acquired = lease->asked_wall;
    }
    lease->duration_ms =
        seconds > 0 && seconds <= MAX_DURATION_S ? seconds * 1000 : lease->settings.duration_ms;
    lease->transitions = transitions > 0 && transitions < TRANSITIONS_MAX ? transitions : 0;
    lease->seen = true;
    lease->absent = false;
    return true;
}

static void on_written(struct k8s_lease *lease)
{
    if (lease->step == RELEASE || !is_ours(lease)) {
        return;
    }
    lease->n_taken += lease->has_held ? 0 : 1;
    lease->has_held = true;
    lease->held_from = lease->asked_at;
    lease->held_wall = lease->asked_wall;
}

/* Somebody else's, or nobody's: what was ours is over. */
static void look_for_loss(struct k8s_lease *lease)
{
    if (lease->has_held && (lease->absent || !is_ours(lease))) {
        lease->has_held = false;
        lease->n_lost++;
    }
}

/* Candidates come back at random moments, lest they all come together. */
static void set_next(struct k8s_lease *lease, mono_t now, bool at_once)
{
    int64_t retry = lease->settings.retry_ms;
    int64_t jitter = is_ours(lease) ? 0 : rng_below(&lease->rng, (uint32_t)(retry * 6 / 5));
    lease->next_at = at_once ? now : now + retry + jitter;
}

void k8s_lease_answer(struct k8s_lease *lease, mono_t now, wall_t wall, enum http_end end,
                      int status, struct str body)
{
    bool at_once = false, good = end == HTTP_COMPLETE;
    (void)wall;
    assert(lease->busy);
    lease->busy = false;
    lease->status = status;
    if (good && status >= 200 && status < 300 && read_lease(lease, now, body)) {
        if (lease->step != LOOK) {
            on_written(lease);
        } else {
            /* What is free can be taken now. */
            at_once = step_of(lease, now) == WRITE;
        }
    } else if (good && status == 404 && lease->step != CREATE) {
        lease->seen = lease->absent = true;
        at_once = lease->step == LOOK;
    } else if (good && status == 409) {
        lease->seen = false; /* changed by somebody: look before anything else */
        at_once = true;
    } else {
        good = false;
        /* A write without an answer may have been made: only looking tells its version. */
        lease->seen = lease->seen && lease->step == LOOK;
    }
    lease->n_failures = good ? 0 : lease->n_failures + 1;
    if (lease->seen) {
        look_for_loss(lease);
    }
    /* Refused because something had changed: looked at and tried again, not for ever. */
    lease->n_releases += lease->step == RELEASE ? 1 : 0;
    bool again = good && (lease->step != RELEASE || status == 409);
    lease->released = lease->releasing && (!again || lease->n_releases >= MAX_RELEASES) &&
                      (lease->step == LOOK || lease->step == RELEASE);
    set_next(lease, now, at_once || lease->releasing);
}

struct k8s_lease_state k8s_lease_state(const struct k8s_lease *lease)
{
    bool known = lease->seen && !lease->absent;
    return (struct k8s_lease_state){
        .holder = known ? (struct str){.p = lease->holder.p, .n = lease->holder.n} : STR_EMPTY,
        .is_ours = is_ours(lease),
        .n_failures = lease->n_failures,
        .status = lease->status,
        .n_taken = lease->n_taken,
        .n_lost = lease->n_lost,
    };
}

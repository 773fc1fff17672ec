/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/engine/tell.h"

#include <string.h>

#include "base/pace.h"
#include "k8s/events.h"
#include "provisioner/engine/engine_impl.h"

enum {
    FAILED_BURST = 64,
    FAILED_PER_S = 5,
    NOMINATED_BURST = 10, /* (karp: PodNominationRateLimiter) */
    NOMINATED_PER_S = 5,
    CLAIMS_BURST = 100,
    CLAIMS_PER_S = 20,
    FAILED_WINDOW_MS = 5 * 60 * 1000, /* (karp: FailedScheduling) */
    UNDER_WAY_MAX = 256,
    MESSAGE_MAX = 1024,
    TEXT_MAX = 254
};

struct text {
    uint16_t n;
    char p[TEXT_MAX];
};

/* An Event that is being written; k8s_events is told its end. */
struct telling {
    uint64_t id; /* 0: free */
    struct k8s_event event;
    struct text ns, name, uid;
    uint16_t n_message;
    char message[MESSAGE_MAX];
};

struct tell {
    struct arena arena;
    struct k8s_events *events; /* NULL: nothing has been said yet */
    struct bucket failed, nominated, claims;
    struct telling under_way[UNDER_WAY_MAX];
};

struct tell *tell_new(void)
{
    struct arena arena = ARENA_INIT;
    struct tell *tell = ARENA_NEW(&arena, struct tell);
    tell->arena = arena;
    tell->failed = (struct bucket){.burst = FAILED_BURST, .per_s = FAILED_PER_S};
    tell->nominated = (struct bucket){.burst = NOMINATED_BURST, .per_s = NOMINATED_PER_S};
    tell->claims = (struct bucket){.burst = CLAIMS_BURST, .per_s = CLAIMS_PER_S};
    return tell;
}

void tell_free(struct tell *tell)
{
    if (tell != NULL) {
        k8s_events_free(tell->events);
        struct arena arena = tell->arena;
        arena_done(&arena);
    }
}

void tell_restart(struct tell *tell)
{
    for (size_t i = 0; i < UNDER_WAY_MAX; i++) {
        tell->under_way[i].id = 0;
    }
}

/* ---- saying ---- */

static struct str keep(struct text *text, struct str s)
{
    text->n = (uint16_t)(s.n < TEXT_MAX ? s.n : TEXT_MAX);
    if (text->n > 0) {
        memcpy(text->p, s.p, text->n);
    }
    return (struct str){.p = text->p, .n = text->n};
}

static void remember(struct telling *telling, const struct k8s_event *event, uint64_t id)
{
    const struct str message = str_sub(event->message, 0, MESSAGE_MAX);
    telling->id = id;
    telling->event = *event;
    telling->event.about.ns = keep(&telling->ns, event->about.ns);
    telling->event.about.name = keep(&telling->name, event->about.name);
    telling->event.about.uid = keep(&telling->uid, event->about.uid);
    telling->n_message = (uint16_t)message.n;
    memcpy(telling->message, message.p, message.n);
    telling->event.message = (struct str){.p = telling->message, .n = telling->n_message};
    telling->event.same_as = telling->event.about.uid;
}

/* What the window lets through takes a token. False: there is none, for any other either. */
static bool say(struct engine *engine, struct bucket *bucket, const struct k8s_event *event,
                struct moment now, struct actions *actions)
{
    struct tell *tell = engine->tell;
    struct telling *free = NULL;
    struct k8s_write write;
    mono_t at = 0;
    for (size_t i = 0; i < UNDER_WAY_MAX && free == NULL; i++) {
        free = tell->under_way[i].id == 0 ? &tell->under_way[i] : NULL;
    }
    if (free == NULL || !bucket_take(bucket, now.mono, &at)) {
        return false;
    }
    if (tell->events == NULL) {
        /* Names of Events must differ from those of runs before. */
        tell->events = k8s_events_new(STR("karpenter"), (uint64_t)now.wall);
    }
    if (k8s_events_say(tell->events, event, now.mono, now.wall, actions->arena, &write) ==
        K8S_EVENT_DROPPED) {
        bucket_give_back(bucket);
        return true;
    }
    remember(free, event, ++engine->last_id);
    VEC_PUSH(actions->arena, &actions->v,
             ((struct action){.type = ACTION_WRITE, .id = free->id, .write = write}));
    return true;
}

bool tell_answer(struct engine *engine, const struct event *event, struct moment now,
                 struct actions *actions)
{
    struct tell *tell = engine->tell;
    for (size_t i = 0; event->type == EVENT_WRITTEN && i < UNDER_WAY_MAX; i++) {
        struct telling *telling = &tell->under_way[i];
        if (telling->id == 0 || telling->id != event->id) {
            continue;
        }
        const struct telling was = *telling;
        struct k8s_event again = was.event;
        again.about.ns.p = was.ns.p;
        again.about.name.p = was.name.p;
        again.about.uid.p = was.uid.p;
        again.same_as.p = was.uid.p;
        again.message.p = was.message;
        telling->id = 0;
        if (k8s_events_answer(tell->events, &again, event->written.outcome)) {
            (void)say(engine, &tell->claims, &again, now, actions);
        }
        return true;
    }
    return false;
}

/* ---- pods ---- */

static const struct k8s_kind *kind_of(const char *name)
{
    const struct k8s_kind *kind = NULL;
    return k8s_kind_find(str_of(name), STR_EMPTY, &kind) == K8S_MATCH_YES ? kind : NULL;
}

/* "namespace/name"; NULL: it has gone. */
static const struct k8s_pod *pod_of(const struct engine *engine, struct str name)
{
    const size_t slash = str_find(name, '/');
    const struct k8s_identity id = {.ns = str_sub(name, 0, slash),
                                    .name = str_sub(name, slash + 1, name.n)};
    return k8s_state_find(engine->state, kind_of("Pod"), &id);
}

static bool say_pod(struct engine *engine, struct bucket *bucket, const struct k8s_pod *pod,
                    const struct k8s_event *of, struct moment now, struct actions *actions)
{
    struct k8s_event event = *of;
    event.about = (struct k8s_event_about){.kind = "Pod",
                                           .api_version = "v1",
                                           .ns = strtab_str(k8s_state_tab(engine->state), pod->ns),
                                           .name = pod->name,
                                           .uid = pod->uid};
    event.same_as = pod->uid;
    return say(engine, bucket, &event, now, actions);
}

static bool nominate(struct engine *engine, struct str name, struct str where, struct moment now,
                     struct actions *actions)
{
    const struct k8s_pod *pod = pod_of(engine, name);
    struct strbuf message = strbuf_new(actions->arena, MESSAGE_MAX);
    strbuf_addf(&message, "Pod should schedule on: " STR_FMT, STR_ARG(where));
    const struct k8s_event event = {.reason = "Nominated", .message = strbuf_str(&message)};
    return pod == NULL || say_pod(engine, &engine->tell->nominated, pod, &event, now, actions);
}

void tell_nominated(struct engine *engine, const struct claim_wanted *claim, struct moment now,
                    struct actions *actions)
{
    struct strbuf where = strbuf_new(actions->arena, MESSAGE_MAX);
    strbuf_addf(&where, "nodeclaim/" STR_FMT, STR_ARG(claim->name));
    for (uint32_t i = 0; i < claim->n_pods; i++) {
        if (!nominate(engine, claim->pods[i], strbuf_str(&where), now, actions)) {
            return;
        }
    }
}

/* "nodeclaim/a, node/b" of a Node; "nodeclaim/a" of a NodeClaim that has none yet. */
static struct str where_of(const struct engine *engine, struct str name, struct arena *arena)
{
    const struct k8s_identity id = {.name = name};
    const struct k8s_node *node = k8s_state_find(engine->state, kind_of("Node"), &id);
    struct strbuf where = strbuf_new(arena, MESSAGE_MAX);
    for (uint32_t i = 0; node != NULL && i < node->meta.n_owners; i++) {
        const struct str kind = strtab_str(k8s_state_tab(engine->state), node->meta.owners[i].kind);
        if (str_eq(kind, STR("NodeClaim"))) {
            strbuf_addf(&where, "nodeclaim/" STR_FMT ", ", STR_ARG(node->meta.owners[i].name));
        }
    }
    strbuf_addf(&where, "%s/" STR_FMT, node == NULL ? "nodeclaim" : "node", STR_ARG(name));
    return strbuf_str(&where);
}

void tell_round(struct engine *engine, const struct round_result *result, struct moment now,
                struct actions *actions)
{
    for (uint32_t i = 0; i < result->n_failed; i++) {
        const struct round_unplaced *failed = &result->failed[i];
        const struct k8s_pod *pod = pod_of(engine, failed->pod);
        struct strbuf message = strbuf_new(actions->arena, 2 * MESSAGE_MAX);
        strbuf_add(&message, STR("Failed to schedule pod, "));
        strbuf_add(&message, str_sub(failed->message, 0, MESSAGE_MAX));
        const struct k8s_event event = {.warning = true,
                                        .reason = "FailedScheduling",
                                        .message = str_sub(strbuf_str(&message), 0, MESSAGE_MAX),
                                        .window_ms = FAILED_WINDOW_MS};
        if (pod != NULL && !say_pod(engine, &engine->tell->failed, pod, &event, now, actions)) {
            break;
        }
    }
    for (uint32_t i = 0; i < result->n_placed; i++) {
        const struct str where = where_of(engine, result->placed[i].node, actions->arena);
        if (!nominate(engine, result->placed[i].pod, where, now, actions)) {
            break;
        }
    }
}

/* ---- NodeClaims ---- */

static void say_claim_event(struct engine *engine, const struct karp_nodeclaim *claim,
                            const struct k8s_event *of, struct moment now, struct actions *actions)
{
    struct k8s_event event = *of;
    event.about = (struct k8s_event_about){.kind = "NodeClaim",
                                           .api_version = "karpenter.sh/v1",
                                           .name = claim->meta.name,
                                           .uid = claim->meta.uid};
    event.same_as = claim->meta.uid;
    (void)say(engine, &engine->tell->claims, &event, now, actions);
}

void tell_condition(struct engine *engine, const struct karp_nodeclaim *claim, const char *type,
                    struct moment now, struct actions *actions)
{
    struct strbuf message = strbuf_new(actions->arena, MESSAGE_MAX);
    strbuf_addf(&message,
                "Status condition transitioned, Type: %s, Status: Unknown -> True, Reason: %s",
                type, type);
    const struct k8s_event event = {.reason = type, .message = strbuf_str(&message)};
    say_claim_event(engine, claim, &event, now, actions);
}

void tell_no_capacity(struct engine *engine, const struct karp_nodeclaim *claim, struct moment now,
                      struct actions *actions)
{
    struct strbuf message = strbuf_new(actions->arena, MESSAGE_MAX);
    strbuf_addf(&message,
                "NodeClaim " STR_FMT " event: creating nodeclaim, insufficient capacity, all "
                "requested instance types were unavailable during launch",
                STR_ARG(claim->meta.name));
    const struct k8s_event event = {
        .warning = true, .reason = "InsufficientCapacityError", .message = strbuf_str(&message)};
    say_claim_event(engine, claim, &event, now, actions);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/events.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "base/rfc3339.h"
#include "k8s/kinds.h"

enum {
    WINDOW_MS = 2 * 60 * 1000,
    BUDGET = 25,
    REFILL_MS = 5 * 60 * 1000, /* for one more */
    MESSAGE_BYTES = 1024,      /* that the API server takes */
    BODY_BYTES = 1 << 16,
    NAME_BYTES = 320,
    OBJECT_BYTES = 230, /* of the object's name within the Event's: 253 in all */
    WAYS = 8,
    SETS = 512
};

/* What is remembered goes by a digest of 64 bits, into one of `WAYS` places of its set; the one
 * that was used longest ago makes room. */
struct memory {
    uint64_t key; /* 0: nothing */
    mono_t used;
    mono_t until;        /* windows: the end */
    uint64_t number;     /* Events: of which their name is made */
    int64_t count;       /* Events: how often it has been said */
    int64_t spent_milli; /* budgets: thousandths of an event, as of `used` */
};

enum table { WINDOWS, EVENTS, BUDGETS, N_TABLES };

struct k8s_events {
    struct arena arena;
    struct str component;
    uint64_t number, n_dropped;
    struct memory tables[N_TABLES][SETS][WAYS];
};

static const struct k8s_kind event_kind = {.name = "Event",
                                           .resource = "events",
                                           .group = "",
                                           .version = "v1",
                                           .also = "",
                                           .namespaced = true,
                                           .workload = -1};

struct k8s_events *k8s_events_new(struct str component, uint64_t seed)
{
    struct arena arena = ARENA_INIT;
    struct k8s_events *events = ARENA_NEW(&arena, struct k8s_events);
    events->component = str_copy(&arena, component);
    events->number = seed << 16;
    events->arena = arena;
    return events;
}

void k8s_events_free(struct k8s_events *events)
{
    if (events != NULL) {
        struct arena arena = events->arena;
        arena_done(&arena);
    }
}

uint64_t k8s_events_dropped(const struct k8s_events *events)
{
    return events->n_dropped;
}

/* ---- memory ---- */

/* The place of a key; `key` in it is another one's or 0 when it is new. */
static struct memory *place_of(struct k8s_events *events, enum table table, uint64_t key)
{
    struct memory *set = events->tables[table][key % SETS], *oldest = &set[0];
    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            return &set[i];
        }
        bool older =
            set[i].key == 0 ? oldest->key != 0 : oldest->key != 0 && set[i].used < oldest->used;
        oldest = older ? &set[i] : oldest;
    }
    return oldest;
}

static uint64_t mix(uint64_t key, struct str text)
{
    key = (key ^ str_hash(text)) * UINT64_C(0x9e3779b97f4a7c15);
    return key ^ (key >> 29);
}

static uint64_t object_key(const struct k8s_event_about *about)
{
    uint64_t key = mix(mix(1, str_of(about->kind)), str_of(about->api_version));
    return mix(mix(mix(key, about->ns), about->name), about->uid) | 1;
}

static uint64_t event_key(const struct k8s_event *event)
{
    uint64_t key = mix(object_key(&event->about), event->warning ? STR("Warning") : STR("Normal"));
    return mix(mix(key, str_of(event->reason)), event->message) | 1;
}

static uint64_t window_key(const struct k8s_event *event)
{
    return mix(mix(2, str_of(event->reason)), event->same_as) | 1;
}

static bool in_window(struct k8s_events *events, const struct k8s_event *event, mono_t now)
{
    uint64_t key = window_key(event);
    struct memory *window = place_of(events, WINDOWS, key);
    if (window->key == key && now < window->until) {
        return true;
    }
    *window = (struct memory){.key = key,
                              .used = now,
                              .until = now + (event->window_ms > 0 ? event->window_ms : WINDOW_MS)};
    return false;
}

static bool has_budget(struct k8s_events *events, const struct k8s_event *event, mono_t now)
{
    uint64_t key = object_key(&event->about);
    struct memory *budget = place_of(events, BUDGETS, key);
    if (budget->key != key) {
        *budget = (struct memory){.key = key, .used = now};
    }
    int64_t back = (now - budget->used) * 1000 / REFILL_MS;
    int64_t spent = budget->spent_milli > back ? budget->spent_milli - back : 0;
    if (spent + 1000 > BUDGET * 1000) {
        return false; /* `used` stays: no fraction of the refill is lost */
    }
    budget->spent_milli = spent + 1000;
    budget->used = now;
    return true;
}

/* ---- what is written ---- */

static void key_time(struct jsonw *w, const char *key, wall_t wall)
{
    char text[RFC3339_TEXT_MAX];
    jsonw_key_str(w, key, rfc3339_format(wall / 1000 * 1000, text)); /* metav1.Time: seconds */
}

static struct str name_of(const struct k8s_event *event, uint64_t number, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, NAME_BYTES);
    strbuf_add(&out, str_sub(event->about.name, 0, OBJECT_BYTES));
    strbuf_addf(&out, ".%" PRIx64, number);
    return strbuf_str(&out);
}

static struct str creation(const struct k8s_events *events, const struct k8s_event *event,
                           struct str name, struct str ns, wall_t wall, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, BODY_BYTES);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "apiVersion", STR("v1"));
    jsonw_key_str(&w, "kind", STR("Event"));
    jsonw_key_object(&w, "metadata");
    jsonw_key_str(&w, "name", name);
    jsonw_key_str(&w, "namespace", ns);
    jsonw_object_end(&w);
    jsonw_key_object(&w, "involvedObject");
    jsonw_key_str(&w, "kind", str_of(event->about.kind));
    jsonw_key_str(&w, "apiVersion", str_of(event->about.api_version));
    if (event->about.ns.n > 0) {
        jsonw_key_str(&w, "namespace", event->about.ns);
    }
    jsonw_key_str(&w, "name", event->about.name);
    jsonw_key_str(&w, "uid", event->about.uid);
    jsonw_object_end(&w);
    jsonw_key_str(&w, "type", event->warning ? STR("Warning") : STR("Normal"));
    jsonw_key_str(&w, "reason", str_of(event->reason));
    jsonw_key_str(&w, "message", str_sub(event->message, 0, MESSAGE_BYTES));
    jsonw_key_object(&w, "source");
    jsonw_key_str(&w, "component", events->component);
    jsonw_object_end(&w);
    jsonw_key_str(&w, "reportingComponent", events->component);
    jsonw_key_i64(&w, "count", 1);
    key_time(&w, "firstTimestamp", wall);
    key_time(&w, "lastTimestamp", wall);
    jsonw_object_end(&w);
    return strbuf_str(&out);
}

static struct str counting(int64_t count, wall_t wall, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, BODY_BYTES);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_i64(&w, "count", count);
    key_time(&w, "lastTimestamp", wall);
    jsonw_object_end(&w);
    return strbuf_str(&out);
}

enum k8s_event_fate k8s_events_say(struct k8s_events *events, const struct k8s_event *event,
                                   mono_t now, wall_t wall, struct arena *arena,
                                   struct k8s_write *ret_write)
{
    if (in_window(events, event, now) || !has_budget(events, event, now)) {
        events->n_dropped++;
        return K8S_EVENT_DROPPED;
    }
    uint64_t key = event_key(event);
    struct memory *known = place_of(events, EVENTS, key);
    bool again = known->key == key;
    if (!again) {
        *known = (struct memory){.key = key, .number = ++events->number};
    }
    known->count++;
    known->used = now;
    /* Events of objects without a namespace go where kubectl looks for them. */
    struct str ns = event->about.ns.n > 0 ? event->about.ns : STR("default");
    struct str name = name_of(event, known->number, arena);
    *ret_write = (struct k8s_write){
        .verb = again ? K8S_WRITE_MERGE_PATCH : K8S_WRITE_CREATE,
        .kind = &event_kind,
        .ns = ns,
        .name = again ? name : STR_EMPTY,
        .body = again ? counting(known->count, wall, arena)
                      : creation(events, event, name, ns, wall, arena),
        .grace_s = -1,
    };
    return again ? K8S_EVENT_COUNT : K8S_EVENT_CREATE;
}

bool k8s_events_answer(struct k8s_events *events, const struct k8s_event *event,
                       enum k8s_outcome outcome)
{
    uint64_t key = event_key(event);
    struct memory *known = place_of(events, EVENTS, key);
    if (outcome == K8S_WRITE_DONE || known->key != key) {
        return false;
    }
    bool counted = known->count > 1;
    bool again = outcome == (counted ? K8S_WRITE_NOT_FOUND : K8S_WRITE_ALREADY_EXISTS);
    if (again || !counted) {
        *known = (struct memory){.key = 0};
    }
    if (again) {
        *place_of(events, WINDOWS, window_key(event)) = (struct memory){.key = 0};
    }
    return again;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "watch_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

void model_init(struct model *model, struct rng *rng, struct arena *arena)
{
    *model = (struct model){.rng = rng, .version = 100, .compacted = 100};
    model->events = ARENA_ARRAY(arena, struct model_event, MODEL_EVENTS);
}

static bool chance(struct model *model, uint32_t percent)
{
    return rng_below(model->rng, 100) < percent;
}

static void happen(struct model *model, uint32_t name, char type)
{
    struct model_object *object = &model->objects[name];
    if (model->n_events == MODEL_EVENTS) {
        fprintf(stderr, "the model is full\n");
        abort();
    }
    model->version += 1 + rng_below(model->rng, 3); /* other kinds have versions too */
    object->version = model->version;
    model->events[model->n_events++] = (struct model_event){
        .version = model->version, .name = name, .uid = object->uid, .type = type};
}

void model_change(struct model *model)
{
    uint32_t name = rng_below(model->rng, MODEL_NAMES);
    struct model_object *object = &model->objects[name];
    if (!object->alive) {
        object->alive = true;
        object->uid = ++model->last_uid;
        happen(model, name, 'A');
    } else if (chance(model, 50)) {
        happen(model, name, 'M');
    } else {
        happen(model, name, 'D');
        object->alive = false;
        if (chance(model, 60)) { /* and made again at once, under the same name */
            object->alive = true;
            object->uid = ++model->last_uid;
            happen(model, name, 'A');
        }
    }
}

void model_compact(struct model *model)
{
    uint64_t span = model->version - model->compacted;
    model->compacted += span == 0 ? 0 : rng_below(model->rng, (uint32_t)span + 1);
}

/* ---- answers ---- */

static struct str query(struct str path, const char *key)
{
    struct str rest = str_sub(path, str_find(path, '?') + 1, path.n);
    while (rest.n > 0) {
        struct str pair = str_sub(rest, 0, str_find(rest, '&'));
        size_t equals = str_find(pair, '=');
        if (str_eq(str_sub(pair, 0, equals), str_of(key))) {
            return str_sub(pair, equals + 1, pair.n);
        }
        rest = str_sub(rest, pair.n + 1, rest.n);
    }
    return STR_EMPTY;
}

static uint64_t number(struct str text)
{
    uint64_t n = 0;
    if (text.n > 0 && !str_to_u64(text, &n)) {
        fprintf(stderr, "no number: " STR_FMT "\n", STR_ARG(text));
        abort();
    }
    return n;
}

static void put_object(struct strbuf *b, uint32_t name, uint64_t uid, uint64_t version)
{
    strbuf_addf(
        b,
        "{\"metadata\":{\"name\":\"o%u\",\"namespace\":\"n%u\",\"uid\":\"u%llu\","
        "\"resourceVersion\":\"%llu\",\"managedFields\":[{}]},\"spec\":{\"a\":\"}]\\\"{\"}}",
        name, name % 3, (unsigned long long)uid, (unsigned long long)version);
}

static void refuse(struct model_answer *answer, int status, const char *reason)
{
    answer->status = status;
    strbuf_addf(
        &answer->body,
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"%s\","
        "\"message\":\"%s\",\"code\":%d}",
        reason, reason, status);
}

/* A page; the token is "snapshot-name". */
static void list(struct model *model, struct str path, struct model_answer *answer)
{
    struct str token = query(path, "continue");
    uint64_t limit = number(query(path, "limit"));
    uint32_t name = 0, snapshot = model->n_snapshots % MODEL_SNAPSHOTS, n = 0;
    if (token.n > 0) {
        size_t dash = str_find(token, '-');
        snapshot = (uint32_t)number(str_sub(token, 0, dash));
        name = (uint32_t)number(str_sub(token, dash + 1, token.n));
        if (model->snapshots[snapshot].version < model->compacted) {
            refuse(answer, 410, "Expired");
            return;
        }
    } else {
        model->n_snapshots++;
        model->snapshots[snapshot].version = model->version;
        memcpy(model->snapshots[snapshot].objects, model->objects, sizeof model->objects);
    }
    strbuf_addf(&answer->body, "{\"kind\":\"PodList\",\"items\":[");
    for (; name < MODEL_NAMES && (limit == 0 || n < limit); name++) {
        const struct model_object *object = &model->snapshots[snapshot].objects[name];
        if (object->alive) {
            strbuf_addf(&answer->body, "%s", n++ == 0 ? "" : ",");
            put_object(&answer->body, name, object->uid, object->version);
        }
    }
    strbuf_addf(&answer->body, "],\"metadata\":{\"resourceVersion\":\"%llu\"",
                (unsigned long long)model->snapshots[snapshot].version);
    if (name < MODEL_NAMES) {
        strbuf_addf(&answer->body, ",\"continue\":\"%u-%u\",\"remainingItemCount\":1", snapshot,
                    name);
    }
    strbuf_addf(&answer->body, "}}");
}

static void put_bookmark(struct model_answer *answer, uint64_t version, bool initial)
{
    strbuf_addf(
        &answer->body,
        "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{"
        "\"resourceVersion\":\"%llu\"%s}}}\n",
        (unsigned long long)version,
        initial ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
}

static void put_event(struct model_answer *answer, const struct model_event *event)
{
    const char *type = event->type == 'A' ? "ADDED" : event->type == 'M' ? "MODIFIED" : "DELETED";
    strbuf_addf(&answer->body, "{\"type\":\"%s\",\"object\":", type);
    put_object(&answer->body, event->name, event->uid, event->version);
    strbuf_addf(&answer->body, "}\n");
}

static void watch(struct model *model, struct str path, struct model_answer *answer)
{
    uint64_t from = number(query(path, "resourceVersion"));
    bool initial = str_eq(query(path, "sendInitialEvents"), STR("true"));
    answer->is_watch = true;
    if (initial && !model->streams) {
        answer->is_watch = false;
        refuse(answer, 422, "Invalid");
        return;
    }
    if (!initial && from < model->compacted) {
        if (chance(model, 50)) {
            answer->is_watch = false;
            refuse(answer, 410, "Expired");
        } else {
            strbuf_addf(&answer->body,
                        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
                        "\"reason\":\"Expired\",\"message\":\"too old resource version\"}}\n");
            answer->cut = true;
        }
        return;
    }
    if (initial) {
        for (uint32_t i = 0; i < MODEL_NAMES; i++) {
            const struct model_object *object = &model->objects[i];
            struct model_event event = {
                .version = object->version, .name = i, .uid = object->uid, .type = 'A'};
            if (object->alive) {
                put_event(answer, &event);
            }
        }
        put_bookmark(answer, model->version, /* initial= */ true);
        from = model->version;
    }
    answer->version = from;
    answer->sent = model->n_events;
    while (answer->sent > 0 && model->events[answer->sent - 1].version > from) {
        answer->sent--;
    }
}

void model_feed(struct model *model, struct model_answer *answer)
{
    for (; answer->sent < model->n_events; answer->sent++) {
        put_event(answer, &model->events[answer->sent]);
        answer->version = model->events[answer->sent].version;
    }
    if (chance(model, 10)) {
        answer->version = model->version; /* nothing is left to be sent before it */
        put_bookmark(answer, answer->version, /* initial= */ false);
    }
}

struct model_answer model_ask(struct model *model, struct str path, struct arena *arena)
{
    struct model_answer answer = {.status = 200, .body = strbuf_new(arena, 1 << 24)};
    if (!model->calm && chance(model, 8)) {
        static const int statuses[] = {429, 500, 503, 504};
        refuse(&answer, statuses[rng_below(model->rng, 4)], "trouble");
        answer.retry_after_ms = chance(model, 50) ? 1000 : 0;
        return answer;
    }
    if (str_eq(query(path, "watch"), STR("true"))) {
        watch(model, path, &answer);
    } else {
        list(model, path, &answer);
    }
    if (!model->calm && chance(model, 10)) {
        answer.cut = true;
    }
    return answer;
}

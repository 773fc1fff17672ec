/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/status_patch.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "base/jsonw.h"
#include "base/rfc3339.h"

#define BODY_MAX  ((size_t)8 << 20)
#define SECOND_MS INT64_C(1000)

enum { N_WITH_READY = NODECLASS_N_CONDITIONS + 1, MESSAGE_MAX = 32 * 1024 };

struct row {
    struct str type, status, reason, message;
    struct str since; /* as the object has it, or now */
};

struct rows {
    uint32_t n;
    struct row v[N_WITH_READY];
};

static struct str text_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value)
               ? (struct str){.p = json_string_value(value), .n = json_string_length(value)}
               : STR_EMPTY;
}

static const json_t *condition_of(const json_t *object, struct str type)
{
    const json_t *list = json_object_get(json_object_get(object, "status"), "conditions");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (str_eq(text_at(json_array_get(list, i), "type"), type)) {
            return json_array_get(list, i);
        }
    }
    return NULL;
}

void nodeclass_conditions_read(const json_t *object, struct nodeclass_status *status)
{
    const json_int_t generation =
        json_integer_value(json_object_get(json_object_get(object, "metadata"), "generation"));
    for (int i = 0; i < NODECLASS_N_CONDITIONS; i++) {
        const json_t *c =
            condition_of(object, nodeclass_condition_name((enum nodeclass_condition_type)i));
        const struct str truth = text_at(c, "status");
        const bool counts =
            json_integer_value(json_object_get(c, "observedGeneration")) == generation;
        status->conditions[i] = (struct nodeclass_condition){
            .status = counts && str_eq(truth, STR("True"))    ? NODECLASS_TRUE
                      : counts && str_eq(truth, STR("False")) ? NODECLASS_FALSE
                                                              : NODECLASS_UNKNOWN,
            .reason = text_at(c, "reason"),
            .message = text_at(c, "message")};
    }
}

/* The API keeps whole seconds. */
static struct str since_of(const struct nodeclass_patch_facts *facts, struct str type,
                           struct str status, struct arena *arena)
{
    char buffer[RFC3339_TEXT_MAX];
    const json_t *before = condition_of(facts->object, type);
    struct str since =
        before == NULL ? text_at(json_object_get(facts->object, "metadata"), "creationTimestamp")
        : str_eq(text_at(before, "status"), status) ? text_at(before, "lastTransitionTime")
                                                    : STR_EMPTY;
    return since.n > 0
               ? since
               : str_copy(arena, rfc3339_format(facts->now / SECOND_MS * SECOND_MS, buffer));
}

static void add(struct rows *rows, const struct nodeclass_patch_facts *facts, struct row row,
                struct arena *arena)
{
    row.since = since_of(facts, row.type, row.status, arena);
    rows->v[rows->n++] = row;
}

/* "SubnetsReady=False, AMIsReady=Unknown": the latest first. Times are of one form, so their texts
 * are in the order of the times. */
static struct str unhealthy(const struct rows *rows, struct arena *arena)
{
    struct strbuf text = strbuf_new(arena, MESSAGE_MAX);
    bool done[N_WITH_READY] = {false};
    for (;;) {
        uint32_t latest = rows->n;
        for (uint32_t i = 0; i < rows->n; i++) {
            const bool wanted = !done[i] && !str_eq(rows->v[i].status, STR("True"));
            if (wanted &&
                (latest == rows->n || str_cmp(rows->v[i].since, rows->v[latest].since) > 0)) {
                latest = i;
            }
        }
        if (latest == rows->n) {
            return strbuf_str(&text);
        }
        done[latest] = true;
        strbuf_addf(&text, "%s" STR_FMT "=" STR_FMT, text.n > 0 ? ", " : "",
                    STR_ARG(rows->v[latest].type), STR_ARG(rows->v[latest].status));
    }
}

static void gather(struct rows *rows, const struct nodeclass_patch_facts *facts,
                   struct arena *arena)
{
    enum nodeclass_truth ready = NODECLASS_TRUE;
    for (int i = 0; i < NODECLASS_N_CONDITIONS; i++) {
        const struct nodeclass_condition *c = &facts->status->conditions[i];
        const struct str type = nodeclass_condition_name((enum nodeclass_condition_type)i);
        if (i == NODECLASS_RESERVATIONS && !facts->reservations) {
            continue;
        }
        if (c->status == NODECLASS_FALSE ||
            (c->status == NODECLASS_UNKNOWN && ready == NODECLASS_TRUE)) {
            ready = c->status;
        }
        add(rows, facts,
            (struct row){.type = type,
                         .status = nodeclass_truth_name(c->status),
                         .reason = c->reason.n == 0 ? type : c->reason,
                         .message = str_sub(c->message, 0, MESSAGE_MAX)},
            arena);
    }
    add(rows, facts,
        (struct row){.type = STR("Ready"),
                     .status = nodeclass_truth_name(ready),
                     .reason = ready == NODECLASS_TRUE    ? STR("Ready")
                               : ready == NODECLASS_FALSE ? STR("UnhealthyDependents")
                                                          : STR("ReconcilingDependents"),
                     .message = unhealthy(rows, arena)},
        arena);
}

static void put_rows(struct jsonw *w, const struct rows *rows, int64_t generation)
{
    jsonw_key_array(w, "conditions");
    for (uint32_t i = 0; i < rows->n; i++) {
        jsonw_object_begin(w);
        jsonw_key_str(w, "lastTransitionTime", rows->v[i].since);
        jsonw_key_str(w, "message", rows->v[i].message);
        jsonw_key_i64(w, "observedGeneration", generation);
        jsonw_key_str(w, "reason", rows->v[i].reason);
        jsonw_key_str(w, "status", rows->v[i].status);
        jsonw_key_str(w, "type", rows->v[i].type);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

/* Members that the object has and the status has no more are taken away. */
static void put_removals(struct jsonw *w, const struct nodeclass_patch_facts *facts)
{
    const json_t *before = json_object_get(facts->object, "status");
    if (facts->status->n_reservations == 0 &&
        json_object_get(before, "capacityReservations") != NULL) {
        jsonw_key(w, STR("capacityReservations"));
        jsonw_null(w);
    }
    if (facts->status->instance_profile.n == 0 &&
        json_object_get(before, "instanceProfile") != NULL) {
        jsonw_key(w, STR("instanceProfile"));
        jsonw_null(w);
    }
}

/* Whether every member of the patch is what the object has. */
static bool is_said(const struct nodeclass_patch_facts *facts, struct str body, struct arena *arena)
{
    auto_json *patch = NULL;
    struct err err;
    const char *key;
    json_t *value;
    const json_t *before = json_object_get(facts->object, "status");
    if (!json_decode_text(body, arena, &patch, &err)) {
        return false; /* too large: the API server will say so */
    }
    json_object_foreach(json_object_get(patch, "status"), key, value)
    {
        if (!json_equal(value, json_object_get(before, key))) {
            return false;
        }
    }
    return true;
}

bool nodeclass_status_patch(const struct nodeclass_patch_facts *facts, struct arena *arena,
                            struct str *ret_body)
{
    struct strbuf b = strbuf_new(arena, BODY_MAX);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    struct rows rows = {.n = 0};
    gather(&rows, facts, arena);
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "status");
    nodeclass_status_write(&w, facts->status, /* conditions= */ false);
    put_removals(&w, facts);
    put_rows(&w, &rows, facts->generation);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    *ret_body = strbuf_str(&b);
    return !is_said(facts, *ret_body, arena);
}

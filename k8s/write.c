/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/write.h"

#include <jansson.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/json_decode.h"
#include "base/jsonw.h"
#include "k8s/kinds.h"
#include "k8s/rest.h"

enum {
    PATH_BYTES = 1024,
    BODY_BYTES = 1 << 20, /* the server takes 1.5 MB, etcd 1 MB */
    ANSWER_BYTES = 2 << 20,
    SILENCE_MS = 30000,
    TOTAL_MS = 60000
};

static const struct {
    enum http_method method;
    const char *word, *content_type;
} verbs[] = {
    [K8S_WRITE_CREATE] = {HTTP_POST, "create", "application/json"},
    [K8S_WRITE_MERGE_PATCH] = {HTTP_PATCH, "patch", "application/merge-patch+json"},
    [K8S_WRITE_JSON_PATCH] = {HTTP_PATCH, "patch", "application/json-patch+json"},
    [K8S_WRITE_DELETE] = {HTTP_DELETE, "delete", "application/json"},
    [K8S_WRITE_EVICT] = {HTTP_POST, "evict", "application/json"},
};

/* ---- the request ---- */

static void key_options(struct jsonw *w, const struct k8s_write *write)
{
    if (write->grace_s >= 0) {
        jsonw_key_i64(w, "gracePeriodSeconds", write->grace_s);
    }
    if (write->uid.n > 0 || write->version.n > 0) {
        jsonw_key_object(w, "preconditions");
        if (write->uid.n > 0) {
            jsonw_key_str(w, "uid", write->uid);
        }
        if (write->version.n > 0) {
            jsonw_key_str(w, "resourceVersion", write->version);
        }
        jsonw_object_end(w);
    }
}

static struct str deletion(const struct k8s_write *write, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, BODY_BYTES);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    bool evict = write->verb == K8S_WRITE_EVICT;
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "apiVersion", evict ? STR("policy/v1") : STR("v1"));
    jsonw_key_str(&w, "kind", evict ? STR("Eviction") : STR("DeleteOptions"));
    if (evict) {
        jsonw_key_object(&w, "metadata");
        jsonw_key_str(&w, "name", write->name);
        jsonw_key_str(&w, "namespace", write->ns);
        jsonw_object_end(&w);
        jsonw_key_object(&w, "deleteOptions");
        key_options(&w, write);
        jsonw_object_end(&w);
    } else {
        key_options(&w, write);
    }
    jsonw_object_end(&w);
    return strbuf_str(&out);
}

/* A patch with the version that it is for: the server then answers 409 when that has passed. In a
 * JSON patch it is put there (`replace`) and not asked for (`test`), whose failure would be 422. */
static bool locked(const struct k8s_write *write, json_t *patch)
{
    json_t *version = json_stringn(write->version.p, write->version.n);
    if (write->verb == K8S_WRITE_JSON_PATCH) {
        json_t *op = json_pack("{s:s,s:s,s:o}", "op", "replace", "path",
                               "/metadata/resourceVersion", "value", version);
        return json_array_insert_new(patch, 0, op) == 0;
    }
    json_t *metadata = json_object_get(patch, "metadata");
    if (metadata == NULL) {
        return json_object_set_new(patch, "metadata",
                                   json_pack("{s:o}", "resourceVersion", version)) == 0;
    }
    return json_object_set_new(metadata, "resourceVersion", version) == 0;
}

static bool body_of(const struct k8s_write *write, struct arena *arena, struct str *ret_body,
                    struct err *err)
{
    auto_json *value = NULL;
    struct strbuf out = strbuf_new(arena, BODY_BYTES);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    bool list = write->verb == K8S_WRITE_JSON_PATCH;
    if (!json_decode_text(write->body, arena, &value, err)) {
        return err_wrap(err, "body of %s %s", verbs[write->verb].word, write->kind->resource);
    }
    if (list ? !json_is_array(value) : !json_is_object(value)) {
        return err_set(err, ERR_INVALID, "body of %s %s: must be %s", verbs[write->verb].word,
                       write->kind->resource, list ? "a list" : "an object");
    }
    if (write->version.n > 0 && !locked(write, value)) {
        return err_set(err, ERR_INVALID, "body of %s %s: metadata must be an object",
                       verbs[write->verb].word, write->kind->resource);
    }
    jsonw_json(&w, value);
    if (out.overflow) {
        return err_set(err, ERR_LIMIT, "body of %s %s: longer than %d bytes",
                       verbs[write->verb].word, write->kind->resource, BODY_BYTES);
    }
    *ret_body = strbuf_str(&out);
    return true;
}

bool k8s_write_request(const struct k8s_write *write, struct arena *arena,
                       struct http_request *ret_request, struct err *err)
{
    struct strbuf path = strbuf_new(arena, PATH_BYTES);
    bool removes = write->verb == K8S_WRITE_DELETE || write->verb == K8S_WRITE_EVICT;
    *ret_request = (struct http_request){.method = verbs[write->verb].method,
                                         .accept = STR("application/json"),
                                         .content_type = str_of(verbs[write->verb].content_type),
                                         .silence_ms = SILENCE_MS,
                                         .total_ms = TOTAL_MS,
                                         .body_max = ANSWER_BYTES};
    if (removes) {
        ret_request->body = deletion(write, arena);
    } else if (!body_of(write, arena, &ret_request->body, err)) {
        return false;
    }
    k8s_path(&path, write->kind, STR_EMPTY, write->ns,
             write->verb == K8S_WRITE_CREATE ? STR_EMPTY : write->name,
             write->verb == K8S_WRITE_EVICT ? STR("eviction") : write->subresource);
    if (write->dry_run) {
        k8s_query(&path, "dryRun", STR("All"));
    }
    if (path.overflow) {
        return err_set(err, ERR_LIMIT, "%s %s: a name is too long", verbs[write->verb].word,
                       write->kind->resource);
    }
    ret_request->path = strbuf_str(&path);
    return true;
}

/* ---- the answer ---- */

static const struct {
    int status;
    enum k8s_outcome outcome;
} outcomes[] = {
    {401, K8S_WRITE_UNAUTHORIZED}, {403, K8S_WRITE_FORBIDDEN}, {404, K8S_WRITE_NOT_FOUND},
    {409, K8S_WRITE_CONFLICT},     {410, K8S_WRITE_NOT_FOUND}, {429, K8S_WRITE_TOO_MANY},
};

/* The reasons that the same number stands for. */
static enum k8s_outcome outcome_of(const struct k8s_write *write, int status,
                                   const struct k8s_status *said)
{
    enum k8s_outcome outcome = status >= 500 || status < 400 ? K8S_WRITE_FAILED : K8S_WRITE_INVALID;
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        outcome = outcomes[i].status == status ? outcomes[i].outcome : outcome;
    }
    if (outcome == K8S_WRITE_CONFLICT && str_eq(said->reason, STR("AlreadyExists"))) {
        return K8S_WRITE_ALREADY_EXISTS;
    }
    if (write->verb != K8S_WRITE_EVICT) {
        return outcome;
    }
    /* A budget says so with 429 and a cause; several budgets for one pod are a 500 of the server's,
     * which stays until somebody takes one away. */
    bool budget = str_eq(said->cause, STR("DisruptionBudget"));
    bool several = status == 500 && str_starts(said->message, STR("This pod has more than one"));
    return (outcome == K8S_WRITE_TOO_MANY && budget) || several ? K8S_WRITE_BLOCKED : outcome;
}

static struct str text_at(const json_t *object, const char *key, struct arena *arena)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? str_copy(arena, (struct str){.p = json_string_value(value),
                                                                .n = json_string_length(value)})
                                 : STR_EMPTY;
}

static void read_object(struct str body, struct arena *arena, struct k8s_written *written)
{
    auto_json *root = NULL;
    struct err ignored;
    if (json_decode_text(body, arena, &root, &ignored)) {
        const json_t *metadata = json_object_get(root, "metadata");
        written->name = text_at(metadata, "name", arena);
        written->uid = text_at(metadata, "uid", arena);
        written->version = text_at(metadata, "resourceVersion", arena);
    }
}

struct k8s_written k8s_write_outcome(const struct k8s_write *write, enum http_end end, int status,
                                     int64_t retry_after_ms, struct str body, struct str why,
                                     struct arena *arena, struct err *err)
{
    struct k8s_written written = {.outcome = K8S_WRITE_UNKNOWN, .retry_after_ms = retry_after_ms};
    struct k8s_status said = {.code = 0};
    const char *word = verbs[write->verb].word;
    char what[512];
    (void)snprintf(what, sizeof what, "%s%s" STR_FMT "%s" STR_FMT, write->kind->resource,
                   write->name.n > 0 || write->ns.n > 0 ? " " : "", STR_ARG(write->ns),
                   write->ns.n > 0 && write->name.n > 0 ? "/" : "", STR_ARG(write->name));
    if (end != HTTP_COMPLETE && !(status >= 400 && status < 500)) {
        /* With a connection that never was, nothing was asked. */
        bool unsent = end == HTTP_NO_ADDRESS || end == HTTP_REFUSED || end == HTTP_TLS;
        written.outcome = unsent ? K8S_WRITE_FAILED : K8S_WRITE_UNKNOWN;
        (void)k8s_unanswered(err, word, what, end, why);
        return written;
    }
    if (status >= 200 && status < 300) {
        written.outcome = K8S_WRITE_DONE;
        read_object(body, arena, &written);
        return written;
    }
    if (k8s_status_read(body, arena, &said) && said.retry_after_ms > retry_after_ms) {
        written.retry_after_ms = said.retry_after_ms;
    }
    written.outcome = outcome_of(write, status, &said);
    (void)k8s_refused(err, word, what, status, body);
    return written;
}

const char *k8s_outcome_name(enum k8s_outcome outcome)
{
    static const char *const names[] = {
        [K8S_WRITE_DONE] = "done",
        [K8S_WRITE_NOT_FOUND] = "not found",
        [K8S_WRITE_ALREADY_EXISTS] = "already exists",
        [K8S_WRITE_CONFLICT] = "conflict",
        [K8S_WRITE_BLOCKED] = "blocked",
        [K8S_WRITE_TOO_MANY] = "too many requests",
        [K8S_WRITE_FORBIDDEN] = "forbidden",
        [K8S_WRITE_UNAUTHORIZED] = "unauthorized",
        [K8S_WRITE_INVALID] = "invalid",
        [K8S_WRITE_FAILED] = "failed",
        [K8S_WRITE_UNKNOWN] = "unknown",
    };
    return names[outcome];
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/rest.h"

#include <jansson.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "k8s/kinds.h"

enum { SHOWN_BYTES = 600 };

/* What needs no escape in a path segment or a query value (RFC 3986: unreserved). */
static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void add_escaped(struct strbuf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (is_plain(text.p[i])) {
            strbuf_addc(b, text.p[i]);
        } else {
            strbuf_addf(b, "%%%02X", (unsigned)(unsigned char)text.p[i]);
        }
    }
}

static void add_segment(struct strbuf *b, struct str text)
{
    if (text.n > 0) {
        strbuf_addc(b, '/');
        add_escaped(b, text);
    }
}

void k8s_path(struct strbuf *b, const struct k8s_kind *kind, struct str api_version, struct str ns,
              struct str name, struct str subresource)
{
    bool core = kind->group[0] == '\0';
    strbuf_add(b, core ? STR("/api/") : STR("/apis/"));
    if (api_version.n > 0) {
        strbuf_add(b, api_version);
    } else {
        strbuf_addf(b, "%s%s%s", kind->group, core ? "" : "/", kind->version);
    }
    if (kind->namespaced && ns.n > 0) {
        strbuf_add(b, STR("/namespaces"));
        add_segment(b, ns);
    }
    add_segment(b, str_of(kind->resource));
    add_segment(b, name);
    add_segment(b, subresource);
}

void k8s_query(struct strbuf *b, const char *key, struct str value)
{
    bool first = str_find(strbuf_str(b), '?') == b->n;
    strbuf_addf(b, "%c%s=", first ? '?' : '&', key);
    add_escaped(b, value);
}

static struct str text_of(const json_t *object, const char *key, struct arena *arena)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? str_copy(arena, (struct str){.p = json_string_value(value),
                                                                .n = json_string_length(value)})
                                 : STR_EMPTY;
}

bool k8s_status_read(struct str body, struct arena *arena, struct k8s_status *ret_status)
{
    auto_json *root = NULL;
    struct err ignored;
    if (!json_decode_text(body, arena, &root, &ignored)) {
        return false;
    }
    const json_t *kind = json_object_get(root, "kind");
    if (!json_is_string(kind) || !str_eq(str_of(json_string_value(kind)), STR("Status"))) {
        return false;
    }
    const json_t *code = json_object_get(root, "code");
    const json_t *details = json_object_get(root, "details");
    json_int_t number = json_is_integer(code) ? json_integer_value(code) : 0;
    json_int_t wait = json_integer_value(json_object_get(details, "retryAfterSeconds"));
    *ret_status = (struct k8s_status){
        .code = number > 0 && number < 1000 ? (int32_t)number : 0,
        .reason = text_of(root, "reason", arena),
        .message = text_of(root, "message", arena),
        .cause = text_of(json_array_get(json_object_get(details, "causes"), 0), "reason", arena),
        .continue_token = text_of(json_object_get(root, "metadata"), "continue", arena),
        .retry_after_ms = wait > 0 && wait < 1000000 ? wait * 1000 : 0,
    };
    return true;
}

/* What the numbers are called, and what the person can do. */
static const struct {
    int status;
    enum err_code code;
    const char *name, *hint;
} refusals[] = {
    {400, ERR_INVALID, "bad request", ""},
    {401, ERR_INVALID, "unauthorized",
     " (the server does not accept the credentials: a token that has expired, or a wrong "
     "context?)"},
    {403, ERR_INVALID, "forbidden", ""},
    {404, ERR_NOT_FOUND, "not found", ""},
    {409, ERR_CONFLICT, "conflict", ""},
    {410, ERR_CONFLICT, "gone", ""},
    {429, ERR_IO, "too many requests", ""},
    {500, ERR_IO, "internal error", ""},
    {502, ERR_IO, "bad gateway", ""},
    {503, ERR_IO, "unavailable", ""},
    {504, ERR_IO, "gateway timeout", ""},
};

bool k8s_refused(struct err *err, const char *verb, const char *resource, int status,
                 struct str body)
{
    auto_arena arena = ARENA_INIT;
    struct k8s_status said = {.code = 0};
    enum err_code code = status >= 400 && status < 500 ? ERR_INVALID : ERR_IO;
    const char *name = "", *hint = "";
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].status == status) {
            code = refusals[i].code;
            name = refusals[i].name;
            hint = refusals[i].hint;
        }
    }
    if (status >= 300 && status < 400) {
        hint = " (a redirect: this is not an API server)";
    }
    if (status >= 200 && status < 300) {
        hint = " (an answer that is none of the Kubernetes API)";
    }
    struct str message = STR_EMPTY;
    if (k8s_status_read(body, &arena, &said)) {
        message = str_sub(said.message, 0, SHOWN_BYTES);
    } else if (status >= 400) {
        message = str_sub(str_trim(body), 0, 200); /* a proxy's page */
    }
    return err_set(err, code, "cannot %s %s: %d%s%s%s" STR_FMT "%s", verb, resource, status,
                   name[0] != '\0' ? " " : "", name, message.n > 0 ? ": " : "", STR_ARG(message),
                   hint);
}

bool k8s_unanswered(struct err *err, const char *verb, const char *resource, enum http_end end,
                    struct str why)
{
    static const char *const names[] = {
        [HTTP_COMPLETE] = "the answer ends too early",
        [HTTP_NO_ADDRESS] = "the server's name has no address",
        [HTTP_REFUSED] = "no connection",
        [HTTP_TLS] = "no trust",
        [HTTP_TIMEOUT] = "no answer in time",
        [HTTP_CUT] = "the connection was cut",
        [HTTP_LIMIT] = "the answer is too large",
        [HTTP_STOPPED] = "the answer could not be used",
        [HTTP_OTHER] = "no HTTP answer",
    };
    why = str_sub(why, 0, SHOWN_BYTES);
    return err_set(err, end == HTTP_LIMIT ? ERR_LIMIT : ERR_IO, "cannot %s %s: %s%s" STR_FMT, verb,
                   resource, names[end], why.n > 0 ? ": " : "", STR_ARG(why));
}

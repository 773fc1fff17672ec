/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The published compliance cases of the wire protocols, which are not part of this project: given
 * parameters, the exact request; given a reply, the exact result or error. Takes the folder and a
 * protocol as arguments and is skipped, loudly, without the folder. What no operation of ours needs
 * is counted as left out, by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "awsapi/endpoint.h"
#include "awsapi/uri.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "base/vec.h"
#include "model.h"

enum { SKIPPED = 77, HEADERS = 64 };

static unsigned n_failed, n_passed, n_left_out, n_errors;

static const struct {
    const char *file;
    enum aws_protocol protocol;
} protocols[] = {{"ec2", AWS_PROTOCOL_EC2},
                 {"query", AWS_PROTOCOL_QUERY},
                 {"json", AWS_PROTOCOL_JSON},
                 {"json_1_0", AWS_PROTOCOL_JSON},
                 {"rest-json", AWS_PROTOCOL_REST_JSON}};

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static struct str str_member(const json_t *object, const char *key)
{
    return str_of(text_of(object, key));
}

/* None of the operations in use asks for these. */
static const char *left_out(const json_t *given)
{
    if (json_object_get(given, "requestcompression") != NULL) {
        return "compressed requests";
    }
    return json_is_true(json_object_get(given, "httpChecksumRequired")) ? "Content-MD5" : NULL;
}

static bool failure(const char *id, const char *what, struct str have, struct str want)
{
    printf("%s: %s\n  have: " STR_FMT "\n  want: " STR_FMT "\n", id, what, STR_ARG(have),
           STR_ARG(want));
    return false;
}

static struct str dump(const json_t *json, struct arena *arena)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    struct str copy = str_copy(arena, str_of(text == NULL ? "(nothing)" : text));
    free(text);
    return copy;
}

/* ---- requests ---- */

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The pairs of a form or a query in one order, escapes in one form. */
static struct str sorted(struct str form, struct arena *arena)
{
    VEC(struct str) pairs = {0};
    struct str name;
    struct str value;
    struct strbuf out = strbuf_new(arena, 1 << 20);
    while (aws_uri_next_pair(&form, &name, &value)) {
        struct strbuf pair = strbuf_new(arena, 1 << 20);
        aws_uri_encode(&pair, aws_uri_decode(arena, name), AWS_URI_ENCODE_SLASH);
        strbuf_addc(&pair, '=');
        aws_uri_encode(&pair, aws_uri_decode(arena, value), AWS_URI_ENCODE_SLASH);
        VEC_PUSH(arena, &pairs, strbuf_str(&pair));
    }
    if (pairs.n > 0) {
        qsort(pairs.v, pairs.n, sizeof pairs.v[0], by_text);
    }
    for (size_t i = 0; i < pairs.n; i++) {
        strbuf_add(&out, pairs.v[i]);
        strbuf_addc(&out, '&');
    }
    return strbuf_str(&out);
}

static bool same_body(struct str have, struct str want, enum aws_protocol protocol,
                      struct arena *arena)
{
    auto_json *left = NULL;
    auto_json *right = NULL;
    struct err err = {.code = ERR_NONE};
    if (str_eq(have, want)) {
        return true;
    }
    if (protocol == AWS_PROTOCOL_EC2 || protocol == AWS_PROTOCOL_QUERY) {
        return str_eq(sorted(have, arena), sorted(want, arena));
    }
    return json_decode_text(have, arena, &left, &err) &&
           json_decode_text(want, arena, &right, &err) && model_same(left, right);
}

static bool check_headers(const char *id, const struct aws_http_request *request,
                          const json_t *serialized)
{
    const char *name;
    json_t *value;
    size_t i;
    json_t *entry;
    struct str have;
    json_object_foreach(json_object_get(serialized, "headers"), name, value)
    {
        struct str want = str_of(json_string_value(value));
        if (!aws_header_find(request->headers, request->n_headers, str_of(name), &have) ||
            !str_eq(have, want)) {
            return failure(id, name, have, want);
        }
    }
    json_array_foreach(json_object_get(serialized, "forbidHeaders"), i, entry)
    {
        if (aws_header_find(request->headers, request->n_headers, str_of(json_string_value(entry)),
                            &have)) {
            return failure(id, json_string_value(entry), have, STR("(no such header)"));
        }
    }
    json_array_foreach(json_object_get(serialized, "requireHeaders"), i, entry)
    {
        struct str want = str_of(json_string_value(entry)); /* the transport adds Content-Length */
        if (!aws_header_name_eq(want, STR("Content-Length")) &&
            !aws_header_find(request->headers, request->n_headers, want, &have)) {
            return failure(id, "headers", STR("(no such header)"), want);
        }
    }
    return true;
}

static bool check_target(const char *id, const struct aws_http_request *request,
                         const json_t *serialized, struct arena *arena)
{
    struct str want = str_member(serialized, "uri");
    size_t mark = str_find(want, '?');
    struct str path = str_sub(want, 0, mark);
    struct str host = str_member(serialized, "host");
    if (!str_eq(request->method, str_member(serialized, "method"))) {
        return failure(id, "method", request->method, str_member(serialized, "method"));
    }
    if (!str_eq(request->path, path)) {
        return failure(id, "path", request->path, path);
    }
    if (host.n > 0 && !str_eq(request->host, str_sub(host, 0, str_find(host, '/')))) {
        return failure(id, "host", request->host, host);
    }
    struct str query = sorted(str_sub(want, mark + 1, want.n), arena);
    struct str have = sorted(request->query, arena);
    return str_eq(query, have) || failure(id, "query", have, query);
}

static bool check_request(const char *id, const struct aws_operation *operation,
                          const json_t *suite, const json_t *test, struct arena *arena)
{
    const json_t *serialized = json_object_get(test, "serialized");
    const char *client = text_of(suite, "clientEndpoint");
    struct aws_http_request request;
    struct aws_endpoint endpoint;
    struct str prefix;
    struct err err = {.code = ERR_NONE};
    void *input = arena_alloc(arena, operation->input == NULL ? 1 : operation->input->size);
    if (operation->input != NULL) {
        model_fill(operation->input, json_object_get(test, "params"), arena, input,
                   /* is_element= */ true);
    }
    if (!aws_request_make(operation, input, STR("00000000-0000-4000-8000-000000000000"), arena,
                          &request, &prefix, &err) ||
        !aws_endpoint_parse(str_of(client == NULL ? "https://localhost" : client), &endpoint,
                            &err)) {
        return failure(id, "refused", str_of(err.text), STR("a request"));
    }
    aws_endpoint_apply(&endpoint, prefix, &request, arena);
    struct str body = str_member(serialized, "body");
    return check_target(id, &request, serialized, arena) &&
           check_headers(id, &request, serialized) &&
           (json_object_get(serialized, "body") == NULL ||
            same_body(request.body, body, operation->service->protocol, arena) ||
            failure(id, "body", request.body, body));
}

/* ---- replies ---- */

static struct aws_http_reply reply_of(const json_t *response, struct aws_header *headers)
{
    const char *name;
    json_t *value;
    struct aws_http_reply reply = {
        .status = (int)json_integer_value(json_object_get(response, "status_code")),
        .headers = headers,
        .body = str_member(response, "body")};
    json_object_foreach(json_object_get(response, "headers"), name, value)
    {
        headers[reply.n_headers++] =
            (struct aws_header){.name = str_of(name), .value = str_of(json_string_value(value))};
    }
    return reply;
}

static bool check_fault(const char *id, const struct aws_fault *fault, const json_t *test)
{
    struct str code = str_member(test, "errorCode");
    struct str message = str_member(test, "errorMessage");
    n_errors++;
    if (!str_eq(fault->code, code)) {
        return failure(id, "error code", fault->code, code);
    }
    return message.n == 0 || str_eq(fault->message, message) ||
           failure(id, "error message", fault->message, message);
}

static bool check_reply(const char *id, const struct aws_operation *operation, const json_t *test,
                        struct arena *arena)
{
    struct aws_header headers[HEADERS];
    struct aws_http_reply reply = reply_of(json_object_get(test, "response"), headers);
    struct aws_fault fault;
    struct err err = {.code = ERR_NONE};
    void *output = NULL;
    if (!aws_reply_read(operation, &reply, arena, &output, &fault, &err)) {
        return failure(id, "refused", str_of(err.text), STR("a result"));
    }
    if (json_object_get(test, "errorCode") != NULL) {
        return check_fault(id, &fault, test);
    }
    if (fault.kind != AWS_FAULT_NONE) {
        return failure(id, "fault", fault.code, STR("a result"));
    }
    auto_json *have = output == NULL ? json_object()
                                     : model_plain(operation->output, output,
                                                   /* is_element= */ true);
    const json_t *want = json_object_get(test, "result");
    return model_same(have, want) || failure(id, "result", dump(have, arena), dump(want, arena));
}

/* ---- cases ---- */

static struct aws_service service_of(const json_t *metadata, enum aws_protocol protocol)
{
    return (struct aws_service){.name = "Test",
                                .endpoint = "test",
                                .signing = "test",
                                .protocol = protocol,
                                .version = text_of(metadata, "apiVersion"),
                                .json_version = text_of(metadata, "jsonVersion"),
                                .target = text_of(metadata, "targetPrefix"),
                                .query_compatible =
                                    json_object_get(metadata, "awsQueryCompatible") != NULL};
}

static void check_case(const json_t *suite, const json_t *test, enum aws_protocol protocol,
                       bool is_input)
{
    auto_arena arena = ARENA_INIT;
    auto_json *made = json_object();
    const json_t *given = json_object_get(test, "given");
    const json_t *http = json_object_get(given, "http");
    struct model model = {.arena = &arena,
                          .shapes = json_object_get(suite, "shapes"),
                          .protocol = protocol,
                          .made = made};
    struct aws_service service = service_of(json_object_get(suite, "metadata"), protocol);
    const json_t *input = json_object_get(given, "input");
    const json_t *output = json_object_get(given, "output");
    struct aws_operation operation = {
        .service = &service,
        .name = text_of(given, "name"),
        .method = text_of(http, "method"),
        .path = text_of(http, "requestUri"),
        .host_prefix = text_of(json_object_get(given, "endpoint"), "hostPrefix"),
        .input = input == NULL ? NULL : model_shape(&model, input),
        .output = output == NULL ? NULL : model_shape(&model, output)};
    const char *id = text_of(test, "id");
    const char *why = left_out(given);
    if (is_input && why != NULL) {
        printf("left out: %s (%s)\n", id, why);
        n_left_out++;
        return;
    }
    bool good = is_input ? check_request(id, &operation, suite, test, &arena)
                         : check_reply(id, &operation, test, &arena);
    n_passed += good ? 1 : 0;
    n_failed += good ? 0 : 1;
}

static unsigned run_file(const char *folder, const char *name, enum aws_protocol protocol,
                         bool is_input)
{
    char path[4096];
    size_t i;
    size_t k;
    unsigned n = 0;
    json_t *suite;
    json_t *test;
    snprintf(path, sizeof path, "%s/%s-%s.json", folder, is_input ? "input" : "output", name);
    auto_json *suites = json_load_file(path, 0, NULL);
    json_array_foreach(suites, i, suite)
    {
        json_array_foreach(json_object_get(suite, "cases"), k, test)
        {
            check_case(suite, test, protocol, is_input);
            n++;
        }
    }
    return n;
}

int main(int argc, char **argv)
{
    if (argc < 3 || access(argv[1], R_OK) != 0) {
        printf("SKIPPED: %s is not there, so no protocol case was checked\n",
               argc < 2 ? "(no folder)" : argv[1]);
        return SKIPPED;
    }
    unsigned n_in = 0;
    unsigned n_out = 0;
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        if (strcmp(protocols[i].file, argv[2]) == 0) {
            n_in = run_file(argv[1], argv[2], protocols[i].protocol, true);
            n_out = run_file(argv[1], argv[2], protocols[i].protocol, false);
        }
    }
    printf("%s: %u requests, %u replies (%u of them errors): %u passed, %u failed, %u left out\n",
           argv[2], n_in, n_out, n_errors, n_passed, n_failed, n_left_out);
    return n_in > 0 && n_out > 0 && n_failed == 0 ? 0 : 1;
}

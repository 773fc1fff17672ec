/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operation tables for a test in another language. `--list` prints a line of JSON for each
 * operation: what its tables know. Otherwise each line of standard input names an operation and
 * parameters, and the answer is the request made of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/awsapi/model.h"
#include "awsapi/endpoint.h"
#include "awsapi/services.h"
#include "base/arena.h"
#include "base/json.h"

enum { LINE_MAX_BYTES = 4 * 1024 * 1024 };

static json_t *tree(const struct aws_shape *shape)
{
    static const char *const names[] = {
        [AWS_TEXT] = "text", [AWS_BLOB] = "blob",        [AWS_DOCUMENT] = "document",
        [AWS_BOOL] = "bool", [AWS_INT] = "int",          [AWS_DOUBLE] = "double",
        [AWS_TIME] = "time", [AWS_STRUCT] = "structure", [AWS_LIST] = "list",
        [AWS_MAP] = "map"};
    json_t *made = json_pack("{s:s}", "type", names[shape->type]);
    if (shape->type == AWS_LIST || shape->type == AWS_MAP) {
        json_object_set_new(made, "element", tree(shape->element));
    }
    if (shape->type == AWS_STRUCT) {
        json_t *members = json_object();
        for (uint32_t i = 0; i < shape->n_rows; i++) {
            json_object_set_new(members, shape->rows[i].name, tree(shape->rows[i].shape));
        }
        json_object_set_new(made, "members", members);
    }
    return made;
}

static void print_line(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    puts(text == NULL ? "{\"error\": \"no JSON\"}" : text);
    free(text);
    fflush(stdout);
    json_decref(json);
}

static void list(void)
{
    for (size_t i = 0; aws_operations[i] != NULL; i++) {
        const struct aws_operation *operation = aws_operations[i];
        json_t *line =
            json_pack("{s:s, s:s, s:o, s:o}", "service", operation->service->name, "operation",
                      operation->name, "input",
                      operation->input == NULL ? json_null() : tree(operation->input), "output",
                      operation->output == NULL ? json_null() : tree(operation->output));
        print_line(line);
    }
}

static const struct aws_operation *find(const json_t *line)
{
    const char *service = json_string_value(json_object_get(line, "service"));
    const char *name = json_string_value(json_object_get(line, "operation"));
    for (size_t i = 0; service != NULL && name != NULL && aws_operations[i] != NULL; i++) {
        if (strcmp(aws_operations[i]->service->name, service) == 0 &&
            strcmp(aws_operations[i]->name, name) == 0) {
            return aws_operations[i];
        }
    }
    return NULL;
}

static json_t *text(struct str text)
{
    return json_stringn_nocheck(text.p == NULL ? "" : text.p, text.n);
}

static json_t *request_json(const struct aws_http_request *request)
{
    json_t *headers = json_object();
    for (size_t i = 0; i < request->n_headers; i++) {
        json_object_setn_new(headers, request->headers[i].name.p, request->headers[i].name.n,
                             text(request->headers[i].value));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "method", text(request->method), "host",
                     text(request->host), "path", text(request->path), "query",
                     text(request->query), "headers", headers, "body", text(request->body));
}

static json_t *answer(const json_t *line, struct arena *arena)
{
    const struct aws_operation *operation = find(line);
    struct aws_endpoint_settings settings = {.region = STR("us-west-2")};
    struct aws_endpoint endpoint;
    struct aws_http_request request;
    struct str prefix;
    struct err err = {.code = ERR_NONE};
    if (operation == NULL) {
        return json_pack("{s:s}", "error", "no such operation");
    }
    void *input = arena_alloc(arena, operation->input == NULL ? 1 : operation->input->size);
    if (operation->input != NULL) {
        model_fill(operation->input, json_object_get(line, "params"), arena, input,
                   /* is_element= */ true);
    }
    if (!aws_request_make(operation, input, STR("6a1cbd36-3ad5-4a6c-8a9c-000000000000"), arena,
                          &request, &prefix, &err) ||
        !aws_endpoint_find(operation->service, &settings, arena, &endpoint, &err)) {
        return json_pack("{s:s}", "error", err.text);
    }
    aws_endpoint_apply(&endpoint, prefix, &request, arena);
    return request_json(&request);
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES];
    if (argc > 1 && strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        auto_arena arena = ARENA_INIT;
        auto_json *asked = json_loads(line, 0, NULL);
        print_line(answer(asked, &arena));
    }
    return 0;
}

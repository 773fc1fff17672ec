/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/operation.h"

#include "awsapi/ajson.h"
#include "awsapi/query.h"
#include "awsapi/rest.h"
#include "awsapi/xml.h"
#include "awsapi/xml_read.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "base/limits.h"

/* ---- requests ---- */

/* A shallow copy of the input with its token filled in; the input itself when nothing is missing.
 */
static const void *with_token(const struct aws_operation *operation, const void *input,
                              struct str token, struct arena *arena)
{
    const struct aws_shape *shape = operation->input;
    for (uint32_t i = 0; shape != NULL && input != NULL && i < shape->n_rows; i++) {
        const struct aws_row *row = &shape->rows[i];
        const char *slot = (const char *)input + row->offset;
        if ((row->flags & AWS_TOKEN) != 0 && token.n > 0 &&
            aws_is_absent(row->shape, slot, /* is_element= */ false)) {
            char *copy = arena_copy(arena, input, shape->size);
            *(struct str *)(void *)(copy + row->offset) = token;
            return copy;
        }
    }
    return input;
}

static bool check_required(const struct aws_shape *shape, const char *value, struct err *err);

static bool check_list(const struct aws_shape *shape, const struct aws_any_list *list,
                       struct err *err)
{
    size_t size = aws_element_size(shape->element);
    for (size_t i = 0; shape->element->type == AWS_STRUCT && i < list->n; i++) {
        if (!check_required(shape->element, (const char *)list->v + i * size, err)) {
            return err_wrap(err, "[%zu]", i);
        }
    }
    return true;
}

static bool check_required(const struct aws_shape *shape, const char *value, struct err *err)
{
    for (uint32_t i = 0; i < shape->n_rows; i++) {
        const struct aws_row *row = &shape->rows[i];
        const char *slot = value == NULL ? NULL : value + row->offset;
        bool absent = slot == NULL || aws_is_absent(row->shape, slot, /* is_element= */ false);
        if (absent && (row->flags & AWS_REQUIRED) != 0) {
            return err_set(err, ERR_INVALID, "%s: required", row->name);
        }
        bool good = absent || row->shape->type == AWS_TEXT ||
                    (row->shape->type != AWS_STRUCT && row->shape->type != AWS_LIST) ||
                    (row->shape->type == AWS_STRUCT
                         ? check_required(row->shape, aws_struct_at(slot, false), err)
                         : check_list(row->shape, (const void *)slot, err));
        if (!good) {
            return err_wrap(err, "%s", row->name);
        }
    }
    return true;
}

static bool write_json(const struct aws_operation *operation, const void *input,
                       struct arena *arena, struct aws_http_request *request)
{
    const struct aws_service *service = operation->service;
    struct strbuf out = strbuf_new(arena, LIMIT_AWS_REQUEST_BYTES);
    struct strbuf type = strbuf_new(arena, LIMIT_VALUE_BYTES);
    struct strbuf target = strbuf_new(arena, LIMIT_VALUE_BYTES);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    jsonw_object_begin(&w);
    if (operation->input != NULL && input != NULL) {
        aws_json_write_members(&w, AWS_JSON_IN, operation->input, input);
    }
    jsonw_object_end(&w);
    strbuf_addf(&type, "application/x-amz-json-%s", service->json_version);
    strbuf_addf(&target, "%s.%s", service->target, operation->name);
    aws_http_add(request, STR("Content-Type"), strbuf_str(&type));
    aws_http_add(request, STR("X-Amz-Target"), strbuf_str(&target));
    request->body = str_trim(strbuf_str(&out));
    return !out.overflow;
}

static bool write_form(const struct aws_operation *operation, const void *input,
                       struct arena *arena, struct aws_http_request *request)
{
    struct strbuf out = strbuf_new(arena, LIMIT_AWS_REQUEST_BYTES);
    aws_query_write(&out, operation, input);
    aws_http_add(request, STR("Content-Type"), STR("application/x-www-form-urlencoded"));
    request->body = strbuf_str(&out);
    return !out.overflow;
}

/* A label of a host: what a parameter may put there. */
static bool is_host_label(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '.';
        if (!good) {
            return false;
        }
    }
    return text.n > 0 && text.n <= 63;
}

static bool host_prefix(const struct aws_operation *operation, const char *input,
                        struct arena *arena, struct str *ret_prefix, struct err *err)
{
    struct str rest = str_of(operation->host_prefix);
    struct strbuf out = strbuf_new(arena, LIMIT_NAME_BYTES);
    while (rest.n > 0) {
        size_t open = str_find(rest, '{');
        size_t close = str_find(rest, '}');
        struct str label = STR_EMPTY;
        strbuf_add(&out, str_sub(rest, 0, open));
        if (open == rest.n) {
            break;
        }
        for (uint32_t i = 0; input != NULL && i < operation->input->n_rows; i++) {
            const struct aws_row *row = &operation->input->rows[i];
            if ((row->flags & AWS_HOST_LABEL) != 0 &&
                str_eq(str_of(row->name), str_sub(rest, open + 1, close - open - 1))) {
                label = *(const struct str *)(const void *)(input + row->offset);
            }
        }
        if (!is_host_label(label)) {
            return err_set(err, ERR_INVALID, "\"" STR_FMT "\" cannot be part of a host name",
                           STR_ARG(label));
        }
        strbuf_add(&out, label);
        rest = str_sub(rest, close + 1, rest.n);
    }
    *ret_prefix = strbuf_str(&out);
    return true;
}

static bool write_request(const struct aws_operation *operation, const void *input,
                          struct arena *arena, struct aws_http_request *request, struct err *err)
{
    bool fits = true;
    switch (operation->service->protocol) {
    case AWS_PROTOCOL_EC2:
    case AWS_PROTOCOL_QUERY:
        fits = write_form(operation, input, arena, request);
        break;
    case AWS_PROTOCOL_JSON:
        fits = write_json(operation, input, arena, request);
        break;
    case AWS_PROTOCOL_REST_JSON:
        if (!aws_rest_write(operation, input, arena, request, err)) {
            return false;
        }
        break;
    }
    if (!fits || request->body.n >= LIMIT_AWS_REQUEST_BYTES) {
        return err_set(err, ERR_LIMIT, "request of more than %d bytes", LIMIT_AWS_REQUEST_BYTES);
    }
    return true;
}

bool aws_request_make(const struct aws_operation *operation, const void *input, struct str token,
                      struct arena *arena, struct aws_http_request *ret_request,
                      struct str *ret_host_prefix, struct err *err)
{
    struct aws_http_request request = {
        .method = str_of(operation->method == NULL ? "POST" : operation->method),
        .scheme = STR("https"),
        .path = STR("/")};
    const void *given = with_token(operation, input, token, arena);
    if ((operation->input != NULL && !check_required(operation->input, given, err)) ||
        !host_prefix(operation, given, arena, ret_host_prefix, err) ||
        !write_request(operation, given, arena, &request, err)) {
        return err_wrap(err, "%s:%s", operation->service->name, operation->name);
    }
    *ret_request = request;
    return true;
}

/* ---- replies ---- */

static bool read_xml(const struct aws_operation *operation, struct str body, struct arena *arena,
                     void *output, struct err *err)
{
    const struct aws_xml *root = NULL;
    bool is_ec2 = operation->service->protocol == AWS_PROTOCOL_EC2;
    struct strbuf wrapper = strbuf_new(arena, LIMIT_NAME_BYTES);
    if (str_trim(body).n == 0) {
        return true;
    }
    if (!aws_xml_parse(body, arena, &root, err)) {
        return false;
    }
    strbuf_addf(&wrapper, "%s%s", operation->name, is_ec2 ? "Response" : "Result");
    if (is_ec2 && !str_eq(root->name, strbuf_str(&wrapper))) {
        return err_set(err, ERR_PARSE, "expected <" STR_FMT ">, got <" STR_FMT ">",
                       STR_ARG(strbuf_str(&wrapper)), STR_ARG(root->name));
    }
    if (!is_ec2 && !str_ends(root->name, STR("Response"))) {
        return err_set(err, ERR_PARSE, "expected <%sResponse>, got <" STR_FMT ">", operation->name,
                       STR_ARG(root->name));
    }
    return aws_xml_read(is_ec2 ? root : aws_xml_child(root, strbuf_str(&wrapper)),
                        operation->output, is_ec2 ? "item" : "member", arena, output, err);
}

static bool read_json(const struct aws_operation *operation, struct str body, struct arena *arena,
                      void *output, struct err *err)
{
    auto_json *json = NULL;
    if (str_trim(body).n == 0) {
        return true;
    }
    return json_decode_text(body, arena, &json, err) &&
           aws_json_read_members(json, AWS_JSON_OUT, operation->output, arena, output, err);
}

static bool read_output(const struct aws_operation *operation, const struct aws_http_reply *reply,
                        struct arena *arena, void *output, struct err *err)
{
    switch (operation->service->protocol) {
    case AWS_PROTOCOL_EC2:
    case AWS_PROTOCOL_QUERY:
        return read_xml(operation, reply->body, arena, output, err);
    case AWS_PROTOCOL_JSON:
        return read_json(operation, reply->body, arena, output, err);
    case AWS_PROTOCOL_REST_JSON:
        break;
    }
    return aws_rest_read(operation, reply, arena, output, err);
}

bool aws_reply_read(const struct aws_operation *operation, const struct aws_http_reply *reply,
                    struct arena *arena, void **ret_output, struct aws_fault *ret_fault,
                    struct err *err)
{
    void *output = NULL;
    *ret_output = NULL;
    if (reply->body.n > LIMIT_AWS_REPLY_BYTES) {
        *ret_fault = (struct aws_fault){.kind = AWS_FAULT_TOO_LARGE, .status = reply->status};
        return err_set(err, ERR_LIMIT, "%s:%s: a reply of more than %d bytes",
                       operation->service->name, operation->name, LIMIT_AWS_REPLY_BYTES);
    }
    if (reply->status < 200 || reply->status > 299) {
        *ret_fault = aws_fault_read(operation->service, reply, arena);
        return true;
    }
    if (operation->output != NULL) {
        output = arena_alloc(arena, operation->output->size);
        if (!read_output(operation, reply, arena, output, err)) {
            *ret_fault = (struct aws_fault){
                .kind = AWS_FAULT_MALFORMED, .status = reply->status, .maybe_done = true};
            return err_wrap(err, "%s:%s", operation->service->name, operation->name);
        }
    }
    *ret_output = output;
    *ret_fault = (struct aws_fault){.kind = AWS_FAULT_NONE, .status = reply->status};
    return true;
}

/* ---- pages ---- */

bool aws_next_page(const struct aws_operation *operation, void *input, const void *output)
{
    if (operation->out_token == 0 || output == NULL) {
        return false;
    }
    struct str token =
        *(const struct str *)(const void *)((const char *)output + operation->out_token - 1);
    if (token.n == 0) {
        return false;
    }
    *(struct str *)(void *)((char *)input + operation->in_token - 1) = token;
    return true;
}

void aws_first_page(const struct aws_operation *operation, void *input)
{
    const bool by_ids =
        operation->no_size_with > 0 &&
        ((struct aws_texts *)(void *)((char *)input + operation->no_size_with - 1))->n > 0;
    if (operation->page_size > 0 && operation->items_per_page > 0 && !by_ids) {
        *(struct opt_i64 *)(void *)((char *)input + operation->page_size - 1) =
            (struct opt_i64){.has = true, .v = operation->items_per_page};
    }
}

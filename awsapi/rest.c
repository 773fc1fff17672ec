/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/rest.h"

#include "awsapi/ajson.h"
#include "awsapi/scalar.h"
#include "awsapi/uri.h"
#include "base/arena.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "base/limits.h"
#include "base/vec.h"

struct writing {
    const struct aws_shape *shape; /* of the input; never NULL */
    const char *input;
    struct arena *arena;
    struct aws_http_request *request;
    struct err *err;
};

static const char *in_name(const struct aws_row *row)
{
    return row->in == NULL ? row->name : row->in;
}

static bool is_there(const struct writing *w, const struct aws_row *row)
{
    return w->input != NULL && !aws_is_absent(row->shape, w->input + row->offset, false);
}

/* ---- path ---- */

static bool add_label(struct writing *w, struct strbuf *out, struct str label)
{
    bool greedy = str_ends(label, STR("+"));
    struct str name = str_sub(label, 0, label.n - (greedy ? 1 : 0));
    for (uint32_t i = 0; i < w->shape->n_rows; i++) {
        const struct aws_row *row = &w->shape->rows[i];
        if (row->where != AWS_IN_PATH || !str_eq(str_of(in_name(row)), name)) {
            continue;
        }
        struct str text = STR_EMPTY;
        if (is_there(w, row)) {
            text = aws_scalar_text(row->shape, w->input + row->offset, AWS_TIME_ISO8601, w->arena);
        }
        if (text.n == 0) {
            return err_set(w->err, ERR_INVALID, "%s: must not be empty, it is part of the path",
                           row->name);
        }
        aws_uri_encode(out, text, greedy ? AWS_URI_KEEP_SLASH : AWS_URI_ENCODE_SLASH);
        return true;
    }
    return err_set(w->err, ERR_INTERNAL, "no parameter for {" STR_FMT "} of the path",
                   STR_ARG(name));
}

static bool write_path(struct writing *w, struct str template)
{
    struct strbuf out = strbuf_new(w->arena, LIMIT_AWS_REQUEST_BYTES);
    size_t mark = str_find(template, '?');
    w->request->query = str_sub(template, mark + 1, template.n);
    for (struct str rest = str_sub(template, 0, mark); rest.n > 0;) {
        size_t open = str_find(rest, '{');
        size_t close = str_find(rest, '}');
        strbuf_add(&out, str_sub(rest, 0, open));
        if (open == rest.n) {
            break;
        }
        if (!add_label(w, &out, str_sub(rest, open + 1, close - open - 1))) {
            return false;
        }
        rest = str_sub(rest, close + 1, rest.n);
    }
    w->request->path = strbuf_str(&out);
    return true;
}

/* ---- query ---- */

static void add_parameter(struct strbuf *out, struct str name, struct str value)
{
    strbuf_addf(out, out->n > 0 ? "&" : "");
    aws_uri_encode(out, name, AWS_URI_ENCODE_SLASH);
    strbuf_addc(out, '=');
    aws_uri_encode(out, value, AWS_URI_ENCODE_SLASH);
}

static void add_values(struct writing *w, struct strbuf *out, struct str name,
                       const struct aws_shape *shape, const void *slot)
{
    const struct aws_any_list *list = slot;
    if (shape->type != AWS_LIST) {
        add_parameter(out, name, aws_scalar_text(shape, slot, AWS_TIME_ISO8601, w->arena));
        return;
    }
    size_t size = aws_element_size(shape->element);
    for (size_t i = 0; i < list->n; i++) {
        const char *element = (const char *)list->v + i * size;
        add_parameter(out, name,
                      aws_scalar_text(shape->element, element, AWS_TIME_ISO8601, w->arena));
    }
}

/* Whether a parameter of that name travels by itself: it then wins over an entry of a map. */
static bool has_own_row(const struct writing *w, struct str name)
{
    for (uint32_t i = 0; i < w->shape->n_rows; i++) {
        const struct aws_row *row = &w->shape->rows[i];
        if (row->where == AWS_IN_QUERY && row->shape->type != AWS_MAP &&
            str_eq(str_of(in_name(row)), name)) {
            return true;
        }
    }
    return false;
}

static void write_query(struct writing *w)
{
    struct strbuf out = strbuf_new(w->arena, LIMIT_AWS_REQUEST_BYTES);
    strbuf_add(&out, w->request->query);
    for (uint32_t i = 0; i < w->shape->n_rows; i++) {
        const struct aws_row *row = &w->shape->rows[i];
        if (row->where != AWS_IN_QUERY || !is_there(w, row)) {
            continue;
        }
        const char *slot = w->input + row->offset;
        const struct aws_any_list *map = (const void *)slot;
        if (row->shape->type != AWS_MAP) {
            add_values(w, &out, str_of(in_name(row)), row->shape, slot);
            continue;
        }
        for (size_t k = 0; k < map->n; k++) {
            const char *entry = (const char *)map->v + k * row->shape->size;
            struct str key = *(const struct str *)(const void *)entry;
            if (!has_own_row(w, key)) {
                add_values(w, &out, key, row->shape->element, entry + row->shape->value_offset);
            }
        }
    }
    w->request->query = strbuf_str(&out);
}

/* ---- headers ---- */

static bool add_header(struct writing *w, struct str name, struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\r' || value.p[i] == '\n') {
            return err_set(w->err, ERR_INVALID, "header " STR_FMT ": a line break in its value",
                           STR_ARG(name));
        }
    }
    if (w->request->n_headers >= AWS_HEADERS_MAX / 2) {
        return err_set(w->err, ERR_LIMIT, "more than %d headers", AWS_HEADERS_MAX / 2);
    }
    aws_http_add(w->request, name, value);
    return true;
}

/* An element of a list in a header; what has a comma or a quote is quoted. */
static void add_list_element(struct strbuf *out, const struct aws_shape *shape, struct str text)
{
    bool quoted =
        shape->type == AWS_TEXT && (str_find(text, ',') < text.n || str_find(text, '"') < text.n);
    strbuf_addf(out, "%s%s", out->n > 0 ? ", " : "", quoted ? "\"" : "");
    for (size_t i = 0; i < text.n; i++) {
        strbuf_addf(out, quoted && (text.p[i] == '"' || text.p[i] == '\\') ? "\\" : "");
        strbuf_addc(out, text.p[i]);
    }
    strbuf_addf(out, quoted ? "\"" : "");
}

static struct str header_text(struct writing *w, const struct aws_row *row)
{
    const char *slot = w->input + row->offset;
    const struct aws_any_list *list = (const void *)slot;
    if (row->shape->type != AWS_LIST) {
        struct str text = aws_scalar_text(row->shape, slot, AWS_TIME_HTTP, w->arena);
        return (row->flags & AWS_JSON_TEXT) != 0 ? base64_encode(text, w->arena) : text;
    }
    struct strbuf out = strbuf_new(w->arena, LIMIT_AWS_REQUEST_BYTES);
    size_t size = aws_element_size(row->shape->element);
    for (size_t i = 0; i < list->n; i++) {
        const char *element = (const char *)list->v + i * size;
        add_list_element(&out, row->shape->element,
                         aws_scalar_text(row->shape->element, element, AWS_TIME_HTTP, w->arena));
    }
    return strbuf_str(&out);
}

static bool write_prefixed(struct writing *w, const struct aws_row *row)
{
    const struct aws_any_list *map = (const void *)(w->input + row->offset);
    for (size_t i = 0; i < map->n; i++) {
        const char *entry = (const char *)map->v + i * row->shape->size;
        struct strbuf name = strbuf_new(w->arena, LIMIT_VALUE_BYTES);
        strbuf_addf(&name, "%s", in_name(row));
        strbuf_add(&name, *(const struct str *)(const void *)entry);
        if (!add_header(w, strbuf_str(&name),
                        aws_scalar_text(row->shape->element, entry + row->shape->value_offset,
                                        AWS_TIME_HTTP, w->arena))) {
            return false;
        }
    }
    return true;
}

static bool write_headers(struct writing *w)
{
    for (uint32_t i = 0; i < w->shape->n_rows; i++) {
        const struct aws_row *row = &w->shape->rows[i];
        if (!is_there(w, row)) {
            continue;
        }
        if (row->where == AWS_IN_HEADER) {
            if (!add_header(w, str_of(in_name(row)), header_text(w, row))) {
                return false;
            }
        }
        if (row->where == AWS_IN_HEADERS && !write_prefixed(w, row)) {
            return false;
        }
    }
    return true;
}

/* ---- body ---- */

static const struct aws_row *payload_row(const struct aws_shape *shape)
{
    for (uint32_t i = 0; i < shape->n_rows; i++) {
        if (shape->rows[i].where == AWS_IN_PAYLOAD) {
            return &shape->rows[i];
        }
    }
    return NULL;
}

static bool set_content_type(struct writing *w, struct str type)
{
    struct str given;
    return aws_header_find(w->request->headers, w->request->n_headers, STR("Content-Type"),
                           &given) ||
           add_header(w, STR("Content-Type"), type);
}

static bool write_payload(struct writing *w, const struct aws_row *row)
{
    struct strbuf out = strbuf_new(w->arena, LIMIT_AWS_REQUEST_BYTES);
    struct jsonw writer = jsonw_new(&out, JSONW_COMPACT);
    const char *slot = w->input == NULL ? NULL : w->input + row->offset;
    enum aws_type type = row->shape->type;
    if (!is_there(w, row)) {
        /* A structure that is absent is an empty one; anything else is no body. */
        bool is_struct = type == AWS_STRUCT && (row->shape->flags & AWS_UNION) == 0;
        w->request->body = is_struct ? STR("{}") : STR_EMPTY;
        return !is_struct || set_content_type(w, STR("application/json"));
    }
    if (type == AWS_BLOB || type == AWS_TEXT) {
        w->request->body = *(const struct str *)(const void *)slot;
        return set_content_type(w, type == AWS_BLOB ? STR("application/octet-stream")
                                                    : STR("text/plain"));
    }
    aws_json_write(&writer, AWS_JSON_IN, row->shape, slot, /* is_element= */ false);
    w->request->body = str_trim(strbuf_str(&out));
    return set_content_type(w, STR("application/json"));
}

static bool write_body(struct writing *w)
{
    const struct aws_row *payload = payload_row(w->shape);
    bool has_members = false;
    for (uint32_t i = 0; i < w->shape->n_rows; i++) {
        has_members = has_members || w->shape->rows[i].where == AWS_IN_BODY;
    }
    if (payload != NULL) {
        return write_payload(w, payload);
    }
    if (!has_members) {
        return true;
    }
    struct strbuf out = strbuf_new(w->arena, LIMIT_AWS_REQUEST_BYTES);
    struct jsonw writer = jsonw_new(&out, JSONW_COMPACT);
    jsonw_object_begin(&writer);
    if (w->input != NULL) {
        aws_json_write_members(&writer, AWS_JSON_IN, w->shape, w->input);
    }
    jsonw_object_end(&writer);
    w->request->body = str_trim(strbuf_str(&out));
    return set_content_type(w, STR("application/json"));
}

bool aws_rest_write(const struct aws_operation *operation, const void *input, struct arena *arena,
                    struct aws_http_request *request, struct err *err)
{
    static const struct aws_shape nothing = {.type = AWS_STRUCT};
    struct writing w = {.shape = operation->input == NULL ? &nothing : operation->input,
                        .input = input,
                        .arena = arena,
                        .request = request,
                        .err = err};
    if (!write_path(&w, str_of(operation->path)) || !write_headers(&w)) {
        return false;
    }
    write_query(&w);
    return write_body(&w);
}

/* ---- replies ---- */

struct reading {
    const struct aws_http_reply *reply;
    struct arena *arena;
    struct err *err;
};

/* The next value of a list in a header: at commas, quotes respected; HTTP dates have one comma
 * themselves. */
static struct str next_element(struct reading *r, struct str *rest, enum aws_type type)
{
    struct strbuf out = strbuf_new(r->arena, LIMIT_VALUE_BYTES);
    bool quoted = false;
    size_t n_commas = type == AWS_TIME && rest->n > 0 && (rest->p[0] < '0' || rest->p[0] > '9');
    size_t i = 0;
    for (; i < rest->n; i++) {
        char c = rest->p[i];
        if (c == '"') {
            quoted = !quoted;
        } else if (quoted && c == '\\' && i + 1 < rest->n) {
            strbuf_addc(&out, rest->p[++i]);
        } else if (c == ',' && !quoted && n_commas == 0) {
            break;
        } else {
            n_commas -= c == ',' && !quoted ? 1 : 0;
            strbuf_addc(&out, c);
        }
    }
    *rest = str_trim(str_sub(*rest, i + 1, rest->n));
    return str_trim(strbuf_str(&out));
}

static bool read_header_list(struct reading *r, const struct aws_shape *element, struct str text,
                             struct aws_any_list *list)
{
    size_t size = aws_element_size(element);
    size_t n_max = 1;
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        n_max += text.p[i] == ',' ? 1 : 0;
    }
    char *values = arena_calloc(r->arena, n_max, size);
    for (struct str rest = str_trim(text); rest.n > 0; n++) {
        struct str one = next_element(r, &rest, element->type);
        if (!aws_scalar_parse(element, one, r->arena, values + n * size, r->err)) {
            return err_wrap(r->err, "[%zu]", n);
        }
    }
    *list = (struct aws_any_list){.v = values, .n = n};
    return true;
}

static bool read_header(struct reading *r, const struct aws_row *row, void *slot)
{
    struct str text;
    const char *name = row->out == NULL ? row->name : row->out;
    if (!aws_header_find(r->reply->headers, r->reply->n_headers, str_of(name), &text)) {
        return true;
    }
    if ((row->flags & AWS_JSON_TEXT) != 0) {
        return base64_decode(text, r->arena, slot) ||
               err_set(r->err, ERR_PARSE, "header %s: not base64", name);
    }
    return row->shape->type == AWS_LIST
               ? read_header_list(r, row->shape->element, text, slot)
               : aws_scalar_parse(row->shape, text, r->arena, slot, r->err);
}

static bool read_prefixed(struct reading *r, const struct aws_row *row, struct aws_any_list *map)
{
    struct str prefix = str_of(row->out == NULL ? row->name : row->out);
    size_t n = 0;
    char *entries = arena_calloc(r->arena, r->reply->n_headers, row->shape->size);
    for (size_t i = 0; i < r->reply->n_headers; i++) {
        const struct aws_header *header = &r->reply->headers[i];
        if (!aws_header_name_eq(str_sub(header->name, 0, prefix.n), prefix)) {
            continue;
        }
        char *entry = entries + n++ * row->shape->size;
        *(struct str *)(void *)entry =
            str_copy(r->arena, str_sub(header->name, prefix.n, header->name.n));
        if (!aws_scalar_parse(row->shape->element, header->value, r->arena,
                              entry + row->shape->value_offset, r->err)) {
            return false;
        }
    }
    *map = (struct aws_any_list){.v = entries, .n = n};
    return true;
}

static bool decode_body(struct reading *r, json_t **ret_json)
{
    *ret_json = NULL;
    return str_trim(r->reply->body).n == 0 ||
           json_decode_text(r->reply->body, r->arena, ret_json, r->err);
}

static bool read_payload(struct reading *r, const struct aws_row *row, void *slot)
{
    auto_json *json = NULL;
    enum aws_type type = row->shape->type;
    if (type == AWS_BLOB || type == AWS_TEXT) {
        if (r->reply->body.n > 0) {
            *(struct str *)slot = str_copy(r->arena, r->reply->body);
        }
        return true;
    }
    return decode_body(r, &json) && aws_json_read(json, AWS_JSON_OUT, row->shape, r->arena, slot,
                                                  /* is_element= */ false, r->err);
}

static bool read_row(struct reading *r, const struct aws_row *row, char *slot)
{
    switch (row->where) {
    case AWS_IN_HEADER:
        return read_header(r, row, slot);
    case AWS_IN_HEADERS:
        return read_prefixed(r, row, (struct aws_any_list *)(void *)slot);
    case AWS_IN_STATUS:
        *(struct opt_i64 *)(void *)slot = (struct opt_i64){.has = true, .v = r->reply->status};
        return true;
    case AWS_IN_PAYLOAD:
        return read_payload(r, row, slot);
    case AWS_IN_BODY:
    case AWS_IN_PATH:
    case AWS_IN_QUERY:
        break;
    }
    return true;
}

bool aws_rest_read(const struct aws_operation *operation, const struct aws_http_reply *reply,
                   struct arena *arena, void *output, struct err *err)
{
    struct reading r = {.reply = reply, .arena = arena, .err = err};
    const struct aws_shape *shape = operation->output;
    auto_json *json = NULL;
    bool has_members = false;
    for (uint32_t i = 0; i < shape->n_rows; i++) {
        const struct aws_row *row = &shape->rows[i];
        has_members = has_members || row->where == AWS_IN_BODY;
        if (!read_row(&r, row, (char *)output + row->offset)) {
            return err_wrap(err, "%s", row->name);
        }
    }
    if (!has_members || payload_row(shape) != NULL) {
        return true;
    }
    return decode_body(&r, &json) &&
           (json == NULL || aws_json_read_members(json, AWS_JSON_OUT, shape, arena, output, err));
}

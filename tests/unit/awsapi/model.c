/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "awsapi/ajson.h"
#include "base/json_decode.h"

enum { SLOT = 16 };

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static enum aws_time_format time_format_of(const char *name)
{
    if (name == NULL) {
        return AWS_TIME_DEFAULT;
    }
    return strcmp(name, "iso8601") == 0  ? AWS_TIME_ISO8601
           : strcmp(name, "rfc822") == 0 ? AWS_TIME_HTTP
                                         : AWS_TIME_EPOCH;
}

static enum aws_type type_of(const json_t *shape)
{
    static const struct {
        const char *name;
        enum aws_type type;
    } types[] = {{"string", AWS_TEXT},      {"character", AWS_TEXT}, {"blob", AWS_BLOB},
                 {"boolean", AWS_BOOL},     {"integer", AWS_INT},    {"long", AWS_INT},
                 {"float", AWS_DOUBLE},     {"double", AWS_DOUBLE},  {"timestamp", AWS_TIME},
                 {"structure", AWS_STRUCT}, {"list", AWS_LIST},      {"map", AWS_MAP}};
    if (json_is_true(json_object_get(shape, "document"))) {
        return AWS_DOCUMENT;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, text_of(shape, "type")) == 0) {
            return types[i].type;
        }
    }
    abort();
}

static const char *capitalized(struct model *model, const char *name)
{
    char *copy = arena_copy(model->arena, name, strlen(name));
    copy[0] = copy[0] >= 'a' && copy[0] <= 'z' ? (char)(copy[0] - 'a' + 'A') : copy[0];
    return copy;
}

static enum aws_where where_of(const json_t *shape, const json_t *ref, const char *member)
{
    static const struct {
        const char *name;
        enum aws_where where;
    } places[] = {{"uri", AWS_IN_PATH},
                  {"querystring", AWS_IN_QUERY},
                  {"header", AWS_IN_HEADER},
                  {"headers", AWS_IN_HEADERS},
                  {"statusCode", AWS_IN_STATUS}};
    const char *location = text_of(ref, "location");
    const char *payload = text_of(shape, "payload");
    for (size_t i = 0; location != NULL && i < sizeof places / sizeof places[0]; i++) {
        if (strcmp(places[i].name, location) == 0) {
            return places[i].where;
        }
    }
    return payload != NULL && strcmp(payload, member) == 0 ? AWS_IN_PAYLOAD : AWS_IN_BODY;
}

static bool is_required(const json_t *shape, const char *member)
{
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(shape, "required"), i, name)
    {
        if (strcmp(json_string_value(name), member) == 0) {
            return true;
        }
    }
    return false;
}

static void fill_row(struct model *model, const json_t *shape, const char *member,
                     const json_t *ref, struct aws_row *row, size_t index)
{
    const char *location_name = text_of(ref, "locationName");
    const char *query_name = text_of(ref, "queryName");
    unsigned flags = is_required(shape, member) ? AWS_REQUIRED : 0;
    flags |= json_is_true(json_object_get(ref, "idempotencyToken")) ? AWS_TOKEN : 0U;
    flags |= json_is_true(json_object_get(ref, "hostLabel")) ? AWS_HOST_LABEL : 0U;
    flags |= json_is_true(json_object_get(ref, "jsonvalue")) ? AWS_JSON_TEXT : 0U;
    *row = (struct aws_row){.name = member,
                            .in = location_name,
                            .out = location_name,
                            .shape = model_shape(model, ref),
                            .offset = (uint32_t)(index * SLOT),
                            .where = where_of(shape, ref, member),
                            .flags = flags};
    if (model->protocol == AWS_PROTOCOL_EC2) {
        row->in = query_name != NULL
                      ? query_name
                      : capitalized(model, location_name != NULL ? location_name : member);
    }
}

static void fill_struct(struct model *model, const json_t *shape, struct aws_shape *made)
{
    json_t *members = json_object_get(shape, "members");
    size_t n = json_object_size(members);
    struct aws_row *rows = ARENA_ARRAY(model->arena, struct aws_row, n);
    const char *name;
    json_t *ref;
    size_t i = 0;
    made->size = (uint32_t)(SLOT * (n + 1));
    made->n_rows = (uint32_t)n;
    made->rows = rows;
    json_object_foreach(members, name, ref)
    {
        fill_row(model, shape, name, ref, &rows[i], i);
        i++;
    }
}

static struct aws_shape *make(struct model *model, const char *name)
{
    const json_t *shape = json_object_get(model->shapes, name);
    struct aws_shape *made = ARENA_NEW(model->arena, struct aws_shape);
    json_object_set_new(model->made, name, json_integer((json_int_t)(uintptr_t)made));
    made->type = type_of(shape);
    made->time_format = time_format_of(text_of(shape, "timestampFormat"));
    made->flags = json_is_true(json_object_get(shape, "flattened")) ? AWS_FLAT : 0;
    made->flags |= json_is_true(json_object_get(shape, "sparse")) ? AWS_SPARSE : 0U;
    made->flags |= json_is_true(json_object_get(shape, "union")) ? AWS_UNION : 0U;
    if (made->type == AWS_STRUCT) {
        fill_struct(model, shape, made);
    } else if (made->type == AWS_LIST) {
        const json_t *element = json_object_get(shape, "member");
        made->element = model_shape(model, element);
        made->element_name = text_of(element, "locationName");
        if (made->element_name == NULL && model->protocol == AWS_PROTOCOL_EC2) {
            made->element_name = "member";
        }
    } else if (made->type == AWS_MAP) {
        made->element = model_shape(model, json_object_get(shape, "value"));
        made->key_name = text_of(json_object_get(shape, "key"), "locationName");
        made->value_name = text_of(json_object_get(shape, "value"), "locationName");
        made->value_offset = SLOT;
        made->size = (uint32_t)(SLOT + (aws_element_size(made->element) + SLOT - 1) / SLOT * SLOT);
    }
    return made;
}

const struct aws_shape *model_shape(struct model *model, const json_t *ref)
{
    const json_t *address = json_object_get(model->made, text_of(ref, "shape"));
    struct aws_shape *shape = address != NULL
                                  ? (struct aws_shape *)(uintptr_t)json_integer_value(address)
                                  : make(model, text_of(ref, "shape"));
    const char *format = text_of(ref, "timestampFormat");
    if (!json_is_true(json_object_get(ref, "flattened")) && format == NULL) {
        return shape;
    }
    struct aws_shape *copy = ARENA_NEW(model->arena, struct aws_shape);
    *copy = *shape;
    copy->flags |= json_is_true(json_object_get(ref, "flattened")) ? AWS_FLAT : 0U;
    copy->time_format = format == NULL ? shape->time_format : time_format_of(format);
    return copy;
}

/* ---- plain values ---- */

static struct str copy_string(struct arena *arena, const json_t *json)
{
    size_t n = json_string_length(json);
    return (struct str){.p = arena_copy(arena, json_string_value(json), n), .n = n};
}

static double double_of(const json_t *json)
{
    const char *text = json_string_value(json);
    return text == NULL                    ? json_number_value(json)
           : strcmp(text, "NaN") == 0      ? NAN
           : strcmp(text, "Infinity") == 0 ? INFINITY
                                           : -INFINITY;
}

static void fill_members(const struct aws_shape *shape, const json_t *json, struct arena *arena,
                         char *value)
{
    for (uint32_t i = 0; i < shape->n_rows; i++) {
        const json_t *member = json_object_get(json, shape->rows[i].name);
        if (member != NULL) {
            model_fill(shape->rows[i].shape, member, arena, value + shape->rows[i].offset, false);
        }
    }
}

static void fill_list(const struct aws_shape *shape, const json_t *json, struct arena *arena,
                      struct aws_any_list *list)
{
    size_t size = aws_element_size(shape->element);
    list->n = json_array_size(json);
    list->v = arena_calloc(arena, list->n, size);
    for (size_t i = 0; i < list->n; i++) {
        model_fill(shape->element, json_array_get(json, i), arena, (char *)list->v + i * size,
                   true);
    }
}

static void fill_map(const struct aws_shape *shape, const json_t *json, struct arena *arena,
                     struct aws_any_list *map)
{
    const char *key;
    json_t *value;
    map->n = 0;
    map->v = arena_calloc(arena, json_object_size(json), shape->size);
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        char *entry = (char *)map->v + map->n++ * shape->size;
        *(struct str *)(void *)entry = str_copy(arena, str_of(key));
        model_fill(shape->element, value, arena, entry + shape->value_offset, true);
    }
}

void model_fill(const struct aws_shape *shape, const json_t *json, struct arena *arena, void *slot,
                bool is_element)
{
    if (json_is_null(json)) {
        return;
    }
    switch (shape->type) {
    case AWS_TEXT:
    case AWS_BLOB:
        *(struct str *)slot = copy_string(arena, json);
        return;
    case AWS_DOCUMENT:
        *(struct str *)slot = aws_json_document(json, arena);
        return;
    case AWS_BOOL:
        *(struct opt_bool *)slot = (struct opt_bool){.has = true, .v = json_is_true(json)};
        return;
    case AWS_INT:
        *(struct opt_i64 *)slot = (struct opt_i64){.has = true, .v = json_integer_value(json)};
        return;
    case AWS_DOUBLE:
        *(struct aws_opt_double *)slot = (struct aws_opt_double){.has = true, .v = double_of(json)};
        return;
    case AWS_TIME:
        *(struct opt_wall *)slot =
            (struct opt_wall){.has = true, .v = llround(json_number_value(json) * 1000)};
        return;
    case AWS_LIST:
        fill_list(shape, json, arena, slot);
        return;
    case AWS_MAP:
        fill_map(shape, json, arena, slot);
        return;
    case AWS_STRUCT:
        break;
    }
    if (!is_element) {
        void *made = arena_alloc(arena, shape->size);
        *(void **)slot = made;
        slot = made;
    }
    fill_members(shape, json, arena, slot);
}

static json_t *plain_double(double value)
{
    return isnan(value)   ? json_string("NaN")
           : isinf(value) ? json_string(value < 0 ? "-Infinity" : "Infinity")
                          : json_real(value);
}

static json_t *plain_document(struct str text)
{
    auto_arena arena = ARENA_INIT;
    json_t *value = NULL;
    struct err err = {.code = ERR_NONE};
    return json_decode_text(text, &arena, &value, &err) ? value : json_string(err.text);
}

static json_t *plain_container(const struct aws_shape *shape, const void *slot, bool is_element)
{
    const struct aws_any_list *list = slot;
    json_t *json = shape->type == AWS_LIST ? json_array() : json_object();
    for (size_t i = 0; shape->type == AWS_LIST && i < list->n; i++) {
        const char *element = (const char *)list->v + i * aws_element_size(shape->element);
        json_array_append_new(json, model_plain(shape->element, element, true));
    }
    for (size_t i = 0; shape->type == AWS_MAP && i < list->n; i++) {
        const char *entry = (const char *)list->v + i * shape->size;
        const struct str *key = (const void *)entry;
        json_object_setn_new(json, key->p, key->n,
                             model_plain(shape->element, entry + shape->value_offset, true));
    }
    const char *value = shape->type == AWS_STRUCT ? aws_struct_at(slot, is_element) : NULL;
    for (uint32_t i = 0; value != NULL && i < shape->n_rows; i++) {
        const struct aws_row *row = &shape->rows[i];
        if (!aws_is_absent(row->shape, value + row->offset, false)) {
            json_object_set_new(json, row->name,
                                model_plain(row->shape, value + row->offset, false));
        }
    }
    return json;
}

json_t *model_plain(const struct aws_shape *shape, const void *slot, bool is_element)
{
    const struct str *text = slot;
    if (aws_is_absent(shape, slot, is_element)) {
        return json_null();
    }
    switch (shape->type) {
    case AWS_TEXT:
    case AWS_BLOB:
        return json_stringn_nocheck(text->p, text->n);
    case AWS_DOCUMENT:
        return plain_document(*text);
    case AWS_BOOL:
        return json_boolean(((const struct opt_bool *)slot)->v);
    case AWS_INT:
        return json_integer(((const struct opt_i64 *)slot)->v);
    case AWS_DOUBLE:
        return plain_double(((const struct aws_opt_double *)slot)->v);
    case AWS_TIME:
        return json_real((double)((const struct opt_wall *)slot)->v / 1000);
    case AWS_STRUCT:
    case AWS_LIST:
    case AWS_MAP:
        break;
    }
    return plain_container(shape, slot, is_element);
}

bool model_same(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *value;
    if (json_is_number(a) && json_is_number(b)) {
        return fabs(json_number_value(a) - json_number_value(b)) < 1e-9;
    }
    if (json_typeof(a) != json_typeof(b)) {
        return false;
    }
    if (json_is_array(a)) {
        bool same = json_array_size(a) == json_array_size(b);
        for (size_t i = 0; same && i < json_array_size(a); i++) {
            same = model_same(json_array_get(a, i), json_array_get(b, i));
        }
        return same;
    }
    if (!json_is_object(a)) {
        return json_equal(a, b);
    }
    json_object_foreach((json_t *)(uintptr_t)a, key, value)
    {
        const json_t *other = json_object_get(b, key);
        if (other == NULL || !model_same(value, other)) {
            return false;
        }
    }
    return json_object_size(a) == json_object_size(b);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/ajson.h"

#include <math.h>

#include "awsapi/scalar.h"
#include "base/arena.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/json_decode.h"
#include "base/limits.h"
#include "base/number.h"

enum { MS_DECIMALS = 3 };

static const char *row_name(const struct aws_row *row, enum aws_json_names names)
{
    const char *other = names == AWS_JSON_IN ? row->in : names == AWS_JSON_OUT ? row->out : NULL;
    return other == NULL ? row->name : other;
}

/* ---- writing ---- */

static void write_document(struct jsonw *w, struct str text)
{
    auto_arena scratch = ARENA_INIT;
    auto_json *value = NULL;
    struct err ignored = {.code = ERR_NONE};
    if (json_decode_text(text, &scratch, &value, &ignored)) {
        jsonw_json(w, value);
    } else {
        jsonw_null(w);
    }
}

static void write_double(struct jsonw *w, double value)
{
    auto_arena scratch = ARENA_INIT;
    if (!isfinite(value)) {
        jsonw_str(w, aws_double_text(value, &scratch));
        return;
    }
    auto_json *number = json_real(value);
    jsonw_json(w, number);
}

static void write_time(struct jsonw *w, enum aws_json_names names, const struct aws_shape *shape,
                       wall_t time)
{
    char room[AWS_TIME_TEXT_MAX];
    enum aws_time_format format = names == AWS_JSON_CLI ? AWS_TIME_ISO8601 : shape->time_format;
    if (format == AWS_TIME_DEFAULT || format == AWS_TIME_EPOCH) {
        jsonw_decimal(w, time, MS_DECIMALS);
    } else {
        jsonw_str(w, aws_time_format(time, format, room));
    }
}

static void write_blob(struct jsonw *w, struct str bytes)
{
    auto_arena scratch = ARENA_INIT;
    jsonw_str(w, base64_encode(bytes, &scratch));
}

static void write_list(struct jsonw *w, enum aws_json_names names, const struct aws_shape *shape,
                       const struct aws_any_list *list)
{
    size_t size = aws_element_size(shape->element);
    jsonw_array_begin(w);
    for (size_t i = 0; i < list->n; i++) {
        const char *element = (const char *)list->v + i * size;
        if (!aws_is_absent(shape->element, element, /* is_element= */ true)) {
            aws_json_write(w, names, shape->element, element, /* is_element= */ true);
        } else if ((shape->flags & AWS_SPARSE) != 0) {
            jsonw_null(w);
        }
    }
    jsonw_array_end(w);
}

static void write_map(struct jsonw *w, enum aws_json_names names, const struct aws_shape *shape,
                      const struct aws_any_list *map)
{
    jsonw_object_begin(w);
    for (size_t i = 0; i < map->n; i++) {
        const char *entry = (const char *)map->v + i * shape->size;
        const char *value = entry + shape->value_offset;
        bool absent = aws_is_absent(shape->element, value, /* is_element= */ true);
        if (absent && (shape->flags & AWS_SPARSE) == 0) {
            continue;
        }
        jsonw_key(w, *(const struct str *)(const void *)entry);
        if (absent) {
            jsonw_null(w);
        } else {
            aws_json_write(w, names, shape->element, value, /* is_element= */ true);
        }
    }
    jsonw_object_end(w);
}

void aws_json_write_members(struct jsonw *w, enum aws_json_names names,
                            const struct aws_shape *shape, const void *value)
{
    for (uint32_t i = 0; i < shape->n_rows; i++) {
        const struct aws_row *row = &shape->rows[i];
        const char *slot = (const char *)value + row->offset;
        if ((row->where == AWS_IN_BODY || names == AWS_JSON_CLI) &&
            !aws_is_absent(row->shape, slot, /* is_element= */ false)) {
            jsonw_key(w, str_of(row_name(row, names)));
            aws_json_write(w, names, row->shape, slot, /* is_element= */ false);
        }
    }
}

void aws_json_write(struct jsonw *w, enum aws_json_names names, const struct aws_shape *shape,
                    const void *slot, bool is_element)
{
    switch (shape->type) {
    case AWS_TEXT:
        jsonw_str(w, *(const struct str *)slot);
        break;
    case AWS_BLOB:
        write_blob(w, *(const struct str *)slot);
        break;
    case AWS_DOCUMENT:
        write_document(w, *(const struct str *)slot);
        break;
    case AWS_BOOL:
        jsonw_bool(w, ((const struct opt_bool *)slot)->v);
        break;
    case AWS_INT:
        jsonw_i64(w, ((const struct opt_i64 *)slot)->v);
        break;
    case AWS_DOUBLE:
        write_double(w, ((const struct aws_opt_double *)slot)->v);
        break;
    case AWS_TIME:
        write_time(w, names, shape, ((const struct opt_wall *)slot)->v);
        break;
    case AWS_STRUCT:
        jsonw_object_begin(w);
        aws_json_write_members(w, names, shape, aws_struct_at(slot, is_element));
        jsonw_object_end(w);
        break;
    case AWS_LIST:
        write_list(w, names, shape, slot);
        break;
    case AWS_MAP:
        write_map(w, names, shape, slot);
        break;
    }
}

struct str aws_json_document(const json_t *json, struct arena *arena)
{
    struct strbuf out = strbuf_new(arena, LIMIT_AWS_REPLY_BYTES);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    jsonw_json(&w, json);
    return str_trim(strbuf_str(&out));
}

/* ---- reading ---- */

struct reading {
    enum aws_json_names names;
    struct arena *arena;
    struct err *err;
};

static bool read_value(struct reading *r, const json_t *json, const struct aws_shape *shape,
                       void *slot, bool is_element);

static bool wrong_type(struct reading *r, const char *want, const json_t *json)
{
    return err_set(r->err, ERR_PARSE, "expected %s, got %s", want, json_type_text(json));
}

static bool read_members(struct reading *r, const json_t *json, const struct aws_shape *shape,
                         char *value)
{
    if (!json_is_object(json)) {
        return wrong_type(r, "an object", json);
    }
    for (uint32_t i = 0; i < shape->n_rows; i++) {
        const struct aws_row *row = &shape->rows[i];
        const json_t *member = json_object_get(json, row_name(row, r->names));
        bool travels = row->where == AWS_IN_BODY || r->names == AWS_JSON_CLI;
        if (travels && member != NULL && !json_is_null(member) &&
            !read_value(r, member, row->shape, value + row->offset, /* is_element= */ false)) {
            return err_wrap(r->err, "%s", row->name);
        }
    }
    return true;
}

static bool read_list(struct reading *r, const json_t *json, const struct aws_shape *shape,
                      struct aws_any_list *list)
{
    size_t size = aws_element_size(shape->element);
    size_t n = 0;
    size_t i;
    json_t *element;
    if (!json_is_array(json)) {
        return wrong_type(r, "an array", json);
    }
    char *values = arena_calloc(r->arena, json_array_size(json), size);
    json_array_foreach(json, i, element)
    {
        bool is_null = json_is_null(element);
        if (is_null && (shape->flags & AWS_SPARSE) == 0) {
            continue;
        }
        if (!is_null && !read_value(r, element, shape->element, values + n * size,
                                    /* is_element= */ true)) {
            return err_wrap(r->err, "[%zu]", i);
        }
        n++;
    }
    *list = (struct aws_any_list){.v = values, .n = n};
    return true;
}

static bool read_map(struct reading *r, const json_t *json, const struct aws_shape *shape,
                     struct aws_any_list *map)
{
    const char *key;
    size_t key_size;
    json_t *value;
    size_t n = 0;
    if (!json_is_object(json)) {
        return wrong_type(r, "an object", json);
    }
    char *entries = arena_calloc(r->arena, json_object_size(json), shape->size);
    json_object_keylen_foreach((json_t *)(uintptr_t)json, key, key_size, value)
    {
        char *entry = entries + n * shape->size;
        struct str name = {.p = key, .n = key_size};
        bool is_null = json_is_null(value);
        if (is_null && (shape->flags & AWS_SPARSE) == 0) {
            continue;
        }
        *(struct str *)(void *)entry = str_copy(r->arena, name);
        if (!is_null && !read_value(r, value, shape->element, entry + shape->value_offset,
                                    /* is_element= */ true)) {
            return err_wrap(r->err, "[" STR_FMT "]", STR_ARG(name));
        }
        n++;
    }
    *map = (struct aws_any_list){.v = entries, .n = n};
    return true;
}

/* A JSON string as text; empty is not absent. */
static struct str string_of(const json_t *json)
{
    return (struct str){.p = json_string_value(json), .n = json_string_length(json)};
}

static bool read_int(struct reading *r, const json_t *json, struct opt_i64 *ret_value)
{
    double real = json_is_real(json) ? json_real_value(json) : 0.5;
    if (json_is_integer(json)) {
        *ret_value = (struct opt_i64){.has = true, .v = json_integer_value(json)};
        return true;
    }
    if (real != floor(real) || fabs(real) > 9e15) {
        return wrong_type(r, "an integer", json);
    }
    *ret_value = (struct opt_i64){.has = true, .v = (int64_t)real};
    return true;
}

static bool read_double(struct reading *r, const json_t *json, struct aws_opt_double *ret_value)
{
    struct aws_opt_double value = {.has = true, .v = json_number_value(json)};
    if (json_is_string(json) ? !aws_double_parse(string_of(json), &value.v)
                             : !json_is_number(json)) {
        return wrong_type(r, "a number", json);
    }
    *ret_value = value;
    return true;
}

static bool read_time(struct reading *r, const json_t *json, struct opt_wall *ret_value)
{
    struct opt_wall value = {.has = true};
    if (json_is_integer(json)) {
        value.v = sat_mul(json_integer_value(json), 1000);
    } else if (json_is_real(json) && fabs(json_real_value(json)) < 9e12) {
        value.v = llround(json_real_value(json) * 1000);
    } else if (!json_is_string(json)) {
        return wrong_type(r, "a time", json);
    } else if (!aws_time_parse(string_of(json), &value.v, r->err)) {
        r->err->code = ERR_PARSE;
        return false;
    }
    *ret_value = value;
    return true;
}

static bool read_value(struct reading *r, const json_t *json, const struct aws_shape *shape,
                       void *slot, bool is_element)
{
    switch (shape->type) {
    case AWS_TEXT:
    case AWS_BLOB:
        return json_is_string(json)
                   ? aws_scalar_parse(shape, string_of(json), r->arena, slot, r->err)
                   : wrong_type(r, "a string", json);
    case AWS_DOCUMENT:
        *(struct str *)slot = aws_json_document(json, r->arena);
        return true;
    case AWS_BOOL:
        if (!json_is_boolean(json)) {
            return wrong_type(r, "true or false", json);
        }
        *(struct opt_bool *)slot = (struct opt_bool){.has = true, .v = json_is_true(json)};
        return true;
    case AWS_INT:
        return read_int(r, json, slot);
    case AWS_DOUBLE:
        return read_double(r, json, slot);
    case AWS_TIME:
        return read_time(r, json, slot);
    case AWS_LIST:
        return read_list(r, json, shape, slot);
    case AWS_MAP:
        return read_map(r, json, shape, slot);
    case AWS_STRUCT:
        break;
    }
    if (!is_element) {
        void *made = arena_alloc(r->arena, shape->size);
        *(void **)slot = made;
        slot = made;
    }
    return read_members(r, json, shape, slot);
}

bool aws_json_read(const json_t *json, enum aws_json_names names, const struct aws_shape *shape,
                   struct arena *arena, void *slot, bool is_element, struct err *err)
{
    struct reading r = {.names = names, .arena = arena, .err = err};
    return json == NULL || json_is_null(json) || read_value(&r, json, shape, slot, is_element);
}

bool aws_json_read_members(const json_t *json, enum aws_json_names names,
                           const struct aws_shape *shape, struct arena *arena, void *value,
                           struct err *err)
{
    struct reading r = {.names = names, .arena = arena, .err = err};
    return read_members(&r, json, shape, value);
}

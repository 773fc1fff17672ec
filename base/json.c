/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"

enum { PATH_MAX_BYTES = 512 };

void json_clean(json_t **value)
{
    json_decref(*value);
    *value = NULL;
}

static const json_t *present(const json_t *value)
{
    return json_is_null(value) ? NULL : value;
}

struct json_at json_at_root(const json_t *value)
{
    return (struct json_at){.v = present(value), .up = NULL, .key = STR_EMPTY, .index = 0};
}

struct json_at json_at_member(const struct json_at *object, const char *key)
{
    return json_at_named(object, str_of(key), json_object_get(object->v, key));
}

struct json_at json_at_named(const struct json_at *object, struct str key, const json_t *value)
{
    return (struct json_at){.v = present(value), .up = object, .key = key, .index = 0};
}

struct json_at json_at_element(const struct json_at *array, size_t index)
{
    return (struct json_at){.v = present(json_array_get(array->v, index)),
                            .up = array,
                            .key = STR_EMPTY,
                            .index = index};
}

size_t json_at_count(const struct json_at *at)
{
    return json_is_array(at->v)    ? json_array_size(at->v)
           : json_is_object(at->v) ? json_object_size(at->v)
                                   : 0;
}

static bool plain_key(struct str key)
{
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_')) {
            return false;
        }
    }
    return key.n > 0;
}

/* Puts text in front of what is in the buffer already; false when it no longer fits. */
static bool prepend(char *buffer, size_t *start, struct str text)
{
    if (text.n > *start) {
        return false;
    }
    *start -= text.n;
    if (text.n > 0) {
        memcpy(buffer + *start, text.p, text.n);
    }
    return true;
}

static bool prepend_step(char *buffer, size_t *start, const struct json_at *at)
{
    char number[32];
    if (at->key.p == NULL) {
        int n = snprintf(number, sizeof number, "[%zu]", at->index);
        return prepend(buffer, start, (struct str){.p = number, .n = (size_t)n});
    }
    if (plain_key(at->key)) {
        return prepend(buffer, start, at->key) &&
               (at->up->up == NULL || prepend(buffer, start, STR(".")));
    }
    struct str shown = str_sub(at->key, 0, 128);
    return prepend(buffer, start, STR("]")) && prepend(buffer, start, shown) &&
           prepend(buffer, start, STR("["));
}

struct str json_at_path(const struct json_at *at, char *buffer, size_t size)
{
    size_t start = size;
    if (at->up == NULL) {
        (void)prepend(buffer, &start, STR("."));
    }
    for (; at->up != NULL; at = at->up) {
        size_t before = start;
        if (!prepend_step(buffer, &start, at)) {
            start = before;
            (void)prepend(buffer, &start, STR("..."));
            break;
        }
    }
    return (struct str){.p = buffer + start, .n = size - start};
}

bool json_fail(struct err *err, enum err_code code, const struct json_at *at, const char *format,
               ...)
{
    char path_room[PATH_MAX_BYTES], text[ERR_TEXT_MAX];
    struct str path = json_at_path(at, path_room, sizeof path_room);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(err, code, STR_FMT ": %s", STR_ARG(path), text);
}

const char *json_type_text(const json_t *value)
{
    static const char *const texts[] = {
        [JSON_OBJECT] = "an object",   [JSON_ARRAY] = "a list",  [JSON_STRING] = "a string",
        [JSON_INTEGER] = "an integer", [JSON_REAL] = "a number", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",        [JSON_NULL] = "null",
    };
    return value == NULL ? "nothing" : texts[json_typeof(value)];
}

static bool absent(const struct json_at *at, bool *ret_has, const char *expected, struct err *err)
{
    if (ret_has == NULL) {
        return json_fail(err, ERR_INVALID, at, "required (expected %s)", expected);
    }
    *ret_has = false;
    return true;
}

static bool wrong_type(const struct json_at *at, const char *expected, struct err *err)
{
    if (json_is_string(at->v)) {
        size_t n = json_string_length(at->v);
        return json_fail(err, ERR_INVALID, at, "expected %s, got the string \"%.*s\"%s", expected,
                         (int)(n > 64 ? 64 : n), json_string_value(at->v), n > 64 ? "..." : "");
    }
    return json_fail(err, ERR_INVALID, at, "expected %s, got %s", expected, json_type_text(at->v));
}

static void found(bool *ret_has)
{
    if (ret_has != NULL) {
        *ret_has = true;
    }
}

bool json_read_str(const struct json_at *at, bool *ret_has, struct str *ret_value, struct err *err)
{
    if (at->v == NULL) {
        *ret_value = STR_EMPTY;
        return absent(at, ret_has, "a string", err);
    }
    if (!json_is_string(at->v)) {
        return wrong_type(at, "a string", err);
    }
    struct str value = {.p = json_string_value(at->v), .n = json_string_length(at->v)};
    if (value.n > LIMIT_VALUE_BYTES) {
        return json_fail(err, ERR_LIMIT, at, "%zu bytes are too long (LIMIT_VALUE_BYTES is %d)",
                         value.n, (int)LIMIT_VALUE_BYTES);
    }
    *ret_value = value;
    found(ret_has);
    return true;
}

bool json_read_i64(const struct json_at *at, int64_t min, int64_t max, bool *ret_has,
                   int64_t *ret_value, struct err *err)
{
    int64_t value = 0;
    if (at->v == NULL) {
        *ret_value = 0;
        return absent(at, ret_has, "an integer", err);
    }
    if (json_is_integer(at->v)) {
        value = json_integer_value(at->v);
    } else if (json_is_real(at->v)) {
        double real = json_real_value(at->v);
        if (!(real >= -9007199254740992.0 && real <= 9007199254740992.0) ||
            real != (double)(int64_t)real) {
            return json_fail(err, ERR_INVALID, at, "expected an integer, got %g", real);
        }
        value = (int64_t)real;
    } else {
        return wrong_type(at, "an integer", err);
    }
    if (value < min || value > max) {
        return json_fail(err, ERR_INVALID, at, "%lld is out of range (%lld to %lld)",
                         (long long)value, (long long)min, (long long)max);
    }
    *ret_value = value;
    found(ret_has);
    return true;
}

bool json_read_bool(const struct json_at *at, bool *ret_has, bool *ret_value, struct err *err)
{
    if (at->v == NULL) {
        *ret_value = false;
        return absent(at, ret_has, "true or false", err);
    }
    if (!json_is_boolean(at->v)) {
        return wrong_type(at, "true or false", err);
    }
    *ret_value = json_is_true(at->v);
    found(ret_has);
    return true;
}

bool json_want_object(const struct json_at *at, struct err *err)
{
    return at->v == NULL || json_is_object(at->v) || wrong_type(at, "an object", err);
}

bool json_want_array(const struct json_at *at, struct err *err)
{
    return at->v == NULL || json_is_array(at->v) || wrong_type(at, "a list", err);
}

bool json_read_decimal(const struct json_at *at, int n_decimals, int64_t *ret_value,
                       struct err *err)
{
    char buffer[NUMBER_TEXT_MAX];
    struct str text;
    if (json_is_integer(at->v)) {
        text = number_format_decimal(json_integer_value(at->v), 0, buffer);
    } else if (json_is_real(at->v)) {
        text = number_format_double(json_real_value(at->v), buffer);
    } else {
        return json_fail(err, ERR_INVALID, at, "expected a number, got %s", json_type_text(at->v));
    }
    if (!number_parse_decimal(text, n_decimals, ret_value) || *ret_value < 0) {
        return json_fail(err, ERR_INVALID, at, STR_FMT ": must be a number from 0 up",
                         STR_ARG(text));
    }
    return true;
}

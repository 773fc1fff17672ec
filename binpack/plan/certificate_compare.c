/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/certificate_compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_BYTES = 160, VALUE_MAX_BYTES = 80, DEPTH_MAX = 16 };

struct comparing {
    struct {
        const char *key; /* NULL: an element */
        size_t index;
    } at[DEPTH_MAX];
    size_t depth;
    struct err *err;
};

static void path_text(const struct comparing *c, char *text)
{
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < c->depth && n < PATH_MAX_BYTES; i++) {
        int wrote =
            c->at[i].key != NULL
                ? snprintf(text + n, PATH_MAX_BYTES - n, i == 0 ? "%s" : ".%s", c->at[i].key)
                : snprintf(text + n, PATH_MAX_BYTES - n, "[%zu]", c->at[i].index);
        n += wrote > 0 ? (size_t)wrote : 0;
    }
}

static void value_text(const json_t *value, char *text)
{
    switch (value == NULL ? JSON_NULL : json_typeof(value)) {
    case JSON_STRING:
        (void)snprintf(text, VALUE_MAX_BYTES, "\"%s\"", json_string_value(value));
        break;
    case JSON_INTEGER:
        (void)snprintf(text, VALUE_MAX_BYTES, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        (void)snprintf(text, VALUE_MAX_BYTES, "%.12g", json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        (void)snprintf(text, VALUE_MAX_BYTES, "%s", json_is_true(value) ? "true" : "false");
        break;
    case JSON_OBJECT:
        (void)snprintf(text, VALUE_MAX_BYTES, "an object");
        break;
    case JSON_ARRAY:
        (void)snprintf(text, VALUE_MAX_BYTES, "a list of %zu", json_array_size(value));
        break;
    case JSON_NULL:
        (void)snprintf(text, VALUE_MAX_BYTES, "%s", value == NULL ? "absent" : "null");
        break;
    }
}

static bool refuse(const struct comparing *c, const json_t *expected, const json_t *got)
{
    char path[PATH_MAX_BYTES], is[VALUE_MAX_BYTES], should[VALUE_MAX_BYTES];
    path_text(c, path);
    value_text(got, is);
    value_text(expected, should);
    return err_set(c->err, ERR_CONFLICT, "certificate: %s is %s, of this input it is %s", path, is,
                   should);
}

static bool same(struct comparing *c, const json_t *expected, const json_t *got);

static bool same_members(struct comparing *c, const json_t *expected, const json_t *got)
{
    for (void *i = json_object_iter((json_t *)expected); i != NULL;
         i = json_object_iter_next((json_t *)expected, i)) {
        const char *key = json_object_iter_key(i);
        c->at[c->depth].key = key;
        c->depth++;
        if (!same(c, json_object_iter_value(i), json_object_get(got, key))) {
            return false;
        }
        c->depth--;
    }
    return true;
}

static bool same_elements(struct comparing *c, const json_t *expected, const json_t *got)
{
    if (json_array_size(expected) != json_array_size(got)) {
        return refuse(c, expected, got);
    }
    for (size_t i = 0; i < json_array_size(expected); i++) {
        c->at[c->depth].key = NULL;
        c->at[c->depth].index = i;
        c->depth++;
        if (!same(c, json_array_get(expected, i), json_array_get(got, i))) {
            return false;
        }
        c->depth--;
    }
    return true;
}

static bool same(struct comparing *c, const json_t *expected, const json_t *got)
{
    if (got == NULL || c->depth + 1 >= DEPTH_MAX) {
        return refuse(c, expected, got);
    }
    if (json_is_object(expected) && json_is_object(got)) {
        return same_members(c, expected, got);
    }
    if (json_is_array(expected) && json_is_array(got)) {
        return same_elements(c, expected, got);
    }
    /* 1.0 is 1, and nothing else that these files hold is written in two ways. */
    const bool equal =
        json_is_number(expected) && json_is_number(got) && json_typeof(expected) != json_typeof(got)
            ? json_number_value(expected) == json_number_value(got)
            : json_equal((json_t *)expected, (json_t *)got) == 1;
    return equal || refuse(c, expected, got);
}

bool certificate_compare(const json_t *expected, const json_t *document, struct err *err)
{
    struct comparing c = {.depth = 0, .err = err};
    return same(&c, expected, document);
}

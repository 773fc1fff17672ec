/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/xml_read.h"

#include "awsapi/scalar.h"
#include "base/arena.h"

struct reading {
    const char *item;
    struct arena *arena;
    struct err *err;
};

static bool read_struct(struct reading *r, const struct aws_xml *element,
                        const struct aws_shape *shape, char *value);

static size_t count_named(const struct aws_xml *first, struct str name)
{
    size_t n = 0;
    for (const struct aws_xml *at = first; at != NULL; at = at->next) {
        n += str_eq(at->name, name) ? 1 : 0;
    }
    return n;
}

static bool read_list(struct reading *r, const struct aws_xml *first, struct str name,
                      const struct aws_shape *shape, struct aws_any_list *list);
static bool read_map(struct reading *r, const struct aws_xml *first, struct str name,
                     const struct aws_shape *shape, struct aws_any_list *map);

/* A value that has an element of its own. */
static bool read_value(struct reading *r, const struct aws_xml *element,
                       const struct aws_shape *shape, void *slot, bool is_element)
{
    const char *name = shape->element_name == NULL ? r->item : shape->element_name;
    switch (shape->type) {
    case AWS_STRUCT:
        if (!is_element) {
            void *made = arena_alloc(r->arena, shape->size);
            *(void **)slot = made;
            slot = made;
        }
        return read_struct(r, element, shape, slot);
    case AWS_LIST:
        return read_list(r, element->first_child, str_of(name), shape, slot);
    case AWS_MAP:
        return read_map(r, element->first_child, STR("entry"), shape, slot);
    case AWS_TEXT:
    case AWS_BLOB:
    case AWS_DOCUMENT:
    case AWS_BOOL:
    case AWS_INT:
    case AWS_DOUBLE:
    case AWS_TIME:
        break;
    }
    return aws_scalar_parse(shape, element->text, r->arena, slot, r->err);
}

static bool read_list(struct reading *r, const struct aws_xml *first, struct str name,
                      const struct aws_shape *shape, struct aws_any_list *list)
{
    size_t size = aws_element_size(shape->element);
    size_t n = count_named(first, name);
    size_t i = 0;
    char *values = arena_calloc(r->arena, n, size);
    for (const struct aws_xml *at = first; at != NULL; at = at->next) {
        if (str_eq(at->name, name)) {
            if (!read_value(r, at, shape->element, values + i * size, /* is_element= */ true)) {
                return err_wrap(r->err, "[%zu]", i);
            }
            i++;
        }
    }
    *list = (struct aws_any_list){.v = values, .n = n};
    return true;
}

static bool read_map(struct reading *r, const struct aws_xml *first, struct str name,
                     const struct aws_shape *shape, struct aws_any_list *map)
{
    struct str key_name = str_of(shape->key_name == NULL ? "key" : shape->key_name);
    struct str value_name = str_of(shape->value_name == NULL ? "value" : shape->value_name);
    size_t n = 0;
    char *entries = arena_calloc(r->arena, count_named(first, name), shape->size);
    for (const struct aws_xml *at = first; at != NULL; at = at->next) {
        const struct aws_xml *value = aws_xml_child(at, value_name);
        if (!str_eq(at->name, name) || value == NULL) {
            continue;
        }
        char *entry = entries + n * shape->size;
        struct str key = aws_xml_child_text(at, key_name);
        *(struct str *)(void *)entry = str_copy(r->arena, key);
        if (!read_value(r, value, shape->element, entry + shape->value_offset,
                        /* is_element= */ true)) {
            return err_wrap(r->err, "[" STR_FMT "]", STR_ARG(key));
        }
        n++;
    }
    *map = (struct aws_any_list){.v = entries, .n = n};
    return true;
}

static bool read_member(struct reading *r, const struct aws_xml *element, const struct aws_row *row,
                        char *slot)
{
    struct str name = str_of(row->out == NULL ? row->name : row->out);
    const struct aws_xml *child = aws_xml_child(element, name);
    const struct aws_shape *shape = row->shape;
    if (child == NULL) {
        return true;
    }
    if ((shape->flags & AWS_FLAT) != 0) {
        return shape->type == AWS_LIST
                   ? read_list(r, child, name, shape, (struct aws_any_list *)(void *)slot)
                   : read_map(r, child, name, shape, (struct aws_any_list *)(void *)slot);
    }
    return read_value(r, child, shape, slot, /* is_element= */ false);
}

static bool read_struct(struct reading *r, const struct aws_xml *element,
                        const struct aws_shape *shape, char *value)
{
    for (uint32_t i = 0; i < shape->n_rows; i++) {
        const struct aws_row *row = &shape->rows[i];
        if (!read_member(r, element, row, value + row->offset)) {
            return err_wrap(r->err, "%s", row->name);
        }
    }
    return true;
}

bool aws_xml_read(const struct aws_xml *element, const struct aws_shape *shape, const char *item,
                  struct arena *arena, void *value, struct err *err)
{
    struct reading r = {.item = item, .arena = arena, .err = err};
    return element == NULL || read_struct(&r, element, shape, value);
}

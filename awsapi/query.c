/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/query.h"

#include "awsapi/scalar.h"
#include "awsapi/uri.h"
#include "base/arena.h"
#include "base/limits.h"

struct writing {
    struct strbuf *out;
    struct strbuf prefix; /* "Filter.1.Value", the name of the value in hand */
    bool is_ec2;
    struct arena *arena;
};

static void write_value(struct writing *w, const struct aws_shape *shape, const void *slot,
                        bool is_element);

static void add_parameter(struct writing *w, struct str value)
{
    strbuf_addf(w->out, w->out->n > 0 ? "&" : "");
    aws_uri_encode(w->out, strbuf_str(&w->prefix), AWS_URI_FORM);
    strbuf_addc(w->out, '=');
    aws_uri_encode(w->out, value, AWS_URI_FORM);
}

static void push(struct writing *w, const char *name)
{
    strbuf_addf(&w->prefix, "%s%s", w->prefix.n > 0 ? "." : "", name);
}

static void write_struct(struct writing *w, const struct aws_shape *shape, const char *value)
{
    size_t mark = w->prefix.n;
    for (uint32_t i = 0; value != NULL && i < shape->n_rows; i++) {
        const struct aws_row *row = &shape->rows[i];
        if (!aws_is_absent(row->shape, value + row->offset, /* is_element= */ false)) {
            push(w, row->in == NULL ? row->name : row->in);
            write_value(w, row->shape, value + row->offset, /* is_element= */ false);
            w->prefix.n = mark;
        }
    }
}

static void write_list(struct writing *w, const struct aws_shape *shape,
                       const struct aws_any_list *list)
{
    size_t size = aws_element_size(shape->element);
    if (list->n == 0) {
        if (!w->is_ec2) { /* query services take it for "empty this list" */
            add_parameter(w, STR_EMPTY);
        }
        return;
    }
    bool flat = w->is_ec2 || (shape->flags & AWS_FLAT) != 0;
    if (!flat) {
        push(w, shape->element_name == NULL ? "member" : shape->element_name);
    }
    size_t mark = w->prefix.n;
    for (size_t i = 0; i < list->n; i++) {
        strbuf_addf(&w->prefix, ".%zu", i + 1);
        write_value(w, shape->element, (const char *)list->v + i * size, /* is_element= */ true);
        w->prefix.n = mark;
    }
}

static void write_map(struct writing *w, const struct aws_shape *shape,
                      const struct aws_any_list *map)
{
    if ((shape->flags & AWS_FLAT) == 0) {
        push(w, "entry");
    }
    size_t mark = w->prefix.n;
    for (size_t i = 0; i < map->n; i++) {
        const char *entry = (const char *)map->v + i * shape->size;
        strbuf_addf(&w->prefix, ".%zu.%s", i + 1,
                    shape->key_name == NULL ? "key" : shape->key_name);
        add_parameter(w, *(const struct str *)entry);
        w->prefix.n = mark;
        strbuf_addf(&w->prefix, ".%zu.%s", i + 1,
                    shape->value_name == NULL ? "value" : shape->value_name);
        write_value(w, shape->element, entry + shape->value_offset, /* is_element= */ true);
        w->prefix.n = mark;
    }
}

static void write_value(struct writing *w, const struct aws_shape *shape, const void *slot,
                        bool is_element)
{
    switch (shape->type) {
    case AWS_STRUCT:
        write_struct(w, shape, aws_struct_at(slot, is_element));
        break;
    case AWS_LIST:
        write_list(w, shape, slot);
        break;
    case AWS_MAP:
        write_map(w, shape, slot);
        break;
    case AWS_TEXT:
    case AWS_BLOB:
    case AWS_DOCUMENT:
    case AWS_BOOL:
    case AWS_INT:
    case AWS_DOUBLE:
    case AWS_TIME:
        add_parameter(w, aws_scalar_text(shape, slot, AWS_TIME_ISO8601, w->arena));
        break;
    }
}

void aws_query_write(struct strbuf *out, const struct aws_operation *operation, const void *input)
{
    struct writing w = {.out = out,
                        .prefix = strbuf_new(out->arena, LIMIT_AWS_REQUEST_BYTES),
                        .is_ec2 = operation->service->protocol == AWS_PROTOCOL_EC2,
                        .arena = out->arena};
    strbuf_addf(out, "Action=%s&Version=%s", operation->name, operation->service->version);
    if (operation->input != NULL) {
        write_struct(&w, operation->input, input);
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From structs back to JSON, by the same rows as decoding. */
#include "k8s/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/qty.h"
#include "base/rfc3339.h"
#include "k8s/karpenter.h"
#include "k8s/objects.h"

json_t *codec_text(struct str text)
{
    return json_stringn(text.p == NULL ? "" : text.p, text.n);
}

json_t *codec_word(const struct codec_out *out, strid id)
{
    return codec_text(strtab_str(out->tab, id));
}

json_t *codec_child(json_t *object, const char *key)
{
    json_t *child = json_object_get(object, key);
    if (child == NULL) {
        child = json_object();
        (void)json_object_set_new(object, key, child);
    }
    return child;
}

/* Keys and places of a map, to be sorted by text. */
struct entry {
    struct str key;
    uint32_t at;
};

static int by_text(const void *a, const void *b)
{
    return str_cmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

json_t *codec_map(const struct codec_out *out, const struct k8s_pairs *pairs)
{
    struct arena_mark mark = arena_mark(out->arena);
    struct entry *order = ARENA_ARRAY(out->arena, struct entry, pairs->n);
    json_t *object = json_object();
    for (uint32_t i = 0; i < pairs->n; i++) {
        order[i] = (struct entry){.key = strtab_str(out->tab, pairs->v[i].key), .at = i};
    }
    qsort(order, pairs->n, sizeof *order, by_text);
    for (uint32_t i = 0; i < pairs->n; i++) {
        (void)json_object_setn_new(object, order[i].key.p, order[i].key.n,
                                   codec_word(out, pairs->v[order[i].at].value));
    }
    arena_rewind(out->arena, mark);
    return object;
}

json_t *codec_quantity(const struct codec_out *out, strid resource, int64_t value)
{
    char room[QTY_TEXT_MAX];
    bool cpu = resource == out->words->cpu;
    struct str name = strtab_str(out->tab, resource);
    bool bytes = str_eq(name, STR("memory")) || str_ends(name, STR("storage")) ||
                 str_starts(name, STR("hugepages-"));
    return codec_text(
        qty_format(value, cpu ? QTY_MILLI : QTY_BASE, bytes ? QTY_BINARY : QTY_DECIMAL, room));
}

json_t *codec_resources(const struct codec_out *out, const struct k8s_resources *resources)
{
    struct arena_mark mark = arena_mark(out->arena);
    struct entry *order = ARENA_ARRAY(out->arena, struct entry, resources->n);
    json_t *object = json_object();
    for (uint32_t i = 0; i < resources->n; i++) {
        order[i] = (struct entry){.key = strtab_str(out->tab, resources->v[i].resource), .at = i};
    }
    qsort(order, resources->n, sizeof *order, by_text);
    for (uint32_t i = 0; i < resources->n; i++) {
        const struct k8s_quantity *q = &resources->v[order[i].at];
        (void)json_object_setn_new(object, order[i].key.p, order[i].key.n,
                                   codec_quantity(out, q->resource, q->value));
    }
    arena_rewind(out->arena, mark);
    return object;
}

static json_t *words(const struct codec_out *out, const struct codec_row *row,
                     const struct k8s_strids *ids)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < ids->n; i++) {
        json_t *item = codec_word(out, ids->v[i]);
        if (row->type == CODEC_PICK) {
            json_t *object = json_object();
            (void)json_object_set_new(object, row->text, item);
            item = object;
        }
        (void)json_array_append_new(array, item);
    }
    return array;
}

static json_t *list(const struct codec_out *out, const struct codec_row *row, const char *base)
{
    const char *items = NULL;
    uint32_t n = 0;
    memcpy(&items, base + row->offset, sizeof items);
    memcpy(&n, base + row->n_offset, sizeof n);
    if (n == 0 && (row->flags & CODEC_WRITE_EMPTY) == 0) {
        return NULL;
    }
    json_t *array = json_array();
    for (uint32_t i = 0; i < n; i++) {
        json_t *item = json_object();
        codec_encode(out, row->sub, items + (size_t)i * row->sub->size, item);
        (void)json_array_append_new(array, item);
    }
    return array;
}

static json_t *count(const struct codec_row *row, uint32_t n)
{
    char name[32];
    json_t *array = n == 0 ? NULL : json_array();
    for (uint32_t i = 0; i < n; i++) {
        int len = snprintf(name, sizeof name, "%s-%u", row->text, i);
        json_t *item = json_object();
        (void)json_object_set_new(item, "name", json_stringn(name, (size_t)len));
        (void)json_array_append_new(array, item);
    }
    return array;
}

static json_t *number(const struct codec_row *row, int64_t value)
{
    bool plain = value == 0 && row->absent == 0 && (row->flags & CODEC_WRITE_EMPTY) == 0;
    return plain ? NULL : json_integer(value);
}

static json_t *choice(const struct codec_row *row, int value)
{
    for (const struct codec_choice *c = row->choices; c->text != NULL; c++) {
        if (c->value == value) {
            return c->text[0] == '\0' ? NULL : json_string(c->text);
        }
    }
    return NULL;
}

static json_t *duration(const struct codec_row *row, const struct karp_duration *value)
{
    char room[DURATION_TEXT_MAX];
    if (value->never) {
        return json_string("Never");
    }
    if (!value->has) {
        return NULL;
    }
    /* The CRDs admit whole numbers with s, m and h only, which is what Go prints for whole seconds.
     */
    (void)row;
    return codec_text(duration_format(value->ms, room));
}

static json_t *int_or_percent(const struct k8s_int_or_percent *value)
{
    if (!value->present) {
        return NULL;
    }
    if (!value->is_percent) {
        return json_integer(value->value);
    }
    char room[32];
    int n = snprintf(room, sizeof room, "%lld%%", (long long)value->value);
    return json_stringn(room, (size_t)n);
}

static json_t *timestamp(const struct opt_wall *value)
{
    char room[RFC3339_TEXT_MAX];
    return value->has ? codec_text(rfc3339_format(value->v, room)) : NULL;
}

static json_t *present(bool there)
{
    json_t *object = there ? json_object() : NULL;
    if (there) {
        (void)json_object_set_new(object, "path", json_string("/"));
    }
    return object;
}

static json_t *word(const struct codec_out *out, const struct codec_row *row, strid id)
{
    bool absent = (row->flags & CODEC_NONE) != 0 ? id == STRID_NONE : id == STRID_EMPTY;
    return absent && (row->flags & CODEC_WRITE_EMPTY) == 0 ? NULL : codec_word(out, id);
}

static json_t *scalar(const struct codec_out *out, const struct codec_row *row, const void *field)
{
    bool empty = (row->flags & CODEC_WRITE_EMPTY) != 0;
    switch ((int)row->type) {
    case CODEC_COUNT:
        return count(row, *(const uint32_t *)field);
    case CODEC_PRESENT:
        return present(*(const bool *)field);
    case CODEC_TEXT: {
        const struct str *text = field;
        return text->n == 0 && !empty ? NULL : codec_text(*text);
    }
    case CODEC_WORD:
        return word(out, row, *(const strid *)field);
    case CODEC_WORDS:
    case CODEC_PICK: {
        const struct k8s_strids *ids = field;
        return ids->n == 0 && !empty ? NULL : words(out, row, ids);
    }
    case CODEC_MAP: {
        const struct k8s_pairs *pairs = field;
        return pairs->n == 0 && !empty ? NULL : codec_map(out, pairs);
    }
    case CODEC_RESOURCES: {
        const struct k8s_resources *resources = field;
        return resources->n == 0 && !empty ? NULL : codec_resources(out, resources);
    }
    case CODEC_QUANTITY: {
        int64_t value = *(const int64_t *)field;
        return value == 0 && !empty ? NULL : codec_quantity(out, out->words->memory, value);
    }
    case CODEC_OPT_QUANTITY: {
        const struct opt_i64 *value = field;
        return value->has ? codec_quantity(out, out->words->memory, value->v) : NULL;
    }
    case CODEC_BOOL: {
        bool value = *(const bool *)field;
        return value || row->absent != 0 || empty ? json_boolean(value) : NULL;
    }
    case CODEC_I32:
        return number(row, *(const int32_t *)field);
    case CODEC_I64:
        return number(row, *(const int64_t *)field);
    case CODEC_OPT_I32: {
        const struct opt_i32 *value = field;
        return value->has ? json_integer(value->v) : NULL;
    }
    case CODEC_OPT_I64: {
        const struct opt_i64 *value = field;
        return value->has ? json_integer(value->v) : NULL;
    }
    case CODEC_ENUM: {
        int value = 0;
        memcpy(&value, field, sizeof value);
        return choice(row, value);
    }
    case CODEC_CHOICE:
        return choice(row, *(const bool *)field ? 1 : 0);
    case CODEC_TIME:
        return timestamp(field);
    case CODEC_DURATION:
        return duration(row, field);
    case CODEC_INT_OR_PERCENT:
        return int_or_percent(field);
    default:
        return NULL;
    }
}

static void encode_object(const struct codec_out *out, const struct codec_row *row,
                          const char *base, json_t *object)
{
    bool always = row->n_offset > 0;
    if (always && !*(const bool *)(base + row->n_offset - 1)) {
        return;
    }
    json_t *child = json_object_get(object, row->key);
    if (child != NULL) {
        codec_encode(out, row->sub, base + row->offset, child);
        return;
    }
    child = json_object();
    codec_encode(out, row->sub, base + row->offset, child);
    if (always || json_object_size(child) > 0) {
        (void)json_object_set_new(object, row->key, child);
    } else {
        json_decref(child);
    }
}

void codec_encode(const struct codec_out *out, const struct codec_table *table, const void *value,
                  json_t *object)
{
    const char *base = value;
    for (uint32_t i = 0; i < table->n_rows; i++) {
        const struct codec_row *row = &table->rows[i];
        if ((row->flags & (CODEC_HIDDEN | CODEC_READ_ONLY)) != 0) {
            continue;
        }
        if (row->type == CODEC_OBJECT) {
            encode_object(out, row, base, object);
            continue;
        }
        json_t *field =
            row->type == CODEC_LIST ? list(out, row, base) : scalar(out, row, base + row->offset);
        if (field != NULL) {
            (void)json_object_set_new(object, row->key, field);
        }
    }
    if (table->encode != NULL) {
        table->encode(out, value, object);
    }
}

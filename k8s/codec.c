/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/codec.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/qty.h"
#include "base/rfc3339.h"
#include "k8s/annotations.h"
#include "k8s/karpenter.h"
#include "k8s/objects.h"
#include "k8s/syntax.h"

enum { PATH_BYTES = 400, SHOWN_BYTES = 80 };

static bool wrap_path(struct codec_in *in, const struct json_at *at)
{
    char room[PATH_BYTES];
    struct str path = json_at_path(at, room, sizeof room);
    return err_wrap(in->err, STR_FMT, STR_ARG(path));
}

static bool fault(struct codec_in *in, const struct json_at *at, struct str value, const char *text)
{
    struct str shown = str_sub(value, 0, SHOWN_BYTES);
    return json_fail(in->err, ERR_INVALID, at, "\"" STR_FMT "\"%s: %s", STR_ARG(shown),
                     shown.n < value.n ? "..." : "", text);
}

static const char *text_fault(enum codec_check check, struct str text)
{
    switch (check) {
    case CHECK_NAME:
        return k8s_name_fault(text);
    case CHECK_DNS_LABEL:
        return k8s_dns_label_fault(text);
    case CHECK_LABEL_KEY:
        return k8s_label_key_fault(text);
    case CHECK_LABEL_VALUE:
        return k8s_label_value_fault(text);
    case CHECK_PRINTABLE:
        return k8s_printable_fault(text);
    case CHECK_ANY:
    case CHECK_LABELS:
    case CHECK_RANGE:
        break;
    }
    return NULL;
}

static bool required(struct codec_in *in, const struct codec_row *row, const struct json_at *at)
{
    if ((row->flags & CODEC_REQUIRED) == 0) {
        return true;
    }
    return json_fail(in->err, ERR_INVALID, at, at->v == NULL ? "required" : "must not be empty");
}

/* ---- text ---- */

/* The string at `at`, checked; *ret_has is false when absent. */
static bool read_text(struct codec_in *in, const struct codec_row *row, const struct json_at *at,
                      bool *ret_has, struct str *ret_text)
{
    if (!json_read_str(at, ret_has, ret_text, in->err)) {
        return false;
    }
    if (ret_text->n == 0) {
        return required(in, row, at);
    }
    const char *what = text_fault(row->check, *ret_text);
    return what == NULL || fault(in, at, *ret_text, what);
}

static bool decode_text(struct codec_in *in, const struct codec_row *row, const struct json_at *at,
                        struct str *field)
{
    struct str text;
    bool has = false;
    if (!read_text(in, row, at, &has, &text)) {
        return false;
    }
    if (text.n > 0 && (row->flags & CODEC_SHARED) != 0 && in->names != NULL) {
        *field = strtab_str(in->names, strtab_add(in->names, text));
    } else {
        *field = text.n == 0 ? STR_EMPTY : str_copy(in->arena, text);
    }
    return true;
}

static bool decode_word(struct codec_in *in, const struct codec_row *row, const struct json_at *at,
                        strid *field)
{
    struct str text;
    bool has = false;
    if (!read_text(in, row, at, &has, &text)) {
        return false;
    }
    if (!has && (row->flags & CODEC_NONE) != 0) {
        *field = STRID_NONE;
    } else if (text.n == 0 && row->text != NULL) {
        *field = strtab_add(in->tab, str_of(row->text));
    } else {
        *field = text.n == 0 ? STRID_EMPTY : strtab_add(in->tab, text);
    }
    return true;
}

/* Items of a list or map: wrong types and too many are errors. */
static bool count_items(struct codec_in *in, const struct codec_row *row, const struct json_at *at,
                        bool array, size_t *ret_n)
{
    if (!(array ? json_want_array(at, in->err) : json_want_object(at, in->err))) {
        return false;
    }
    size_t n = json_at_count(at);
    if (n > LIMIT_LIST_ITEMS) {
        return json_fail(in->err, ERR_LIMIT, at, "%zu items are too many (LIMIT_LIST_ITEMS is %d)",
                         n, (int)LIMIT_LIST_ITEMS);
    }
    if (row->max_items > 0 && n > (size_t)row->max_items) {
        return json_fail(in->err, ERR_INVALID, at, "%zu items, but at most %lld are allowed", n,
                         (long long)row->max_items);
    }
    *ret_n = n;
    return n > 0 || required(in, row, at);
}

static bool decode_words(struct codec_in *in, const struct codec_row *row, const struct json_at *at,
                         struct k8s_strids *field)
{
    size_t n = 0;
    if (!count_items(in, row, at, /* array= */ true, &n)) {
        return false;
    }
    strid *ids = n == 0 ? NULL : ARENA_ARRAY(in->arena, strid, n);
    uint32_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_at_element(at, i);
        struct json_at inner = row->type == CODEC_PICK ? json_at_member(&item, row->text) : item;
        if (row->type == CODEC_PICK && !json_want_object(&item, in->err)) {
            return false;
        }
        struct str text;
        bool has = false;
        struct codec_row plain = {.type = CODEC_TEXT, .check = row->check};
        if (!read_text(in, &plain, &inner, &has, &text)) {
            return false;
        }
        if (has || row->type != CODEC_PICK) {
            ids[kept++] = strtab_add(in->tab, text);
        }
    }
    *field = (struct k8s_strids){.n = kept, .v = kept == 0 ? NULL : ids};
    return true;
}

/* ---- maps ---- */

static int by_key(const void *a, const void *b)
{
    strid x = ((const struct k8s_pair *)a)->key;
    strid y = ((const struct k8s_pair *)b)->key;
    return x < y ? -1 : x > y;
}

static bool map_pair(struct codec_in *in, const struct codec_row *row, const struct json_at *at,
                     struct str key, struct k8s_pair *pair)
{
    struct str text;
    if (!json_read_str(at, NULL, &text, in->err)) {
        return false;
    }
    if (row->check == CHECK_LABELS) {
        const char *what = k8s_label_key_fault(key);
        if (what != NULL) {
            return fault(in, at->up, key, what);
        }
        what = k8s_label_value_fault(text);
        if (what != NULL) {
            return fault(in, at, text, what);
        }
    } else if (key.n > LIMIT_LABEL_KEY_BYTES) {
        return json_fail(in->err, ERR_LIMIT, at->up,
                         "a key of %zu bytes is too long (LIMIT_LABEL_KEY_BYTES is %d)", key.n,
                         (int)LIMIT_LABEL_KEY_BYTES);
    }
    *pair = (struct k8s_pair){.key = strtab_add(in->tab, key), .value = strtab_add(in->tab, text)};
    return true;
}

static bool decode_map(struct codec_in *in, const struct codec_row *row, const struct json_at *at,
                       struct k8s_pairs *field)
{
    size_t n = 0;
    uint32_t kept = 0;
    bool filter = (row->flags & CODEC_FILTER) != 0;
    if (!count_items(in, row, at, /* array= */ false, &n)) {
        return false;
    }
    if (n == 0) {
        *field = (struct k8s_pairs){.n = 0, .v = NULL};
        return true;
    }
    json_t *object = (json_t *)(uintptr_t)at->v; /* jansson iterates over json_t * only */
    struct k8s_pair *pairs = filter ? NULL : ARENA_ARRAY(in->arena, struct k8s_pair, n);
    for (void *it = json_object_iter(object); it != NULL; it = json_object_iter_next(object, it)) {
        struct str key = str_of(json_object_iter_key(it));
        struct json_at value = json_at_named(at, key, json_object_iter_value(it));
        if (filter && !k8s_annotation_kept(key)) {
            continue;
        }
        if (pairs == NULL) {
            pairs = ARENA_ARRAY(in->arena, struct k8s_pair, n);
        }
        if (value.v == NULL) { /* null: as the API server reads it, the empty string */
            pairs[kept++] = (struct k8s_pair){.key = strtab_add(in->tab, key)};
            continue;
        }
        if (!map_pair(in, row, &value, key, &pairs[kept++])) {
            return false;
        }
    }
    if (kept > 1) {
        qsort(pairs, kept, sizeof *pairs, by_key);
    }
    *field = (struct k8s_pairs){.n = kept, .v = pairs};
    return true;
}

/* ---- quantities ---- */

static bool whole_number_resource(struct str name)
{
    return !str_eq(name, STR("memory")) && !str_eq(name, STR("ephemeral-storage")) &&
           !str_eq(name, STR("storage")) && !str_starts(name, STR("hugepages-"));
}

/* As `fault`, for a quantity, which may be a JSON number. */
static bool number_fault(struct codec_in *in, const struct json_at *at, const char *text)
{
    if (json_is_string(at->v)) {
        return fault(in, at,
                     (struct str){.p = json_string_value(at->v), .n = json_string_length(at->v)},
                     text);
    }
    if (json_is_integer(at->v)) {
        return json_fail(in->err, ERR_INVALID, at, "%lld: %s", (long long)json_integer_value(at->v),
                         text);
    }
    return json_fail(in->err, ERR_INVALID, at, "%g: %s", json_number_value(at->v), text);
}

static bool decode_quantity(struct codec_in *in, const struct json_at *at, bool cpu, bool whole,
                            unsigned flags, int64_t *ret_value)
{
    enum qty_unit unit = cpu ? QTY_MILLI : QTY_BASE;
    enum qty_round round = (flags & CODEC_FLOOR) != 0 ? QTY_DOWN : QTY_UP;
    int64_t value = 0, other = 0;
    if (!qty_parse_json(at->v, unit, round, &value, in->err)) {
        return wrap_path(in, at);
    }
    if (value < 0) {
        return number_fault(in, at, "must not be negative");
    }
    if (whole) {
        if (!qty_parse_json(at->v, unit, round == QTY_UP ? QTY_DOWN : QTY_UP, &other, in->err)) {
            return wrap_path(in, at);
        }
        if (other != value) {
            return number_fault(in, at, "must be a whole number");
        }
    }
    *ret_value = value;
    return true;
}

static int by_resource(const void *a, const void *b)
{
    strid x = ((const struct k8s_quantity *)a)->resource;
    strid y = ((const struct k8s_quantity *)b)->resource;
    return x < y ? -1 : x > y;
}

static bool decode_resources(struct codec_in *in, const struct codec_row *row,
                             const struct json_at *at, struct k8s_resources *field)
{
    size_t n = 0;
    uint32_t kept = 0;
    if (!count_items(in, row, at, /* array= */ false, &n)) {
        return false;
    }
    if (n == 0) {
        *field = (struct k8s_resources){.n = 0, .v = NULL};
        return true;
    }
    json_t *object = (json_t *)(uintptr_t)at->v;
    struct k8s_quantity *list = ARENA_ARRAY(in->arena, struct k8s_quantity, n);
    for (void *it = json_object_iter(object); it != NULL; it = json_object_iter_next(object, it)) {
        struct str key = str_of(json_object_iter_key(it));
        struct json_at value = json_at_named(at, key, json_object_iter_value(it));
        const char *what = k8s_label_key_fault(key);
        if (what != NULL) {
            return fault(in, at, key, what);
        }
        if (value.v == NULL) {
            continue;
        }
        strid id = strtab_add(in->tab, key);
        bool cpu = id == in->words->cpu;
        if (!decode_quantity(in, &value, cpu, !cpu && whole_number_resource(key), row->flags,
                             &list[kept].value)) {
            return false;
        }
        list[kept++].resource = id;
    }
    if (kept > 1) {
        qsort(list, kept, sizeof *list, by_resource);
    }
    *field = (struct k8s_resources){.n = kept, .v = list};
    return true;
}

/* ---- numbers, choices, times ---- */

static bool read_number(struct codec_in *in, const struct codec_row *row, const struct json_at *at,
                        bool narrow, bool *ret_has, int64_t *ret_value)
{
    int64_t min = narrow ? INT32_MIN : INT64_MIN;
    int64_t max = narrow ? INT32_MAX : INT64_MAX;
    if (row->check == CHECK_RANGE) {
        min = row->min;
        max = row->max;
    }
    if (!json_read_i64(at, min, max, ret_has, ret_value, in->err)) {
        return false;
    }
    if (!*ret_has) {
        *ret_value = row->absent;
        return required(in, row, at);
    }
    return true;
}

static bool decode_number(struct codec_in *in, const struct codec_row *row,
                          const struct json_at *at, char *field)
{
    int64_t value = 0;
    bool has = false;
    bool narrow = row->type == CODEC_I32 || row->type == CODEC_OPT_I32;
    if (!read_number(in, row, at, narrow, &has, &value)) {
        return false;
    }
    switch ((int)row->type) {
    case CODEC_I32:
        *(int32_t *)(void *)field = (int32_t)value;
        break;
    case CODEC_I64:
        *(int64_t *)(void *)field = value;
        break;
    case CODEC_OPT_I32:
        *(struct opt_i32 *)(void *)field = (struct opt_i32){.has = has, .v = (int32_t)value};
        break;
    default:
        *(struct opt_i64 *)(void *)field = (struct opt_i64){.has = has, .v = value};
        break;
    }
    return true;
}

static bool unknown_choice(struct codec_in *in, const struct codec_row *row,
                           const struct json_at *at, struct str text)
{
    char room[256];
    size_t n = 0;
    for (const struct codec_choice *c = row->choices; c->text != NULL; c++) {
        size_t len = strlen(c->text);
        if (c->text[0] != '\0' && n + len + 3 < sizeof room) {
            memcpy(room + n, ", ", n == 0 ? 0 : 2);
            n += n == 0 ? 0 : 2;
            memcpy(room + n, c->text, len);
            n += len;
        }
    }
    room[n] = '\0';
    struct str shown = str_sub(text, 0, SHOWN_BYTES);
    return json_fail(in->err, ERR_INVALID, at, "\"" STR_FMT "\"%s: must be %s%s", STR_ARG(shown),
                     shown.n < text.n ? "..." : "", strchr(room, ',') == NULL ? "" : "one of ",
                     room);
}

static bool decode_choice(struct codec_in *in, const struct codec_row *row,
                          const struct json_at *at, char *field)
{
    struct str text;
    bool has = false;
    int value = (int)row->absent;
    if (!read_text(in, row, at, &has, &text)) {
        return false;
    }
    if (text.n > 0) {
        const struct codec_choice *c = row->choices;
        while (c->text != NULL && !str_eq(str_of(c->text), text)) {
            c++;
        }
        if (c->text == NULL) {
            return unknown_choice(in, row, at, text);
        }
        value = c->value;
    }
    if (row->type == CODEC_CHOICE) {
        *(bool *)field = value != 0;
    } else {
        memcpy(field, &value, sizeof value);
    }
    return true;
}

static bool decode_time(struct codec_in *in, const struct codec_row *row, const struct json_at *at,
                        struct opt_wall *field)
{
    struct str text;
    bool has = false;
    if (!read_text(in, row, at, &has, &text)) {
        return false;
    }
    *field = (struct opt_wall){.has = false, .v = 0};
    if (text.n == 0) {
        return true;
    }
    if (!rfc3339_parse(text, &field->v, in->err)) {
        return wrap_path(in, at);
    }
    field->has = true;
    if (in->newest != NULL && (row->flags & CODEC_FUTURE) == 0 &&
        (!in->newest->has || in->newest->v < field->v)) {
        *in->newest = *field;
    }
    return true;
}

static bool decode_duration(struct codec_in *in, const struct codec_row *row,
                            const struct json_at *at, struct karp_duration *field)
{
    struct str text;
    struct duration value;
    bool has = false;
    if (!read_text(in, row, at, &has, &text)) {
        return false;
    }
    if (text.n == 0) {
        bool none = row->absent == CODEC_NO_DURATION;
        *field = (struct karp_duration){.has = !none, .never = false, .ms = none ? 0 : row->absent};
        return true;
    }
    if (!duration_parse_never(text, &value, in->err)) {
        return wrap_path(in, at);
    }
    if (value.ms < 0) {
        return fault(in, at, text, "must not be negative");
    }
    *field = (struct karp_duration){.has = !value.never, .never = value.never, .ms = value.ms};
    return true;
}

static bool decode_int_or_percent(struct codec_in *in, const struct json_at *at,
                                  struct k8s_int_or_percent *field)
{
    *field = (struct k8s_int_or_percent){.present = at->v != NULL};
    if (at->v == NULL) {
        return true;
    }
    if (!json_is_string(at->v)) {
        return json_read_i64(at, 0, INT32_MAX, NULL, &field->value, in->err);
    }
    struct str text = {.p = json_string_value(at->v), .n = json_string_length(at->v)};
    struct str digits = text;
    uint64_t value = 0;
    if (str_ends(text, STR("%"))) {
        field->is_percent = true;
        digits = str_sub(text, 0, text.n - 1);
    }
    if (!str_to_u64(digits, &value) || value > INT32_MAX) {
        return fault(in, at, text, "must be a count or a percentage, such as 3 or \"10%\"");
    }
    if (field->is_percent && value > 100) {
        return fault(in, at, text, "must not be more than 100%");
    }
    field->value = (int64_t)value;
    return true;
}

/* ---- lists and objects ---- */

static bool decode_list(struct codec_in *in, const struct codec_row *row, const struct json_at *at,
                        char *field, uint32_t *ret_n)
{
    size_t n = 0;
    uint32_t kept = 0;
    if (!count_items(in, row, at, /* array= */ true, &n)) {
        return false;
    }
    char *items = n == 0 ? NULL : arena_calloc(in->arena, n, row->sub->size);
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_at_element(at, i);
        char *value = items + (size_t)kept * row->sub->size;
        if (item.v == NULL) {
            return json_fail(in->err, ERR_INVALID, &item, "expected an object, got null");
        }
        enum codec_keep keep = codec_decode(in, row->sub, &item, value);
        if (keep == CODEC_FAIL) {
            return false;
        }
        if (keep == CODEC_KEEP) {
            kept++;
        } else {
            memset(value, 0, row->sub->size);
        }
    }
    const void *list = kept == 0 ? NULL : items;
    memcpy(field, &list, sizeof list);
    *ret_n = kept;
    return true;
}

static bool decode_object(struct codec_in *in, const struct codec_row *row,
                          const struct json_at *at, char *base)
{
    if (!json_want_object(at, in->err)) {
        return false;
    }
    if (at->v == NULL) {
        if (!required(in, row, at)) {
            return false;
        }
        if ((row->flags & CODEC_DEFAULTS) == 0) {
            return true;
        }
    } else if (row->n_offset > 0) {
        *(bool *)(base + row->n_offset - 1) = true;
    }
    return codec_decode(in, row->sub, at, base + row->offset) != CODEC_FAIL;
}

bool codec_decode_row(struct codec_in *in, const struct codec_row *row, const struct json_at *at,
                      char *field, uint32_t *ret_n)
{
    void *out = field;
    size_t n = 0;
    switch (row->type) {
    case CODEC_OBJECT:
        return decode_object(in, row, at, field - row->offset);
    case CODEC_LIST:
        return decode_list(in, row, at, field, ret_n);
    case CODEC_COUNT:
        if (!count_items(in, row, at, /* array= */ true, &n)) {
            return false;
        }
        *(uint32_t *)out = (uint32_t)n;
        return true;
    case CODEC_PRESENT:
        *(bool *)out = at->v != NULL;
        return json_want_object(at, in->err);
    case CODEC_TEXT:
        return decode_text(in, row, at, out);
    case CODEC_WORD:
        return decode_word(in, row, at, out);
    case CODEC_WORDS:
    case CODEC_PICK:
        return decode_words(in, row, at, out);
    case CODEC_MAP:
        return decode_map(in, row, at, out);
    case CODEC_RESOURCES:
        return decode_resources(in, row, at, out);
    case CODEC_QUANTITY:
        *(int64_t *)out = row->absent;
        return at->v == NULL ? required(in, row, at)
                             : decode_quantity(in, at, false, false, row->flags, out);
    case CODEC_OPT_QUANTITY:
        ((struct opt_i64 *)out)->has = at->v != NULL;
        return at->v == NULL
                   ? required(in, row, at)
                   : decode_quantity(in, at, false, false, row->flags, &((struct opt_i64 *)out)->v);
    case CODEC_BOOL: {
        bool has = false;
        if (!json_read_bool(at, &has, out, in->err)) {
            return false;
        }
        *(bool *)out = has ? *(bool *)out : row->absent != 0;
        return true;
    }
    case CODEC_I32:
    case CODEC_I64:
    case CODEC_OPT_I32:
    case CODEC_OPT_I64:
        return decode_number(in, row, at, field);
    case CODEC_ENUM:
    case CODEC_CHOICE:
        return decode_choice(in, row, at, field);
    case CODEC_TIME:
        return decode_time(in, row, at, out);
    case CODEC_DURATION:
        return decode_duration(in, row, at, out);
    case CODEC_INT_OR_PERCENT:
        return decode_int_or_percent(in, at, out);
    case CODEC_SHAPE:
        break;
    }
    return true;
}

bool codec_scratch_list(struct codec_in *in, const struct codec_table *element,
                        const struct json_at *at, void *ret_elements, uint32_t *ret_n)
{
    struct codec_row row = {.type = CODEC_LIST, .sub = element};
    struct codec_in inner = *in;
    inner.arena = in->scratch;
    *ret_n = 0;
    return at->v == NULL || decode_list(&inner, &row, at, ret_elements, ret_n);
}

enum codec_keep codec_decode(struct codec_in *in, const struct codec_table *table,
                             const struct json_at *at, void *value)
{
    char *base = value;
    if (!json_want_object(at, in->err)) {
        return CODEC_FAIL;
    }
    for (uint32_t i = 0; i < table->n_rows; i++) {
        const struct codec_row *row = &table->rows[i];
        if ((row->flags & CODEC_HIDDEN) != 0) {
            continue;
        }
        struct json_at member = json_at_member(at, row->key);
        uint32_t n = 0;
        if (!codec_decode_row(in, row, &member, base + row->offset, &n)) {
            return CODEC_FAIL;
        }
        if (row->type == CODEC_LIST) {
            memcpy(base + row->n_offset, &n, sizeof n);
        }
    }
    return table->decode == NULL ? CODEC_KEEP : table->decode(in, at, value);
}

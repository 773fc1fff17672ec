/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/class.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/qty.h"
#include "provisioner/nodeclass/class_table.h"

/* ---- decoding ---- */

int nodeclass_pair_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct nodeclass_pair *)a)->key,
                   ((const struct nodeclass_pair *)b)->key);
}

static bool decode_map(const struct json_at *at, struct arena *arena, struct nodeclass_pairs *ret,
                       struct err *err)
{
    if (!json_want_object(at, err)) {
        return false;
    }
    size_t n = json_at_count(at);
    if (at->v == NULL) {
        *ret = (struct nodeclass_pairs){.n = 0};
        return true;
    }
    if (n > LIMIT_LIST_ITEMS) {
        return json_fail(err, ERR_LIMIT, at, "%zu members (LIMIT_LIST_ITEMS %d)", n,
                         LIMIT_LIST_ITEMS);
    }
    struct nodeclass_pair *pairs = ARENA_ARRAY(arena, struct nodeclass_pair, n);
    uint32_t i = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)at->v, key, value)
    {
        struct json_at member = json_at_named(at, str_of(key), value);
        struct str text;
        if (!json_read_str(&member, NULL, &text, err)) {
            return false;
        }
        pairs[i++] = (struct nodeclass_pair){.key = str_copy(arena, str_of(key)),
                                             .value = str_copy(arena, text)};
    }
    if (i > 0) {
        qsort(pairs, i, sizeof pairs[0], nodeclass_pair_cmp);
    }
    *ret = (struct nodeclass_pairs){.n = i, .v = pairs};
    return true;
}

static bool decode_text(const struct json_at *at, struct arena *arena, struct str *ret,
                        struct err *err)
{
    bool has;
    struct str text;
    if (!json_read_str(at, &has, &text, err)) {
        return false;
    }
    *ret = has ? str_copy(arena, text) : STR_EMPTY;
    return true;
}

/* A quantity is a string, or a number as JSON has it. Its text is kept, its syntax checked. */
static bool decode_quantity(const struct json_at *at, struct arena *arena, struct str *ret,
                            struct err *err)
{
    int64_t bytes;
    char path[256];
    *ret = STR_EMPTY;
    if (at->v == NULL) {
        return true;
    }
    if (!qty_parse_json(at->v, QTY_BASE, QTY_UP, &bytes, err)) {
        return err_wrap(err, STR_FMT, STR_ARG(json_at_path(at, path, sizeof path)));
    }
    if (json_is_string(at->v)) {
        return decode_text(at, arena, ret, err);
    }
    char text[QTY_TEXT_MAX];
    *ret = str_copy(arena, qty_format(bytes, QTY_BASE, QTY_DECIMAL, text));
    return true;
}

static bool decode_table(const struct class_table *table, const struct json_at *at,
                         struct arena *arena, char *value, struct err *err);

static bool decode_list(const struct class_row *row, const struct json_at *at, struct arena *arena,
                        char *value, struct err *err)
{
    size_t n = json_at_count(at);
    if (!json_want_array(at, err)) {
        return false;
    }
    if (at->v == NULL) {
        return true;
    }
    if (n > LIMIT_LIST_ITEMS) {
        return json_fail(err, ERR_LIMIT, at, "%zu items (LIMIT_LIST_ITEMS %d)", n,
                         LIMIT_LIST_ITEMS);
    }
    char *items = arena_calloc(arena, n, row->sub->size);
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_at_element(at, i);
        if (!decode_table(row->sub, &item, arena, items + i * row->sub->size, err)) {
            return false;
        }
    }
    *(void **)(void *)(value + row->offset) = items;
    *(uint32_t *)(void *)(value + row->n_offset) = (uint32_t)n;
    return true;
}

static bool decode_row(const struct class_row *row, const struct json_at *at, struct arena *arena,
                       char *value, struct err *err)
{
    void *field = value + row->offset;
    bool has;
    struct opt_i64 *number = field;
    bool is_32 = row->type == CLASS_I32 || row->type == CLASS_OPT_I32;
    switch (row->type) {
    case CLASS_TEXT:
        return decode_text(at, arena, field, err);
    case CLASS_QUANTITY:
        return decode_quantity(at, arena, field, err);
    case CLASS_BOOL:
        return json_read_bool(at, &has, field, err);
    case CLASS_OPT_BOOL:
        return json_read_bool(at, &((struct opt_bool *)field)->has, &((struct opt_bool *)field)->v,
                              err);
    case CLASS_I32:
        return json_read_i64(at, INT32_MIN, INT32_MAX, &has, field, err);
    case CLASS_OPT_I32:
    case CLASS_OPT_I64:
        return json_read_i64(at, is_32 ? INT32_MIN : INT64_MIN, is_32 ? INT32_MAX : INT64_MAX,
                             &number->has, &number->v, err);
    case CLASS_MAP:
        return decode_map(at, arena, field, err);
    case CLASS_LIST:
        return decode_list(row, at, arena, value, err);
    case CLASS_OBJECT:
        *(void **)field = at->v == NULL ? NULL : arena_alloc(arena, row->sub->size);
        return at->v == NULL || decode_table(row->sub, at, arena, *(char **)field, err);
    case CLASS_JSON:
        *(const json_t **)field = at->v;
        return json_want_object(at, err);
    }
    return false;
}

static bool decode_table(const struct class_table *table, const struct json_at *at,
                         struct arena *arena, char *value, struct err *err)
{
    if (at->v == NULL || !json_is_object(at->v)) {
        return json_fail(err, ERR_INVALID, at, "expected an object, got %s", json_type_text(at->v));
    }
    for (uint32_t i = 0; i < table->n_rows; i++) {
        struct json_at member = json_at_member(at, table->rows[i].key);
        if (!decode_row(&table->rows[i], &member, arena, value, err)) {
            return false;
        }
    }
    return true;
}

/* What an API server fills in (the CRD's defaults), so that a class from a file means what it will
 * mean there, its hash included. */
static void fill_in(struct nodeclass *class, struct arena *arena)
{
    struct nodeclass_metadata *m = ARENA_NEW(arena, struct nodeclass_metadata);
    if (class->metadata != NULL) {
        *m = *class->metadata;
    }
    m->http_endpoint = m->http_endpoint.p == NULL ? STR("enabled") : m->http_endpoint;
    m->http_protocol_ipv6 =
        m->http_protocol_ipv6.p == NULL ? STR("disabled") : m->http_protocol_ipv6;
    m->http_tokens = m->http_tokens.p == NULL ? STR("required") : m->http_tokens;
    m->hop_limit = m->hop_limit.has ? m->hop_limit : (struct opt_i64){.has = true, .v = 1};
    class->metadata = m;
}

bool nodeclass_decode(const json_t *object, struct arena *arena, struct nodeclass *ret_class,
                      struct err *err)
{
    struct json_at root = json_at_root(object);
    struct json_at meta = json_at_member(&root, "metadata");
    struct json_at name = json_at_member(&meta, "name");
    struct json_at uid = json_at_member(&meta, "uid");
    struct json_at generation = json_at_member(&meta, "generation");
    struct json_at spec = json_at_member(&root, "spec");
    bool has;
    *ret_class = (struct nodeclass){.name = STR_EMPTY};
    if (!decode_text(&name, arena, &ret_class->name, err) ||
        !decode_text(&uid, arena, &ret_class->uid, err) ||
        !json_read_i64(&generation, 0, INT64_MAX, &has, &ret_class->generation, err) ||
        !decode_table(&nodeclass_table, &spec, arena, (char *)ret_class, err)) {
        return err_wrap(err, "EC2NodeClass " STR_FMT, STR_ARG(ret_class->name));
    }
    fill_in(ret_class, arena);
    return true;
}

/* ---- families ---- */

static const struct {
    struct str name, alias;
} families[] = {
    [NODECLASS_AL2] = {STR("AL2"), STR("al2")},
    [NODECLASS_AL2023] = {STR("AL2023"), STR("al2023")},
    [NODECLASS_BOTTLEROCKET] = {STR("Bottlerocket"), STR("bottlerocket")},
    [NODECLASS_WINDOWS2019] = {STR("Windows2019"), STR("windows2019")},
    [NODECLASS_WINDOWS2022] = {STR("Windows2022"), STR("windows2022")},
    [NODECLASS_WINDOWS2025] = {STR("Windows2025"), STR("windows2025")},
    [NODECLASS_CUSTOM] = {STR("Custom"), STR_EMPTY},
};

enum { N_FAMILIES = sizeof families / sizeof families[0] };

/* The alias of the only term that has one, as the CRD demands; "" without. */
static struct str alias_of(const struct nodeclass *class)
{
    for (uint32_t i = 0; i < class->n_image_terms; i++) {
        if (class->image_terms[i].alias.n > 0) {
            return class->image_terms[i].alias;
        }
    }
    return STR_EMPTY;
}

bool nodeclass_family(const struct nodeclass *class, enum nodeclass_family *ret_family,
                      struct err *err)
{
    struct str alias = alias_of(class);
    struct str word =
        class->ami_family.n > 0 ? class->ami_family : str_sub(alias, 0, str_find(alias, '@'));
    bool stated = class->ami_family.n > 0;
    if (!stated && alias.n == 0) {
        *ret_family = NODECLASS_CUSTOM;
        return true;
    }
    for (int i = 0; i < N_FAMILIES; i++) {
        if (str_eq(word, stated ? families[i].name : families[i].alias)) {
            *ret_family = (enum nodeclass_family)i;
            return true;
        }
    }
    return err_set(err, ERR_INVALID,
                   "EC2NodeClass " STR_FMT ": %s: \"" STR_FMT "\": no AMI family; there are AL2, "
                   "AL2023, Bottlerocket, Windows2019, Windows2022, Windows2025 and Custom",
                   STR_ARG(class->name), stated ? "spec.amiFamily" : "spec.amiSelectorTerms.alias",
                   STR_ARG(word));
}

struct str nodeclass_family_name(enum nodeclass_family family)
{
    return families[family].name;
}

bool nodeclass_is_windows(enum nodeclass_family family)
{
    return family == NODECLASS_WINDOWS2019 || family == NODECLASS_WINDOWS2022 ||
           family == NODECLASS_WINDOWS2025;
}

struct str nodeclass_alias_version(const struct nodeclass *class)
{
    struct str alias = alias_of(class);
    return str_sub(alias, str_find(alias, '@') + 1, alias.n);
}

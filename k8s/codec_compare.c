/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Equality and hashes of decoded structs, by the rows that decoded them. Ids of one string table
 * stand for their text; hashes depend on ids and are for lookup inside one builder only. */
#include "k8s/codec.h"

#include <string.h>

#include "k8s/karpenter.h"
#include "k8s/objects.h"
#include "k8s/tables.h"

/* Bytes of a field without padding inside; 0 when it needs a closer look. */
static size_t plain_size(enum codec_type type)
{
    switch (type) {
    case CODEC_COUNT:
    case CODEC_WORD:
    case CODEC_I32:
    case CODEC_ENUM:
        return 4;
    case CODEC_PRESENT:
    case CODEC_BOOL:
    case CODEC_CHOICE:
        return 1;
    case CODEC_QUANTITY:
    case CODEC_I64:
        return 8;
    case CODEC_OBJECT:
    case CODEC_LIST:
    case CODEC_TEXT:
    case CODEC_WORDS:
    case CODEC_PICK:
    case CODEC_MAP:
    case CODEC_RESOURCES:
    case CODEC_OPT_QUANTITY:
    case CODEC_OPT_I32:
    case CODEC_OPT_I64:
    case CODEC_TIME:
    case CODEC_DURATION:
    case CODEC_INT_OR_PERCENT:
    case CODEC_SHAPE:
        break;
    }
    return 0;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash ^= value + UINT64_C(0x9e3779b97f4a7c15) + (hash << 6) + (hash >> 2);
    hash *= UINT64_C(0xff51afd7ed558ccd);
    return hash ^ (hash >> 32);
}

/* A field as at most three numbers and one block of bytes, for both jobs. */
struct parts {
    uint64_t number[3];
    const void *bytes;
    size_t n_bytes;
};

static struct parts take_apart(const struct codec_row *row, const void *field)
{
    struct parts p = {.bytes = NULL, .n_bytes = 0};
    switch ((int)row->type) {
    case CODEC_TEXT: {
        const struct str *v = field;
        return (struct parts){.number = {v->n}, .bytes = v->p, .n_bytes = v->n};
    }
    case CODEC_WORDS:
    case CODEC_PICK: {
        const struct k8s_strids *v = field;
        return (struct parts){.number = {v->n}, .bytes = v->v, .n_bytes = v->n * sizeof *v->v};
    }
    case CODEC_MAP: {
        const struct k8s_pairs *v = field;
        return (struct parts){.number = {v->n}, .bytes = v->v, .n_bytes = v->n * sizeof *v->v};
    }
    case CODEC_OPT_I32: {
        const struct opt_i32 *v = field;
        return (struct parts){.number = {v->has, v->has ? (uint64_t)v->v : 0}};
    }
    case CODEC_OPT_QUANTITY:
    case CODEC_OPT_I64:
    case CODEC_TIME: { /* opt_i64 and opt_wall have one layout */
        const struct opt_i64 *v = field;
        return (struct parts){.number = {v->has, v->has ? (uint64_t)v->v : 0}};
    }
    case CODEC_DURATION: {
        const struct karp_duration *v = field;
        return (struct parts){.number = {v->has, v->never, (uint64_t)v->ms}};
    }
    case CODEC_INT_OR_PERCENT: {
        const struct k8s_int_or_percent *v = field;
        return (struct parts){.number = {v->present, v->is_percent, (uint64_t)v->value}};
    }
    default:
        memcpy(&p.number[0], field, plain_size(row->type));
        return p;
    }
}

static bool same_resources(const struct k8s_resources *a, const struct k8s_resources *b)
{
    bool same = a->n == b->n;
    for (uint32_t i = 0; same && i < a->n; i++) { /* there is padding between id and value */
        same = a->v[i].resource == b->v[i].resource && a->v[i].value == b->v[i].value;
    }
    return same;
}

static bool same_list(const struct codec_row *row, const char *a, const char *b)
{
    uint32_t n = 0, m = 0;
    const char *x = NULL, *y = NULL;
    memcpy(&n, a + row->n_offset, sizeof n);
    memcpy(&m, b + row->n_offset, sizeof m);
    memcpy(&x, a + row->offset, sizeof x);
    memcpy(&y, b + row->offset, sizeof y);
    bool same = n == m;
    for (uint32_t i = 0; same && i < n; i++) {
        size_t at = (size_t)i * row->sub->size;
        same = codec_equal(row->sub, x + at, y + at);
    }
    return same;
}

static bool same_object(const struct codec_row *row, const char *a, const char *b)
{
    if (row->n_offset > 0 && a[row->n_offset - 1] != b[row->n_offset - 1]) {
        return false;
    }
    return codec_equal(row->sub, a + row->offset, b + row->offset);
}

static bool same_shape(const char *a, const char *b)
{
    const struct k8s_pod_shape *x = NULL, *y = NULL;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x == y || (x != NULL && y != NULL && codec_equal(&k8s_shape_table, x, y));
}

static bool same_field(const struct codec_row *row, const char *a, const char *b)
{
    switch ((int)row->type) {
    case CODEC_OBJECT:
        return same_object(row, a, b);
    case CODEC_LIST:
        return same_list(row, a, b);
    case CODEC_SHAPE:
        return same_shape(a + row->offset, b + row->offset);
    case CODEC_RESOURCES:
        return same_resources((const void *)(a + row->offset), (const void *)(b + row->offset));
    default:
        break;
    }
    struct parts x = take_apart(row, a + row->offset);
    struct parts y = take_apart(row, b + row->offset);
    return memcmp(x.number, y.number, sizeof x.number) == 0 && x.n_bytes == y.n_bytes &&
           (x.n_bytes == 0 || memcmp(x.bytes, y.bytes, x.n_bytes) == 0);
}

bool codec_equal(const struct codec_table *table, const void *a, const void *b)
{
    for (uint32_t i = 0; i < table->n_rows; i++) {
        if (!same_field(&table->rows[i], a, b)) {
            return false;
        }
    }
    return true;
}

static uint64_t hash_list(const struct codec_row *row, const char *base, uint64_t hash)
{
    uint32_t n = 0;
    const char *items = NULL;
    memcpy(&n, base + row->n_offset, sizeof n);
    memcpy(&items, base + row->offset, sizeof items);
    hash = mix(hash, n);
    for (uint32_t i = 0; i < n; i++) {
        hash = codec_hash(row->sub, items + (size_t)i * row->sub->size, hash);
    }
    return hash;
}

static uint64_t hash_parts(const struct parts *p, uint64_t hash)
{
    for (size_t i = 0; i < sizeof p->number / sizeof p->number[0]; i++) {
        hash = p->number[i] == 0 ? hash : mix(hash, p->number[i] + i);
    }
    const unsigned char *bytes = p->bytes;
    size_t i = 0;
    for (; i + 8 <= p->n_bytes; i += 8) {
        uint64_t chunk = 0;
        memcpy(&chunk, bytes + i, 8);
        hash = mix(hash, chunk);
    }
    for (; i < p->n_bytes; i++) {
        hash = mix(hash, bytes[i]);
    }
    return mix(hash, 1);
}

static uint64_t hash_field(const struct codec_row *row, const char *base, uint64_t hash)
{
    switch ((int)row->type) {
    case CODEC_OBJECT:
        hash = row->n_offset > 0 ? mix(hash, base[row->n_offset - 1] != 0) : hash;
        return codec_hash(row->sub, base + row->offset, hash);
    case CODEC_LIST:
        return hash_list(row, base, hash);
    case CODEC_SHAPE: /* equal shapes have equal hashes already without it */
        return hash;
    case CODEC_RESOURCES: {
        const struct k8s_resources *r = (const void *)(base + row->offset);
        hash = mix(hash, r->n);
        for (uint32_t i = 0; i < r->n; i++) {
            hash = mix(mix(hash, r->v[i].resource), (uint64_t)r->v[i].value);
        }
        return hash;
    }
    default: {
        struct parts parts = take_apart(row, base + row->offset);
        return hash_parts(&parts, hash);
    }
    }
}

uint64_t codec_hash(const struct codec_table *table, const void *value, uint64_t seed)
{
    uint64_t hash = seed;
    for (uint32_t i = 0; i < table->n_rows; i++) {
        hash = hash_field(&table->rows[i], value, hash);
    }
    return hash;
}

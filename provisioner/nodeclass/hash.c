/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/hash.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/number.h"
#include "base/qty.h"
#include "base/structhash.h"
#include "provisioner/nodeclass/class_table.h"

#define NANOS_A_MS INT64_C(1000000)

/* ---- JSON as Go's encoder writes it ---- */

/* Angle brackets and ampersands are escaped, as for HTML. */
static void put_string(struct strbuf *out, struct str text)
{
    strbuf_addc(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\') {
            strbuf_addf(out, "\\%c", c);
        } else if (c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f') {
            strbuf_addf(out, "\\%c",
                        c == '\n'   ? 'n'
                        : c == '\r' ? 'r'
                        : c == '\t' ? 't'
                        : c == '\b' ? 'b'
                                    : 'f');
        } else if (c < 0x20 || c == '<' || c == '>' || c == '&') {
            strbuf_addf(out, "\\u%04x", c);
        } else if (c == 0xe2 && i + 2 < text.n && (unsigned char)text.p[i + 1] == 0x80 &&
                   ((unsigned char)text.p[i + 2] & 0xfe) == 0xa8) { /* U+2028, U+2029 */
            strbuf_addf(out, "\\u202%x", (unsigned char)text.p[i + 2] & 0xf);
            i += 2;
        } else {
            strbuf_addc(out, (char)c);
        }
    }
    strbuf_addc(out, '"');
}

static int key_cmp(const void *a, const void *b)
{
    return str_cmp(str_of(*(const char *const *)a), str_of(*(const char *const *)b));
}

static void put_json(struct strbuf *out, const json_t *value);

/* Members sorted by key, as an API server stores them. */
static void put_object(struct strbuf *out, const json_t *object)
{
    size_t n = 0;
    const char **keys = ARENA_ARRAY(out->arena, const char *, json_object_size(object));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        keys[n++] = key;
    }
    if (n > 0) {
        qsort(keys, n, sizeof keys[0], key_cmp);
    }
    strbuf_addc(out, '{');
    for (size_t i = 0; i < n; i++) {
        strbuf_add(out, i > 0 ? STR(",") : STR_EMPTY);
        put_string(out, str_of(keys[i]));
        strbuf_addc(out, ':');
        put_json(out, json_object_get(object, keys[i]));
    }
    strbuf_addc(out, '}');
}

static void put_json(struct strbuf *out, const json_t *value)
{
    char number[NUMBER_TEXT_MAX];
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(out, value);
        return;
    case JSON_ARRAY:
        strbuf_addc(out, '[');
        for (size_t i = 0; i < json_array_size(value); i++) {
            strbuf_add(out, i > 0 ? STR(",") : STR_EMPTY);
            put_json(out, json_array_get(value, i));
        }
        strbuf_addc(out, ']');
        return;
    case JSON_STRING:
        put_string(out,
                   (struct str){.p = json_string_value(value), .n = json_string_length(value)});
        return;
    case JSON_INTEGER:
        strbuf_addf(out, "%lld", (long long)json_integer_value(value));
        return;
    case JSON_REAL:
        strbuf_add(out, number_format_double(json_real_value(value), number));
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        strbuf_add(out, json_is_true(value) ? STR("true") : STR("false"));
        return;
    case JSON_NULL:
        strbuf_add(out, STR("null"));
        return;
    }
}

/* ---- by the rows of class_table.h ---- */

static uint64_t hash_table(const struct class_table *table, const char *value);

static uint64_t hash_map(const struct nodeclass_pairs *pairs)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < pairs->n; i++) {
        sum ^=
            structhash_pair(structhash_text(pairs->v[i].key), structhash_text(pairs->v[i].value));
    }
    return structhash_map(sum);
}

/* As Kubernetes prints it: 1024Mi is 1Gi. */
static uint64_t hash_quantity(struct str text)
{
    char room[QTY_TEXT_MAX];
    int64_t bytes = 0;
    struct err ignored;
    enum qty_style style = str_ends(text, STR("i")) ? QTY_BINARY : QTY_DECIMAL;
    bool whole = qty_parse(text, QTY_BASE, QTY_UP, &bytes, &ignored);
    return structhash_text(whole ? qty_format(bytes, QTY_BASE, style, room) : text);
}

/* The hash of a field; false when it is zero and left out. */
static bool hash_row(const struct class_row *row, const char *value, uint64_t *ret_hash)
{
    const void *field = value + row->offset;
    const struct str *text = field;
    const struct opt_bool *boolean = field;
    const struct opt_i64 *number = field;
    const struct nodeclass_pairs *pairs = field;
    uint32_t n =
        row->type == CLASS_LIST ? *(const uint32_t *)(const void *)(value + row->n_offset) : 0;
    const char *items =
        row->type == CLASS_LIST || row->type == CLASS_OBJECT ? *(const char *const *)field : NULL;
    switch (row->type) {
    case CLASS_TEXT:
        *ret_hash = structhash_text(*text);
        return (row->flags & CLASS_POINTER) != 0 ? text->p != NULL : text->n > 0;
    case CLASS_QUANTITY:
        *ret_hash = hash_quantity(*text);
        return text->p != NULL;
    case CLASS_BOOL:
        *ret_hash = structhash_bool(*(const bool *)field);
        return *(const bool *)field;
    case CLASS_OPT_BOOL:
        *ret_hash = structhash_bool(boolean->v);
        return boolean->has;
    case CLASS_I32:
        *ret_hash = structhash_i32((int32_t) * (const int64_t *)field);
        return *(const int64_t *)field != 0;
    case CLASS_OPT_I32:
        *ret_hash = structhash_i32((int32_t)number->v);
        return number->has;
    case CLASS_OPT_I64:
        *ret_hash = structhash_i64(number->v);
        return number->has;
    case CLASS_MAP:
        *ret_hash = hash_map(pairs);
        return pairs->v != NULL;
    case CLASS_LIST:
        *ret_hash = 0;
        for (uint32_t i = 0; i < n; i++) {
            *ret_hash ^= hash_table(row->sub, items + (size_t)i * row->sub->size);
        }
        return items != NULL;
    case CLASS_OBJECT:
        *ret_hash = items == NULL ? 0 : hash_table(row->sub, items);
        return items != NULL;
    case CLASS_JSON:
        break; /* hashed by itself */
    }
    return false;
}

static uint64_t hash_table(const struct class_table *table, const char *value)
{
    uint64_t hash = structhash_text(str_of(table->go_type));
    for (uint32_t i = 0; i < table->n_rows; i++) {
        uint64_t field = 0;
        if ((table->rows[i].flags & CLASS_UNHASHED) == 0 &&
            hash_row(&table->rows[i], value, &field)) {
            structhash_field(&hash, str_of(table->rows[i].go_name), field);
        }
    }
    return hash;
}

/* ---- the kubelet's settings before v6 ---- */

enum kubelet_form { TEXTS, NUMBER, TEXT_MAP, DURATION_MAP, BOOLEAN };

static const struct {
    const char *key;
    struct str go_name;
    enum kubelet_form form;
} kubelet_rows[] = {
    {"clusterDNS", STR("ClusterDNS"), TEXTS},
    {"maxPods", STR("MaxPods"), NUMBER},
    {"podsPerCore", STR("PodsPerCore"), NUMBER},
    {"systemReserved", STR("SystemReserved"), TEXT_MAP},
    {"kubeReserved", STR("KubeReserved"), TEXT_MAP},
    {"evictionHard", STR("EvictionHard"), TEXT_MAP},
    {"evictionSoft", STR("EvictionSoft"), TEXT_MAP},
    {"evictionSoftGracePeriod", STR("EvictionSoftGracePeriod"), DURATION_MAP},
    {"evictionMaxPodGracePeriod", STR("EvictionMaxPodGracePeriod"), NUMBER},
    {"imageGCHighThresholdPercent", STR("ImageGCHighThresholdPercent"), NUMBER},
    {"imageGCLowThresholdPercent", STR("ImageGCLowThresholdPercent"), NUMBER},
    {"cpuCFSQuota", STR("CPUCFSQuota"), BOOLEAN},
};

static bool hash_duration(const struct json_at *at, uint64_t *ret_hash, struct err *err)
{
    struct str text;
    int64_t ms = 0;
    *ret_hash = structhash_text(STR("Duration"));
    if (!json_read_str(at, NULL, &text, err)) {
        return false;
    }
    if (!duration_parse(text, &ms, err)) {
        return json_fail(err, ERR_INVALID, at, "\"" STR_FMT "\": no duration", STR_ARG(text));
    }
    if (ms != 0) {
        structhash_field(ret_hash, STR("Duration"), structhash_i64(sat_mul(ms, NANOS_A_MS)));
    }
    return true;
}

static bool hash_kubelet_map(const struct json_at *at, bool durations, uint64_t *ret_hash,
                             struct err *err)
{
    uint64_t sum = 0;
    const char *key;
    json_t *value;
    if (!json_want_object(at, err)) {
        return false;
    }
    json_object_foreach((json_t *)at->v, key, value)
    {
        struct json_at member = json_at_named(at, str_of(key), value);
        struct str text = STR_EMPTY;
        uint64_t hash = 0;
        if (durations ? !hash_duration(&member, &hash, err)
                      : !json_read_str(&member, NULL, &text, err)) {
            return false;
        }
        sum ^=
            structhash_pair(structhash_text(str_of(key)), durations ? hash : structhash_text(text));
    }
    *ret_hash = structhash_map(sum);
    return true;
}

static bool hash_kubelet_row(enum kubelet_form form, const struct json_at *at, uint64_t *ret_hash,
                             struct err *err)
{
    int64_t number = 0;
    bool flag = false;
    struct str text;
    switch (form) {
    case TEXTS:
        *ret_hash = 0;
        for (size_t i = 0; i < json_at_count(at); i++) {
            struct json_at item = json_at_element(at, i);
            if (!json_read_str(&item, NULL, &text, err)) {
                return false;
            }
            *ret_hash ^= structhash_text(text);
        }
        return json_want_array(at, err);
    case NUMBER:
        if (!json_read_i64(at, INT32_MIN, INT32_MAX, NULL, &number, err)) {
            return false;
        }
        *ret_hash = structhash_i32((int32_t)number);
        return true;
    case BOOLEAN:
        if (!json_read_bool(at, NULL, &flag, err)) {
            return false;
        }
        *ret_hash = structhash_bool(flag);
        return true;
    case TEXT_MAP:
    case DURATION_MAP:
        break;
    }
    return hash_kubelet_map(at, form == DURATION_MAP, ret_hash, err);
}

static bool hash_kubelet(const json_t *kubelet, uint64_t *ret_hash, struct err *err)
{
    struct json_at at = json_at_root(kubelet);
    uint64_t hash = structhash_text(STR("KubeletConfiguration"));
    for (size_t i = 0; i < sizeof kubelet_rows / sizeof kubelet_rows[0]; i++) {
        struct json_at member = json_at_member(&at, kubelet_rows[i].key);
        uint64_t field = 0;
        if (member.v == NULL) {
            continue;
        }
        if (!hash_kubelet_row(kubelet_rows[i].form, &member, &field, err)) {
            return err_wrap(err, "spec.kubelet");
        }
        structhash_field(&hash, kubelet_rows[i].go_name, field);
    }
    *ret_hash = hash;
    return true;
}

/* ---- the whole ---- */

/* Before v6 the kubelet is a field of the spec, between Tags and BlockDeviceMappings. */
static bool hash_spec(const struct nodeclass *class, bool with_kubelet, uint64_t *ret_hash,
                      struct err *err)
{
    uint64_t hash = structhash_text(str_of(nodeclass_table.go_type));
    for (uint32_t i = 0; i < nodeclass_table.n_rows; i++) {
        const struct class_row *row = &nodeclass_table.rows[i];
        uint64_t field = 0;
        bool there =
            (row->flags & CLASS_UNHASHED) == 0 && hash_row(row, (const char *)class, &field);
        if (row->type == CLASS_JSON && with_kubelet && class->kubelet != NULL) {
            if (!hash_kubelet(class->kubelet, &field, err)) {
                return false;
            }
            there = true;
        }
        if (there) {
            structhash_field(&hash, str_of(row->go_name), field);
        }
    }
    *ret_hash = hash;
    return true;
}

struct str nodeclass_hash_version_name(enum nodeclass_hash_version version)
{
    static const struct str names[] = {STR("v4"), STR("v5"), STR("v6")};
    return names[version];
}

bool nodeclass_hash(const struct nodeclass *class, enum nodeclass_hash_version version,
                    struct str ca, struct arena *arena, uint64_t *ret_hash, struct err *err)
{
    enum nodeclass_family family;
    uint64_t hash = 0;
    if (!nodeclass_family(class, &family, err) ||
        !hash_spec(class, version < NODECLASS_HASH_V6, &hash, err)) {
        return false;
    }
    hash ^= structhash_text(nodeclass_family_name(family));
    if (version >= NODECLASS_HASH_V5) {
        hash ^= structhash_text(ca);
    }
    if (version >= NODECLASS_HASH_V6) {
        struct strbuf json = strbuf_new(arena, 16 * 1024 * 1024);
        if (class->kubelet == NULL || json_object_size(class->kubelet) == 0) {
            strbuf_add(&json, STR("null"));
        } else {
            put_json(&json, class->kubelet);
        }
        hash ^= structhash_text(strbuf_str(&json));
    }
    *ret_hash = hash;
    return true;
}

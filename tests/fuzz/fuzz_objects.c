/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON values into the builder: whatever they are, the counts add up, and what is taken survives
 * being written and read again. */
#include <jansson.h>
#include <stdint.h>

#include "base/arena.h"
#include "check.h"
#include "k8s/builder.h"
#include "k8s/schema.h"
#include "k8s/snapshot.h"

static void add(struct k8s_builder *builder, json_t *object, bool removed)
{
    struct err err;
    bool replaced = false;
    if (!k8s_builder_add(builder, object, STR_EMPTY, 0, removed, &replaced, &err)) {
        MUST(err.code == ERR_INVALID || err.code == ERR_LIMIT || err.code == ERR_UNSUPPORTED);
    }
}

static const struct k8s_cluster *build(struct arena *arena, json_t *value, enum k8s_expand expand)
{
    struct k8s_builder *builder = k8s_builder_new(arena, strtab_new(arena));
    const struct k8s_kind_count *counts;
    struct err err;
    uint32_t n_counts = 0, n_made = 0;
    size_t sum = 0, n = json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; i < n; i++) {
        add(builder, json_is_array(value) ? json_array_get(value, i) : value,
            /* removed= */ i % 7 == 6);
    }
    k8s_builder_counts(builder, &counts, &n_counts);
    for (uint32_t i = 0; i < n_counts; i++) {
        sum += counts[i].n;
    }
    MUST(sum == n);
    if (!k8s_builder_expand(builder, expand, &n_made, &err)) {
        k8s_builder_done(builder);
        return NULL;
    }
    return k8s_builder_finish(builder);
}

/* Names that expansion makes may be longer than an API server admits, so only what was read must
 * come back. */
static void write_and_read(struct arena *arena, const struct k8s_cluster *cluster)
{
    struct k8s_snapshot snapshot = k8s_snapshot_begin(cluster, arena);
    struct k8s_builder *builder = k8s_builder_new(arena, strtab_new(arena));
    for (json_t *o = k8s_snapshot_next(&snapshot); o != NULL; o = k8s_snapshot_next(&snapshot)) {
        struct err err;
        MUST(k8s_builder_add(builder, o, STR_EMPTY, 0, false, NULL, &err));
        json_decref(o);
    }
    const struct k8s_cluster *back = k8s_builder_finish(builder);
    struct k8s_snapshot first = k8s_snapshot_begin(cluster, arena);
    struct k8s_snapshot second = k8s_snapshot_begin(back, arena);
    for (;;) {
        json_t *a = k8s_snapshot_next(&first), *b = k8s_snapshot_next(&second);
        MUST((a == NULL) == (b == NULL));
        if (a == NULL) {
            break;
        }
        MUST(same_json(a, b));
        json_decref(a);
        json_decref(b);
    }
}

static void check_schema(struct arena *arena, const json_t *value)
{
    const struct k8s_violation *found;
    uint32_t n_found = 0;
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; i < n && i < 100; i++) {
        const json_t *object = json_is_array(value) ? json_array_get(value, i) : value;
        if (k8s_schema_check(arena, object, &found, &n_found)) {
            MUST(n_found <= K8S_SCHEMA_MAX_VIOLATIONS);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    json_error_t error;
    json_t *value = n > 65536 ? NULL : json_loadb((const char *)bytes, n, JSON_DECODE_ANY, &error);
    if (value == NULL) {
        return 0;
    }
    auto_arena arena = ARENA_INIT;
    check_schema(&arena, value);
    const struct k8s_cluster *cluster = build(&arena, value, K8S_EXPAND_NEVER);
    MUST(cluster != NULL);
    write_and_read(&arena, cluster);
    (void)build(&arena, value, K8S_EXPAND_AUTO);
    json_decref(value);
    return 0;
}

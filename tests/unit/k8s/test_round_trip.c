/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every object of the recorded and written clusters decodes, and a snapshot of a cluster reads back
 * as the same cluster: decode(encode(x)) == x, field by field of the codec's tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "k8s/kinds.h"
#include "k8s/reader.h"
#include "k8s/snapshot.h"
#include "k8s/tables.h"
#include "object_fixture.h"

static char *read_file(struct arena *arena, const char *path, size_t *ret_n)
{
    gzFile file = gzopen(path, "rb");
    size_t n = 0, cap = 1 << 16;
    char *bytes = arena_alloc(arena, cap);
    assert_non_null(file);
    for (;;) {
        int got = gzread(file, bytes + n, (unsigned)(cap - n));
        assert_true(got >= 0);
        if (got == 0) {
            break;
        }
        n += (size_t)got;
        if (n == cap) {
            bytes = arena_grow(arena, bytes, cap, cap * 4);
            cap *= 4;
        }
    }
    gzclose(file);
    *ret_n = n;
    return bytes;
}

static void same_objects(const struct k8s_cluster *a, const struct k8s_cluster *b,
                         enum k8s_store store, const char *what)
{
    const struct k8s_store_type *type = &k8s_stores[store];
    const char *x = NULL, *y = NULL;
    uint32_t n = 0, m = 0;
    memcpy(&n, (const char *)a + type->n_offset, sizeof n);
    memcpy(&m, (const char *)b + type->n_offset, sizeof m);
    memcpy(&x, (const char *)a + type->array_offset, sizeof x);
    memcpy(&y, (const char *)b + type->array_offset, sizeof y);
    if (n != m) {
        fail_msg("%s: store %d has %u objects, then %u", what, (int)store, n, m);
    }
    /* The snapshot sorts, so the order differs: every one must have its equal. */
    for (uint32_t i = 0; i < n; i++) {
        union {
            struct k8s_pod pod;
            char bytes[1024];
        } mine;
        bool found = false;
        memcpy(mine.bytes, x + i * type->size, type->size);
        if (store == STORE_PODS && !mine.pod.has_status && mine.pod.node_name.n == 0) {
            /* Written as pending, see k8s/snapshot.h. */
            mine.pod.has_status = true;
            mine.pod.phase = K8S_PENDING;
            mine.pod.scheduled_status = a->words.s_false;
            mine.pod.scheduled_reason = a->words.unschedulable;
        }
        for (uint32_t j = 0; j < m && !found; j++) {
            found = codec_equal(type->table, mine.bytes, y + j * type->size);
        }
        if (!found) {
            fail_msg("%s: object %u of store %d did not come back the same", what, i, (int)store);
        }
    }
}

struct pass {
    struct k8s_builder *builder;
    const struct k8s_cluster *cluster;
};

static void add_object(struct pass *pass, json_t *object, const char *what)
{
    struct err err;
    if (!k8s_builder_add(pass->builder, object, STR_EMPTY, 0, false, NULL, &err)) {
        fail_msg("%s: %s", what, err.text);
    }
}

static bool take(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    struct pass *pass = ctx;
    return k8s_builder_add(pass->builder, object->value, object->list_kind, 0, object->removed,
                           NULL, err);
}

/* Both passes share one string table, so equal ids mean equal words. */
static void round_trip(const char *what, const char *const *paths, size_t n_paths)
{
    auto_arena arena = ARENA_INIT;
    struct strtab *tab = strtab_new(&arena);
    struct pass first = {.builder = k8s_builder_new(&arena, tab)};
    struct pass second = {.builder = k8s_builder_new(&arena, tab)};
    struct err err;
    uint32_t n_made = 0, n_again = 0;
    for (size_t i = 0; i < n_paths; i++) {
        size_t n = 0;
        char *bytes = read_file(&arena, paths[i], &n);
        if (!k8s_read_memory(paths[i], (struct str){.p = bytes, .n = n}, take, &first, NULL,
                             &err)) {
            fail_msg("%s", err.text);
        }
    }
    assert_true(k8s_builder_expand(first.builder, K8S_EXPAND_AUTO, &n_made, &err));
    first.cluster = k8s_builder_finish(first.builder);
    struct k8s_snapshot snapshot = k8s_snapshot_begin(first.cluster, &arena);
    for (json_t *o = k8s_snapshot_next(&snapshot); o != NULL; o = k8s_snapshot_next(&snapshot)) {
        add_object(&second, o, what);
        json_decref(o);
    }
    assert_true(k8s_builder_expand(second.builder, K8S_EXPAND_AUTO, &n_again, &err));
    if (n_again != 0) {
        fail_msg("%s: the snapshot grew %u more pods (%u were made at first)", what, n_again,
                 n_made);
    }
    second.cluster = k8s_builder_finish(second.builder);
    for (int store = 0; store < N_STORES; store++) {
        same_objects(first.cluster, second.cluster, (enum k8s_store)store, what);
    }
}

/* The files of one meson test: found before cmocka runs, because its TAP has no word for a skipped
 * test that meson understands. */
static glob_t found;

static void test_each(void **state UNUSED)
{
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *one = found.gl_pathv[i];
        round_trip(one, &one, 1);
    }
}

int main(int argc, char **argv)
{
    enum { SKIPPED = 77 };
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each)};
    if (argc < 2) {
        (void)fprintf(stderr, "usage: test_round_trip PATTERN\n");
        return 2;
    }
    if (glob(argv[1], 0, NULL, &found) != 0) {
        (void)printf("SKIPPED: nothing matches %s; NOT read back\n", argv[1]);
        return SKIPPED;
    }
    int n_failed = cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
    globfree(&found);
    return n_failed;
}

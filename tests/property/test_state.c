/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random histories of objects that come, change and go: at every moment the state holds what a
 * builder makes of the objects that are there, and what was frozen stays as it was while more
 * changes.
 *
 *   test_state FILE...        objects to play with; 20 histories of 600 steps
 *   BINPACK_HISTORIES=N       that many
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonw.h"
#include "base/rng.h"
#include "base/vec.h"
#include "k8s/builder.h"
#include "k8s/reader.h"
#include "k8s/snapshot.h"
#include "k8s/state.h"

enum { STEPS = 600, FREEZE_EVERY = 60, FROZEN_STEPS = 30, TEXT_MAX = 64 << 20 };

struct thing {
    const struct k8s_kind *kind;
    struct k8s_identity id;
    json_t *object; /* as read */
    json_t *now;    /* as it is in the state; NULL: not there */
};

static struct {
    struct arena arena;
    VEC(struct thing) v;
} things;

static bool take(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    const struct k8s_kind *kind = NULL;
    const json_t *metadata = json_object_get(object->value, "metadata");
    const char *name = json_string_value(json_object_get(metadata, "name"));
    const char *ns = json_string_value(json_object_get(metadata, "namespace"));
    (void)ctx;
    (void)err;
    if (k8s_kind_find(str_of(json_string_value(json_object_get(object->value, "kind"))), STR_EMPTY,
                      &kind) != K8S_MATCH_YES ||
        name == NULL) {
        return true;
    }
    struct thing thing = {.kind = kind, .object = json_deep_copy(object->value)};
    thing.id.name = str_copy(&things.arena, str_of(name));
    thing.id.ns = !kind->namespaced
                      ? STR_EMPTY
                      : str_copy(&things.arena, ns == NULL ? STR("default") : str_of(ns));
    for (size_t i = 0; i < things.v.n; i++) {
        if (things.v.v[i].kind == kind && str_eq(things.v.v[i].id.ns, thing.id.ns) &&
            str_eq(things.v.v[i].id.name, thing.id.name)) {
            json_decref(thing.object);
            return true;
        }
    }
    VEC_PUSH(&things.arena, &things.v, thing);
    return true;
}

/* What the planner would see, as text. */
static struct str text_of(const struct k8s_cluster *cluster, struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, TEXT_MAX);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    struct k8s_snapshot snapshot = k8s_snapshot_begin(cluster, arena);
    for (json_t *o = k8s_snapshot_next(&snapshot); o != NULL; o = k8s_snapshot_next(&snapshot)) {
        jsonw_json(&w, o);
        json_decref(o);
    }
    return strbuf_str(&b);
}

static struct str expected(struct arena *arena)
{
    struct k8s_builder *builder = k8s_builder_new(arena, strtab_new(arena));
    for (size_t i = 0; i < things.v.n; i++) {
        if (things.v.v[i].now != NULL) {
            (void)!k8s_builder_add(builder, things.v.v[i].now, STR_EMPTY, 0, /* removed= */ false,
                                   NULL, NULL);
        }
    }
    return text_of(k8s_builder_finish(builder), arena);
}

/* The object with something else in it: other labels, another size, or broken. */
static json_t *variant(const struct thing *thing, struct rng *rng)
{
    json_t *object = json_deep_copy(thing->object);
    json_t *metadata = json_object_get(object, "metadata");
    char text[80];
    switch (rng_below(rng, 6)) {
    case 0: {
        json_t *labels = json_object();
        for (uint32_t i = rng_below(rng, 300); i > 0; i--) { /* some are larger than a pool's */
            (void)snprintf(text, sizeof text, "l%u", (unsigned)rng_below(rng, 1000));
            (void)json_object_set_new(labels, text, json_string("x"));
        }
        (void)json_object_set_new(metadata, "labels", labels);
        break;
    }
    case 1:
        (void)snprintf(text, sizeof text, "uid-%u", (unsigned)rng_below(rng, 1000));
        (void)json_object_set_new(metadata, "uid", json_string(text));
        break;
    case 2:
        (void)json_object_set_new(metadata, "labels", json_string("broken"));
        break;
    default:
        break;
    }
    return object;
}

static void step(struct k8s_state *state, struct rng *rng)
{
    struct thing *thing = &things.v.v[rng_below(rng, (uint32_t)things.v.n)];
    struct err err;
    json_decref(thing->now);
    thing->now = NULL;
    if (rng_below(rng, 3) == 0) {
        k8s_state_remove(state, thing->kind, &thing->id);
        assert_null(k8s_state_find(state, thing->kind, &thing->id));
        return;
    }
    thing->now = variant(thing, rng);
    bool good = k8s_state_put(state, thing->kind, &thing->id, thing->now, &err);
    assert_true(good || str_find(str_of(err.text), ':') < strlen(err.text));
    assert_true(!good || k8s_state_find(state, thing->kind, &thing->id) != NULL);
}

static void check(struct str got, struct str want, uint64_t seed, uint32_t at)
{
    if (!str_eq(got, want)) {
        size_t i = 0;
        while (i < got.n && i < want.n && got.p[i] == want.p[i]) {
            i++;
        }
        i = i > 100 ? i - 100 : 0;
        fail_msg("seed %llu, step %u: the state has\n" STR_FMT "\nand not\n" STR_FMT,
                 (unsigned long long)seed, at, STR_ARG(str_sub(got, i, 400)),
                 STR_ARG(str_sub(want, i, 400)));
    }
}

static void history(uint64_t seed)
{
    struct rng rng = {.state = seed};
    struct k8s_state *state = k8s_state_new();
    for (uint32_t i = 0; i < STEPS; i++) {
        step(state, &rng);
        if (i % FREEZE_EVERY == 0) {
            auto_arena arena = ARENA_INIT, other = ARENA_INIT;
            struct k8s_frozen frozen;
            uint32_t n_copied = 0;
            struct str want = expected(&arena);
            k8s_state_freeze(state, &frozen, &n_copied);
            assert_true(n_copied <= (i == 0 ? 1 : 2 * FREEZE_EVERY));
            for (int k = 0; k < FROZEN_STEPS; k++) {
                step(state, &rng);
            }
            check(text_of(k8s_builder_finish(k8s_frozen_builder(&frozen, &other)), &other), want,
                  seed, i);
            k8s_state_thaw(state);
        }
    }
    k8s_state_free(state);
    for (size_t i = 0; i < things.v.n; i++) {
        json_decref(things.v.v[i].now);
        things.v.v[i].now = NULL;
    }
}

static void the_state_is_what_a_builder_makes(void **unused)
{
    const char *given = getenv("BINPACK_HISTORIES");
    const int n = given != NULL ? (int)strtol(given, NULL, 10) : 20;
    (void)unused;
    for (int i = 1; i <= n; i++) {
        history((uint64_t)i);
    }
}

/* Enough of one kind that copies are made ahead of the freeze. */
static void many_of_a_kind(void **unused)
{
    enum { MANY = 1500, CHANGES = 4000 };
    struct k8s_state *state = k8s_state_new();
    struct rng rng = {.state = 7};
    size_t first = 0;
    (void)unused;
    while (first < things.v.n && things.v.v[first].kind->store != STORE_WORKLOADS) {
        first++;
    }
    assert_true(first < things.v.n);
    const struct thing like = things.v.v[first];
    const size_t n_before = things.v.n;
    for (uint32_t i = 0; i < MANY; i++) {
        char name[32];
        struct thing thing = like;
        (void)snprintf(name, sizeof name, "many-%u", (unsigned)i);
        thing.object = json_deep_copy(like.object);
        thing.now = NULL;
        thing.id.name = str_copy(&things.arena, str_of(name));
        (void)json_object_set_new(json_object_get(thing.object, "metadata"), "name",
                                  json_string(name));
        VEC_PUSH(&things.arena, &things.v, thing);
    }
    for (uint32_t i = 1; i <= CHANGES; i++) {
        step(state, &rng);
        if (i % (CHANGES / 2) == 0) {
            auto_arena arena = ARENA_INIT, other = ARENA_INIT;
            struct k8s_frozen frozen;
            uint32_t n_copied = 0;
            const struct str want = expected(&arena);
            k8s_state_freeze(state, &frozen, &n_copied);
            assert_in_range(n_copied, 1, 300);
            for (int k = 0; k < 500; k++) {
                step(state, &rng);
            }
            check(text_of(k8s_builder_finish(k8s_frozen_builder(&frozen, &other)), &other), want, 7,
                  i);
            k8s_state_thaw(state);
        }
    }
    k8s_state_free(state);
    for (size_t i = 0; i < things.v.n; i++) {
        json_decref(things.v.v[i].now);
        things.v.v[i].now = NULL;
        if (i >= n_before) {
            json_decref(things.v.v[i].object);
        }
    }
    things.v.n = n_before;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_state_is_what_a_builder_makes),
                                       cmocka_unit_test(many_of_a_kind)};
    for (int i = 1; i < argc; i++) {
        struct err err;
        char *bytes = NULL;
        FILE *file = fopen(argv[i], "rb");
        if (file == NULL) {
            return 2;
        }
        bytes = arena_alloc(&things.arena, 1 << 20);
        size_t n = fread(bytes, 1, 1 << 20, file);
        (void)fclose(file);
        if (!k8s_read_memory(argv[i], (struct str){.p = bytes, .n = n}, take, NULL, NULL, &err)) {
            (void)fprintf(stderr, "%s\n", err.text);
            return 2;
        }
    }
    if (things.v.n < 10) {
        (void)fprintf(stderr, "test_state: only %zu objects to play with\n", things.v.n);
        return 2;
    }
    int failed = cmocka_run_group_tests_name("k8s/state", tests, NULL, NULL);
    for (size_t i = 0; i < things.v.n; i++) {
        json_decref(things.v.v[i].object);
    }
    arena_done(&things.arena);
    return failed;
}

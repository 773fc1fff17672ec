/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "k8s/reader.h"
#include "object_fixture.h"

void fixture_begin(struct fixture *f)
{
    *f = (struct fixture){.arena = ARENA_INIT};
    f->tab = strtab_new(&f->arena);
    f->builder = k8s_builder_new(&f->arena, f->tab);
}

void fixture_end(struct fixture *f)
{
    k8s_builder_done(f->builder);
    arena_done(&f->arena);
}

static bool take(void *ctx, const struct k8s_read_object *object, struct err *err UNUSED)
{
    struct fixture *f = ctx;
    bool replaced = false;
    if (!k8s_builder_add(f->builder, object->value, object->list_kind, 0, object->removed,
                         &replaced, &f->err)) {
        f->n_refused++;
    }
    f->n_replaced += replaced ? 1 : 0;
    return true;
}

void fixture_add(struct fixture *f, const char *yaml)
{
    struct err err;
    if (!k8s_read_memory("test", str_of(yaml), take, f, NULL, &err)) {
        fail_msg("%s", err.text);
    }
}

bool fixture_add_json(struct fixture *f, const char *json, const char *list_kind, bool removed)
{
    json_error_t error;
    json_t *value = json_loads(json, JSON_DECODE_ANY, &error);
    bool replaced = false;
    assert_non_null(value);
    bool ok = k8s_builder_add(f->builder, value, str_of(list_kind), 0, removed, &replaced, &f->err);
    f->n_refused += ok ? 0 : 1;
    f->n_replaced += replaced ? 1 : 0;
    json_decref(value);
    return ok;
}

void fixture_finish(struct fixture *f, enum k8s_expand expand)
{
    struct err err;
    if (!k8s_builder_expand(f->builder, expand, &f->n_made, &err)) {
        fail_msg("%s", err.text);
    }
    f->cluster = k8s_builder_finish(f->builder);
}

strid fixture_word(const struct fixture *f, const char *text)
{
    return strtab_find(f->tab, str_of(text));
}

const char *fixture_text(const struct fixture *f, strid id)
{
    return strtab_str(f->tab, id).p;
}

const struct k8s_pod *fixture_pod(const struct fixture *f, const char *name)
{
    for (uint32_t i = 0; i < f->cluster->n_pods; i++) {
        if (str_eq(f->cluster->pods[i].name, str_of(name))) {
            return &f->cluster->pods[i];
        }
    }
    fail_msg("no pod %s", name);
    return NULL;
}

int64_t fixture_amount(const struct fixture *f, const struct k8s_resources *r, const char *name)
{
    strid id = fixture_word(f, name);
    return id != STRID_NONE && k8s_resources_has(r, id) ? k8s_resources_get(r, id) : -1;
}

const char *fixture_label(const struct fixture *f, const struct k8s_pairs *pairs, const char *key)
{
    strid id = fixture_word(f, key);
    strid value = id == STRID_NONE ? STRID_NONE : k8s_pairs_get(pairs, id);
    return value == STRID_NONE ? NULL : fixture_text(f, value);
}

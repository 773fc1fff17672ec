/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Catalogues from JSON text, for tests. Single quotes stand for double ones. */
#pragma once

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "binpack/catalog/catalog.h"
#include "k8s/values.h"

enum { FIXTURE_DOCUMENTS = 4 };

struct fixture {
    struct arena arena;
    struct strtab *tab;
    struct k8s_words words;
    const struct catalog *catalog;
    struct cat_notes notes;
    struct err err;
};

static inline void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.arena = ARENA_INIT};
    f->tab = strtab_new(&f->arena);
    k8s_words_init(&f->words, f->tab);
}

static inline void fixture_done(struct fixture *f)
{
    arena_done(&f->arena);
}

/* The result of cat_from_json; documents are called "one", "two", ... */
static inline bool fixture_load(struct fixture *f, const char *const *texts, uint32_t n)
{
    static const struct str names[FIXTURE_DOCUMENTS] = {
        {"one", 3}, {"two", 3}, {"three", 5}, {"four", 4}};
    json_t *documents[FIXTURE_DOCUMENTS] = {NULL};
    for (uint32_t i = 0; i < n; i++) {
        char *text = arena_copy(&f->arena, texts[i], strlen(texts[i]));
        json_error_t why;
        for (char *c = text; *c != 0; c++) {
            *c = *c == '\'' ? '"' : *c;
        }
        documents[i] = json_loads(text, JSON_DECODE_ANY, &why);
        if (documents[i] == NULL) {
            printf("test text is no JSON: %s: %.200s\n", why.text, text);
        }
    }
    bool ok =
        cat_from_json(documents, names, n, &f->arena, f->tab, &f->catalog, &f->notes, &f->err);
    for (uint32_t i = 0; i < n; i++) {
        json_decref(documents[i]); /* the catalogue must not point into them */
    }
    return ok;
}

static inline bool fixture_load_one(struct fixture *f, const char *text)
{
    return fixture_load(f, &text, 1);
}

/* The type of that name, which must be there. */
static inline const struct cat_type *fixture_type(const struct fixture *f, const char *name)
{
    const struct cat_type *type = cat_find(f->catalog, f->tab, strtab_find(f->tab, str_of(name)));
    assert(type != NULL);
    return type;
}

static inline int64_t fixture_amount(const struct fixture *f, const struct k8s_resources *amounts,
                                     const char *name)
{
    return k8s_resources_get(amounts, strtab_find(f->tab, str_of(name)));
}

/* The value of a label, or NULL. */
static inline const char *fixture_label(const struct fixture *f, const struct cat_type *type,
                                        const char *key)
{
    strid id = strtab_find(f->tab, str_of(key));
    strid value = id == STRID_NONE ? STRID_NONE : k8s_pairs_get(&type->labels, id);
    return value == STRID_NONE ? NULL : strtab_str(f->tab, value).p;
}

/* The offering of that zone and capacity type, which must be there. */
static inline const struct cat_offering *fixture_offering(const struct fixture *f,
                                                          const struct cat_type *type,
                                                          const char *zone,
                                                          enum cat_capacity_type capacity_type)
{
    const struct cat_offering *found = NULL;
    for (uint32_t i = 0; i < type->n_offerings && found == NULL; i++) {
        const struct cat_offering *at = &type->offerings[i];
        bool here = str_eq(strtab_str(f->tab, f->catalog->zones[at->zone_i].name), str_of(zone));
        found = here && at->capacity_type == capacity_type ? at : NULL;
    }
    assert(found != NULL);
    return found;
}

static inline bool fixture_has_note(const struct fixture *f, const char *part)
{
    for (uint32_t i = 0; i < f->notes.n; i++) {
        for (size_t at = 0; at < f->notes.v[i].n; at++) {
            if (str_starts(str_sub(f->notes.v[i], at, f->notes.v[i].n), str_of(part))) {
                return true;
            }
        }
    }
    return false;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clusters for tests, written as YAML. */
#pragma once

#include "base/arena.h"
#include "k8s/builder.h"

struct fixture {
    struct arena arena;
    struct strtab *tab;
    struct k8s_builder *builder;
    const struct k8s_cluster *cluster; /* after fixture_finish */
    uint32_t n_made;
    uint32_t n_replaced; /* objects that took the place of an earlier one */
    struct err err;      /* of the last object that was refused */
    uint32_t n_refused;
};

void fixture_begin(struct fixture *f);
void fixture_end(struct fixture *f);

/* Adds all objects of a text; refused ones are counted, the last error is kept. Fails the test when
 * the text itself cannot be read. */
void fixture_add(struct fixture *f, const char *yaml);

/* One object in JSON; false when it is refused. */
bool fixture_add_json(struct fixture *f, const char *json, const char *list_kind, bool removed);

void fixture_finish(struct fixture *f, enum k8s_expand expand);

strid fixture_word(const struct fixture *f, const char *text);
const char *fixture_text(const struct fixture *f, strid id);

/* Of the finished cluster; the test fails when it is not there. */
const struct k8s_pod *fixture_pod(const struct fixture *f, const char *name);
int64_t fixture_amount(const struct fixture *f, const struct k8s_resources *r, const char *name);
const char *fixture_label(const struct fixture *f, const struct k8s_pairs *pairs, const char *key);

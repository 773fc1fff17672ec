/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The labels and allocatable that Karpenter documents for every instance type (website,
 * reference/instance-types; AL2023, default settings), against the embedded catalogue. The
 * documentation is not part of this project: the test takes its file, turned into JSON, as argument
 * and is skipped, loudly, without it. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/qty.h"
#include "binpack/catalog/catalog.h"

enum { SKIPPED = 77 };

/* Why a value differs. */
#define BRANCHES                                                                                   \
    "branch interfaces: the network limits of 2026-08-06 list the type, those behind the "         \
    "documentation do not"
#define CLOCK   "clock speed: EC2 has corrected it since"
#define NETWORK "network bandwidth: EC2 has corrected it since"

static const struct difference {
    const char *type, *key, *ours, *documented, *reason; /* documented NULL: absent there */
} differences[] = {
#include "docs_differences.inc"
};
enum { N_DIFFERENCES = sizeof differences / sizeof *differences };

static bool seen[N_DIFFERENCES];
static unsigned n_failed, n_compared;

static void differ(const char *type, const char *key, const char *ours, const char *documented)
{
    n_compared++;
    if (ours != NULL && documented != NULL && strcmp(ours, documented) == 0) {
        return;
    }
    for (unsigned i = 0; i < N_DIFFERENCES; i++) {
        const struct difference *d = &differences[i];
        bool same_documented = d->documented == NULL
                                   ? documented == NULL
                                   : documented != NULL && strcmp(d->documented, documented) == 0;
        if (strcmp(d->type, type) == 0 && strcmp(d->key, key) == 0 && ours != NULL &&
            strcmp(d->ours, ours) == 0 && same_documented) {
            seen[i] = true;
            return;
        }
    }
    n_failed++;
    printf("%s: %s is %s, documented %s\n", type, key, ours == NULL ? "absent" : ours,
           documented == NULL ? "absent" : documented);
}

/* Labels that the documentation does not print. */
static bool undocumented(const char *key)
{
    return strcmp(key, "topology.kubernetes.io/region") == 0 ||
           strcmp(key, "karpenter.k8s.aws/instance-tenancy") == 0 ||
           strcmp(key, "eks.amazonaws.com/nitro-sandbox") == 0;
}

static void compare_labels(const struct cat_type *type, const struct strtab *tab, const char *name,
                           json_t *documented)
{
    const char *key;
    json_t *value;
    for (uint32_t i = 0; i < type->labels.n; i++) {
        key = strtab_str(tab, type->labels.v[i].key).p;
        if (!undocumented(key)) {
            differ(name, key, strtab_str(tab, type->labels.v[i].value).p,
                   json_string_value(json_object_get(documented, key)));
        }
    }
    json_object_foreach(documented, key, value)
    {
        strid id = strtab_find(tab, str_of(key));
        bool has = strcmp(key, "kubernetes.io/os") == 0;
        for (uint32_t i = 0; i < type->labels.n && !has; i++) {
            has = type->labels.v[i].key == id;
        }
        if (!has) {
            differ(name, key, NULL, json_string_value(value));
        }
    }
}

static void compare_allocatable(const struct cat_type *type, const struct strtab *tab,
                                const char *name, json_t *documented)
{
    const char *key;
    json_t *value;
    for (uint32_t i = 0; i < type->allocatable.n; i++) {
        key = strtab_str(tab, type->allocatable.v[i].resource).p;
        bool milli = strcmp(key, "cpu") == 0;
        char ours[32], theirs[32];
        int64_t amount = 0;
        json_t *in_docs = json_object_get(documented, key);
        snprintf(ours, sizeof ours, "%lld", (long long)type->allocatable.v[i].value);
        if (in_docs != NULL &&
            qty_parse_json(in_docs, milli ? QTY_MILLI : QTY_BASE, QTY_DOWN, &amount, NULL)) {
            snprintf(theirs, sizeof theirs, "%lld", (long long)amount);
        }
        differ(name, key, ours, in_docs == NULL ? NULL : theirs);
    }
    json_object_foreach(documented, key, value)
    {
        strid id = strtab_find(tab, str_of(key));
        bool has = false;
        for (uint32_t i = 0; i < type->allocatable.n && !has; i++) {
            has = type->allocatable.v[i].resource == id;
        }
        if (!has) {
            differ(name, key, NULL, json_string_value(value));
        }
    }
}

int main(int argc, char **argv)
{
    auto_arena arena = ARENA_INIT;
    if (argc != 2 || access(argv[1], R_OK) != 0) {
        printf("SKIPPED: the documented instance types are not here (%s); labels and allocatable "
               "of the embedded catalogue "
               "are NOT compared with them\n",
               argc == 2 ? argv[1] : "no file given");
        return SKIPPED;
    }
    json_t *docs = json_load_file(argv[1], 0, NULL);
    json_t *types = json_object_get(docs, "types"), *documented;
    struct strtab *tab = strtab_new(&arena);
    const struct catalog *catalog = cat_builtin(&arena, tab);
    const char *name;
    size_t n_types = json_object_size(types);
    if (n_types == 0) {
        printf("no types in %s\n", argv[1]);
        return 1;
    }
    json_object_foreach(types, name, documented)
    {
        const struct cat_type *type = cat_find(catalog, tab, strtab_find(tab, str_of(name)));
        if (type == NULL) {
            n_failed++;
            printf("%s: not in the catalogue\n", name);
            continue;
        }
        compare_labels(type, tab, name, json_object_get(documented, "labels"));
        compare_allocatable(type, tab, name, json_object_get(documented, "allocatable"));
    }
    for (unsigned i = 0; i < N_DIFFERENCES; i++) {
        if (!seen[i]) {
            n_failed++;
            printf("%s: %s is said to differ (%s) and does not\n", differences[i].type,
                   differences[i].key, differences[i].reason);
        }
    }
    printf("%zu documented types, %u values compared, %u known differences, %u failures\n", n_types,
           n_compared, (unsigned)N_DIFFERENCES, n_failed);
    json_decref(docs);
    return n_failed == 0 ? 0 : 1;
}

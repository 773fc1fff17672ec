/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every catalogue of a folder of scheduling cases, which is not part of this project, loads, and
 * says what its file says. Takes the folder as argument and is skipped, loudly, without it. */
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/qty.h"
#include "binpack/catalog/catalog.h"
#include "binpack/catalog/verify.h"

enum { SKIPPED = 77 };

static unsigned n_failed;

static void failure(const char *path, const char *type, const char *what)
{
    n_failed++;
    printf("%s: %s: %s\n", path, type, what);
}

static void compare(const char *path, const struct catalog *catalog, const struct strtab *tab,
                    json_t *stated)
{
    const char *name = json_string_value(json_object_get(stated, "name")), *key;
    const struct cat_type *type = cat_find(catalog, tab, strtab_find(tab, str_of(name)));
    json_t *value;
    if (type == NULL) {
        failure(path, name, "not found");
        return;
    }
    json_object_foreach(json_object_get(stated, "allocatable"), key, value)
    {
        int64_t amount = -1;
        bool ok = qty_parse_json(value, strcmp(key, "cpu") == 0 ? QTY_MILLI : QTY_BASE, QTY_DOWN,
                                 &amount, NULL);
        if (!ok || k8s_resources_get(&type->allocatable, strtab_find(tab, str_of(key))) != amount) {
            failure(path, name, key);
        }
    }
    json_object_foreach(json_object_get(stated, "labels"), key, value)
    {
        strid have = k8s_pairs_get(&type->labels, strtab_find(tab, str_of(key)));
        if (have == STRID_NONE || strcmp(strtab_str(tab, have).p, json_string_value(value)) != 0) {
            failure(path, name, key);
        }
    }
    if (json_array_size(json_object_get(stated, "offerings")) != type->n_offerings) {
        failure(path, name, "offerings");
    }
}

static void load(const char *path)
{
    auto_arena arena = ARENA_INIT;
    struct strtab *tab = strtab_new(&arena);
    struct k8s_words words;
    json_t *document = json_load_file(path, 0, NULL), *type;
    struct str name = str_of(path);
    const struct catalog *catalog = NULL;
    struct cat_notes notes;
    struct cat_report report;
    struct err err;
    size_t i;
    k8s_words_init(&words, tab);
    if (!cat_from_json(&document, &name, 1, &arena, tab, &catalog, &notes, &err)) {
        failure(path, "does not load", err.text);
    } else {
        cat_verify(catalog, tab, &words, &arena, &report);
        if (report.n_faults > 0) {
            failure(path, "catalogue", "has faults");
        }
        json_array_foreach(json_object_get(document, "instanceTypes"), i, type)
        {
            compare(path, catalog, tab, type);
        }
    }
    json_decref(document);
}

int main(int argc, char **argv)
{
    static const char *const patterns[] = {"/catalogs/*.json", "/*/*/catalog.json"};
    char pattern[4096];
    size_t n = 0;
    if (argc != 2 || access(argv[1], R_OK) != 0) {
        printf("SKIPPED: the scheduling cases are not here (%s); their catalogues are NOT read\n",
               argc == 2 ? argv[1] : "no folder given");
        return SKIPPED;
    }
    for (size_t k = 0; k < 2; k++) {
        glob_t found;
        snprintf(pattern, sizeof pattern, "%s%s", argv[1], patterns[k]);
        if (glob(pattern, 0, NULL, &found) == 0) {
            for (size_t i = 0; i < found.gl_pathc; i++) {
                load(found.gl_pathv[i]);
            }
            n += found.gl_pathc;
            globfree(&found);
        }
    }
    printf("%zu catalogues, %u failures\n", n, n_failed);
    return n == 0 || n_failed > 0 ? 1 : 0;
}

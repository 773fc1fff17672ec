/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cat_from_json on any JSON: it fails with a message, or gives a catalogue without contradictions
 * that survives being written and read again. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "binpack/catalog/verify.h"
#include "binpack/catalog/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUTPUT_MAX = 64 * 1024 * 1024 };

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct str write_out(const struct catalog *catalog, struct strtab *tab, struct arena *arena)
{
    struct k8s_words words;
    struct strbuf out = strbuf_new(arena, OUTPUT_MAX);
    struct jsonw w = jsonw_new(&out, JSONW_COMPACT);
    k8s_words_init(&words, tab);
    cat_write_json(&w, catalog, &CAT_SETTINGS_DEFAULT, tab, &words);
    must(!out.overflow);
    return strbuf_str(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena arena = ARENA_INIT;
    struct strtab *tab = strtab_new(&arena);
    struct k8s_words words;
    struct str name = STR("input");
    const struct catalog *catalog = NULL;
    struct cat_notes notes;
    struct cat_report report;
    struct err err = {.code = ERR_NONE};
    json_t *document = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (document == NULL) {
        return 0;
    }
    k8s_words_init(&words, tab);
    if (!cat_from_json(&document, &name, 1, &arena, tab, &catalog, &notes, &err)) {
        must(err.code != ERR_NONE && err.code != ERR_INTERNAL && err.text[0] != 0);
        json_decref(document);
        return 0;
    }
    json_decref(document);
    cat_verify(catalog, tab, &words, &arena, &report);
    must(report.n_faults == 0);

    struct str first = write_out(catalog, tab, &arena);
    document = json_loadb(first.p, first.n, JSON_ALLOW_NUL, NULL);
    must(document != NULL);
    must(cat_from_json(&document, &name, 1, &arena, tab, &catalog, &notes, &err));
    json_decref(document);
    must(str_eq(first, write_out(catalog, tab, &arena)));
    return 0;
}

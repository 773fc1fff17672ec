/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/catalog.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "io/files.h"

bool catalog_read(struct str path, struct arena *arena, struct strtab *tab,
                  const struct catalog **ret_catalog, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    struct cat_notes notes = {.n = 0};
    struct str bytes;
    json_error_t why;
    if (path.n == 0) {
        *ret_catalog = cat_builtin(arena, tab);
        return true;
    }
    if (!io_file_read(str_cstr(&scratch, path), LIMIT_CATALOG_BYTES, &scratch, &bytes, err)) {
        return err_wrap(err, "catalogue");
    }
    auto_json *document = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, &why);
    if (document == NULL) {
        return err_set(err, ERR_PARSE, STR_FMT ":%d: not the JSON of a catalogue: %s",
                       STR_ARG(path), why.line, why.text);
    }
    return cat_from_json(&document, &path, 1, arena, tab, ret_catalog, &notes, err) ||
           err_wrap(err, "catalogue " STR_FMT, STR_ARG(path));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/plan_file.h"

#include "base/arena.h"
#include "io/files.h"
#include "k8s/reader.h"

enum {
    PLAN_MAX_BYTES = 1 << 27, /* a hundred thousand pods take a tenth */
    BEGINNING_BYTES = 200     /* apiVersion and kind come first */
};

static bool take_document(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    json_t **document = ctx;
    if (*document != NULL) {
        return err_set(err, ERR_INVALID, "more than one document");
    }
    *document = json_incref(object->value);
    return true;
}

/* JSON or YAML. A new reference. */
bool plan_file_read(struct str path, json_t **ret_document, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    struct str bytes;
    char *name = str_cstr(&scratch, path);
    if (!io_file_read(name, PLAN_MAX_BYTES, &scratch, &bytes, err)) {
        return false;
    }
    struct str text = str_trim(bytes);
    *ret_document = NULL;
    if (text.n > 0 && text.p[0] == '{') {
        json_error_t why;
        *ret_document = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, &why);
        return *ret_document != NULL ||
               err_set(err, ERR_PARSE, "%s:%d: %s", name, why.line, why.text);
    }
    if (!k8s_read_memory(name, bytes, take_document, ret_document, NULL, err)) {
        json_decref(*ret_document);
        return false;
    }
    return *ret_document != NULL || err_set(err, ERR_PARSE, "%s: holds no document", name);
}

bool plan_file_is(struct str path)
{
    static const char *const marks[] = {"\"kind\": \"Plan\"", "\"kind\":\"Plan\"", "kind: Plan\n"};
    auto_arena scratch = ARENA_INIT;
    struct str bytes;
    struct err err;
    if (str_eq(path, STR("-")) ||
        !io_file_read(str_cstr(&scratch, path), PLAN_MAX_BYTES, &scratch, &bytes, &err)) {
        return false;
    }
    struct str beginning = str_sub(bytes, 0, BEGINNING_BYTES);
    for (size_t at = 0; at < beginning.n; at++) {
        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
            if (str_starts(str_sub(beginning, at, beginning.n), str_of(marks[i]))) {
                return true;
            }
        }
    }
    return false;
}

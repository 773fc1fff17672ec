/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/keeper_write.h"

#include "base/arena.h"
#include "base/jsonw.h"

#define BODY_MAX ((size_t)64 << 10)

static struct str text_of(const json_t *value)
{
    return json_is_string(value)
               ? (struct str){.p = json_string_value(value), .n = json_string_length(value)}
               : STR_EMPTY;
}

static const json_t *meta_of(const json_t *object, const char *key)
{
    return json_object_get(json_object_get(object, "metadata"), key);
}

struct str keeper_meta_text(const json_t *object, const char *key)
{
    return text_of(meta_of(object, key));
}

struct str keeper_annotation(const json_t *object, const char *key)
{
    return text_of(json_object_get(meta_of(object, "annotations"), key));
}

bool keeper_is_deleted(const json_t *object)
{
    return keeper_meta_text(object, "deletionTimestamp").n > 0;
}

bool keeper_has_finalizer(const json_t *object)
{
    const json_t *list = meta_of(object, "finalizers");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (str_eq(text_of(json_array_get(list, i)), KEEPER_FINALIZER)) {
            return true;
        }
    }
    return false;
}

static void put_finalizers(struct jsonw *w, const json_t *object, bool ours)
{
    const json_t *list = meta_of(object, "finalizers");
    jsonw_key_array(w, "finalizers");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct str name = text_of(json_array_get(list, i));
        if (!str_eq(name, KEEPER_FINALIZER)) {
            jsonw_str(w, name);
        }
    }
    if (ours) {
        jsonw_str(w, KEEPER_FINALIZER);
    }
    jsonw_array_end(w);
}

static void put_hash(struct jsonw *w, struct str hash)
{
    jsonw_key_object(w, "annotations");
    if (hash.n > 0) {
        jsonw_key_str(w, KEEPER_HASH, hash);
    }
    jsonw_key_str(w, KEEPER_HASH_VERSION, nodeclass_hash_version_name(KEEPER_WRITES_VERSION));
    jsonw_object_end(w);
}

static struct str end_of(struct jsonw *w, const struct strbuf *b)
{
    jsonw_object_end(w);
    jsonw_object_end(w);
    return strbuf_str(b);
}

bool keeper_meta_patch(const json_t *object, struct str hash, struct arena *arena,
                       struct str *ret_body)
{
    struct strbuf b = strbuf_new(arena, BODY_MAX);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    const bool hash_is_there =
        hash.n == 0 || (str_eq(keeper_annotation(object, KEEPER_HASH), hash) &&
                        str_eq(keeper_annotation(object, KEEPER_HASH_VERSION),
                               nodeclass_hash_version_name(KEEPER_WRITES_VERSION)));
    const bool finalizer_is_there = keeper_has_finalizer(object);
    if (hash_is_there && finalizer_is_there) {
        return false;
    }
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "metadata");
    if (!finalizer_is_there) {
        put_finalizers(&w, object, /* ours= */ true);
    }
    if (!hash_is_there) {
        put_hash(&w, hash);
    }
    *ret_body = end_of(&w, &b);
    return true;
}

struct str keeper_release_patch(const json_t *object, struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, BODY_MAX);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "metadata");
    put_finalizers(&w, object, /* ours= */ false);
    return end_of(&w, &b);
}

struct str keeper_claim_patch(struct str hash, bool drifted, struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, BODY_MAX);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "metadata");
    put_hash(&w, drifted ? STR_EMPTY : hash);
    return end_of(&w, &b);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/reader.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/docs.h"
#include "base/json.h"
#include "base/limits.h"

/* What no rule reads and takes most of the room, wherever it stands. */
static const struct str dropped_always[] = {
    STR("kubectl.kubernetes.io/last-applied-configuration"), /* the object once more, as text */
    STR("managedFields"),
    STR_EMPTY,
};

/* The same for objects and lists only: a label may be called "env". */
static const struct str dropped_containers[] = {
    STR("env"),          STR("envFrom"),       STR("command"),      STR("args"),
    STR("volumeMounts"), STR("livenessProbe"), STR("startupProbe"), STR("readinessProbe"),
    STR("images"),       STR("lifecycle"),     STR_EMPTY,
};

const struct json_drop k8s_dropped = {.any = dropped_always, .containers = dropped_containers};

struct reader {
    struct docs *docs;
    k8s_read_fn fn;
    void *ctx;
    struct k8s_read_stats stats;
    uint64_t line; /* of the object at hand */
    bool
        line_is_known; /* the error at hand is about that line, not about where the parser stands */
};

/* The outer part of a document: everything but the items of a list. */
struct outer {
    json_t *head;    /* members read so far */
    json_t *waiting; /* items without a kind, read before the list's own kind is known; with their
                        lines */
    uint64_t waiting_bytes;
    uint64_t begin, items_bytes; /* offsets: where it begins; what the items took */
    uint64_t line;
    bool has_items;
};

static struct str member_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value)
               ? (struct str){.p = json_string_value(value), .n = json_string_length(value)}
               : STR_EMPTY;
}

static bool is_list_kind(struct str kind)
{
    return str_ends(kind, STR("List"));
}

/* "Pod" for "PodList"; nothing for a List of anything. */
static struct str item_kind(struct str list_kind)
{
    return is_list_kind(list_kind) ? str_sub(list_kind, 0, list_kind.n - 4) : STR_EMPTY;
}

static bool fail_at(struct reader *reader, uint64_t line)
{
    reader->line = line;
    reader->line_is_known = true;
    return false;
}

static bool take(struct reader *reader, json_t *value, struct str list_kind, uint64_t line,
                 bool removed, struct err *err);

static bool take_items(struct reader *reader, const json_t *items, struct str list_kind,
                       uint64_t line, struct err *err)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        if (!take(reader, json_array_get(items, i), list_kind, line, /* removed= */ false, err)) {
            return false;
        }
    }
    return true;
}

static bool hand_over(struct reader *reader, json_t *value, struct str list_kind, uint64_t line,
                      bool removed, struct err *err)
{
    if (reader->stats.n_objects >= LIMIT_OBJECTS) {
        (void)err_set(err, ERR_LIMIT, "more than %d objects in one input (LIMIT_OBJECTS)",
                      (int)LIMIT_OBJECTS);
        return fail_at(reader, line);
    }
    struct str kind = member_text(value, "kind");
    struct k8s_read_object object = {.value = value,
                                     .list_kind = kind.n == 0 ? list_kind : STR_EMPTY,
                                     .removed = removed,
                                     .line = line};
    reader->stats.n_objects++;
    return reader->fn(reader->ctx, &object, err) || fail_at(reader, line);
}

/* A watch event has "type" and "object", and no kind of its own. */
static bool is_event(const json_t *value)
{
    return member_text(value, "type").n > 0 && json_is_object(json_object_get(value, "object")) &&
           json_object_get(value, "kind") == NULL;
}

static bool take_event(struct reader *reader, const json_t *event, uint64_t line, struct err *err)
{
    struct str type = member_text(event, "type");
    json_t *object = json_object_get(event, "object");
    if (str_eq(type, STR("ADDED")) || str_eq(type, STR("MODIFIED"))) {
        return take(reader, object, STR_EMPTY, line, /* removed= */ false, err);
    }
    if (str_eq(type, STR("DELETED"))) {
        return take(reader, object, STR_EMPTY, line, /* removed= */ true, err);
    }
    if (str_eq(type, STR("BOOKMARK"))) {
        reader->stats.n_bookmarks++;
        return true;
    }
    if (str_eq(type, STR("ERROR"))) {
        struct str message = member_text(object, "message");
        (void)err_set(err, ERR_INVALID,
                      "the watch ended with an error: \"%.*s\" (the recording is incomplete)",
                      (int)(message.n > 200 ? 200 : message.n), message.n == 0 ? "" : message.p);
        return fail_at(reader, line);
    }
    (void)err_set(
        err, ERR_INVALID,
        "type: \"%.*s\" is not a watch event (ADDED, MODIFIED, DELETED, BOOKMARK or ERROR)",
        (int)(type.n > 64 ? 64 : type.n), type.p);
    return fail_at(reader, line);
}

/* One value in the place of an object: an object, an event, a list inside a list, our own header,
 * or anything else as an item of a list. */
static bool take(struct reader *reader, json_t *value, struct str list_kind, uint64_t line,
                 bool removed, struct err *err)
{
    if (!json_is_object(value)) {
        /* Costs only itself: whoever takes the objects refuses it and goes on. */
        return hand_over(reader, value, list_kind, line, removed, err);
    }
    if (is_event(value)) {
        return take_event(reader, value, line, err);
    }
    struct str kind = member_text(value, "kind");
    const json_t *items = json_object_get(value, "items");
    if (is_list_kind(kind) && (items == NULL || json_is_null(items) || json_is_array(items))) {
        return take_items(reader, items, item_kind(kind), line, err);
    }
    if (str_eq(kind, STR("List"))) {
        (void)err_set(err, ERR_PARSE, "List: items: expected an array, got %s",
                      json_type_text(items));
        return fail_at(reader, line);
    }
    if (str_eq(kind, STR("Snapshot")) &&
        str_starts(member_text(value, "apiVersion"), STR("binpack/"))) {
        reader->stats.n_headers++;
        return true;
    }
    return hand_over(reader, value, list_kind, line, removed, err);
}

/* An item read before the kind of its list is known: kept if it has none itself. */
static bool take_early_item(struct reader *reader, struct outer *outer, json_t *item, uint64_t line,
                            uint64_t n_bytes, struct err *err)
{
    if (!json_is_object(item) || json_object_get(item, "kind") != NULL || is_event(item)) {
        return take(reader, item, STR_EMPTY, line, /* removed= */ false, err);
    }
    outer->waiting_bytes += n_bytes;
    if (outer->waiting_bytes > LIMIT_KINDLESS_BYTES) {
        (void)err_set(err, ERR_LIMIT,
                      "more than %d bytes of list items without a kind before the kind of the list "
                      "(LIMIT_KINDLESS_BYTES): put "
                      "\"kind\" before \"items\"",
                      (int)LIMIT_KINDLESS_BYTES);
        return fail_at(reader, line);
    }
    outer->waiting = outer->waiting == NULL ? json_array() : outer->waiting;
    (void)json_array_append_new(outer->waiting, json_integer((json_int_t)line));
    (void)json_array_append(outer->waiting, item);
    return true;
}

/* The elements of a list or of a top-level array, one by one. */
static bool read_items(struct reader *reader, struct outer *outer, struct err *err)
{
    bool has = false;
    if (!docs_enter(reader->docs, err)) {
        return false;
    }
    while (docs_element(reader->docs, &has, err)) {
        auto_json *item = NULL;
        enum docs_kind kind = DOCS_END;
        if (!has) {
            return true;
        }
        uint64_t begin = docs_offset(reader->docs), line = docs_line(reader->docs);
        if (!docs_peek(reader->docs, &kind, err) || !docs_value(reader->docs, &item, err)) {
            return false;
        }
        struct str list_kind = outer == NULL ? STR_EMPTY : member_text(outer->head, "kind");
        bool early = outer != NULL && list_kind.n == 0;
        uint64_t n_bytes = docs_offset(reader->docs) - begin;
        bool good = early
                        ? take_early_item(reader, outer, item, line, n_bytes, err)
                        : take(reader, item, item_kind(list_kind), line, /* removed= */ false, err);
        if (!good) {
            return false;
        }
    }
    return false;
}

/* The end of a list whose items have been handed over, but for those that waited for its kind. */
static bool end_list(struct reader *reader, struct outer *outer, struct err *err)
{
    struct str kind = member_text(outer->head, "kind");
    if (kind.n > 0 && !is_list_kind(kind)) {
        /* No list after all: an object of a kind that nobody knows here, with a member called
         * items. */
        return take(reader, outer->head, STR_EMPTY, outer->line, /* removed= */ false, err);
    }
    for (size_t i = 0; i + 1 < json_array_size(outer->waiting); i += 2) {
        uint64_t line = (uint64_t)json_integer_value(json_array_get(outer->waiting, i));
        json_t *item = json_array_get(outer->waiting, i + 1);
        if (!take(reader, item, item_kind(kind), line, /* removed= */ false, err)) {
            return false;
        }
    }
    return true;
}

static bool add_to_head(struct outer *outer, struct str key, bool merged, json_t *value,
                        struct err *err)
{
    char buffer[LIMIT_NAME_BYTES + 1];
    if (key.n >= sizeof buffer) {
        json_decref(value);
        return true; /* no member of an API object has such a name; unknown fields are ignored */
    }
    if (key.n > 0) {
        memcpy(buffer, key.p, key.n);
    }
    buffer[key.n] = '\0';
    if (json_object_get(outer->head, buffer) != NULL) {
        json_decref(value);
        return merged || err_set(err, ERR_PARSE, "the member \"%.64s\" is there twice", buffer);
    }
    if (json_object_size(outer->head) >= LIMIT_LIST_ITEMS) {
        json_decref(value);
        return err_set(err, ERR_LIMIT, "an object of more than %d members (LIMIT_LIST_ITEMS)",
                       (int)LIMIT_LIST_ITEMS);
    }
    (void)json_object_set_new_nocheck(outer->head, buffer, value);
    return true;
}

static bool read_member(struct reader *reader, struct outer *outer, struct str key, bool merged,
                        struct err *err)
{
    enum docs_kind kind = DOCS_END;
    json_t *value = NULL;
    uint64_t line = docs_line(reader->docs);
    if (!docs_peek(reader->docs, &kind, err)) {
        return false;
    }
    struct str own_kind = member_text(outer->head, "kind");
    bool list = str_eq(key, STR("items")) && kind == DOCS_ARRAY &&
                (own_kind.n == 0 || is_list_kind(own_kind));
    if (list) {
        if (outer->has_items) {
            return err_set(err, ERR_PARSE, "the member \"items\" is there twice");
        }
        uint64_t begin = docs_offset(reader->docs);
        outer->has_items = true;
        bool good = read_items(reader, outer, err);
        outer->items_bytes += docs_offset(reader->docs) - begin;
        return good;
    }
    if (!docs_value(reader->docs, &value, err)) {
        return false;
    }
    if (!add_to_head(outer, key, merged, value, err)) {
        return fail_at(reader, line);
    }
    if (docs_offset(reader->docs) - outer->begin - outer->items_bytes > LIMIT_OBJECT_BYTES) {
        return err_set(err, ERR_LIMIT, "an object of more than %d bytes (LIMIT_OBJECT_BYTES)",
                       (int)LIMIT_OBJECT_BYTES);
    }
    return true;
}

static bool read_members(struct reader *reader, struct outer *outer, struct err *err)
{
    bool has = false, merged = false;
    struct str key = STR_EMPTY;
    if (!docs_enter(reader->docs, err)) {
        return false;
    }
    while (docs_member(reader->docs, &has, &key, &merged, err)) {
        if (!has) {
            return outer->has_items ? end_list(reader, outer, err)
                                    : take(reader, outer->head, STR_EMPTY, outer->line,
                                           /* removed= */ false, err);
        }
        if (!read_member(reader, outer, key, merged, err)) {
            return false;
        }
    }
    return false;
}

static bool read_object(struct reader *reader, struct err *err)
{
    struct outer outer = {.head = json_object(),
                          .waiting = NULL,
                          .begin = docs_offset(reader->docs),
                          .line = docs_line(reader->docs)};
    bool good = read_members(reader, &outer, err);
    json_decref(outer.head);
    json_decref(outer.waiting);
    return good;
}

/* A document that is no object at all: this is not the file that somebody meant. */
static bool refuse_document(struct reader *reader, const json_t *value, uint64_t line,
                            struct err *err)
{
    const char *text = json_string_value(value);
    if (text == NULL) {
        (void)err_set(err, ERR_PARSE, "expected a Kubernetes object, got %s",
                      json_type_text(value));
    } else {
        (void)err_set(err, ERR_PARSE, "expected a Kubernetes object, got the text \"%.40s\"%s",
                      text, json_string_length(value) > 40 ? "..." : "");
    }
    return fail_at(reader, line);
}

static bool read_documents(struct reader *reader, struct err *err)
{
    enum docs_kind kind = DOCS_END;
    while (docs_peek(reader->docs, &kind, err)) {
        auto_json *value = NULL;
        bool good = false;
        switch (kind) {
        case DOCS_END:
            return true;
        case DOCS_OBJECT:
            good = read_object(reader, err);
            break;
        case DOCS_ARRAY:
            good = read_items(reader, NULL, err);
            break;
        case DOCS_SCALAR: {
            uint64_t line = docs_line(reader->docs);
            good =
                docs_value(reader->docs, &value, err) && refuse_document(reader, value, line, err);
            break;
        }
        }
        if (!good) {
            return false;
        }
    }
    return false;
}

bool k8s_read(const char *name, struct byte_source source, k8s_read_fn fn, void *ctx,
              struct k8s_read_stats *ret_stats, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct reader reader = {.docs = docs_new(&arena, source, &k8s_dropped), .fn = fn, .ctx = ctx};
    bool good = read_documents(&reader, err);
    uint64_t line = docs_line(reader.docs);
    if (!good) {
        (void)err_wrap(err, "%s:%llu", name,
                       (unsigned long long)(reader.line_is_known ? reader.line : line));
    }
    reader.stats.n_lines = line;
    reader.stats.n_bytes = docs_offset(reader.docs);
    if (ret_stats != NULL) {
        *ret_stats = reader.stats;
    }
    docs_free(reader.docs);
    return good;
}

bool k8s_read_memory(const char *name, struct str bytes, k8s_read_fn fn, void *ctx,
                     struct k8s_read_stats *ret_stats, struct err *err)
{
    struct byte_memory memory = {.rest = bytes, .step = SIZE_MAX};
    return k8s_read(name, byte_memory_source(&memory), fn, ctx, ret_stats, err);
}

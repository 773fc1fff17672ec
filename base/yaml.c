/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML documents: libyaml's events to jansson values. The only file that includes yaml.h.
 *
 * Plain scalars mean what base/yaml_scalar.h says. An alias shares the subtree of its anchor; how
 * many values and levels that stands for is counted as if it were copied, so that whoever walks the
 * result is safe too. */
#include <assert.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/docs_impl.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/number.h"
#include "base/yaml_scalar.h"

/* A value with what it stands for when its aliases are expanded. */
struct built {
    json_t *value;     /* NULL when it was only checked */
    uint32_t n_values; /* itself included */
    int height;        /* levels of containers, itself included */
};

/* A key: a view of what it holds on to. Most keys are plain text and end with their member, so they
 * become no JSON string. */
struct key {
    struct str text;
    yaml_event_t event;
    char buffer[NUMBER_TEXT_MAX];
};

static void key_done(struct key *key)
{
    yaml_event_delete(&key->event);
}

#define auto_key CLEANUP(key_done) struct key

struct docs_yaml {
    struct arena *arena;
    struct byte_source source;
    const struct json_drop *drop;
    yaml_parser_t parser;
    yaml_event_t event; /* the next one, when has_event */
    bool has_event;
    bool refused; /* the source gave source_err */
    struct err source_err;
    uint64_t n_in,
        n_in_before; /* bytes given to the parser: so far, and when the last event came out */
    int64_t line_offset;
    size_t line, index; /* where the next event begins, from 0; or where the mistake is */
    int depth;
    bool is_object[DOCS_MAX_DEPTH];
    json_t *anchor_index; /* name -> index into anchors */
    struct built *anchors;
    uint32_t n_anchors;
    uint32_t n_values;    /* of the value being built */
    size_t value_start;   /* where it begins */
    json_t *merged;       /* members of a merge into an object that is read member by member */
    void *merged_at;      /* the next of them to be handed out */
    json_t *merged_value; /* what the next docs_yaml_value gives, borrowed */
    struct key key;       /* the last one */
};

static bool node(struct docs_yaml *yaml, int depth, bool build, struct built *ret_built,
                 struct err *err);

static int read_source(void *ctx, unsigned char *buffer, size_t size, size_t *ret_n)
{
    struct docs_yaml *yaml = ctx;
    size_t n = 0;
    if (yaml->n_in - yaml->n_in_before > LIMIT_OBJECT_BYTES) {
        (void)err_set(&yaml->source_err, ERR_LIMIT,
                      "a YAML value or comment of more than %d bytes (LIMIT_OBJECT_BYTES)",
                      (int)LIMIT_OBJECT_BYTES);
        yaml->refused = true;
        return 0;
    }
    if (!yaml->source.read(yaml->source.ctx, (char *)buffer, size, &n, &yaml->source_err)) {
        yaml->refused = true;
        return 0;
    }
    yaml->n_in += n;
    *ret_n = n;
    return 1;
}

struct docs_yaml *docs_yaml_new(struct arena *arena, struct byte_source source,
                                const struct json_drop *drop, int64_t line_offset)
{
    struct docs_yaml *yaml = ARENA_NEW(arena, struct docs_yaml);
    *yaml = (struct docs_yaml){
        .arena = arena, .source = source, .drop = drop, .line_offset = line_offset};
    bool ready = yaml_parser_initialize(&yaml->parser) != 0; /* fails only without memory */
    assert(ready);
    yaml_parser_set_encoding(&yaml->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input(&yaml->parser, read_source, yaml);
    return yaml;
}

static void forget_anchors(struct docs_yaml *yaml)
{
    for (uint32_t i = 0; i < yaml->n_anchors; i++) {
        json_decref(yaml->anchors[i].value);
    }
    yaml->n_anchors = 0;
    json_decref(yaml->anchor_index);
    yaml->anchor_index = NULL;
}

static void forget_merge(struct docs_yaml *yaml)
{
    json_decref(yaml->merged);
    yaml->merged = NULL;
    yaml->merged_at = NULL;
    yaml->merged_value = NULL;
}

static void drop_event(struct docs_yaml *yaml)
{
    if (yaml->has_event) {
        yaml_event_delete(&yaml->event);
        yaml->has_event = false;
    }
}

void docs_yaml_free(struct docs_yaml *yaml)
{
    if (yaml == NULL) {
        return;
    }
    drop_event(yaml);
    forget_anchors(yaml);
    forget_merge(yaml);
    key_done(&yaml->key);
    yaml_parser_delete(&yaml->parser);
}

uint64_t docs_yaml_line(const struct docs_yaml *yaml)
{
    return (uint64_t)((int64_t)yaml->line + 1 + yaml->line_offset);
}

uint64_t docs_yaml_offset(const struct docs_yaml *yaml)
{
    return yaml->index;
}

static bool parser_error(struct docs_yaml *yaml, struct err *err)
{
    const yaml_parser_t *parser = &yaml->parser;
    if (yaml->refused) {
        yaml->line = parser->mark.line;
        if (err != NULL) {
            *err = yaml->source_err;
        }
        return false;
    }
    const char *problem = parser->problem == NULL ? "no memory" : parser->problem;
    if (parser->error == YAML_READER_ERROR) {
        yaml->line = parser->mark.line;
        return parser->problem_value == -1
                   ? err_set(err, ERR_PARSE, "not YAML in UTF-8: %s at offset %zu", problem,
                             parser->problem_offset)
                   : err_set(err, ERR_PARSE, "not YAML in UTF-8: %s (0x%02x at offset %zu)",
                             problem, (unsigned)parser->problem_value, parser->problem_offset);
    }
    yaml->line = parser->problem_mark.line;
    if (parser->context != NULL) {
        return err_set(err, ERR_PARSE, "not YAML: %s, %s that begins in line %zu", problem,
                       parser->context,
                       (size_t)((int64_t)parser->context_mark.line + 1 + yaml->line_offset));
    }
    return err_set(err, ERR_PARSE, "not YAML: %s", problem);
}

/* Makes yaml->event the next event. */
static bool want(struct docs_yaml *yaml, struct err *err)
{
    if (yaml->has_event) {
        return true;
    }
    if (yaml_parser_parse(&yaml->parser, &yaml->event) == 0) {
        return parser_error(yaml, err);
    }
    yaml->has_event = true;
    yaml->n_in_before = yaml->n_in;
    yaml->line = yaml->event.start_mark.line;
    yaml->index = yaml->event.start_mark.index;
    return true;
}

static struct str event_text(const yaml_event_t *event)
{
    return (struct str){.p = (const char *)event->data.scalar.value,
                        .n = event->data.scalar.length};
}

static const char *anchor_of(const yaml_event_t *event)
{
    const yaml_char_t *name =
        event->type == YAML_SCALAR_EVENT           ? event->data.scalar.anchor
        : event->type == YAML_MAPPING_START_EVENT  ? event->data.mapping_start.anchor
        : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
                                                   : NULL;
    return (const char *)name;
}

static struct yaml_value plain_text(void)
{
    return (struct yaml_value){.kind = YAML_STR, .boolean = false, .integer = 0, .real = 0};
}

/* What a scalar means, by its tag or by its looks. */
static bool scalar_meaning(const yaml_event_t *event, struct yaml_value *ret_value, struct err *err)
{
    static const struct {
        struct str tag;
        enum yaml_kind kind;
    } tags[] = {{STR("tag:yaml.org,2002:int"), YAML_INT},
                {STR("tag:yaml.org,2002:float"), YAML_REAL},
                {STR("tag:yaml.org,2002:bool"), YAML_BOOL},
                {STR("tag:yaml.org,2002:null"), YAML_NULL}};
    struct str text = event_text(event), tag = str_of((const char *)event->data.scalar.tag);
    if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL) {
        return err_set(err, ERR_PARSE, "a NUL character in a string");
    }
    *ret_value = plain_text();
    if (event->data.scalar.plain_implicit != 0 &&
        event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        *ret_value = yaml_resolve(text);
        return true;
    }
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (str_eq(tag, tags[i].tag)) {
            *ret_value = yaml_resolve(text);
            bool fits = ret_value->kind == tags[i].kind ||
                        (tags[i].kind == YAML_REAL && ret_value->kind == YAML_INT);
            return fits || err_set(err, ERR_PARSE, "\"%.*s\" is not what its tag " STR_FMT " says",
                                   (int)(text.n > 64 ? 64 : text.n), text.p, STR_ARG(tag));
        }
    }
    return true;
}

static bool scalar_json(const yaml_event_t *event, json_t **ret_value, struct err *err)
{
    struct yaml_value value = plain_text();
    struct str text = event_text(event);
    if (!scalar_meaning(event, &value, err)) {
        return false;
    }
    switch (value.kind) {
    case YAML_STR:
        *ret_value = json_stringn_nocheck(text.p, text.n);
        break;
    case YAML_NULL:
        *ret_value = json_null();
        break;
    case YAML_BOOL:
        *ret_value = json_boolean(value.boolean);
        break;
    case YAML_INT:
        *ret_value = json_integer(value.integer);
        break;
    case YAML_REAL:
        *ret_value = json_real(value.real);
        break;
    }
    return true;
}

/* A scalar as a member's name: numbers and booleans become their text in JSON. `buffer` has
 * NUMBER_TEXT_MAX bytes; *ret_text is in it or in the event. */
static bool key_text(const yaml_event_t *event, char *buffer, struct str *ret_text, struct err *err)
{
    struct yaml_value value = plain_text();
    if (!scalar_meaning(event, &value, err)) {
        return false;
    }
    switch (value.kind) {
    case YAML_STR:
        *ret_text = event_text(event);
        break;
    case YAML_NULL:
        return err_set(err, ERR_PARSE, "null cannot be a key");
    case YAML_BOOL:
        *ret_text = value.boolean ? STR("true") : STR("false");
        break;
    case YAML_INT:
        *ret_text = number_format_decimal(value.integer, 0, buffer);
        break;
    case YAML_REAL:
        *ret_text = number_format_double(value.real, buffer);
        break;
    }
    return true;
}

static struct str json_text(const json_t *string)
{
    return (struct str){.p = json_string_value(string), .n = json_string_length(string)};
}

static bool find_anchor(const struct docs_yaml *yaml, const char *name, struct built *ret_built,
                        struct err *err)
{
    const json_t *index = json_object_get(yaml->anchor_index, name);
    if (index == NULL) {
        return err_set(
            err, ERR_PARSE,
            "the alias *%.64s has no anchor before it in this document (or stands inside it)",
            name);
    }
    *ret_built = yaml->anchors[json_integer_value(index)];
    return true;
}

static bool set_anchor(struct docs_yaml *yaml, const char *name, struct built built,
                       struct err *err)
{
    if (yaml->n_anchors >= LIMIT_YAML_ANCHORS) {
        return err_set(err, ERR_LIMIT, "more than %d anchors in one document (LIMIT_YAML_ANCHORS)",
                       (int)LIMIT_YAML_ANCHORS);
    }
    if (yaml->anchors == NULL) {
        yaml->anchors = ARENA_ARRAY(yaml->arena, struct built, LIMIT_YAML_ANCHORS);
    }
    if (yaml->anchor_index == NULL) {
        yaml->anchor_index = json_object();
    }
    (void)json_object_set_new_nocheck(yaml->anchor_index, name,
                                      json_integer((json_int_t)yaml->n_anchors));
    (void)json_incref(built.value);
    yaml->anchors[yaml->n_anchors++] = built;
    return true;
}

static bool count_values(struct docs_yaml *yaml, uint32_t n, struct err *err)
{
    if (n > LIMIT_YAML_EVENTS - yaml->n_values) {
        return err_set(err, ERR_LIMIT,
                       "more than %d values in one object, aliases expanded (LIMIT_YAML_EVENTS)",
                       (int)LIMIT_YAML_EVENTS);
    }
    yaml->n_values += n;
    if (yaml->index - yaml->value_start > LIMIT_OBJECT_BYTES) {
        return err_set(err, ERR_LIMIT, "an object of more than %d bytes (LIMIT_OBJECT_BYTES)",
                       (int)LIMIT_OBJECT_BYTES);
    }
    return true;
}

static bool too_deep(struct err *err)
{
    return err_set(err, ERR_LIMIT, "more than %d levels of nesting (LIMIT_NESTING)",
                   (int)LIMIT_NESTING);
}

static bool alias_value(struct docs_yaml *yaml, const yaml_event_t *event, int depth, bool build,
                        struct built *ret_built, struct err *err)
{
    struct built found = {.value = NULL, .n_values = 0, .height = 0};
    if (!find_anchor(yaml, (const char *)event->data.alias.anchor, &found, err)) {
        return false;
    }
    if (depth + found.height > LIMIT_NESTING) {
        return too_deep(err);
    }
    if (!count_values(yaml, found.n_values, err)) {
        return false;
    }
    *ret_built = found;
    ret_built->value = build ? json_incref(found.value) : NULL;
    return true;
}

/* Adds what `part` stands for to its container. */
static void absorb(struct built *whole, struct built part)
{
    whole->n_values += part.n_values;
    whole->height = whole->height > part.height + 1 ? whole->height : part.height + 1;
}

static bool sequence(struct docs_yaml *yaml, int depth, bool build, struct built *ret_built,
                     struct err *err)
{
    struct built whole = {.value = build ? json_array() : NULL, .n_values = 1, .height = 1};
    for (;;) {
        struct built element = {.value = NULL, .n_values = 0, .height = 0};
        if (!want(yaml, err)) {
            break;
        }
        if (yaml->event.type == YAML_SEQUENCE_END_EVENT) {
            drop_event(yaml);
            *ret_built = whole;
            return true;
        }
        if (!node(yaml, depth + 1, build, &element, err)) {
            break;
        }
        absorb(&whole, element);
        if (build) {
            (void)json_array_append_new(whole.value, element.value);
        }
    }
    json_decref(whole.value);
    return false;
}

/* Copies the members of a mapping, or of several, that `into` does not have yet; the first wins. */
static bool merge_members(json_t *into, const json_t *from, struct err *err)
{
    if (json_is_array(from)) {
        for (size_t i = 0; i < json_array_size(from); i++) {
            if (!json_is_object(json_array_get(from, i)) ||
                !merge_members(into, json_array_get(from, i), err)) {
                return err_set(err, ERR_PARSE,
                               "a merge (<<) needs a mapping or a list of mappings");
            }
        }
        return true;
    }
    if (!json_is_object(from)) {
        return err_set(err, ERR_PARSE, "a merge (<<) needs a mapping or a list of mappings");
    }
    json_t *members =
        (json_t *)(uintptr_t)from; /* jansson's iterators want it mutable and change nothing */
    for (void *at = json_object_iter(members); at != NULL;
         at = json_object_iter_next(members, at)) {
        const char *key = json_object_iter_key(at);
        if (json_object_get(into, key) == NULL) {
            (void)json_object_set_nocheck(into, key, json_object_iter_value(at));
        }
    }
    return true;
}

static bool is_merge_key(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           str_eq(event_text(event), STR("<<"));
}

/* The key at hand. `key` must have been zeroed; on errors too it is done with key_done. */
static bool take_key(struct docs_yaml *yaml, struct key *key, struct err *err)
{
    key->event = yaml->event;
    yaml->has_event = false;
    if (!count_values(yaml, 1, err)) {
        return false;
    }
    if (key->event.type == YAML_ALIAS_EVENT) {
        struct built found = {.value = NULL, .n_values = 0, .height = 0};
        if (!find_anchor(yaml, (const char *)key->event.data.alias.anchor, &found, err)) {
            return false;
        }
        if (!json_is_string(found.value)) {
            return err_set(err, ERR_PARSE,
                           "a key must be a string, not the alias of something else");
        }
        key->text = json_text(found.value); /* anchors stay until the document ends */
        return true;
    }
    if (key->event.type != YAML_SCALAR_EVENT) {
        return err_set(err, ERR_PARSE, "a key must be a string, not a mapping or a list");
    }
    if (!key_text(&key->event, key->buffer, &key->text, err)) {
        return false;
    }
    const char *anchor = (const char *)key->event.data.scalar.anchor;
    if (anchor == NULL) {
        return true;
    }
    auto_json *text = json_stringn_nocheck(key->text.p, key->text.n);
    return set_anchor(yaml, anchor, (struct built){.value = text, .n_values = 1, .height = 0}, err);
}

/* A member of a mapping that is only checked, whose key is at hand. */
static bool skip_member(struct docs_yaml *yaml, int depth, struct built *whole, struct err *err)
{
    char buffer[NUMBER_TEXT_MAX];
    struct str name = {.p = NULL, .n = 0};
    struct built built = {.value = NULL, .n_values = 0, .height = 0};
    bool good = count_values(yaml, 1, err) && key_text(&yaml->event, buffer, &name, err);
    drop_event(yaml);
    if (!good || !node(yaml, depth + 1, /* build= */ false, &built, err)) {
        return false;
    }
    absorb(whole, built);
    return true;
}

/* One member: from its key, which is at hand, to its value. `merges` collects what is to be merged
 * in the end. */
static bool member(struct docs_yaml *yaml, int depth, struct built *whole, json_t **merges,
                   struct err *err)
{
    auto_key key = {.text = {.p = NULL, .n = 0}};
    struct built built = {.value = NULL, .n_values = 0, .height = 0};
    bool merge = is_merge_key(&yaml->event);
    if (!take_key(yaml, &key, err) || !want(yaml, err)) {
        return false;
    }
    bool container = yaml->event.type == YAML_MAPPING_START_EVENT ||
                     yaml->event.type == YAML_SEQUENCE_START_EVENT;
    struct str name = key.text;
    bool build = whole->value != NULL && !json_drop_any(yaml->drop, name) &&
                 !(container && json_drop_container(yaml->drop, name));
    size_t key_line = yaml->line;
    if (!node(yaml, depth + 1, build, &built, err)) {
        return false;
    }
    absorb(whole, built);
    if (!build) {
        return true;
    }
    if (merge) {
        *merges = *merges == NULL ? json_object() : *merges;
        bool good = merge_members(*merges, built.value, err);
        json_decref(built.value);
        return good;
    }
    size_t before = json_object_size(whole->value);
    (void)json_object_setn_new_nocheck(whole->value, name.p, name.n, built.value);
    if (json_object_size(whole->value) == before) {
        yaml->line = key_line;
        return err_set(err, ERR_PARSE, "the key \"%.*s\" is there twice",
                       (int)(name.n > 64 ? 64 : name.n), name.p);
    }
    return true;
}

static bool mapping(struct docs_yaml *yaml, int depth, bool build, struct built *ret_built,
                    struct err *err)
{
    struct built whole = {.value = build ? json_object() : NULL, .n_values = 1, .height = 1};
    auto_json *merges = NULL;
    for (;;) {
        if (!want(yaml, err)) {
            break;
        }
        if (yaml->event.type == YAML_MAPPING_END_EVENT) {
            drop_event(yaml);
            if (merges != NULL && !merge_members(whole.value, merges, err)) {
                break;
            }
            *ret_built = whole;
            return true;
        }
        bool plain = yaml->event.type == YAML_SCALAR_EVENT && anchor_of(&yaml->event) == NULL;
        if (!(plain && !build ? skip_member(yaml, depth, &whole, err)
                              : member(yaml, depth, &whole, &merges, err))) {
            break;
        }
    }
    json_decref(whole.value);
    return false;
}

/* The value that begins with the event at hand, which it takes, without its anchor. */
static bool bare_node(struct docs_yaml *yaml, int depth, bool build, struct built *ret_built,
                      struct err *err)
{
    const yaml_event_t *event = &yaml->event;
    bool is_mapping = event->type == YAML_MAPPING_START_EVENT, good = true;
    *ret_built = (struct built){.value = NULL, .n_values = 1, .height = 0};
    if (event->type == YAML_ALIAS_EVENT) {
        good = alias_value(yaml, event, depth, build, ret_built, err);
        drop_event(yaml);
        return good;
    }
    if (!count_values(yaml, 1, err)) {
        return false;
    }
    if (event->type == YAML_SCALAR_EVENT) {
        good = !build || scalar_json(event, &ret_built->value, err);
        drop_event(yaml);
        return good;
    }
    drop_event(yaml);
    if (depth >= LIMIT_NESTING) {
        return too_deep(err);
    }
    return is_mapping ? mapping(yaml, depth, build, ret_built, err)
                      : sequence(yaml, depth, build, ret_built, err);
}

static bool anchored_node(struct docs_yaml *yaml, const char *anchor, int depth, bool build,
                          struct built *ret_built, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    const struct str at = str_of(anchor);
    const char *name = arena_copy(&scratch, at.p, at.n); /* the event is gone before the value is */
    if (!bare_node(yaml, depth, /* build= */ true, ret_built, err)) {
        return false;
    }
    bool good = set_anchor(yaml, name, *ret_built, err);
    if (!good || !build) {
        json_decref(ret_built->value);
        ret_built->value = NULL;
    }
    return good;
}

/* The next value. What is not wanted but has an anchor is built all the same: an alias elsewhere
 * may want it. */
static bool node(struct docs_yaml *yaml, int depth, bool build, struct built *ret_built,
                 struct err *err)
{
    if (!want(yaml, err)) {
        return false;
    }
    const char *anchor = anchor_of(&yaml->event);
    return anchor == NULL ? bare_node(yaml, depth, build, ret_built, err)
                          : anchored_node(yaml, anchor, depth, build, ret_built, err);
}

static enum docs_kind kind_of(const yaml_event_t *event)
{
    return event->type == YAML_MAPPING_START_EVENT    ? DOCS_OBJECT
           : event->type == YAML_SEQUENCE_START_EVENT ? DOCS_ARRAY
                                                      : DOCS_SCALAR;
}

static bool empty_document(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.plain_implicit != 0 &&
           yaml_resolve(event_text(event)).kind == YAML_NULL;
}

bool docs_yaml_peek(struct docs_yaml *yaml, enum docs_kind *ret_kind, struct err *err)
{
    if (yaml->merged_value != NULL) {
        *ret_kind = DOCS_SCALAR; /* in memory already: nothing to go into */
        return true;
    }
    for (;;) {
        if (!want(yaml, err)) {
            return false;
        }
        yaml_event_type_t type = yaml->event.type;
        if (yaml->depth == 0 && type == YAML_STREAM_END_EVENT) {
            *ret_kind = DOCS_END;
            return true;
        }
        bool between = type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT ||
                       type == YAML_DOCUMENT_END_EVENT;
        if (yaml->depth > 0 || !(between || empty_document(&yaml->event))) {
            *ret_kind = kind_of(&yaml->event);
            return true;
        }
        if (type == YAML_DOCUMENT_START_EVENT) {
            forget_anchors(yaml);
        }
        drop_event(yaml);
    }
}

bool docs_yaml_enter(struct docs_yaml *yaml, struct err *err)
{
    if (yaml->depth == DOCS_MAX_DEPTH) {
        return err_set(err, ERR_LIMIT, "lists nested more than %d deep", (int)DOCS_MAX_DEPTH);
    }
    assert(yaml->has_event);
    yaml->is_object[yaml->depth++] = yaml->event.type == YAML_MAPPING_START_EVENT;
    drop_event(yaml);
    return true;
}

/* Members of a merge come last, one by one. */
static bool merged_member(struct docs_yaml *yaml, bool *ret_has, struct str *ret_key,
                          bool *ret_merged)
{
    if (yaml->merged_at == NULL) {
        forget_merge(yaml);
        drop_event(yaml);
        yaml->depth--;
        *ret_has = false;
        return true;
    }
    *ret_key = str_of(json_object_iter_key(yaml->merged_at));
    yaml->merged_value = json_object_iter_value(yaml->merged_at);
    yaml->merged_at = json_object_iter_next(yaml->merged, yaml->merged_at);
    *ret_has = true;
    *ret_merged = true;
    return true;
}

static void begin_value(struct docs_yaml *yaml)
{
    yaml->n_values = 0;
    yaml->value_start = yaml->index;
}

/* A "<<" member of the object that is being read member by member. */
static bool take_merge(struct docs_yaml *yaml, struct err *err)
{
    struct built built = {.value = NULL, .n_values = 0, .height = 0};
    drop_event(yaml);
    begin_value(yaml);
    if (!node(yaml, yaml->depth, /* build= */ true, &built, err)) {
        return false;
    }
    yaml->merged = yaml->merged == NULL ? json_object() : yaml->merged;
    bool good = merge_members(yaml->merged, built.value, err);
    json_decref(built.value);
    return good;
}

bool docs_yaml_member(struct docs_yaml *yaml, bool *ret_has, struct str *ret_key, bool *ret_merged,
                      struct err *err)
{
    while (want(yaml, err)) {
        if (yaml->event.type == YAML_MAPPING_END_EVENT) {
            if (yaml->merged != NULL && yaml->merged_value == NULL) {
                yaml->merged_at = json_object_iter(yaml->merged);
            }
            yaml->merged_value = NULL;
            return merged_member(yaml, ret_has, ret_key, ret_merged);
        }
        if (!is_merge_key(&yaml->event)) {
            key_done(&yaml->key);
            begin_value(yaml);
            if (!take_key(yaml, &yaml->key, err)) {
                return false;
            }
            *ret_key = yaml->key.text;
            *ret_has = true;
            return true;
        }
        if (!take_merge(yaml, err)) {
            return false;
        }
    }
    return false;
}

bool docs_yaml_element(struct docs_yaml *yaml, bool *ret_has, struct err *err)
{
    if (!want(yaml, err)) {
        return false;
    }
    *ret_has = yaml->event.type != YAML_SEQUENCE_END_EVENT;
    if (!*ret_has) {
        drop_event(yaml);
        yaml->depth--;
    }
    return true;
}

bool docs_yaml_value(struct docs_yaml *yaml, json_t **ret_value, struct err *err)
{
    struct built built = {.value = NULL, .n_values = 0, .height = 0};
    if (yaml->merged_value != NULL) {
        *ret_value = json_incref(yaml->merged_value);
        return true;
    }
    if (!want(yaml, err)) {
        return false;
    }
    begin_value(yaml);
    if (!node(yaml, yaml->depth, /* build= */ true, &built, err)) {
        return false;
    }
    *ret_value = built.value;
    return true;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Documents in the plain part of YAML over a window of the input. */
#include "base/arena.h"
#include "base/docs_impl.h"
#include "base/window.h"
#include "base/yaml_block.h"

enum { DEPTH_MAX = 2 }; /* the document and a list in it */

struct docs_block {
    const struct json_drop *drop;
    struct window
        w; /* `at` is the start of a line: of the member or item at hand, or of what comes next */
    uint64_t line_offset;
    bool started; /* a document has begun, or a mark has been passed */
    int depth;
    struct {
        bool is_array;
        int column;
    } level[DEPTH_MAX];
    bool
        at_value; /* docs_member or docs_element has given the member or item in the line at hand */
    struct arena scratch; /* the last key, and what parsing needs */
};

struct docs_block *docs_block_new(struct arena *arena, struct byte_source source,
                                  const struct json_drop *drop, uint64_t line)
{
    struct docs_block *block = ARENA_NEW(arena, struct docs_block);
    *block = (struct docs_block){.drop = drop,
                                 .w = window_new(arena, source),
                                 .line_offset = line - 1,
                                 .depth = 0,
                                 .scratch = ARENA_INIT};
    return block;
}

void docs_block_free(struct docs_block *block)
{
    if (block != NULL) {
        arena_done(&block->scratch);
    }
}

uint64_t docs_block_line(struct docs_block *block)
{
    return window_line(&block->w) + block->line_offset;
}

uint64_t docs_block_offset(const struct docs_block *block)
{
    return window_offset(&block->w);
}

static struct yaml_block reader(struct docs_block *block)
{
    struct str ahead = window_ahead(&block->w);
    return (struct yaml_block){.p = ahead.p,
                               .end = ahead.p + ahead.n,
                               .final = block->w.eof,
                               .drop = block->drop,
                               .scratch = &block->scratch,
                               .n_values = 0};
}

/* After JSON_MORE: more bytes, or JSON_BAD (an object too large is for the full parser to refuse).
 */
static enum json_status more(struct docs_block *block, struct err *err)
{
    struct err why = {.code = ERR_NONE};
    if (window_fill(&block->w, &why)) {
        return JSON_MORE;
    }
    if (why.code != ERR_LIMIT && err != NULL) {
        *err = why;
    }
    return JSON_BAD;
}

/* Moves to the next line that says something. */
static enum json_status next_line(struct docs_block *block, struct yaml_line *ret_line,
                                  struct err *err)
{
    for (;;) {
        struct yaml_block b = reader(block);
        enum json_status status = yaml_block_line(&b, ret_line);
        if (status == JSON_DONE) {
            block->w.at = (size_t)(ret_line->start - block->w.bytes);
        }
        if (status != JSON_MORE || more(block, err) == JSON_BAD) {
            return status == JSON_DONE ? JSON_DONE : JSON_BAD;
        }
    }
}

/* Between documents: past the marks, to the first line of the next. */
static enum json_status peek_document(struct docs_block *block, enum docs_kind *ret_kind,
                                      struct err *err)
{
    struct yaml_line line;
    for (;;) {
        if (next_line(block, &line, err) != JSON_DONE) {
            return JSON_BAD;
        }
        if (line.indent >= 0 || line.content.n == 0) {
            break;
        }
        if (line.content.n > 3) {
            return JSON_BAD; /* "--- something" */
        }
        block->started = true;
        block->w.at = (size_t)(line.next - block->w.bytes);
    }
    if (line.indent > 0) {
        return JSON_BAD;
    }
    struct str key = STR_EMPTY, rest = STR_EMPTY;
    struct yaml_block b = reader(block);
    bool item = line.indent == 0 && yaml_block_is_item(line.content);
    if (line.indent == 0 && !item && yaml_block_key(&b, line.content, &key, &rest) != JSON_DONE) {
        return JSON_BAD;
    }
    *ret_kind = line.indent < 0 ? DOCS_END : item ? DOCS_ARRAY : DOCS_OBJECT;
    block->level[0].is_array = item;
    block->level[0].column = 0;
    return JSON_DONE;
}

/* The value of a member of the document: a list on lines of its own can be entered, the rest is
 * taken whole. */
static enum json_status peek_value(struct docs_block *block, enum docs_kind *ret_kind)
{
    struct yaml_line line, below;
    struct str key = STR_EMPTY, rest = STR_EMPTY;
    *ret_kind = DOCS_SCALAR;
    for (;;) {
        struct yaml_block b = reader(block);
        enum json_status status = yaml_block_line(&b, &line);
        status = status == JSON_DONE ? yaml_block_key(&b, line.content, &key, &rest) : status;
        if (status == JSON_DONE && rest.n > 0) {
            return JSON_DONE;
        }
        b.p = line.next;
        status = status == JSON_DONE ? yaml_block_line(&b, &below) : status;
        if (status == JSON_DONE) {
            break;
        }
        if (status == JSON_BAD || more(block, NULL) == JSON_BAD) {
            return JSON_BAD;
        }
    }
    if (below.indent >= 0 && yaml_block_is_item(below.content)) {
        *ret_kind = DOCS_ARRAY;
        block->level[1].is_array = true;
        block->level[1].column = below.indent;
    }
    return JSON_DONE;
}

enum json_status docs_block_peek(struct docs_block *block, enum docs_kind *ret_kind,
                                 struct err *err)
{
    if (block->depth == 0) {
        return peek_document(block, ret_kind, err);
    }
    if (block->depth == 1 && !block->level[0].is_array) {
        return peek_value(block, ret_kind);
    }
    *ret_kind = DOCS_SCALAR; /* items are taken whole */
    return JSON_DONE;
}

void docs_block_enter(struct docs_block *block)
{
    if (block->depth == 1) {
        struct yaml_line line;
        struct yaml_block b = reader(block);
        if (yaml_block_line(&b, &line) == JSON_DONE) {
            block->w.at = (size_t)(line.next - block->w.bytes); /* past the line of the key */
        }
    }
    block->started = true;
    block->depth++;
    block->at_value = false;
}

enum json_status docs_block_member(struct docs_block *block, bool *ret_has, struct str *ret_key,
                                   struct err *err)
{
    struct yaml_line line;
    struct str rest = STR_EMPTY;
    if (next_line(block, &line, err) != JSON_DONE) {
        return JSON_BAD;
    }
    if (line.indent < 0) {
        block->depth--;
        *ret_has = false;
        return JSON_DONE;
    }
    struct yaml_block b = reader(block);
    arena_reset(&block->scratch);
    if (line.indent != 0 || yaml_block_key(&b, line.content, ret_key, &rest) != JSON_DONE) {
        return JSON_BAD;
    }
    *ret_key = str_copy(&block->scratch, *ret_key);
    block->at_value = true;
    *ret_has = true;
    return JSON_DONE;
}

enum json_status docs_block_element(struct docs_block *block, bool *ret_has, struct err *err)
{
    struct yaml_line line;
    int column = block->level[block->depth - 1].column;
    if (next_line(block, &line, err) != JSON_DONE) {
        return JSON_BAD;
    }
    bool item = line.indent == column && yaml_block_is_item(line.content);
    /* A list ends with its document, or where the mapping that holds it goes on. */
    bool ends = line.indent < 0 || (block->depth == 2 && line.indent == 0);
    if (!item && !ends) {
        return JSON_BAD;
    }
    block->depth -= item ? 0 : 1;
    block->at_value = item;
    *ret_has = item;
    return JSON_DONE;
}

enum json_status docs_block_value(struct docs_block *block, json_t **ret_value, struct err *err)
{
    if (block->depth == 0) {
        return JSON_BAD; /* a whole document at once is not worth a second way */
    }
    for (;;) {
        struct yaml_line line;
        struct str key = STR_EMPTY, rest = STR_EMPTY;
        struct yaml_block b = reader(block);
        struct arena_mark mark = arena_mark(&block->scratch);
        enum json_status status = yaml_block_line(&b, &line);
        if (status == JSON_DONE && block->level[block->depth - 1].is_array) {
            status = yaml_block_item(&b, &line, block->depth, ret_value);
        } else if (status == JSON_DONE) {
            status = yaml_block_key(&b, line.content, &key, &rest);
            status = status == JSON_DONE
                         ? yaml_block_member_value(&b, &line, rest, block->depth, ret_value)
                         : status;
        }
        arena_rewind(&block->scratch, mark);
        if (status == JSON_DONE) {
            block->w.at = (size_t)(b.p - block->w.bytes);
            block->at_value = false;
            return JSON_DONE;
        }
        if (status == JSON_BAD || more(block, err) == JSON_BAD) {
            return JSON_BAD;
        }
    }
}

/* Lines that stand for what the full parser does not see of the document at hand: the mapping that
 * holds the list, and an empty member or item before the one that comes next, so that a line in the
 * wrong place is wrong for the full parser too. */
static struct str stand_in(const struct docs_block *block, uint64_t *ret_n_lines)
{
    struct strbuf text = strbuf_new(block->w.arena, SIZE_MAX);
    uint64_t n = 0;
    if (block->depth == 0 && block->started && str_starts(window_ahead(&block->w), STR("..."))) {
        strbuf_add(&text, STR("---\n")); /* an end needs a beginning */
        n++;
    }
    if (block->depth == 2) {
        strbuf_add(&text, STR("items:\n"));
        n++;
    }
    if (block->depth > 0 && !block->at_value) {
        bool is_array = block->level[block->depth - 1].is_array;
        strbuf_pad(&text, ' ', is_array ? (size_t)block->level[block->depth - 1].column : 0);
        strbuf_add(&text, is_array ? STR("- {}\n") : STR("items: {}\n"));
        n++;
    }
    *ret_n_lines = n;
    return strbuf_str(&text);
}

static bool next_inside(struct docs_yaml *yaml, bool is_array, struct err *err)
{
    bool has = true, merged = false;
    struct str key = STR_EMPTY;
    return is_array ? docs_yaml_element(yaml, &has, err)
                    : docs_yaml_member(yaml, &has, &key, &merged, err);
}

/* Brings the full parser to the same place. */
static bool catch_up(const struct docs_block *block, struct docs_yaml *yaml, struct err *err)
{
    json_t *empty = NULL;
    enum docs_kind kind = DOCS_END;
    for (int i = 0; i < block->depth; i++) {
        if (!docs_yaml_peek(yaml, &kind, err) || !docs_yaml_enter(yaml, err) ||
            !next_inside(yaml, block->level[i].is_array, err)) {
            return false;
        }
    }
    if (block->depth == 0 || block->at_value) {
        return true;
    }
    bool good = docs_yaml_value(yaml, &empty, err);
    json_decref(empty);
    return good;
}

bool docs_block_hand_over(struct docs_block *block, struct docs_yaml **ret_yaml, struct err *err)
{
    struct arena *arena = block->w.arena;
    struct byte_ahead *rest = ARENA_NEW(arena, struct byte_ahead),
                      *before = ARENA_NEW(arena, struct byte_ahead);
    uint64_t n_lines = 0, line = docs_block_line(block);
    *rest = (struct byte_ahead){.text = window_ahead(&block->w), .rest = block->w.source};
    *before =
        (struct byte_ahead){.text = stand_in(block, &n_lines), .rest = byte_ahead_source(rest)};
    *ret_yaml = docs_yaml_new(arena, byte_ahead_source(before), block->drop,
                              (int64_t)line - 1 - (int64_t)n_lines);
    return catch_up(block, *ret_yaml, err);
}

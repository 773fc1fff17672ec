/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain part of YAML, fast: what kubectl and most people write.
 *
 * Reads block mappings and lists, one-line scalars (plain or quoted), literal blocks (|), empty {}
 * and [], comments on lines of their own. Everything else, wrong YAML included, is refused without
 * a word (JSON_BAD): the caller then takes the full parser of base/yaml.c, which reads it or says
 * what is wrong. What is taken here means exactly what it means there; a fuzz target compares the
 * two.
 *
 * The text may be the beginning of a longer one: JSON_MORE, as in base/json_decode.h. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/json_decode.h"
#include "base/str.h"

struct arena;

/* The next line that is neither blank nor a comment. */
struct yaml_line {
    int indent; /* blanks before its content; -1: the document ends here ("---" or the end of the
                   text) */
    const char *start;  /* of the line */
    struct str content; /* behind the indent, to the end of the line, without blanks there */
    const char *next;   /* start of the line after it */
};

/* A reader of lines. */
struct yaml_block {
    const char *p, *end; /* what is left; between calls p is at the start of a line */
    bool final;          /* nothing follows the text */
    const struct json_drop *drop;
    struct arena *scratch;
    uint32_t n_values;
    const char
        *seen_at; /* `seen` is the next line from here: each line is looked at several times */
    struct yaml_line seen;
};

/* JSON_BAD: tabs, control characters, "..." and what else the plain part does not know. */
enum json_status yaml_block_line(struct yaml_block *b, struct yaml_line *ret_line);

bool yaml_block_is_item(struct str content); /* "- x" or "-" */

/* The key of a member; *ret_rest is what stands behind its colon, from the first character that is
 * no blank. The key is a view of the text or of scratch. */
enum json_status yaml_block_key(struct yaml_block *b, struct str content, struct str *ret_key,
                                struct str *ret_rest);

/* The value of the member in `line`, `rest` being what stands behind its colon. b->p then is behind
 * it. `depth`: containers around it. */
enum json_status yaml_block_member_value(struct yaml_block *b, const struct yaml_line *line,
                                         struct str rest, int depth, json_t **ret_value);

/* The item of a list that begins with `line`. b->p then is behind it. */
enum json_status yaml_block_item(struct yaml_block *b, const struct yaml_line *line, int depth,
                                 json_t **ret_value);

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/xml.h"

#include <expat.h>

#include "base/arena.h"
#include "base/limits.h"

#define auto_parser CLEANUP(parser_clean) XML_Parser

enum { PIECE_BYTES = 1024 * 1024 };

struct level {
    struct aws_xml *element;
    struct aws_xml *last_child;
    struct strbuf text;
};

struct reading {
    XML_Parser parser;
    struct arena *arena;
    struct err *err;
    bool failed;
    size_t depth, n_elements;
    struct aws_xml *root;
    struct level levels[LIMIT_NESTING];
};

static void parser_clean(XML_Parser *parser)
{
    if (*parser != NULL) {
        XML_ParserFree(*parser);
    }
}

static void stop(struct reading *r, enum err_code code, const char *text)
{
    if (!r->failed) {
        r->failed = true;
        err_set(r->err, code, "XML reply: line %lu: %s",
                (unsigned long)XML_GetCurrentLineNumber(r->parser), text);
        XML_StopParser(r->parser, /* resumable= */ XML_FALSE);
    }
}

static void XMLCALL start_element(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = ctx;
    (void)attributes;
    if (r->failed) {
        return;
    }
    if (r->depth == LIMIT_NESTING) {
        stop(r, ERR_LIMIT, "elements nested too deeply");
        return;
    }
    if (++r->n_elements > LIMIT_AWS_ELEMENTS) {
        stop(r, ERR_LIMIT, "too many elements");
        return;
    }
    struct aws_xml *element = ARENA_NEW(r->arena, struct aws_xml);
    struct str whole = str_of(name);
    size_t colon = str_find(whole, ':');
    struct str local = colon < whole.n ? str_sub(whole, colon + 1, whole.n) : whole;
    element->name = str_copy(r->arena, local);
    if (r->depth == 0) {
        r->root = element;
    } else {
        struct level *parent = &r->levels[r->depth - 1];
        if (parent->last_child == NULL) {
            parent->element->first_child = element;
        } else {
            parent->last_child->next = element;
        }
        parent->last_child = element;
    }
    r->levels[r->depth++] =
        (struct level){.element = element, .text = strbuf_new(r->arena, LIMIT_AWS_REPLY_BYTES)};
}

static void XMLCALL end_element(void *ctx, const XML_Char *name)
{
    struct reading *r = ctx;
    (void)name;
    if (r->failed || r->depth == 0) {
        return;
    }
    struct level *level = &r->levels[--r->depth];
    level->element->text = strbuf_str(&level->text);
}

/* Blanks between children are not worth their memory: only an element without children has text. */
static void XMLCALL characters(void *ctx, const XML_Char *text, int n)
{
    struct reading *r = ctx;
    if (r->failed || r->depth == 0) {
        return;
    }
    struct level *level = &r->levels[r->depth - 1];
    if (level->last_child == NULL) {
        strbuf_add(&level->text, (struct str){.p = text, .n = (size_t)n});
    }
}

static void XMLCALL start_doctype(void *ctx, const XML_Char *name, const XML_Char *system,
                                  const XML_Char *public, int has_internal_subset)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_internal_subset;
    stop(ctx, ERR_PARSE, "a document type, which no AWS service sends");
}

bool aws_xml_parse(struct str text, struct arena *arena, const struct aws_xml **ret_root,
                   struct err *err)
{
    if (text.n > LIMIT_AWS_REPLY_BYTES) {
        return err_set(err, ERR_LIMIT, "XML reply: %zu bytes, more than %d", text.n,
                       LIMIT_AWS_REPLY_BYTES);
    }
    auto_parser parser = XML_ParserCreate("UTF-8");
    struct reading *r = ARENA_NEW(arena, struct reading);
    if (parser == NULL) {
        return err_set(err, ERR_LIMIT, "XML reply: no memory for the parser");
    }
    *r = (struct reading){.parser = parser, .arena = arena, .err = err};
    XML_SetUserData(parser, r);
    XML_SetElementHandler(parser, start_element, end_element);
    XML_SetCharacterDataHandler(parser, characters);
    XML_SetStartDoctypeDeclHandler(parser, start_doctype);
    for (size_t at = 0; !r->failed;) {
        struct str piece = str_sub(text, at, PIECE_BYTES);
        bool is_last = at + piece.n >= text.n;
        at += piece.n;
        if (XML_Parse(parser, piece.p, (int)piece.n, is_last) != XML_STATUS_OK) {
            stop(r, ERR_PARSE, XML_ErrorString(XML_GetErrorCode(parser)));
        }
        if (is_last) {
            break;
        }
    }
    if (r->failed) {
        return false;
    }
    *ret_root = r->root;
    return true;
}

const struct aws_xml *aws_xml_child(const struct aws_xml *element, struct str name)
{
    const struct aws_xml *child = element == NULL ? NULL : element->first_child;
    while (child != NULL && !str_eq(child->name, name)) {
        child = child->next;
    }
    return child;
}

struct str aws_xml_child_text(const struct aws_xml *element, struct str name)
{
    const struct aws_xml *child = aws_xml_child(element, name);
    return child == NULL ? STR_EMPTY : str_trim(child->text);
}

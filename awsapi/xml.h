/* SPDX-License-Identifier: GPL-3.0-or-later */
/* XML replies as a tree: expat behind caps. No document type, no entities beyond the five of XML,
 * no attributes kept (none of the replies we read has any that matter), names as written, text of
 * an element put together. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct arena;

struct aws_xml {
    struct str name;                   /* without a prefix "ns:" */
    struct str text;                   /* of this element alone; blanks between children too */
    const struct aws_xml *first_child; /* NULL: none; children in the order of the document */
    const struct aws_xml *next;        /* sibling */
};

/* The root element. The tree lies in `arena`. Errors: ERR_PARSE with line and expat's reason, or
 * for a document type; ERR_LIMIT for more than LIMIT_NESTING levels, LIMIT_AWS_ELEMENTS
 * elements or LIMIT_AWS_REPLY_BYTES bytes.
 */
MUST_CHECK bool aws_xml_parse(struct str text, struct arena *arena, const struct aws_xml **ret_root,
                              struct err *err);

/* The first child of that name, NULL when there is none or `element` is NULL. */
const struct aws_xml *aws_xml_child(const struct aws_xml *element, struct str name);

/* The text of that child without blanks around; empty when there is none. */
struct str aws_xml_child_text(const struct aws_xml *element, struct str name);

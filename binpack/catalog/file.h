/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The project's own catalogue format and Karpenter's KWOK instance types, as drafts. */
#pragma once

#include "base/json.h"
#include "binpack/catalog/build.h"

/* Largest figures of a type; what is above is ERR_LIMIT or out of range. */
enum { CAT_MAX_VCPU = 1000000, CAT_MAX_MIB = 1 << 30, CAT_MAX_COUNT = 1 << 30 };

/* {"kind":"Catalog",...} or an object with "instanceTypes". */
bool cat_file_is_catalog(const json_t *document);

/* Errors: ERR_INVALID with path, type, field and value; ERR_UNSUPPORTED (another apiVersion or
 * currency); ERR_CONFLICT (another region than an earlier document); ERR_LIMIT. */
MUST_CHECK bool cat_file_add(struct cat_builder *builder, const json_t *document,
                             uint32_t document_i, struct err *err);

/* A list of {name, offerings, architecture, operatingSystems, resources}. */
bool cat_kwok_is_list(const json_t *document);
MUST_CHECK bool cat_kwok_add(struct cat_builder *builder, const json_t *document,
                             uint32_t document_i, struct err *err);

/* A JSON string of 1..max bytes without blanks and control characters, interned. *ret_has as in
 * base/json.h. */
MUST_CHECK bool cat_read_word(const struct json_at *at, size_t max, struct strtab *tab,
                              bool *ret_has, strid *ret_word, struct err *err);

/* A map of resource to quantity; present even when empty. */
enum cat_rounding { CAT_ROUND_DOWN, CAT_ROUND_UP };
MUST_CHECK bool cat_read_amounts(const struct json_at *at, struct cat_builder *builder,
                                 enum cat_rounding rounding, struct cat_amounts *ret_amounts,
                                 struct err *err);

/* The region of the catalogue; ERR_CONFLICT when an earlier document has named another. */
MUST_CHECK bool cat_builder_region(struct cat_builder *builder, struct str region, struct err *err);

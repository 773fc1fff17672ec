/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two forms of base/docs.h implement. */
#pragma once

#include "base/docs.h"

/* Text that was read ahead, then the rest of a source. */
struct byte_ahead {
    struct str text;
    struct byte_source rest;
};
struct byte_source byte_ahead_source(struct byte_ahead *ahead);

struct docs_json; /* opaque */
struct docs_json *docs_json_new(struct arena *arena, struct byte_source source,
                                const struct json_drop *drop);
void docs_json_free(struct docs_json *json); /* NULL is fine */

/* Between documents: true when "---" was followed by something that is not JSON. The rest of the
 * input, from line *ret_line on, is then in `ahead`, which stays valid as long as the arena. */
bool docs_json_other_form(struct docs_json *json, struct byte_ahead *ahead, uint64_t *ret_line);
bool docs_json_peek(struct docs_json *json, enum docs_kind *ret_kind, struct err *err);
bool docs_json_enter(struct docs_json *json, struct err *err);
bool docs_json_member(struct docs_json *json, bool *ret_has, struct str *ret_key, struct err *err);
bool docs_json_element(struct docs_json *json, bool *ret_has, struct err *err);
bool docs_json_value(struct docs_json *json, json_t **ret_value, struct err *err);
uint64_t docs_json_line(struct docs_json *json);
uint64_t docs_json_offset(const struct docs_json *json);

struct docs_yaml; /* opaque */

/* `line_offset` is added to every line: the source begins there. */
struct docs_yaml *docs_yaml_new(struct arena *arena, struct byte_source source,
                                const struct json_drop *drop, int64_t line_offset);
void docs_yaml_free(struct docs_yaml *yaml); /* NULL is fine */
bool docs_yaml_peek(struct docs_yaml *yaml, enum docs_kind *ret_kind, struct err *err);
bool docs_yaml_enter(struct docs_yaml *yaml, struct err *err);
bool docs_yaml_member(struct docs_yaml *yaml, bool *ret_has, struct str *ret_key, bool *ret_merged,
                      struct err *err);
bool docs_yaml_element(struct docs_yaml *yaml, bool *ret_has, struct err *err);
bool docs_yaml_value(struct docs_yaml *yaml, json_t **ret_value, struct err *err);
uint64_t docs_yaml_line(const struct docs_yaml *yaml);
uint64_t docs_yaml_offset(const struct docs_yaml *yaml);

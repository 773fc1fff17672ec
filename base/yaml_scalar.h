/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a plain YAML scalar means.
 *
 * The rules are those of sigs.k8s.io/yaml, which kubectl reads manifests with: YAML 1.1 as far as
 * people rely on it. yes, on, true and their kin are booleans; ~, null and nothing are null; 010,
 * 0o10, 0x1F, 0b11 and 1_000 are integers; 1e3 and .5 are numbers; dates stay text; there are no
 * base-60 numbers. A float with a whole value is an integer, as after conversion to JSON. Two
 * exceptions. The single letters y and n stay text: people mean a name or a label value. Values
 * that JSON cannot hold (.inf, .nan) stay text, so that the reader of the field can name it in its
 * error. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum yaml_kind { YAML_STR, YAML_NULL, YAML_BOOL, YAML_INT, YAML_REAL };

struct yaml_value {
    enum yaml_kind kind;
    bool boolean;
    int64_t integer; /* YAML_INT */
    double real;     /* YAML_REAL */
};

struct yaml_value yaml_resolve(struct str plain);

/* True when the text, written plain, is read back as the same string by any YAML 1.1 or 1.2 reader.
 */
bool yaml_plain_is_safe(struct str text);

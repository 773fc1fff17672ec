/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Base64 (RFC 4648, section 4): what kubeconfigs and Secrets carry bytes in. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/str.h"

struct arena;

/* Decodes; blanks and newlines between characters are passed over, padding may be missing.
 * *ret_bytes is in `arena`, followed by a NUL. False on any other character. */
MUST_CHECK bool base64_decode(struct str text, struct arena *arena, struct str *ret_bytes);

/* Encodes with padding, on one line; in `arena`, followed by a NUL. */
struct str base64_encode(struct str bytes, struct arena *arena);

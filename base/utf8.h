/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8 (RFC 3629): strict decoding, and which characters may not reach a terminal or a file as
 * they are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { UTF8_REPLACEMENT = 0xfffd, UTF8_MAX_BYTES = 4 };

/* Length of the valid UTF-8 sequence at p[0..n), n > 0, with its code point; 0 when the first byte
 * begins none (overlong forms, surrogates and values above U+10FFFF included): the caller then
 * skips one byte and shows U+FFFD. */
size_t utf8_decode(const char *p, size_t n, uint32_t *ret_code);

/* Writes 1 to 4 bytes; surrogates and values above U+10FFFF become U+FFFD. Returns the length. */
size_t utf8_encode(uint32_t code, char *bytes);

/* Length of the longest valid prefix; s.n when all of it is valid. */
size_t utf8_valid_prefix(struct str s);

/* C0, DEL, C1, line and paragraph separators, the marks that reorder text, and U+FFFE and U+FFFF,
 * which YAML refuses: nothing that is shown to people or put into our output unescaped. All are
 * below U+10000. */
bool utf8_is_unsafe(uint32_t code);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8 as far as output needs it: decoding, display width, and what may not reach a terminal as it
 * is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define UTF8_REPLACEMENT UINT32_C(0xFFFD)

/* Decodes the character at s[at] (at < s.n) and sets *ret_n to its bytes (>= 1). A byte that starts
 * no valid character counts as one character and gives UTF8_REPLACEMENT. */
uint32_t utf8_next(struct str s, size_t at, size_t *ret_n);

void utf8_add(struct strbuf *b, uint32_t c);

/* Columns on a terminal: 0 for combining marks, 2 for wide East Asian characters and emoji, 1
 * otherwise. */
unsigned utf8_char_width(uint32_t c);

/* True for characters that steer instead of show: C0, DEL, C1, line and paragraph separators,
 * bidirectional overrides, byte order mark. Output writes them escaped. */
bool utf8_is_control(uint32_t c);

/* The text with control characters as \x1b or \u202e and broken bytes as U+FFFD, so that no name
 * from outside drives a terminal. Returns `s` itself when there is nothing to change. */
struct str utf8_safe(struct arena *arena, struct str s);

size_t utf8_width(struct str s); /* sum of the widths of its characters */

/* The longest prefix, in bytes, that is at most `width` columns wide. */
size_t utf8_prefix(struct str s, size_t width);

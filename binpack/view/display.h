/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text on a terminal: how many columns it takes, and making it harmless. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;

/* Columns of one character: 0 for combining marks, 2 for wide East Asian characters and emoji, 1
 * otherwise. */
unsigned display_char_width(uint32_t code);

/* The text with unsafe characters (utf8_is_unsafe) as \x1b or \u202e and broken bytes as U+FFFD, so
 * that no name from outside drives a terminal. Returns `s` itself when there is nothing to change.
 */
struct str display_safe(struct arena *arena, struct str s);

size_t display_width(struct str s); /* sum of the widths of its characters */

/* The longest prefix, in bytes, that is at most `width` columns wide. */
size_t display_prefix(struct str s, size_t width);

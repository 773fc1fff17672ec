/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/display.h"

#include <stdbool.h>

#include "base/arena.h"
#include "base/utf8.h"

struct range {
    uint32_t first, last;
};

/* Combining marks and joiners of the scripts in everyday use; the rest shows a column too wide,
 * which harms nobody. */
static const struct range zero_width[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},   {0x064B, 0x065F},
    {0x0900, 0x0902}, {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D},   {0x0E31, 0x0E31},
    {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},   {0x200B, 0x200F},
    {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xE0100, 0xE01EF},
};

/* East Asian Wide and Fullwidth, and emoji. */
static const struct range double_width[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},
    {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26AA, 0x26AB},
    {0x26BD, 0x26BE},   {0x2705, 0x2705},   {0x270A, 0x270B},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},
    {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD},
};

static bool in_ranges(const struct range *ranges, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++) {
        if (c < ranges[i].first) {
            return false;
        }
        if (c <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

#define IN_RANGES(ranges, c) in_ranges((ranges), sizeof(ranges) / sizeof((ranges)[0]), (c))

/* The character at s[at]; a byte that begins none counts as U+FFFD. */
static uint32_t next(struct str s, size_t at, size_t *ret_n)
{
    uint32_t code = UTF8_REPLACEMENT;
    *ret_n = utf8_decode(s.p + at, s.n - at, &code);
    if (*ret_n == 0) {
        *ret_n = 1;
        return UTF8_REPLACEMENT;
    }
    return code;
}

static void add_code(struct strbuf *b, uint32_t code)
{
    char bytes[UTF8_MAX_BYTES];
    strbuf_add(b, (struct str){.p = bytes, .n = utf8_encode(code, bytes)});
}

unsigned display_char_width(uint32_t c)
{
    if (c < 0x300) {
        return 1;
    }
    return IN_RANGES(zero_width, c) ? 0 : IN_RANGES(double_width, c) ? 2 : 1;
}

struct str display_safe(struct arena *arena, struct str s)
{
    bool plain = true;
    for (size_t i = 0; i < s.n && plain; i++) {
        unsigned char byte = (unsigned char)s.p[i];
        plain = byte >= 0x20 && byte < 0x7F;
    }
    if (plain) {
        return s;
    }
    struct strbuf b = strbuf_new(arena, s.n * 6 + 1);
    size_t n;
    for (size_t i = 0; i < s.n; i += n) {
        uint32_t c = next(s, i, &n);
        if (!utf8_is_unsafe(c)) {
            add_code(&b, c);
        } else {
            strbuf_addf(&b, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
        }
    }
    return strbuf_str(&b);
}

size_t display_width(struct str s)
{
    size_t width = 0;
    size_t n;
    for (size_t i = 0; i < s.n; i += n) {
        width += display_char_width(next(s, i, &n));
    }
    return width;
}

size_t display_prefix(struct str s, size_t width)
{
    size_t n;
    size_t used = 0;
    for (size_t i = 0; i < s.n; i += n) {
        used += display_char_width(next(s, i, &n));
        if (used > width) {
            return i;
        }
    }
    return s.n;
}

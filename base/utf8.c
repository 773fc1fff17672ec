/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utf8.h"

#include <string.h>

size_t utf8_decode(const char *p, size_t n, uint32_t *ret_code)
{
    unsigned char first = (unsigned char)p[0];
    if (first < 0x80) {
        *ret_code = first;
        return 1;
    }
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || n < size) {
        return 0;
    }
    uint32_t code = first & (0xffU >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        unsigned char c = (unsigned char)p[i];
        if ((c & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (c & 0x3fU);
    }
    bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    if (overlong || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
        return 0;
    }
    *ret_code = code;
    return size;
}

size_t utf8_encode(uint32_t code, char *bytes)
{
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
        code = UTF8_REPLACEMENT;
    }
    if (code < 0x80) {
        bytes[0] = (char)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        bytes[i] = (char)(0x80U | (code & 0x3fU));
        code >>= 6;
    }
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    bytes[0] = (char)(lead[size] | code);
    return size;
}

size_t utf8_valid_prefix(struct str s)
{
    size_t i = 0;
    while (i < s.n) {
        uint64_t word = 0;
        if (s.n - i >= sizeof word) {
            memcpy(&word, s.p + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof word;
                continue;
            }
        }
        uint32_t code = 0;
        size_t size = utf8_decode(s.p + i, s.n - i, &code);
        if (size == 0) {
            break;
        }
        i += size;
    }
    return i;
}

bool utf8_is_unsafe(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x2028 || code == 0x2029 ||
           code == 0x061c || code == 0x200e || code == 0x200f ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xfeff || code == 0xfffe || code == 0xffff;
}

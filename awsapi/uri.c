/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/uri.h"

#include "base/arena.h"

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void aws_uri_encode(struct strbuf *out, struct str text, enum aws_uri_style style)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (is_unreserved(c) || (c == '/' && style == AWS_URI_KEEP_SLASH)) {
            strbuf_addc(out, c);
            continue;
        }
        if (c == ' ' && style == AWS_URI_FORM) {
            strbuf_addc(out, '+');
            continue;
        }
        unsigned byte = (unsigned char)c;
        strbuf_addc(out, '%');
        strbuf_addc(out, digits[byte >> 4]);
        strbuf_addc(out, digits[byte & 15]);
    }
}

struct str aws_uri_decode(struct arena *arena, struct str text)
{
    char *bytes = arena_alloc(arena, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int high = i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
        int low = i + 2 < text.n ? hex_digit(text.p[i + 2]) : -1;
        if (text.p[i] == '%' && high >= 0 && low >= 0) {
            bytes[n++] = (char)(high * 16 + low);
            i += 2;
        } else {
            bytes[n++] = text.p[i];
        }
    }
    return (struct str){.p = bytes, .n = n};
}

bool aws_uri_next_pair(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    if (rest->n == 0) {
        return false;
    }
    size_t end = str_find(*rest, '&');
    struct str pair = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end + 1, rest->n);
    size_t equals = str_find(pair, '=');
    *ret_name = str_sub(pair, 0, equals);
    *ret_value = str_sub(pair, equals + 1, pair.n);
    return true;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/base64.h"

#include <stdint.h>

#include "base/arena.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool base64_decode(struct str text, struct arena *arena, struct str *ret_bytes)
{
    char *bytes = arena_alloc(arena, text.n / 4 * 3 + 4);
    size_t n = 0, n_letters = 0, n_padding = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < text.n; i++) {
        int value = value_of(text.p[i]);
        if (is_blank(text.p[i])) {
            continue;
        }
        if (text.p[i] == '=' && n_padding < 2) {
            n_padding++;
            continue;
        }
        if (value < 0 || n_padding > 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        n_letters++;
        if (n_letters % 4 != 1) {
            unsigned rest = (unsigned)(3 - (n_letters - 1) % 4) * 2;
            bytes[n++] = (char)(bits >> rest & 0xff);
        }
    }
    bytes[n] = '\0';
    if (n_letters % 4 == 1 || (n_padding > 0 && (n_letters + n_padding) % 4 != 0)) {
        return false;
    }
    *ret_bytes = (struct str){.p = bytes, .n = n};
    return true;
}

struct str base64_encode(struct str bytes, struct arena *arena)
{
    size_t n = (bytes.n + 2) / 3 * 4;
    char *text = arena_alloc(arena, n + 1);
    for (size_t i = 0, at = 0; i < bytes.n; i += 3, at += 4) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++) {
            bits = bits << 8 | (i + k < bytes.n ? (unsigned char)bytes.p[i + k] : 0U);
        }
        for (size_t k = 0; k < 4; k++) {
            text[at + k] = i + k > bytes.n ? '=' : letters[bits >> (18 - 6 * k) & 63];
        }
    }
    return (struct str){.p = text, .n = n};
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/str.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

struct str str_of(const char *nul_terminated)
{
    return (struct str){.p = nul_terminated,
                        .n = nul_terminated == NULL ? 0 : strlen(nul_terminated)};
}

bool str_eq(struct str a, struct str b)
{
    if (a.n != b.n || a.n == 0) {
        return a.n == b.n;
    }
    assert(a.p != NULL && b.p != NULL);
    return memcmp(a.p, b.p, a.n) == 0;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (order != 0) {
        return order < 0 ? -1 : 1;
    }
    return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq(str_sub(s, 0, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq(str_sub(s, s.n - suffix.n, suffix.n), suffix);
}

struct str str_sub(struct str s, size_t from, size_t n)
{
    if (from > s.n) {
        from = s.n;
    }
    if (n > s.n - from) {
        n = s.n - from;
    }
    return (struct str){.p = s.p == NULL ? NULL : s.p + from, .n = n};
}

struct str str_after_last(struct str s, char c)
{
    size_t at = s.n;
    while (at > 0 && s.p[at - 1] != c) {
        at--;
    }
    return str_sub(s, at, s.n);
}

bool str_has(struct str s, struct str part)
{
    for (size_t i = 0; i + part.n <= s.n; i++) {
        if (part.n == 0 || memcmp(s.p + i, part.p, part.n) == 0) {
            return true;
        }
    }
    return false;
}

size_t str_find(struct str s, char c)
{
    const char *hit = s.n == 0 ? NULL : memchr(s.p, c, s.n);
    return hit == NULL ? s.n : (size_t)(hit - s.p);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

struct str str_copy(struct arena *arena, struct str s)
{
    return (struct str){.p = arena_copy(arena, s.p, s.n), .n = s.n};
}

char *str_cstr(struct arena *arena, struct str s)
{
    return arena_copy(arena, s.p, s.n);
}

uint64_t str_hash(struct str s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < s.n; i++) {
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    }
    return h;
}

bool str_to_u64(struct str s, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (s.n == 0) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value)) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}

bool str_to_i64(struct str s, int64_t *ret_value)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    uint64_t magnitude = 0;
    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
        s = str_sub(s, 1, s.n);
    }
    if (!str_to_u64(s, &magnitude) || magnitude > (uint64_t)INT64_MAX + (negative ? 1U : 0U)) {
        return false;
    }
    *ret_value = negative ? (int64_t)(UINT64_C(0) - magnitude) : (int64_t)magnitude;
    return true;
}

enum { DISTANCE_MAX = 64 };

size_t str_distance(struct str a, struct str b)
{
    size_t row[DISTANCE_MAX + 1];
    if (a.n > DISTANCE_MAX || b.n > DISTANCE_MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b.n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t above = row[j];
            size_t best = diagonal + (a.p[i - 1] == b.p[j - 1] ? 0 : 1);
            best = best < above + 1 ? best : above + 1;
            best = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[b.n];
}

struct strbuf strbuf_new(struct arena *arena, size_t max)
{
    return (struct strbuf){
        .arena = arena, .p = NULL, .n = 0, .cap = 0, .max = max, .overflow = false};
}

static bool reserve(struct strbuf *b, size_t more)
{
    if (b->overflow || more > b->max - b->n) {
        b->overflow = true;
        return false;
    }
    if (b->n + more > b->cap) {
        size_t cap = b->cap == 0 ? 256 : b->cap * 2;
        cap = cap < b->n + more ? b->n + more : cap;
        cap = cap > b->max ? b->max : cap;
        b->p = arena_grow(b->arena, b->p, b->cap, cap);
        b->cap = cap;
    }
    return true;
}

void strbuf_add(struct strbuf *b, struct str s)
{
    if (s.n > 0 && reserve(b, s.n)) {
        memcpy(b->p + b->n, s.p, s.n);
        b->n += s.n;
    }
}

void strbuf_addc(struct strbuf *b, char c)
{
    strbuf_add(b, (struct str){.p = &c, .n = 1});
}

void strbuf_pad(struct strbuf *b, char c, size_t n)
{
    if (n > 0 && reserve(b, n)) {
        memset(b->p + b->n, c, n);
        b->n += n;
    }
}

void strbuf_addf(struct strbuf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    char small[256];
    int n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof small) {
        strbuf_add(b, (struct str){.p = small, .n = (size_t)n});
    } else if (n >= 0 && reserve(b, (size_t)n + 1)) {
        (void)vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

struct str strbuf_str(const struct strbuf *b)
{
    return (struct str){.p = b->p, .n = b->n};
}

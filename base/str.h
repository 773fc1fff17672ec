/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text: a view by value, and a builder with a maximum.
 *
 * `struct str` does not own its bytes and is not NUL-terminated. NUL-terminated strings exist only
 * at the edge of libc or a library. `struct strbuf` grows inside an arena and states its maximum
 * when it is created; what does not fit sets `overflow` and is dropped, so a writer checks once at
 * the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct arena;

struct str {
    const char *p; /* may be NULL when n is 0 */
    size_t n;      /* bytes */
};

#define STR(literal) ((struct str){.p = "" literal, .n = sizeof(literal) - 1})
#define STR_EMPTY    ((struct str){.p = NULL, .n = 0})
#define STR_FMT      "%.*s"
#define STR_ARG(s)   (int)((s).n > 4096 ? 4096 : (s).n), (s).p == NULL ? "" : (s).p

struct str str_of(const char *nul_terminated); /* NULL gives the empty string */
bool str_eq(struct str a, struct str b);
int str_cmp(struct str a, struct str b); /* bytewise, a prefix first */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_sub(struct str s, size_t from, size_t n); /* clamped to s */
size_t str_find(struct str s, char c);                   /* index of the first c, or s.n */
struct str str_after_last(struct str s, char c);         /* all of s without a c */
bool str_has(struct str s, struct str part);             /* the empty one is in all */
struct str str_trim(struct str s);                       /* without ASCII blanks at both ends */
struct str str_copy(struct arena *arena, struct str s);
char *str_cstr(struct arena *arena, struct str s); /* NUL-terminated copy */
uint64_t str_hash(struct str s);                   /* FNV-1a, the same on every machine */

/* Decimal digits only, no sign, no blanks: false on anything else or on overflow. */
MUST_CHECK bool str_to_u64(struct str s, uint64_t *ret_value);
MUST_CHECK bool str_to_i64(struct str s, int64_t *ret_value); /* one leading '-' or '+' allowed */

/* Levenshtein distance, for "did you mean"; strings longer than 64 bytes give SIZE_MAX. */
size_t str_distance(struct str a, struct str b);

struct strbuf {
    struct arena *arena;
    char *p;
    size_t n, cap, max;
    bool overflow;
};

struct strbuf strbuf_new(struct arena *arena, size_t max);
void strbuf_add(struct strbuf *b, struct str s);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_addf(struct strbuf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void strbuf_pad(struct strbuf *b, char c, size_t n);
struct str strbuf_str(const struct strbuf *b); /* a view; valid until the next change */

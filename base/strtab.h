/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The interner: one id for each distinct string.
 *
 * Holds label keys and values, resource, type, zone and namespace names: a vocabulary, not object
 * names. Strings are never moved or freed before the table is. Ids are given in the order of first
 * use, so they depend on the order of input: use them for equality and lookup only, and compare
 * with strtab_cmp whenever an order shows in the output. Id 0 is the empty string. */
#pragma once

#include <stdint.h>

#include "base/str.h"

typedef uint32_t strid; /* STRID_EMPTY is "", STRID_NONE means "not in the table" */

#define STRID_EMPTY ((strid)0)
#define STRID_NONE  UINT32_MAX

struct strtab; /* opaque; lives in the arena given to strtab_new */

struct strtab *strtab_new(struct arena *arena);
strid strtab_add(struct strtab *tab,
                 struct str s); /* aborts at 2^31 strings; callers cap their input first */
strid strtab_find(const struct strtab *tab, struct str s); /* STRID_NONE when absent */
struct str strtab_str(const struct strtab *tab,
                      strid id); /* also NUL-terminated; STRID_NONE gives "" */
uint32_t strtab_count(const struct strtab *tab);
int strtab_cmp(const struct strtab *tab, strid a, strid b); /* bytewise by text */

/* The table as it is at one moment, for another thread: valid while more is added to `tab`. */
struct strtab_mark {
    const struct str *strings; /* [n] */
    const uint32_t *hashes;    /* [n] */
    uint32_t n;
};
struct strtab_mark strtab_mark(const struct strtab *tab);

/* A table of its own that begins with the same strings under the same ids; their bytes stay where
 * they are. */
struct strtab *strtab_fork(const struct strtab_mark *mark, struct arena *arena);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What parameters of SSM were found to hold, for as long as Karpenter takes it for true: a day for
 * AWS's own, which name images, five minutes for a person's. One that is not there is asked for
 * again. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/units.h"
#include "base/vec.h"

enum { MEMO_VALUE_MAX = 64 }; /* longer values are no ids of images, and are not kept */

struct memo_entry {
    struct str name;
    char value[MEMO_VALUE_MAX];
    size_t n_value;
    mono_t until;
};
struct memo {
    VEC(struct memo_entry) v; /* in the arena of whoever embeds it */
};

/* The value, as a view that is valid until memo_put. */
MUST_CHECK bool memo_get(const struct memo *memo, struct str name, mono_t now,
                         struct str *ret_value);
void memo_put(struct memo *memo, struct arena *arena, struct str name, struct str value,
              mono_t now);

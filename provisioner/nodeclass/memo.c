/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodeclass/memo.h"

#include <string.h>

#define AWS_OWN_MS (INT64_C(24) * 3600 * 1000)
#define OTHERS_MS  (INT64_C(5) * 60 * 1000)

static struct memo_entry *find(const struct memo *memo, struct str name)
{
    for (size_t i = 0; i < memo->v.n; i++) {
        if (str_eq(memo->v.v[i].name, name)) {
            return &memo->v.v[i];
        }
    }
    return NULL;
}

bool memo_get(const struct memo *memo, struct str name, mono_t now, struct str *ret_value)
{
    const struct memo_entry *entry = find(memo, name);
    if (entry == NULL || now >= entry->until) {
        return false;
    }
    *ret_value = (struct str){.p = entry->value, .n = entry->n_value};
    return true;
}

void memo_put(struct memo *memo, struct arena *arena, struct str name, struct str value, mono_t now)
{
    struct memo_entry *entry = find(memo, name);
    if (value.n > MEMO_VALUE_MAX || value.n == 0) {
        return;
    }
    if (entry == NULL) {
        VEC_PUSH(arena, &memo->v, (struct memo_entry){.name = str_copy(arena, name)});
        entry = &memo->v.v[memo->v.n - 1];
    }
    memcpy(entry->value, value.p, value.n);
    entry->n_value = value.n;
    entry->until = now + (str_starts(name, STR("/aws/service/")) ? AWS_OWN_MS : OTHERS_MS);
}

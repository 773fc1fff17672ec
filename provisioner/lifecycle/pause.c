/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/lifecycle/pause.h"

#include <string.h>

#include "base/arena.h"
#include "base/pace.h"
#include "base/rng.h"
#include "base/vec.h"

enum {
    FIRST_MS = 2000,
    MOST_MS = 2 * 60 * 1000,
    PATIENCE = 12, /* so much is lost by failures, and it waits */
    DOUBT = 3,     /* so much, and few launches go at the same time */
    DOUBT_AT_ONCE = 2,
    TAUGHT = 1,
    UNTAUGHT = PATIENCE / 2,
    NAME_MAX = 253,  /* of objects */
    POOLS_MAX = 1024 /* that fail at the same time; those on top do not wait */
};

struct pool {
    uint16_t n;
    char p[NAME_MAX];
    uint32_t lost, n_waits;
    mono_t until;
};

struct pause {
    struct arena arena;
    VEC(struct pool) pools; /* that have failed last */
};

struct pause *pause_new(void)
{
    struct arena arena = ARENA_INIT;
    struct pause *pause = ARENA_NEW(&arena, struct pause);
    pause->arena = arena;
    return pause;
}

void pause_free(struct pause *pause)
{
    if (pause != NULL) {
        struct arena arena = pause->arena;
        arena_done(&arena);
    }
}

static size_t at(const struct pause *pause, struct str name)
{
    size_t i = 0;
    while (i < pause->pools.n &&
           !str_eq((struct str){.p = pause->pools.v[i].p, .n = pause->pools.v[i].n}, name)) {
        i++;
    }
    return i;
}

void pause_failed(struct pause *pause, struct str name, bool taught, mono_t now)
{
    const size_t i = at(pause, name);
    if (i == pause->pools.n) {
        if (name.n == 0 || name.n > NAME_MAX || pause->pools.n == POOLS_MAX) {
            return;
        }
        VEC_PUSH(&pause->arena, &pause->pools, ((struct pool){.n = (uint16_t)name.n}));
        memcpy(pause->pools.v[i].p, name.p, name.n);
    }
    struct pool *pool = &pause->pools.v[i];
    if (pool->until > now) {
        return;
    }
    pool->lost += pool->lost >= PATIENCE ? 0 : taught ? TAUGHT : UNTAUGHT;
    if (pool->lost >= PATIENCE) {
        struct rng rng = {.state = str_hash(name) ^ (uint64_t)now};
        pool->until = sat_add(now, pace_pause(++pool->n_waits, FIRST_MS, MOST_MS, &rng));
    }
}

void pause_launched(struct pause *pause, struct str name)
{
    const size_t i = at(pause, name);
    if (i < pause->pools.n) {
        pause->pools.v[i] = pause->pools.v[--pause->pools.n];
    }
}

mono_t pause_until(const struct pause *pause, struct str name)
{
    const size_t i = at(pause, name);
    return i < pause->pools.n ? pause->pools.v[i].until : 0;
}

uint32_t pause_at_once(const struct pause *pause, struct str name)
{
    const size_t i = at(pause, name);
    const uint32_t lost = i < pause->pools.n ? pause->pools.v[i].lost : 0;
    return lost >= PATIENCE ? 1 : lost >= DOUBT ? (uint32_t)DOUBT_AT_ONCE : UINT32_MAX;
}

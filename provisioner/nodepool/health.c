/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodepool/health.h"

#include <string.h>

void health_tell(struct health *health, bool good)
{
    if (health->n == HEALTH_RING) {
        memmove(health->good, health->good + 1, (HEALTH_RING - 1) * sizeof *health->good);
        health->n--;
    }
    health->good[health->n++] = good;
}

bool health_is_bad(const struct health *health)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < health->n; i++) {
        n += !health->good[i];
    }
    return n >= HEALTH_FAILURES;
}

void health_begin(struct health *health, bool good)
{
    *health = (struct health){.n = 0};
    for (uint32_t i = 0; i < (good ? 1 : HEALTH_FAILURES); i++) {
        health_tell(health, good);
    }
}

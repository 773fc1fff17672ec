/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the nodes of a NodePool come: the last four launches, in a ring.
 *
 * Two failures of the four are unhealthy (karp: nodepoolhealth, 50 % of a buffer of 4). The
 * condition NodeRegistrationHealthy follows: it becomes True with a node that registers while the
 * ring is healthy, and False with the launch that fails and makes it unhealthy; a single failure
 * leaves it as it is. Nothing depends on it but who looks at it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HEALTH_RING = 4, HEALTH_FAILURES = 2 };

struct health {
    bool good[HEALTH_RING]; /* [n], the oldest first */
    uint32_t n;
};

void health_tell(struct health *health, bool good);
bool health_is_bad(const struct health *health);

/* After a restart, from what the condition says (karp: the buffer is pre-hydrated). */
void health_begin(struct health *health, bool good);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pod affinity over hosts among pending pods: units of pods that travel together. Internal to
 * affinity.c.
 *
 * The classes that such rules tie to each other form a component. Its units are as many and as
 * small as the rules allow, because units may still share a node while a large one may fit nowhere:
 * one unit per pod of the scarcest target, each with a share of what follows it; a class that
 * attracts itself and nothing else makes one unit of all its pods. */
#pragma once

#include "binpack/scheduling/affinity.h"

/* A rule of pod affinity over hosts. */
struct sched_tie {
    const uint64_t *carriers, *targets; /* class sets */
    bool running; /* a target runs somewhere: carriers cannot start on their own */
};

/* Adds bundle rows for all ties. `placeable`: classes that can be placed at all; others are left
 * out. `rules`: for those that spread over `host`, the key of host names. `spared`, [classes->n]:
 * pods of a class that need no unit. Caps, exclusions and max_per_node of `rows` must be complete
 * as far as they speak of hosts: a unit obeys them. `started`, a class set, gets the classes of
 * units that start on their own and so come before everything else. What no unit could take and is
 * not spared has no place; the caller says so. */
void sched_bundles_add(const struct sched_classes *classes, const struct sched_rules *rules,
                       uint32_t n_ties, const struct sched_tie *ties, const uint64_t *placeable,
                       const uint32_t *spared, strid host, sched_fits_fn fits, void *ctx,
                       struct sched_rows *rows, uint64_t *started);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pod affinity and anti-affinity as rows of a problem.
 *
 * Anti-affinity over hosts: max_per_node for classes that avoid themselves, exclusions between
 * classes, forbidden running nodes. Over another key: a BP_GROUP_APART, and values that running
 * pods forbid. Required anti-affinity binds both directions. Affinity over another key than the
 * host: a BP_GROUP_TOGETHER. Affinity over hosts: either running nodes that hold a target, or
 * bundles: units of several pods that travel with a target. A class that no target can ever join
 * gets no place. */
#pragma once

#include "binpack/scheduling/offers.h"
#include "binpack/scheduling/rows.h"

/* Could running node `node_i` hold such a unit, or with SCHED_NONE any node, new or running? */
typedef bool (*sched_fits_fn)(void *ctx, uint32_t node_i, uint32_t n_items,
                              const struct sched_bundle_item *items);

/* Adds the rows of all TOGETHER and APART rules; to be called after sched_topology_rows, whose caps
 * bundles obey. `fits` (may be NULL: yes) decides how much goes into a bundle. */
void sched_affinity_rows(const struct sched_snapshot *snapshot, const struct sched_offers *offers,
                         const struct sched_classes *classes, const struct sched_rules *rules,
                         sched_fits_fn fits, void *ctx, struct sched_rows *rows);

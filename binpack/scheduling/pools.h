/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NodePools of a snapshot: which may launch, in which order, and what their limits leave. Part of
 * snapshot.h. */
#pragma once

#include "binpack/scheduling/snapshot.h"

/* Fills pools, the pool of each node, and any_prefer_no_schedule. Nodes must be described already.
 */
void sched_pools_take(struct sched_snapshot *snapshot, struct arena *arena);

/* Every zone that a Node names is in the catalogue, and so are those of a node class's subnets, but
 * for zones of the catalogue's region beside others that it has. ERR_NOT_FOUND names object, zone
 * and region. */
MUST_CHECK bool sched_zones_known(const struct sched_snapshot *snapshot, struct err *err);

/* Does the catalogue have the zone? */
bool sched_zone_known(const struct sched_snapshot *snapshot, strid zone);

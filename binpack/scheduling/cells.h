/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions about cells: labels of the nodes of a cell, and whether requirements hold there. Used
 * while offers are made (DaemonSets) and afterwards (needs, topology). */
#pragma once

#include "binpack/scheduling/offers.h"

strid sched_zone_label(const struct sched_snapshot *snapshot, uint32_t zone_i, strid key);
strid sched_capacity_label(const struct sched_snapshot *snapshot,
                           enum cat_capacity_type capacity_type);

/* Node selector and required node affinity of a shape on the nodes of a cell. */
bool sched_cell_matches_shape(const struct sched_offers *offers, const struct sched_cell *cell,
                              const struct k8s_pod_shape *shape, struct arena *arena);

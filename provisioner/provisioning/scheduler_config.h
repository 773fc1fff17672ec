/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --scheduler-config: what a cluster's scheduler does for pods that declare no topology spread of
 * their own.
 *
 *   podTopologySpread:
 *     defaultConstraints:
 *     - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway}
 *
 * Read strictly, as Karpenter reads it: an unknown member, a labelSelector or the same constraint
 * twice is an error. */
#pragma once

#include "base/err.h"
#include "k8s/cluster.h"

struct arena;

/* Checks the text, and gives *cluster the constraints it names, as a copy in `arena`; a NULL
 * cluster is only checked for. An empty text changes nothing. Errors: ERR_PARSE, ERR_INVALID and
 * ERR_LIMIT with the path of what is wrong. */
MUST_CHECK bool scheduler_config_apply(struct str text, const struct k8s_cluster **cluster,
                                       struct arena *arena, struct err *err);

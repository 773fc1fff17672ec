/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --namespace and --selector: which pods are to be placed.
 *
 * Pods that the filter does not want and that would be placed by the mode are taken out of the
 * cluster; everything that runs stays and keeps its room (mode provision), and pods of DaemonSets
 * always stay, because they cost room on new nodes. */
#pragma once

#include "base/err.h"
#include "binpack/cli/options.h"
#include "binpack/plan/plan.h"
#include "k8s/cluster.h"

struct arena;

/* Replaces *cluster by a copy without the unwanted pods; leaves it alone when neither option was
 * given. *ret_any: some pod of the cluster passes. ERR_INVALID for a selector that cannot be read,
 * ERR_NOT_FOUND for a namespace that is nowhere in the cluster. */
MUST_CHECK bool filter_pods(const struct options *options, enum plan_mode mode, struct arena *arena,
                            const struct k8s_cluster **cluster, bool *ret_any, struct err *err);

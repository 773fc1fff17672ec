/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gauges of the conditions of NodePools, NodeClaims and EC2NodeClasses, and of how long those that
 * are deleted have been going, as operatorpkg has them for Karpenter:
 * https://karpenter.sh/docs/reference/metrics/ */
#pragma once

#include "base/str.h"
#include "base/units.h"

struct k8s_cluster;

/* Appended to `b`. NodeClaims are left out when there are more than CLUSTER_METRICS_NODES_MAX. */
void conditions_text(const struct k8s_cluster *cluster, wall_t now, struct strbuf *b);

/* Their rows of docs/metrics.md. */
void conditions_markdown(struct strbuf *b);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Karpenter's gauges of single nodes, pods, NodePools and offerings, as the text that Prometheus
 * reads, from the cluster as values: https://karpenter.sh/docs/reference/metrics/
 *
 * Made by the worker beside each plan and served until the next one: in a cluster of a thousand
 * nodes they are megabytes, for which the loop must not stand still. Names, labels and units are
 * Karpenter's: every well-known label of a node is a label of its gauges, in lower case and with
 * '_', and so are resources. --disable-cluster-state-observability leaves all of them out. */
#pragma once

#include "base/str.h"
#include "base/units.h"

struct arena;
struct catalog;
struct k8s_cluster;

/* In larger clusters the gauges of single nodes, or of single pods, are left out: Prometheus pays
 * for every series, and the service for every byte. */
enum { CLUSTER_METRICS_NODES_MAX = 1000, CLUSTER_METRICS_PODS_MAX = 20000 };
#define CLUSTER_METRICS_BYTES_MAX ((size_t)48 << 20)

/* The text, in `arena`; `cluster` and `catalog` share one table of words. Families that do not fit
 * into the caps are left out whole. */
struct str cluster_metrics_text(const struct k8s_cluster *cluster, const struct catalog *catalog,
                                wall_t now, struct arena *arena);

/* Their rows of docs/metrics.md. */
void cluster_metrics_markdown(struct strbuf *b);

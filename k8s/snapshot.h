/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The objects of a cluster as the planner sees them: after expansion and defaults, with exactly the
 * fields that rules read. What is written here reads back as the same cluster.
 *
 * Objects come kind by kind, within a kind by namespace and name, so the order of input does not
 * show. Only what is kept of an EC2NodeClass is written: it is for reading, not for applying. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "k8s/cluster.h"

struct arena;

struct k8s_snapshot {
    const struct k8s_cluster *cluster;
    struct arena *arena;
    uint32_t kind_i, at, n;
    const void **order; /* [n] objects of the kind in work */
};

/* The iterator; `arena` keeps its working lists and must outlive it. */
struct k8s_snapshot k8s_snapshot_begin(const struct k8s_cluster *cluster, struct arena *arena);

/* The next object, {apiVersion, kind, metadata, ...}, as a new reference; NULL at the end. */
json_t *k8s_snapshot_next(struct k8s_snapshot *snapshot);

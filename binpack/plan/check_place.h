/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kube-scheduler's filters as the placement checker has them, one pod at a time, on the nodes as
 * they are now: taints, node selector and affinity, volumes and their zones, room, host ports,
 * attach limits, topology spread, affinity between pods.
 *
 * Only what kube-scheduler sees counts: Nodes, pods and volumes. NodePools and NodeClaims are
 * nothing to it: a node that is starting keeps its pods off by its taints alone, a zone without a
 * node is none, and a node that is being deleted takes pods until it is tainted. */
#pragma once

#include "base/err.h"
#include "binpack/catalog/catalog.h"
#include "k8s/cluster.h"

struct arena;
struct check_places; /* opaque */

/* Pods with a node name are where they say. `cluster` and `catalog` are in the same words and
 * outlive it. Errors: as check_plan. */
MUST_CHECK bool check_places_new(const struct k8s_cluster *cluster, const struct catalog *catalog,
                                 struct arena *arena, struct check_places **ret_places,
                                 struct err *err);

/* Whether every filter lets the pod onto the node; both by index into the cluster. */
bool check_places_fit(struct check_places *places, uint32_t pod_i, uint32_t node_i);

/* The pod, which fitted a moment ago, is there from now on. */
void check_places_bind(struct check_places *places, uint32_t pod_i, uint32_t node_i);

/* What is taken of a node's allocatable amount. */
int64_t check_places_used(const struct check_places *places, uint32_t node_i, strid resource);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person wants to know of a plan, as numbers and sentences: the mix of nodes, how full they
 * are, why pods are left over. The table, Markdown and later reports show the same summary. */
#pragma once

#include "binpack/plan/plan.h"
#include "binpack/view/text.h"

struct summary_use { /* how much of something is asked for; percent = used / whole */
    int64_t used, whole;
};

struct summary_mix { /* new nodes of one NodePool, type, capacity type and zone */
    uint32_t pool_i, zone_i, n_nodes;
    const struct cat_type *type;
    enum cat_capacity_type capacity_type;
    uint64_t n_pods;
    usd_t cost;                          /* of all of them */
    struct summary_use cpu, memory, gpu; /* by pods and daemon pods, of allocatable */
};

struct summary_group { /* unplaced pods that share all their reasons */
    uint32_t n_pods;
    const struct plan_unplaced *const *pods; /* [n_pods] by name */
};

struct summary_line {
    const char *label; /* "Lower bound" */
    struct str text;
};

enum { SUMMARY_LINES_MAX = 10 };

struct summary {
    const struct plan *plan;
    uint32_t n_mixes, n_groups, n_lines;
    const struct summary_mix
        *mixes; /* by NodePool (the dearest first), then cost descending, then names */
    struct summary_mix total;
    bool has_gpu;
    const struct summary_group *groups;           /* the largest first */
    struct summary_line lines[SUMMARY_LINES_MAX]; /* in the order to be shown */
};

/* Everything lives in `arena`. */
struct summary summary_of(const struct plan *plan, struct arena *arena);

/* Pods and daemon pods of a node against what it can hold. */
struct summary_use summary_use_of(const struct plan_node *node, strid resource);
struct summary_use summary_gpus_of(const struct plan *plan, const struct plan_node *node);

/* "ml/train-0, ml/train-1 and 98 more". */
struct str summary_pod_names(const struct plan *plan, const struct summary_group *group,
                             uint32_t n_max, struct arena *arena);

/* The reasons of an unplaced pod, one line each, nearest miss first: "NodePool batch: needs ...".
 * NodePools of which the same is to be said share a line. */
const struct str *summary_reasons(const struct plan_unplaced *unplaced, struct arena *arena,
                                  uint32_t *ret_n);

/* The zone without the catalogue's region ("1a" of "us-east-1a"), or the whole name when it does
 * not start with it. */
struct str summary_zone_short(const struct plan *plan, uint32_t zone_i);

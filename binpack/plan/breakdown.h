/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cost of a plan by NodePool, zone, namespace or a label of pods.
 *
 * A node belongs to one NodePool and one zone. Among namespaces and labels the price of a node is
 * shared out by what its pods request, CPU and memory weighed 9:1 per vCPU and GiB, as AWS splits
 * the cost of shared instances; idle room and daemon pods are shared in the same way. Sums are
 * exact: the rows add up to the cost of the plan. */
#pragma once

#include "base/err.h"
#include "binpack/plan/plan.h"

enum breakdown_by { BREAKDOWN_POOL, BREAKDOWN_ZONE, BREAKDOWN_NAMESPACE, BREAKDOWN_LABEL };

struct breakdown_row {
    struct str name;  /* "" for pods without the label */
    uint32_t n_nodes; /* with a pod of the row; their sum over rows may exceed the plan's */
    uint32_t n_pods;
    int64_t cpu_milli, memory_bytes; /* requested by the pods */
    usd_t cost;
};

struct breakdown {
    enum breakdown_by by;
    struct str label; /* LABEL: its key */
    uint32_t n_rows;
    uint32_t n_shared;                /* nodes with pods of several rows */
    const struct breakdown_row *rows; /* the dearest first, then by name */
};

/* "pool", "zone", "namespace" or "label:KEY". ERR_INVALID names what is allowed. */
MUST_CHECK bool breakdown_parse(struct str text, enum breakdown_by *ret_by, struct str *ret_label,
                                struct err *err);

/* Of the new nodes of a plan; everything lives in `arena`. */
struct breakdown breakdown_of(const struct plan *plan, enum breakdown_by by, struct str label,
                              struct arena *arena);

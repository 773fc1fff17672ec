/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What cluster_order.c lends to the search of cluster_brute.c. */
#pragma once

#include "tests/property/cluster_model.h"

/* What rules see of a node. */
struct node_view {
    uint32_t zone, cap, cpu_label;
    bool ssd, tainted;
};
struct node_view view_of(const struct instance *instance, const struct assigned *node);
bool selects_node(const struct workload *workload, const struct node_view *node);

/* Why the node does not hold by itself; NULL: it does. */
const char *node_fault(const struct instance *instance, const struct assigned *node);

/* The pods can be placed in some order. All running nodes come first in `nodes`. */
bool order_exists(const struct instance *instance, uint32_t n, const struct assigned *nodes);
bool limits_hold(const struct instance *instance, uint32_t n, const struct assigned *nodes);

/* A spread looks at the pods of such nodes. */
bool rule_counts_node(const struct workload *workload, const struct rule *rule,
                      const struct node_view *view);
uint32_t rule_domains(const struct instance *instance, const struct workload *workload,
                      const struct rule *rule);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* New-node offerings, and which of them a need may use.
 *
 * Model. The labels of a new node are those of four independent parts: its *variant* (a NodePool with one choice of values for
 * custom labels that its requirements leave open and that some pod or rule looks at), its instance type, its zone and its capacity
 * type (with a reservation). So one alternative of a need splits by key into four tests, and the offerings it admits are a
 * product of four sets. Requirements are evaluated once per distinct need signature and part, never per (need, offering). */
#pragma once

#include "binpack/scheduling/classes.h"

struct sched_offers; /* opaque; lives in the arena given to sched_offers_new */

/* A set of label values, sorted by text. */
struct sched_values {
    uint32_t n;
    const strid *v;
};

/* The values of `key` that new nodes could open for `need`: of all variants of usable pools that are not exhausted, with every
 * instance type, zone and capacity type they offer, filtered by the need's topology alternatives (honor_affinity) and its tolerations
 * (honor_taints). Resources, prices and stock play no part. */
void sched_offers_values(const struct sched_offers *offers, const struct sched_need *need, strid key, bool honor_affinity,
                         bool honor_taints, struct arena *arena, struct sched_values *ret_values);

/* Does a running node pass the same filters for `need` (labels by exact kube-scheduler rules)? */
bool sched_node_admits(const struct sched_snapshot *snapshot, const struct sched_node *node, const struct sched_need *need,
                       bool honor_affinity, bool honor_taints);

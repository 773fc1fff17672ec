/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Topology spread as rows of a problem.
 *
 * Over hosts: a fresh host can always be made, so the minimum over hosts is zero and at most
 * maxSkew counted carriers may share one: a cap, lowered on running nodes by what runs there. Pods
 * that are counted without carrying the rule could join after the carriers, but nobody can promise
 * that order: unless rows->in_some_order is set they do not share a host with carriers. Over
 * another key: a BP_GROUP_SPREAD with the counts of running pods. Its eligible values are those of
 * running nodes and of new nodes that usable NodePools could open, filtered by nodeAffinityPolicy
 * and nodeTaintsPolicy; nodes without the label hold no carrier. */
#pragma once

#include "binpack/scheduling/offers.h"
#include "binpack/scheduling/rows.h"

/* Adds the rows of all SPREAD rules. */
void sched_topology_rows(const struct sched_snapshot *snapshot, const struct sched_offers *offers,
                         const struct sched_classes *classes, const struct sched_rules *rules,
                         struct sched_rows *rows);

/* Pods of a running node that a SPREAD rule counts, if the node passes its filter. `needs` are
 * those that the rule is about. */
uint32_t sched_spread_at(const struct sched_snapshot *snapshot, const struct sched_needs *needs,
                         const struct sched_rule *rule, uint32_t node_i);

/* The values of a SPREAD rule's key that new nodes could open or running nodes show, filtered, with
 * what runs there. Not for the host name. */
void sched_spread_values(const struct sched_snapshot *snapshot, const struct sched_offers *offers,
                         const struct sched_needs *needs, const struct sched_rule *rule,
                         struct arena *arena, const struct sched_group_value **ret_values,
                         uint32_t *ret_n);

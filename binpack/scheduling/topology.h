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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What becomes of a node in a round of disruption, what keeps it, and what it would save if that
 * was removed.
 *
 * What keeps a node is what the round says of it. Where somebody could remove it (an annotation, a
 * PodDisruptionBudget, a budget of the NodePool, ...), what keeps the node without it is the next
 * hurdle. What stands whatever a round allows needs no planning; when nothing of the kind is left,
 * the round is planned again, and what keeps the node there is the next hurdle. The savings are the
 * difference between two rounds, all nodes together.
 *
 * A round that was stopped before its end says nothing for sure of what stays: such an answer is
 * `unsettled`, names the hurdles found so far, and says nothing of what would be without them. */
#pragma once

#include "binpack/plan/disrupt.h"

enum { EXPLAIN_NODES_MAX = 20, HURDLES_MAX = 6 };

/* Whether they can be asked for, which is said before a round is planned for them. Errors:
 * ERR_NOT_FOUND names a node that is not there, and the one that may be meant; ERR_LIMIT more than
 * EXPLAIN_NODES_MAX. */
MUST_CHECK bool explain_nodes_find(const struct k8s_cluster *cluster, const struct str *names,
                                   uint32_t n, struct err *err);

/* Fills plan->node_answers in the order of `names`. `plan` is the round of the cluster as it is,
 * `cut` whether it was stopped before its end.
 * ERR_NOT_FOUND names a node that is not there, ERR_LIMIT more than EXPLAIN_NODES_MAX; else errors
 * of disrupt_plan. Answers live in `arena`. */
MUST_CHECK bool explain_nodes(struct plan *plan, const struct k8s_cluster *cluster,
                              const struct catalog *catalog, const struct make_settings *settings,
                              const struct disrupt_options *options,
                              const struct disrupt_port *port, const struct str *names, uint32_t n,
                              bool cut, struct arena *arena, struct err *err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the nodes of a NodePool have together: its status.resources and status.nodes (karp:
 * nodepool.counter).
 *
 * A NodeClaim counts with the capacity of its Node once that is initialized; before, with what the
 * Node does not say yet taken from the claim; one that has no capacity yet counts nothing. What is
 * being deleted does not count. A Node of the pool without a NodeClaim counts as well. */
#pragma once

#include "k8s/state.h"

struct arena;
struct sched_vocab;

/* cpu, memory, pods, ephemeral-storage and nodes are always there. Ascending by resource; in
 * `arena`. */
struct k8s_resources counter_used(const struct k8s_state *state, const struct sched_vocab *vocab,
                                  struct str pool, struct arena *arena);

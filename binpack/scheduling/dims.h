/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dimensions: the resources that matter, and how much of each every node has.
 *
 * A dimension is a resource that some pending pod requests (cpu, memory and pods always), or the
 * attachments of a CSI driver that some pending pod uses and some node limits. Capacity of a new
 * node is its allocatable less the DaemonSets of its cell; an offering whose DaemonSets do not fit,
 * or that a NodePool limit can no longer pay for, is not usable. Made once per snapshot.
 *
 * A claim that several pending pods share is one attachment of a node, however many of them are
 * there, which a sum over pods cannot say. Where there is room for it each node keeps an attachment
 * free for each such claim, unless it has it attached already, and the pods pay nothing ("paid by
 * the node"); a running node without room for all of them pays for those with the most users, and
 * the users of the others do not come to it. The other shared claims are paid by each pod. Both
 * promise more than the limit asks, so the bound is made with sizes that leave shared claims out
 * and with the whole capacity. */
#pragma once

#include "binpack/scheduling/offers.h"
#include "binpack/solver/problem.h"

#define SCHED_NO_ATTACH_LIMIT (INT64_C(1) << 20)

struct sched_dim {
    bool attach;
    strid name; /* resource, or CSI driver */
};

struct sched_dims {
    uint32_t n;
    struct sched_dim v[BP_MAX_DIMS]; /* cpu, memory, pods, then by text */
    const int64_t *offer_capacity;   /* [offers->n][n] */
    const int64_t *node_capacity;    /* [n_nodes][n] */
    uint32_t n_paid;
    const uint32_t *paid;     /* [n_paid] shared volumes that nodes pay for */
    const uint64_t *attached; /* [n_paid][node_words] running nodes that have it already */
    const uint64_t *granted;  /* [n_paid][node_words] running nodes that have it or pay for it */
    uint32_t node_words;
    bool any_shared; /* sizes and capacities count a shared claim; the next two differ */
    const int64_t *whole_offer_capacity,
        *whole_node_capacity; /* before nodes pay; NULL: the same */
    const uint64_t *roomy;    /* [bits_words(offers->n)] its DaemonSets fit */
    const uint64_t
        *usable; /* [bits_words(offers->n)] roomy, and the limits of its pool allow one */
    const uint32_t
        *pool_from; /* [n_pools + 1] offers of pool p are pool_from[p] .. pool_from[p + 1] - 1 */
};

/* ERR_LIMIT above BP_MAX_DIMS resources. */
MUST_CHECK bool sched_dims_new(const struct sched_offers *offers, struct arena *arena,
                               struct sched_dims *ret_dims, struct err *err);

/* The size of one pod of a need. `ret_size` is [dims->n]. */
void sched_dims_size(const struct sched_dims *dims, const struct sched_need *need,
                     int64_t *ret_size);

/* The same without any shared claim: what the pod takes at the very least. */
void sched_dims_size_least(const struct sched_dims *dims, const struct sched_need *need,
                           int64_t *ret_size);

/* May the need use this running node as far as the claims it shares go? */
bool sched_dims_node_pays(const struct sched_dims *dims, const struct sched_need *need,
                          uint32_t node_i);

/* Could some plan put one pod of the need there all the same, as the claims that nodes pay for go?
 * Where node_pays says no and this says yes, the rule is this planner's choice. */
bool sched_dims_node_could(const struct sched_dims *dims, const struct sched_need *need,
                           uint32_t node_i);

/* size <= capacity in every dimension. */
bool sched_dims_fit(const struct sched_dims *dims, const int64_t *size, const int64_t *capacity);

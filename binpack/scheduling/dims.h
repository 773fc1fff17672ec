/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dimensions: the resources that matter, and how much of each every node has.
 *
 * A dimension is a resource that some pending pod requests (cpu, memory and pods always), or the
 * attachments of a CSI driver that some pending pod uses and some node limits. Capacity of a new
 * node is its allocatable less the DaemonSets of its cell; an offering whose DaemonSets do not fit,
 * or that a NodePool limit can no longer pay for, is not usable. Made once per snapshot. */
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
    const uint64_t *roomy;           /* [bits_words(offers->n)] its DaemonSets fit */
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

/* size <= capacity in every dimension. */
bool sched_dims_fit(const struct sched_dims *dims, const int64_t *size, const int64_t *capacity);

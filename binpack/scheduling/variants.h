/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Variants: a NodePool with one choice of values for the custom labels that its requirements leave
 * open.
 *
 * Karpenter gives a node one concrete value of each custom label, so pods that ask for different
 * values need different nodes. A pool is split only where some pod, volume, DaemonSet or topology
 * key looks at such a label, and values that no probe tells apart stay one variant unless the label
 * is a topology key. */
#pragma once

#include "binpack/scheduling/probes.h"

struct sched_variant {
    uint32_t pool_i;         /* snapshot->pools; a usable one */
    struct k8s_pairs labels; /* every label of its nodes but those of type, zone and capacity type;
                                the host name stands for any */
    struct k8s_pairs
        choice; /* the custom labels among them that the requirements left open, by key text */
    strid os;
    uint32_t n_filters;
    const struct sched_req *filters; /* requirements on type, zone, capacity type and reservation */
};

struct sched_variants {
    uint32_t n;
    const struct sched_variant *v; /* by pool, then by the chosen values as text */
};

/* ERR_LIMIT when custom labels multiply beyond reason: names the pool. `topology_keys`: keys of
 * rules. */
MUST_CHECK bool sched_variants_new(const struct sched_snapshot *snapshot,
                                   const struct sched_probes *probes,
                                   struct k8s_strids topology_keys, struct arena *arena,
                                   struct sched_variants *ret_variants, struct err *err);

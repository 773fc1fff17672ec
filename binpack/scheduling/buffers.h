/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CapacityBuffers: room to be kept free, as pods that do not exist (karp: virtual pods).
 *
 * A buffer names a PodTemplate or a workload. replicas = the larger of spec.replicas and the
 * percentage of the workload's replicas (rounded up, at least 1), then at most what `limits` allow;
 * without a size the limits alone decide. The pods are named capacity-buffer-<name>-<i>, carry the
 * template's labels, have the lowest priority, and lose their claims. They are placed like others
 * and reported by their name. */
#pragma once

#include "k8s/cluster.h"

struct arena;

struct sched_buffer_pods {
    uint32_t n;
    const struct k8s_pod *pods; /* [n] without status; shape ids are UINT32_MAX */
    const uint32_t *buffer_i;   /* [n] into cluster->buffers */
    uint32_t n_broken;
    const uint32_t
        *broken; /* [n_broken] into cluster->buffers: no such template or workload, or no size */
};

/* The pods of all buffers, by namespace and name of the buffer. */
struct sched_buffer_pods sched_buffers_of(struct arena *arena, const struct k8s_cluster *cluster);

/* The cluster with those pods appended to its own (the first cluster->n_pods stay where they are).
 * The cluster itself when there are none. */
const struct k8s_cluster *sched_cluster_with_buffers(struct arena *arena,
                                                     const struct k8s_cluster *cluster,
                                                     const struct sched_buffer_pods *buffers);

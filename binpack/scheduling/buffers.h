/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CapacityBuffers: room to be kept free, as pods that do not exist (karp: virtual pods).
 *
 * replicas = max(spec.replicas, ceil(percentage of the scalable's replicas), at least 1), then at
 * most what `limits` allow; without a size the limits alone decide. The pods are named
 * capacity-buffer-<name>-<i>, carry the template's labels, have the lowest priority, and lose their
 * volumes. They are placed like others, never nominate, and are reported as the buffer's. */
#pragma once

#include "binpack/scheduling/vocab.h"

struct arena;

struct sched_buffer_pods {
    uint32_t n;
    const struct k8s_pod *pods; /* has_status false, source_i of no meaning */
    const uint32_t *buffer_i;   /* [n] into cluster->buffers */
    uint32_t n_broken;          /* buffers that name no template or workload we know */
    const uint32_t *broken;     /* [n_broken] into cluster->buffers */
};

struct sched_buffer_pods sched_buffers_of(struct arena *arena, const struct sched_vocab *vocab,
                                          const struct k8s_cluster *cluster);

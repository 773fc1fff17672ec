/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a new node of a type offers under a node class, part by part. Used to fill in a catalogue
 * (default node class) and by cat_type_room. karp: instancetype/types.go computeCapacity,
 * kubeReservedResources, evictionThreshold */
#pragma once

#include "binpack/catalog/amounts.h"
#include "binpack/catalog/build.h"
#include "binpack/catalog/catalog.h"

struct cat_parts {
    struct cat_amounts capacity, kube_reserved, system_reserved, eviction, allocatable;
};

/* `type` needs vcpu, memory_bytes, enis, ipv4_per_eni, local_nvme_bytes, arch, given, and of its
 * maps what the file stated (while it is built) or all (later); allocatable counts only with
 * allocatable_given. Amounts are made in `arena`. */
void cat_parts_compute(const struct cat_type *type, const struct aws_nodeclass *node_class,
                       const struct cat_settings *settings, const struct strtab *tab,
                       const struct cat_names *names, struct arena *arena,
                       struct cat_parts *ret_parts);

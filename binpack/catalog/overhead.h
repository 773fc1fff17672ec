/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a node keeps for itself: the formulas of the AWS provider of Karpenter v1.14, as numbers.
 * Memory and storage in bytes, cpu in millicores, counts else. karp: instancetype/types.go */
#pragma once

#include <stdint.h>

#define CAT_MIB INT64_C(1048576)
#define CAT_GIB INT64_C(1073741824)

/* Memory a node shows of `memory_bytes` sold: less 64 MiB on arm64, less the hypervisor's share
 * (ppm) in whole MiB, up. */
int64_t cat_memory_capacity(int64_t memory_bytes, int arm64, int64_t overhead_ppm);

/* Pods for which the VPC CNI has addresses, prefix delegation off; 0 without a usable interface. */
int64_t cat_eni_pods(int64_t enis, int64_t ipv4_per_eni, int64_t reserved_enis);

/* kubeReserved for so many cores and pods. */
int64_t cat_kube_reserved_cpu(int64_t vcpu);
int64_t cat_kube_reserved_memory(int64_t pods);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hash by which Karpenter tells that the template of a NodePool has changed, bit for bit.
 *
 * It is the structural hash of the template without its requirements (FNV-1 of 64 bits; a map is
 * the exclusive or of its hashed pairs, a list of its elements; a struct hashes its type name and
 * then each field that is not zero, in the order of declaration), written in decimal. NodePools and
 * NodeClaims carry it in the annotation karpenter.sh/nodepool-hash, and which version of the
 * algorithm made it in karpenter.sh/nodepool-hash-version. */
#pragma once

#include "k8s/karpenter.h"

#define HASH_VERSION "v3"

uint64_t hash_nodepool(const struct karp_nodepool *pool, const struct strtab *tab);

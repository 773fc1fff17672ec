/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an API server lets through and no node could ever be made of (karp: NodePool
 * RuntimeValidate): labels and requirements with keys that are Karpenter's own, the same taint
 * twice, capacity types that there are not. What breaks a rule of its CRD is not in the state at
 * all. */
#pragma once

#include "k8s/karpenter.h"

struct arena;
struct sched_vocab;

/* Empty when it is well; else all that is wrong, joined by "; ", in `arena`. */
struct str validation_faults(const struct karp_nodepool *pool, const struct sched_vocab *vocab,
                             struct arena *arena);

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/annotations.h"

#include <stddef.h>

static const char *const kept[] = {
    ANN_DO_NOT_DISRUPT,
    ANN_POOL_HASH,
    ANN_POOL_HASH_VERSION,
    ANN_TERMINATE_BY,
    "karpenter.sh/nodeclaim-min-values-relaxed",
    "karpenter.sh/capacity-buffer-fake-pod",
    ANN_CLASS_HASH,
    ANN_CLASS_HASH_VERSION,
    ANN_CLASS_PROFILE,
    ANN_DELETION_COST,
    ANN_SAFE_TO_EVICT,
    "kubernetes.io/config.mirror",
    "volume.kubernetes.io/selected-node",
    ANN_BIND_COMPLETED,
    ANN_DEFAULT_CLASS,
    ANN_DEFAULT_CLASS_V1,
    ANN_CLASS_V1,
    ANN_LAUNCH,
};

bool k8s_annotation_kept(struct str key)
{
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (str_eq(str_of(kept[i]), key)) {
            return true;
        }
    }
    return false;
}

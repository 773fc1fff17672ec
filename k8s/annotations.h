/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which annotations are kept when an object is decoded: those that some rule reads. All others
 * (large ones such as kubectl's last-applied-configuration among them) are dropped. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

#define ANN_DO_NOT_DISRUPT     "karpenter.sh/do-not-disrupt"
#define ANN_BIND_COMPLETED     "pv.kubernetes.io/bind-completed"
#define ANN_DEFAULT_CLASS      "storageclass.kubernetes.io/is-default-class"
#define ANN_DEFAULT_CLASS_V1   "storageclass.beta.kubernetes.io/is-default-class"
#define ANN_CLASS_V1           "volume.beta.kubernetes.io/storage-class"
#define ANN_POOL_HASH          "karpenter.sh/nodepool-hash"
#define ANN_POOL_HASH_VERSION  "karpenter.sh/nodepool-hash-version"
#define ANN_CLASS_HASH         "karpenter.k8s.aws/ec2nodeclass-hash"
#define ANN_CLASS_HASH_VERSION "karpenter.k8s.aws/ec2nodeclass-hash-version"
#define ANN_TERMINATE_BY       "karpenter.sh/nodeclaim-termination-timestamp"
#define ANN_CLASS_PROFILE      "karpenter.k8s.aws/instance-profile-name"
#define ANN_DELETION_COST      "controller.kubernetes.io/pod-deletion-cost"
#define ANN_SAFE_TO_EVICT      "cluster-autoscaler.kubernetes.io/safe-to-evict"
#define ANN_LAUNCH             "binpack/launch" /* see provisioner/lifecycle/launch.h */

bool k8s_annotation_kept(struct str key);

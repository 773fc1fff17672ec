/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hash by which Karpenter tells that an EC2NodeClass has changed in a way that makes its nodes
 * drift, bit for bit: the annotation karpenter.k8s.aws/ec2nodeclass-hash of node classes and
 * NodeClaims, written in decimal, with karpenter.k8s.aws/ec2nodeclass-hash-version beside it.
 *
 * It is the structural hash (base/structhash.h) of four things, or-ed exclusively: the spec without
 * its selectors, the family of its images, the cluster's certificate authority as the program was
 * given it (from v5 on), and the kubelet's settings as JSON (v6; before that they are a struct
 * inside the spec). Hashes of different versions are not compared: annotations of an older one are
 * rewritten, not taken for drift. */
#pragma once

#include "provisioner/nodeclass/class.h"

enum nodeclass_hash_version {
    NODECLASS_HASH_V4, /* Karpenter 1.3 to 1.11 */
    NODECLASS_HASH_V5, /* 1.12 to 1.14 */
    NODECLASS_HASH_V6  /* what comes after 1.14 */
};

/* "v5", ... */
struct str nodeclass_hash_version_name(enum nodeclass_hash_version version);

/* `ca` is the certificate authority in base64, or empty when unknown. ERR_INVALID: an AMI family
 * that does not exist, a quantity or a kubelet setting that v4 and v5 could not read. */
MUST_CHECK bool nodeclass_hash(const struct nodeclass *class, enum nodeclass_hash_version version,
                               struct str ca, struct arena *arena, uint64_t *ret_hash,
                               struct err *err);

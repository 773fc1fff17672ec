/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Launch templates: what EC2 is told about every instance of one kind, and the tags of all that is
 * launched.
 *
 * The content is that of Karpenter v1.14 (pkg/providers/launchtemplate). The name is made from the
 * content, so that the same need finds the template it has made before, and a changed need never
 * finds a wrong one: "karpenter.k8s.aws/<number>". */
#pragma once

#include "awsapi/service_ec2.h"
#include "provisioner/nodeclass/class.h"
#include "provisioner/nodeclass/status.h"

struct nodeclass_launch {
    const struct nodeclass *class;
    enum nodeclass_family family;
    const struct nodeclass_status *status; /* security groups, instance profile, placement group */
    struct str image_id;
    struct str user_data; /* as text */
    struct str cluster_name, region;
    struct str nodepool;       /* empty: none */
    struct str capacity_type;  /* "on-demand", "spot", "reserved" */
    struct str tenancy;        /* "default", "dedicated" */
    bool ipv6;                 /* the cluster's Services have addresses of IPv6 */
    bool enclave;              /* the node is asked for a Nitro sandbox */
    int64_t n_efa;             /* interfaces of Elastic Fabric Adapter asked for; 0: none */
    int64_t partition;         /* of the placement group; 0: none */
    bool reserved_capacity;    /* the gate ReservedCapacity */
    struct str reservation_id; /* with capacity type reserved */
    bool capacity_block, interruptible; /* what kind of reservation that is */
};

/* The tags of everything launched: those of the class, and those by which Karpenter's IAM policy
 * and its own look-ups know them. Sorted by key. ERR_INVALID for a tag that the class may not
 * set. */
MUST_CHECK bool nodeclass_tags(const struct nodeclass *class, struct str cluster_name,
                               struct str nodepool, struct arena *arena,
                               struct nodeclass_pairs *ret_tags, struct err *err);

/* The request that makes the template. Texts are shared with the launch. Errors: those of
 * nodeclass_tags; ERR_INVALID for a volume size that is no quantity or beyond 64 TiB. */
MUST_CHECK bool nodeclass_template(const struct nodeclass_launch *launch, struct arena *arena,
                                   struct ec2_create_launch_template_request *ret_request,
                                   struct err *err);

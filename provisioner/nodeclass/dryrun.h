/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether EC2 would let nodes of an EC2NodeClass be launched: a launch is tried without doing it.
 *
 * A launch template is made, CreateFleet and RunInstances are asked with DryRun about it, and it is
 * removed again: nobody else uses it, because it belongs to no NodePool. One question at a time,
 * without I/O: the owner asks AWS and hands back ends, as for an upkeep (upkeep.h); nobody minds a
 * page. Reasons and messages are those of Karpenter v1.14
 * (pkg/controllers/nodeclass/validation.go), which tries the same calls. One instance type is
 * tried: the first of those that NodePools of the class may buy that boots from an image without
 * special devices, whose snapshots are the smallest; else the first that has an image at all. For
 * Windows, and where no NodePool buys anything, m5.large or m6g.large.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFleet.html
 */
#pragma once

#include "awsapi/fault.h"
#include "provisioner/nodeclass/resolver.h"
#include "provisioner/nodeclass/status.h"
#include "provisioner/nodeclass/userdata.h"

struct nodeclass_dryrun; /* opaque, lives in its arena */

/* An instance type that a NodePool of the class may buy. */
struct nodeclass_type {
    struct str name, arch; /* "m5.large", "amd64" */
    bool has_gpus, has_accelerators;
    int64_t max_pods;
};

/* What is tried. */
struct nodeclass_trial {
    struct nodeclass_type type;
    const struct nodeclass_image *image; /* of the status */
};

/* `types` [n_types]: the one to be tried rather first. The status has an image. */
struct nodeclass_trial nodeclass_dryrun_choose(enum nodeclass_family family,
                                               const struct nodeclass_status *status,
                                               const struct nodeclass_type *types,
                                               uint32_t n_types);

/* All must live as long as the dry run. */
struct nodeclass_dryrun_facts {
    const struct nodeclass *class;
    enum nodeclass_family family;
    const struct nodeclass_status *status; /* complete: subnets, groups, images, profile */
    struct userdata_cluster cluster;
    struct str region;
    struct nodeclass_trial trial;
    bool ipv6; /* the cluster's Services have addresses of IPv6 */
};

struct nodeclass_dryrun *nodeclass_dryrun_new(const struct nodeclass_dryrun_facts *facts,
                                              struct arena *arena);

/* The next question; false: one is under way, or it is over. */
MUST_CHECK bool nodeclass_dryrun_next(struct nodeclass_dryrun *dryrun,
                                      struct nodeclass_question *ret_question);
/* The end of the answer; `text` says of a fault what a person should know. */
void nodeclass_dryrun_end(struct nodeclass_dryrun *dryrun, const struct aws_fault *fault,
                          struct str text);
bool nodeclass_dryrun_is_over(const struct nodeclass_dryrun *dryrun);

/* Whether a fault answers the question rather than leaving it open: it would have worked, IAM says
 * no, or this subnet will not do. */
bool nodeclass_dryrun_is_answer(const struct nodeclass_dryrun *dryrun,
                                const struct aws_fault *fault);

/* Once it is over. */
struct nodeclass_verdict {
    struct nodeclass_condition condition; /* texts in the arena of the dry run */
    bool keep; /* it holds until class or status change, or for half an hour (karp-aws: validation
                  cache); otherwise it is tried again soon */
};
struct nodeclass_verdict nodeclass_dryrun_verdict(const struct nodeclass_dryrun *dryrun);

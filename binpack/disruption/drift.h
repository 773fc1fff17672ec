/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drift that the objects themselves show, in Karpenter's order: the hash of the NodePool's
 * template, its requirements, whether its type is still sold, then the hash of the node class, the
 * image, the security groups, the subnets and the capacity reservations in the status of the node
 * class.
 *
 * Groups and subnet of the running instance are known to EC2 only: where it has been asked
 * (karp_nodeclaim.instance) both are compared; else groups are not, and the subnet is known by its
 * zone. The placement group of the instance is not looked at. The hash of a node class is compared
 * as annotated, not computed: the bundle of certificates that is part of it is in no object. */
#pragma once

#include "binpack/scheduling/offers.h"
#include "binpack/scheduling/running.h"

/* "NodePoolDrifted", "RequirementsDrifted", "InstanceTypeNotFound", "NodeClassDrift", "AMIDrift",
 * "SecurityGroupDrift", "SubnetDrift", "CapacityReservationDrift"; NULL: none is seen. Static text.
 */
const char *drift_detect(const struct sched_offers *offers, const struct sched_machine *machine,
                         const struct karp_nodepool *pool, wall_t now);

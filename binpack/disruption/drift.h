/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drift that the objects themselves show, in Karpenter's order: the hash of the NodePool's
 * template, its requirements, whether its type is still sold, then the hash of the node class, the
 * image, the subnets and the capacity reservations in the status of the node class.
 *
 * What only EC2 knows is not looked at: the security groups and the placement group of the running
 * instance. The hash of a node class is compared as annotated, not computed: the bundle of
 * certificates that is part of it is in no object. The subnet of an instance is known by its zone.
 */
#pragma once

#include "binpack/scheduling/offers.h"
#include "binpack/scheduling/running.h"

/* "NodePoolDrifted", "RequirementsDrifted", "InstanceTypeNotFound", "NodeClassDrift", "AMIDrift",
 * "SubnetDrift", "CapacityReservationDrift"; NULL: none is seen. Static text. */
const char *drift_detect(const struct sched_offers *offers, const struct sched_machine *machine,
                         const struct karp_nodepool *pool, wall_t now);

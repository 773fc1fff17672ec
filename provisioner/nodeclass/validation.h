/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The condition ValidationSucceeded: whether a node could be launched with an EC2NodeClass at all.
 *
 * What the CRD cannot say is checked here, in Karpenter's order and words
 * (pkg/controllers/nodeclass/validation.go, pkg/apis/v1/kubeletconfiguration_validation.go): the
 * kubelet's settings, whether the family applies them, the other conditions, the tags. Settings
 * that are CEL expressions are refused, as with the feature gate NodeClassCEL off. What only EC2
 * can say, by trying a launch without doing it, is not asked here: see dryrun.h. */
#pragma once

#include "provisioner/nodeclass/status.h"

/* True with the reason "DryRunDisabled" when nothing is wrong. `status` may lack this condition;
 * its others must be set. Texts are in `arena`. */
struct nodeclass_condition nodeclass_validate(const struct nodeclass *class,
                                              enum nodeclass_family family,
                                              const struct nodeclass_status *status,
                                              struct str cluster_name, struct arena *arena);

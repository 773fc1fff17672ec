/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labels that follow from what EC2 says about a type. karp: instancetype/types.go
 * computeRequirements */
#pragma once

#include "base/strtab.h"
#include "binpack/catalog/amounts.h"
#include "binpack/catalog/from_ec2.h"

/* karpenter.k8s.aws/instance-category and -generation, -family, -size and -capability-flex, as far
 * as the name has the form of EC2's ("m5.large"), with -cpu, -memory, -local-nvme and, for exactly
 * one kind of GPU or accelerator, its labels. These follow from figures that a catalogue file
 * states too. */
void cat_labels_derive(struct cat_labels *labels, const struct ec2_instance_type *row,
                       struct arena *arena, struct strtab *tab);

/* The rest, for rows that come from EC2 itself: manufacturer, clock speed, hypervisor, bandwidths,
 * encryption in transit, Nitro Enclaves, tenancy. */
void cat_labels_describe(struct cat_labels *labels, const struct ec2_instance_type *row,
                         struct arena *arena, struct strtab *tab);

/* "us east 1" form used in label values: lower case, '-' for blanks. */
strid cat_label_word(struct str text, struct strtab *tab);

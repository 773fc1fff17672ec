/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why pods have no place, in words their owner can act on: per NodePool the rule that fails, the
 * value it fails with and the nearest value that would pass. A pool is judged in the order labels,
 * taints, host ports, resources, limits, minValues, rules between pods; the further a pod gets, the
 * nearer the miss. All preferences count as dropped. Codes are stable and listed in
 * docs/reasons.md. Part of make.h. */
#pragma once

#include "binpack/plan/assemble.h"

/* Fills plan->unplaced for the given pods, which are in order. ERR_LIMIT as sched_needs_new. */
MUST_CHECK bool reasons_add(struct assembly *assembly, const uint32_t *pods, uint32_t n,
                            struct err *err);

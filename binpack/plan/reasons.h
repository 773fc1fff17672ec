/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a pod has no place, in words its owner can act on: per NodePool the rule that fails, the value it fails with and the nearest value
 * that would pass. Codes are stable and listed in docs/reasons.md. Part of make.h. */
#pragma once

#include "binpack/plan/assemble.h"

/* Reasons of one pod, nearest miss first. `pending_i` is its place among snapshot->pending, SCHED_NONE when it is BLOCKED. `scratch` is
 * rewound. */
void reasons_of(const struct assembly *assembly, uint32_t pod, uint32_t pending_i, struct arena *scratch,
                struct plan_unplaced *ret_unplaced);

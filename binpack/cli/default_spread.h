/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --default-spread: the constraints that a cluster's scheduler gives to pods without their own
 * (podTopologySpread.defaultConstraints of its configuration). */
#pragma once

#include "base/err.h"
#include "k8s/cluster.h"

struct arena;

/* Reads "KEY:MAXSKEW:ScheduleAnyway|DoNotSchedule,..." and puts the constraints into *cluster, as a
 * copy in `arena`. ERR_INVALID and ERR_LIMIT name the part that is wrong. */
MUST_CHECK bool default_spread_apply(struct str text, struct strtab *tab, struct arena *arena,
                                     const struct k8s_cluster **cluster, struct err *err);

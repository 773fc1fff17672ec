/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --default-spread: the constraints that a cluster's scheduler gives to pods without their own
 * (podTopologySpread.defaultConstraints of its configuration). */
#pragma once

#include "base/err.h"
#include "k8s/cluster.h"

struct arena;

enum { DEFAULT_SPREAD_MAX = 16 };

struct default_spread {
    uint32_t n;
    const struct k8s_spread *v; /* [n] */
};

/* Reads "KEY:MAXSKEW:ScheduleAnyway|DoNotSchedule,...", or nothing: no constraints.
 * ERR_INVALID and ERR_LIMIT name the part that is wrong. */
MUST_CHECK bool default_spread_parse(struct str text, struct strtab *tab, struct arena *arena,
                                     struct default_spread *ret_spread, struct err *err);

/* Reads the same text and puts the constraints into *cluster, as a copy in `arena`. Errors as
 * above. */
MUST_CHECK bool default_spread_apply(struct str text, struct strtab *tab, struct arena *arena,
                                     const struct k8s_cluster **cluster, struct err *err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much may be bought in a minute, whatever a plan says: a guard against runaways (a workload
 * that makes pods without end, a mistake of ours), not a limit that people plan with. Those stand
 * in NodePools. */
#pragma once

#include "base/attr.h"
#include "base/units.h"

struct launch_budget {
    int64_t n_most;   /* NodeClaims in a minute; 0: any number */
    usd_t price_most; /* of theirs together, nano-dollars per hour; 0: any */
    mono_t began;     /* of the minute that is counted */
    int64_t n;
    usd_t price;
};

/* True: it is counted. False: *ret_at is when the next minute begins. One alone that is dearer than
 * all of a minute's is let through. */
MUST_CHECK bool launch_budget_take(struct launch_budget *budget, usd_t price, mono_t now,
                                   mono_t *ret_at);

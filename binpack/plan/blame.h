/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which what-if option is to blame for pods without a place.
 *
 * The reasons of a plan judge NodePools; where an option such as --zone-down took the offerings
 * away, the pool is not what is wrong. A pod that not even alone on an empty cluster has a place is
 * tried again without each of those options, and without all of them; where that gives it one, that
 * is its first reason (code WHAT_IF). */
#pragma once

#include "binpack/plan/make.h"

enum { BLAME_KINDS_MAX = 50 }; /* of pods that are tried; pods with the same reasons are one kind */

/* What an option took away: its text ("--zone-down=us-east-1a"), and the catalogue that the plan
 * would have without it. */
struct blame_change {
    struct str option;
    const struct catalog *without;
};

/* `given` is the catalogue without any of the `n` changes, `settings` are those of the plan;
 * everything new lives in `arena`. */
void blame_add(struct plan *plan, const struct make_settings *settings,
               const struct blame_change *changes, uint32_t n, const struct catalog *given,
               struct arena *arena);

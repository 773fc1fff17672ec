/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spreading spot over pools (instance type x zone): from rules about shares of a plan to absolute
 * caps.
 *
 * The shares depend on the plan, so it is made without them first; as long as one does not hold,
 * the caps that its numbers ask for become rows of the problem (stock of offerings, limits) and it
 * is made anew. Caps only ever get tighter. The bound of the first plan is below every plan of
 * these pods, spread or not, so it stays the bound. */
#pragma once

#include "binpack/plan/make.h"

enum { DIVERSIFY_TRIES = 24 };

/* Tightens `caps`, whose arrays live in `arena`, after a plan that breaks the rules. False: they
 * cannot be tighter. */
bool diversify_tighten(const struct plan *plan, const struct plan_spot_rules *rules,
                       struct arena *arena, struct sched_spot_caps *caps);

/* Names the rules among what the bound leaves out. */
void diversify_relax(struct arena *arena, struct plan *plan);

/* Gives a plan under caps the bound of the free one. */
void diversify_adopt(const struct plan *free_plan, struct plan *plan);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a round of disruption says about itself: commands, steps, the nodes that stay and why. Part
 * of disrupt.h. */
#pragma once

#include "binpack/plan/disrupt_world.h"

/* Fills trial->plan->disruption and the running cost; everything lives in `arena`, the plan's.
 * Errors: of disrupt_steps. */
MUST_CHECK bool disrupt_report(const struct disrupt_world *w, const disrupt_choice *choice,
                               struct disrupt_trial *trial, const struct disrupt_open *open,
                               struct arena *arena, struct err *err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The smallest relaxation that would admit a pod that has no place.
 *
 * Candidates are single changes of the pod (a node selector less, a toleration more, a smaller
 * request, a family of rules between pods less) and of a NodePool (a value more allowed, a
 * requirement less), and pairs of a toleration and one other change for the same NodePool. A
 * candidate is proposed only after the pod has been planned with it, alone on an empty cluster, and
 * got a place. Single changes come before pairs, then the cheaper node. */
#pragma once

#include "binpack/plan/make.h"

enum { RELAX_PODS_MAX = 20, RELAX_SHOWN_MAX = 4 };

/* Fills the relaxations of plan->explanations that have no place (the first RELAX_PODS_MAX of
 * them), and `alone` where the pod has a place as it is when it is alone. `settings` are those of
 * the plan; everything new lives in `arena`. */
void relax_add(struct plan *plan, const struct make_settings *settings, struct arena *arena);

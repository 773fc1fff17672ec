/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The karpenter.sh/v1 NodeClaims that a plan's new nodes would be bought with, one YAML or JSON
 * document each, as a service running the plan would create them: the NodePool's template and
 * requirements, narrowed to the zone, the capacity type and the instance types that the plan holds
 * good, and the resources its pods and daemon pods request. The number of each claim replaces the
 * random suffix of the API server's generateName, so the output is the same every time. */
#pragma once

#include "base/jsonw.h"
#include "binpack/plan/plan.h"

struct arena;

void plan_nodeclaims(const struct plan *plan, struct jsonw *w, struct arena *scratch);

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

/* What a NodeClaim has beyond what its plan says. */
struct plan_nodeclaim_meta {
    struct str name;
    struct str finalizer;   /* empty: none */
    uint32_t n_annotations; /* on top of those of the NodePool's template */
    const struct plan_nodeclaim_annotation {
        struct str key, value;
    } * annotations; /* [n_annotations] */
};

/* That of plan->nodes[node_i]. */
void plan_nodeclaim(const struct plan *plan, uint32_t node_i,
                    const struct plan_nodeclaim_meta *meta, struct jsonw *w, struct arena *scratch);

void plan_nodeclaims(const struct plan *plan, struct jsonw *w, struct arena *scratch);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NodeClaims to create: what a round's plan would buy, as values, and whether that still holds.
 *
 * A plan is made from a snapshot; by the time it is there, pods may have gone and others may have
 * bought. So each claim is looked at once more against the objects of now, before it is written.
 * The finalizer is part of the object from the first moment: a claim that is deleted while its
 * instance is being launched stays until that instance is gone. */
#pragma once

#include "binpack/plan/plan.h"
#include "k8s/state.h"

struct sched_vocab;

#define CLAIM_FINALIZER "karpenter.sh/termination"

struct claim_amount {
    struct str resource;
    int64_t value; /* as in struct k8s_quantity */
};

/* Everything in the arena of its round. */
struct claim_wanted {
    struct str name, pool;
    struct str body; /* JSON of the NodeClaim */
    usd_t price;     /* nano-dollars per hour, of the type that the plan prefers */
    uint32_t n_pods, n_amounts;
    const struct str *pods; /* [n_pods] "namespace/name" */
    const struct claim_amount
        *amounts; /* [n_amounts] the most that its node may count against limits */
};

/* One for each new node of the plan, in its order. Names end in five characters that follow from
 * the pool, the plan's time and `round`; a name that is taken is refused by the API server. */
void claims_of_plan(const struct plan *plan, uint64_t round, struct arena *arena,
                    const struct claim_wanted **ret_claims, uint32_t *ret_n);

enum claim_verdict {
    CLAIM_GOOD,
    CLAIM_NO_POOL, /* its NodePool is gone, or going */
    CLAIM_NO_PODS, /* none of its pods needs a place any more */
    /* claim_check does not say these two: */
    CLAIM_WAITS,       /* launches of its NodePool fail: not now */
    CLAIM_OVER_BUDGET, /* so much has been bought this minute: not now */
    CLAIM_OVER_LIMIT   /* its NodePool's limits do not allow it: running nodes, claims in flight and
                          those of `before` together */
};

/* `before`: [n_before] claims that are being written and that `state` does not have yet. */
enum claim_verdict claim_check(const struct k8s_state *state, const struct sched_vocab *vocab,
                               const struct catalog *catalog, const struct claim_wanted *claim,
                               const struct claim_wanted *const *before, uint32_t n_before);

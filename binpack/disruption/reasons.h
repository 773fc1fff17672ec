/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why nodes go, with the names that NodePool budgets, NodeClaim conditions and metrics use. */
#pragma once

#include <stdint.h>

enum disrupt_reason {
    DISRUPT_EMPTY,
    DISRUPT_DRIFTED,
    DISRUPT_UNDERUTILIZED,
    DISRUPT_EXPIRED,
    DISRUPT_N_REASONS,
    DISRUPT_NONE = DISRUPT_N_REASONS /* the node stays */
};

/* What keeps a node from going, as far as somebody could remove it. */
enum disrupt_blocker {
    BLOCKER_OTHER, /* nothing that could be removed: in flight, unmanaged, no price, ... */
    BLOCKER_NODE_ANNOTATION,   /* do-not-disrupt on Node or NodeClaim */
    BLOCKER_POD_ANNOTATION,    /* do-not-disrupt, or safe-to-evict where it counts, on a pod */
    BLOCKER_PDB,               /* PodDisruptionBudgets over a pod */
    BLOCKER_CONSOLIDATE_AFTER, /* has not passed */
    BLOCKER_CONSOLIDATION_OFF, /* consolidateAfter Never */
    BLOCKER_POLICY,            /* WhenEmpty */
    BLOCKER_BUDGET,            /* disruption budgets of the NodePool */
    BLOCKER_ROUND_LIMIT        /* --max-disruptions, --max-moved-pods */
};

/* "Empty", "Drifted", "Underutilized", "Expired"; static text. */
const char *disrupt_reason_name(enum disrupt_reason reason);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may stand in for nodes that are consolidated: Karpenter's price filters (karp:
 * consolidation.go, multinodeconsolidation.go filterOutSameInstanceType).
 *
 * A type stays if even the dearest way in which it could be launched costs less than all the nodes
 * together: the dearest offering of the first of reserved, spot, on-demand that it has. A claim
 * that could be spot or on demand becomes spot. Several nodes are not replaced by a type of theirs
 * unless it is cheaper than the cheapest such node. Spot nodes are replaced by spot with the gate
 * only, a single one only by the 15 cheapest of at least 15 cheaper types. */
#pragma once

#include "binpack/emulate/claims.h"

struct emu_old_node {
    uint32_t type_i; /* catalog->types; SCHED_NONE: not in the catalogue */
    usd_t price;
    bool spot;
};

/* Narrows an open claim to what may replace the nodes; false: nothing may. */
bool emu_claim_replaces(struct emu_claims *claims, struct emu_claim *claim,
                        const struct emu_old_node *nodes, uint32_t n, bool spot_to_spot);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the search for a round of disruption: what its parts share. */
#pragma once

#include "binpack/disruption/purse.h"
#include "binpack/plan/disrupt_world.h"

enum { FLIPS_NODES_MAX = 48 }; /* candidates up to which single nodes are tried one by one */

struct search {
    struct disrupt_world *w;
    struct arena *arena;        /* of the round */
    disrupt_choice *forced;     /* [nodes.n] */
    struct disrupt_purse purse; /* after what is forced */
    uint64_t *may;              /* [bits_words(nodes.n)] underutilized candidates */
    uint32_t n_may;
    struct disrupt_open open;
    disrupt_choice *best; /* [nodes.n] */
    struct arena best_arena;
    struct disrupt_trial best_trial;
    uint32_t fewest_waiting; /* pods without a place when nothing is consolidated */
    usd_t *later; /* [nodes.n] the most that a trial with the node would earn whose pods find no
                     moment to move; 0: none */
    const char **later_why; /* [nodes.n] what that trial says; static */
    uint32_t n_trials;
    uint32_t last_new; /* new nodes of the last trial */
};

/* What the budgets and options of the round let go. Lives in `arena`. */
struct disrupt_purse disrupt_search_purse(const struct disrupt_world *w, struct arena *arena);

/* Expired nodes, and empty ones that nothing holds as far as the purse reaches; nothing else. */
void disrupt_search_unasked(const struct disrupt_world *w, struct disrupt_purse *purse,
                            disrupt_choice *choice);

/* Room that is there comes before new nodes: with all nodes in place, an empty one that takes a pod
 * that waits is nominated for it (karp: nominated nodes are no candidates; virtual pods protect
 * from emptiness only), unless it is cheaper to buy for the pod. */
bool disrupt_hold_empty(struct search *x, struct err *err);

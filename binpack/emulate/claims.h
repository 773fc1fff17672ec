/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Claims: nodes that are being put together, and what they can still become (karp: nodeclaim.go).
 *
 * The offerings of a NodePool that differ in zone and capacity type only are one *entry*. A claim
 * keeps the cells that the labels its pods ask for leave, and the entries that still hold all its
 * pods in one of these cells. Both only ever shrink, so a pod that a claim has refused for its
 * labels, ports or size is refused for good. A launched claim is one with a single offering. Part
 * of karpenter.h. */
#pragma once

#include "base/vec.h"
#include "binpack/emulate/domains.h"

struct emu_entry {
    uint32_t from, n; /* offers */
};

struct emu_pool {
    uint32_t n_entries;
    const struct emu_entry *entries;
    const uint64_t *cells;     /* [cell_words] of all its variants */
    struct k8s_resources left; /* of its limits */
    bool counts_values;        /* minValues that must hold */
};

struct emu_claims {
    const struct emu_asks *asks;
    struct emu_domains *domains;
    struct arena *arena;
    size_t cell_words;
    struct emu_pool *pools;      /* [n_pools] */
    struct strtab *reservations; /* id -> index + 1 */
    int64_t *reserved_left;      /* [reservations] */
    uint64_t *reservations_open; /* had a machine left when the pass began */
    uint64_t *cells, *entries;   /* work space */
    uint64_t *held;
    uint32_t epoch;    /* what claims refused in an earlier one counts no longer */
    bool exact_claims; /* a claim that pods share is one attachment of a machine; false: as the
                          sizes of asks.h have it, which promise more */
    struct emu_trial *trial; /* what happens can be taken back; NULL: it is for good */
};

struct emu_claim {
    uint32_t pool_i, node_i; /* node_i: a running node, else SCHED_NONE */
    uint64_t *cells, *entries;
    int64_t *used, *room; /* [n_dims] room: of the roomiest entry in each dimension */
    struct emu_host_count *host;
    bool out;          /* its machine goes: nothing joins any more */
    uint64_t *refused; /* by ask, in this epoch */
    uint32_t epoch;
    uint64_t *held;      /* reservations that it keeps a machine of; NULL: none */
    VEC(uint32_t) pods;  /* into snapshot->pending */
    VEC(uint32_t) needs; /* of the same pods */
    VEC(struct k8s_host_port) ports;
    uint32_t offer_i; /* launched: what it is; else SCHED_NONE */
    uint32_t n_options;
    const uint32_t *options; /* launched: catalog->types */
};

enum emu_answer { EMU_NO, EMU_YES, EMU_RESERVED /* a reservation would do, but is taken */ };

void emu_claims_new(const struct emu_asks *asks, struct emu_domains *domains, struct arena *arena,
                    struct emu_claims *ret_claims);

/* A running node as something that takes pods. */
struct emu_claim *emu_claim_of_node(struct emu_claims *claims, uint32_t node_i);

/* A new claim of the pool with all types that its limits leave; NULL when there are none. The arena
 * may be rewound when it is not used. */
struct emu_claim *emu_claim_new(struct emu_claims *claims, uint32_t pool_i);

/* Lets a pod of the ask join; on EMU_YES it is in, and rules and reservations know. */
enum emu_answer emu_claim_join(struct emu_claims *claims, struct emu_claim *claim,
                               uint32_t pending_i, uint32_t need_i, uint32_t ask_i);

/* Takes off the pool's limits the most that the claim could turn out to be, as Karpenter does while
 * it plans. */
void emu_claim_charge(struct emu_claims *claims, const struct emu_claim *claim);

struct rng;

/* Launches the claim: up to options_max types, and the cheapest offering of the first capacity type
 * of reserved, spot, on-demand that they have. */
void emu_claim_launch(struct emu_claims *claims, struct emu_claim *claim, uint32_t options_max,
                      struct rng *draw);

/* Launches a claim that nobody has charged, with what it counts for and holds: rules, limits and
 * reservations know it as what it is from now on. With `draw` (may be NULL) any of its offerings
 * may be the one. */
void emu_claim_launch_at_once(struct emu_claims *claims, struct emu_claim *claim,
                              uint32_t options_max, struct rng *draw);

/* A pod has joined a launched claim: the machine is there already, so nothing else stands in for it
 * but what minValues ask to be named. */
void emu_claim_settle(struct emu_claims *claims, struct emu_claim *claim);

/* Lets a pod join a launched claim that is too small for it by launching a larger type in the same
 * cell instead. Not where a limit or a reservation counts what is launched. */
enum emu_answer emu_claim_grow(struct emu_claims *claims, struct emu_claim *claim,
                               uint32_t pending_i, uint32_t need_i, uint32_t ask_i,
                               uint32_t options_max);

/* Limits, reservations and rules as they are once these claims are launched. `all` also has the
 * running nodes. */
void emu_claims_recount(struct emu_claims *claims, uint32_t n, struct emu_claim *const *all);

/* The reservation of an offer as an index; SCHED_NONE: it is not reserved. */
uint32_t emu_reservation_of(const struct emu_claims *claims, const struct sched_offer *offer);

/* Does what is left of an open claim still have the minValues of its pool? */
bool emu_claim_shows_variety(struct emu_claims *claims, const struct emu_claim *claim);

/* What a machine of the offer has for pods, by dimension. */
const int64_t *emu_offer_capacity(const struct emu_claims *claims, uint32_t offer_i);

/* Bare metal, or with an accelerator: kept out of launches that can do without. */
bool emu_type_is_exotic(const struct emu_claims *claims, uint32_t type_i);

/* Sets claim->room from its entries. */
void emu_claim_room(const struct emu_claims *claims, struct emu_claim *claim);

/* ---- trials: what joins, leaves and counts can be taken back */

/* Begins one; there is no trial within a trial. The claims' arena may be rewound to before it once
 * it has been taken back. */
void emu_trial_begin(struct emu_claims *claims, struct emu_trial **ret_trial);

/* The machine of the claim, a running or launched one, goes: its pods count nowhere, and the limits
 * of its pool get `capacity` back. */
void emu_trial_remove(struct emu_claims *claims, struct emu_claim *claim,
                      const struct k8s_resources *capacity);

/* As it was at the beginning. */
void emu_trial_undo(struct emu_claims *claims, struct emu_trial *trial);

/* What happened holds. */
void emu_trial_keep(struct emu_claims *claims);

/* What happens to the claim next can be taken back; called by those that change it. */
void emu_trial_note(struct emu_claims *claims, struct emu_claim *claim);

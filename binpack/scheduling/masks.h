/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Masks: where each need may go by itself, whatever other pods do.
 *
 * On new nodes: labels (one of the alternatives), taints, host ports that DaemonSets take, decided
 * per cell. On running nodes: labels and taints, decided per kind of node (nodes with equal taints
 * and equal values of every label that anybody asks for), then host ports per node. Needs with the
 * same question share one answer. */
#pragma once

#include "binpack/scheduling/dims.h"
#include "binpack/scheduling/offers.h"

struct sched_node_kinds {
    uint32_t n;
    const uint32_t *of_node; /* [n_nodes] */
    const uint32_t *sample;  /* [n] a node of each kind */
};
void sched_node_kinds_new(const struct sched_offers *offers, struct arena *arena,
                          struct sched_node_kinds *ret_kinds);

struct sched_mask {
    const uint64_t *cells; /* [bits_words(offers->n_cells)] of every tier */
    const uint64_t *kinds; /* [bits_words(node kinds)] */
};

struct sched_masks {
    const struct sched_offers *offers;
    const struct sched_node_kinds *kinds;
    uint32_t n;
    const struct sched_mask *v; /* [n] distinct */
    const uint32_t *of_need;    /* [needs->n] into v */
};

void sched_masks_new(const struct sched_offers *offers, const struct sched_node_kinds *kinds,
                     const struct sched_needs *needs, struct arena *arena,
                     struct sched_masks *ret_masks);

/* May the need use this running node, host ports included? */
bool sched_mask_node(const struct sched_masks *masks, const struct sched_mask *mask,
                     const struct sched_need *need, uint32_t node_i);

/* Whether these offers of the pool show as many different values as its minValues ask for. When
 * not, the requirement that is not met and how many values there are. */
bool sched_variety_met(const struct sched_offers *o, const struct karp_nodepool *pool,
                       const uint32_t *offers, uint32_t n, struct arena *scratch,
                       const struct k8s_requirement **ret_req, uint32_t *ret_found);

/* The value of a label on nodes of one offering, as minValues counts it; STRID_NONE: absent. */
strid sched_offer_label(const struct sched_offers *offers, const struct sched_offer *offer,
                        strid key);

/* Can a pod of the need go anywhere, all alone? *ret_tier: the first tier of pools with an offering
 * that admits and holds it (and shows enough variety for minValues), from `from_tier` on;
 * SCHED_TIER_NONE when there is none. *ret_running: a running node does. */
void sched_mask_alone(const struct sched_masks *masks, const struct sched_dims *dims,
                      const struct sched_needs *needs, uint32_t need_i, uint32_t from_tier,
                      struct arena *scratch, uint32_t *ret_tier, bool *ret_running);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NodeOverlays: prices and extra capacity that a person puts over the catalogue, per NodePool.
 *
 * Model (karp: controllers/nodeoverlay). Overlays are taken by weight, heaviest first, then by
 * name, last first. An overlay selects offerings of a (NodePool, type); whether it does is for the
 * caller to say, who knows the algebra of requirements. The first overlay with a price (or an
 * adjustment) that selects an offering sets its price, for every resource the first with an amount
 * sets the type's. An overlay that would set what another of the same weight has set already is
 * rejected as a whole, before it changes anything. Adjusted prices stop at 0; an unknown price can
 * be replaced but not adjusted. */
#pragma once

#include "binpack/catalog/catalog.h"

/* Whether overlay `overlay_i` selects the offering for NodePool `pool_i`: the pool's labels and the
 * type's requirements together with the offering's are compatible with the overlay's requirements.
 * Called a bounded number of times, in no promised order. */
typedef bool cat_overlay_selects_fn(void *context, uint32_t overlay_i, uint32_t pool_i,
                                    uint32_t type_i, uint32_t offering_i);

enum cat_overlay_verdict {
    CAT_OVERLAY_APPLIED,
    CAT_OVERLAY_NO_MATCH, /* selects nothing in any pool */
    CAT_OVERLAY_CONFLICT, /* with another overlay of the same weight: rejected */
    CAT_OVERLAY_INVALID   /* both price and priceAdjustment, or capacity of cpu, memory, pods,
                             ephemeral-storage: rejected */
};

struct cat_overlays; /* opaque; lives in the arena */

/* Evaluates all overlays for all pools. `overlays`, `catalog` and `context` must outlive the
 * result; `selects` is only called in here. */
const struct cat_overlays *cat_overlays_new(const struct karp_overlay *overlays,
                                            uint32_t n_overlays, uint32_t n_pools,
                                            const struct catalog *catalog,
                                            cat_overlay_selects_fn *selects, void *context,
                                            const struct k8s_words *words, struct arena *arena);

/* The price of an offering for a pool, with its overlay if it has one; absent when unknown. */
struct opt_usd cat_overlays_price(const struct cat_overlays *overlays, uint32_t pool_i,
                                  uint32_t type_i, uint32_t offering_i);

/* The overlay that sets the price, or UINT32_MAX. */
uint32_t cat_overlays_price_by(const struct cat_overlays *overlays, uint32_t pool_i,
                               uint32_t type_i, uint32_t offering_i);

/* Amounts that replace those of the type's capacity and allocatable for a pool; n is 0 for most.
 * Valid as long as the overlays. */
const struct k8s_resources *cat_overlays_capacity(const struct cat_overlays *overlays,
                                                  uint32_t pool_i, uint32_t type_i);

enum cat_overlay_verdict cat_overlays_verdict(const struct cat_overlays *overlays,
                                              uint32_t overlay_i);

/* The price after a change; see the model. */
struct opt_usd cat_overlay_adjust(const struct karp_overlay *overlay, struct opt_usd price);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What running nodes teach of memory: what the hypervisor and the kernel of an image keep for
 * themselves can only be guessed beforehand (7.5 %).
 *
 * Of each instance type and image the least that a node had as capacity is kept for 60 days since
 * it was last seen, as Karpenter keeps it (karp-aws: discovered capacity; its key is the type and
 * all images of the class, here it is the image that the node was launched with). Memory of the
 * run: after a restart the nodes that are there teach it anew. */
#pragma once

#include "base/units.h"
#include "binpack/catalog/catalog.h"

struct learned; /* opaque */

struct learned *learned_new(void);
void learned_free(struct learned *learned); /* NULL is fine */

/* A node of that type and image has so much. What is too long for a name, or more than 8,192 pairs,
 * is passed over. */
void learned_note(struct learned *learned, struct str type, struct str image_id,
                  int64_t memory_bytes, mono_t now);

/* All that holds, sorted by type: for cat_settings. Texts in `arena`; types that `tab` does not
 * know are left out. Gives how many. */
uint32_t learned_list(const struct learned *learned, const struct strtab *tab, mono_t now,
                      struct arena *arena, const struct cat_observed **ret_observed);

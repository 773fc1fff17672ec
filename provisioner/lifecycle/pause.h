/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NodePools whose launches fail wait before they launch again.
 *
 * A launch that finds no capacity says what cannot be had, and the next plan does without: a dozen
 * such failures in a row may follow each other, from the third on two at a time; of other failures
 * two. From then on the
 * NodePool waits, 2 s, then 4 s, up to 2 minutes, up to half of it more or less, as its name and
 * the time have it; then one NodeClaim at a time tries, until one is launched. What fails while it
 * waits has begun before and is the same failure. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "base/units.h"

struct pause; /* opaque */

struct pause *pause_new(void);
void pause_free(struct pause *pause); /* NULL is fine */

/* `taught`: something is known not to be had that was thought to be. */
void pause_failed(struct pause *pause, struct str pool, bool taught, mono_t now);
void pause_launched(struct pause *pause, struct str pool);

/* Nothing is to be launched for it before; in the past: it does not wait. */
mono_t pause_until(const struct pause *pause, struct str pool);

/* So many of its NodeClaims may be unlaunched at the same time; UINT32_MAX: it is well. */
uint32_t pause_at_once(const struct pause *pause, struct str pool);

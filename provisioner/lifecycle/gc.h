/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Collecting what has lost its other half (karp: nodeclaim.garbagecollection).
 *
 * Every two minutes EC2 is asked for all instances of the cluster that live, page by page. A
 * NodeClaim that is launched and whose instance two lists in a row do not have is deleted, unless
 * its Node says that it is ready; one that is going already need not be drained any more. An
 * instance that carries the UID of a NodeClaim, as only this program tags what it launches, and
 * whose NodeClaim is not there at two lists in a row is terminated. Others' instances are never
 * touched. A list that was not read to its end counts as none. Internal to provisioner/lifecycle.
 */
#pragma once

#include "provisioner/lifecycle/lifecycle_impl.h"

/* Nothing is collected while NodeClaims are not followed: nobody here knows then which there are.
 */
void gc_step(struct lifecycle *lifecycle, const struct lifecycle_view *view);
/* True: the answer was its own. */
bool gc_answer(struct lifecycle *lifecycle, const struct lifecycle_view *view,
               const struct event *event);

/* Another run may have acted meanwhile: everything it knew is forgotten. */
void gc_restart(struct lifecycle *lifecycle);

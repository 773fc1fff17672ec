/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a status to the change of the object that says it: a merge patch of the subresource status,
 * and none when the object says it already.
 *
 * Conditions are as Karpenter keeps them (awslabs/operatorpkg): one for each type and "Ready" over
 * them all; lastTransitionTime stays while a condition's status does, and is that of the object's
 * creation where there was no condition; observedGeneration is that of the spec which was looked
 * at. */
#pragma once

#include "provisioner/nodeclass/status.h"

struct arena;

struct nodeclass_patch_facts {
    const json_t *object; /* as it is now */
    const struct nodeclass_status *status;
    int64_t generation;
    bool reservations; /* the gate ReservedCapacity: else they are no condition */
    wall_t now;
};

/* Reads the conditions that the object has of the spec as it is now: those of an older generation,
 * and those that are not there, are Unknown. Texts are the object's. */
void nodeclass_conditions_read(const json_t *object, struct nodeclass_status *status);

/* False: nothing to change. The body is in `arena`. */
MUST_CHECK bool nodeclass_status_patch(const struct nodeclass_patch_facts *facts,
                                       struct arena *arena, struct str *ret_body);

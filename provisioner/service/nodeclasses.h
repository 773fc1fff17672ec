/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `--mode=prepare`: does what provisioner/nodeclass/keeper.h says, with the calls of live/, as long
 * as this replica holds the Lease. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "k8s/roster.h"

struct k8s_kind;
struct nodeclasses; /* opaque */
struct service;

/* Errors: those of live_aws_open; ERR_NOT_FOUND when no namespace is known for the Lease. */
MUST_CHECK bool nodeclasses_open(struct service *service, struct nodeclasses **ret_nodeclasses,
                                 struct err *err);
void nodeclasses_close(struct nodeclasses *nodeclasses); /* NULL is fine */

/* What happened to an object of any kind; before the engine is told, which forgets what is gone. */
void nodeclasses_delta(struct nodeclasses *nodeclasses, const struct k8s_kind *kind,
                       const struct k8s_delta *delta);

/* All objects will be told of anew. */
void nodeclasses_restart(struct nodeclasses *nodeclasses);

/* To be called in every turn of the loop, outside callbacks. */
void nodeclasses_turn(struct nodeclasses *nodeclasses);

/* To be called in every turn once the service is asked to end: nothing new is begun, and the Lease
 * is given up once nothing is under way any more. True when it is free. Who stops calling before
 * leaves it to expire. */
bool nodeclasses_stop(struct nodeclasses *nodeclasses);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps EC2NodeClasses: does what provisioner/nodeclass/keeper.h says with the hands of acting.h,
 * as long as this replica leads; and has the catalogue of the service's own account asked. */
#pragma once

#include "k8s/roster.h"

struct acting;
struct cluster;
struct k8s_kind;
struct nodeclasses; /* opaque */
struct service;

/* The others must outlive it. */
struct nodeclasses *nodeclasses_new(struct service *service, struct acting *acting,
                                    struct cluster *cluster);
void nodeclasses_free(struct nodeclasses *nodeclasses); /* NULL is fine; after acting_close */

/* What happened to an object of any kind; before the engine is told, which forgets what is gone. */
void nodeclasses_delta(struct nodeclasses *nodeclasses, const struct k8s_kind *kind,
                       const struct k8s_delta *delta);

/* All objects will be told of anew. */
void nodeclasses_restart(struct nodeclasses *nodeclasses);

/* To be called in every turn of the loop, outside callbacks. */
void nodeclasses_turn(struct nodeclasses *nodeclasses);

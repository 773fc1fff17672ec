/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arithmetic on resource lists that decoding and admission need. Lists stay sorted by resource id;
 * new ones are made in `arena`, the old ones stay as they are. */
#pragma once

#include "k8s/pod.h"

struct arena;

/* Adds to `list` what only `more` names. */
void k8s_resources_default(struct arena *arena, struct k8s_resources *list,
                           const struct k8s_resources *more);

/* Raises `list` to the larger amount of the two, per resource. */
void k8s_resources_raise(struct arena *arena, struct k8s_resources *list,
                         const struct k8s_resources *other);

/* Pod-level requests as the API server fills them in: a resource with a pod-level limit and without
 * a pod-level request is requested as the containers request it together (the sum of containers and
 * sidecars, or the largest init container with the sidecars started before it), or else up to the
 * limit. */
void k8s_pod_level_default(struct arena *arena, struct k8s_pod_shape *shape);

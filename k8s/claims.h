/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The claims of a pod of a StatefulSet, as its controller makes them: one for each template, named
 * TEMPLATE-POD; a volume of the pod template with a template's name gives way to it
 * (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#volume-claim-templates).
 */
#pragma once

#include "k8s/objects.h"
#include "k8s/pod.h"

struct arena;

/* Gives `shape` the volumes of the pod of that name, and `ret_claims` [n_claim_templates] the
 * claims that are to be there; `phase` is "Pending". The rest of the shape stays. */
void k8s_claims_of_pod(const struct k8s_workload *workload, struct str pod_name, strid phase,
                       struct arena *arena, struct k8s_pod_shape *shape,
                       struct k8s_pvc *ret_claims);

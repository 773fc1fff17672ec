/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a pod goes and why: for each NodePool how many instance types are left after each rule,
 * what the cheapest of those that are left costs, and which running nodes would take it.
 *
 * The funnel looks at the pod alone; its steps come in the order of enum explain_step and only ever
 * take away. A placed pod is judged with the preferences that the plan kept, one without a place
 * with all of them dropped. Part of make.h. */
#pragma once

#include "binpack/plan/assemble.h"

enum { EXPLAIN_PODS_MAX = 100, EXPLAIN_CHEAPEST_MAX = 5 };

/* The pods that `names` stand for, "namespace/name" or a name that only one pod has; `ret_pods` is
 * [n], indices into cluster->pods. ERR_NOT_FOUND names the pod and those that begin like it,
 * ERR_INVALID a name in several namespaces, ERR_LIMIT more than EXPLAIN_PODS_MAX. */
MUST_CHECK bool explain_find(const struct k8s_cluster *cluster, const struct str *names, uint32_t n,
                             uint32_t *ret_pods, struct err *err);

/* Fills plan->explanations, in the order of `pods`; plan->unplaced must be filled. ERR_LIMIT as
 * sched_needs_new. */
MUST_CHECK bool explain_add(struct assembly *assembly, const struct sched_descent *descent,
                            const uint32_t *pods, uint32_t n, struct err *err);

/* "its node selector and affinity admit": what a step is about, as in "306 types ...". */
struct str explain_step_text(enum explain_step step);
struct str explain_step_code(enum explain_step step); /* "nodeSelectorAndAffinity"; for programs */

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads a plan document (binpack/v1, docs/plan.md) back, to check it against the cluster it was
 * made from. */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "binpack/plan/plan.h"

struct arena;

/* Names are looked up in cluster and catalogue, which must outlive the plan; texts are copied into
 * `arena`. What a document does not hold stays zero: problem, solution, classes, offerings and dims
 * are NULL. Errors: ERR_INVALID (field, value and what is expected), ERR_NOT_FOUND (a pod,
 * NodePool, type or zone that the cluster or the catalogue lacks), ERR_CONFLICT (totals that are
 * not the sum of the nodes, a pod in two places). */
MUST_CHECK bool read_plan(const json_t *document, const struct k8s_cluster *cluster,
                          const struct catalog *catalog, struct arena *arena,
                          struct plan **ret_plan, struct err *err);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pods that ask for what they use: requests from a table of observed usage.
 *
 * The table is comma-separated values with a heading, of which the columns `namespace`, `pod`,
 * `container`, `resource` and the one of the asked percentile ("p95") are read, in any order.
 * `resource` is cpu or memory; `*` in a name stands for any text, so that a row may be about a
 * workload; figures are Kubernetes quantities ("0.25", "250m", "1.5e9", "300Mi") and may be
 * absent. Of several rows about one container the first counts. docs/plan.md describes the form. */
#pragma once

#include "base/err.h"
#include "k8s/cluster.h"

struct arena;

enum { USAGE_ROWS_MAX = 2000000, USAGE_BYTES_MAX = 512 * 1024 * 1024 };

struct usage_row {
    struct str ns, pod, container; /* may have "*" */
    bool memory;                   /* else cpu */
    int64_t amount;                /* millicores or bytes, rounded up; >= 0 */
};

struct usage {
    uint32_t n;
    const struct usage_row *rows; /* [n] in the order of the table */
};

/* `percentile` is the heading of a column. Texts are views of `text`. Errors name the line and the
 * column: ERR_INVALID (a column is missing, a cell is wrong), ERR_NOT_FOUND (no such percentile),
 * ERR_LIMIT. */
MUST_CHECK bool usage_parse(struct str text, struct str percentile, struct arena *arena,
                            struct usage *ret_usage, struct err *err);

/* The cluster whose containers request what the table says, at most their limits; containers that
 * the table does not name keep their requests. Nothing of `cluster` is written to; what changes is
 * copied into `arena`. `ret_n_pods`: pods with a container that the table names. */
const struct k8s_cluster *usage_apply(const struct usage *usage, const struct k8s_cluster *cluster,
                                      struct arena *arena, uint32_t *ret_n_pods);

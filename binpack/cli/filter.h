/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --namespace and --selector: which pods are to be placed.
 *
 * Pods that the filter does not want and that would be placed by the mode are taken out of the
 * cluster; everything that runs stays and keeps its room (mode provision), and pods of DaemonSets
 * always stay, because they cost room on new nodes. */
#pragma once

#include "base/err.h"
#include "binpack/cli/options.h"
#include "binpack/plan/plan.h"
#include "k8s/cluster.h"

struct arena;

struct label_term { /* one condition of a selector; all must hold */
    struct str key;
    enum k8s_operator op; /* K8S_IN, K8S_NOT_IN, K8S_EXISTS, K8S_DOES_NOT_EXIST */
    struct option_texts values;
};
struct label_selector {
    uint32_t n;
    const struct label_term *terms;
};

/* kubectl's syntax: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, separated by
 * commas. ERR_INVALID quotes the part that is wrong. */
MUST_CHECK bool label_selector_parse(struct str text, struct arena *arena,
                                     struct label_selector *ret_selector, struct err *err);
bool label_selector_matches(const struct label_selector *selector, const struct strtab *tab,
                            const struct k8s_pairs *labels);

/* Replaces *cluster by a copy without the unwanted pods; leaves it alone when neither option was
 * given. ERR_INVALID for a selector that cannot be read. */
MUST_CHECK bool filter_pods(const struct options *options, enum plan_mode mode, struct arena *arena,
                            const struct k8s_cluster **cluster, struct err *err);

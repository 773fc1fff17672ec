/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The label selector of --selector, in the syntax of kubectl's -l (Kubernetes documentation,
 * "Labels and Selectors"). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "binpack/cli/options.h"
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

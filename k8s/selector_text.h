/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Label selectors as people write them, in the syntax of kubectl's -l (Kubernetes documentation,
 * "Labels and Selectors"). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "k8s/values.h"

struct arena;

struct label_term { /* one condition of a selector; all must hold */
    struct str key;
    enum k8s_operator op; /* K8S_IN, K8S_NOT_IN, K8S_EXISTS, K8S_DOES_NOT_EXIST */
    uint32_t n_values;
    const struct str *values;
};
struct label_selector {
    uint32_t n;
    const struct label_term *terms;
};

/* kubectl's syntax: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, separated by
 * commas. ERR_INVALID quotes the part that is wrong. */
MUST_CHECK bool label_selector_parse(struct str text, struct arena *arena,
                                     struct label_selector *ret_selector, struct err *err);

/* Does the term hold of a label that has `value`, or is absent (`present` false)? */
bool label_term_holds(const struct label_term *term, bool present, struct str value);

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Canonical text of selectors, terms and filters: equal text means equal meaning, and sorting by it
 * does not depend on the order of input. Internal to terms.c, which tells rules apart and orders
 * them by it. */
#pragma once

#include "binpack/scheduling/reqs.h"

struct arena;

/* A further condition on labels that matchLabelKeys and mismatchLabelKeys add. */
struct sched_extra {
    strid key, value;
    bool differs; /* the label must not have the value */
};

/* "{app=web,tier In [a b]}"; "nil" when absent. */
void sched_text_selector(const struct strtab *tab, struct arena *arena,
                         const struct k8s_selector *selector, uint32_t n_extra,
                         const struct sched_extra *extra, struct strbuf *out);
/* Names sorted by text, joined by blanks. */
void sched_text_words(const struct strtab *tab, struct arena *arena, struct k8s_strids words,
                      struct strbuf *out);
/* Node selector and required node affinity of a pod. */
void sched_text_node_filter(const struct sched_vocab *vocab, struct arena *arena,
                            const struct k8s_pod_shape *shape, struct strbuf *out);
void sched_text_tolerations(const struct strtab *tab, struct arena *arena,
                            const struct k8s_pod_shape *shape, struct strbuf *out);

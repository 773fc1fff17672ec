/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Matching of labels against selectors, as the API server and the scheduler do it. Labels are those
 * of one object; values compare as text, so old spellings of labels are the caller's business. */
#pragma once

#include "k8s/values.h"

/* metav1.LabelSelector: an absent one matches nothing, an empty one everything. */
bool k8s_selector_matches(const struct k8s_selector *selector, const struct k8s_pairs *labels);

/* All pairs are among the labels (nodeSelector, spec.selector of a Service). */
bool k8s_pairs_within(const struct k8s_pairs *wanted, const struct k8s_pairs *labels);

/* One requirement of a node selector term or a NodePool. In and Exists and the comparisons need the
 * label; NotIn and DoesNotExist hold without it. Gt, Lt, Gte, Lte compare integers; what is none
 * never matches. */
bool k8s_requirement_matches(const struct strtab *tab, const struct k8s_requirement *requirement,
                             const struct k8s_pairs *labels);

/* The same for one known value; STRID_NONE: the label is absent. */
bool k8s_requirement_admits(const struct strtab *tab, const struct k8s_requirement *requirement,
                            strid value);

/* NodeSelectorTerm on a node: all expressions hold for its labels, all fields for its name
 * (matchFields knows metadata.name only). A term without both matches nothing. */
bool k8s_node_term_matches(const struct strtab *tab, const struct k8s_node_term *term,
                           const struct k8s_pairs *labels, struct str node_name);

/* Any of the terms; none of zero. */
bool k8s_node_terms_match(const struct strtab *tab, const struct k8s_node_term *terms, uint32_t n,
                          const struct k8s_pairs *labels, struct str node_name);

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/selector.h"

static bool among(const struct k8s_strids *values, strid value)
{
    for (uint32_t i = 0; i < values->n; i++) {
        if (values->v[i] == value) {
            return true;
        }
    }
    return false;
}

static bool compares(const struct strtab *tab, const struct k8s_requirement *r, struct str value)
{
    int64_t have = 0, bound = 0;
    if (r->values.n != 1 || !str_to_i64(value, &have) ||
        !str_to_i64(strtab_str(tab, r->values.v[0]), &bound)) {
        return false;
    }
    switch (r->op) {
    case K8S_GT:
        return have > bound;
    case K8S_LT:
        return have < bound;
    case K8S_GTE:
        return have >= bound;
    case K8S_LTE:
        return have <= bound;
    case K8S_IN:
    case K8S_NOT_IN:
    case K8S_EXISTS:
    case K8S_DOES_NOT_EXIST:
        break;
    }
    return false;
}

bool k8s_requirement_admits(const struct strtab *tab, const struct k8s_requirement *r, strid value)
{
    bool there = value != STRID_NONE;
    switch (r->op) {
    case K8S_IN:
        return there && among(&r->values, value);
    case K8S_NOT_IN:
        return !there || !among(&r->values, value);
    case K8S_EXISTS:
        return there;
    case K8S_DOES_NOT_EXIST:
        return !there;
    case K8S_GT:
    case K8S_LT:
    case K8S_GTE:
    case K8S_LTE:
        break;
    }
    return there && compares(tab, r, strtab_str(tab, value));
}

bool k8s_requirement_matches(const struct strtab *tab, const struct k8s_requirement *requirement,
                             const struct k8s_pairs *labels)
{
    return k8s_requirement_admits(tab, requirement, k8s_pairs_get(labels, requirement->key));
}

bool k8s_pairs_within(const struct k8s_pairs *wanted, const struct k8s_pairs *labels)
{
    for (uint32_t i = 0; i < wanted->n; i++) {
        if (k8s_pairs_get(labels, wanted->v[i].key) != wanted->v[i].value) {
            return false;
        }
    }
    return true;
}

bool k8s_selector_matches(const struct k8s_selector *selector, const struct k8s_pairs *labels)
{
    if (!selector->present || !k8s_pairs_within(&selector->match_labels, labels)) {
        return false;
    }
    for (uint32_t i = 0; i < selector->n_expressions; i++) {
        const struct k8s_requirement *r = &selector->expressions[i];
        if (!k8s_requirement_admits(NULL, r, k8s_pairs_get(labels, r->key))) {
            return false;
        }
    }
    return true;
}

/* The name is text and may not be in the table; only In and NotIn are allowed for it. */
static bool field_matches(const struct strtab *tab, const struct k8s_requirement *r,
                          struct str name)
{
    bool hit = false;
    for (uint32_t i = 0; i < r->values.n; i++) {
        hit = hit || str_eq(strtab_str(tab, r->values.v[i]), name);
    }
    if (!str_eq(strtab_str(tab, r->key), STR("metadata.name"))) {
        return false;
    }
    return r->op == K8S_IN ? hit : r->op == K8S_NOT_IN && !hit;
}

bool k8s_node_term_matches(const struct strtab *tab, const struct k8s_node_term *term,
                           const struct k8s_pairs *labels, struct str node_name)
{
    for (uint32_t i = 0; i < term->n_expressions; i++) {
        if (!k8s_requirement_matches(tab, &term->expressions[i], labels)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < term->n_fields; i++) {
        if (!field_matches(tab, &term->fields[i], node_name)) {
            return false;
        }
    }
    return term->n_expressions + term->n_fields > 0;
}

bool k8s_node_terms_match(const struct strtab *tab, const struct k8s_node_term *terms, uint32_t n,
                          const struct k8s_pairs *labels, struct str node_name)
{
    for (uint32_t i = 0; i < n; i++) {
        if (k8s_node_term_matches(tab, &terms[i], labels, node_name)) {
            return true;
        }
    }
    return false;
}

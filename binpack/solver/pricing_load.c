/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/pricing_impl.h"

#include <math.h>
#include <string.h>

#include "base/bitset.h"

/* Of plain classes of one size, the most valuable ones that fill the node make the others useless.
 * Items first..n-1 are of one size; returns how many stay. */
static uint32_t keep_best(struct bp_knap *k, uint32_t first, uint32_t n, double most)
{
    double units = 0;
    uint32_t kept = first;
    while (kept < n && units < most) {
        uint32_t best = kept;
        for (uint32_t t = kept + 1; t < n; t++) {
            best = k->lp.value[t] > k->lp.value[best] ? t : best;
        }
        double value = k->lp.value[best], upper = k->upper[best];
        uint32_t class_i = k->class_of[best];
        k->lp.value[best] = k->lp.value[kept];
        k->upper[best] = k->upper[kept];
        k->class_of[best] = k->class_of[kept];
        k->lp.value[kept] = value;
        k->upper[kept] = upper;
        k->class_of[kept++] = class_i;
        units += upper;
    }
    return kept;
}

static void load_items(struct bp_knap *k, const double *value, const double *upper)
{
    const struct bp_red *red = k->red;
    const uint64_t *accept = bp_red_accept(red, k->kind);
    const double *cap = red->cap + (size_t)k->kind * red->n_dims;
    uint32_t n = 0, first = 0;
    for (uint32_t w = 0; w < red->n_words; w++) {
        for (uint64_t bits = accept[w]; bits != 0; bits &= bits - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);
            if (!(value[i] > 0 && upper[i] >= 1)) {
                continue;
            }
            double fit = bp_red_most(red, k->kind, i, upper[i]);
            if (fit < 1) {
                continue;
            }
            /* Classes are ordered by size, so those of one size are neighbours. */
            bool joins = n > first && red->plain[i] && bp_red_same_size(red, k->class_of[first], i);
            if (!joins && n > first + 1) {
                n = keep_best(k, first, n, bp_red_fit_alone(red, cap, k->class_of[first]));
            }
            if (!joins) {
                first = n;
            }
            k->class_of[n] = i;
            k->upper[n] = fit;
            k->lp.value[n++] = value[i];
            first = red->plain[i] ? first : n;
        }
    }
    if (n > first + 1) {
        n = keep_best(k, first, n, bp_red_fit_alone(red, cap, k->class_of[first]));
    }
    k->lp.n = n;
    k->ops += red->n_classes * 2 + n * (red->n_dims + 2);
}

static void load_dims(struct bp_knap *k)
{
    const struct bp_red *red = k->red;
    const double *cap = red->cap + (size_t)k->kind * red->n_dims;
    for (uint32_t d = 0; d < red->n_dims; d++) {
        const double *size = red->size + (size_t)d * red->n_classes;
        double most = 0;
        for (uint32_t t = 0; t < k->lp.n; t++) {
            most += size[k->class_of[t]] * k->upper[t];
        }
        if (most <= cap[d]) {
            continue;
        }
        double *row = bp_lp_add_row(&k->lp, cap[d], d);
        for (uint32_t t = 0; t < k->lp.n; t++) {
            row[t] = size[k->class_of[t]];
        }
    }
    k->ops += (uint64_t)k->lp.n * red->n_dims * 2;
}

/* Caps of one class become an upper bound; others become rows as long as there is room (checked
 * again on each pattern). */
static void load_caps(struct bp_knap *k)
{
    const struct bp_red *red = k->red;
    for (uint32_t c = 0; c < red->n_caps; c++) {
        if (k->rules == BP_RULES_NECESSARY && !red->cap_necessary[c]) {
            continue;
        }
        const uint64_t *members = red->cap_members + (size_t)c * red->n_words;
        double max = bp_red_cap_max(red, c, k->kind), units = 0;
        uint32_t n_members = 0;
        for (uint32_t t = 0; t < k->lp.n; t++) {
            if (bits_get(members, k->class_of[t])) {
                k->upper[t] = fmin(k->upper[t], max);
                units += k->upper[t];
                n_members++;
            }
        }
        k->ops += k->lp.n;
        if (units > max && n_members > 1 && k->lp.n_rows < BP_KNAP_ROWS) {
            double *row = bp_lp_add_row(&k->lp, max, BP_MAX_DIMS + c);
            for (uint32_t t = 0; t < k->lp.n; t++) {
                row[t] = bits_get(members, k->class_of[t]) ? 1.0 : 0.0;
            }
        }
    }
}

static void load_exclusions(struct bp_knap *k)
{
    const struct bp_red *red = k->red;
    k->n_exclusions = 0;
    if (k->rules == BP_RULES_NECESSARY || red->n_exclusions == 0) {
        return;
    }
    memset(k->support, 0, red->n_words * sizeof *k->support);
    for (uint32_t t = 0; t < k->lp.n; t++) {
        bits_set(k->support, k->class_of[t]);
    }
    for (uint32_t e = 0; e < red->n_exclusions; e++) {
        size_t at = (size_t)e * red->n_words;
        if (bits_intersects(red->exclude_a + at, k->support, red->n_words) &&
            bits_intersects(red->exclude_b + at, k->support, red->n_words)) {
            k->exclusions[k->n_exclusions++] = e;
        }
    }
    k->ops += (uint64_t)red->n_exclusions * red->n_words * 2;
}

void bp_knap_load(struct bp_knap *k, uint32_t kind, const double *value, const double *upper,
                  enum bp_knap_rules rules)
{
    k->kind = kind;
    k->rules = rules;
    bp_lp_clear(&k->lp);
    load_items(k, value, upper);
    load_dims(k);
    load_caps(k);
    load_exclusions(k);
    bp_lp_ready(&k->lp);
    k->n_nodes = k->n_heap = k->n_found = 0;
    k->pruned = 0;
    k->started = false;
    k->deep_bound = INFINITY;
    if (k->lp.n > 0) {
        k->nodes[0] = (struct node){.bound = INFINITY, .parent = -1, .kind = BRANCH_ROOT};
        k->n_nodes = 1;
        k->heap[k->n_heap++] = 0;
    }
}

/* Whether a unit of item s may stand in for any unit of item t: worth as much, no larger, and of no
 * rule. Of two alike the first one may. */
static bool beats(const struct bp_knap *k, uint32_t s, uint32_t t)
{
    const struct bp_red *red = k->red;
    double vs = k->lp.value[s], vt = k->lp.value[t];
    if (s == t || vs < vt || !red->plain[k->class_of[s]]) {
        return false;
    }
    const double *ws = red->size_of + (size_t)k->class_of[s] * red->n_dims;
    const double *wt = red->size_of + (size_t)k->class_of[t] * red->n_dims;
    bool alike = vs == vt;
    for (uint32_t d = 0; d < red->n_dims; d++) {
        if (ws[d] > wt[d]) {
            return false;
        }
        alike = alike && ws[d] == wt[d];
    }
    return !alike || s < t;
}

void bp_knap_trim(struct bp_knap *k)
{
    const struct bp_red *red = k->red;
    const double *cap = red->cap + (size_t)k->kind * red->n_dims;
    for (uint32_t s = 0; s < k->lp.n; s++) {
        if (k->upper[s] < bp_red_fit_alone(red, cap, k->class_of[s])) {
            continue;
        }
        for (uint32_t t = 0; t < k->lp.n; t++) {
            if (k->upper[t] > 0 && beats(k, s, t)) {
                k->upper[t] = 0;
            }
        }
    }
    k->ops += (uint64_t)k->lp.n * k->lp.n * 3;
}

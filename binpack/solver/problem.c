/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/problem.h"

#include "base/bitset.h"
#include "base/err.h"

/* Sizes and capacities are exact in a double below 2^53; a sum of two must stay exact too. */
#define SIZE_MAX_VALUE (INT64_C(1) << 50)
#define PRICE_MAX      (INT64_C(1) << 50)

enum {
    CLASSES_MAX = 20000,
    OFFERINGS_MAX = 1000 * 1000,
    DOMAINS_MAX = 1000 * 1000,
    RULES_MAX = 100 * 1000,
};

static bool check_count(const char *name, uint32_t n, uint32_t max, struct err *err)
{
    if (n > max) {
        return err_set(err, ERR_LIMIT, "%s: %u is above %u", name, n, max);
    }
    return true;
}

static bool check_counts(const struct bp_problem *p, struct err *err)
{
    return check_count("n_dims", p->n_dims, BP_MAX_DIMS, err) &&
           check_count("n_axes", p->n_axes, BP_MAX_AXES, err) &&
           check_count("n_classes", p->n_classes, CLASSES_MAX, err) &&
           check_count("n_offerings", p->n_offerings, OFFERINGS_MAX, err) &&
           check_count("n_domains", p->n_domains, DOMAINS_MAX, err) &&
           check_count("n_caps", p->n_caps, RULES_MAX, err) &&
           check_count("n_exclusions", p->n_exclusions, RULES_MAX, err) &&
           check_count("n_limits", p->n_limits, RULES_MAX, err) &&
           check_count("n_varieties", p->n_varieties, RULES_MAX, err) &&
           check_count("n_groups", p->n_groups, RULES_MAX, err);
}

/* Bits beyond the set's size must be 0. */
static bool tail_is_clear(const uint64_t *set, uint32_t n_bits)
{
    return n_bits % 64 == 0 || (set[n_bits / 64] >> (n_bits % 64)) == 0;
}

static bool check_set(const char *what, uint32_t i, const uint64_t *set, uint32_t n_bits,
                      struct err *err)
{
    if (n_bits == 0) {
        return true;
    }
    if (set == NULL) {
        return err_set(err, ERR_INVALID, "%s[%u]: set is missing", what, i);
    }
    if (!tail_is_clear(set, n_bits)) {
        return err_set(err, ERR_INVALID, "%s[%u]: bits beyond %u", what, i, n_bits);
    }
    return true;
}

static bool check_classes(const struct bp_problem *p, struct err *err)
{
    uint64_t n_units = 0;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        const struct bp_class *c = &p->classes[i];
        if (c->demand == 0 || c->weight == 0 || c->max_per_node == 0) {
            return err_set(err, ERR_INVALID,
                           "classes[%u]: demand, weight and max_per_node must be positive", i);
        }
        n_units += (uint64_t)c->demand * c->weight;
        if (n_units > INT32_MAX) {
            return err_set(err, ERR_LIMIT, "classes[%u]: more than 2^31 pods", i);
        }
        for (uint32_t d = 0; d < p->n_dims; d++) {
            int64_t size = p->size[(size_t)i * p->n_dims + d];
            if (size < 0 || size > SIZE_MAX_VALUE) {
                return err_set(err, ERR_INVALID, "size[%u][%u]: %lld out of range", i, d,
                               (long long)size);
            }
        }
        if (!check_set("mask", i, p->mask + (size_t)i * bits_words(p->n_domains), p->n_domains,
                       err)) {
            return false;
        }
    }
    return true;
}

static bool check_offerings(const struct bp_problem *p, struct err *err)
{
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        const struct bp_offering *o = &p->offerings[k];
        if (o->price < 0 || o->price > PRICE_MAX) {
            return err_set(err, ERR_INVALID, "offerings[%u].price: %lld out of range", k,
                           (long long)o->price);
        }
        if (o->domain >= p->n_domains) {
            return err_set(err, ERR_INVALID, "offerings[%u].domain: %u of %u", k, o->domain,
                           p->n_domains);
        }
        if (o->running && o->stock > 1) {
            return err_set(err, ERR_INVALID, "offerings[%u].stock: a running node has 1", k);
        }
        for (uint32_t d = 0; d < p->n_dims; d++) {
            if (p->capacity[(size_t)k * p->n_dims + d] < 0) {
                return err_set(err, ERR_INVALID, "capacity[%u][%u] is negative", k, d);
            }
        }
    }
    return true;
}

static bool check_rules(const struct bp_problem *p, struct err *err)
{
    for (uint32_t c = 0; c < p->n_caps; c++) {
        if (!check_set("caps", c, p->caps[c].members, p->n_classes, err)) {
            return false;
        }
    }
    for (uint32_t e = 0; e < p->n_exclusions; e++) {
        if (!check_set("exclusions", e, p->exclusions[e].a, p->n_classes, err) ||
            !check_set("exclusions", e, p->exclusions[e].b, p->n_classes, err)) {
            return false;
        }
    }
    for (uint32_t r = 0; r < p->n_limits; r++) {
        if (p->limits[r].max < 0) {
            return err_set(err, ERR_INVALID, "limits[%u].max is negative", r);
        }
        for (uint32_t k = 0; k < p->n_offerings; k++) {
            if (p->limits[r].use[k] < 0) {
                return err_set(err, ERR_INVALID, "limits[%u].use[%u] is negative", r, k);
            }
        }
    }
    for (uint32_t v = 0; v < p->n_varieties; v++) {
        if (p->n_offerings > 0 && p->varieties[v].value == NULL) {
            return err_set(err, ERR_INVALID, "varieties[%u].value is missing", v);
        }
    }
    return true;
}

static bool check_groups(const struct bp_problem *p, struct err *err)
{
    for (uint32_t g = 0; g < p->n_groups; g++) {
        const struct bp_group *group = &p->groups[g];
        if (group->axis >= p->n_axes) {
            return err_set(err, ERR_INVALID, "groups[%u].axis: %u of %u", g, group->axis,
                           p->n_axes);
        }
        if (group->kind == BP_GROUP_SPREAD && group->max_skew == 0) {
            return err_set(err, ERR_INVALID, "groups[%u].max_skew must be positive", g);
        }
        if (group->family >= p->n_families) {
            return err_set(err, ERR_INVALID, "groups[%u].family: %u of %u", g, group->family,
                           p->n_families);
        }
        uint32_t n_values = p->n_axis_values[group->axis];
        if (n_values > 0 && group->base == NULL) {
            return err_set(err, ERR_INVALID, "groups[%u].base is missing", g);
        }
        if (!check_set("groups.carriers", g, group->carriers, p->n_classes, err) ||
            !check_set("groups.targets", g, group->targets, p->n_classes, err) ||
            (group->kind == BP_GROUP_SPREAD &&
             !check_set("groups.eligible", g, group->eligible, n_values, err))) {
            return false;
        }
    }
    for (uint32_t d = 0; d < p->n_domains && p->n_axes > 0; d++) {
        for (uint32_t a = 0; a < p->n_axes; a++) {
            uint32_t value = p->axis_value[(size_t)d * p->n_axes + a];
            if (value != BP_NO_VALUE && value >= p->n_axis_values[a]) {
                return err_set(err, ERR_INVALID, "axis_value[%u][%u]: %u of %u", d, a, value,
                               p->n_axis_values[a]);
            }
        }
    }
    return true;
}

bool bp_problem_check(const struct bp_problem *problem, struct err *err)
{
    return check_counts(problem, err) && check_classes(problem, err) &&
           check_offerings(problem, err) && check_rules(problem, err) && check_groups(problem, err);
}

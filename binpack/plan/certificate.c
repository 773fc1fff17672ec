/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/certificate.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "base/json.h"
#include "base/number.h"
#include "binpack/plan/certificate_branches.h"
#include "binpack/plan/certificate_compare.h"
#include "binpack/plan/certificate_counts.h"
#include "binpack/plan/plan_json.h"
#include "binpack/solver/problem.h"
#include "binpack/solver/verify.h"

enum { TEXT_MAX_BYTES = 1 << 27 }; /* as many as `binpack verify` reads */

/* ---- writing ---- */

static void put_bits(struct jsonw *w, const char *key, const uint64_t *set, uint32_t n)
{
    jsonw_key_array(w, key);
    for (size_t i = bits_next(set, n, 0); i < n; i = bits_next(set, n, i + 1)) {
        jsonw_i64(w, (int64_t)i);
    }
    jsonw_array_end(w);
}

/* Absent means unlimited. */
static void put_limited(struct jsonw *w, const char *key, uint32_t value)
{
    if (value != BP_UNLIMITED) {
        jsonw_key_i64(w, key, value);
    }
}

static void put_class(const struct plan *plan, uint32_t i, struct jsonw *w, struct arena *scratch)
{
    const struct bp_problem *p = plan->problem;
    const struct bp_class *class = &p->classes[i];
    jsonw_object_begin(w);
    jsonw_key_array(w, "pods");
    for (uint32_t pod = 0; pod < plan->classes[i].n_pods; pod++) {
        struct arena_mark mark = arena_mark(scratch);
        jsonw_str(w, plan_pod_name(plan, plan->classes[i].pods[pod], scratch));
        arena_rewind(scratch, mark);
    }
    jsonw_array_end(w);
    jsonw_key_i64(w, "units", class->demand);
    jsonw_key_i64(w, "placedUnits", (int64_t) class->demand - plan->solution->unplaced[i]);
    put_limited(w, "maxUnitsPerNode", class->max_per_node);
    jsonw_key_i64s(w, "size", &p->size[(size_t)i * p->n_dims], p->n_dims);
    put_bits(w, "domains", &p->mask[i * bits_words(p->n_domains)], p->n_domains);
    jsonw_key_i64(w, "dual", plan->solution->certificate.dual[i]);
    jsonw_object_end(w);
}

/* What the numbers of an offering stand for; the same keys as in the plan. */
static void put_offering_names(const struct plan *plan, const struct plan_offering *offering,
                               struct jsonw *w)
{
    const struct strtab *tab = plan->cluster->tab;
    if (offering->node.n > 0) {
        jsonw_key_str(w, "node", offering->node);
        return;
    }
    jsonw_key_str(w, "nodePool", plan->cluster->nodepools[offering->pool_i].meta.name);
    jsonw_key_str(w, "instanceType", strtab_str(tab, offering->type->name));
    jsonw_key_str(w, "zone", strtab_str(tab, plan->catalog->zones[offering->zone_i].name));
    jsonw_key_str(w, "capacityType", plan_capacity_type_name(offering->capacity_type));
    if (offering->reservation_id != STRID_EMPTY) {
        jsonw_key_str(w, "capacityReservationId", strtab_str(tab, offering->reservation_id));
    }
}

static void put_offering(const struct plan *plan, uint32_t k, struct jsonw *w)
{
    const struct bp_problem *p = plan->problem;
    const struct bp_offering *offering = &p->offerings[k];
    jsonw_object_begin(w);
    put_offering_names(plan, &plan->offerings[k], w);
    jsonw_key_i64(w, "nanoUsdPerHour", offering->price);
    put_limited(w, "stock", offering->stock);
    jsonw_key_i64(w, "domain", offering->domain);
    jsonw_key_i64s(w, "capacity", &p->capacity[(size_t)k * p->n_dims], p->n_dims);
    jsonw_key_i64(w, "bestValue", plan->solution->certificate.best_value[k]);
    jsonw_object_end(w);
}

static void put_limits(const struct plan *plan, struct jsonw *w)
{
    const struct bp_problem *p = plan->problem;
    jsonw_key_array(w, "limits");
    for (uint32_t r = 0; r < p->n_limits; r++) {
        jsonw_object_begin(w);
        jsonw_key_i64(w, "max", p->limits[r].max);
        jsonw_key_i64(w, "dual", plan->solution->certificate.limit_dual[r]);
        jsonw_key_array(w, "use");
        for (uint32_t k = 0; k < p->n_offerings; k++) {
            if (p->limits[r].use[k] != 0) {
                jsonw_array_begin(w);
                jsonw_i64(w, k);
                jsonw_i64(w, p->limits[r].use[k]);
                jsonw_array_end(w);
            }
        }
        jsonw_array_end(w);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

/* Only the caps that the bound may use. */
static void put_caps(const struct plan *plan, struct jsonw *w)
{
    const struct bp_problem *p = plan->problem;
    jsonw_key_array(w, "caps");
    for (uint32_t c = 0; c < p->n_caps; c++) {
        const struct bp_cap *cap = &p->caps[c];
        if (!cap->necessary) {
            continue;
        }
        jsonw_object_begin(w);
        jsonw_key_i64(w, "max", cap->max);
        put_bits(w, "classes", cap->members, p->n_classes);
        jsonw_key_array(w, "maxAt");
        for (uint32_t k = 0; cap->max_at != NULL && k < p->n_offerings; k++) {
            if (cap->max_at[k] != cap->max) {
                jsonw_array_begin(w);
                jsonw_i64(w, k);
                jsonw_i64(w, cap->max_at[k]);
                jsonw_array_end(w);
            }
        }
        jsonw_array_end(w);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

void certificate_write(const struct plan *plan, struct jsonw *w, struct arena *scratch)
{
    const struct bp_problem *p = plan->problem;
    jsonw_object_begin(w);
    jsonw_key_str(w, "apiVersion", STR("binpack/v1"));
    jsonw_key_str(w, "kind", STR("Certificate"));
    jsonw_key_str(w, "catalog", plan->catalog->name);
    jsonw_key_usd(w, "lowerBoundUsdPerHour", plan->solution->certificate.bound);
    jsonw_key_i64(w, "dualFractionBits", BP_DUAL_BITS);
    jsonw_key_i64(w, "theta", 1); /* the duals are scaled down already */
    jsonw_key_array(w, "dimensions");
    for (uint32_t d = 0; d < p->n_dims; d++) {
        jsonw_str(w, plan->dims[d]);
    }
    jsonw_array_end(w);
    jsonw_key_array(w, "classes");
    for (uint32_t i = 0; i < p->n_classes; i++) {
        put_class(plan, i, w, scratch);
    }
    jsonw_array_end(w);
    jsonw_key_array(w, "offerings");
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        put_offering(plan, k, w);
    }
    jsonw_array_end(w);
    put_limits(plan, w);
    put_caps(plan, w);
    certificate_branches_write(p, &plan->solution->certificate, w, scratch);
    certificate_counts_write(p, plan->solution->certificate.counts, w, scratch);
    jsonw_object_end(w);
}

/* ---- reading ---- */

struct checking {
    const struct plan *plan, *made;
    const struct bp_problem *problem;
    struct arena *arena;
    struct bp_certificate certificate;
    uint32_t *class_of; /* [cluster->n_pods] class of a pod, or UINT32_MAX */
};

static bool read_number(const struct json_at *object, const char *key, int64_t *ret_value,
                        struct err *err)
{
    struct json_at at = json_at_member(object, key);
    return json_read_i64(&at, 0, INT64_MAX, NULL, ret_value, err);
}

static bool want_text(const struct json_at *object, const char *key, struct str expected,
                      struct err *err)
{
    struct json_at at = json_at_member(object, key);
    struct str text;
    if (!json_read_str(&at, NULL, &text, err)) {
        return false;
    }
    if (!str_eq(text, expected)) {
        return json_fail(err, ERR_CONFLICT, &at,
                         "\"" STR_FMT "\", but the input gives \"" STR_FMT "\"", STR_ARG(text),
                         STR_ARG(expected));
    }
    return true;
}

/* The list of that name with exactly n elements. */
static bool want_list(const struct json_at *object, const char *key, uint32_t n,
                      struct json_at *ret_list, struct err *err)
{
    *ret_list = json_at_member(object, key);
    if (!json_want_array(ret_list, err)) {
        return false;
    }
    if (json_at_count(ret_list) != n) {
        return json_fail(err, ERR_CONFLICT, ret_list, "%zu elements, but the input gives %u",
                         json_at_count(ret_list), n);
    }
    return true;
}

static bool read_class(struct checking *c, uint32_t i, const struct json_at *at, int64_t *ret_dual,
                       struct err *err)
{
    const struct plan_class *class = &c->made->classes[i];
    struct json_at pods;
    if (!want_list(at, "pods", class->n_pods, &pods, err)) {
        return false;
    }
    for (uint32_t x = 0; x < class->n_pods; x++) {
        struct arena_mark mark = arena_mark(c->arena);
        struct json_at pod = json_at_element(&pods, x);
        struct str text;
        if (!json_read_str(&pod, NULL, &text, err)) {
            return false;
        }
        struct str expected = plan_pod_name(c->made, class->pods[x], c->arena);
        if (!str_eq(text, expected)) {
            return json_fail(err, ERR_CONFLICT, &pod,
                             "pod " STR_FMT ", but the input gives " STR_FMT, STR_ARG(text),
                             STR_ARG(expected));
        }
        arena_rewind(c->arena, mark);
    }
    return read_number(at, "dual", ret_dual, err);
}

static bool read_classes(struct checking *c, const struct json_at *root, struct err *err)
{
    struct json_at list;
    int64_t *dual = ARENA_ARRAY(c->arena, int64_t, c->problem->n_classes + 1);
    if (!want_list(root, "classes", c->problem->n_classes, &list, err)) {
        return false;
    }
    for (uint32_t i = 0; i < c->problem->n_classes; i++) {
        struct json_at at = json_at_element(&list, i);
        if (!read_class(c, i, &at, &dual[i], err)) {
            return false;
        }
    }
    c->certificate.dual = dual;
    return true;
}

static bool read_offering(const struct checking *c, uint32_t k, const struct json_at *at,
                          int64_t *ret_value, struct err *err)
{
    const struct plan_offering *offering = &c->made->offerings[k];
    const struct strtab *tab = c->made->cluster->tab;
    if (offering->node.n > 0) {
        return want_text(at, "node", offering->node, err) &&
               read_number(at, "bestValue", ret_value, err);
    }
    return want_text(at, "nodePool", c->made->cluster->nodepools[offering->pool_i].meta.name,
                     err) &&
           want_text(at, "instanceType", strtab_str(tab, offering->type->name), err) &&
           want_text(at, "zone", strtab_str(tab, c->made->catalog->zones[offering->zone_i].name),
                     err) &&
           want_text(at, "capacityType", plan_capacity_type_name(offering->capacity_type), err) &&
           read_number(at, "bestValue", ret_value, err);
}

static bool read_offerings(struct checking *c, const struct json_at *root, struct err *err)
{
    struct json_at list;
    int64_t *best = ARENA_ARRAY(c->arena, int64_t, c->problem->n_offerings + 1);
    if (!want_list(root, "offerings", c->problem->n_offerings, &list, err)) {
        return false;
    }
    for (uint32_t k = 0; k < c->problem->n_offerings; k++) {
        struct json_at at = json_at_element(&list, k);
        if (!read_offering(c, k, &at, &best[k], err)) {
            return false;
        }
    }
    c->certificate.best_value = best;
    return true;
}

static bool read_limits(struct checking *c, const struct json_at *root, struct err *err)
{
    struct json_at list;
    int64_t *dual = ARENA_ARRAY(c->arena, int64_t, c->problem->n_limits + 1);
    if (!want_list(root, "limits", c->problem->n_limits, &list, err)) {
        return false;
    }
    for (uint32_t r = 0; r < c->problem->n_limits; r++) {
        struct json_at at = json_at_element(&list, r);
        if (!read_number(&at, "dual", &dual[r], err)) {
            return false;
        }
    }
    c->certificate.limit_dual = dual;
    return true;
}

static bool read_bound(struct checking *c, const struct json_at *root, struct err *err)
{
    struct json_at at = json_at_member(root, "lowerBoundUsdPerHour");
    char buffer[NUMBER_TEXT_MAX];
    struct str text = STR_EMPTY;
    if (json_is_integer(at.v)) {
        text = number_format_decimal(json_integer_value(at.v), 0, buffer);
    } else if (json_is_real(at.v)) {
        text = number_format_double(json_real_value(at.v), buffer);
    }
    if (!number_parse_decimal(text, 9, &c->certificate.bound) || c->certificate.bound < 0) {
        return json_fail(err, ERR_INVALID, &at, "expected a price, got %s", json_type_text(at.v));
    }
    int64_t bits = 0;
    if (!read_number(root, "dualFractionBits", &bits, err)) {
        return false;
    }
    return bits == BP_DUAL_BITS ||
           err_set(err, ERR_UNSUPPORTED, "dualFractionBits: %lld, this program uses %d",
                   (long long)bits, BP_DUAL_BITS);
}

static bool read_certificate(struct checking *c, const json_t *document, struct err *err)
{
    struct json_at root = json_at_root(document);
    if (!json_want_object(&root, err) || !want_text(&root, "apiVersion", STR("binpack/v1"), err) ||
        !want_text(&root, "kind", STR("Certificate"), err) || !read_bound(c, &root, err)) {
        return false;
    }
    const struct bp_certificate *own = &c->made->solution->certificate;
    c->certificate.relaxed_families = own->relaxed_families;
    c->certificate.relaxed_varieties = own->relaxed_varieties;
    c->certificate.relaxed_exclusions = own->relaxed_exclusions;
    c->certificate.relaxed_caps = own->relaxed_caps;
    return read_classes(c, &root, err) && read_offerings(c, &root, err) &&
           read_limits(c, &root, err) &&
           certificate_branches_read(c->problem, &root, c->arena, &c->certificate, err) &&
           certificate_counts_read(c->problem, &root, c->arena, &c->certificate.counts, err);
}

/* ---- the plan as a solution ---- */

static void map_classes(struct checking *c)
{
    uint32_t n_pods = c->made->cluster->n_pods;
    c->class_of = ARENA_ARRAY(c->arena, uint32_t, n_pods + 1);
    for (uint32_t i = 0; i < n_pods; i++) {
        c->class_of[i] = UINT32_MAX;
    }
    for (uint32_t i = 0; i < c->problem->n_classes; i++) {
        for (uint32_t x = 0; x < c->made->classes[i].n_pods; x++) {
            c->class_of[c->made->classes[i].pods[x]] = i;
        }
    }
}

/* Pods counted per class, as units, ascending by class. */
static bool count_items(struct checking *c, struct str where, const uint32_t *pods, uint32_t n_pods,
                        struct bp_node *ret_node, struct err *err)
{
    uint32_t *counts = ARENA_ARRAY(c->arena, uint32_t, c->problem->n_classes + 1);
    uint32_t n_items = 0;
    for (uint32_t i = 0; i < n_pods; i++) {
        uint32_t class_i = c->class_of[pods[i]];
        if (class_i == UINT32_MAX) {
            struct str name = plan_pod_name(c->plan, pods[i], c->arena);
            return err_set(err, ERR_CONFLICT,
                           "node " STR_FMT ": pod " STR_FMT " needs no place in this input",
                           STR_ARG(where), STR_ARG(name));
        }
        n_items += counts[class_i]++ == 0;
    }
    struct bp_item *items = ARENA_ARRAY(c->arena, struct bp_item, n_items + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->problem->n_classes; i++) {
        uint32_t weight = c->problem->classes[i].weight;
        if (counts[i] % weight != 0) {
            return err_set(err, ERR_CONFLICT,
                           "node " STR_FMT ": %u pods of class %u, which come in groups of %u",
                           STR_ARG(where), counts[i], i, weight);
        }
        if (counts[i] > 0) {
            items[n++] = (struct bp_item){.class_i = i, .count = counts[i] / weight};
        }
    }
    ret_node->items = items;
    ret_node->n_items = n;
    return true;
}

static bool offering_holds(const struct checking *c, uint32_t k, const struct bp_node *node)
{
    const struct bp_problem *p = c->problem;
    for (uint32_t x = 0; x < node->n_items; x++) {
        if (!bits_get(&p->mask[node->items[x].class_i * bits_words(p->n_domains)],
                      p->offerings[k].domain)) {
            return false;
        }
    }
    for (uint32_t d = 0; d < p->n_dims; d++) {
        int64_t sum = 0;
        for (uint32_t x = 0; x < node->n_items; x++) {
            sum = sat_add(sum, sat_mul(p->size[(size_t)node->items[x].class_i * p->n_dims + d],
                                       node->items[x].count));
        }
        if (sum > p->capacity[(size_t)k * p->n_dims + d]) {
            return false;
        }
    }
    return true;
}

static bool same_labels(const struct k8s_pairs *a, const struct k8s_pairs *b)
{
    bool same = a->n == b->n;
    for (uint32_t i = 0; i < a->n && same; i++) {
        same = k8s_pairs_get(b, a->v[i].key) == a->v[i].value;
    }
    return same;
}

/* Offerings of one name differ in labels of their own; those that agree in them too are as good as
 * each other. */
static bool find_offering(const struct checking *c, const struct plan_node *node,
                          struct bp_node *ret_node, struct err *err)
{
    bool known = false;
    for (uint32_t k = 0; k < c->problem->n_offerings; k++) {
        const struct plan_offering *o = &c->made->offerings[k];
        if (o->node.n > 0 || o->pool_i != node->pool_i || o->type != node->type ||
            o->zone_i != node->zone_i || o->capacity_type != node->capacity_type ||
            o->reservation_id != node->reservation_id || !same_labels(&o->labels, &node->labels)) {
            continue;
        }
        known = true;
        if (offering_holds(c, k, ret_node)) {
            ret_node->offering_i = k;
            return true;
        }
    }
    return err_set(err, ERR_CONFLICT, "node " STR_FMT ": %s", STR_ARG(node->name),
                   known ? "its pods do not fit there or may not be there"
                         : "nothing like it can be bought for this input");
}

static bool find_running(const struct checking *c, struct str name, struct bp_node *ret_node,
                         struct err *err)
{
    for (uint32_t k = 0; k < c->problem->n_offerings; k++) {
        if (c->made->offerings[k].node.n > 0 && str_eq(c->made->offerings[k].node, name)) {
            ret_node->offering_i = k;
            return true;
        }
    }
    return err_set(err, ERR_CONFLICT, "node " STR_FMT " takes no pods in this input",
                   STR_ARG(name));
}

struct ordered_node {
    struct bp_node node;
    bool running;
    uint32_t i;
};

static int node_cmp(const void *a, const void *b)
{
    const struct ordered_node *x = a;
    const struct ordered_node *y = b;
    if (x->running != y->running) {
        return x->running ? -1 : 1;
    }
    if (x->node.offering_i != y->node.offering_i) {
        return x->node.offering_i < y->node.offering_i ? -1 : 1;
    }
    return x->i < y->i ? -1 : x->i > y->i;
}

static bool collect_nodes(struct checking *c, struct ordered_node *ordered, struct err *err)
{
    const struct plan *plan = c->plan;
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->n_nodes; i++, n++) {
        const struct plan_node *node = &plan->nodes[i];
        ordered[n].i = n;
        if (!count_items(c, node->name, node->pods, node->n_pods, &ordered[n].node, err) ||
            !find_offering(c, node, &ordered[n].node, err)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < plan->n_existing; i++, n++) {
        const struct plan_placement *place = &plan->existing[i];
        ordered[n].i = n;
        ordered[n].running = true;
        if (!count_items(c, place->node, place->pods, place->n_pods, &ordered[n].node, err) ||
            !find_running(c, place->node, &ordered[n].node, err)) {
            return false;
        }
    }
    qsort(ordered, n, sizeof(ordered[0]), node_cmp);
    return true;
}

static bool count_unplaced(struct checking *c, uint32_t *unplaced, struct err *err)
{
    for (uint32_t i = 0; i < c->plan->n_unplaced; i++) {
        uint32_t class_i = c->class_of[c->plan->unplaced[i].pod];
        if (class_i != UINT32_MAX) { /* a pod that nothing admits is in no class */
            unplaced[class_i]++;
        }
    }
    for (uint32_t i = 0; i < c->problem->n_classes; i++) {
        uint32_t weight = c->problem->classes[i].weight;
        if (unplaced[i] % weight != 0) {
            return err_set(err, ERR_CONFLICT,
                           "%u unplaced pods of class %u, which come in groups of %u", unplaced[i],
                           i, weight);
        }
        unplaced[i] /= weight;
    }
    return true;
}

/* Pods that were placed one by one need not come in the units of the problem, so such a plan is no
 * solution of it. It places all pods of the problem, and what the certificate says of the solution
 * at hand, which need not even place all, holds for it the more. */
static bool repaired_solution(const struct checking *c, struct bp_solution *ret_solution,
                              struct err *err)
{
    for (uint32_t i = 0; i < c->plan->n_unplaced; i++) {
        const uint32_t pod = c->plan->unplaced[i].pod;
        if (c->class_of[pod] != UINT32_MAX) {
            const struct k8s_pod *of = &c->plan->cluster->pods[pod];
            return err_set(err, ERR_CONFLICT,
                           "the plan leaves out a pod that the bound is about: " STR_FMT,
                           STR_ARG(of->name));
        }
    }
    *ret_solution = *c->made->solution;
    ret_solution->certificate = c->certificate;
    ret_solution->status = BP_EFFORT_DONE;
    return true;
}

/* The nodes of the plan as a solution of the problem. */
static bool translated_solution(struct checking *c, struct bp_solution *ret_solution,
                                struct err *err)
{
    const struct plan *plan = c->plan;
    uint32_t n_nodes = plan->n_nodes + plan->n_existing;
    struct ordered_node *ordered = ARENA_ARRAY(c->arena, struct ordered_node, n_nodes + 1);
    uint32_t *unplaced = ARENA_ARRAY(c->arena, uint32_t, c->problem->n_classes + 1);
    if (!collect_nodes(c, ordered, err) || !count_unplaced(c, unplaced, err)) {
        return false;
    }
    struct bp_node *nodes = ARENA_ARRAY(c->arena, struct bp_node, n_nodes + 1);
    for (uint32_t i = 0; i < n_nodes; i++) {
        nodes[i] = ordered[i].node;
    }
    *ret_solution = (struct bp_solution){
        .n_nodes = n_nodes,
        .nodes = nodes,
        .unplaced = unplaced,
        .cost = plan->cost,
        .certificate = c->certificate,
        .status = str_eq(plan->status, STR("optimal")) ? BP_OPTIMAL : BP_EFFORT_DONE,
    };
    return true;
}

/* The file is what this program would have written, with the file's duals. */
static bool says_the_same(struct checking *c, const json_t *document,
                          const struct bp_solution *solution, struct err *err)
{
    struct arena scratch = ARENA_INIT, kept = ARENA_INIT;
    struct strbuf text = strbuf_new(&kept, TEXT_MAX_BYTES);
    struct jsonw w = jsonw_new(&text, JSONW_COMPACT);
    struct plan of = *c->made;
    of.solution = solution;
    certificate_write(&of, &w, &scratch);
    json_error_t why;
    json_t *expected = json_loadb(strbuf_str(&text).p, strbuf_str(&text).n, 0, &why);
    bool good = expected != NULL ? certificate_compare(expected, document, err)
                                 : err_set(err, ERR_INTERNAL, "certificate: %s", why.text);
    json_decref(expected);
    arena_done(&kept);
    arena_done(&scratch);
    return good;
}

bool certificate_check(const json_t *document, const struct plan *plan, const struct plan *made,
                       struct arena *arena, usd_t *ret_bound, struct err *err)
{
    struct checking c = {.plan = plan, .made = made, .problem = made->problem, .arena = arena};
    struct bp_solution solution;
    if (!read_certificate(&c, document, err)) {
        return false;
    }
    map_classes(&c);
    if (!(str_eq(plan->method, STR("greedy-repair")) ? repaired_solution(&c, &solution, err)
                                                     : translated_solution(&c, &solution, err)) ||
        !says_the_same(&c, document, &solution, err)) {
        return false;
    }
    struct arena scratch = ARENA_INIT;
    struct bp_certificate proven;
    bool good = bp_verify_proven(c.problem, &solution, UINT64_MAX, &scratch, arena, &proven, err);
    arena_done(&scratch);
    if (!good) {
        return false;
    }
    if (plan->bound > proven.bound) {
        return err_set(
            err, ERR_CONFLICT,
            "the plan claims a bound of %lld nano-dollars per hour, the certificate proves %lld",
            (long long)plan->bound, (long long)proven.bound);
    }
    *ret_bound = proven.bound;
    return true;
}

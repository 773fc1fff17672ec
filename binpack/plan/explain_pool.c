/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/explain_pool.h"

#include "base/arena.h"
#include "base/number.h"
#include "base/vec.h"
#include "binpack/plan/plan_json.h"

#include <stdlib.h>

struct left { /* an offering that has passed so far */
    const struct cat_type *type;
    const struct cat_offering *offering;
};

struct pooling {
    const struct plan *plan;
    const struct karp_nodepool *pool;
    struct arena *arena;
    struct left *left;
    uint32_t n_left;
    VEC(struct plan_pool_step) steps;
};

/* ---- one rule ---- */

/* The value of the label on a node of the offering; "" when it has none. */
static struct str value_of(const struct pooling *p, const struct left *left, strid key)
{
    const struct k8s_words *words = &p->plan->cluster->words;
    const struct strtab *tab = p->plan->cluster->tab;
    const struct cat_zone *zone = &p->plan->catalog->zones[left->offering->zone_i];
    strid value = k8s_pairs_get(&left->type->labels, key);
    if (key == words->zone || key == words->zone_id) {
        return strtab_str(tab, key == words->zone ? zone->name : zone->id);
    }
    if (key == words->capacity_type) {
        return plan_capacity_type_name(left->offering->capacity_type);
    }
    return value == STRID_NONE ? STR_EMPTY : strtab_str(tab, value);
}

static bool compares(const struct k8s_requirement *r, struct str value, struct str bound)
{
    int64_t a, b;
    if (!number_parse_decimal(value, 0, &a) || !number_parse_decimal(bound, 0, &b)) {
        return false;
    }
    return r->op == K8S_GT ? a > b : r->op == K8S_LT ? a < b : r->op == K8S_GTE ? a >= b : a <= b;
}

static bool is_listed(const struct pooling *p, const struct k8s_requirement *r, struct str value)
{
    for (uint32_t i = 0; i < r->values.n; i++) {
        if (str_eq(strtab_str(p->plan->cluster->tab, r->values.v[i]), value)) {
            return true;
        }
    }
    return false;
}

static bool holds(const struct pooling *p, const struct k8s_requirement *r, const struct left *left)
{
    const struct strtab *tab = p->plan->cluster->tab;
    struct str value = value_of(p, left, r->key);
    switch (r->op) {
    case K8S_IN:
        return is_listed(p, r, value);
    case K8S_NOT_IN:
        return !is_listed(p, r, value);
    case K8S_EXISTS:
        return value.n > 0;
    case K8S_DOES_NOT_EXIST:
        return value.n == 0;
    case K8S_GT:
    case K8S_LT:
    case K8S_GTE:
    case K8S_LTE:
        break;
    }
    return r->values.n == 1 && value.n > 0 && compares(r, value, strtab_str(tab, r->values.v[0]));
}

/* Labels that machines have. Any other label of a requirement is one that the NodePool gives. */
static bool is_about_machines(const struct pooling *p, strid key)
{
    const struct k8s_words *words = &p->plan->cluster->words;
    if (key == words->zone || key == words->zone_id || key == words->capacity_type) {
        return true;
    }
    for (uint32_t t = 0; t < p->plan->catalog->n_types; t++) {
        if (k8s_pairs_get(&p->plan->catalog->types[t].labels, key) != STRID_NONE) {
            return true;
        }
    }
    return false;
}

/* ---- the funnel ---- */

static void end_step(struct pooling *p, struct str rule)
{
    struct plan_pool_step step = {.rule = rule, .n_offerings = p->n_left};
    for (uint32_t i = 0; i < p->n_left; i++) {
        step.n_types += i == 0 || p->left[i].type != p->left[i - 1].type;
    }
    VEC_PUSH(p->arena, &p->steps, step);
}

static void start(struct pooling *p)
{
    const struct catalog *catalog = p->plan->catalog;
    uint32_t n = 0;
    for (uint32_t t = 0; t < catalog->n_types; t++) {
        n += catalog->types[t].n_offerings;
    }
    p->left = ARENA_ARRAY(p->arena, struct left, n + 1);
    for (uint32_t t = 0; t < catalog->n_types; t++) {
        for (uint32_t k = 0; k < catalog->types[t].n_offerings; k++) {
            const struct cat_offering *offering = &catalog->types[t].offerings[k];
            if (offering->available && offering->price.has) {
                p->left[p->n_left++] =
                    (struct left){.type = &catalog->types[t], .offering = offering};
            }
        }
    }
    end_step(p, STR("in the catalogue, with a price"));
}

static struct str rule_text(const struct pooling *p, const struct k8s_requirement *r)
{
    static const char *const names[] = {
        [K8S_IN] = "In",         [K8S_NOT_IN] = "NotIn",
        [K8S_EXISTS] = "Exists", [K8S_DOES_NOT_EXIST] = "DoesNotExist",
        [K8S_GT] = ">",          [K8S_LT] = "<",
        [K8S_GTE] = ">=",        [K8S_LTE] = "<=",
    };
    enum { VALUES_SHOWN = 6 };
    const struct strtab *tab = p->plan->cluster->tab;
    struct strbuf text = strbuf_new(p->arena, 4096);
    strbuf_addf(&text, STR_FMT " %s", STR_ARG(strtab_str(tab, r->key)), names[r->op]);
    for (uint32_t i = 0; i < r->values.n && i < VALUES_SHOWN; i++) {
        strbuf_addf(&text, "%s" STR_FMT, i == 0 ? " " : ", ",
                    STR_ARG(strtab_str(tab, r->values.v[i])));
    }
    if (r->values.n > VALUES_SHOWN) {
        strbuf_addf(&text, " and %u more", r->values.n - VALUES_SHOWN);
    }
    return strbuf_str(&text);
}

static void apply_requirements(struct pooling *p)
{
    for (uint32_t i = 0; i < p->pool->n_requirements; i++) {
        const struct k8s_requirement *r = &p->pool->requirements[i];
        uint32_t n = 0;
        if (!is_about_machines(p, r->key)) {
            continue;
        }
        for (uint32_t k = 0; k < p->n_left; k++) {
            if (holds(p, r, &p->left[k])) {
                p->left[n++] = p->left[k];
            }
        }
        p->n_left = n;
        end_step(p, rule_text(p, r));
    }
}

/* What the node class can boot, in the zones of its subnets. */
static void apply_class(struct pooling *p)
{
    const struct k8s_cluster *cluster = p->plan->cluster;
    const struct aws_nodeclass *found = NULL;
    for (uint32_t i = 0; i < cluster->n_nodeclasses; i++) {
        bool same = str_eq(cluster->nodeclasses[i].meta.name, p->pool->class_ref.name);
        found = same ? &cluster->nodeclasses[i] : found;
    }
    uint32_t n = 0;
    for (uint32_t k = 0; k < p->n_left; k++) {
        strid zone = p->plan->catalog->zones[p->left[k].offering->zone_i].name;
        bool reachable = found == NULL || !found->has_subnets;
        for (uint32_t s = 0; !reachable && s < found->n_subnets; s++) {
            reachable = found->subnets[s].zone == zone;
        }
        if (reachable && cat_type_compatible(p->left[k].type, found, cluster->tab)) {
            p->left[n++] = p->left[k];
        }
    }
    p->n_left = n;
    end_step(p, STR("its node class: operating system, zones of subnets"));
}

static int left_cmp(const void *a, const void *b)
{
    const struct left *x = a, *y = b;
    if (x->offering->price.v != y->offering->price.v) {
        return x->offering->price.v < y->offering->price.v ? -1 : 1;
    }
    if (x->type != y->type) {
        return x->type < y->type ? -1 : 1;
    }
    return x->offering < y->offering ? -1 : x->offering > y->offering;
}

static void keep_cheapest(struct pooling *p, struct plan_pool_explanation *e)
{
    struct plan_choice *kept = ARENA_ARRAY(p->arena, struct plan_choice, EXPLAIN_POOL_CHEAPEST_MAX);
    if (p->n_left > 0) {
        qsort(p->left, p->n_left, sizeof *p->left, left_cmp);
    }
    for (uint32_t i = 0; i < p->n_left && e->n_cheapest < EXPLAIN_POOL_CHEAPEST_MAX; i++) {
        bool seen = false;
        for (uint32_t k = 0; k < e->n_cheapest; k++) {
            seen = seen || kept[k].type == p->left[i].type;
        }
        if (!seen) {
            kept[e->n_cheapest++] =
                (struct plan_choice){.type = p->left[i].type,
                                     .zone_i = p->left[i].offering->zone_i,
                                     .capacity_type = p->left[i].offering->capacity_type,
                                     .price = p->left[i].offering->price.v};
        }
    }
    e->cheapest = kept;
}

/* ---- what there is of it ---- */

static void count_nodes(const struct plan *plan, struct plan_pool_explanation *e)
{
    const struct k8s_cluster *cluster = plan->cluster;
    struct str name = cluster->nodepools[e->pool_i].meta.name;
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        if (plan->nodes[i].pool_i == e->pool_i) {
            e->n_new++;
            e->n_pods += plan->nodes[i].n_pods;
            e->cost = sat_add(e->cost, plan->nodes[i].price);
        }
    }
    for (uint32_t i = 0; i < cluster->n_nodes; i++) {
        strid value = k8s_pairs_get(&cluster->nodes[i].meta.labels, cluster->words.nodepool);
        e->n_running += value != STRID_NONE && str_eq(strtab_str(cluster->tab, value), name);
    }
}

static bool find_pool(const struct k8s_cluster *cluster, struct str name, uint32_t *ret_pool,
                      struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    struct strbuf all = strbuf_new(&scratch, 600);
    for (uint32_t i = 0; i < cluster->n_nodepools; i++) {
        if (str_eq(cluster->nodepools[i].meta.name, name)) {
            *ret_pool = i;
            return true;
        }
        strbuf_addf(&all, "%s" STR_FMT, i > 0 ? ", " : "",
                    STR_ARG(cluster->nodepools[i].meta.name));
    }
    return err_set(
        err, ERR_NOT_FOUND, "no NodePool \"" STR_FMT "\" in the input; there is " STR_FMT,
        STR_ARG(str_sub(name, 0, 300)), STR_ARG(all.n > 0 ? strbuf_str(&all) : STR("none")));
}

bool explain_pools(struct plan *plan, const struct str *names, uint32_t n, struct arena *arena,
                   struct err *err)
{
    struct plan_pool_explanation *all = ARENA_ARRAY(arena, struct plan_pool_explanation, n + 1);
    if (n > EXPLAIN_POOLS_MAX) {
        return err_set(err, ERR_LIMIT, "more than %d NodePools to explain", EXPLAIN_POOLS_MAX);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!find_pool(plan->cluster, names[i], &all[i].pool_i, err)) {
            return false;
        }
        struct pooling p = {
            .plan = plan, .pool = &plan->cluster->nodepools[all[i].pool_i], .arena = arena};
        count_nodes(plan, &all[i]);
        start(&p);
        apply_requirements(&p);
        apply_class(&p);
        keep_cheapest(&p, &all[i]);
        all[i].steps = p.steps.v;
        all[i].n_steps = (uint32_t)p.steps.n;
    }
    plan->pool_explanations = all;
    plan->n_pool_explanations = n;
    return true;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/relax.h"

#include "base/arena.h"
#include "base/vec.h"
#include "binpack/plan/alone.h"
#include "binpack/plan/plan_json.h"
#include "binpack/scheduling/resources.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEARCH_STEPS = 16 };

struct candidate {
    struct plan_relaxation what; /* `price` when it has been tried */
    struct k8s_pod_shape shape;  /* of the pod with it */
    uint32_t pool_i;             /* into cluster->nodepools; PLAN_NONE: no pool changes */
    struct karp_nodepool pool;   /* that pool with it */
};

struct relaxing {
    struct plan *plan;
    const struct make_settings *settings;
    struct arena *arena; /* what is proposed */
    struct arena *scratch;
    const struct k8s_pod *pod;
    VEC(struct plan_relaxation) found;
};

PRINTF_LIKE(2, 3) static struct str text_of(struct arena *arena, const char *format, ...)
{
    char text[1000];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    return str_copy(arena, (struct str){.p = text, .n = size});
}

/* ---- trying ---- */

/* Whether the pod gets a place; `ret_node` (may be NULL) is the node then, in `arena`. */
static bool admits(const struct relaxing *r, const struct candidate *c, struct arena *arena,
                   struct plan_node *ret_node)
{
    const struct alone alone = {.cluster = r->plan->cluster,
                                .catalog = r->plan->catalog,
                                .settings = r->settings,
                                .pod = r->pod,
                                .shape = &c->shape,
                                .other_pool = c->pool_i != PLAN_NONE ? &c->pool : NULL,
                                .other_pool_i = c->pool_i};
    return alone_has_place(&alone, arena, ret_node);
}

static struct candidate as_it_is(const struct relaxing *r)
{
    return (struct candidate){.shape = *r->pod->shape, .pool_i = PLAN_NONE};
}

static void propose(struct relaxing *r, const struct candidate *c, const struct plan_node *node)
{
    struct plan_relaxation what = c->what;
    what.price = node->price;
    what.type = node->type;
    VEC_PUSH(r->arena, &r->found, what);
}

static void attempt(struct relaxing *r, const struct candidate *c)
{
    auto_arena arena = ARENA_INIT;
    struct plan_node node;
    if (admits(r, c, &arena, &node)) {
        propose(r, c, &node);
    }
}

/* ---- changes of the pod ---- */

static struct str key_text(const struct relaxing *r, strid key)
{
    return strtab_str(r->plan->cluster->tab, key);
}

/* Takes every mention of the label out of the pod's node selector and required affinity. */
static bool drop_label(const struct relaxing *r, strid key, struct k8s_pod_shape *shape)
{
    struct k8s_pair *pairs = ARENA_ARRAY(r->scratch, struct k8s_pair, shape->node_selector.n + 1);
    struct k8s_node_term *terms =
        ARENA_ARRAY(r->scratch, struct k8s_node_term, shape->n_node_terms + 1);
    uint32_t n = 0;
    bool any = false, open = false;
    for (uint32_t i = 0; i < shape->node_selector.n; i++) {
        bool same = shape->node_selector.v[i].key == key;
        any = any || same;
        if (!same) {
            pairs[n++] = shape->node_selector.v[i];
        }
    }
    for (uint32_t t = 0; t < shape->n_node_terms; t++) {
        const struct k8s_node_term *from = &shape->node_terms[t];
        struct k8s_requirement *v =
            ARENA_ARRAY(r->scratch, struct k8s_requirement, from->n_expressions + 1);
        uint32_t kept = 0;
        for (uint32_t e = 0; e < from->n_expressions; e++) {
            if (from->expressions[e].key != key) {
                v[kept++] = from->expressions[e];
            }
        }
        any = any || kept < from->n_expressions;
        open = open || (kept == 0 && from->n_expressions > 0 && from->n_fields == 0);
        terms[t] = *from;
        terms[t].expressions = v;
        terms[t].n_expressions = kept;
    }
    shape->node_selector = (struct k8s_pairs){.n = n, .v = pairs};
    shape->node_terms = terms;
    if (open) { /* one alternative asks for nothing any more */
        shape->n_node_terms = 0;
        shape->has_required_node_terms = false;
    }
    return any;
}

static void try_labels(struct relaxing *r)
{
    const struct k8s_pod_shape *shape = r->pod->shape;
    VEC(strid) keys = {0};
    for (uint32_t i = 0; i < shape->node_selector.n; i++) {
        VEC_PUSH(r->scratch, &keys, shape->node_selector.v[i].key);
    }
    for (uint32_t t = 0; t < shape->n_node_terms; t++) {
        for (uint32_t e = 0; e < shape->node_terms[t].n_expressions; e++) {
            VEC_PUSH(r->scratch, &keys, shape->node_terms[t].expressions[e].key);
        }
    }
    for (size_t i = 0; i < keys.n; i++) {
        struct candidate c = as_it_is(r);
        bool seen = false;
        for (size_t k = 0; k < i; k++) {
            seen = seen || keys.v[k] == keys.v[i];
        }
        if (!seen && drop_label(r, keys.v[i], &c.shape)) {
            struct str key = key_text(r, keys.v[i]);
            c.what = (struct plan_relaxation){
                .change = "dropNodeSelector",
                .key = key,
                .text = text_of(r->arena,
                                "take the node selector or affinity on " STR_FMT " from the pod",
                                STR_ARG(key))};
            attempt(r, &c);
        }
    }
}

static void try_rules(struct relaxing *r)
{
    static const struct {
        const char *name, *text;
    } rows[] = {{"affinity", "take pod affinity from the pod"},
                {"antiaffinity", "take pod anti-affinity from the pod"},
                {"spread", "take topology spread from the pod"},
                {"hostports", "take host ports from the pod"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct candidate c = as_it_is(r);
        uint32_t *const counts[] = {&c.shape.n_affinity, &c.shape.n_anti_affinity,
                                    &c.shape.n_spread, &c.shape.n_host_ports};
        if (*counts[i] == 0) {
            continue;
        }
        *counts[i] = 0;
        c.what = (struct plan_relaxation){
            .change = "dropRules", .key = str_of(rows[i].name), .text = str_of(rows[i].text)};
        attempt(r, &c);
    }
}

static void set_request(const struct relaxing *r, strid resource, int64_t amount,
                        struct k8s_pod_shape *shape)
{
    struct k8s_quantity *v =
        ARENA_ARRAY(r->scratch, struct k8s_quantity, shape->pod_requests.n + 1);
    uint32_t n = 0;
    bool put = false;
    for (uint32_t i = 0; i <= shape->pod_requests.n; i++) {
        bool end = i == shape->pod_requests.n;
        if (!put && (end || shape->pod_requests.v[i].resource >= resource)) {
            v[n++] = (struct k8s_quantity){.resource = resource, .value = amount};
            put = true;
        }
        if (!end && shape->pod_requests.v[i].resource != resource) {
            v[n++] = shape->pod_requests.v[i];
        }
    }
    shape->has_pod_resources = true;
    shape->pod_requests = (struct k8s_resources){.n = n, .v = v};
}

/* The largest request of the resource, in units of `unit`, with which `base` has a place; 0: none.
 */
static int64_t largest_request(struct relaxing *r, const struct candidate *base, strid resource,
                               int64_t asked, int64_t unit)
{
    int64_t low = 0, high = asked / unit; /* low fits, high does not */
    for (int step = 0; step < SEARCH_STEPS * 2 && high - low > 1; step++) {
        auto_arena arena = ARENA_INIT;
        int64_t middle = step == 0 ? 1 : low + (high - low) / 2;
        struct candidate c = *base;
        set_request(r, resource, middle * unit, &c.shape);
        bool fits = admits(r, &c, &arena, NULL);
        if (step == 0 && !fits) {
            return 0; /* it is not about this resource */
        }
        *(fits ? &low : &high) = middle;
    }
    return low * unit;
}

/* A smaller request of cpu or memory, on top of what `base` changes. */
static void try_requests(struct relaxing *r, const struct candidate *base)
{
    const struct k8s_words *words = &r->plan->cluster->words;
    const struct {
        strid resource;
        int64_t unit;
        const char *name;
    } rows[] = {{words->cpu, 10, "cpu"}, {words->memory, INT64_C(16) << 20, "memory"}};
    struct k8s_resources all = sched_shape_requests(r->plan->cluster, r->scratch, r->pod->shape);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t asked = k8s_resources_get(&all, rows[i].resource);
        struct candidate c = *base;
        int64_t most = asked < 2 * rows[i].unit
                           ? 0
                           : largest_request(r, base, rows[i].resource, asked, rows[i].unit);
        if (most == 0) {
            continue;
        }
        set_request(r, rows[i].resource, most, &c.shape);
        struct str amount =
            plan_amount(words, r->plan->cluster->tab, rows[i].resource, most, r->arena);
        bool also = base->what.change != NULL;
        c.what.change = also ? base->what.change : "lowerRequest";
        c.what.also = also ? "lowerRequest" : NULL;
        c.what.resource = str_of(rows[i].name);
        c.what.amount = amount;
        c.what.text =
            text_of(r->arena, STR_FMT "%srequest at most %s " STR_FMT, STR_ARG(base->what.text),
                    also ? ", and " : "", rows[i].name, STR_ARG(amount));
        attempt(r, &c);
    }
}

/* ---- changes of a NodePool ---- */

static bool is_machine_label(struct str key)
{
    return str_starts(key, STR("karpenter.k8s.aws/instance-")) ||
           str_eq(key, STR("node.kubernetes.io/instance-type")) ||
           str_eq(key, STR("kubernetes.io/arch")) ||
           str_eq(key, STR("karpenter.sh/capacity-type")) ||
           str_eq(key, STR("topology.kubernetes.io/zone"));
}

/* What the node has for the label that a requirement is about. */
static struct str value_on(const struct relaxing *r, const struct plan_node *node, strid key)
{
    const struct k8s_words *words = &r->plan->cluster->words;
    const struct strtab *tab = r->plan->cluster->tab;
    if (key == words->capacity_type) {
        return plan_capacity_type_name(node->capacity_type);
    }
    if (key == words->zone) {
        return strtab_str(tab, r->plan->catalog->zones[node->zone_i].name);
    }
    return strtab_str(tab, k8s_pairs_get(&node->type->labels, key));
}

/* The pool with one requirement changed: `value` more in an In list, or without it (STR_EMPTY). */
static void change_requirement(const struct relaxing *r, const struct karp_nodepool *from,
                               uint32_t at, struct str value, struct karp_nodepool *pool)
{
    struct k8s_requirement *v =
        ARENA_ARRAY(r->scratch, struct k8s_requirement, from->n_requirements);
    uint32_t n = 0;
    for (uint32_t i = 0; i < from->n_requirements; i++) {
        v[n] = from->requirements[i];
        if (i == at && value.n == 0) {
            continue;
        }
        if (i == at) {
            const struct k8s_strids *old = &from->requirements[i].values;
            strid *values = ARENA_ARRAY(r->scratch, strid, old->n + 1);
            for (uint32_t k = 0; k < old->n; k++) {
                values[k] = old->v[k];
            }
            values[old->n] = strtab_add(r->plan->cluster->tab, value);
            v[n].values = (struct k8s_strids){.n = old->n + 1, .v = values};
        }
        n++;
    }
    *pool = *from;
    pool->requirements = v;
    pool->n_requirements = n;
}

/* Without the requirement first, to see what would be bought; then with that value allowed. */
static void try_requirement(struct relaxing *r, const struct candidate *base, uint32_t pool_i,
                            uint32_t at)
{
    auto_arena arena = ARENA_INIT;
    const struct karp_nodepool *pool = &r->plan->cluster->nodepools[pool_i];
    const struct k8s_requirement *requirement = &pool->requirements[at];
    struct str key = key_text(r, requirement->key);
    struct candidate c = *base;
    struct plan_node node;
    bool also = base->what.change != NULL;
    const char *link = also ? ", and " : "";
    c.pool_i = pool_i;
    change_requirement(r, pool, at, STR_EMPTY, &c.pool);
    if (!is_machine_label(key) || !admits(r, &c, &arena, &node) || node.pool_i != pool_i) {
        return;
    }
    struct str value = value_on(r, &node, requirement->key);
    c.what.pool = pool->meta.name;
    c.what.key = key;
    if (requirement->op == K8S_IN && value.n > 0) {
        change_requirement(r, pool, at, value, &c.pool);
        c.what.change = also ? base->what.change : "allowValue";
        c.what.also = also ? "allowValue" : NULL;
        c.what.value = str_copy(r->arena, value);
        c.what.text = text_of(
            r->arena, STR_FMT "%sallow " STR_FMT "=" STR_FMT " in NodePool " STR_FMT,
            STR_ARG(base->what.text), link, STR_ARG(key), STR_ARG(value), STR_ARG(pool->meta.name));
    } else {
        c.what.change = also ? base->what.change : "dropRequirement";
        c.what.also = also ? "dropRequirement" : NULL;
        c.what.text = text_of(
            r->arena, STR_FMT "%stake the requirement on " STR_FMT " from NodePool " STR_FMT,
            STR_ARG(base->what.text), link, STR_ARG(key), STR_ARG(pool->meta.name));
    }
    attempt(r, &c);
}

/* The pod tolerates all taints of the pool; false when it does already. */
static bool tolerate(const struct relaxing *r, uint32_t pool_i, struct candidate *c)
{
    const struct karp_nodepool *pool = &r->plan->cluster->nodepools[pool_i];
    const struct k8s_pod_shape *shape = r->pod->shape;
    struct k8s_toleration *v =
        ARENA_ARRAY(r->scratch, struct k8s_toleration, shape->n_tolerations + pool->n_taints + 1);
    struct strbuf taints = strbuf_new(r->arena, 1000);
    uint32_t n = 0;
    for (; n < shape->n_tolerations; n++) {
        v[n] = shape->tolerations[n];
    }
    for (uint32_t t = 0; t < pool->n_taints; t++) {
        const struct k8s_taint *taint = &pool->taints[t];
        if (taint->effect == K8S_PREFER_NO_SCHEDULE ||
            k8s_tolerates(shape->tolerations, shape->n_tolerations, taint)) {
            continue;
        }
        v[n++] = (struct k8s_toleration){
            .key = taint->key, .value = taint->value, .op = K8S_IN, .effect = taint->effect};
        strbuf_addf(&taints, "%s" STR_FMT "=" STR_FMT, taints.n > 0 ? ", " : "",
                    STR_ARG(key_text(r, taint->key)), STR_ARG(key_text(r, taint->value)));
    }
    c->shape.tolerations = v;
    c->shape.n_tolerations = n;
    c->what = (struct plan_relaxation){
        .change = "tolerateTaints",
        .pool = pool->meta.name,
        .text = text_of(r->arena, "let the pod tolerate " STR_FMT " of NodePool " STR_FMT,
                        STR_ARG(strbuf_str(&taints)), STR_ARG(pool->meta.name))};
    return n > shape->n_tolerations;
}

static void try_limits(struct relaxing *r, uint32_t pool_i)
{
    const struct karp_nodepool *pool = &r->plan->cluster->nodepools[pool_i];
    struct candidate c = as_it_is(r);
    if (pool->limits.n == 0) {
        return;
    }
    c.pool_i = pool_i;
    c.pool = *pool;
    c.pool.limits = (struct k8s_resources){.n = 0};
    c.what =
        (struct plan_relaxation){.change = "raiseLimits",
                                 .pool = pool->meta.name,
                                 .text = text_of(r->arena, "raise the limits of NodePool " STR_FMT,
                                                 STR_ARG(pool->meta.name))};
    attempt(r, &c);
}

static void try_pools(struct relaxing *r, bool pairs)
{
    const struct k8s_cluster *cluster = r->plan->cluster;
    for (uint32_t p = 0; p < cluster->n_nodepools; p++) {
        struct candidate base = as_it_is(r);
        bool tainted = tolerate(r, p, &base);
        if (tainted && !pairs) {
            attempt(r, &base);
        }
        if (!pairs) {
            try_limits(r, p);
        }
        if (tainted != pairs) {
            continue; /* one change where the taints are no matter, two where they are */
        }
        base = tainted ? base : as_it_is(r);
        for (uint32_t q = 0; q < cluster->nodepools[p].n_requirements; q++) {
            try_requirement(r, &base, p, q);
        }
        if (pairs) {
            try_requests(r, &base);
        }
    }
}

/* ---- all of it ---- */

static int relaxation_cmp(const void *a, const void *b)
{
    const struct plan_relaxation *x = a, *y = b;
    if (x->price != y->price) {
        return x->price < y->price ? -1 : 1;
    }
    return str_cmp(x->text, y->text);
}

static void relax_one(struct plan *plan, const struct make_settings *settings,
                      struct plan_explanation *e, struct arena *arena)
{
    auto_arena scratch = ARENA_INIT;
    struct relaxing r = {.plan = plan,
                         .settings = settings,
                         .arena = arena,
                         .scratch = &scratch,
                         .pod = &plan->cluster->pods[e->pod]};
    struct candidate unchanged = as_it_is(&r);
    e->alone = admits(&r, &unchanged, &scratch, NULL);
    if (e->alone) {
        return;
    }
    try_labels(&r);
    try_rules(&r);
    try_pools(&r, /* pairs= */ false);
    try_requests(&r, &unchanged);
    if (r.found.n == 0) {
        try_pools(&r, /* pairs= */ true);
    }
    if (r.found.n > 0) {
        qsort(r.found.v, r.found.n, sizeof *r.found.v, relaxation_cmp);
    }
    e->n_relaxations = r.found.n > RELAX_SHOWN_MAX ? RELAX_SHOWN_MAX : (uint32_t)r.found.n;
    e->relaxations = r.found.v;
}

void relax_add(struct plan *plan, const struct make_settings *settings, struct arena *arena)
{
    struct plan_explanation *all =
        ARENA_ARRAY(arena, struct plan_explanation, plan->n_explanations + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->n_explanations; i++) {
        all[i] = plan->explanations[i];
        if (all[i].unplaced_i != PLAN_NONE && n++ < RELAX_PODS_MAX) {
            relax_one(plan, settings, &all[i], arena);
        }
    }
    plan->explanations = all;
}

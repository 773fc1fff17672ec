/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/assemble.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"
#include "binpack/plan/plan_json.h"
#include "binpack/scheduling/resources.h"

#include <stdlib.h>

/* A new node with its place in the order of the plan. */
struct draft {
    struct plan_node node;
    const struct bp_node *of_solution; /* NULL: its options are known already */
    struct str pool, type, zone, first_pod;
    strid first_ns;
    const struct strtab *tab;
};

/* Where the pods of each unit begin in the list of each of its classes, and how many units are
 * given out. */
struct dealer {
    const struct assembly *a;
    uint32_t **start; /* [n_classes of the problem][items] */
    uint32_t *dealt;  /* [n_classes of the problem] units */
};

static struct dealer dealer_new(const struct assembly *a)
{
    const struct sched_problem *p = a->problem;
    struct dealer d = {.a = a,
                       .start = ARENA_ARRAY(a->arena, uint32_t *, p->bp.n_classes),
                       .dealt = ARENA_ARRAY(a->arena, uint32_t, p->bp.n_classes)};
    uint32_t *used = ARENA_ARRAY(a->arena, uint32_t, p->classes.n);
    for (uint32_t u = 0; u < p->bp.n_classes; u++) {
        d.start[u] = ARENA_ARRAY(a->arena, uint32_t, p->units[u].n);
        for (uint32_t k = 0; k < p->units[u].n; k++) {
            const struct sched_bundle_item *item = &p->units[u].items[k];
            d.start[u][k] = used[item->class_i];
            used[item->class_i] += item->count * p->bp.classes[u].demand;
        }
    }
    return d;
}

/* Pods in one unit of class `u` of the problem. Its weight may be less: what the groups count. */
static uint32_t unit_size(const struct sched_problem *p, uint32_t u)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < p->units[u].n; k++) {
        n += p->units[u].items[k].count;
    }
    return n;
}

/* The pods of unit number `j` of class `u` of the problem; returns how many. */
static uint32_t unit_pods(const struct dealer *d, uint32_t u, uint32_t j, uint32_t *ret_pods)
{
    const struct sched_problem *p = d->a->problem;
    uint32_t n = 0;
    for (uint32_t k = 0; k < p->units[u].n; k++) {
        const struct sched_bundle_item *item = &p->units[u].items[k];
        for (uint32_t c = 0; c < item->count; c++) {
            ret_pods[n++] = p->classes.v[item->class_i].pods[d->start[u][k] + j * item->count + c];
        }
    }
    return n;
}

/* Deals the pods of one node; sorted by namespace and name. */
static void deal(struct dealer *d, const struct bp_node *node, bool *placed,
                 const uint32_t **ret_pods, uint32_t *ret_n)
{
    const struct sched_problem *p = d->a->problem;
    uint32_t n = 0;
    for (uint32_t i = 0; i < node->n_items; i++) {
        n += node->items[i].count * unit_size(p, node->items[i].class_i);
    }
    uint32_t *pods = ARENA_ARRAY(d->a->arena, uint32_t, n);
    n = 0;
    for (uint32_t i = 0; i < node->n_items; i++) {
        uint32_t u = node->items[i].class_i;
        for (uint32_t c = 0; c < node->items[i].count; c++) {
            n += unit_pods(d, u, d->dealt[u]++, pods + n);
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        placed[pods[i]] = true;
    }
    struct arena scratch = ARENA_INIT;
    sched_pods_sort(p->base->snapshot->cluster, &scratch, pods, n);
    arena_done(&scratch);
    *ret_pods = pods;
    *ret_n = n;
}

void assemble_placed(const struct assembly *a, bool *ret_placed)
{
    struct dealer d = dealer_new(a);
    for (uint32_t i = 0; i < a->solution->n_nodes; i++) {
        const uint32_t *pods = NULL;
        uint32_t n = 0;
        deal(&d, &a->solution->nodes[i], ret_placed, &pods, &n);
    }
}

static struct k8s_pairs plan_labels(const struct assembly *a, const struct sched_variant *variant)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    const struct k8s_pairs *labels = &s->pools[variant->pool_i].pool->template_labels;
    struct k8s_pair *v = ARENA_ARRAY(a->arena, struct k8s_pair, labels->n + variant->choice.n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < labels->n; i++) {
        v[n++] = labels->v[i];
    }
    for (uint32_t i = 0; i < variant->choice.n; i++) {
        uint32_t at = n++;
        for (; at > 0 && v[at - 1].key > variant->choice.v[i].key; at--) {
            v[at] = v[at - 1];
        }
        v[at] = variant->choice.v[i];
    }
    return (struct k8s_pairs){.n = n, .v = v};
}

static struct k8s_resources copy_resources(struct arena *arena, struct k8s_resources from)
{
    return sched_resources_sum(arena, from, (struct k8s_resources){.n = 0});
}

/* Sum of the requests of pods. */
static struct k8s_resources requested_by(const struct assembly *a, const uint32_t *pods, uint32_t n)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    struct arena scratch = ARENA_INIT;
    struct k8s_resources sum = {.n = 0};
    for (uint32_t i = 0; i < n; i++) {
        struct k8s_resources one = sched_requests_of(s, s->cluster->pods[pods[i]].shape, &scratch);
        sum = sched_resources_sum(&scratch, sum, one);
    }
    sum = copy_resources(a->arena, sum);
    arena_done(&scratch);
    return sum;
}

static struct draft make_draft(const struct assembly *a, uint32_t offer_i, const uint32_t *pods,
                               uint32_t n_pods)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    const struct sched_offers *o = a->problem->base->offers;
    const struct sched_offer *offer = &o->v[offer_i];
    const struct sched_cell *cell = &o->cells[offer->cell_i];
    const struct sched_variant *variant = &o->variants.v[cell->variant_i];
    const struct sched_pool *pool = &s->pools[variant->pool_i];
    struct draft draft = {.tab = s->tab};
    draft.node = (struct plan_node){
        .pool_i = pool->pool_i,
        .type = &s->catalog->types[offer->type_i],
        .zone_i = offer->zone_i,
        .capacity_type = offer->capacity_type,
        .reservation_id = offer->reservation_id,
        .price = offer->price,
        .os = variant->os,
        .labels = plan_labels(a, variant),
        .allocatable = copy_resources(a->arena, o->rooms[offer->room_i].room.allocatable),
        .requested = requested_by(a, pods, n_pods),
        .daemons = copy_resources(a->arena, o->overheads[cell->overhead_i].requests),
        .n_pods = n_pods,
        .pods = pods};
    draft.pool = pool->pool->meta.name;
    draft.type = strtab_str(s->tab, draft.node.type->name);
    draft.zone = strtab_str(s->tab, s->catalog->zones[offer->zone_i].name);
    draft.first_pod = s->cluster->pods[pods[0]].name;
    draft.first_ns = s->cluster->pods[pods[0]].ns;
    return draft;
}

static int draft_cmp(const void *a, const void *b)
{
    const struct draft *x = a, *y = b;
    if (x->node.price != y->node.price) {
        return x->node.price > y->node.price ? -1 : 1;
    }
    int order = str_cmp(x->pool, y->pool);
    order = order != 0 ? order : str_cmp(x->type, y->type);
    order = order != 0 ? order : str_cmp(x->zone, y->zone);
    order = order != 0 ? order : (int)x->node.capacity_type - (int)y->node.capacity_type;
    order = order != 0 ? order : strtab_cmp(x->tab, x->first_ns, y->first_ns);
    return order != 0 ? order : str_cmp(x->first_pod, y->first_pod);
}

/* Names the new nodes and adds up. Nodes with the same pattern on the same offering have the same
 * options. */
static void finish_nodes(struct assembly *a, struct draft *drafts, uint32_t n)
{
    struct plan_node *nodes = ARENA_ARRAY(a->arena, struct plan_node, n);
    struct strtab *known = strtab_new(a->arena);
    uint32_t *like = ARENA_ARRAY(a->arena, uint32_t, n + 1);
    if (n > 0) {
        qsort(drafts, n, sizeof *drafts, draft_cmp);
    }
    assemble_options_index(a);
    for (uint32_t i = 0; i < n; i++) {
        struct strbuf name = strbuf_new(a->arena, 64);
        strbuf_addf(&name, "new-%u", i + 1);
        nodes[i] = drafts[i].node;
        nodes[i].name = strbuf_str(&name);
        a->plan->cost = sat_add(a->plan->cost, nodes[i].price);
        a->plan->on_demand_cost = sat_add(a->plan->on_demand_cost, plan_on_demand_price(&nodes[i]));
        const struct bp_node *from = drafts[i].of_solution;
        if (from == NULL) {
            continue;
        }
        struct strbuf key = strbuf_new(a->arena, 16 * 1024 * 1024);
        strbuf_add(
            &key, (struct str){.p = (const char *)&from->offering_i, .n = sizeof from->offering_i});
        strbuf_add(&key, (struct str){.p = (const char *)from->items,
                                      .n = from->n_items * sizeof *from->items});
        uint32_t before = strtab_count(known);
        strid id = strtab_add(known, strbuf_str(&key));
        if (id == before) {
            like[id] = i;
            assemble_options(a, from, &nodes[i]);
        } else {
            nodes[i].options = nodes[like[id]].options;
            nodes[i].n_options = nodes[like[id]].n_options;
        }
    }
    a->plan->n_nodes = n;
    a->plan->nodes = nodes;
}

static void name_classes(struct assembly *a, const struct dealer *d)
{
    const struct sched_problem *p = a->problem;
    struct plan_class *classes = ARENA_ARRAY(a->arena, struct plan_class, p->bp.n_classes);
    for (uint32_t u = 0; u < p->bp.n_classes; u++) {
        const struct bp_class *c = &p->bp.classes[u];
        uint32_t *pods = ARENA_ARRAY(a->arena, uint32_t, (size_t)c->demand * unit_size(p, u));
        uint32_t n = 0;
        for (uint32_t j = 0; j < c->demand; j++) {
            n += unit_pods(d, u, j, pods + n);
        }
        sched_pods_sort(p->base->snapshot->cluster, a->arena, pods, n);
        classes[u] = (struct plan_class){.n_pods = n, .pods = pods};
    }
    a->plan->classes = classes;
}

static void name_offerings(struct assembly *a)
{
    const struct sched_problem *p = a->problem;
    const struct sched_snapshot *s = p->base->snapshot;
    const struct sched_offers *o = p->base->offers;
    struct plan_offering *offerings =
        ARENA_ARRAY(a->arena, struct plan_offering, p->bp.n_offerings);
    for (uint32_t k = 0; k < p->bp.n_offerings; k++) {
        const struct sched_problem_offering *ref = &p->offerings[k];
        if (ref->node_i != SCHED_NONE) {
            offerings[k] = (struct plan_offering){.node = s->nodes[ref->node_i].name};
            continue;
        }
        const struct sched_offer *offer = &o->v[ref->offer_i];
        const struct sched_variant *variant = &o->variants.v[o->cells[offer->cell_i].variant_i];
        offerings[k] = (struct plan_offering){.pool_i = s->pools[variant->pool_i].pool_i,
                                              .type = &s->catalog->types[offer->type_i],
                                              .zone_i = offer->zone_i,
                                              .capacity_type = offer->capacity_type,
                                              .reservation_id = offer->reservation_id,
                                              .labels = plan_labels(a, variant)};
    }
    a->plan->offerings = offerings;
    struct str *dims = ARENA_ARRAY(a->arena, struct str, p->bp.n_dims);
    for (uint32_t i = 0; i < p->bp.n_dims; i++) {
        const struct sched_dim *dim = &p->base->dims.v[i];
        struct strbuf name = strbuf_new(a->arena, 1024);
        strbuf_addf(&name, "%s" STR_FMT, dim->attach ? "attachments of " : "",
                    STR_ARG(strtab_str(s->tab, dim->name)));
        dims[i] = strbuf_str(&name);
    }
    a->plan->dims = dims;
}

void assemble_nodes(struct assembly *a, bool *ret_placed)
{
    const struct sched_problem *p = a->problem;
    const struct sched_snapshot *s = p->base->snapshot;
    const struct bp_solution *solution = a->solution;
    struct dealer d = dealer_new(a);
    struct draft *drafts = ARENA_ARRAY(a->arena, struct draft, solution->n_nodes);
    struct plan_placement *existing =
        ARENA_ARRAY(a->arena, struct plan_placement, solution->n_nodes);
    uint32_t n_new = 0;
    for (uint32_t i = 0; i < solution->n_nodes; i++) {
        const struct bp_node *node = &solution->nodes[i];
        const uint32_t *pods = NULL;
        uint32_t n_pods = 0;
        deal(&d, node, ret_placed, &pods, &n_pods);
        if (n_pods == 0) {
            continue;
        }
        uint32_t node_i = p->offerings[node->offering_i].node_i;
        if (node_i != SCHED_NONE) {
            existing[a->plan->n_existing++] = (struct plan_placement){
                .node = s->nodes[node_i].name, .n_pods = n_pods, .pods = pods};
        } else {
            drafts[n_new] = make_draft(a, p->offerings[node->offering_i].offer_i, pods, n_pods);
            drafts[n_new++].of_solution = node;
        }
    }
    a->plan->existing = existing; /* Running offerings are in the order of node names. */
    finish_nodes(a, drafts, n_new);
    name_classes(a, &d);
    name_offerings(a);
}

/* ---- a plan that another planner made */

/* Pods that went to running nodes, in the order of node names. */
static void place_emulated(struct assembly *a, const struct emu_plan *emulated, bool *placed)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    struct plan_placement *existing = ARENA_ARRAY(a->arena, struct plan_placement, s->n_nodes);
    uint32_t *n_at = ARENA_ARRAY(a->arena, uint32_t, s->n_nodes);
    uint32_t **pods_at = ARENA_ARRAY(a->arena, uint32_t *, s->n_nodes);
    for (uint32_t i = 0; i < s->n_pending; i++) {
        if (emulated->running_of[i] != SCHED_NONE) {
            n_at[emulated->running_of[i]]++;
        }
    }
    for (uint32_t n = 0; n < s->n_nodes; n++) {
        pods_at[n] = ARENA_ARRAY(a->arena, uint32_t, n_at[n]);
        n_at[n] = 0;
    }
    for (uint32_t i = 0; i < s->n_pending; i++) {
        const uint32_t node_i = emulated->running_of[i];
        if (node_i != SCHED_NONE) {
            pods_at[node_i][n_at[node_i]++] = s->pending[i]; /* Pending pods are sorted by name. */
            placed[s->pending[i]] = true;
        }
    }
    for (uint32_t n = 0; n < s->n_nodes; n++) {
        if (n_at[n] > 0) {
            existing[a->plan->n_existing++] = (struct plan_placement){
                .node = s->nodes[n].name, .n_pods = n_at[n], .pods = pods_at[n]};
        }
    }
    a->plan->existing = existing;
}

static struct draft emulated_draft(const struct assembly *a, const struct emu_node *node,
                                   bool *placed)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    uint32_t *pods = ARENA_ARRAY(a->arena, uint32_t, node->n_pods);
    const struct cat_type **options =
        ARENA_ARRAY(a->arena, const struct cat_type *, node->n_options);
    for (uint32_t i = 0; i < node->n_pods; i++) {
        pods[i] = s->pending[node->pods[i]];
        placed[pods[i]] = true;
    }
    for (uint32_t i = 0; i < node->n_options; i++) {
        options[i] = &s->catalog->types[node->options[i]];
    }
    struct arena scratch = ARENA_INIT;
    sched_pods_sort(s->cluster, &scratch, pods, node->n_pods);
    arena_done(&scratch);
    struct draft draft = make_draft(a, node->offer_i, pods, node->n_pods);
    draft.node.options = options;
    draft.node.n_options = node->n_options;
    return draft;
}

void assemble_emulated(struct assembly *a, const struct emu_plan *emulated, bool *ret_placed)
{
    struct dealer d = dealer_new(a);
    struct draft *drafts = ARENA_ARRAY(a->arena, struct draft, emulated->n_nodes);
    for (uint32_t i = 0; i < emulated->n_nodes; i++) {
        drafts[i] = emulated_draft(a, &emulated->nodes[i], ret_placed);
    }
    place_emulated(a, emulated, ret_placed);
    finish_nodes(a, drafts, emulated->n_nodes);
    name_classes(a, &d);
    name_offerings(a);
}

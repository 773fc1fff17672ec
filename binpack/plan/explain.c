/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/explain.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/scheduling/eligibility.h"
#include "binpack/scheduling/prefs.h"

#include <stdlib.h>

static const struct {
    const char *code, *text;
} steps[N_EXPLAIN_STEPS] = {
    [EXPLAIN_CATALOG] = {"catalog", "in the catalogue"},
    [EXPLAIN_POOL] = {"nodePool", "NodePool and node class"},
    [EXPLAIN_LABELS] = {"nodeSelectorAndAffinity", "node selector and affinity"},
    [EXPLAIN_VOLUMES] = {"volumes", "zones of its volumes"},
    [EXPLAIN_TAINTS] = {"taintsAndHostPorts", "taints and host ports"},
    [EXPLAIN_DAEMONS] = {"daemonSets", "room for DaemonSets"},
    [EXPLAIN_RESOURCES] = {"resources", "room for the pod"},
    [EXPLAIN_LIMITS] = {"limits", "limits of the NodePool"},
};

struct str explain_step_text(enum explain_step step)
{
    return str_of(steps[step].text);
}

struct str explain_step_code(enum explain_step step)
{
    return str_of(steps[step].code);
}

/* ---- which pods */

static bool not_found(const struct k8s_cluster *cluster, struct str name, struct err *err)
{
    enum { MOST = 3 };
    char text[512];
    struct arena arena = ARENA_INIT;
    struct strbuf near = strbuf_new(&arena, sizeof text);
    uint32_t n = 0;
    for (uint32_t i = 0; i < cluster->n_pods; i++) {
        struct str ns = strtab_str(cluster->tab, cluster->pods[i].ns);
        struct str own = cluster->pods[i].name;
        size_t slash = str_find(name, '/');
        struct str want = slash < name.n ? str_sub(name, slash + 1, name.n) : name;
        if (str_starts(own, want) && n++ < MOST) {
            strbuf_addf(&near, "%s" STR_FMT "/" STR_FMT, near.n > 0 ? ", " : "", STR_ARG(ns),
                        STR_ARG(own));
        }
    }
    struct str list = strbuf_str(&near);
    bool good = err_set(err, ERR_NOT_FOUND, "no pod \"" STR_FMT "\" in the input%s" STR_FMT "%s",
                        STR_ARG(str_sub(name, 0, 300)), n > 0 ? "; there is " : "", STR_ARG(list),
                        n > MOST ? " and more" : "");
    arena_done(&arena);
    return good;
}

static bool is_named(const struct k8s_cluster *cluster, const struct k8s_pod *pod, struct str name)
{
    struct str ns = strtab_str(cluster->tab, pod->ns);
    size_t slash = str_find(name, '/');
    if (slash == name.n) {
        return str_eq(pod->name, name);
    }
    return str_eq(str_sub(name, 0, slash), ns) &&
           str_eq(str_sub(name, slash + 1, name.n), pod->name);
}

static bool find_one(const struct k8s_cluster *cluster, struct str name, uint32_t *ret_pod,
                     struct err *err)
{
    uint32_t found = PLAN_NONE;
    for (uint32_t i = 0; i < cluster->n_pods; i++) {
        if (!is_named(cluster, &cluster->pods[i], name)) {
            continue;
        }
        if (found != PLAN_NONE) {
            return err_set(err, ERR_INVALID,
                           "the pod \"" STR_FMT "\" is in several namespaces; write NAMESPACE/NAME",
                           STR_ARG(str_sub(name, 0, 300)));
        }
        found = i;
    }
    *ret_pod = found;
    return found != PLAN_NONE || not_found(cluster, name, err);
}

bool explain_find(const struct k8s_cluster *cluster, const struct str *names, uint32_t n,
                  uint32_t *ret_pods, struct err *err)
{
    if (n > EXPLAIN_PODS_MAX) {
        return err_set(err, ERR_LIMIT, "more than %d pods to explain", EXPLAIN_PODS_MAX);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!find_one(cluster, names[i], &ret_pods[i], err)) {
            return false;
        }
    }
    return true;
}

/* ---- the funnel */

struct explaining {
    struct assembly *a;
    const struct sched_snapshot *s;
    const struct sched_base *base;
    const struct sched_descent *descent; /* of the plan */
    const uint32_t *pending_of;          /* [n_pods] into snapshot->pending */
    struct sched_needs needs;            /* of the pods asked about */
    struct sched_masks masks;
    struct arena *scratch;
};

struct judged {
    const struct sched_need *need;
    uint32_t need_i;
    int64_t size[BP_MAX_DIMS];
    uint64_t *labels, *volumes; /* cells */
};

/* The last step that an offering of the pool survives. */
static enum explain_step survives(const struct explaining *x, const struct judged *j, uint32_t k)
{
    const struct sched_dims *dims = &x->base->dims;
    const struct sched_mask *mask = &x->masks.v[x->masks.of_need[j->need_i]];
    uint32_t cell_i = x->base->offers->v[k].cell_i;
    const bool passes[N_EXPLAIN_STEPS] = {
        [EXPLAIN_CATALOG] = true,
        [EXPLAIN_POOL] = true,
        [EXPLAIN_LABELS] = bits_get(j->labels, cell_i),
        [EXPLAIN_VOLUMES] = bits_get(j->volumes, cell_i),
        [EXPLAIN_TAINTS] = bits_get(mask->cells, cell_i),
        [EXPLAIN_DAEMONS] = bits_get(dims->roomy, k),
        [EXPLAIN_RESOURCES] =
            sched_dims_fit(dims, j->size, dims->offer_capacity + (size_t)k * dims->n),
        [EXPLAIN_LIMITS] = bits_get(dims->usable, k),
    };
    enum explain_step step = EXPLAIN_POOL;
    while (step + 1 < N_EXPLAIN_STEPS && passes[step + 1]) {
        step++;
    }
    return step;
}

static int choice_cmp(const void *a, const void *b)
{
    const struct plan_choice *x = a, *y = b;
    if (x->price != y->price) {
        return x->price < y->price ? -1 : 1;
    }
    if (x->type != y->type) {
        return x->type < y->type ? -1 : 1; /* the catalogue's order: by name */
    }
    if (x->zone_i != y->zone_i) {
        return x->zone_i < y->zone_i ? -1 : 1;
    }
    return (x->capacity_type > y->capacity_type) - (x->capacity_type < y->capacity_type);
}

/* Keeps the first offering of each type, up to the maximum. */
static void keep_cheapest(struct explaining *x, struct plan_choice *all, uint32_t n,
                          struct plan_funnel *funnel)
{
    struct plan_choice *kept = ARENA_ARRAY(x->a->arena, struct plan_choice, EXPLAIN_CHEAPEST_MAX);
    uint32_t n_kept = 0;
    if (n > 0) {
        qsort(all, n, sizeof *all, choice_cmp);
    }
    for (uint32_t i = 0; i < n && n_kept < EXPLAIN_CHEAPEST_MAX; i++) {
        uint32_t k = 0;
        while (k < n_kept && kept[k].type != all[i].type) {
            k++;
        }
        if (k == n_kept) {
            kept[n_kept++] = all[i];
        }
    }
    funnel->n_cheapest = n_kept;
    funnel->cheapest = kept;
}

static void count_catalog(const struct catalog *catalog, struct plan_funnel *funnel)
{
    for (uint32_t t = 0; t < catalog->n_types; t++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < catalog->types[t].n_offerings; k++) {
            n += catalog->types[t].offerings[k].available;
        }
        funnel->n_types[EXPLAIN_CATALOG] += n > 0;
        funnel->n_offerings[EXPLAIN_CATALOG] += n;
    }
}

static struct plan_funnel funnel_of(struct explaining *x, const struct judged *j, uint32_t pool_i)
{
    const struct catalog *catalog = x->s->catalog;
    const struct sched_dims *dims = &x->base->dims;
    const struct karp_nodepool *pool = x->s->pools[pool_i].pool;
    struct plan_funnel funnel = {.pool_i = (uint32_t)(pool - x->s->cluster->nodepools)};
    uint32_t from = dims->pool_from[pool_i], to = dims->pool_from[pool_i + 1];
    struct plan_choice *left = ARENA_ARRAY(x->scratch, struct plan_choice, to - from + 1);
    uint64_t *seen =
        ARENA_ARRAY(x->scratch, uint64_t, bits_words(catalog->n_types) * (size_t)N_EXPLAIN_STEPS);
    uint32_t n_left = 0;
    count_catalog(catalog, &funnel);
    for (uint32_t k = from; k < to; k++) {
        const struct sched_offer *offer = &x->base->offers->v[k];
        enum explain_step last = survives(x, j, k);
        for (int step = EXPLAIN_POOL; step <= (int)last; step++) {
            uint64_t *types = seen + (size_t)step * bits_words(catalog->n_types);
            funnel.n_types[step] += !bits_get(types, offer->type_i);
            bits_set(types, offer->type_i);
            funnel.n_offerings[step]++;
        }
        if (last == EXPLAIN_LIMITS) {
            left[n_left++] = (struct plan_choice){.type = &catalog->types[offer->type_i],
                                                  .zone_i = offer->zone_i,
                                                  .capacity_type = offer->capacity_type,
                                                  .price = offer->price};
        }
    }
    keep_cheapest(x, left, n_left, &funnel);
    return funnel;
}

static uint32_t count_running(const struct explaining *x, const struct judged *j)
{
    const struct sched_dims *dims = &x->base->dims;
    const struct sched_mask *mask = &x->masks.v[x->masks.of_need[j->need_i]];
    uint32_t n = 0;
    for (uint32_t i = 0; i < x->s->n_nodes; i++) {
        n += x->s->nodes[i].usable && sched_mask_node(&x->masks, mask, j->need, i) &&
             sched_dims_node_pays(dims, j->need, i) &&
             sched_dims_fit(dims, j->size, dims->node_capacity + (size_t)i * dims->n);
    }
    return n;
}

static void judge(struct explaining *x, uint32_t pending_i, struct plan_explanation *e)
{
    const struct sched_offers *offers = x->base->offers;
    struct judged j = {.need_i = x->needs.of_pod[pending_i]};
    if (j.need_i == SCHED_NONE) {
        return;
    }
    j.need = &x->needs.v[j.need_i];
    j.labels = ARENA_ARRAY(x->scratch, uint64_t, bits_words(offers->n_cells));
    j.volumes = ARENA_ARRAY(x->scratch, uint64_t, bits_words(offers->n_cells));
    sched_dims_size(&x->base->dims, j.need, j.size);
    sched_cells_admitted(offers, j.need->n_topology_alternatives, j.need->topology_alternatives,
                         x->scratch, j.labels);
    sched_cells_admitted(offers, j.need->n_alternatives, j.need->alternatives, x->scratch,
                         j.volumes);
    struct plan_funnel *funnels = ARENA_ARRAY(x->a->arena, struct plan_funnel, x->s->n_pools + 1);
    for (uint32_t p = 0; p < x->s->n_pools; p++) {
        funnels[p] = funnel_of(x, &j, p);
    }
    struct k8s_quantity *requests =
        ARENA_ARRAY(x->a->arena, struct k8s_quantity, j.need->requests.n + 1);
    for (uint32_t i = 0; i < j.need->requests.n; i++) {
        requests[i] = j.need->requests.v[i];
    }
    e->requests = (struct k8s_resources){.n = j.need->requests.n, .v = requests};
    e->dropped = j.need->rung;
    e->n_running = count_running(x, &j);
    e->n_funnels = x->s->n_pools;
    e->funnels = funnels;
}

/* ---- the plan's part */

static bool lists(const uint32_t *pods, uint32_t n, uint32_t pod)
{
    uint32_t i = 0;
    while (i < n && pods[i] != pod) {
        i++;
    }
    return i < n;
}

static void find_place(const struct plan *plan, struct plan_explanation *e)
{
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        if (lists(plan->nodes[i].pods, plan->nodes[i].n_pods, e->pod)) {
            e->node_i = i;
        }
    }
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        if (lists(plan->existing[i].pods, plan->existing[i].n_pods, e->pod)) {
            e->existing_i = i;
        }
    }
    for (uint32_t i = 0; i < plan->n_unplaced; i++) {
        if (plan->unplaced[i].pod == e->pod) {
            e->unplaced_i = i;
        }
    }
}

/* Where a pod may go next depends on the others of a spread, which the price of its class does not
 * see: one more pod may need a node where the last found room. */
static bool spreads(const struct bp_problem *problem, uint32_t class_i)
{
    for (uint32_t g = 0; g < problem->n_groups; g++) {
        const struct bp_group *group = &problem->groups[g];
        if (group->kind == BP_GROUP_SPREAD &&
            (bits_get(group->carriers, class_i) || bits_get(group->targets, class_i))) {
            return true;
        }
    }
    return false;
}

/* The dual of the pod's class, per pod; none for groups that share a node, and for spreads. */
static usd_t marginal_of(const struct assembly *a, uint32_t pod, bool *ret_spreads)
{
    const struct plan *plan = a->plan;
    for (uint32_t i = 0; plan->classes != NULL && i < plan->problem->n_classes; i++) {
        if (lists(plan->classes[i].pods, plan->classes[i].n_pods, pod)) {
            int64_t dual = a->solution->certificate.dual[i];
            *ret_spreads = spreads(plan->problem, i);
            return plan->problem->classes[i].weight > 1 || *ret_spreads
                       ? 0
                       : (usd_t)(dual >> BP_DUAL_BITS);
        }
    }
    return 0;
}

/* Placed pods as the plan has them, the others with all preferences dropped, the rest stays out. */
static struct sched_descent descent_of(const struct explaining *x, const uint32_t *pods, uint32_t n)
{
    const struct sched_snapshot *s = x->s;
    struct sched_descent descent = {.rung = ARENA_ARRAY(x->scratch, uint16_t, s->n_pending + 1),
                                    .tier = ARENA_ARRAY(x->scratch, uint16_t, s->n_pending + 1)};
    for (uint32_t i = 0; i < s->n_pending; i++) {
        descent.rung[i] = SCHED_RUNG_OUT;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = x->pending_of[pods[i]];
        if (k == SCHED_NONE) {
            continue;
        }
        struct sched_ladder ladder =
            sched_ladder_of(x->scratch, s->cluster->pods[pods[i]].shape, s->any_prefer_no_schedule,
                            s->settings.ignore_preferences);
        uint16_t rung = x->descent->rung[k];
        descent.rung[k] = rung == SCHED_RUNG_OUT ? (uint16_t)ladder.n : rung;
    }
    return descent;
}

static const uint32_t *pending_index(const struct sched_snapshot *s, struct arena *scratch)
{
    uint32_t *of = ARENA_ARRAY(scratch, uint32_t, s->cluster->n_pods + 1);
    for (uint32_t i = 0; i < s->cluster->n_pods; i++) {
        of[i] = SCHED_NONE;
    }
    for (uint32_t i = 0; i < s->n_pending; i++) {
        of[s->pending[i]] = i;
    }
    return of;
}

static void explain_one(struct explaining *x, uint32_t pod, struct plan_explanation *e)
{
    const struct sched_pod *state = &x->s->pods[pod];
    *e = (struct plan_explanation){
        .pod = pod, .node_i = PLAN_NONE, .existing_i = PLAN_NONE, .unplaced_i = PLAN_NONE};
    if (state->state == SCHED_POD_IGNORED || state->state == SCHED_POD_BOUND) {
        e->no_need = sched_verdict_text_of_code(str_of(state->code));
        return;
    }
    find_place(x->a->plan, e);
    e->marginal = marginal_of(x->a, pod, &e->no_marginal);
    if (x->pending_of[pod] != SCHED_NONE) {
        judge(x, x->pending_of[pod], e);
    }
}

bool explain_add(struct assembly *a, const struct sched_descent *descent, const uint32_t *pods,
                 uint32_t n, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    struct explaining x = {.a = a,
                           .s = a->problem->base->snapshot,
                           .base = a->problem->base,
                           .descent = descent,
                           .scratch = &scratch};
    x.pending_of = pending_index(x.s, &scratch);
    struct sched_descent own = descent_of(&x, pods, n);
    if (!sched_needs_new(x.s, &own, &scratch, &x.needs, err)) {
        return false;
    }
    sched_masks_new(x.base->offers, &x.base->kinds, &x.needs, &scratch, &x.masks);
    struct plan_explanation *all = ARENA_ARRAY(a->arena, struct plan_explanation, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        explain_one(&x, pods[i], &all[i]);
    }
    a->plan->explanations = all;
    a->plan->n_explanations = n;
    return true;
}

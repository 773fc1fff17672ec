/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/emulate/disruption.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/disruption/balanced.h"
#include "binpack/emulate/replacement.h"
#include "binpack/emulate/run.h"
#include "binpack/scheduling/running.h"

#include <stdlib.h>

enum { PREFIX_MAX = 100, MOVE_COST_BASE = 1000000 };

/* A node of today, or one launched in this round. */
struct machine {
    struct emu_claim *claim;
    uint32_t node;   /* into nodes->v; SCHED_NONE: launched */
    uint32_t pool_i; /* into cluster->nodepools; SCHED_NONE: none */
    uint32_t type_i; /* catalog->types; SCHED_NONE */
    uint32_t parent; /* union-find over what is replaced together */
    usd_t price;
    bool spot, opened, gone;
    bool may[DISRUPT_N_REASONS];
    struct k8s_resources capacity;
};

struct round {
    const struct emu_disrupt_input *in;
    const struct sched_snapshot *s;
    struct arena *arena; /* of the result */
    struct arena scratch;
    struct emu_run run;
    VEC(struct machine) machines;
    int64_t *move_cost; /* [n_pending] of the pod, parts per million, >= 0 */
    struct emu_round *out;
};

/* ---- set up */

static const struct disrupt_node *node_of(const struct round *x, const struct machine *m)
{
    return &x->in->nodes->v[m->node];
}

static uint32_t type_index(const struct round *x, const struct cat_type *type)
{
    return type == NULL ? SCHED_NONE : (uint32_t)(type - x->s->catalog->types);
}

static void add_node(struct round *x, uint32_t node, uint32_t n)
{
    const struct disrupt_node *of = &x->in->nodes->v[node];
    const struct sched_node *running = &x->s->nodes[n];
    struct machine m = {.claim = emu_claim_of_node(&x->run.claims, n),
                        .node = node,
                        .pool_i = of->pool_i,
                        .type_i = type_index(x, running->type),
                        .parent = (uint32_t)x->machines.n,
                        .price = of->price.has ? of->price.v : 0,
                        .spot = of->spot,
                        .opened = running->opens,
                        .capacity = sched_node_capacity(running, &x->scratch)};
    for (int r = 0; r < DISRUPT_N_REASONS; r++) {
        m.may[r] = of->verdict[r].may;
    }
    m.claim->pool_i = running->pool_i;
    VEC_PUSH(&x->scratch, &x->machines, m);
}

/* Machines in the order of the snapshot's nodes; both lists are sorted by name. */
static void add_nodes(struct round *x)
{
    uint32_t at = 0;
    for (uint32_t n = 0; n < x->s->n_nodes; n++) {
        while (!str_eq(x->in->nodes->v[at].name, x->s->nodes[n].name)) {
            at++;
        }
        add_node(x, at, n);
    }
    for (int initialized = 1; initialized >= 0; initialized--) {
        for (uint32_t n = 0; n < x->s->n_nodes; n++) {
            if (x->s->nodes[n].usable && x->s->nodes[n].initialized == (initialized == 1)) {
                VEC_PUSH(&x->scratch, &x->run.running, x->machines.v[n].claim);
            }
        }
    }
}

static void put_home(struct round *x, struct emu_claim *claim, uint32_t pending_i)
{
    const struct emu_asks *a = &x->run.asks;
    const uint32_t need_i = a->need[0][pending_i], n_dims = a->base->dims.n;
    const struct sched_need *need = &a->needs.v[need_i];
    for (uint32_t d = 0; d < n_dims; d++) {
        claim->used[d] += a->size[(size_t)need_i * n_dims + d];
    }
    for (uint32_t p = 0; p < need->n_ports; p++) {
        VEC_PUSH(&x->scratch, &claim->ports, need->ports[p]);
    }
    VEC_PUSH(&x->scratch, &claim->pods, pending_i);
    VEC_PUSH(&x->scratch, &claim->needs, need_i);
    x->run.descent.rung[pending_i] = 0;
}

/* The machine that the pod runs on today, or NULL. */
static struct machine *home_of(const struct round *x, const uint32_t *machine_of, uint32_t pod)
{
    const uint32_t home =
        pod < x->s->given->n_pods ? x->in->home[pod] : SCHED_NONE; /* Virtual pods have none. */
    return home == SCHED_NONE || machine_of[home] == SCHED_NONE ? NULL
                                                                : &x->machines.v[machine_of[home]];
}

static void put_all_home(struct round *x)
{
    uint32_t *machine_of = ARENA_ARRAY(&x->scratch, uint32_t, x->in->nodes->n);
    x->move_cost = ARENA_ARRAY(&x->scratch, int64_t, x->s->n_pending);
    for (uint32_t i = 0; i < x->in->nodes->n; i++) {
        machine_of[i] = SCHED_NONE;
    }
    for (uint32_t k = 0; k < x->machines.n; k++) {
        machine_of[x->machines.v[k].node] = k;
    }
    for (uint32_t i = 0; i < x->s->n_pending; i++) {
        const int64_t cost =
            disrupt_eviction_cost(x->s->cluster, &x->s->cluster->pods[x->s->pending[i]]);
        struct machine *m = home_of(x, machine_of, x->s->pending[i]);
        x->move_cost[i] = cost > 0 ? cost : 0;
        if (m != NULL && m->opened) {
            put_home(x, m->claim, i);
        }
    }
    for (uint32_t i = 0; i < x->s->cluster->n_pods; i++) {
        /* A pod that would have no place at all keeps its node. */
        struct machine *m =
            x->s->pods[i].state == SCHED_POD_BLOCKED ? home_of(x, machine_of, i) : NULL;
        if (m != NULL) {
            m->may[DISRUPT_DRIFTED] = m->may[DISRUPT_UNDERUTILIZED] = false;
        }
    }
}

/* ---- the state between commands */

static void charge_capacity(struct round *x, const struct machine *m)
{
    struct emu_pool *pool = &x->run.claims.pools[m->claim->pool_i];
    struct k8s_quantity *left = ARENA_ARRAY(&x->scratch, struct k8s_quantity, pool->left.n);
    for (uint32_t r = 0; r < pool->left.n; r++) {
        left[r] = pool->left.v[r];
        left[r].value =
            sat_sub(left[r].value, left[r].resource == x->s->words->nodes
                                       ? 1
                                       : k8s_resources_get(&m->capacity, left[r].resource));
    }
    pool->left.v = left;
}

/* Everything is counted anew; what is gone is forgotten. */
static void settle(struct round *x)
{
    struct emu_run *r = &x->run;
    emu_claim_list all = {0};
    emu_claim_list *lists[] = {&r->running, &r->launched};
    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        size_t kept = 0;
        for (size_t i = 0; i < lists[l]->n; i++) {
            if (!lists[l]->v[i]->out) {
                lists[l]->v[kept++] = lists[l]->v[i];
            }
        }
        lists[l]->n = kept;
    }
    for (size_t k = 0; k < x->machines.n; k++) {
        if (!x->machines.v[k].gone) {
            VEC_PUSH(&x->scratch, &all, x->machines.v[k].claim);
        }
    }
    emu_claims_recount(&r->claims, (uint32_t)all.n, all.v);
    for (size_t k = 0; k < x->machines.n; k++) {
        /* What is opened is not in the limits of the snapshot. */
        const struct machine *m = &x->machines.v[k];
        if (!m->gone && m->opened && m->claim->pool_i != SCHED_NONE &&
            r->claims.pools[m->claim->pool_i].left.n > 0) {
            charge_capacity(x, m);
        }
    }
}

static void add_launched(struct round *x, struct emu_claim *claim, bool may_go)
{
    const struct sched_offers *o = x->run.base->offers;
    const struct sched_offer *offer = &o->v[claim->offer_i];
    const struct sched_pool *pool = &x->s->pools[claim->pool_i];
    struct machine m = {.claim = claim,
                        .node = SCHED_NONE,
                        .pool_i = pool->pool_i,
                        .type_i = offer->type_i,
                        .parent = (uint32_t)x->machines.n,
                        .price = offer->price,
                        .spot = offer->capacity_type == CAT_SPOT,
                        .capacity = o->rooms[offer->room_i].room.capacity};
    m.may[DISRUPT_UNDERUTILIZED] = may_go && !pool->pool->consolidate_after.never &&
                                   pool->pool->consolidation != KARP_WHEN_EMPTY;
    VEC_PUSH(&x->scratch, &x->machines, m);
    VEC_PUSH(&x->scratch, &x->run.launched, claim);
}

/* The pods that wait, as karpenter.c does it. */
static void provision(struct round *x)
{
    struct emu_run *r = &x->run;
    uint32_t *waiting = ARENA_ARRAY(&x->scratch, uint32_t, x->s->n_pending);
    for (uint32_t before = UINT32_MAX; r->n_placed != before;) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < x->s->n_pending; i++) {
            if (r->descent.rung[i] == SCHED_RUNG_OUT) {
                waiting[n++] = i;
            }
        }
        before = r->n_placed;
        r->open = r->in_order = (emu_claim_list){0};
        emu_run_queue(r, waiting, n);
        emu_run_drain(r);
        for (size_t i = 0; i < r->in_order.n; i++) {
            emu_claim_launch(&r->claims, r->in_order.v[i], x->in->options_max, NULL);
            add_launched(x, r->in_order.v[i], /* may_go= */ false);
        }
        settle(x);
    }
}

/* ---- one simulation */

struct saved_pod {
    uint32_t pending_i, running_of;
    uint16_t rung, tier;
};

struct simulation {
    struct arena_mark mark;
    struct emu_trial *trial;
    struct saved_pod *pods;
    uint32_t n_pods;
    bool good; /* all pods have places, on no more new nodes than allowed */
};

/* What would happen if these machines went. Taken back with `undo`. */
static void simulate(struct round *x, const uint32_t *members, uint32_t n, uint32_t claims_max,
                     struct simulation *sim)
{
    struct emu_run *r = &x->run;
    *sim = (struct simulation){.mark = arena_mark(&x->scratch)};
    for (uint32_t i = 0; i < n; i++) {
        sim->n_pods += (uint32_t)x->machines.v[members[i]].claim->pods.n;
    }
    sim->pods = ARENA_ARRAY(&x->scratch, struct saved_pod, sim->n_pods);
    uint32_t *queue = ARENA_ARRAY(&x->scratch, uint32_t, sim->n_pods);
    emu_trial_begin(&r->claims, &sim->trial);
    for (uint32_t i = 0, k = 0; i < n; i++) {
        const struct machine *m = &x->machines.v[members[i]];
        emu_trial_remove(&r->claims, m->claim, &m->capacity);
        for (size_t p = 0; p < m->claim->pods.n; p++, k++) {
            const uint32_t pod = m->claim->pods.v[p];
            sim->pods[k] = (struct saved_pod){.pending_i = pod,
                                              .running_of = r->running_of[pod],
                                              .rung = r->descent.rung[pod],
                                              .tier = r->descent.tier[pod]};
            r->descent.rung[pod] = SCHED_RUNG_OUT;
            r->running_of[pod] = SCHED_NONE;
            queue[k] = pod;
        }
    }
    r->open = r->in_order = (emu_claim_list){0};
    r->claims_max = claims_max;
    r->overflow = false;
    emu_run_queue(r, queue, sim->n_pods);
    emu_run_drain(r);
    r->claims_max = UINT32_MAX;
    sim->good = r->n_queued == 0 && !r->overflow;
}

static void undo(struct round *x, const struct simulation *sim)
{
    struct emu_run *r = &x->run;
    emu_trial_undo(&r->claims, sim->trial);
    for (uint32_t k = 0; k < sim->n_pods; k++) {
        const struct saved_pod *pod = &sim->pods[k];
        r->running_of[pod->pending_i] = pod->running_of;
        r->descent.rung[pod->pending_i] = pod->rung;
        r->descent.tier[pod->pending_i] = pod->tier;
    }
    r->open = r->in_order = (emu_claim_list){0};
    r->overflow = false;
    arena_rewind(&x->scratch, sim->mark);
}

static uint32_t root_of(struct round *x, uint32_t k)
{
    while (x->machines.v[k].parent != k) {
        k = x->machines.v[k].parent;
    }
    return k;
}

/* The simulation becomes true: a command. */
static void carry_out(struct round *x, const struct simulation *sim, const uint32_t *members,
                      uint32_t n, enum disrupt_reason reason)
{
    struct emu_run *r = &x->run;
    const uint32_t root = root_of(x, members[0]);
    emu_trial_keep(&r->claims);
    for (uint32_t i = 0; i < n; i++) {
        struct machine *m = &x->machines.v[members[i]];
        (void)disrupt_purse_pay(x->in->purse, m->pool_i, (uint32_t)m->claim->pods.n, reason);
        x->machines.v[root_of(x, members[i])].parent = root;
        m->gone = true;
        if (m->node != SCHED_NONE) {
            x->out->reason[m->node] = (uint8_t)reason;
        }
    }
    for (size_t i = 0; i < r->in_order.n; i++) {
        add_launched(x, r->in_order.v[i], /* may_go= */ true);
        x->machines.v[x->machines.n - 1].parent = root;
    }
    r->open = r->in_order = (emu_claim_list){0};
    x->out->n_commands++;
    x->out->n_evictions += sim->n_pods;
    settle(x);
}

/* ---- consolidation */

static int64_t move_cost_of(const struct round *x, const struct machine *m)
{
    int64_t cost = MOVE_COST_BASE;
    for (size_t i = 0; i < m->claim->pods.n; i++) {
        cost += x->move_cost[m->claim->pods.v[i]];
    }
    return cost;
}

static bool balanced_say_no(const struct round *x, const uint32_t *members, uint32_t n, usd_t saves,
                            usd_t paid)
{
    const struct k8s_cluster *cluster = x->s->cluster;
    for (uint32_t p = 0; p < cluster->n_nodepools; p++) {
        struct balanced_pool pool = {0};
        if (cluster->nodepools[p].consolidation != KARP_BALANCED) {
            continue;
        }
        for (uint32_t i = 0; i < n; i++) {
            const struct machine *m = &x->machines.v[members[i]];
            pool.own += m->pool_i == p ? m->price : 0;
            pool.moves += m->pool_i == p ? move_cost_of(x, m) : 0;
        }
        for (size_t k = 0; k < x->machines.n; k++) {
            const struct machine *m = &x->machines.v[k];
            if (m->pool_i == p && !m->gone) {
                pool.cost = sat_add(pool.cost, m->price);
                pool.all_moves += move_cost_of(x, m);
            }
        }
        if (balanced_refuses(&pool, saves, paid)) {
            return true;
        }
    }
    return false;
}

/* Is what was simulated a command? Launches its new node, if there is one. */
static bool makes_sense(struct round *x, const uint32_t *members, uint32_t n)
{
    struct emu_run *r = &x->run;
    struct emu_old_node *old = ARENA_ARRAY(&x->scratch, struct emu_old_node, n);
    usd_t paid = 0, fresh = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct machine *m = &x->machines.v[members[i]];
        old[i] = (struct emu_old_node){.type_i = m->type_i, .price = m->price, .spot = m->spot};
        paid = sat_add(paid, m->price);
    }
    if (r->in_order.n > 0) {
        struct emu_claim *claim = r->in_order.v[0];
        if (!emu_claim_replaces(&r->claims, claim, old, n, x->in->spot_to_spot)) {
            return false;
        }
        emu_claim_launch(&r->claims, claim, x->in->options_max, NULL);
        fresh = r->base->offers->v[claim->offer_i].price;
    }
    return fresh < paid && !balanced_say_no(x, members, n, sat_sub(paid, fresh), paid);
}

/* Looks whether the machines can be consolidated, and does it if asked to. */
static bool consider(struct round *x, const uint32_t *members, uint32_t n, bool do_it)
{
    struct simulation sim;
    simulate(x, members, n, /* claims_max= */ 1, &sim);
    const bool good = sim.good && makes_sense(x, members, n);
    if (good && do_it) {
        carry_out(x, &sim, members, n, DISRUPT_UNDERUTILIZED);
    } else {
        undo(x, &sim);
    }
    return good;
}

struct ranked {
    double ratio; /* descending; only to sort by */
    int64_t key;  /* ascending */
    uint32_t machine;
};

static int ranked_cmp(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->ratio < y->ratio || x->ratio > y->ratio) {
        return x->ratio > y->ratio ? -1 : 1;
    }
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return (x->machine > y->machine) - (x->machine < y->machine);
}

/* Candidates of consolidation, by price per cost of moving, dearest first. */
static struct ranked *candidates(struct round *x, uint32_t *ret_n)
{
    struct ranked *list = ARENA_ARRAY(&x->scratch, struct ranked, x->machines.n);
    uint32_t n = 0;
    for (uint32_t k = 0; k < x->machines.n; k++) {
        const struct machine *m = &x->machines.v[k];
        if (!m->gone && m->may[DISRUPT_UNDERUTILIZED] && m->claim->pods.n > 0) {
            list[n++] = (struct ranked){.ratio = (double)m->price / (double)move_cost_of(x, m),
                                        .machine = k};
        }
    }
    if (n > 0) {
        qsort(list, n, sizeof *list, ranked_cmp);
    }
    *ret_n = n;
    return list;
}

static uint32_t n_pods_of(const struct round *x, uint32_t machine)
{
    return (uint32_t)x->machines.v[machine].claim->pods.n;
}

/* Many nodes by at most one: the longest prefix, found by halving. */
static bool consolidate_many(struct round *x)
{
    uint32_t n = 0, n_members = 0, best = 0;
    const struct ranked *list = candidates(x, &n);
    struct disrupt_purse purse = disrupt_purse_copy(x->in->purse, &x->scratch);
    uint32_t *members = ARENA_ARRAY(&x->scratch, uint32_t, PREFIX_MAX);
    for (uint32_t i = 0; i < n && n_members < PREFIX_MAX; i++) {
        if (disrupt_purse_pay(&purse, x->machines.v[list[i].machine].pool_i,
                              n_pods_of(x, list[i].machine), DISRUPT_UNDERUTILIZED)) {
            members[n_members++] = list[i].machine;
        }
    }
    for (uint32_t low = 2, high = n_members; low <= high;) {
        const uint32_t middle = (low + high) / 2;
        if (consider(x, members, middle, /* do_it= */ false)) {
            best = middle;
            low = middle + 1;
        } else {
            high = middle - 1;
        }
    }
    return best > 0 && consider(x, members, best, /* do_it= */ true);
}

/* The first node that can go or be replaced; pools take turns. */
static bool consolidate_one(struct round *x)
{
    uint32_t n = 0, n_pools = x->s->cluster->n_nodepools;
    struct ranked *list = candidates(x, &n);
    uint32_t *turn = ARENA_ARRAY(&x->scratch, uint32_t, n_pools);
    for (uint32_t i = 0; i < n; i++) {
        list[i].ratio = 0;
        list[i].key = (int64_t)turn[x->machines.v[list[i].machine].pool_i]++ * n_pools +
                      x->machines.v[list[i].machine].pool_i;
    }
    if (n > 0) {
        qsort(list, n, sizeof *list, ranked_cmp);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct arena_mark mark = arena_mark(&x->scratch);
        struct disrupt_purse purse = disrupt_purse_copy(x->in->purse, &x->scratch);
        const bool paid = disrupt_purse_pay(&purse, x->machines.v[list[i].machine].pool_i,
                                            n_pods_of(x, list[i].machine), DISRUPT_UNDERUTILIZED);
        arena_rewind(&x->scratch, mark);
        if (paid && consider(x, &list[i].machine, 1, /* do_it= */ true)) {
            return true;
        }
    }
    return false;
}

/* ---- the other methods */

static bool remove_empty(struct round *x)
{
    bool any = false;
    for (uint32_t k = 0; k < x->machines.n; k++) {
        struct machine *m = &x->machines.v[k];
        if (!m->gone && m->may[DISRUPT_EMPTY] && m->claim->pods.n == 0 &&
            disrupt_purse_pay(x->in->purse, m->pool_i, 0, DISRUPT_EMPTY)) {
            m->gone = m->claim->out = true;
            x->out->reason[m->node] = DISRUPT_EMPTY;
            any = true;
        }
    }
    if (any) {
        x->out->n_commands++;
        settle(x);
    }
    return any;
}

/* The first drifted node whose pods all find places, at whatever price. */
static bool replace_drifted(struct round *x)
{
    struct ranked *list = ARENA_ARRAY(&x->scratch, struct ranked, x->machines.n);
    uint32_t n = 0;
    for (uint32_t k = 0; k < x->machines.n; k++) {
        const struct machine *m = &x->machines.v[k];
        if (!m->gone && m->may[DISRUPT_DRIFTED]) {
            const struct opt_wall *since = &node_of(x, m)->drifted_at;
            list[n++] = (struct ranked){.key = m->claim->pods.n == 0 ? INT64_MIN
                                               : since->has          ? since->v
                                                                     : INT64_MAX,
                                        .machine = k};
        }
    }
    if (n > 0) {
        qsort(list, n, sizeof *list, ranked_cmp);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct simulation sim;
        struct disrupt_purse purse = disrupt_purse_copy(x->in->purse, &x->scratch);
        if (!disrupt_purse_pay(&purse, x->machines.v[list[i].machine].pool_i,
                               n_pods_of(x, list[i].machine), DISRUPT_DRIFTED)) {
            continue;
        }
        simulate(x, &list[i].machine, 1, UINT32_MAX, &sim);
        if (sim.good) {
            for (size_t k = 0; k < x->run.in_order.n; k++) {
                emu_claim_launch(&x->run.claims, x->run.in_order.v[k], x->in->options_max, NULL);
            }
            carry_out(x, &sim, &list[i].machine, 1, DISRUPT_DRIFTED);
            return true;
        }
        undo(x, &sim);
    }
    return false;
}

/* ---- the result */

static struct emu_fresh fresh_of(const struct round *x, const struct machine *m)
{
    const struct sched_offers *o = x->run.base->offers;
    const struct sched_offer *offer = &o->v[m->claim->offer_i];
    uint32_t *options = ARENA_ARRAY(x->arena, uint32_t, m->claim->n_options);
    for (uint32_t i = 0; i < m->claim->n_options; i++) {
        options[i] = m->claim->options[i];
    }
    return (struct emu_fresh){.offer = *offer,
                              .pool_i = m->claim->pool_i,
                              .choice = o->variants.v[o->cells[offer->cell_i].variant_i].choice,
                              .n_options = m->claim->n_options,
                              .options = options};
}

static void give_places(struct round *x, const struct machine *m, uint32_t fresh_i,
                        struct emu_place *place)
{
    for (size_t i = 0; i < m->claim->pods.n; i++) {
        const uint32_t pending_i = m->claim->pods.v[i];
        place[x->s->pending[pending_i]] =
            (struct emu_place){.node = m->node,
                               .fresh = fresh_i,
                               .rung = x->run.descent.rung[pending_i],
                               .tier = x->run.descent.tier[pending_i]};
    }
}

static void give(struct round *x)
{
    const uint32_t n_nodes = x->in->nodes->n, n_pods = x->s->cluster->n_pods;
    struct emu_fresh *fresh = ARENA_ARRAY(x->arena, struct emu_fresh, x->machines.n);
    struct emu_place *place = ARENA_ARRAY(x->arena, struct emu_place, n_pods);
    uint32_t *group = ARENA_ARRAY(x->arena, uint32_t, n_nodes + x->machines.n);
    uint32_t *name = ARENA_ARRAY(&x->scratch, uint32_t, x->machines.n);
    for (uint32_t i = 0; i < n_pods; i++) {
        place[i] =
            (struct emu_place){.node = SCHED_NONE, .fresh = SCHED_NONE, .rung = SCHED_RUNG_OUT};
    }
    for (uint32_t i = 0; i < n_nodes; i++) {
        group[i] = i; /* Nodes that have left already are in no machine. */
    }
    for (uint32_t k = 0; k < x->machines.n; k++) {
        name[k] = SCHED_NONE;
    }
    for (uint32_t k = 0; k < x->machines.n; k++) {
        const struct machine *m = &x->machines.v[k];
        const uint32_t root = root_of(x, k);
        uint32_t at = m->node, fresh_i = SCHED_NONE;
        if (m->node == SCHED_NONE && !m->gone) {
            fresh_i = x->out->n_fresh++;
            fresh[fresh_i] = fresh_of(x, m);
            at = n_nodes + fresh_i;
        }
        if (at != SCHED_NONE) {
            name[root] = name[root] == SCHED_NONE ? at : name[root];
            group[at] = name[root];
        }
        if (!m->gone) {
            give_places(x, m, fresh_i, place);
        }
    }
    x->out->fresh = fresh;
    x->out->place = place;
    x->out->group = group;
}

bool emu_disrupt(const struct emu_disrupt_input *input, struct arena *arena,
                 struct emu_round *ret_round, struct err *err)
{
    struct round x = {.in = input,
                      .s = input->base->snapshot,
                      .arena = arena,
                      .scratch = ARENA_INIT,
                      .out = ret_round};
    const struct emu_settings settings = {.options_max = input->options_max};
    *ret_round = (struct emu_round){.reason = ARENA_ARRAY(arena, uint8_t, input->nodes->n)};
    for (uint32_t i = 0; i < input->nodes->n; i++) {
        ret_round->reason[i] = DISRUPT_NONE;
    }
    bool good = emu_run_new(input->base, &settings, &x.scratch, &x.scratch, &x.run, err);
    if (good) {
        add_nodes(&x);
        put_all_home(&x);
        settle(&x);
        provision(&x);
        /* These are not initialized yet: they take no pods of nodes that go (karp:
         * UninitializedNodeError). */
        x.run.launched = (emu_claim_list){0};
        while (remove_empty(&x) || replace_drifted(&x) || consolidate_many(&x) ||
               consolidate_one(&x)) {
        }
        give(&x);
    }
    arena_done(&x.scratch);
    return good;
}

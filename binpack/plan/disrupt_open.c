/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The open problem: every candidate stays as an empty machine at its price, and all its pods look
 * for a place. Its cheapest mix gives prices to pods that no plan can beat, and with them the bound
 * on what can be saved and the promise of every node (disruption/select.h).
 *
 * The bound must hold for every plan that the rules allow, so preferences, limits of NodePools,
 * minValues and rules between pods are left out here; the trial obeys them. */
#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"
#include "binpack/disruption/select.h"
#include "binpack/plan/assemble.h"
#include "binpack/plan/disrupt_world.h"
#include "binpack/plan/room_value.h"
#include "binpack/solver/solution.h"
#include "binpack/solver/solve.h"
#include "binpack/solver/verify.h"

enum { STEP_WORK = 20000, PROOF_WORK = 500000 };

/* The prices of pods need not be perfect: half a percent of the bound is not worth the time. */
#define OPEN_GAP 0.001

struct open_work {
    struct disrupt_world *w;
    const disrupt_choice *choice;
    const uint64_t *may;
    struct arena *arena;
    struct sched_snapshot *snapshot;
    struct sched_base *base;
    struct sched_problem *problem;
    struct bp_problem bp; /* of prices */
    uint32_t *unit_of;    /* [classes] the unit of pods that travel alone, NO_NODE */
    uint32_t *node_of;    /* [snapshot->n_nodes] into nodes.v */
    int64_t *free;        /* [nodes.n][n_dims] room that is left beside the pods of the node */
    uint64_t *stuck;      /* [bits_words(nodes.n)] holds a pod that has no other place at all */
    const struct bp_certificate *proof;
    struct bp_solution solution;
};

static bool build(struct open_work *o, struct err *err)
{
    struct sched_settings settings = make_sched_settings(o->w->settings);
    const uint8_t *leave = disrupt_leave(o->w, o->choice, o->may, o->arena);
    struct sched_descent descent;
    settings.ignore_preferences = true;
    return sched_snapshot_new(o->w->cluster, o->w->catalog, &settings, leave, o->arena,
                              &o->snapshot, err) &&
           sched_base_new(o->snapshot, o->arena, &o->base, err) &&
           sched_descent_start(o->base, o->arena, &descent, err) &&
           sched_problem_new(o->base, &descent, o->arena, &o->problem, err);
}

static void index_units(struct open_work *o)
{
    const struct sched_problem *p = o->problem;
    o->unit_of = ARENA_ARRAY(o->arena, uint32_t, p->classes.n);
    for (uint32_t i = 0; i < p->classes.n; i++) {
        o->unit_of[i] = NO_NODE;
    }
    for (uint32_t u = 0; u < p->bp.n_classes; u++) {
        if (!p->tied[u] && p->units[u].n == 1 && p->units[u].items[0].count == 1) {
            o->unit_of[p->units[u].items[0].class_i] = u;
        }
    }
    o->node_of = ARENA_ARRAY(o->arena, uint32_t, o->snapshot->n_nodes);
    uint32_t at = 0;
    for (uint32_t n = 0; n < o->snapshot->n_nodes; n++) {
        while (!str_eq(o->w->nodes.v[at].name, o->snapshot->nodes[n].name)) {
            at++;
        }
        o->node_of[n] = at;
    }
}

/* The price of a node that may go, or 0. */
static usd_t price_of(const struct open_work *o, uint32_t node)
{
    return bits_get(o->may, node) && o->w->nodes.v[node].price.has ? o->w->nodes.v[node].price.v
                                                                   : 0;
}

/* The problem of prices: candidates cost what they cost. */
static void price_nodes(struct open_work *o)
{
    const struct bp_problem *from = &o->problem->bp;
    struct bp_offering *offerings = ARENA_ARRAY(o->arena, struct bp_offering, from->n_offerings);
    o->bp = *from;
    o->bp.n_groups = o->bp.n_limits = o->bp.n_varieties = o->bp.n_exclusions = 0;
    for (uint32_t k = 0; k < from->n_offerings; k++) {
        offerings[k] = from->offerings[k];
        uint32_t n = o->problem->offerings[k].node_i;
        if (n != SCHED_NONE && price_of(o, o->node_of[n]) > 0) {
            offerings[k].price = price_of(o, o->node_of[n]);
            offerings[k].running = false;
        }
    }
    o->bp.offerings = offerings;
    if (o->problem->bound_size != NULL) {
        /* How nodes pay for claims that pods share is this planner's choice; a bound on every plan
         * is about sizes without them and the whole capacities (dims.h). */
        o->bp.size = o->problem->bound_size;
        o->bp.capacity = o->problem->bound_capacity;
    }
}

/* Other plans may put pods of the unit where this planner does not, because of claims. */
static bool claims_hold(const struct open_work *o, uint32_t unit)
{
    bool attaches = o->problem->claims_keep_off && o->problem->shares_claims[unit];
    for (uint32_t d = 0; d < o->bp.n_dims && o->problem->claims_keep_off; d++) {
        attaches = attaches ||
                   (o->base->dims.v[d].attach && o->bp.size[(size_t)unit * o->bp.n_dims + d] > 0);
    }
    return attaches;
}

static bool solve(struct open_work *o, struct err *err)
{
    struct bp_options options = o->w->settings->solver;
    struct bp_solve *solve = NULL;
    options.gap = options.gap > OPEN_GAP ? options.gap : OPEN_GAP;
    options.effort = 1;
    options.bound_only = true;
    if (!bp_solve_new(&o->bp, &options, &solve, err)) {
        return false;
    }
    while (bp_solve_step(solve, STEP_WORK)) {
    }
    bp_solve_result(solve, o->arena, &o->solution);
    bp_solve_free(solve);
    /* Pods that are tied to others, that found no place, or that claims keep off have no price. */
    int64_t *dual = ARENA_ARRAY(o->arena, int64_t, o->bp.n_classes);
    for (uint32_t u = 0; u < o->bp.n_classes; u++) {
        const struct sched_unit *unit = &o->problem->units[u];
        bool priced = !o->problem->tied[u] && unit->n == 1 && unit->items[0].count == 1 &&
                      o->solution.unplaced[u] == 0 && !claims_hold(o, u);
        dual[u] = priced ? o->solution.certificate.dual[u] : 0;
    }
    o->solution.certificate.dual = dual;
    o->solution.certificate.n_branches = 0; /* only prices are asked for, and these know */
    o->solution.certificate.counts = NULL;  /* nothing of what was taken out of the duals */
    usd_t bound = bp_certificate_bound(&o->bp, &o->solution.certificate, o->solution.unplaced);
    if (bound < o->solution.certificate.bound) {
        o->solution.certificate.bound = bound;
        /* The status was about the duals of all pods. */
        o->solution.status = BP_EFFORT_DONE;
    }
    struct bp_certificate *proof = ARENA_NEW(o->arena, struct bp_certificate);
    struct arena scratch = ARENA_INIT;
    bool good = bp_verify_proven(&o->bp, &o->solution, PROOF_WORK, &scratch, o->arena, proof, err);
    arena_done(&scratch);
    o->proof = proof;
    return good || err_wrap(err, "the verifier refused the prices of the open problem");
}

/* ---- from pods to nodes ---- */

static const int64_t *pod_size(const struct open_work *o, uint32_t pending_i, int64_t *room)
{
    const struct sched_needs *needs = &o->problem->needs;
    sched_dims_size_least(&o->base->dims, &needs->v[needs->of_pod[pending_i]], room);
    return room;
}

/* Adds what each pod is worth to its node, and takes it from the node's room. */
static void weigh_pods(struct open_work *o, struct select_item *items)
{
    const struct sched_snapshot *s = o->snapshot;
    const struct sched_problem *p = o->problem;
    uint32_t n_dims = o->base->dims.n;
    for (uint32_t i = 0; i < s->n_pending; i++) {
        uint32_t home =
            s->pods[s->pending[i]].from == SCHED_STAYS || s->pending[i] >= o->w->cluster->n_pods
                ? NO_NODE
                : o->w->home[s->pending[i]];
        if (home == NO_NODE) {
            continue;
        }
        uint32_t need = p->needs.of_pod[i];
        if (need == SCHED_NONE) {
            bits_set(o->stuck, home);
            continue;
        }
        int64_t room[BP_MAX_DIMS];
        const int64_t *size = pod_size(o, i, room);
        for (uint32_t d = 0; d < n_dims; d++) {
            int64_t *left = &o->free[(size_t)home * n_dims + d];
            *left = *left > size[d] ? *left - size[d] : 0;
        }
        uint32_t unit = o->unit_of[p->classes.of_need[need]];
        items[home].pods = sat_add(items[home].pods, unit == NO_NODE ? 0 : o->proof->dual[unit]);
    }
    for (uint32_t i = 0; i < o->w->cluster->n_pods; i++) {
        if (s->pods[i].state == SCHED_POD_BLOCKED && o->w->home[i] != NO_NODE) {
            bits_set(o->stuck, o->w->home[i]);
        }
    }
}

static void find_rooms(struct open_work *o, struct select_item *items)
{
    uint32_t n_dims = o->base->dims.n;
    struct room_values *values = room_values_new(&o->bp, o->proof->dual, o->arena);
    for (uint32_t k = 0; k < o->bp.n_offerings; k++) {
        uint32_t n = o->problem->offerings[k].node_i;
        if (n != SCHED_NONE) {
            uint32_t node = o->node_of[n];
            items[node].room =
                room_value(values, o->bp.offerings[k].domain, o->free + (size_t)node * n_dims);
        }
    }
}

/* One item for each node, then one for each offering of finite stock. */
static uint32_t make_items(struct open_work *o, struct select_item *items)
{
    const struct disrupt_nodes *nodes = &o->w->nodes;
    const struct sched_dims *dims = &o->base->dims;
    o->free = ARENA_ARRAY(o->arena, int64_t, (size_t)nodes->n * dims->n);
    o->stuck = ARENA_ARRAY(o->arena, uint64_t, bits_words(nodes->n));
    const int64_t *capacity =
        dims->whole_node_capacity != NULL ? dims->whole_node_capacity : dims->node_capacity;
    for (uint32_t n = 0; n < o->snapshot->n_nodes; n++) {
        for (uint32_t d = 0; d < dims->n; d++) {
            o->free[(size_t)o->node_of[n] * dims->n + d] = capacity[(size_t)n * dims->n + d];
        }
    }
    weigh_pods(o, items);
    find_rooms(o, items);
    for (uint32_t i = 0; i < nodes->n; i++) {
        items[i].stock = 1;
        items[i].kind = SELECT_ROOM;
        if (o->choice[i] != DISRUPT_NONE) {
            /* What its pods cost elsewhere is no cost of consolidation. */
            items[i].room = items[i].pods = 0;
        } else if (bits_get(o->may, i) && !bits_get(o->stuck, i)) {
            items[i].kind = SELECT_MAY_GO;
            items[i].price = price_of(o, i);
        }
    }
    uint32_t n = nodes->n;
    for (uint32_t k = 0; k < o->bp.n_offerings; k++) {
        const struct bp_offering *offering = &o->bp.offerings[k];
        if (o->problem->offerings[k].node_i == SCHED_NONE && offering->stock != BP_UNLIMITED) {
            items[n++] = (struct select_item){.kind = SELECT_ROOM,
                                              .price = offering->price,
                                              .room = o->proof->best_value[k],
                                              .stock = offering->stock};
        }
    }
    return n;
}

/* ---- rows: what limits how many go ---- */

struct row_list {
    struct select_row *v;
    size_t n, cap;
};

static uint32_t *add_row(struct open_work *o, struct row_list *rows, int64_t max, uint32_t n_items)
{
    uint32_t *use = ARENA_ARRAY(o->arena, uint32_t, n_items);
    VEC_PUSH(o->arena, rows, (struct select_row){.max = max > 0 ? max : 0, .use = use});
    return use;
}

static void make_rows(struct open_work *o, struct row_list *rows, uint32_t n_items)
{
    const struct disrupt_options *options = o->w->options;
    const struct disrupt_nodes *nodes = &o->w->nodes;
    int64_t gone = 0, moved = 0;
    int64_t *spent = ARENA_ARRAY(o->arena, int64_t, o->w->cluster->n_nodepools);
    for (uint32_t i = 0; i < nodes->n; i++) {
        bool goes = o->choice[i] != DISRUPT_NONE && o->choice[i] != DISRUPT_EXPIRED;
        gone += goes;
        moved += goes ? nodes->v[i].n_moving : 0;
        if (goes && nodes->v[i].pool_i != SCHED_NONE) {
            spent[nodes->v[i].pool_i]++;
        }
    }
    uint32_t *use = options->max_moved_pods.has
                        ? add_row(o, rows, options->max_moved_pods.v - moved, n_items)
                        : NULL;
    for (uint32_t i = 0; use != NULL && i < nodes->n; i++) {
        use[i] = nodes->v[i].n_moving;
    }
    use = options->max_disruptions.has
              ? add_row(o, rows, options->max_disruptions.v - gone, n_items)
              : NULL;
    for (uint32_t i = 0; use != NULL && i < nodes->n; i++) {
        use[i] = 1;
    }
    for (uint32_t p = 0; p < o->w->cluster->n_nodepools; p++) {
        int64_t allowed = o->w->allowed[p][DISRUPT_UNDERUTILIZED];
        int64_t candidates = 0;
        for (uint32_t i = 0; i < nodes->n; i++) {
            candidates += nodes->v[i].pool_i == p && bits_get(o->may, i);
        }
        if (allowed == BUDGET_UNLIMITED || candidates <= allowed - spent[p]) {
            continue;
        }
        use = add_row(o, rows, allowed - spent[p], n_items);
        for (uint32_t i = 0; i < nodes->n; i++) {
            use[i] = nodes->v[i].pool_i == p;
        }
    }
}

static void answer(struct open_work *o, const struct select *select, struct disrupt_open *ret_open)
{
    const struct disrupt_nodes *nodes = &o->w->nodes;
    struct select_answer found;
    usd_t total = 0;
    select_bound(select, o->arena, &found);
    for (uint32_t i = 0; i < nodes->n; i++) {
        bool may = select->items[i].kind == SELECT_MAY_GO;
        ret_open->profit[i] = may ? found.profit[i] : INT64_MIN;
        ret_open->value[i] = may ? found.value[i] : INT64_MIN;
        total = sat_add(total, may ? select->items[i].price : 0);
        total = sat_add(total, o->choice[i] == DISRUPT_EMPTY && nodes->v[i].price.has
                                   ? nodes->v[i].price.v
                                   : 0);
    }
    usd_t most = sat_sub(total, found.bound);
    ret_open->least = found.bound > 0 ? found.bound : 0;
    ret_open->at_most = (struct opt_usd){.has = true, .v = most > 0 ? most : 0};
}

bool disrupt_open_new(struct disrupt_world *w, const disrupt_choice *choice, const uint64_t *may,
                      struct arena *arena, struct disrupt_open *ret_open, struct err *err)
{
    struct arena round = ARENA_INIT;
    struct open_work o = {.w = w, .choice = choice, .may = may, .arena = &round};
    *ret_open = (struct disrupt_open){.value = ARENA_ARRAY(arena, int64_t, w->nodes.n),
                                      .profit = ARENA_ARRAY(arena, int64_t, w->nodes.n)};
    bool good = build(&o, err);
    if (good && o.problem->bp.n_classes > 0) {
        index_units(&o);
        price_nodes(&o);
        good = solve(&o, err);
    }
    if (good && o.problem->bp.n_classes == 0) {
        /* No pods at all: what is empty can go, and that is all. */
        usd_t total = 0;
        for (uint32_t i = 0; i < w->nodes.n; i++) {
            bool empty = choice[i] == DISRUPT_EMPTY && w->nodes.v[i].price.has;
            total = sat_add(total, empty ? w->nodes.v[i].price.v : 0);
            ret_open->profit[i] = ret_open->value[i] = INT64_MIN;
        }
        ret_open->at_most = (struct opt_usd){.has = true, .v = total};
    }
    if (good && o.problem->bp.n_classes > 0) {
        struct select_item *items =
            ARENA_ARRAY(&round, struct select_item, w->nodes.n + o.bp.n_offerings);
        uint32_t n_items = make_items(&o, items);
        struct row_list rows = {0};
        make_rows(&o, &rows, n_items);
        struct select select = {
            .n_items = n_items, .n_rows = (uint32_t)rows.n, .items = items, .rows = rows.v};
        answer(&o, &select, ret_open);
    }
    arena_done(&round);
    return good;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/disrupt.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/disruption/pick.h"
#include "binpack/emulate/disruption.h"
#include "binpack/plan/assemble.h"
#include "binpack/plan/disrupt_report.h"
#include "binpack/plan/disrupt_search.h"

#include <stdlib.h>
#include <string.h>

enum {
    EVERY_CHOICE_MAX = 4, /* candidates up to which every choice is tried */
    FLIPS_MAX = 32,       /* trials spent on that */
    ROUNDS_MAX = 12       /* trials until a choice without bad nodes must be found */
};

enum { HUGE_NODES = 400 }; /* candidates from which a trial may be coarser still */
#define LARGE_GAP 0.002
#define HUGE_GAP  0.0099 /* a percent of what it is held against */

/* ---- budgets of a choice ---- */

struct disrupt_purse disrupt_search_purse(const struct disrupt_world *w, struct arena *arena)
{
    return disrupt_purse_full(w->allowed, w->cluster->n_nodepools, w->options->max_disruptions,
                              w->options->max_moved_pods, arena);
}

static bool pay(const struct disrupt_world *w, struct disrupt_purse *purse, uint32_t node,
                enum disrupt_reason reason)
{
    const struct disrupt_node *n = &w->nodes.v[node];
    return disrupt_purse_pay(purse, n->pool_i, n->n_moving, reason);
}

/* ---- what goes for other reasons than savings ---- */

struct ranked {
    int64_t key; /* ascending, within a class */
    int class;   /* ascending */
    uint32_t node;
};

static int ranked_cmp(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->class != y->class) {
        return x->class < y->class ? -1 : 1;
    }
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return (x->node > y->node) - (x->node < y->node);
}

/* The longest drifted first; empty ones before all (karp: Drift.ComputeCommands). */
static int64_t drift_key(const struct disrupt_node *node)
{
    if (node->n_moving == 0) {
        return INT64_MIN;
    }
    return node->drifted_at.has ? node->drifted_at.v : INT64_MAX;
}

void disrupt_search_unasked(const struct disrupt_world *w, struct disrupt_purse *purse,
                            disrupt_choice *choice)
{
    memset(choice, DISRUPT_NONE, w->nodes.n);
    for (uint32_t i = 0; i < w->nodes.n; i++) {
        const struct disrupt_node *node = &w->nodes.v[i];
        if (node->verdict[DISRUPT_EXPIRED].may) {
            choice[i] = DISRUPT_EXPIRED;
        } else if (node->verdict[DISRUPT_EMPTY].may && w->held[i] == HELD_NOT &&
                   pay(w, purse, i, DISRUPT_EMPTY)) {
            choice[i] = DISRUPT_EMPTY;
        }
    }
}

static void choose_drifted(const struct disrupt_world *w, struct disrupt_purse *purse,
                           disrupt_choice *choice, struct arena *arena)
{
    struct ranked *drifted = ARENA_ARRAY(arena, struct ranked, w->nodes.n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->nodes.n; i++) {
        const struct disrupt_node *node = &w->nodes.v[i];
        if (choice[i] == DISRUPT_NONE && node->verdict[DISRUPT_DRIFTED].may && !w->banned[i] &&
            w->held[i] != HELD_NOMINATED) {
            drifted[n++] = (struct ranked){.key = drift_key(node), .node = i};
        }
    }
    if (n > 0) {
        qsort(drifted, n, sizeof *drifted, ranked_cmp);
    }
    for (uint32_t k = 0; k < n; k++) {
        if (pay(w, purse, drifted[k].node, DISRUPT_DRIFTED)) {
            choice[drifted[k].node] = DISRUPT_DRIFTED;
        }
    }
}

/* ---- the search ---- */

static void ban(struct disrupt_world *w, const struct disrupt_trial *trial)
{
    for (uint32_t i = 0; i < w->nodes.n; i++) {
        if (bits_get(trial->bad, i)) {
            w->banned[i] = true;
            w->ban_why[i] = trial->why[i];
        }
    }
}

static bool is_better(const struct search *x, const struct disrupt_trial *trial)
{
    /* A mixing trial that mixes nothing is told by no command: `binpack verify` would not know. */
    if (!trial->good || trial->n_waiting > x->fewest_waiting ||
        (x->w->mixes && !trial->swaps_spot)) {
        return false;
    }
    const struct disrupt_trial *best = &x->best_trial;
    if (trial->earns != best->earns) {
        return trial->earns > best->earns;
    }
    return trial->n_moved != best->n_moved ? trial->n_moved < best->n_moved
                                           : trial->n_gone < best->n_gone;
}

/* A trial; of few candidates others for a plan that holds in any order, and for one that is made
 * pod by pod, where the first finds no moment to move a pod. */
static bool try_twice(struct search *x, const disrupt_choice *choice, struct arena *arena,
                      struct disrupt_trial *ret_trial, struct err *err)
{
    struct disrupt_world *w = x->w;
    if (!disrupt_try(w, choice, arena, ret_trial, err)) {
        return false;
    }
    if (!ret_trial->no_moment || w->nodes.n > FLIPS_NODES_MAX) {
        return true;
    }
    bool good = true;
    for (int way = 0; way < 2 && good && !ret_trial->good && !w->stopped; way++) {
        struct disrupt_trial other;
        w->any_order = way == 0;
        w->pod_by_pod = way == 1;
        good = disrupt_try(w, choice, arena, &other, err);
        w->any_order = w->pod_by_pod = false;
        if (good && other.good) {
            *ret_trial = other;
        }
    }
    return good;
}

/* Without the gate pods of spot nodes move to new spot nodes only where the command takes on-demand
 * nodes along (karp: spot-to-spot is a matter of commands whose candidates are all spot). */
static bool can_mix(const struct disrupt_world *w, const disrupt_choice *choice)
{
    bool spot = false, other = false;
    for (uint32_t i = 0; i < w->nodes.n && !w->settings->gate_spot_to_spot; i++) {
        const struct disrupt_node *node = &w->nodes.v[i];
        const bool goes = choice[i] == DISRUPT_UNDERUTILIZED;
        spot = spot || (goes && node->spot && w->sells_spot[node->pool_i]);
        other = other || (goes && !node->spot);
    }
    return spot && other;
}

/* What would be better but for the moment of some pods may go in a later round, all of it: this one
 * moves pods. */
static void note_later(struct search *x, const disrupt_choice *choice,
                       const struct disrupt_trial *trial)
{
    const size_t bad = bits_next(trial->bad, x->w->nodes.n, 0);
    for (uint32_t i = 0; i < x->w->nodes.n && trial->no_moment; i++) {
        if (choice[i] == DISRUPT_UNDERUTILIZED && trial->earns > x->later[i]) {
            x->later[i] = trial->earns;
            x->later_why[i] = trial->why[bad];
        }
    }
}

/* Nodes that stay although a better choice would have taken them. */
static void say_later(struct search *x)
{
    for (uint32_t i = 0; i < x->w->nodes.n; i++) {
        if (x->best[i] == DISRUPT_NONE && x->later[i] > x->best_trial.earns) {
            x->w->ban_why[i] = x->later_why[i];
        }
    }
}

/* Tries a choice as `w->mixes` has it and keeps it if it is the best so far. */
static bool try_so(struct search *x, const disrupt_choice *choice, uint64_t *ret_bad,
                   bool *ret_good, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct disrupt_trial trial;
    x->n_trials++;
    if (!try_twice(x, choice, &arena, &trial, err)) {
        arena_done(&arena);
        return false;
    }
    *ret_good = trial.good && trial.n_waiting <= x->fewest_waiting;
    x->last_new = trial.plan->n_nodes;
    memcpy(ret_bad, trial.bad, bits_words(x->w->nodes.n) * sizeof *ret_bad);
    for (uint32_t i = 0; i < x->w->nodes.n; i++) {
        if (bits_get(trial.bad, i)) {
            x->w->ban_why[i] = trial.why[i];
        }
    }
    note_later(x, choice, &trial);
    if (is_better(x, &trial)) {
        memcpy(x->best, choice, x->w->nodes.n);
        arena_done(&x->best_arena);
        x->best_arena = arena;
        x->best_trial = trial;
    } else {
        arena_done(&arena);
    }
    return true;
}

/* Of few candidates, a choice that can mix spot and on-demand nodes in one command is tried both
 * ways; what it says of bad nodes is what it says without. */
static bool try_choice(struct search *x, const disrupt_choice *choice, uint64_t *ret_bad,
                       bool *ret_good, struct err *err)
{
    struct disrupt_world *w = x->w;
    if (w->nodes.n <= FLIPS_NODES_MAX && !w->mixes && can_mix(w, choice)) {
        w->mixes = true;
        const bool good = try_so(x, choice, ret_bad, ret_good, err);
        w->mixes = false;
        if (!good || w->stopped) {
            return good;
        }
    }
    return try_so(x, choice, ret_bad, ret_good, err);
}

/* What goes without consolidation, drifted nodes given up until all their pods have places. */
static bool settle_forced(struct search *x, struct err *err)
{
    struct disrupt_world *w = x->w;
    for (uint32_t round = 0;; round++) {
        struct arena arena = ARENA_INIT;
        struct disrupt_trial trial;
        struct disrupt_purse purse = disrupt_search_purse(w, x->arena);
        for (uint32_t i = 0; i < w->nodes.n && round == ROUNDS_MAX; i++) {
            /* The drifted ones wait for another round. */
            w->banned[i] = w->banned[i] || x->forced[i] == DISRUPT_DRIFTED;
        }
        disrupt_search_unasked(w, &purse, x->forced);
        choose_drifted(w, &purse, x->forced, x->arena);
        if (!try_twice(x, x->forced, &arena, &trial, err)) {
            arena_done(&arena);
            return false;
        }
        if (trial.good || round >= ROUNDS_MAX) {
            memcpy(x->best, x->forced, w->nodes.n);
            x->purse = purse;
            x->best_arena = arena;
            x->best_trial = trial;
            x->fewest_waiting = trial.n_waiting;
            return true;
        }
        ban(w, &trial);
        arena_done(&arena);
    }
}

/* Adds underutilized nodes in the order given as far as the budgets reach. */
static uint32_t fill(struct search *x, const struct ranked *order, uint32_t n,
                     disrupt_choice *choice)
{
    struct arena scratch = ARENA_INIT;
    uint32_t taken = 0;
    struct disrupt_purse purse = disrupt_purse_copy(&x->purse, &scratch);
    memcpy(choice, x->forced, x->w->nodes.n);
    for (uint32_t k = 0; k < n; k++) {
        if (!x->w->banned[order[k].node] &&
            pay(x->w, &purse, order[k].node, DISRUPT_UNDERUTILIZED)) {
            choice[order[k].node] = DISRUPT_UNDERUTILIZED;
            taken++;
        }
    }
    arena_done(&scratch);
    return taken;
}

/* Tries an order, giving up bad nodes until the rest holds. Bans made here end with it. */
static bool try_order(struct search *x, const struct ranked *order, uint32_t n, struct err *err)
{
    uint32_t n_nodes = x->w->nodes.n;
    disrupt_choice *choice = ARENA_ARRAY(x->arena, disrupt_choice, n_nodes);
    uint64_t *bad = ARENA_ARRAY(x->arena, uint64_t, bits_words(n_nodes));
    bool *banned = ARENA_ARRAY(x->arena, bool, n_nodes);
    bool good = false;
    memcpy(banned, x->w->banned, n_nodes * sizeof *banned);
    for (int round = 0; round < ROUNDS_MAX && !good && !x->w->stopped; round++) {
        if (fill(x, order, n, choice) == 0) {
            break;
        }
        if (!try_choice(x, choice, bad, &good, err)) {
            return false;
        }
        bool any = false;
        for (uint32_t i = 0; i < n_nodes; i++) {
            any = any || bits_get(bad, i);
            x->w->banned[i] = x->w->banned[i] || bits_get(bad, i);
        }
        if (!any) {
            break;
        }
    }
    memcpy(x->w->banned, banned, n_nodes * sizeof *banned);
    return true;
}

/* Where moves are limited, the best set within them goes first. */
static uint64_t *pick(const struct search *x)
{
    const struct disrupt_world *w = x->w;
    uint32_t *moves = ARENA_ARRAY(x->arena, uint32_t, w->nodes.n);
    int64_t *value = ARENA_ARRAY(x->arena, int64_t, w->nodes.n);
    uint64_t *picked = ARENA_ARRAY(x->arena, uint64_t, bits_words(w->nodes.n));
    struct arena scratch = ARENA_INIT;
    for (uint32_t i = 0; i < w->nodes.n; i++) {
        const int64_t worth = bits_get(x->may, i) ? x->open.value[i] : INT64_MIN;
        moves[i] = w->nodes.v[i].n_moving;
        value[i] = sat_sub(worth, sat_mul(w->move_charge, moves[i]));
    }
    if (x->purse.moves != INT64_MAX) {
        pick_best(w->nodes.n, value, moves, x->purse.moves, &scratch, picked);
    }
    arena_done(&scratch);
    return picked;
}

/* Candidates by what giving them up promises, best first; those that are worth nothing even where
 * the limits of the round leave room at the end and beyond *ret_promising. */
static struct ranked *by_promise(struct search *x, uint32_t *ret_n, uint32_t *ret_promising)
{
    struct ranked *order = ARENA_ARRAY(x->arena, struct ranked, x->n_may);
    const uint64_t *picked = pick(x);
    uint32_t n = 0;
    *ret_promising = 0;
    for (uint32_t i = 0; i < x->w->nodes.n; i++) {
        if (bits_get(x->may, i) && x->open.profit[i] != INT64_MIN) {
            order[n++] = (struct ranked){.class = bits_get(picked, i)     ? 0
                                                  : x->open.profit[i] > 0 ? 1
                                                  : x->open.value[i] > 0  ? 2
                                                                          : 3,
                                         .key = -x->open.profit[i],
                                         .node = i};
            *ret_promising += x->open.value[i] > 0;
        }
    }
    if (n > 0) {
        qsort(order, n, sizeof *order, ranked_cmp);
    }
    *ret_n = n;
    return order;
}

/* Every choice of few candidates. */
static bool try_all(struct search *x, const struct ranked *order, uint32_t n, struct err *err)
{
    struct ranked subset[EVERY_CHOICE_MAX];
    disrupt_choice *choice = ARENA_ARRAY(x->arena, disrupt_choice, x->w->nodes.n);
    uint64_t *bad = ARENA_ARRAY(x->arena, uint64_t, bits_words(x->w->nodes.n));
    for (uint32_t set = 1; set < (1U << n) && !x->w->stopped; set++) {
        uint32_t n_subset = 0;
        bool good = false;
        for (uint32_t k = 0; k < n; k++) {
            if (((set >> k) & 1U) != 0) {
                subset[n_subset++] = order[k];
            }
        }
        if (fill(x, subset, n_subset, choice) == n_subset &&
            !try_choice(x, choice, bad, &good, err)) {
            return false;
        }
    }
    return true;
}

/* Single nodes in and out of the best choice, while that helps. */
static bool try_flips(struct search *x, const struct ranked *order, uint32_t n, struct err *err)
{
    disrupt_choice *choice = ARENA_ARRAY(x->arena, disrupt_choice, x->w->nodes.n);
    struct ranked *list = ARENA_ARRAY(x->arena, struct ranked, n);
    uint64_t *bad = ARENA_ARRAY(x->arena, uint64_t, bits_words(x->w->nodes.n));
    uint32_t since = 0, spent = 0;
    for (uint32_t k = 0; since < n && spent < FLIPS_MAX && !x->w->stopped; k = (k + 1) % n) {
        uint32_t n_list = 0, node = order[k].node;
        bool good = false;
        usd_t before = x->best_trial.earns;
        bool in = x->best[node] == DISRUPT_UNDERUTILIZED;
        for (uint32_t i = 0; i < n; i++) {
            bool chosen = x->best[order[i].node] == DISRUPT_UNDERUTILIZED;
            if (i == k ? !in : chosen) {
                list[n_list++] = order[i];
            }
        }
        since++;
        if (fill(x, list, n_list, choice) != n_list || n_list == 0) {
            continue;
        }
        spent++;
        if (!try_choice(x, choice, bad, &good, err)) {
            return false;
        }
        since = x->best_trial.earns > before ? 0 : since;
    }
    return true;
}

/* Where the best choice buys new nodes, the longest part of the order that needs none may save as
 * much and move fewer pods; single nodes in and out do not lead there. */
static bool try_without_new(struct search *x, const struct ranked *order, uint32_t n,
                            struct err *err)
{
    disrupt_choice *choice = ARENA_ARRAY(x->arena, disrupt_choice, x->w->nodes.n);
    uint64_t *bad = ARENA_ARRAY(x->arena, uint64_t, bits_words(x->w->nodes.n));
    uint32_t least = 0; /* the longest part known to need no new node */
    if (x->best_trial.plan->n_nodes == 0) {
        return true;
    }
    while (least < n && !x->w->stopped) {
        const uint32_t part = least + (n - least + 1) / 2;
        bool good = false;
        if (fill(x, order, part, choice) < part) {
            n = part - 1; /* Budgets end before. */
            continue;
        }
        if (!try_choice(x, choice, bad, &good, err)) {
            return false;
        }
        if (good && x->last_new == 0) {
            least = part;
        } else {
            n = part - 1;
        }
    }
    return true;
}

/* The best choice once more, its pods placed one by one where that costs less. */
static bool try_repair(struct search *x, struct err *err)
{
    disrupt_choice *choice = ARENA_ARRAY(x->arena, disrupt_choice, x->w->nodes.n);
    uint64_t *bad = ARENA_ARRAY(x->arena, uint64_t, bits_words(x->w->nodes.n));
    bool good = false;
    if (x->best_trial.plan->n_nodes == 0 || x->w->stopped) {
        return true;
    }
    memcpy(choice, x->best, x->w->nodes.n);
    x->w->repairs = true;
    good = try_choice(x, choice, bad, &good, err);
    x->w->repairs = false;
    return good;
}

static void end_phase(const struct disrupt_world *w, const char *name)
{
    if (w->port->phase != NULL) {
        w->port->phase(w->port->ctx, name);
    }
}

/* Candidates, prices and the bound. */
static bool bound_savings(struct search *x, struct err *err)
{
    struct disrupt_world *w = x->w;
    x->may = ARENA_ARRAY(x->arena, uint64_t, bits_words(w->nodes.n));
    for (uint32_t i = 0; i < w->nodes.n; i++) {
        if (w->nodes.v[i].verdict[DISRUPT_UNDERUTILIZED].may && x->forced[i] == DISRUPT_NONE) {
            bits_set(x->may, i);
            x->n_may++;
        }
    }
    w->large = x->n_may > FLIPS_NODES_MAX;
    w->gap = x->n_may > HUGE_NODES ? HUGE_GAP : w->large ? LARGE_GAP : 0;
    bool good = disrupt_open_new(w, x->forced, x->may, x->arena, &x->open, err);
    w->may = x->may;
    w->least = good && w->large ? x->open.least : 0;
    end_phase(w, "bound");
    return good;
}

/* Can a choice of all candidates mix? */
static bool can_mix_any(const struct search *x)
{
    disrupt_choice *all = ARENA_ARRAY(x->arena, disrupt_choice, x->w->nodes.n);
    for (uint32_t i = 0; i < x->w->nodes.n; i++) {
        all[i] = bits_get(x->may, i) ? DISRUPT_UNDERUTILIZED : DISRUPT_NONE;
    }
    return can_mix(x->w, all);
}

static bool consolidate(struct search *x, struct err *err)
{
    struct disrupt_world *w = x->w;
    uint32_t n = 0, promising = 0;
    if (!bound_savings(x, err)) {
        return false;
    }
    if (x->n_may == 0) {
        return true;
    }
    struct ranked *order = by_promise(x, &n, &promising);
    if (n <= EVERY_CHOICE_MAX) {
        return try_all(x, order, n, err) && try_repair(x, err);
    }
    const bool mixes = n > FLIPS_NODES_MAX && can_mix_any(x);
    w->mixes = mixes;
    if (!try_order(x, order, promising, err)) {
        return false;
    }
    w->mixes = false;
    if (n > FLIPS_NODES_MAX) {
        return !mixes || x->best_trial.swaps_spot || try_order(x, order, promising, err);
    }
    return (promising == n || try_order(x, order, n, err)) && try_without_new(x, order, n, err) &&
           try_flips(x, order, n, err) && try_repair(x, err);
}

/* ---- as Karpenter would ---- */

/* What may go by `nodes` is opened; expired nodes leave. What the imitation decides is planned like
 * any other choice. */
static bool imitate_once(struct search *x, const struct disrupt_nodes *nodes, struct err *err)
{
    struct disrupt_world *w = x->w;
    struct sched_settings settings = make_sched_settings(w->settings);
    uint64_t *open = ARENA_ARRAY(x->arena, uint64_t, bits_words(nodes->n));
    struct sched_snapshot *snapshot = NULL;
    struct sched_base *base = NULL;
    struct disrupt_purse purse = disrupt_search_purse(w, x->arena);
    struct emu_round *round = ARENA_NEW(x->arena, struct emu_round);
    memset(x->forced, DISRUPT_NONE, nodes->n);
    for (uint32_t i = 0; i < nodes->n; i++) {
        const struct disrupt_verdict *verdict = nodes->v[i].verdict;
        if (verdict[DISRUPT_EXPIRED].may) {
            x->forced[i] = DISRUPT_EXPIRED;
        } else if (verdict[DISRUPT_EMPTY].may || verdict[DISRUPT_DRIFTED].may ||
                   verdict[DISRUPT_UNDERUTILIZED].may) {
            bits_set(open, i);
        }
    }
    if (!sched_snapshot_new(w->cluster, w->catalog, &settings,
                            disrupt_leave(w, x->forced, open, x->arena), x->arena, &snapshot,
                            err) ||
        !sched_base_new(snapshot, x->arena, &base, err)) {
        return false;
    }
    const struct emu_disrupt_input input = {.base = base,
                                            .nodes = nodes,
                                            .home = w->home,
                                            .purse = &purse,
                                            .spot_to_spot = w->settings->gate_spot_to_spot,
                                            .options_max = w->settings->options_max};
    if (!emu_disrupt(&input, x->arena, round, err)) {
        return false;
    }
    w->round = round;
    memcpy(x->best, x->forced, nodes->n);
    for (uint32_t i = 0; i < nodes->n; i++) {
        x->best[i] = round->reason[i] == DISRUPT_NONE ? x->best[i] : round->reason[i];
        x->forced[i] = x->best[i] == DISRUPT_UNDERUTILIZED ? DISRUPT_NONE : x->best[i];
    }
    arena_done(&x->best_arena);
    x->best_arena = ARENA_INIT;
    return disrupt_try(w, x->best, &x->best_arena, &x->best_trial, err);
}

/* Each step of Karpenter's is allowed at its moment, but the round as one step may break a rule
 * between pods. Then the nodes that do stay, and it is imitated again. The savings stand beside the
 * bound on every choice. */
static bool imitate(struct search *x, struct err *err)
{
    struct disrupt_world *w = x->w;
    struct disrupt_node *nodes = ARENA_ARRAY(x->arena, struct disrupt_node, w->nodes.n);
    const struct disrupt_nodes list = {.n = w->nodes.n, .v = nodes};
    bool any = true;
    w->imitates = true;
    w->gap = LARGE_GAP;
    for (uint32_t i = 0; i < w->nodes.n; i++) {
        nodes[i] = w->nodes.v[i];
    }
    for (uint32_t round = 0; any && !w->stopped; round++) {
        if (!imitate_once(x, &list, err)) {
            return false;
        }
        any = false;
        for (uint32_t i = 0; i < w->nodes.n && !x->best_trial.good; i++) {
            const bool goes = x->best[i] != DISRUPT_NONE && x->best[i] != DISRUPT_EXPIRED;
            if (goes && (round >= ROUNDS_MAX || bits_get(x->best_trial.bad, i))) {
                w->ban_why[i] = x->best_trial.why[i];
                for (int r = 0; r < DISRUPT_N_REASONS; r++) {
                    nodes[i].verdict[r].may = false;
                }
                any = true;
            }
        }
    }
    end_phase(w, "emulate");
    if (!bound_savings(x, err)) {
        return false;
    }
    /* Savings that cannot be told from other costs cannot be held against their bound. */
    x->open.at_most.has = x->open.at_most.has && !x->best_trial.mixed;
    return true;
}

bool disrupt_plan(const struct k8s_cluster *cluster, const struct catalog *catalog,
                  const struct make_settings *settings, const struct disrupt_options *options,
                  const struct disrupt_port *port, struct arena *ret_arena, struct plan **ret_plan,
                  struct err *err)
{
    struct arena round = ARENA_INIT;
    struct disrupt_world w = {.cluster = cluster,
                              .catalog = catalog,
                              .settings = settings,
                              .options = options,
                              .port = port,
                              .arena = &round};
    struct search x = {.w = &w, .arena = &round, .best_arena = ARENA_INIT};
    bool good = disrupt_world_new(&w, err);
    if (good) {
        x.forced = ARENA_ARRAY(&round, disrupt_choice, w.nodes.n);
        x.best = ARENA_ARRAY(&round, disrupt_choice, w.nodes.n);
        x.later = ARENA_ARRAY(&round, usd_t, w.nodes.n);
        x.later_why = ARENA_ARRAY(&round, const char *, w.nodes.n);
        good = settings->emulates != PLAN_OWN
                   ? imitate(&x, err)
                   : disrupt_hold_empty(&x, err) && settle_forced(&x, err) && consolidate(&x, err);
    }
    if (good) {
        say_later(&x);
    }
    good = good && disrupt_report(&w, x.best, &x.best_trial, &x.open, &x.best_arena, err);
    if (good) {
        *ret_plan = x.best_trial.plan;
        *ret_arena = x.best_arena;
        end_phase(&w, "plan");
    } else {
        arena_done(&x.best_arena);
    }
    arena_done(&round);
    return good;
}

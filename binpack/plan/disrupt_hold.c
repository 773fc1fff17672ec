/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Empty nodes that waiting pods need. */
#include "base/arena.h"
#include "binpack/plan/disrupt_search.h"

#include <string.h>

enum {
    RELEASES_MAX = 8, /* nodes held for waiting pods that are tried without, one by one */
    OTHERS_MAX = 4    /* rounds of other nodes for those pods */
};

/* What the pods that wait make of the cluster when expired nodes go and empty ones that nothing
 * holds: pods without a place, and nano-dollars per hour for new nodes less what the empty ones
 * cost. */
struct outlook {
    uint32_t n_unplaced;
    usd_t cost;
};

/* `ret_takes`: [nodes.n] pods that an empty node takes, `ret_real` those of them that are pods of
 * the cluster; NULL: not asked for. */
static bool look_ahead(struct search *x, struct outlook *ret_outlook, uint32_t *ret_takes,
                       uint32_t *ret_real, struct err *err)
{
    struct disrupt_world *w = x->w;
    struct arena arena = ARENA_INIT;
    struct disrupt_trial trial;
    struct disrupt_purse purse = disrupt_search_purse(w, &arena);
    disrupt_choice *choice = ARENA_ARRAY(&arena, disrupt_choice, w->nodes.n);
    disrupt_search_unasked(w, &purse, choice);
    if (!disrupt_try(w, choice, &arena, &trial, err)) {
        arena_done(&arena);
        return false;
    }
    *ret_outlook = (struct outlook){.n_unplaced = trial.plan->n_unplaced,
                                    .cost = sat_sub(trial.plan->cost, trial.saves)};
    for (uint32_t i = 0; ret_takes != NULL && i < w->nodes.n; i++) {
        for (uint32_t k = 0; k < trial.plan->n_existing; k++) {
            const struct plan_placement *place = &trial.plan->existing[k];
            for (uint32_t p = 0; p < place->n_pods && str_eq(place->node, w->nodes.v[i].name);
                 p++) {
                ret_takes[i]++;
                ret_real[i] += place->pods[p] < w->cluster->n_pods;
            }
        }
    }
    arena_done(&arena);
    return true;
}

/* Lets the held nodes in [first, end) go if then no more pods are without a place and it is cheaper
 * by more than the pods that would have to wait for new nodes are worth. */
static bool try_release(struct search *x, const uint32_t *takes, uint32_t first, uint32_t end,
                        struct outlook *best, struct err *err)
{
    struct disrupt_world *w = x->w;
    struct outlook now;
    uint8_t *held = ARENA_ARRAY(x->arena, uint8_t, w->nodes.n);
    usd_t charge = 0;
    memcpy(held, w->held, w->nodes.n);
    for (uint32_t i = first; i < end; i++) {
        charge =
            w->held[i] == HELD_NOT ? charge : sat_add(charge, sat_mul(w->move_charge, takes[i]));
        w->held[i] = HELD_NOT;
    }
    if (!look_ahead(x, &now, NULL, NULL, err)) {
        return false;
    }
    if (now.n_unplaced <= best->n_unplaced && sat_add(now.cost, charge) < best->cost) {
        *best = now;
    } else {
        memcpy(w->held, held, w->nodes.n);
    }
    return true;
}

/* Where nodes were let go that pods had been nominated for, other empty nodes may do, which come
 * before new ones unless they are dearer. `given_up`: [nodes.n]. */
static bool hold_others(struct search *x, bool *given_up, struct outlook best, struct err *err)
{
    struct disrupt_world *w = x->w;
    uint8_t *before = ARENA_ARRAY(x->arena, uint8_t, w->nodes.n);
    const uint32_t rounds = w->nodes.n > FLIPS_NODES_MAX ? 1 : OTHERS_MAX;
    bool any = false;
    memcpy(before, w->held, w->nodes.n);
    for (uint32_t i = 0; i < w->nodes.n; i++) {
        any = any || (given_up[i] && w->held[i] == HELD_NOT);
    }
    for (uint32_t round = 0; any && round < rounds && !w->stopped; round++) {
        uint32_t *takes = ARENA_ARRAY(x->arena, uint32_t, w->nodes.n);
        uint32_t *real = ARENA_ARRAY(x->arena, uint32_t, w->nodes.n);
        uint32_t dearest = NO_NODE;
        struct outlook now;
        for (uint32_t i = 0; i < w->nodes.n; i++) {
            const bool open = w->nodes.v[i].verdict[DISRUPT_EMPTY].may && !given_up[i];
            w->held[i] = open ? HELD_NOMINATED : before[i];
        }
        if (!look_ahead(x, &now, takes, real, err)) {
            return false;
        }
        for (uint32_t i = 0; i < w->nodes.n; i++) {
            const bool other = w->held[i] != HELD_NOT && before[i] == HELD_NOT && takes[i] > 0;
            w->held[i] = !other ? before[i] : real[i] > 0 ? HELD_NOMINATED : HELD_BUFFER;
            const bool dear =
                dearest == NO_NODE || w->nodes.v[i].price.v > w->nodes.v[dearest].price.v;
            dearest = other && dear ? i : dearest;
        }
        if (dearest == NO_NODE || !look_ahead(x, &now, NULL, NULL, err)) {
            memcpy(w->held, before, w->nodes.n);
            return dearest == NO_NODE;
        }
        if (now.n_unplaced <= best.n_unplaced && now.cost <= best.cost) {
            return true;
        }
        memcpy(w->held, before, w->nodes.n);
        given_up[dearest] = true;
    }
    return true;
}

bool disrupt_hold_empty(struct search *x, struct err *err)
{
    struct disrupt_world *w = x->w;
    uint32_t *takes = ARENA_ARRAY(x->arena, uint32_t, w->nodes.n);
    uint32_t *real = ARENA_ARRAY(x->arena, uint32_t, w->nodes.n);
    uint32_t n_empty = 0, n_expired = 0, n_held = 0;
    struct outlook best;
    for (uint32_t i = 0; i < w->nodes.n; i++) {
        bool empty = w->nodes.v[i].verdict[DISRUPT_EMPTY].may;
        n_empty += empty;
        n_expired += w->nodes.v[i].verdict[DISRUPT_EXPIRED].may;
        w->held[i] = empty ? HELD_NOMINATED : HELD_NOT;
    }
    if (n_empty == 0 || (w->snapshot->n_pending == 0 && n_expired == 0)) {
        memset(w->held, HELD_NOT, w->nodes.n);
        return true;
    }
    if (!look_ahead(x, &best, takes, real, err)) {
        return false;
    }
    for (uint32_t i = 0; i < w->nodes.n; i++) {
        bool holds = w->held[i] != HELD_NOT && takes[i] > 0;
        w->held[i] = !holds ? HELD_NOT : real[i] > 0 ? HELD_NOMINATED : HELD_BUFFER;
        n_held += holds;
    }
    if (n_held == 0) {
        return true;
    }
    bool *given_up = ARENA_ARRAY(x->arena, bool, w->nodes.n);
    for (uint32_t i = 0; i < w->nodes.n; i++) {
        given_up[i] = w->held[i] != HELD_NOT;
    }
    if (!look_ahead(x, &best, NULL, NULL, err) ||
        !try_release(x, takes, 0, w->nodes.n, &best, err)) {
        return false;
    }
    for (uint32_t i = 0, tried = 0; i < w->nodes.n && tried < RELEASES_MAX && !w->stopped; i++) {
        if (n_held > 1 && w->nodes.n <= FLIPS_NODES_MAX && w->held[i] != HELD_NOT) {
            tried++;
            if (!try_release(x, takes, i, i + 1, &best, err)) {
                return false;
            }
        }
    }
    return hold_others(x, given_up, best, err);
}

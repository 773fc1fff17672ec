/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders of placement. A plan is accepted when some order passes the filters of kube-scheduler:
 * several are tried, all of them one pod at a time where a spread looks, and every one where there
 * are few. */
#include "binpack/plan/check_topology.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "base/rng.h"

struct item { /* pods of one kind for one node */
    uint32_t kind, node, n, left;
    bool one_at_a_time, spreads, relates;
};

static uint32_t level_of(const struct item *item, uint32_t order)
{
    switch (order) {
    case 0: /* who spreads first, then who relates, then the rest */
        return item->spreads ? 0 : item->relates ? 1 : 2;
    case 1: /* the rest first */
        return item->spreads ? 2 : item->relates ? 1 : 0;
    case 2: /* who relates first */
        return item->relates ? 0 : item->spreads ? 1 : 2;
    default: /* all alike */
        return 0;
    }
}

enum {
    N_ORDERS = 4,
    N_LEVELS = 3,
    LEARNED_ORDERS = 64,
    LEARNED_STEPS_MAX = 20 * 1000 * 1000,
    RANDOM_ORDERS = 64,
    RANDOM_STEPS_MAX = 100 * 1000,
    SEARCH_PODS_MAX = 64,
    SEARCH_STATES_MAX = 1 << 16
};

static bool pass(struct replay *r, struct item *items, uint32_t n, uint32_t order, uint32_t level)
{
    bool progress = false;
    for (uint32_t i = 0; i < n; i++) {
        struct item *item = &items[i];
        if (item->left == 0 || level_of(item, order) != level) {
            continue;
        }
        while (item->left > 0 && replay_blocked(r, item->kind, item->node) == NULL) {
            replay_place(r, item->kind, item->node);
            item->left--;
            progress = true;
            if (item->one_at_a_time) {
                break;
            }
        }
    }
    return progress;
}

static bool try_order(struct replay *r, struct item *items, uint32_t n, uint32_t order)
{
    for (uint32_t level = 0; level < N_LEVELS;) {
        bool progress = pass(r, items, n, order, level);
        if (progress && level > 0) {
            level = 0; /* what was stuck may go on now */
        } else if (!progress) {
            level++;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].left > 0) {
            return false;
        }
    }
    return true;
}

/* One pod at a time, always the first of `ranked` that nothing keeps off. */
static bool try_ranked(struct replay *r, struct item *items, const uint32_t *ranked, uint32_t n)
{
    for (uint32_t k = 0; k < n;) {
        struct item *item = &items[ranked[k]];
        if (item->left > 0 && replay_blocked(r, item->kind, item->node) == NULL) {
            replay_place(r, item->kind, item->node);
            item->left--;
            k = 0; /* who comes earlier and was stuck may go on now */
        } else {
            k++;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].left > 0) {
            return false;
        }
    }
    return true;
}

/* What got stuck goes to the front, in the order it had; the rest follows. */
static void rank_stuck_first(const struct item *items, uint32_t *ranked, uint32_t *scratch,
                             uint32_t n)
{
    uint32_t n_stuck = 0, n_rest = 0;
    for (uint32_t k = 0; k < n; k++) {
        if (items[ranked[k]].left > 0) {
            scratch[n_stuck++] = ranked[k];
        }
    }
    for (uint32_t k = 0; k < n; k++) {
        if (items[ranked[k]].left == 0) {
            scratch[n_stuck + n_rest++] = ranked[k];
        }
    }
    memcpy(ranked, scratch, n * sizeof *ranked);
}

/* Pods with a target grouped by (node, kind), in that order. */
static struct item *make_items(struct replay *r, const uint32_t *target, uint32_t *ret_n)
{
    struct check_world *world = r->world;
    uint32_t n_pods = world->cluster->n_pods;
    uint32_t *first = ARENA_ARRAY(world->arena, uint32_t, world->n_nodes + 1);
    for (uint32_t i = 0; i < n_pods; i++) {
        if (target[i] != UINT32_MAX) {
            first[target[i] + 1]++;
        }
    }
    for (uint32_t i = 0; i < world->n_nodes; i++) {
        first[i + 1] += first[i];
    }
    struct item *items = ARENA_ARRAY(world->arena, struct item, first[world->n_nodes] + 1);
    uint32_t *by_node = ARENA_ARRAY(world->arena, uint32_t, first[world->n_nodes] + 1);
    uint32_t *at = ARENA_ARRAY(world->arena, uint32_t, world->n_nodes + 1);
    memcpy(at, first, (world->n_nodes + 1) * sizeof *at);
    for (uint32_t i = 0; i < n_pods; i++) {
        if (target[i] != UINT32_MAX) {
            by_node[at[target[i]]++] = world->kind_of[i];
        }
    }
    uint32_t n = 0;
    uint32_t *slot = ARENA_ARRAY(world->arena, uint32_t, world->n_kinds);
    for (uint32_t node = 0; node < world->n_nodes; node++) {
        uint32_t start = n;
        for (uint32_t j = first[node]; j < first[node + 1]; j++) {
            uint32_t kind = by_node[j], s = slot[kind];
            const struct links *links = &r->links[kind];
            if (links->n_carried + links->n_counted == 0) {
                continue; /* no rule has to do with it */
            }
            if (s < start || s >= n || items[s].kind != kind) {
                s = slot[kind] = n++;
                items[s] = (struct item){.kind = kind,
                                         .node = node,
                                         .one_at_a_time = links->counted_by_spread,
                                         .spreads = world->kinds[kind].spreads,
                                         .relates = world->kinds[kind].relates};
            }
            items[s].n++;
        }
    }
    *ret_n = n;
    return items;
}

/* As many pods of the item as found no moment to be placed, the last ones. */
static void mark_stuck(const struct replay *r, const struct item *item, const uint32_t *target,
                       bool *stuck)
{
    uint32_t left = item->left;
    for (uint32_t i = r->world->cluster->n_pods; i > 0 && left > 0; i--) {
        if (target[i - 1] == item->node && r->world->kind_of[i - 1] == item->kind) {
            stuck[i - 1] = true;
            left--;
        }
    }
}

static bool refuse(const struct replay *r, const struct item *item, const uint32_t *target,
                   struct err *err)
{
    static const char *const names[] = {"topology spread", "pod affinity", "pod anti-affinity"};
    const struct check_world *world = r->world;
    const struct rule *rule = replay_blocked(r, item->kind, item->node);
    const struct k8s_pod *pod = NULL;
    for (uint32_t i = 0; i < world->cluster->n_pods && pod == NULL; i++) {
        if (target[i] == item->node && world->kind_of[i] == item->kind) {
            pod = &world->cluster->pods[i];
        }
    }
    assert(pod != NULL); /* an item stands for pods of the plan */
    return err_set(
        err, ERR_INTERNAL,
        "pod " STR_FMT "/" STR_FMT " on node " STR_FMT ": %s on " STR_FMT
        " holds in no order of placement tried",
        STR_ARG(strtab_str(world->tab, pod->ns)), STR_ARG(pod->name),
        STR_ARG(world->nodes[item->node].name), rule == NULL ? "a rule" : names[rule->type],
        STR_ARG(strtab_str(world->tab, rule == NULL ? STRID_EMPTY : r->keys.v[rule->key_i].name)));
}

static void start_over(struct replay *r, struct item *items, uint32_t n)
{
    replay_reset(r);
    for (uint32_t i = 0; i < n; i++) {
        items[i].left = items[i].n;
    }
}

/* Orders learned from failures: whoever got stuck is placed before the others the next time. */
static bool try_learned(struct replay *r, struct item *items, uint32_t n)
{
    uint64_t n_pods = 0;
    uint32_t *ranked = ARENA_ARRAY(r->world->arena, uint32_t, n);
    uint32_t *scratch = ARENA_ARRAY(r->world->arena, uint32_t, n);
    for (uint32_t i = 0; i < n; i++) {
        ranked[i] = i;
        n_pods += items[i].n;
    }
    for (uint32_t round = 0; round < LEARNED_ORDERS && n_pods * n <= LEARNED_STEPS_MAX; round++) {
        start_over(r, items, n);
        if (try_ranked(r, items, ranked, n)) {
            return true;
        }
        rank_stuck_first(items, ranked, scratch, n);
    }
    return false;
}

/* Places one pod that nothing keeps off, of kinds that declare rules, of others, or of any. */
static bool place_any(struct replay *r, struct item *items, uint32_t n, uint32_t first,
                      bool declares, bool others)
{
    for (uint32_t k = 0; k < n; k++) {
        struct item *item = &items[(first + k) % n];
        if (item->left > 0 && (r->links[item->kind].n_carried > 0 ? declares : others) &&
            replay_blocked(r, item->kind, item->node) == NULL) {
            replay_place(r, item->kind, item->node);
            item->left--;
            return true;
        }
    }
    return false;
}

/* Who declares rules goes first, whoever it is; when all of them are stuck, one pod that is only
 * counted makes room. Where counts must grow in step, kinds have to take turns, which no fixed rank
 * says. */
static bool try_random(struct replay *r, struct item *items, uint32_t n, struct rng *rng, bool all)
{
    while (place_any(r, items, n, rng_below(rng, n), /* declares= */ true, all) ||
           place_any(r, items, n, rng_below(rng, n), /* declares= */ false, /* others= */ true)) {
    }
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].left > 0) {
            return false;
        }
    }
    return true;
}

static bool try_draws(struct replay *r, struct item *items, uint32_t n)
{
    uint64_t n_pods = 0;
    struct rng rng = {.state = 1};
    for (uint32_t i = 0; i < n; i++) {
        n_pods += items[i].n;
    }
    for (uint32_t draw = 0; draw < RANDOM_ORDERS && n_pods * n <= RANDOM_STEPS_MAX; draw++) {
        start_over(r, items, n);
        if (try_random(r, items, n, &rng, /* all= */ draw % 2 == 1)) {
            return true;
        }
    }
    return false;
}

/* ---- all orders ---- */

struct search {
    struct replay *replay;
    struct item *items;
    uint32_t n;
    uint64_t *seen; /* states that lead nowhere: pods left of each item, in mixed radix */
};

static bool search_from(const struct search *s, uint32_t n_left)
{
    if (n_left == 0) {
        return true;
    }
    size_t state = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        state = state * (s->items[i].n + 1) + s->items[i].left;
    }
    if (bits_get(s->seen, state)) {
        return false;
    }
    bits_set(s->seen, state);
    for (uint32_t i = 0; i < s->n; i++) {
        struct item *item = &s->items[i];
        if (item->left == 0 || replay_blocked(s->replay, item->kind, item->node) != NULL) {
            continue;
        }
        replay_place(s->replay, item->kind, item->node);
        item->left--;
        if (search_from(s, n_left - 1)) {
            return true;
        }
        item->left++;
        replay_take_back(s->replay, item->kind, item->node);
    }
    return false;
}

/* Every order, where they are few: what no rule of thumb finds. */
static bool try_all(struct replay *r, struct item *items, uint32_t n)
{
    size_t n_states = 1;
    uint32_t n_pods = 0;
    for (uint32_t i = 0; i < n; i++) {
        n_pods += items[i].n;
        n_states *= items[i].n + 1;
        if (n_pods > SEARCH_PODS_MAX || n_states > SEARCH_STATES_MAX) {
            return false;
        }
    }
    struct search search = {.replay = r,
                            .items = items,
                            .n = n,
                            .seen = ARENA_ARRAY(r->world->arena, uint64_t, bits_words(n_states))};
    start_over(r, items, n);
    return search_from(&search, n_pods);
}

bool check_replay(struct check_world *world, const uint32_t *target, bool *stuck, struct err *err)
{
    struct replay r;
    replay_start(world, &r);
    if (r.rules.n == 0) {
        return true;
    }
    uint32_t n = 0;
    struct item *items = make_items(&r, target, &n);
    for (uint32_t order = 0; order < N_ORDERS; order++) {
        start_over(&r, items, n);
        if (try_order(&r, items, n, order)) {
            return true;
        }
    }
    if (try_learned(&r, items, n) || try_draws(&r, items, n) || try_all(&r, items, n)) {
        return true;
    }
    start_over(&r, items, n);
    (void)try_order(&r, items, n, 0); /* for the words: who is stuck in a plain order */
    const struct item *first = NULL;
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].left > 0) {
            first = first == NULL ? &items[i] : first;
            mark_stuck(&r, &items[i], target, stuck);
        }
    }
    return first == NULL || refuse(&r, first, target, err);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/spread_twins.h"

#include "base/arena.h"
#include "base/bitset.h"

#include <string.h>

/* ------------------------------------------------------------------ sets of twins */

enum { FEW_NODES = 4 /* a cap that needs at most one of so many nodes is soft */ };

/* Nodes that a cap needs at least. */
static uint64_t nodes_for(const struct bp_problem *p, const struct bp_cap *cap)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        n += bits_get(cap->members, i) ? p->classes[i].demand : 0;
    }
    return cap->max == 0 ? UINT64_MAX : n / cap->max;
}

void bp_soft_caps(const struct bp_problem *problem, bool *ret_soft, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    uint64_t *nodes = ARENA_ARRAY(scratch, uint64_t, problem->n_caps);
    uint64_t most = 0;
    for (uint32_t c = 0; c < problem->n_caps; c++) {
        const struct bp_cap *cap = &problem->caps[c];
        nodes[c] = cap->max_at == NULL ? nodes_for(problem, cap) : 0;
        most = cap->necessary && cap->max > 0 && nodes[c] > most ? nodes[c] : most;
    }
    for (uint32_t c = 0; c < problem->n_caps; c++) {
        const struct bp_cap *cap = &problem->caps[c];
        ret_soft[c] = cap->max_at == NULL && cap->max > 0 &&
                      (!cap->necessary || nodes[c] <= most / FEW_NODES);
    }
    arena_rewind(scratch, mark);
}

const struct bp_class *bp_soft_classes(const struct bp_problem *problem, const bool *soft,
                                       struct arena *arena)
{
    struct bp_class *classes = (struct bp_class *)(void *)arena_copy(
        arena, problem->classes, problem->n_classes * sizeof *classes);
    for (uint32_t c = 0; c < problem->n_caps; c++) {
        const struct bp_cap *cap = &problem->caps[c];
        for (size_t i = bits_next(cap->members, problem->n_classes, 0);
             soft[c] && i < problem->n_classes;
             i = bits_next(cap->members, problem->n_classes, i + 1)) {
            if (problem->classes[i].max_per_node >= cap->max) {
                classes[i].max_per_node = BP_UNLIMITED;
            }
        }
    }
    return classes;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 31);
}

struct key {
    const struct bp_problem *p;
    const struct bp_class *classes; /* [n_classes] as bp_soft_classes has them */
    const bool *soft;               /* [n_caps] */
    bool with_soft;                 /* soft rules tell classes apart too */
};

static uint64_t hash_class(const struct key *key, uint32_t i)
{
    const struct bp_problem *p = key->p;
    uint64_t hash = mix(key->classes[i].max_per_node, (uint64_t)(uint32_t)p->classes[i].priority);
    hash = mix(hash, p->classes[i].weight);
    for (uint32_t d = 0; d < p->n_dims; d++) {
        hash = mix(hash, (uint64_t)p->size[(size_t)i * p->n_dims + d]);
    }
    for (size_t w = 0; w < bits_words(p->n_domains); w++) {
        hash = mix(hash, p->mask[i * bits_words(p->n_domains) + w]);
    }
    for (uint32_t c = 0; c < p->n_caps; c++) {
        bool counts = key->with_soft || !key->soft[c];
        hash = counts && bits_get(p->caps[c].members, i) ? mix(hash, c + 1) : hash;
    }
    return hash;
}

static bool same_class(const struct key *key, uint32_t i, uint32_t j)
{
    const struct bp_problem *p = key->p;
    size_t n_words = bits_words(p->n_domains);
    bool same = key->classes[i].max_per_node == key->classes[j].max_per_node &&
                key->classes[i].max_per_node == BP_UNLIMITED &&
                p->classes[i].priority == p->classes[j].priority &&
                p->classes[i].weight == p->classes[j].weight &&
                memcmp(&p->size[(size_t)i * p->n_dims], &p->size[(size_t)j * p->n_dims],
                       p->n_dims * sizeof *p->size) == 0 &&
                bits_equal(&p->mask[i * n_words], &p->mask[j * n_words], n_words);
    for (uint32_t c = 0; c < p->n_caps && same; c++) {
        bool counts = key->with_soft || !key->soft[c];
        same = !counts || bits_get(p->caps[c].members, i) == bits_get(p->caps[c].members, j);
    }
    for (uint32_t e = 0; e < p->n_exclusions && same && key->with_soft; e++) {
        same = bits_get(p->exclusions[e].a, i) == bits_get(p->exclusions[e].a, j) &&
               bits_get(p->exclusions[e].b, i) == bits_get(p->exclusions[e].b, j);
    }
    return same;
}

/* set_of[class]; returns the number of sets. */
static uint32_t find_sets(const struct key *key, uint32_t *set_of, struct arena *arena)
{
    const struct bp_problem *p = key->p;
    uint32_t n_slots = 16, n_sets = 0;
    while (n_slots < 2 * p->n_classes) {
        n_slots *= 2;
    }
    uint32_t *slots = ARENA_ARRAY(arena, uint32_t, n_slots); /* class + 1 */
    for (uint32_t i = 0; i < p->n_classes; i++) {
        uint32_t slot = (uint32_t)hash_class(key, i) & (n_slots - 1);
        while (slots[slot] != 0 && !same_class(key, slots[slot] - 1, i)) {
            slot = (slot + 1) & (n_slots - 1);
        }
        if (slots[slot] == 0) {
            slots[slot] = i + 1;
            set_of[i] = n_sets++;
        } else {
            set_of[i] = set_of[slots[slot] - 1];
        }
    }
    return n_sets;
}

static bool same_brand(const struct bp_twins *t, uint32_t i, uint32_t j)
{
    for (uint32_t s = 0; s < t->n_soft; s++) {
        const uint64_t *members = t->problem->caps[t->soft[s]].members;
        if (bits_get(members, i) != bits_get(members, j)) {
            return false;
        }
    }
    for (uint32_t e = 0; e < t->problem->n_exclusions; e++) {
        const struct bp_exclusion *exclusion = &t->problem->exclusions[e];
        if (bits_get(exclusion->a, i) != bits_get(exclusion->a, j) ||
            bits_get(exclusion->b, i) != bits_get(exclusion->b, j)) {
            return false;
        }
    }
    return true;
}

static void find_brands(struct bp_twins *t, struct arena *arena)
{
    uint32_t n = t->problem->n_classes;
    uint32_t *first = ARENA_ARRAY(arena, uint32_t, n); /* [n_brands] a class of it */
    t->brand_of = ARENA_ARRAY(arena, uint32_t, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t b = 0;
        while (b < t->n_brands && !same_brand(t, first[b], i)) {
            b++;
        }
        if (b == t->n_brands) {
            first[t->n_brands++] = i;
        }
        t->brand_of[i] = b;
    }
}

static void list_classes(struct bp_twins *t, struct arena *arena)
{
    uint32_t n = t->problem->n_classes;
    t->class_at = ARENA_ARRAY(arena, uint32_t, t->n_sets + 1);
    t->classes = ARENA_ARRAY(arena, uint32_t, n);
    uint32_t *fill = ARENA_ARRAY(arena, uint32_t, t->n_sets);
    for (uint32_t i = 0; i < n; i++) {
        t->class_at[t->set_of[i] + 1]++;
    }
    for (uint32_t s = 0; s < t->n_sets; s++) {
        t->class_at[s + 1] += t->class_at[s];
    }
    for (uint32_t i = 0; i < n; i++) {
        t->classes[t->class_at[t->set_of[i]] + fill[t->set_of[i]]++] = i;
    }
}

/* The soft caps as one. Every node that obeys them holds at most the sum of their maxima; but a
 * node that is full by that measure needs one particular mix of classes, so only two thirds of it
 * are used. */
static void coarsen(struct bp_twins *t, struct arena *arena)
{
    const struct bp_problem *p = t->problem;
    size_t n_words = bits_words(p->n_classes);
    struct bp_cap *caps = ARENA_ARRAY(arena, struct bp_cap, p->n_caps + 1);
    uint64_t *members = ARENA_ARRAY(arena, uint64_t, n_words);
    uint64_t max = 0;
    t->coarse = *p;
    t->coarse.classes = bp_soft_classes(p, t->is_soft, arena);
    t->coarse.n_caps = 0;
    t->coarse.n_exclusions = 0;
    t->soft = ARENA_ARRAY(arena, uint32_t, p->n_caps);
    for (uint32_t c = 0; c < p->n_caps; c++) {
        if (t->is_soft[c]) {
            t->soft[t->n_soft++] = c;
            max += p->caps[c].max;
            bits_or(members, p->caps[c].members, n_words);
        } else {
            caps[t->coarse.n_caps++] = p->caps[c];
        }
    }
    if (t->n_soft > 0) {
        caps[t->coarse.n_caps++] =
            (struct bp_cap){.max = max / 3 * 2 < BP_UNLIMITED - 2 ? (uint32_t)((max * 2 + 2) / 3)
                                                                  : BP_UNLIMITED - 1,
                            .members = members};
    }
    t->coarse.caps = caps;
}

bool bp_twins_build(struct bp_twins *twins, const struct bp_problem *problem, struct arena *arena)
{
    *twins = (struct bp_twins){.problem = problem,
                               .set_of = ARENA_ARRAY(arena, uint32_t, problem->n_classes)};
    if (problem->n_limits > 0 || problem->n_varieties > 0 ||
        problem->n_classes < BP_TWINS_MIN_CLASSES) {
        return false;
    }
    twins->is_soft = ARENA_ARRAY(arena, bool, problem->n_caps);
    bp_soft_caps(problem, twins->is_soft, arena);
    struct key key = {.p = problem,
                      .classes = bp_soft_classes(problem, twins->is_soft, arena),
                      .soft = twins->is_soft,
                      .with_soft = true};
    uint32_t n_now = find_sets(&key, twins->set_of, arena);
    key.with_soft = false;
    twins->n_sets = find_sets(&key, twins->set_of, arena);
    if (n_now < BP_TWINS_MIN_CLASSES || twins->n_sets > n_now / 2) {
        return false;
    }
    list_classes(twins, arena);
    coarsen(twins, arena);
    find_brands(twins, arena);
    return true;
}

/* ------------------------------------------------------------------ naming anew */

enum {
    N_REFUSED = 6,           /* classes that a new node refuses before it is closed */
    MAX_STEPS = 1000 * 1000, /* looks at nodes in all */
};

/* Room that a node of the coarse plan keeps for units of a set. */
struct hole {
    uint32_t node_i, set, units;
};

struct naming {
    const struct bp_twins *t;
    const struct bp_problem *p;
    struct arena *arena;   /* of the result */
    uint32_t *left;        /* [n_classes] units without a place */
    struct bp_node *nodes; /* [n_nodes] items of the problem, room for one more item each */
    uint32_t n_nodes, room;
    uint32_t *on_node;     /* [n_soft] members on the node at hand */
    uint32_t *on_a, *on_b; /* [n_exclusions] members of either side there */
    usd_t *alone;          /* [n_classes] of the cheapest node for one unit */
    uint32_t *brand_left;  /* [n_sets][n_brands] units without a place */
    struct hole *holes;    /* [n_holes] */
    uint32_t n_holes;
    uint64_t n_steps; /* looks at nodes for what is left */
};

static void count_units(struct naming *w, uint32_t class_i, uint32_t units)
{
    for (uint32_t s = 0; s < w->t->n_soft; s++) {
        w->on_node[s] += bits_get(w->p->caps[w->t->soft[s]].members, class_i) ? units : 0;
    }
    for (uint32_t e = 0; e < w->p->n_exclusions; e++) {
        w->on_a[e] += bits_get(w->p->exclusions[e].a, class_i) ? units : 0;
        w->on_b[e] += bits_get(w->p->exclusions[e].b, class_i) ? units : 0;
    }
}

static void count_caps(struct naming *w, const struct bp_node *node)
{
    memset(w->on_node, 0, w->t->n_soft * sizeof *w->on_node);
    memset(w->on_a, 0, w->p->n_exclusions * sizeof *w->on_a);
    memset(w->on_b, 0, w->p->n_exclusions * sizeof *w->on_b);
    for (uint32_t x = 0; x < node->n_items; x++) {
        count_units(w, node->items[x].class_i, node->items[x].count);
    }
}

/* Whether exclusions keep a class off the node at hand, `without` one unit of another class. Two
 * units of one class never exclude each other, but a class of both sides is refused beside itself
 * all the same: that is rare. */
static bool is_excluded(const struct naming *w, uint32_t class_i, uint32_t without)
{
    for (uint32_t e = 0; e < w->p->n_exclusions; e++) {
        const struct bp_exclusion *x = &w->p->exclusions[e];
        bool other = without != UINT32_MAX;
        if ((bits_get(x->a, class_i) && w->on_b[e] > (other && bits_get(x->b, without))) ||
            (bits_get(x->b, class_i) && w->on_a[e] > (other && bits_get(x->a, without)))) {
            return true;
        }
    }
    return false;
}

/* Units of a class that soft rules still let onto the node at hand, `without` one unit of another
 * class. */
static uint32_t cap_room(const struct naming *w, uint32_t class_i, uint32_t without)
{
    uint32_t room = is_excluded(w, class_i, without) ? 0 : BP_UNLIMITED;
    for (uint32_t s = 0; s < w->t->n_soft; s++) {
        const struct bp_cap *cap = &w->p->caps[w->t->soft[s]];
        if (bits_get(cap->members, class_i)) {
            bool frees = without != UINT32_MAX && bits_get(cap->members, without);
            uint32_t on = w->on_node[s] - frees;
            uint32_t more = on < cap->max ? cap->max - on : 0;
            room = more < room ? more : room;
        }
    }
    return room;
}

/* Adds units to a node's items, which stay ascending; the array has room for all classes that can
 * meet there. */
static void add_units(struct naming *w, struct bp_node *node, uint32_t class_i, uint32_t units)
{
    struct bp_item *items = ARENA_ARRAY(w->arena, struct bp_item, node->n_items + 1);
    uint32_t n = 0, x = 0;
    for (; x < node->n_items && node->items[x].class_i < class_i; x++) {
        items[n++] = node->items[x];
    }
    items[n] = (struct bp_item){.class_i = class_i, .count = units};
    if (x < node->n_items && node->items[x].class_i == class_i) {
        items[n].count += node->items[x++].count;
    }
    n++;
    for (; x < node->n_items; x++) {
        items[n++] = node->items[x];
    }
    node->items = items;
    node->n_items = n;
    count_units(w, class_i, units);
    w->left[class_i] -= units;
    w->brand_left[(size_t)w->t->set_of[class_i] * w->t->n_brands + w->t->brand_of[class_i]] -=
        units;
}

static void remove_unit(struct naming *w, struct bp_node *node, uint32_t class_i)
{
    struct bp_item *items = ARENA_ARRAY(w->arena, struct bp_item, node->n_items);
    uint32_t n = 0;
    for (uint32_t x = 0; x < node->n_items; x++) {
        items[n] = node->items[x];
        items[n].count -= node->items[x].class_i == class_i;
        n += items[n].count > 0;
    }
    node->items = items;
    node->n_items = n;
    w->left[class_i]++;
    w->brand_left[(size_t)w->t->set_of[class_i] * w->t->n_brands + w->t->brand_of[class_i]]++;
}

/* A twin of the brand with most units left among those that the node's caps let in. */
static uint32_t best_twin(const struct naming *w, uint32_t set)
{
    uint32_t best = UINT32_MAX, most = 0;
    for (uint32_t x = w->t->class_at[set]; x < w->t->class_at[set + 1]; x++) {
        uint32_t i = w->t->classes[x];
        uint32_t left = w->brand_left[(size_t)set * w->t->n_brands + w->t->brand_of[i]];
        if (w->left[i] > 0 && left > most && cap_room(w, i, UINT32_MAX) > 0) {
            best = i;
            most = left;
        }
    }
    return best;
}

/* Names the units of one node of the coarse plan. */
static void name_node(struct naming *w, const struct bp_node *coarse)
{
    struct bp_node *node = &w->nodes[w->n_nodes++];
    *node = (struct bp_node){.offering_i = coarse->offering_i};
    count_caps(w, node);
    for (uint32_t x = 0; x < coarse->n_items; x++) {
        uint32_t set = w->t->set_of[coarse->items[x].class_i];
        bool unique = w->t->class_at[set + 1] - w->t->class_at[set] == 1;
        for (uint32_t n = coarse->items[x].count; n > 0;) {
            uint32_t i = best_twin(w, set);
            if (i == UINT32_MAX) {
                w->holes[w->n_holes++] =
                    (struct hole){.node_i = w->n_nodes - 1, .set = set, .units = n};
                break; /* what is left finds another place below */
            }
            uint32_t units = 1;
            if (unique) {
                units = cap_room(w, i, UINT32_MAX);
                units = units < n ? units : n;
                units = units < w->left[i] ? units : w->left[i];
            }
            add_units(w, node, i, units);
            n -= units;
        }
    }
}

/* ------------------------------------------------------------------ what is left */

/* Whether one more unit fits by size and mask. */
static bool has_room(const struct naming *w, const struct bp_node *node, uint32_t offering_i,
                     uint32_t class_i)
{
    const struct bp_problem *p = w->p;
    if (!bits_get(&p->mask[class_i * bits_words(p->n_domains)], p->offerings[offering_i].domain)) {
        return false;
    }
    for (uint32_t d = 0; d < p->n_dims; d++) {
        int64_t room = p->capacity[(size_t)offering_i * p->n_dims + d];
        room -= p->size[(size_t)class_i * p->n_dims + d];
        for (uint32_t x = 0; x < node->n_items && room >= 0; x++) {
            room -= p->size[(size_t)node->items[x].class_i * p->n_dims + d] * node->items[x].count;
        }
        if (room < 0) {
            return false;
        }
    }
    return true;
}

/* The same with caps and max_per_node. */
static bool takes(const struct naming *w, const struct bp_node *node, uint32_t offering_i,
                  uint32_t class_i)
{
    const struct bp_problem *p = w->p;
    if (!has_room(w, node, offering_i, class_i)) {
        return false;
    }
    for (uint32_t c = 0; c < p->n_caps; c++) {
        const struct bp_cap *cap = &p->caps[c];
        uint64_t n = 1;
        for (uint32_t x = 0; x < node->n_items && bits_get(cap->members, class_i); x++) {
            n += bits_get(cap->members, node->items[x].class_i) ? node->items[x].count : 0;
        }
        if (bits_get(cap->members, class_i) &&
            n > (cap->max_at == NULL ? cap->max : cap->max_at[offering_i])) {
            return false;
        }
    }
    for (uint32_t e = 0; e < p->n_exclusions; e++) {
        const struct bp_exclusion *exclusion = &p->exclusions[e];
        bool a = bits_get(exclusion->a, class_i), b = bits_get(exclusion->b, class_i);
        for (uint32_t x = 0; x < node->n_items && (a || b); x++) {
            uint32_t other = node->items[x].class_i;
            if (other != class_i &&
                ((a && bits_get(exclusion->b, other)) || (b && bits_get(exclusion->a, other)))) {
                return false;
            }
        }
    }
    uint32_t same = 0;
    for (uint32_t x = 0; x < node->n_items; x++) {
        same = node->items[x].class_i == class_i ? node->items[x].count : same;
    }
    return same < p->classes[class_i].max_per_node;
}

/* Gives a unit of class_i the place of a twin on node n when the twin can go to node m. */
static bool swap_in(struct naming *w, uint32_t class_i, struct bp_node *n, struct bp_node *m)
{
    for (uint32_t x = 0; x < n->n_items; x++) {
        uint32_t twin = n->items[x].class_i;
        if (w->t->set_of[twin] != w->t->set_of[class_i] || twin == class_i) {
            continue;
        }
        count_caps(w, n);
        if (cap_room(w, class_i, twin) == 0 || !takes(w, m, m->offering_i, twin)) {
            continue;
        }
        remove_unit(w, n, twin);
        count_caps(w, n);
        add_units(w, n, class_i, 1);
        count_caps(w, m);
        add_units(w, m, twin, 1);
        return true;
    }
    return false;
}

/* Puts one unit of a class into a hole of its set, or lets it change places with a twin that goes
 * there. */
static bool fill_hole(struct naming *w, uint32_t class_i)
{
    for (uint32_t h = 0; h < w->n_holes; h++) {
        struct hole *hole = &w->holes[h];
        struct bp_node *to = &w->nodes[hole->node_i];
        if (hole->set != w->t->set_of[class_i] || hole->units == 0) {
            continue;
        }
        if (takes(w, to, to->offering_i, class_i)) {
            count_caps(w, to);
            add_units(w, to, class_i, 1);
            hole->units--;
            return true;
        }
        for (uint32_t n = 0; n < w->n_nodes && w->n_steps < MAX_STEPS; n++) {
            w->n_steps++;
            if (n != hole->node_i && swap_in(w, class_i, &w->nodes[n], to)) {
                hole->units--;
                return true;
            }
        }
    }
    return false;
}

/* Any node with room. */
static bool fill_room(struct naming *w, uint32_t class_i)
{
    for (uint32_t n = 0; n < w->n_nodes && w->n_steps < 2 * MAX_STEPS; n++) {
        w->n_steps++;
        if (takes(w, &w->nodes[n], w->nodes[n].offering_i, class_i)) {
            count_caps(w, &w->nodes[n]);
            add_units(w, &w->nodes[n], class_i, 1);
            return true;
        }
    }
    return false;
}

/* The cheapest offering that can be bought any number of times and holds the node with one more
 * unit. */
static uint32_t cheapest_for(struct naming *w, const struct bp_node *node, uint32_t class_i)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t k = 0; k < w->p->n_offerings; k++) {
        const struct bp_offering *offering = &w->p->offerings[k];
        bool same_domain =
            node->n_items == 0 || offering->domain == w->p->offerings[node->offering_i].domain;
        if (offering->stock == BP_UNLIMITED && same_domain &&
            (best == UINT32_MAX || offering->price < w->p->offerings[best].price) &&
            takes(w, node, k, class_i)) {
            best = k;
        }
    }
    return best;
}

/* A new node for a unit, filled with what else is left as long as a larger node costs less than one
 * more. */
static bool open_node(struct naming *w, uint32_t class_i)
{
    struct bp_node node = {.n_items = 0};
    uint32_t k = cheapest_for(w, &node, class_i);
    if (k == UINT32_MAX || w->n_nodes == w->room) {
        return false;
    }
    node.offering_i = k;
    add_units(w, &node, class_i, 1);
    uint32_t n_refused = 0;
    for (uint32_t i = class_i; i < w->p->n_classes && n_refused < N_REFUSED; i++) {
        while (w->left[i] > 0) {
            uint32_t larger = cheapest_for(w, &node, i);
            if (larger == UINT32_MAX || w->p->offerings[larger].price >=
                                            w->p->offerings[node.offering_i].price + w->alone[i]) {
                n_refused++;
                break;
            }
            node.offering_i = larger;
            add_units(w, &node, i, 1);
        }
    }
    w->nodes[w->n_nodes++] = node;
    return true;
}

static void place_rest(struct naming *w)
{
    for (uint32_t i = 0; i < w->p->n_classes; i++) {
        while (w->left[i] > 0 && fill_hole(w, i)) {
        }
    }
    for (uint32_t i = 0; i < w->p->n_classes; i++) {
        while (w->left[i] > 0 && fill_room(w, i)) {
        }
    }
    for (uint32_t i = 0; i < w->p->n_classes; i++) {
        const struct bp_node none = {.n_items = 0};
        uint32_t k = w->left[i] > 0 ? cheapest_for(w, &none, i) : UINT32_MAX;
        w->alone[i] = k == UINT32_MAX ? 0 : w->p->offerings[k].price;
    }
    for (uint32_t i = 0; i < w->p->n_classes; i++) {
        while (w->left[i] > 0 && open_node(w, i)) {
        }
    }
}

/* Running nodes first, then by offering, as they came: a stable merge sort. */
static void sort_nodes(struct naming *w, struct bp_node *spare)
{
    for (uint32_t width = 1; width < w->n_nodes; width *= 2) {
        for (uint32_t from = 0; from < w->n_nodes; from += 2 * width) {
            uint32_t mid = from + width < w->n_nodes ? from + width : w->n_nodes;
            uint32_t end = mid + width < w->n_nodes ? mid + width : w->n_nodes;
            uint32_t a = from, b = mid;
            for (uint32_t out = from; out < end; out++) {
                bool left = b >= end;
                if (a < mid && b < end) {
                    uint32_t i = w->nodes[a].offering_i, j = w->nodes[b].offering_i;
                    bool x = w->p->offerings[i].running, y = w->p->offerings[j].running;
                    left = x != y ? x : i <= j;
                }
                spare[out] = left ? w->nodes[a++] : w->nodes[b++];
            }
        }
        memcpy(w->nodes, spare, w->n_nodes * sizeof *spare);
    }
}

void bp_twins_restore(const struct bp_twins *twins, const struct bp_solution *coarse,
                      struct bp_solution *ret_solution, struct arena *arena, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    const struct bp_problem *p = twins->problem;
    struct naming w = {.t = twins,
                       .p = p,
                       .arena = arena,
                       .left = ARENA_ARRAY(arena, uint32_t, p->n_classes),
                       .alone = ARENA_ARRAY(scratch, usd_t, p->n_classes),
                       .on_node = ARENA_ARRAY(scratch, uint32_t, twins->n_soft),
                       .on_a = ARENA_ARRAY(scratch, uint32_t, p->n_exclusions),
                       .on_b = ARENA_ARRAY(scratch, uint32_t, p->n_exclusions)};
    uint32_t n_units = 0, n_holes = 0;
    for (uint32_t x = 0; x < coarse->n_nodes; x++) {
        n_holes += coarse->nodes[x].n_items;
    }
    w.holes = ARENA_ARRAY(scratch, struct hole, n_holes);
    w.brand_left = ARENA_ARRAY(scratch, uint32_t, (size_t)twins->n_sets * twins->n_brands);
    for (uint32_t i = 0; i < p->n_classes; i++) {
        w.left[i] = p->classes[i].demand;
        w.brand_left[(size_t)twins->set_of[i] * twins->n_brands + twins->brand_of[i]] += w.left[i];
        n_units += p->classes[i].demand;
    }
    w.room = coarse->n_nodes + n_units;
    w.nodes = ARENA_ARRAY(arena, struct bp_node, w.room);
    for (uint32_t x = 0; x < coarse->n_nodes; x++) {
        name_node(&w, &coarse->nodes[x]);
    }
    place_rest(&w);
    uint32_t n = 0;
    *ret_solution = *coarse;
    ret_solution->cost = 0;
    for (uint32_t x = 0; x < w.n_nodes; x++) {
        if (w.nodes[x].n_items > 0) {
            w.nodes[n++] = w.nodes[x];
            ret_solution->cost += p->offerings[w.nodes[x].offering_i].price;
        }
    }
    w.n_nodes = n;
    sort_nodes(&w, ARENA_ARRAY(scratch, struct bp_node, n));
    ret_solution->nodes = w.nodes;
    ret_solution->n_nodes = n;
    ret_solution->unplaced = w.left;
    arena_rewind(scratch, mark);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/reduce_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* Whether x can stand in for y in every plan: as large, as cheap, as open, as little counted by
 * limits and rules. */
static bool offer_covers(const struct bp_red_build *b, uint32_t x, uint32_t y)
{
    const struct bp_problem *p = b->p;
    const struct bp_red *red = b->red;
    const struct bp_offering *ox = &p->offerings[x], *oy = &p->offerings[y];
    if (ox->price > oy->price) {
        return false;
    }
    for (uint32_t d = 0; d < red->n_dims; d++) {
        if (b->offer_cap[(size_t)x * red->n_dims + d] < b->offer_cap[(size_t)y * red->n_dims + d]) {
            return false;
        }
    }
    uint32_t ax = b->accept_of[ox->domain], ay = b->accept_of[oy->domain];
    if (ax != ay && !bits_subset(red->accept + (size_t)ay * red->n_words,
                                 red->accept + (size_t)ax * red->n_words, red->n_words)) {
        return false;
    }
    for (uint32_t r = 0; r < p->n_limits; r++) {
        if (p->limits[r].use[x] > p->limits[r].use[y]) {
            return false;
        }
    }
    for (uint32_t c = 0; c < p->n_caps; c++) {
        if (p->caps[c].max_at != NULL && p->caps[c].max_at[x] < p->caps[c].max_at[y]) {
            return false;
        }
    }
    for (uint32_t v = 0; v < p->n_varieties; v++) {
        if (p->varieties[v].value[x] != BP_NO_VALUE && p->varieties[v].value[y] == BP_NO_VALUE) {
            return false;
        }
    }
    return true;
}

static bool offer_equal(const struct bp_red_build *b, uint32_t x, uint32_t y)
{
    return b->p->offerings[x].running == b->p->offerings[y].running &&
           (b->p->offerings[x].stock == BP_UNLIMITED) ==
               (b->p->offerings[y].stock == BP_UNLIMITED) &&
           offer_covers(b, x, y) && offer_covers(b, y, x);
}

/* An offering and what it is sorted by. */
struct offer_ref {
    usd_t price;
    const double *cap; /* [n_dims] */
    size_t n_accepted; /* classes */
    uint32_t n_dims, id;
    bool finite;
};

static int compare_offers(const void *x, const void *y)
{
    const struct offer_ref *rx = x, *ry = y;
    if (rx->price != ry->price) {
        return rx->price < ry->price ? -1 : 1;
    }
    if (rx->finite != ry->finite) {
        return rx->finite ? 1 : -1;
    }
    for (uint32_t d = 0; d < rx->n_dims; d++) {
        if (rx->cap[d] != ry->cap[d]) {
            return rx->cap[d] > ry->cap[d] ? -1 : 1;
        }
    }
    int order = bp_compare_u64(ry->n_accepted, rx->n_accepted);
    return order != 0 ? order : bp_compare_u64(rx->id, ry->id);
}

/* Offerings from cheap to dear, and from the one that holds most; [n_offerings]. */
static const struct offer_ref *sort_offers(const struct bp_red_build *b)
{
    const struct bp_red *red = b->red;
    uint32_t n = b->p->n_offerings;
    size_t *n_accepted = ARENA_ARRAY(b->scratch, size_t, red->n_accepts + 1);
    for (uint32_t a = 0; a < red->n_accepts; a++) {
        n_accepted[a] = bits_count(red->accept + (size_t)a * red->n_words, red->n_words);
    }
    struct offer_ref *refs = ARENA_ARRAY(b->scratch, struct offer_ref, n + 1);
    for (uint32_t k = 0; k < n; k++) {
        const struct bp_offering *o = &b->p->offerings[k];
        refs[k] = (struct offer_ref){.price = o->price,
                                     .cap = b->offer_cap + (size_t)k * red->n_dims,
                                     .n_accepted = n_accepted[b->accept_of[o->domain]],
                                     .n_dims = red->n_dims,
                                     .id = k,
                                     .finite = o->stock != BP_UNLIMITED};
    }
    if (n > 0) {
        qsort(refs, n, sizeof *refs, compare_offers);
    }
    return refs;
}

static bool offer_holds_something(const struct bp_red_build *b, uint32_t offer)
{
    const struct bp_red *red = b->red;
    if (b->p->offerings[offer].stock == 0) {
        return false;
    }
    const uint64_t *set =
        red->accept + (size_t)b->accept_of[b->p->offerings[offer].domain] * red->n_words;
    const double *cap = b->offer_cap + (size_t)offer * red->n_dims;
    for (size_t i = bits_next(set, red->n_classes, 0); i < red->n_classes;
         i = bits_next(set, red->n_classes, i + 1)) {
        const double *size = red->size_of + i * red->n_dims;
        uint32_t d = 0;
        while (d < red->n_dims && size[d] <= cap[d]) {
            d++;
        }
        if (d == red->n_dims) {
            return true;
        }
    }
    return false;
}

static void put_kind(struct bp_red_build *b, uint32_t kind, uint32_t offer)
{
    struct bp_red *red = b->red;
    const struct bp_offering *o = &b->p->offerings[offer];
    memcpy(red->cap + (size_t)kind * red->n_dims, b->offer_cap + (size_t)offer * red->n_dims,
           red->n_dims * sizeof(double));
    red->price[kind] = o->price;
    red->accept_i[kind] = b->accept_of[o->domain];
}

/* Where the walk over the sorted offerings stands. Most offerings are another zone or pool of one
 * just looked at, and most comparisons end at a capacity: so twins are found first, and the
 * capacities of kinds lie side by side. */
struct walk {
    const struct bp_red_build *b;
    uint32_t *first;     /* [n_kinds] the representative of each */
    uint32_t *unlimited; /* [n_unlimited] kinds without an end of stock, cheap ones first */
    double *cap;         /* [n_unlimited][n_dims] of theirs */
    uint32_t n_kinds, n_unlimited;
    uint32_t *latest;   /* [n_accepts] the latest offering of the run with this set of classes */
    uint32_t *run_of;   /* [n_accepts] the run that `latest` is of */
    uint32_t run;       /* offerings of equal price and capacities; from 1 */
    uint32_t run_offer; /* one of them */
};

static void begin_walk(struct walk *w, const struct bp_red_build *b)
{
    uint32_t n = b->p->n_offerings, n_dims = b->red->n_dims, n_accepts = b->red->n_accepts;
    *w = (struct walk){.b = b,
                       .first = ARENA_ARRAY(b->scratch, uint32_t, n + 1),
                       .unlimited = ARENA_ARRAY(b->scratch, uint32_t, n + 1),
                       .cap = ARENA_ARRAY(b->scratch, double, (size_t)n *n_dims + 1),
                       .latest = ARENA_ARRAY(b->scratch, uint32_t, n_accepts + 1),
                       .run_of = ARENA_ARRAY(b->scratch, uint32_t, n_accepts + 1)};
}

/* The kind without an end of stock that has taken an offering no different from this one, which is
 * the one that a search would find; BP_NO_KIND when there is none. */
static uint32_t kind_of_twin(struct walk *w, uint32_t offer)
{
    const struct bp_red_build *b = w->b;
    const struct bp_offering *o = &b->p->offerings[offer], *r = &b->p->offerings[w->run_offer];
    uint32_t n_dims = b->red->n_dims, a = b->accept_of[o->domain];
    const double *cap = b->offer_cap + (size_t)offer * n_dims;
    if (w->run == 0 || o->price != r->price ||
        memcmp(cap, b->offer_cap + (size_t)w->run_offer * n_dims, n_dims * sizeof *cap) != 0) {
        w->run++;
        w->run_offer = offer;
    }
    uint32_t twin = w->run_of[a] == w->run ? w->latest[a] : offer;
    w->run_of[a] = w->run;
    w->latest[a] = offer;
    if (twin == offer || !offer_covers(b, twin, offer) || !offer_covers(b, offer, twin)) {
        return BP_NO_KIND;
    }
    uint32_t kind = b->red->kind_of[twin];
    bool limited = b->p->offerings[w->first[kind]].stock != BP_UNLIMITED;
    return limited ? BP_NO_KIND : kind;
}

static uint32_t kind_that_covers(const struct walk *w, uint32_t offer)
{
    uint32_t n_dims = w->b->red->n_dims;
    const double *need = w->b->offer_cap + (size_t)offer * n_dims, *cap = w->cap;
    for (uint32_t u = 0; u < w->n_unlimited; u++, cap += n_dims) {
        uint32_t d = 0;
        while (d < n_dims && cap[d] >= need[d]) {
            d++;
        }
        if (d == n_dims && offer_covers(w->b, w->first[w->unlimited[u]], offer)) {
            return w->unlimited[u];
        }
    }
    return BP_NO_KIND;
}

static uint32_t add_kind(struct walk *w, uint32_t offer)
{
    const struct bp_red_build *b = w->b;
    size_t n_dims = b->red->n_dims;
    uint32_t kind = w->n_kinds++;
    w->first[kind] = offer;
    if (b->p->offerings[offer].stock == BP_UNLIMITED) {
        memcpy(w->cap + w->n_unlimited * n_dims, b->offer_cap + offer * n_dims,
               n_dims * sizeof *w->cap);
        w->unlimited[w->n_unlimited++] = kind;
    }
    return kind;
}

/* Walks the offerings from cheap to dear. */
static void select_kinds(struct bp_red_build *b, struct walk *w)
{
    struct bp_red *red = b->red;
    const struct offer_ref *refs = sort_offers(b);
    uint32_t previous = BP_NO_KIND;
    begin_walk(w, b);
    for (uint32_t j = 0; j < b->p->n_offerings; j++) {
        uint32_t offer = refs[j].id;
        if (!offer_holds_something(b, offer)) {
            red->kind_of[offer] = BP_NO_KIND;
            continue;
        }
        uint32_t by = kind_of_twin(w, offer);
        by = by == BP_NO_KIND ? kind_that_covers(w, offer) : by;
        if (by == BP_NO_KIND && previous != BP_NO_KIND &&
            offer_equal(b, w->first[previous], offer)) {
            by = previous;
        }
        if (by == BP_NO_KIND) {
            previous = by = add_kind(w, offer);
        }
        red->kind_of[offer] = by;
    }
}

/* The offerings of each kind, and their stock. An offering that is only beaten is not one of the
 * kind's own. */
static void list_offers(struct bp_red_build *b, const struct walk *w)
{
    struct bp_red *red = b->red;
    uint32_t n = b->p->n_offerings;
    red->offer_at = ARENA_ARRAY(b->arena, uint32_t, w->n_kinds + 1);
    red->offer = ARENA_ARRAY(b->arena, uint32_t, n + 1);
    uint32_t *count = ARENA_ARRAY(b->scratch, uint32_t, w->n_kinds + 1);
    bool *own = ARENA_ARRAY(b->scratch, bool, n + 1);
    for (uint32_t o = 0; o < n; o++) {
        uint32_t k = red->kind_of[o];
        own[o] = k != BP_NO_KIND && offer_equal(b, w->first[k], o);
        count[own[o] ? k : w->n_kinds]++;
    }
    for (uint32_t k = 0; k < w->n_kinds; k++) {
        red->offer_at[k + 1] = red->offer_at[k] + count[k];
        count[k] = red->offer_at[k];
    }
    for (uint32_t o = 0; o < n; o++) {
        uint32_t k = red->kind_of[o];
        if (own[o]) {
            red->offer[count[k]++] = o;
            uint32_t stock = b->p->offerings[o].stock;
            red->stock[k] += stock == BP_UNLIMITED ? INFINITY : (double)stock;
        }
    }
}

void bp_red_build_kinds(struct bp_red_build *b)
{
    struct bp_red *red = b->red;
    struct walk walk;
    red->kind_of = ARENA_ARRAY(b->arena, uint32_t, b->p->n_offerings + 1);
    select_kinds(b, &walk);
    uint32_t n = walk.n_kinds;
    red->n_kinds = n;
    red->cap = ARENA_ARRAY(b->arena, double, (size_t)n * red->n_dims + 1);
    red->price = ARENA_ARRAY(b->arena, usd_t, n + 1);
    red->cost = ARENA_ARRAY(b->arena, double, n + 1);
    red->stock = ARENA_ARRAY(b->arena, double, n + 1);
    red->accept_i = ARENA_ARRAY(b->arena, uint32_t, n + 1);
    for (uint32_t k = 0; k < n; k++) {
        put_kind(b, k, walk.first[k]);
    }
    list_offers(b, &walk);
}

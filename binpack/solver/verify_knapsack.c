/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/verify_knapsack.h"

#include "base/arena.h"
#include "binpack/solver/verify_table.h"

#include <string.h>

enum {
    UNIT_BITS = 30,    /* normalised weights: a full row is 2^30 */
    N_TIGHT = 4,       /* items remembered as changing their mind at the optimum */
    MAX_ROUNDS = 12,   /* of line searches at one node */
    N_EASED = 3,       /* targets tried when the one given is out of reach */
    LINE_STEPS = 5,    /* of work for an item and each of its rows in a line search */
    MIN_SLOPE = 1 << 8 /* flatter items are taken to never change their mind along a direction */
};

#define FAR ((wide_t)1 << 96)

/* One line search stops at the item whose reduced value becomes 0. */
struct stop {
    wide_t at;
    uint32_t item_i;
};

/* What all nodes of one proof share. */
struct proof {
    const struct verify_knapsack *k;
    uint32_t n_rows;      /* rows that can bind */
    const uint32_t *row;  /* [n_rows] of the knapsack */
    int64_t *unit_weight; /* [n_items][n_rows] 2^30 per full row */
    wide_t *reduced;      /* [n_items] */
    wide_t *slack;        /* [n_rows] capacity left by the choice of the multipliers */
    struct stop *stops;   /* [n_items] heap */
    int64_t *delta;       /* [n_rows] direction, largest entry about 2^30 */
    uint32_t tight[N_TIGHT];
    uint32_t n_tight, n_nodes;
    bool exceeded;
    wide_t best; /* value of the combination that exceeded */
};

struct node {
    int64_t *lo, *hi; /* [n_items] */
    wide_t *mult;     /* [n_rows] */
    wide_t bound;     /* f(mult), scaled */
};

static int64_t weight_of(const struct proof *p, uint32_t i, uint32_t r)
{
    return p->k->weight[(size_t)i * p->k->n_rows + p->row[r]];
}

static int64_t capacity_of(const struct proof *p, uint32_t r)
{
    return p->k->capacity[p->row[r]];
}

bool verify_knapsack_spend(const struct verify_knapsack *knapsack, uint64_t steps)
{
    if (knapsack->steps == NULL) {
        return true;
    }
    bool enough = *knapsack->steps >= steps;
    *knapsack->steps = enough ? *knapsack->steps - steps : 0;
    return enough;
}

uint32_t verify_knapsack_frac_bits(int64_t max_target)
{
    uint32_t bits = 0;
    while (bits < 63 && (max_target >> bits) > 0) {
        bits++;
    }
    return bits >= 60 ? 32 : 92 - bits < 32 ? 92 - bits : 32;
}

/* ------------------------------------------------------------------ the bound of given multipliers
 */

/* Reduced values, slack and bound for the node's multipliers. */
static void evaluate(struct proof *p, struct node *node)
{
    wide_t bound = 0;
    for (uint32_t r = 0; r < p->n_rows; r++) {
        p->slack[r] = capacity_of(p, r);
        bound += node->mult[r] * capacity_of(p, r);
    }
    for (uint32_t i = 0; i < p->k->n_items; i++) {
        wide_t reduced = (wide_t)p->k->value[i] << p->k->frac_bits;
        for (uint32_t r = 0; r < p->n_rows; r++) {
            reduced -= node->mult[r] * weight_of(p, i, r);
        }
        p->reduced[i] = reduced;
        int64_t x = reduced > 0 ? node->hi[i] : node->lo[i];
        if (x != 0) {
            bound += reduced * x;
            for (uint32_t r = 0; r < p->n_rows; r++) {
                p->slack[r] -= (wide_t)weight_of(p, i, r) * x;
            }
        }
    }
    node->bound = bound;
}

static bool below(const struct proof *p, const struct node *node)
{
    return node->bound <= (wide_t)p->k->target << p->k->frac_bits;
}

/* ------------------------------------------------------------------ line search */

static void sift(struct stop *heap, uint32_t n, uint32_t i)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= n) {
            return;
        }
        if (child + 1 < n && heap[child + 1].at < heap[child].at) {
            child++;
        }
        if (heap[i].at <= heap[child].at) {
            return;
        }
        struct stop swap = heap[i];
        heap[i] = heap[child];
        heap[child] = swap;
        i = child;
    }
}

/* Change of an item's reduced value along the direction, 2^30 per unit. */
static wide_t item_slope(const struct proof *p, uint32_t i)
{
    wide_t slope = 0;
    for (uint32_t r = 0; r < p->n_rows; r++) {
        slope += (wide_t)p->delta[r] * p->unit_weight[(size_t)i * p->n_rows + r];
    }
    return slope >> UNIT_BITS;
}

/* How far to go along p->delta: to where the convex bound stops falling, or to where a multiplier
 * becomes 0. */
static bool find_step(struct proof *p, const struct node *node, wide_t slope, wide_t *ret_step,
                      uint32_t *ret_item)
{
    wide_t limit = FAR;
    for (uint32_t r = 0; r < p->n_rows; r++) {
        wide_t lambda = node->mult[r] * capacity_of(p, r);
        if (p->delta[r] < 0 && lambda < FAR) {
            wide_t at = (lambda << UNIT_BITS) / -p->delta[r];
            limit = at < limit ? at : limit;
        }
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->k->n_items; i++) {
        if (node->hi[i] == node->lo[i]) {
            continue;
        }
        wide_t d = item_slope(p, i);
        bool turns = p->reduced[i] > 0 ? d >= MIN_SLOPE : d <= -MIN_SLOPE;
        wide_t reduced = p->reduced[i] < 0 ? -p->reduced[i] : p->reduced[i];
        if (turns && reduced < FAR) {
            wide_t at = (reduced << UNIT_BITS) / (d < 0 ? -d : d);
            if (at <= limit) {
                p->stops[n++] = (struct stop){.at = at, .item_i = i};
            }
        }
    }
    for (uint32_t i = n / 2; i-- > 0;) {
        sift(p->stops, n, i);
    }
    *ret_step = limit;
    *ret_item = UINT32_MAX;
    while (n > 0) {
        uint32_t i = p->stops[0].item_i;
        wide_t d = item_slope(p, i);
        slope += ((d < 0 ? -d : d) << UNIT_BITS) * (node->hi[i] - node->lo[i]);
        if (slope >= 0 || (n == 1 && limit == FAR)) {
            *ret_step = p->stops[0].at;
            *ret_item = i;
            return true;
        }
        p->stops[0] = p->stops[--n];
        sift(p->stops, n, 0);
    }
    return limit < FAR;
}

/* Moves the multipliers along p->delta if the bound falls that way. Not stopped by the lack of
 * steps: the first bound is always made. */
static bool line_search(struct proof *p, struct node *node)
{
    wide_t slope = 0;
    verify_knapsack_spend(p->k, (uint64_t)p->k->n_items * (LINE_STEPS + LINE_STEPS * p->n_rows));
    for (uint32_t r = 0; r < p->n_rows; r++) {
        if (p->delta[r] != 0) {
            slope += p->slack[r] * ((wide_t)1 << UNIT_BITS) / capacity_of(p, r) * p->delta[r];
        }
    }
    wide_t step;
    uint32_t item_i;
    if (slope >= 0 || !find_step(p, node, slope, &step, &item_i)) {
        return false;
    }
    wide_t before = node->bound;
    for (uint32_t r = 0; r < p->n_rows; r++) {
        if (p->delta[r] != 0) {
            wide_t mult =
                node->mult[r] + ((step >> UNIT_BITS) * p->delta[r] +
                                 (((step & ((1 << UNIT_BITS) - 1)) * p->delta[r]) >> UNIT_BITS)) /
                                    capacity_of(p, r);
            node->mult[r] = mult < 0 ? 0 : mult;
        }
    }
    evaluate(p, node);
    if (item_i != UINT32_MAX) {
        bool known = false;
        for (uint32_t t = 0; t < p->n_tight; t++) {
            known |= p->tight[t] == item_i;
        }
        if (!known) {
            memmove(&p->tight[1], &p->tight[0], (N_TIGHT - 1) * sizeof p->tight[0]);
            p->tight[0] = item_i;
            p->n_tight = p->n_tight < N_TIGHT ? p->n_tight + 1 : p->n_tight;
        }
    }
    return node->bound < before;
}

/* Makes the largest entry of the direction about 2^30; false for no direction. */
static bool scale_delta(struct proof *p, const wide_t *raw)
{
    wide_t largest = 0;
    for (uint32_t r = 0; r < p->n_rows; r++) {
        wide_t size = raw[r] < 0 ? -raw[r] : raw[r];
        largest = size > largest ? size : largest;
    }
    if (largest == 0) {
        return false;
    }
    int shift = 0;
    while ((largest >> shift) > ((wide_t)1 << UNIT_BITS)) {
        shift++;
    }
    int up = 0;
    while (shift == 0 && (largest << (up + 1)) <= ((wide_t)1 << UNIT_BITS)) {
        up++;
    }
    for (uint32_t r = 0; r < p->n_rows; r++) {
        p->delta[r] = (int64_t)(raw[r] / ((wide_t)1 << shift)) * (INT64_C(1) << up);
    }
    return true;
}

static bool both_ways(struct proof *p, struct node *node)
{
    bool better = line_search(p, node);
    if (!better) {
        for (uint32_t r = 0; r < p->n_rows; r++) {
            p->delta[r] = -p->delta[r];
        }
        better = line_search(p, node);
    }
    return better;
}

/* A row with room to spare and no price: its multiplier can only enter. */
static bool is_idle(const struct proof *p, const struct node *node, uint32_t r)
{
    return node->mult[r] == 0 && p->slack[r] >= 0;
}

/* Along the edge on which one item stays undecided: two multipliers move against each other. */
static void search_edges(struct proof *p, struct node *node, uint32_t item_i)
{
    const int64_t *w = &p->unit_weight[(size_t)item_i * p->n_rows];
    wide_t raw[64];
    for (uint32_t r = 0; r < p->n_rows; r++) {
        for (uint32_t s = r + 1; s < p->n_rows && !below(p, node); s++) {
            if (is_idle(p, node, r) && is_idle(p, node, s)) {
                continue;
            }
            for (uint32_t x = 0; x < p->n_rows; x++) {
                raw[x] = 0;
            }
            raw[r] = w[s];
            raw[s] = -(wide_t)w[r];
            if (scale_delta(p, raw)) {
                both_ways(p, node);
            }
        }
    }
}

/* Along the edge on which two items stay undecided: three multipliers move. */
static void search_corner(struct proof *p, struct node *node, uint32_t i, uint32_t j)
{
    const int64_t *a = &p->unit_weight[(size_t)i * p->n_rows];
    const int64_t *b = &p->unit_weight[(size_t)j * p->n_rows];
    wide_t raw[64];
    for (uint32_t r = 0; r < p->n_rows; r++) {
        for (uint32_t s = r + 1; s < p->n_rows; s++) {
            for (uint32_t t = s + 1; t < p->n_rows && !below(p, node); t++) {
                if (is_idle(p, node, r) + is_idle(p, node, s) + is_idle(p, node, t) > 1) {
                    continue;
                }
                for (uint32_t x = 0; x < p->n_rows; x++) {
                    raw[x] = 0;
                }
                raw[r] = (wide_t)a[s] * b[t] - (wide_t)a[t] * b[s];
                raw[s] = (wide_t)a[t] * b[r] - (wide_t)a[r] * b[t];
                raw[t] = (wide_t)a[r] * b[s] - (wide_t)a[s] * b[r];
                if (scale_delta(p, raw)) {
                    both_ways(p, node);
                }
            }
        }
    }
}

static void improve(struct proof *p, struct node *node)
{
    p->n_tight = 0;
    for (uint32_t round = 0; round < MAX_ROUNDS && !below(p, node); round++) {
        wide_t before = node->bound;
        for (uint32_t r = 0; r < p->n_rows && !below(p, node); r++) {
            for (uint32_t x = 0; x < p->n_rows; x++) {
                p->delta[x] = 0;
            }
            p->delta[r] = p->slack[r] < 0 ? 1 << UNIT_BITS : -(1 << UNIT_BITS);
            line_search(p, node);
        }
        uint32_t tight[N_TIGHT];
        uint32_t n_tight = p->n_tight;
        memcpy(tight, p->tight, sizeof tight);
        for (uint32_t a = 0; a < n_tight && !below(p, node); a++) {
            search_edges(p, node, tight[a]);
        }
        for (uint32_t a = 0; a < n_tight && !below(p, node); a++) {
            for (uint32_t b = a + 1; b < n_tight && p->n_rows >= 3; b++) {
                search_corner(p, node, tight[a], tight[b]);
            }
        }
        if (before - node->bound <= before >> 44) {
            return;
        }
    }
}

/* ------------------------------------------------------------------ branch and bound */

/* Lowers `hi` to what fits beside all `lo`; false when those do not fit. */
static bool clip_to_room(const struct proof *p, struct node *node)
{
    for (uint32_t r = 0; r < p->n_rows; r++) {
        wide_t room = capacity_of(p, r);
        for (uint32_t i = 0; i < p->k->n_items; i++) {
            room -= (wide_t)weight_of(p, i, r) * node->lo[i];
        }
        if (room < 0) {
            return false;
        }
        for (uint32_t i = 0; i < p->k->n_items; i++) {
            int64_t w = weight_of(p, i, r);
            if (w > 0 && (wide_t)(node->hi[i] - node->lo[i]) * w > room) {
                node->hi[i] = node->lo[i] + (int64_t)(room / w);
            }
        }
    }
    return true;
}

/* A count so far from its choice that the bound falls to the target is of no interest. Returns
 * whether a range shrank. */
static bool clip_to_gap(const struct proof *p, struct node *node)
{
    wide_t gap = node->bound - ((wide_t)p->k->target << p->k->frac_bits);
    bool shrank = false;
    for (uint32_t i = 0; i < p->k->n_items; i++) {
        if (node->hi[i] == node->lo[i] || p->reduced[i] == 0) {
            continue;
        }
        wide_t away = (gap - 1) / (p->reduced[i] < 0 ? -p->reduced[i] : p->reduced[i]);
        if (away >= node->hi[i] - node->lo[i]) {
            continue;
        }
        shrank = true;
        if (p->reduced[i] > 0) {
            node->lo[i] = node->hi[i] - (int64_t)away;
        } else {
            node->hi[i] = node->lo[i] + (int64_t)away;
        }
    }
    return shrank;
}

static uint32_t branch_item(const struct proof *p, const struct node *node)
{
    uint32_t best_i = UINT32_MAX;
    wide_t best = 0;
    for (uint32_t i = 0; i < p->k->n_items; i++) {
        if (node->hi[i] > node->lo[i]) {
            /* The least decided one, relative to its value, so that small and large items compete
             * alike. */
            wide_t size = p->reduced[i] < 0 ? -p->reduced[i] : p->reduced[i];
            wide_t score = (size >> 12) / (p->k->value[i] / 1024 + 1);
            if (best_i == UINT32_MAX || score < best) {
                best_i = i;
                best = score;
            }
        }
    }
    return best_i;
}

/* Where the fractional choice of item i lies: what the others leave of the priced rows. */
static int64_t branch_at(const struct proof *p, const struct node *node, uint32_t i)
{
    int64_t x = p->reduced[i] > 0 ? node->hi[i] : node->lo[i];
    wide_t at = node->hi[i] - 1;
    for (uint32_t r = 0; r < p->n_rows; r++) {
        int64_t w = weight_of(p, i, r);
        if (w > 0 && node->mult[r] > 0) {
            wide_t room = p->slack[r] + (wide_t)w * x;
            wide_t most = room < 0 ? 0 : room / w;
            at = most < at ? most : at;
        }
    }
    return at < node->lo[i] ? node->lo[i] : (int64_t)at;
}

static struct node copy_node(const struct proof *p, const struct node *node, struct arena *arena)
{
    uint32_t n = p->k->n_items;
    struct node copy = {.lo = ARENA_ARRAY(arena, int64_t, n),
                        .hi = ARENA_ARRAY(arena, int64_t, n),
                        .mult = ARENA_ARRAY(arena, wide_t, p->n_rows)};
    memcpy(copy.lo, node->lo, n * sizeof *copy.lo);
    memcpy(copy.hi, node->hi, n * sizeof *copy.hi);
    memcpy(copy.mult, node->mult, p->n_rows * sizeof *copy.mult);
    return copy;
}

/* True: no combination of the node is worth more than the target. */
static bool prove(struct proof *p, struct node *node, struct arena *arena)
{
    if (++p->n_nodes > p->k->max_nodes || !verify_knapsack_spend(p->k, p->k->n_items)) {
        return false;
    }
    if (!clip_to_room(p, node)) {
        return true;
    }
    evaluate(p, node);
    for (bool shrank = true; shrank;) {
        improve(p, node);
        if (below(p, node)) {
            return true;
        }
        shrank = clip_to_gap(p, node);
        if (shrank) {
            if (!clip_to_room(p, node)) {
                return true;
            }
            evaluate(p, node);
        }
    }
    uint32_t i = branch_item(p, node);
    if (i == UINT32_MAX) { /* one combination is left, it fits, and below() has just refused it */
        p->best = 0;
        for (uint32_t x = 0; x < p->k->n_items; x++) {
            p->best += (wide_t)p->k->value[x] * node->lo[x];
        }
        p->exceeded = p->best > p->k->target;
        return !p->exceeded;
    }
    int64_t at = branch_at(p, node, i);
    struct arena_mark mark = arena_mark(arena);
    struct node upper = copy_node(p, node, arena);
    upper.lo[i] = at + 1;
    bool ok = prove(p, &upper, arena);
    arena_rewind(arena, mark);
    if (!ok) {
        return false;
    }
    node->hi[i] = at;
    return prove(p, node, arena);
}

/* ------------------------------------------------------------------ set-up */

/* Rows that all items together cannot fill are no rows. */
static void find_rows(struct proof *p, struct node *root, struct arena *arena)
{
    const struct verify_knapsack *k = p->k;
    uint32_t *row = ARENA_ARRAY(arena, uint32_t, k->n_rows);
    for (uint32_t i = 0; i < k->n_items; i++) {
        root->hi[i] = k->count[i];
        for (uint32_t r = 0; r < k->n_rows; r++) {
            int64_t w = k->weight[(size_t)i * k->n_rows + r];
            if (w > 0 && root->hi[i] > k->capacity[r] / w) {
                root->hi[i] = k->capacity[r] / w;
            }
        }
    }
    for (uint32_t r = 0; r < k->n_rows && p->n_rows < 64; r++) {
        wide_t sum = 0;
        for (uint32_t i = 0; i < k->n_items; i++) {
            sum += (wide_t)k->weight[(size_t)i * k->n_rows + r] * root->hi[i];
        }
        if (sum > k->capacity[r]) {
            row[p->n_rows++] =
                r; /* more than 64 that bind: leaving some out is still a valid bound */
        }
    }
    p->row = row;
}

/* Is no combination worth more than `target`? With at most half of the steps that are left. */
static bool prove_below(struct proof *p, const struct node *root, int64_t target,
                        uint32_t max_nodes, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    const struct verify_knapsack *given = p->k;
    struct verify_knapsack eased = *given;
    uint64_t half = given->steps == NULL ? 0 : (*given->steps + 1) / 2;
    eased.target = target;
    eased.max_nodes = max_nodes;
    if (given->steps != NULL) {
        *given->steps -= half;
        eased.steps = &half;
    }
    struct node node = copy_node(p, root, scratch);
    p->k = &eased;
    p->n_nodes = 0;
    bool ok = prove(p, &node, scratch);
    p->k = given;
    if (given->steps != NULL) {
        *given->steps += half;
    }
    arena_rewind(scratch, mark);
    return ok;
}

/* What lies between the target, which is out of reach, and the least bound known is easier to
 * prove. Returns the least that is. */
static wide_t ease(struct proof *p, const struct node *root, wide_t least, struct arena *scratch)
{
    wide_t lost = p->k->target;
    for (int n = 0; n < N_EASED && least - lost > 1 && least <= INT64_MAX; n++) {
        wide_t target = lost + (least - lost) / 2;
        if (prove_below(p, root, (int64_t)target, p->k->max_nodes / 8, scratch)) {
            least = target;
        } else {
            lost = target;
            p->exceeded = false; /* then more than that is out of reach, too */
        }
    }
    return least;
}

enum verify_knapsack_answer verify_knapsack_prove(const struct verify_knapsack *knapsack,
                                                  wide_t *multipliers, wide_t *ret_value,
                                                  struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    uint32_t n = knapsack->n_items;
    struct proof p = {.k = knapsack};
    struct node root = {.lo = ARENA_ARRAY(scratch, int64_t, n),
                        .hi = ARENA_ARRAY(scratch, int64_t, n)};
    find_rows(&p, &root, scratch);
    p.unit_weight = ARENA_ARRAY(scratch, int64_t, (size_t)n * p.n_rows);
    p.reduced = ARENA_ARRAY(scratch, wide_t, n);
    p.slack = ARENA_ARRAY(scratch, wide_t, p.n_rows);
    p.stops = ARENA_ARRAY(scratch, struct stop, n);
    p.delta = ARENA_ARRAY(scratch, int64_t, p.n_rows);
    root.mult = ARENA_ARRAY(scratch, wide_t, p.n_rows);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t r = 0; r < p.n_rows; r++) {
            int64_t w = weight_of(&p, i, r);
            w = w > capacity_of(&p, r) ? capacity_of(&p, r) : w; /* does not fit: hi is 0 */
            p.unit_weight[(size_t)i * p.n_rows + r] =
                (int64_t)(((wide_t)w << UNIT_BITS) /
                          (capacity_of(&p, r) > 0 ? capacity_of(&p, r) : 1));
        }
    }
    for (uint32_t r = 0; r < p.n_rows; r++) {
        wide_t guess = multipliers[p.row[r]];
        int64_t room = capacity_of(&p, r);
        root.mult[r] = guess > 0 && room > 0 && guess < FAR / room ? guess : 0;
    }
    struct node top = copy_node(&p, &root, scratch); /* the root's multipliers survive branching */
    evaluate(&p, &top);
    improve(&p, &top);
    memcpy(root.mult, top.mult, p.n_rows * sizeof *top.mult);
    for (uint32_t r = 0; r < p.n_rows; r++) {
        multipliers[p.row[r]] = top.mult[r];
    }
    enum verify_knapsack_answer answer = VERIFY_KNAPSACK_PROVEN;
    *ret_value = knapsack->target;
    wide_t least = knapsack->target;
    if (!below(&p, &top)) {
        *ret_value = least = top.bound >> knapsack->frac_bits;
        answer =
            verify_table_prove(knapsack, p.n_rows, p.row, top.mult, root.hi, ret_value, scratch);
    }
    if (answer == VERIFY_KNAPSACK_GAVE_UP) {
        least = *ret_value < least ? *ret_value : least;
        bool ok = prove_below(&p, &root, knapsack->target, knapsack->max_nodes, scratch);
        *ret_value = p.exceeded ? p.best : ok ? least : ease(&p, &root, least, scratch);
        answer = ok           ? VERIFY_KNAPSACK_PROVEN
                 : p.exceeded ? VERIFY_KNAPSACK_EXCEEDED
                              : VERIFY_KNAPSACK_GAVE_UP;
    }
    if (answer == VERIFY_KNAPSACK_PROVEN) {
        *ret_value = knapsack->target;
    }
    arena_rewind(scratch, mark);
    return answer;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/count_proof.h"

#include <string.h>

#include "base/arena.h"

typedef __int128 i128;

#define PRICE_SHIFT (BP_DUAL_BITS + BP_WEIGHT_BITS)
#define TERM_MAX    ((i128)1 << 118)

/* An offering that no other of its family is better than in all of price and values. */
struct face {
    uint32_t family;
    i128 price;           /* scaled by both */
    const int64_t *value; /* [n_cuts] at most the need */
};

struct sum {
    const struct bp_problem *p;
    const struct bp_count_proof *proof;
    i128 *need; /* [n_cuts] */
    struct face *faces;
    uint32_t n_faces;
    uint32_t *face_of; /* [n_families + 1] */
    uint32_t *lo, *hi; /* [n_families]; BP_UNLIMITED */
    i128 *net;         /* [n_families] */
};

static bool covers(const struct sum *s, const struct face *a, i128 price, const int64_t *value)
{
    bool all = a->price <= price;
    for (uint32_t c = 0; c < s->proof->n_cuts && all; c++) {
        all = a->value[c] >= value[c];
    }
    return all;
}

/* Offerings by family, without those that another one covers. */
static void find_faces(struct sum *s, struct arena *arena)
{
    const struct bp_problem *p = s->p;
    uint32_t n_families = s->proof->n_families, n_cuts = s->proof->n_cuts;
    uint32_t *from = ARENA_ARRAY(arena, uint32_t, n_families + 2);
    uint32_t *order = ARENA_ARRAY(arena, uint32_t, p->n_offerings + 1);
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        from[s->proof->family[k] + 2]++;
    }
    for (uint32_t f = 2; f < n_families + 2; f++) {
        from[f] += from[f - 1];
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        order[from[s->proof->family[k] + 1]++] = k;
    }
    s->faces = ARENA_ARRAY(arena, struct face, p->n_offerings + 1);
    s->face_of = ARENA_ARRAY(arena, uint32_t, n_families + 1);
    for (uint32_t f = 0, at = 0; f < n_families; f++) {
        uint32_t first = s->n_faces;
        s->face_of[f] = first;
        for (; at < from[f + 1]; at++) {
            uint32_t k = order[at];
            int64_t *value = ARENA_ARRAY(arena, int64_t, n_cuts + 1);
            for (uint32_t c = 0; c < n_cuts; c++) {
                int64_t whole = s->proof->cuts[c].best_value[k];
                value[c] = whole < s->need[c] ? whole : (int64_t)s->need[c];
            }
            i128 price = (i128)p->offerings[k].price << PRICE_SHIFT;
            bool covered = false;
            for (uint32_t x = first; x < s->n_faces && !covered; x++) {
                covered = covers(s, &s->faces[x], price, value);
            }
            if (!covered) {
                s->faces[s->n_faces++] = (struct face){.family = f, .price = price, .value = value};
            }
        }
    }
    s->face_of[n_families] = s->n_faces;
}

static i128 net_of(const struct sum *s, uint32_t family, const int64_t *weight)
{
    i128 least = TERM_MAX;
    for (uint32_t x = s->face_of[family]; x < s->face_of[family + 1]; x++) {
        i128 net = s->faces[x].price;
        for (uint32_t c = 0; c < s->proof->n_cuts; c++) {
            net -= weight[c] > 0 ? (i128)weight[c] * s->faces[x].value[c] : 0;
        }
        least = net < least ? net : least;
    }
    return least;
}

/* What a leaf proves, scaled by both; 0 when nothing. */
static i128 leaf_sum(const struct sum *s, const int64_t *weight)
{
    i128 total = 0;
    for (uint32_t c = 0; c < s->proof->n_cuts; c++) {
        total += (i128)weight[c] * s->need[c];
    }
    for (uint32_t f = 0; f < s->proof->n_families; f++) {
        if (s->face_of[f] == s->face_of[f + 1]) {
            continue;
        }
        i128 net = net_of(s, f, weight);
        if (net < 0 && s->hi[f] == BP_UNLIMITED) {
            return 0;
        }
        i128 count = net < 0 ? s->hi[f] : s->lo[f];
        if (count > BP_COUNT_SPLIT_MAX) {
            return 0;
        }
        total += count * net;
        if (total > TERM_MAX || total < -TERM_MAX) {
            return 0;
        }
    }
    return total > 0 ? total : 0;
}

/* The least sum of the leaves below a step. */
static i128 walk(struct sum *s, uint32_t at)
{
    const struct bp_count_step *step = &s->proof->steps[at];
    if (step->family == UINT32_MAX) {
        return leaf_sum(s, step->weight);
    }
    uint32_t f = step->family, lo = s->lo[f], hi = s->hi[f];
    i128 below = TERM_MAX, above = TERM_MAX;
    if (lo <= step->split) {
        s->hi[f] = hi < step->split ? hi : step->split;
        below = walk(s, at + 1);
        s->hi[f] = hi;
    }
    if (hi > step->split) {
        s->lo[f] = lo > step->split + 1 ? lo : step->split + 1;
        above = walk(s, step->above);
        s->lo[f] = lo;
    }
    return below < above ? below : above;
}

static void set_stocks(struct sum *s, struct arena *arena)
{
    const struct bp_problem *p = s->p;
    s->lo = ARENA_ARRAY(arena, uint32_t, s->proof->n_families + 1);
    s->hi = ARENA_ARRAY(arena, uint32_t, s->proof->n_families + 1);
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        uint32_t *hi = &s->hi[s->proof->family[k]], stock = p->offerings[k].stock;
        *hi = *hi == BP_UNLIMITED || stock == BP_UNLIMITED || stock > BP_COUNT_SPLIT_MAX ||
                      *hi + stock > BP_COUNT_SPLIT_MAX
                  ? BP_UNLIMITED
                  : *hi + stock;
    }
}

usd_t bp_count_proof_bound(const struct bp_problem *p, const struct bp_count_proof *proof,
                           const uint32_t *placed, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    struct sum s = {.p = p, .proof = proof};
    s.need = ARENA_ARRAY(scratch, i128, proof->n_cuts + 1);
    i128 largest = 0;
    for (uint32_t c = 0; c < proof->n_cuts; c++) {
        for (uint32_t i = 0; i < p->n_classes; i++) {
            s.need[c] += (i128)proof->cuts[c].dual[i] * placed[i];
        }
        largest = s.need[c] > largest ? s.need[c] : largest;
    }
    i128 sum = 0;
    if (largest < (i128)1 << 76) { /* the sums below fit */
        set_stocks(&s, scratch);
        find_faces(&s, scratch);
        sum = walk(&s, 0);
    }
    arena_rewind(scratch, mark);
    /* Costs are whole nano-dollars, so what is proven rounds up. */
    return sum > 0 && sum < TERM_MAX
               ? (usd_t)((sum + (((i128)1 << PRICE_SHIFT) - 1)) >> PRICE_SHIFT)
               : 0;
}

static const int64_t *copy_numbers(const int64_t *from, uint32_t n, struct arena *arena)
{
    int64_t *to = ARENA_ARRAY(arena, int64_t, n + 1);
    memcpy(to, from, n * sizeof *to);
    return to;
}

const struct bp_count_proof *bp_count_proof_copy(const struct bp_problem *p,
                                                 const struct bp_count_proof *proof,
                                                 struct arena *arena)
{
    if (proof == NULL) {
        return NULL;
    }
    struct bp_count_proof *copy = ARENA_NEW(arena, struct bp_count_proof);
    struct bp_count_cut *cuts = ARENA_ARRAY(arena, struct bp_count_cut, proof->n_cuts + 1);
    uint32_t *family = ARENA_ARRAY(arena, uint32_t, p->n_offerings + 1);
    struct bp_count_step *steps = ARENA_ARRAY(arena, struct bp_count_step, proof->n_steps + 1);
    for (uint32_t c = 0; c < proof->n_cuts; c++) {
        cuts[c].dual = copy_numbers(proof->cuts[c].dual, p->n_classes, arena);
        cuts[c].best_value = copy_numbers(proof->cuts[c].best_value, p->n_offerings, arena);
    }
    memcpy(family, proof->family, p->n_offerings * sizeof *family);
    for (uint32_t s = 0; s < proof->n_steps; s++) {
        steps[s] = proof->steps[s];
        if (steps[s].weight != NULL) {
            steps[s].weight = copy_numbers(steps[s].weight, proof->n_cuts, arena);
        }
    }
    *copy = *proof;
    copy->cuts = cuts;
    copy->family = family;
    copy->steps = steps;
    return copy;
}
